"""Who said what, out of what a take holds: the tags of its segments, and the chat that was kept beside it.

The same segments and the same messages give the same files, in whichever order they came and however often the
recorder was killed on the way.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, BinaryIO

from hydrophone.archive import DurableWriter, Item, StoredSegment, write_file
from hydrophone.audio import (
    MediaClock,
    Position,
    SpeechLog,
    StagePerson,
    StageSample,
    read_stage,
    sample_levels,
    sample_position,
    tags_beside_frames,
)
from hydrophone.audio.clock import FIRST_TAG_DELAY_US
from hydrophone.audio.transport import read_transport_clock
from hydrophone.captions.account import Account, TranscriptBuilder
from hydrophone.captions.layout import CueLimits, split_cues, wrap_lines
from hydrophone.captions.talk import chapter_marks, reactions_per_minute
from hydrophone.chat.ordering import StraightReading
from hydrophone.media.tags import Chapter
from hydrophone.model import (
    ChatMessage,
    ChatPerson,
    Cue,
    MissingStretch,
    Participant,
    PeriscopeUserId,
    Role,
    Transcript,
    Turn,
    UserId,
)
from hydrophone.recorder.exported import spoken_of, spoken_roles, spoken_turns
from hydrophone.recorder.layout import DEFAULT_RATE, Layout
from hydrophone.recorder.sources import Look
from hydrophone.render.lyrics import lrc_text
from hydrophone.render.subtitles import srt_text, vtt_text
from hydrophone.render.transcripts import (
    reactions_csv,
    timeline_lines,
    transcript_json,
    transcript_markdown,
    transcript_text,
)

SAMPLES_PER_FRAME = 1024
#: Two tags of one segment whose clocks go this much further apart than the frames between them: the clock jumped.
JUMP_US = 500_000
TRANSCRIPTS = ("json", "vtt", "srt", "txt", "md")
NO_CAPTIONS = "The service sent no captions; who is speaking is known, but not what is said."
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Heard:
    """What the segments themselves tell: when each second was, and who is loud in it."""

    clock: MediaClock
    turns: list[Turn]
    people: Collection[StagePerson] = ()


def listener_for(look: Look, people: Sequence[Mapping[str, Any]]) -> Listener:
    """Who hears what the segments of this recording tell."""
    return Listener(_host(look, people).key or "host", look.started_at)


def account_of(
    paths: Item,
    heard: Heard,
    layout: Layout,
    look: Look,
    people: Sequence[Mapping[str, Any]],
    spoke: Iterable[Mapping[str, Any]] = (),
) -> Account | None:
    """All that is known about who said what; None where nobody told anything. Blocks.

    Args:
        heard: what the segments tell, see `Listener`.
        people: whom the journal names, as `read_people` lists them.
        spoke: who spoke from when to when, as an export tells; see `note_speech`.
    """
    host = _host(look, people)
    has_chat = paths.captions.is_file()
    spoken = spoken_of(spoke, heard.clock, look.started_at, layout.seconds)
    if not has_chat and not heard.turns and not spoken:
        return None

    def place(message: ChatMessage) -> Position | None:
        if message.unix_us is None:
            return None
        return heard.clock.position(message.unix_us, near_us=message.sent_ns // 1000 if message.sent_ns else None)

    def begin() -> TranscriptBuilder:
        known = [_participant(one) for one in people]
        return TranscriptBuilder(place, people=known, host=host if host.key else None)

    builder = begin()
    if has_chat:
        with paths.captions.open("rb") as file:
            reading = StraightReading(_lines(file), functools.partial(_line_at, file))
            for message in reading:
                builder.see(message)
            if not reading.is_straight:
                builder = begin()
                for message in reading.again():
                    builder.see(message)
    has_captions = builder.has_cues
    # Last, so that whom record or chat know better keep their names: tags tell an id, a handle and a picture.
    for one in heard.people:
        builder.directory.see(
            ChatPerson(periscope_id=one.periscope_id, handle=one.handle, avatar_url=one.avatar_url, index=one.index)
        )
    account = builder.finish(
        seconds=layout.seconds,
        turns=heard.turns or spoken_turns(spoken),
        gaps=[
            MissingStretch(begin_seconds=gap.begin_seconds, end_seconds=gap.end_seconds, cause=gap.cause.value)
            for gap in layout.gaps
        ],
        title=look.title,
        link=look.link,
        language=look.language or "",
        notes=() if has_captions else (NO_CAPTIONS,),
    )
    return replace(account, roles=(*account.roles, *spoken_roles(spoken, people, account.directory)))


def write_transcripts(paths: Item, account: Account) -> None:
    """The files that people and programs read. Blocks.

    Raises:
        DiskError: one could not be written.
    """
    transcript = account.transcript
    shown = readable(transcript)
    for name in TRANSCRIPTS:
        write_file(paths.transcript(name), transcript_as(transcript, name, shown).encode())
    with DurableWriter(paths.timeline) as out:
        for line in timeline_lines(account.events, transcript):
            out.write(line.encode())
    write_file(paths.reactions, reactions_csv(reactions_per_minute(account.reactions())).encode())


@dataclass(frozen=True, slots=True)
class Readable:
    """The cues in pieces that can be read on a screen, None without any, and how to break a text into lines."""

    cues: list[Cue] | None
    wrap: Callable[[str], list[str]]


def readable(transcript: Transcript) -> Readable:
    """What WebVTT and SRT show alike. Pure."""
    limits = CueLimits()
    cues = list(split_cues(transcript.cues, limits)) if transcript.cues else None
    return Readable(cues, functools.cache(lambda text: wrap_lines(text, limits)))


def transcript_as(transcript: Transcript, form: str, shown: Readable | None = None) -> str:
    """The transcript as JSON, WebVTT, SRT, LRC, text or Markdown. Pure.

    Args:
        shown: `readable` of the same transcript, for those who want several forms.
    """
    match form:
        case "json":
            return transcript_json(transcript)
        case "vtt" | "srt":
            shown = shown or readable(transcript)
            write = vtt_text if form == "vtt" else srt_text
            return write(transcript, shown.cues, wrap=shown.wrap)
        case "lrc":
            return lrc_text(transcript, (shown or readable(transcript)).cues)
        case "md":
            return transcript_markdown(transcript)
        case _:
            return transcript_text(transcript)


def speech_chapters(account: Account | None, offset: float, seconds: float) -> list[Chapter]:
    """A chapter where somebody begins to hold the floor, for the part that begins at `offset`. Pure.

    One alone says nothing that the title does not, so there are at least two or none.
    """
    if account is None:
        return []
    marks = [
        Chapter(max(0.0, mark.begin_seconds - offset), mark.title)
        for mark in chapter_marks(account.transcript)
        if 0 <= mark.begin_seconds - offset < seconds
    ]
    return marks if len(marks) > 1 else []


def merged_chapters(gaps: list[Chapter], speech: list[Chapter]) -> list[Chapter]:
    """Chapters of both kinds in order; what is said begins at the first second. Pure."""
    marks = sorted([*gaps, *speech], key=lambda mark: mark.start_seconds)
    if marks and marks[0].start_seconds > 0:
        marks.insert(0, Chapter(0.0, "Recording"))
    return marks


# ---------------------------------------------------------------- what the segments tell


class Listener:
    """Reads the tags of all segments, each where it stands in the recording. Shown the segments as they are laid out.

    Args:
        host: stands for the creator, whom tags never name.
    """

    def __init__(self, host: str, started_at: datetime | None = None) -> None:
        self._host = host
        self._started_at = started_at
        self._clock = MediaClock(started_at=started_at)
        self._log = SpeechLog()
        self._people: dict[str, StagePerson] = {}

    def see(self, position: float, stored: StoredSegment) -> None:
        """The next segment begins at `position`, silence included. Reads its bytes."""
        rate = stored.rate or DEFAULT_RATE
        if not stored.frames:
            _add_video_to_clock(self._clock, position, stored, self._started_at)
            return
        samples = _samples(stored)
        _add_to_clock(self._clock, position, stored, samples, rate)
        if not samples:
            self._log.pass_over()
        for sample in samples:
            for one in sample.people or ():
                self._people.setdefault(one.periscope_id or f"@{one.handle}", one)
            levels = sample_levels(sample, self._host)
            if levels:
                self._log.hear(sample_position(sample, position, rate), levels)

    def finish(self, seconds: float) -> Heard:
        """What was heard in a recording of that length."""
        return Heard(self._clock, self._log.finish(seconds), self._people.values())


def _samples(stored: StoredSegment) -> tuple[StageSample, ...]:
    """What the tags of a segment say. The journal knows where its frames are, so the tags are what lies between."""
    body = stored.read()
    sizes = stored.frame_sizes
    return read_stage(body, spans=None if sizes is None else tags_beside_frames(body, stored.runs, sizes))


def _add_to_clock(
    clock: MediaClock, position: float, stored: StoredSegment, samples: tuple[StageSample, ...], rate: int
) -> None:
    """One anchor for the segment, and one more behind each jump of the clock inside it."""
    hint_at = _EPOCH + timedelta(microseconds=stored.written_ns // 1000) if stored.written_ns else None
    told = [(sample_position(one, 0.0, rate), one.unix_us) for one in samples if one.unix_us is not None]
    begins = [0.0, *_jumps(told)]
    for begin, end in pairwise([*begins, stored.frames * SAMPLES_PER_FRAME / rate]):
        within, unix_us = next((tag for tag in told if tag[0] >= begin), (begin, None))
        clock.add(
            position + begin,
            max(0.0, end - begin),
            ticks=stored.ticks if begin == 0.0 else None,
            tag_unix_us=unix_us,
            tag_after_seconds=within - begin,
            hint_at=hint_at,
        )


def _jumps(told: list[tuple[float, int]]) -> Iterator[float]:
    """Where the clock went another way than the frames: behind which of (seconds within the segment, clock)."""
    for (before, before_us), (at, at_us) in pairwise(told):
        if abs(at_us - before_us - (at - before) * 1e6) > JUMP_US:
            yield at


def _add_video_to_clock(clock: MediaClock, position: float, stored: StoredSegment, started_at: datetime | None) -> None:
    """Video has its clock in a stream of its own. Without one, the name tells the time, or the record when it began."""
    found = read_transport_clock(stored.read())
    hint_at = _EPOCH + timedelta(microseconds=stored.written_ns // 1000) if stored.written_ns else None
    if hint_at is None and started_at is not None:
        hint_at = started_at + timedelta(seconds=position)
    clock.add(
        position,
        stored.duration_seconds or 0.0,
        # The clock takes off what tags of audio are late; those of video are not.
        tag_unix_us=found.unix_us + FIRST_TAG_DELAY_US if found else None,
        tag_after_seconds=found.after_seconds if found else 0.0,
        hint_at=hint_at,
    )


# ---------------------------------------------------------------- people and lines


def _host(look: Look, people: Sequence[Mapping[str, Any]]) -> ChatPerson:
    creator = look.creator
    if creator is None:
        return ChatPerson()
    listed = next((one.get("periscope_id") for one in people if one.get("user_id") == creator.id), None)
    # Where no Periscope id is known, the form that Spaces derive from the X id names the same person.
    periscope_id = creator.periscope_id or listed or (f"tw-{creator.id}" if creator.id else "")
    return ChatPerson(
        periscope_id=PeriscopeUserId(periscope_id),
        user_id=UserId(creator.id or ""),
        handle=creator.handle or "",
        name=creator.name or "",
    )


def _participant(facts: Mapping[str, Any]) -> Participant:
    def text(name: str) -> str | None:
        value = facts.get(name)
        return str(value) if value else None

    return Participant(
        role=Role.LISTENER,
        user_id=UserId(text("user_id") or "") or None,
        periscope_id=PeriscopeUserId(text("periscope_id") or "") or None,
        handle=text("handle"),
        name=text("name"),
        avatar_url=text("avatar_url"),
    )


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Each whole line and its offset; what a crash left of a last one is no line."""
    offset = 0
    for line in file:
        if line.endswith(b"\n"):
            yield offset, line
        offset += len(line)


def _line_at(file: BinaryIO, offset: int) -> bytes:
    file.seek(offset)
    return file.readline()
