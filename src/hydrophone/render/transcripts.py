"""A transcript for people (text, Markdown) and for programs (JSON); and the timeline, one event a line.

The shape of the JSON is described in ``schemas/`` beside this file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from hydrophone.model import (
    Cue,
    MissingStretch,
    PeriscopeUserId,
    Speaker,
    SpeakerSource,
    Transcript,
    Turn,
    UserId,
    Word,
    WordSource,
)
from hydrophone.render.csvtext import csv_text
from hydrophone.render.jsontext import json_line, json_text
from hydrophone.render.subtitles import NO_WORDS, speaker_labels, spoken_text
from hydrophone.render.times import duration_text

SCHEMA = 1
#: Cues of one person are one paragraph until the pause between them is this long.
PARAGRAPH_PAUSE_SECONDS = 4.0
PARAGRAPH_CHARACTERS = 900
# What means something anywhere in a line, and what does at the beginning of one.
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~&#])")
_MARKDOWN_BEGIN = re.compile(r"^([-+=:]|\d+(?=[.)]))")


class Happened(Protocol):
    """What a line of ``timeline.jsonl`` is made of."""

    @property
    def seconds(self) -> float: ...
    @property
    def at(self) -> Any: ...
    @property
    def kind(self) -> str: ...
    @property
    def person(self) -> str: ...
    @property
    def by(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def is_approximate(self) -> bool: ...
    @property
    def facts(self) -> Mapping[str, Any]: ...


class Minute(Protocol):
    """What a line of ``reactions.csv`` is made of."""

    @property
    def minute(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def counts(self) -> Mapping[str, int]: ...


def transcript_json(transcript: Transcript) -> str:
    """``transcript.json``: everything, times in seconds to the millisecond."""
    return json_text(
        {
            "schema": SCHEMA,
            "title": transcript.title,
            "link": transcript.link,
            "language": transcript.language or None,
            "duration_seconds": _ms(transcript.seconds),
            "word_source": transcript.word_source,
            "notes": transcript.notes,
            "speakers": [_speaker(speaker) for speaker in transcript.speakers],
            "cues": [_cue(cue) for cue in transcript.cues],
            "turns": [_turn(turn) for turn in transcript.turns],
            "gaps": [
                {"begin_seconds": _ms(gap.begin_seconds), "end_seconds": _ms(gap.end_seconds), "cause": gap.cause}
                for gap in transcript.gaps
            ],
        }
    )


def read_transcript(facts: Mapping[str, Any]) -> Transcript:
    """The transcript that a ``transcript.json`` of ours holds; a missing field is an error of type `KeyError`."""
    return Transcript(
        title=facts["title"],
        link=facts["link"],
        language=facts["language"] or "",
        seconds=facts["duration_seconds"],
        word_source=WordSource(facts["word_source"]),
        notes=tuple(facts["notes"]),
        speakers=tuple(
            Speaker(
                key=one["key"],
                name=one["name"],
                handle=one["handle"],
                user_id=UserId(one["user_id"]),
                periscope_id=PeriscopeUserId(one["periscope_id"]),
            )
            for one in facts["speakers"]
        ),
        cues=tuple(map(_read_cue, facts["cues"])),
        turns=tuple(
            Turn(
                speaker=one["speaker"],
                begin_seconds=one["begin_seconds"],
                end_seconds=one["end_seconds"],
                source=SpeakerSource(one["source"]),
                level=one["level"],
            )
            for one in facts["turns"]
        ),
        gaps=tuple(MissingStretch(**gap) for gap in facts["gaps"]),
    )


def transcript_text(transcript: Transcript) -> str:
    """``transcript.txt``: a paragraph for each stretch of speech, with time and name."""
    lines = [spoken_text(transcript.title)] if transcript.title else []
    lines += [spoken_text(transcript.link)] if transcript.link else []
    head = "\n".join(lines)
    labels = speaker_labels(transcript)
    body = [
        f"[{duration_text(begin)}] {labels.get(speaker, '?')}: {text}"
        for begin, speaker, text in _paragraphs(transcript)
    ]
    return "\n\n".join(part for part in (head, *body) if part) + "\n"


def transcript_markdown(transcript: Transcript) -> str:
    """``transcript.md``: the same with headings, and every time a link to its moment. Foreign text is escaped."""
    parts = [f"# {_plain_markdown(transcript.title)}"] if transcript.title else []
    if _is_web_link(transcript.link):
        parts.append(f"<{transcript.link}>")
    parts += [f"*{_plain_markdown(note)}*" for note in transcript.notes]
    labels = speaker_labels(transcript)
    for begin, speaker, text in _paragraphs(transcript):
        moment = duration_text(begin)
        if _is_web_link(transcript.link):
            moment = f"[{moment}](<{transcript.link.partition('#')[0]}#t={begin:.1f}>)"
        parts.append(f"**{_plain_markdown(labels.get(speaker, '?'))}** {moment}  \n{_plain_markdown(text)}")
    return "\n\n".join(parts) + "\n"


def timeline_lines(events: Iterable[Happened], transcript: Transcript) -> Iterator[str]:
    """``timeline.jsonl``: what happened, speech and gaps included, one event a line in order of position."""
    entries: list[tuple[float, int, dict[str, Any]]] = []
    for number, event in enumerate(events):
        entry: dict[str, Any] = {"seconds": _ms(event.seconds), "at": event.at, "kind": event.kind}
        entry |= {name: value for name in ("person", "by", "text") if (value := getattr(event, name))}
        if event.is_approximate:
            entry["is_approximate"] = True
        if event.facts:
            entry["facts"] = event.facts
        entries.append((event.seconds, number, entry))
    for cue, entry in zip(transcript.cues, speech_entries(transcript), strict=True):
        entries.append((cue.begin_seconds, -1, entry))
    for gap in transcript.gaps:
        entry = {"seconds": _ms(gap.begin_seconds), "kind": "gap", "text": gap.cause}
        entries.append((gap.begin_seconds, -2, {**entry, "end_seconds": _ms(gap.end_seconds)}))
    for _, _, entry in sorted(entries, key=lambda one: one[:2]):
        yield json_line(entry) + "\n"


def speech_entries(transcript: Transcript) -> Iterator[dict[str, Any]]:
    """What is said, as it stands in the timeline: an event for each cue."""
    for cue in transcript.cues:
        yield {
            "seconds": _ms(cue.begin_seconds),
            "kind": "speech",
            "person": cue.speaker,
            "text": cue.text,
            "end_seconds": _ms(cue.end_seconds),
        }


def reactions_csv(minutes: Iterable[Minute]) -> str:
    """``reactions.csv``: minute of the recording, number of reactions, and which."""
    rows = (
        (one.minute, one.total, " ".join(f"{spoken_text(emoji)}×{count}" for emoji, count in one.counts.items()))
        for one in minutes
    )
    return csv_text(("minute", "reactions", "which"), rows)


# ---------------------------------------------------------------- pieces


def _paragraphs(transcript: Transcript) -> Iterator[tuple[float, str, str]]:
    """Begin, speaker and text of each stretch of speech by one person."""
    if not transcript.cues:
        for turn in transcript.turns:
            yield max(0.0, turn.begin_seconds), turn.speaker, f"{NO_WORDS} ({duration_text(turn.seconds)})"
        return
    begin, end, speaker, texts, length = 0.0, 0.0, "", list[str](), 0
    for cue in transcript.cues:
        text = spoken_text(cue.text)
        if not text:
            continue
        is_apart = cue.begin_seconds - end > PARAGRAPH_PAUSE_SECONDS or length > PARAGRAPH_CHARACTERS
        if texts and (cue.speaker != speaker or is_apart):
            yield begin, speaker, " ".join(texts)
            texts, length = [], 0
        if not texts:
            begin, speaker = max(0.0, cue.begin_seconds), cue.speaker
        texts.append(text)
        length += len(text)
        end = cue.end_seconds
    if texts:
        yield begin, speaker, " ".join(texts)


def _plain_markdown(text: str) -> str:
    plain = _MARKDOWN.sub(r"\\\1", spoken_text(text))
    begin = _MARKDOWN_BEGIN.match(plain)
    if begin is None:
        return plain
    # A number with a point would become a list; the point is what takes the backslash.
    return f"{begin[0]}\\{plain[begin.end() :]}" if begin[0].isdigit() else f"\\{plain}"


def _is_web_link(link: str) -> bool:
    return link.startswith(("https://", "http://")) and not re.search(r"[\s<>\\]", link)


def _ms(seconds: float) -> float:
    return round(seconds, 3)


def _speaker(speaker: Speaker) -> dict[str, Any]:
    return {
        "key": speaker.key,
        "name": speaker.name,
        "handle": speaker.handle,
        "user_id": speaker.user_id,
        "periscope_id": speaker.periscope_id,
    }


def _cue(cue: Cue) -> dict[str, Any]:
    return {
        "id": cue.id or None,
        "speaker": cue.speaker,
        "begin_seconds": _ms(cue.begin_seconds),
        "end_seconds": _ms(cue.end_seconds),
        "text": cue.text,
        "words": [[word.text, _ms(word.begin_seconds), _ms(word.end_seconds)] for word in cue.words],
        "interims": cue.interims,
        "is_final": cue.is_final,
        "is_approximate": cue.is_approximate,
        "speaker_source": cue.speaker_source,
        "confidence": cue.confidence,
    }


def _read_cue(facts: Mapping[str, Any]) -> Cue:
    return Cue(
        id=facts["id"] or "",
        speaker=facts["speaker"],
        begin_seconds=facts["begin_seconds"],
        end_seconds=facts["end_seconds"],
        text=facts["text"],
        words=tuple(Word(*word) for word in facts["words"]),
        interims=facts["interims"],
        is_final=facts["is_final"],
        is_approximate=facts["is_approximate"],
        speaker_source=SpeakerSource(facts["speaker_source"]),
        confidence=facts["confidence"],
    )


def _turn(turn: Turn) -> dict[str, Any]:
    return {
        "speaker": turn.speaker,
        "begin_seconds": _ms(turn.begin_seconds),
        "end_seconds": _ms(turn.end_seconds),
        "source": turn.source,
        "level": None if turn.level is None else round(turn.level, 1),
    }
