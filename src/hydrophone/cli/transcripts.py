"""Transcripts of the archive as commands use them: which item is meant, which moment, which part."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydrophone.archive.item import Item, find_item
from hydrophone.captions.slicing import by_speaker, sliced
from hydrophone.cli.items import items_named
from hydrophone.errors import ArchiveError, HydrophoneError, NotFoundError, SettingsError
from hydrophone.links import parse_link
from hydrophone.model import Transcript
from hydrophone.render.times import duration_text
from hydrophone.render.transcripts import read_transcript

FORMS = ("txt", "md", "vtt", "srt", "lrc", "json")
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,3}):(\d{2}(?:\.\d+)?)")
_UNITS = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s?)?")


def seconds_of(text: str, setting: str) -> float:
    """``12:34``, ``1:02:03.5``, ``754.5`` or ``12m34s`` as seconds.

    Raises:
        SettingsError: it is none of these.
    """
    match = _CLOCK.fullmatch(text.strip()) or _UNITS.fullmatch(text.strip().lower())
    if match is None or not any(match.groups()):
        raise SettingsError(f"{text!r} is no moment", setting=setting, advice=f"For example: {setting} 12:34")
    hours, minutes, seconds = (float(group or 0) for group in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def stretch_of(begin: str | None, end: str | None) -> tuple[float, float]:
    """From where to where; the whole recording where nothing is said.

    Raises:
        SettingsError: a moment cannot be read, or the end is not behind the beginning.
    """
    first = seconds_of(begin, "--from") if begin else 0.0
    last = seconds_of(end, "--to") if end else float("inf")
    if last <= first:
        raise SettingsError("the stretch ends before it begins", setting="--to")
    return first, last


def check_within(begin_seconds: float, whole_seconds: float) -> None:
    """Raise NotFoundError where a recording of that length has nothing at this place."""
    if 0 < whole_seconds <= begin_seconds:
        raise NotFoundError(
            f"the recording ends at {duration_text(whole_seconds)}", advice="Name a moment before that."
        )


def nothing_said(transcript: Transcript, seconds: float) -> NotFoundError:
    """Why there is nothing to quote at a moment."""
    at = duration_text(seconds)
    if transcript.cues:
        advice = "`hydrophone transcript ITEM` shows what there is."
        return NotFoundError(f"nothing was written down around {at}", advice=advice)
    heard = [turn.speaker for turn in transcript.turns if turn.begin_seconds <= seconds < turn.end_seconds]
    who = " and ".join(transcript.speaker(key).label for key in dict.fromkeys(heard))
    return NotFoundError(
        f"there are no captions{f'; at {at} {who} can be heard' if who else ''}",
        advice="`hydrophone transcript ITEM --engine whisper` listens on this machine and writes the words down.",
    )


def form_and_end(values: Sequence[str]) -> tuple[str, str | None]:
    """What `--to` asks for: a form is named by its ending, everything else is a moment.

    Raises:
        SettingsError: a value is neither.
    """
    forms = [value.lower() for value in values if value.lower() in FORMS]
    moments = [value for value in values if value.lower() not in FORMS]
    for value in moments:
        if not value[:1].isdigit():
            raise SettingsError(
                f"{value!r} is neither a form nor a moment", setting="--to", advice=f"Forms are {', '.join(FORMS)}."
            )
    return forms[-1] if forms else "txt", moments[-1] if moments else None


def item_meant(name: str, archive: Path) -> Item:
    """The one item that a folder, an id or a link names.

    Raises:
        NotFoundError: it names none, or more than one.
    """
    found = find_item(archive, id_of(name)) if "://" in name else None
    if found is not None:
        return found
    paths = items_named([name], archive)
    if len(paths) > 1:
        raise NotFoundError(f"{name!r} holds {len(paths)} recordings", advice="Name one of them.")
    return Item(paths[0])


def id_of(link: str) -> str:
    """The id in a link; the link itself where there is none."""
    try:
        ref: Any = parse_link(link)
    except HydrophoneError:
        return link
    return str(getattr(ref, "id", link))


def load_transcript(item: Item) -> Transcript:
    """The transcript of an item.

    Raises:
        NotFoundError: it has none.
        ArchiveError: it is not as we write it.
    """
    path = item.transcript("json")
    try:
        return read_transcript(json.loads(path.read_bytes()))
    except FileNotFoundError:
        raise NotFoundError(
            f"{item.path.name!r} has no transcript",
            advice="`hydrophone repair ITEM` makes one, where tags or chat tell anything.",
        ) from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ArchiveError(f"{path}: no transcript of ours ({error})") from None


def part_of(
    transcript: Transcript, *, speaker: str | None = None, begin: str | None = None, end: str | None = None
) -> Transcript:
    """What the flags ask for.

    Raises:
        NotFoundError: nobody of that name speaks, or the recording ends before the stretch begins.
        SettingsError: see `stretch_of`.
    """
    first, last = stretch_of(begin, end)
    check_within(first, transcript.seconds)
    if begin or end:
        transcript = sliced(transcript, first, last)
    if speaker is None:
        return transcript
    own = by_speaker(transcript, speaker)
    if own is None:
        names = ", ".join(f"@{one.handle}" if one.handle else one.label for one in transcript.speakers[:10])
        raise NotFoundError(f"nobody called {speaker} speaks there", advice=f"There are: {names}" if names else "")
    return own
