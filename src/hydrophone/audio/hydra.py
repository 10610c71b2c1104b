"""What the tags of an audio Space say: when it is, who is on stage, and how loud each of them is.

All of it is foreign text that anybody may have shaped; whatever cannot be used is left out, and nothing raises.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from hydrophone.audio.adts import AdtsScan, TagSpan, scan_adts
from hydrophone.audio.clock import read_ntp_seconds
from hydrophone.audio.id3 import MAX_TAGS, Tag, is_clock_alone, plain_texts, read_tags
from hydrophone.model import PeriscopeUserId

MAX_PEOPLE = 1000
MAX_LEVEL = 100
_MAX_TEXT = 2048
_SHORT = 32  #: characters: what is worth remembering
_PLAIN_META = re.compile(r'\{"HydraVersion":(0|[1-9][0-9]{0,17}),"ntp":[1-9][0-9]{0,15}(?:\.[0-9]{1,40})?\}')
_decode = json.JSONDecoder(parse_float=str, parse_constant=lambda _name: None).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePerson:
    """Somebody on stage, the host excepted. Absent texts are empty; `index` is None where it was no number."""

    periscope_id: PeriscopeUserId
    handle: str = ""
    index: int | None = None
    session_id: str = field(default="", repr=False)
    stream_name: str = field(default="", repr=False)
    avatar_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSample:
    """What one tag says about the second around it.

    `unix_us` is the clock at the tag, None where there was none; `is_clock_corrected` when it was written in another
    unit. `levels` are 0 to 100: the first is the host's, then one for each of `people`, in their order. Either list may
    be the longer one. `people` is None where the tag does not say who is there, as opposed to nobody.
    """

    offset: int
    before_frame: int
    unix_us: int | None = None
    is_clock_corrected: bool = False
    people: tuple[StagePerson, ...] | None = None
    levels: tuple[int, ...] = ()
    rotation: float | None = None
    version: int | None = None

    @property
    def host_level(self) -> int | None:
        """How loud the host is; the record, not the tag, says who that is."""
        return self.levels[0] if self.levels else None

    def levels_by_person(self) -> tuple[tuple[StagePerson, int], ...]:
        """Each person with their level. What has no partner is dropped."""
        return tuple(zip(self.people or (), self.levels[1:], strict=False))


def read_stage(
    data: bytes, scan: AdtsScan | None = None, *, spans: Sequence[TagSpan] | None = None
) -> tuple[StageSample, ...]:
    """The samples of a segment in order; tags that only carry the clock of the segment give none.

    Args:
        spans: where the tags stand, for those who know it without a scan.
    """
    if spans is None:
        spans = (scan or scan_adts(data)).tags
    spans = [span for span in spans if not is_clock_alone(data, span)]
    samples = (_read_sample(data, span) for span in spans[:MAX_TAGS])
    return tuple([sample for sample in samples if sample is not None])


def _read_sample(data: bytes, span: TagSpan) -> StageSample | None:
    found = plain_texts(data, span)
    if found is None:
        return build_sample(read_tags(data, spans=(span,))[0])
    texts, user_texts = found
    return _build_sample(span.offset, span.before_frame, texts.get("TIT3"), texts.get("TKEY"), user_texts)


def build_sample(tag: Tag) -> StageSample | None:
    """The sample that a tag holds; None when it holds nothing of the kind."""
    return _build_sample(tag.offset, tag.before_frame, tag.text("TIT3"), tag.text("TKEY"), tag.user_texts())


def _build_sample(
    offset: int, before_frame: int, title: str | None, rotation_text: str | None, texts: Mapping[str, str]
) -> StageSample | None:
    meta_text, people_text = texts.get("JSONMetadata"), texts.get("HydraParticipants")
    levels_text = texts.get("HydraAudioLevel")
    if title is None and meta_text is None and people_text is None and levels_text is None and rotation_text is None:
        return None
    clock = read_ntp_seconds(title or "")
    version: int | None
    if clock and meta_text and (plain := _PLAIN_META.fullmatch(meta_text)):
        version, rotation = int(plain[1]), ""  # its clock says what the title has said
    else:
        meta = _load(meta_text)
        meta = meta if isinstance(meta, dict) else {}
        version, rotation = _whole(meta.get("HydraVersion")), _text(meta.get("rotation"))
        clock = clock or read_ntp_seconds(_text(meta.get("ntp")))
    return StageSample(
        offset=offset,
        before_frame=before_frame,
        unix_us=clock.unix_us if clock else None,
        is_clock_corrected=clock.is_corrected if clock else False,
        people=_read_people(people_text) if people_text is not None else None,
        levels=_read_levels(levels_text) if levels_text else (),
        rotation=_build_rotation(rotation_text if rotation_text is not None else rotation),
        version=version,
    )


def _load(text: str | None) -> Any:
    """The JSON value; None when it is none. Fractions stay text, so that no digit of a clock is lost."""
    if text is None:
        return None
    try:
        return _decode(text)
    except (ValueError, RecursionError):
        return None


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    if isinstance(value, int):
        return str(value) if abs(value) < 2**64 else ""
    return value if len(value) <= _MAX_TEXT else ""


def _whole(value: Any) -> int | None:
    """A whole number out of a number or its text; None for anything else."""
    text = _text(value).partition(".")[0]
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 19 else None


# The list changes when somebody comes or goes, and is repeated in every tag until then.
@lru_cache(maxsize=8)
def _read_people(text: str) -> tuple[StagePerson, ...] | None:
    people = _load(text)
    return _build_people(people) if isinstance(people, list) else None


def _build_people(entries: list[Any]) -> tuple[StagePerson, ...]:
    # A useless entry keeps its place: levels belong to places.
    return tuple(
        StagePerson(
            periscope_id=PeriscopeUserId(_text(entry.get("UserId"))),
            handle=_text(entry.get("UserName")),
            index=_whole(entry.get("ParticipantIndex")),
            session_id=_text(entry.get("SessionId")),
            stream_name=_text(entry.get("StreamName")),
            avatar_url=_text(entry.get("ProfileUrl")),
        )
        for entry in (entry if isinstance(entry, dict) else {} for entry in entries[:MAX_PEOPLE])
    )


def _read_levels(text: str) -> tuple[int, ...]:
    return _read_short_levels(text) if len(text) <= _SHORT else _build_levels(_load(text))


# The levels of a few people are often those of a minute ago: most are silent, and one is about as loud as ever.
@lru_cache(maxsize=1024)
def _read_short_levels(text: str) -> tuple[int, ...]:
    return _build_levels(_load(text))


def _build_levels(entries: Any) -> tuple[int, ...]:
    if not isinstance(entries, list):
        return ()
    return tuple(
        entry if type(entry) is int and 0 <= entry <= MAX_LEVEL else min(MAX_LEVEL, max(0, _whole(entry) or 0))
        for entry in entries[: MAX_PEOPLE + 1]
    )


def _build_rotation(text: str) -> float | None:
    if not text:
        return None
    try:
        degrees = float(text)
    except ValueError:
        return None
    return degrees if abs(degrees) <= 360 else None
