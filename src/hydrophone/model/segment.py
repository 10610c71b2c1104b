"""One segment of a stream, as a playlist lists it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentKey:
    """How a segment is encrypted: AES-128 in CBC mode. `iv` is None where the media sequence number serves."""

    url: str = field(repr=False)
    iv: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment that can be fetched.

    `sequence` identifies it within an epoch of a take: the number in its own name, else media sequence plus index.
    `written_ns` is the Unix time in nanoseconds in its name (not media time), None where the name has none; it tells
    two epochs apart that use the same numbers. `duration_seconds` is EXTINF, None where it was absent or absurd.
    """

    sequence: int
    url: str = field(repr=False)
    name: str
    duration_seconds: float | None = None
    written_ns: int | None = None
    program_date_time: datetime | None = None
    media_sequence: int | None = None
    key: SegmentKey | None = None
    byte_range: tuple[int, int] | None = None  #: offset, length
    is_discontinuity: bool = False
    is_gap: bool = False
