"""What a chat of so many messages costs, in a process of its own: taken in, put in order, made into a transcript.

As after joining late: the last quarter came by the socket, then the history brought all of them, those once more.

    python bench/jobs/chat_messages.py MESSAGES FOLDER

prints JSON. The messages are written to a file first, and that costs nothing here.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from hydrophone.captions.account import TranscriptBuilder
from hydrophone.captions.merging import since
from hydrophone.chat.intake import ChatIntake, Via
from hydrophone.chat.ordering import StraightReading
from hydrophone.recorder.transcribing import TRANSCRIPTS, transcript_as

ZERO_US = 1_772_564_403_400_000
SINCE_1900 = 2_208_988_800
STEP_SECONDS = 0.4
WORDS = ["the", "tide", "turns", "at", "six", "and", "the", "ferry", "waits", "for", "nobody", "on", "the", "quay"]
SPEAKERS = ("mara", "teun", "ines", "kofi", "suri")


def message(number: int) -> str:
    """One message: a sentence of nine that grow and a finished one, by one speaker after the other; and a reaction."""
    turn, step = divmod(number, 12)
    who, at_us = SPEAKERS[turn % len(SPEAKERS)], ZERO_US + round(number * STEP_SECONDS * 1e6)
    ntp = -(-((at_us + SINCE_1900 * 10**6) << 32) // 10**6)
    uuid = f"00000000-0000-4000-8000-{number:012}"
    body = {"ntpForLiveFrame": ntp, "ntpForBroadcasterFrame": ntp, "uuid": uuid, "v": 2, "username": who}
    if step == 11:
        body |= {"type": 2, "body": "🌊"}
    else:
        words = WORDS[: step + 1] if step < 10 else [*WORDS[:10], f"{turn}."]
        body |= {"type": 45, "body": " ".join(words), "final": step == 10, "user_id": f"1{who}"}
    sender = {"user_id": f"1{who}", "username": who, "display_name": who.title()}
    told = {"room": "r", "body": json.dumps(body), "lang": "", "sender": sender}
    return json.dumps({"kind": 1, "payload": json.dumps({**told, "timestamp": at_us * 1000, "uuid": uuid})})


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    offset = 0
    with path.open("rb") as file:
        for line in file:
            yield offset, line
            offset += len(line)


def take_in(arrived: Path, log: Path, count: int) -> None:
    intake = ChatIntake()
    with log.open("wb") as out:
        for via, first in ((Via.SOCKET, count - count // 4), (Via.HISTORY, 0)):
            with arrived.open("rb") as file:
                for line in islice(file, first, None):
                    kept = intake.take(line, via, 1)
                    if kept is not None:
                        out.write(kept)


def merge(log: Path) -> TranscriptBuilder:
    builder = TranscriptBuilder(since(ZERO_US))
    with log.open("rb") as file:

        def line_at(place: int) -> bytes:
            file.seek(place)
            return file.readline()

        reading = StraightReading(lines_of(log), line_at)
        for one in reading:
            builder.see(one)
        if not reading.is_straight:
            builder = TranscriptBuilder(since(ZERO_US))
            for one in reading.again():
                builder.see(one)
    return builder


def main() -> None:
    count, folder = int(sys.argv[1]), Path(sys.argv[2])
    arrived, log = folder / "arrived.jsonl", folder / "captions.jsonl"
    with arrived.open("w", encoding="utf-8") as out:
        for number in range(count):
            out.write(message(number) + "\n")
    empty = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    marks = [time.process_time()]
    take_in(arrived, log, count)
    marks.append(time.process_time())
    account = merge(log).finish(seconds=count * STEP_SECONDS)
    marks.append(time.process_time())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    for form in TRANSCRIPTS:
        (folder / f"transcript.{form}").write_text(transcript_as(account.transcript, form), encoding="utf-8")
    marks.append(time.process_time())
    print(
        json.dumps(
            {
                "messages": count,
                "cues": len(account.transcript.cues),
                "log_bytes": log.stat().st_size,
                "take_seconds": marks[1] - marks[0],
                "merge_seconds": marks[2] - marks[1],
                "write_seconds": marks[3] - marks[2],
                "before_bytes": empty,
                "merged_bytes": peak,
                "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
