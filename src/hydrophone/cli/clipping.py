"""The files of a clip: audio with tags, and the transcript of that stretch beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydrophone.archive.durable import DurableWriter, write_file
from hydrophone.archive.item import Item
from hydrophone.captions.quoting import permalink
from hydrophone.captions.slicing import sliced
from hydrophone.cli.transcripts import check_within, load_transcript
from hydrophone.errors import NotFoundError, SettingsError
from hydrophone.media.clip import Cut, cut_audio
from hydrophone.media.tags import Tags
from hydrophone.recorder.transcribing import transcript_as
from hydrophone.render.times import duration_text

FORMS = ("vtt", "txt", "json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """What was written, and where it really begins and ends."""

    files: tuple[Path, ...]
    begin_seconds: float
    end_seconds: float


def cut_clip(item: Item, begin: float, end: float, output: Path | None) -> Clip:
    """Write a clip of an item.

    Raises:
        NotFoundError: the item has no packaged audio, or ends before the clip begins.
        MediaError: there is no audio at that place.
        SettingsError: the clip would lie in the item, whose files are all in its manifest.
    """
    if not item.audio.is_file():
        raise NotFoundError(f"{item.path.name!r} has no audio.m4a", advice="`hydrophone repair ITEM` makes it.")
    facts = item.load_space()
    check_within(begin, float(facts.get("duration_seconds") or 0.0))
    path = output or Path(f"{_stem(facts)} {_stamp(begin)}-{_stamp(end)}.m4a")
    if path.resolve().is_relative_to(item.path.resolve()):
        raise SettingsError("a clip cannot lie in the recording's own folder", setting="--output")
    cut = _cut(item, path, begin, end, facts)
    files = [path]
    if item.transcript("json").is_file():
        part = sliced(load_transcript(item), cut.begin_seconds, cut.end_seconds, is_shifted=True)
        for form in FORMS:
            beside = path.with_suffix(f".{form}")
            write_file(beside, transcript_as(part, form))
            files.append(beside)
    return Clip(files=tuple(files), begin_seconds=cut.begin_seconds, end_seconds=cut.end_seconds)


def _cut(item: Item, path: Path, begin: float, end: float, facts: Mapping[str, Any]) -> Cut:
    creator = facts.get("creator") or {}
    title, link = str(facts.get("title") or item.path.name), str(facts.get("link") or "")
    tags = Tags(
        title=f"{title} ({duration_text(begin)})",
        artist=str(creator.get("name") or creator.get("handle") or ""),
        album=title,
        date=str(facts.get("started_at") or "")[:10],
        comment=permalink(link, begin),
    )
    with DurableWriter(path) as out:
        return cut_audio(item.audio, out, begin, end, tags=tags)


def _stem(facts: Mapping[str, Any]) -> str:
    return "clip " + (re.sub(r"[^A-Za-z0-9_-]", "", str(facts.get("id", ""))) or "of a recording")


def _stamp(seconds: float) -> str:
    return duration_text(seconds).replace(":", ".") if seconds != float("inf") else "end"
