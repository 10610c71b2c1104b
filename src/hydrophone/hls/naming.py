"""What the names of segments and playlists tell: which number, written when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

#: Numbers above are taken for nonsense: no stream has them, and they would not survive a JSON reader with doubles.
MAX_SEQUENCE = 2**53 - 1

SEGMENT_NAME = re.compile(r"chunk_([0-9]{1,20})_([0-9]{1,15})_[a-z0-9]{1,4}\.([a-z0-9]{1,5})")
_PLAYLIST_NAME = re.compile(r"(?:playlist|master_dynamic)_([0-9]{19,20})\.m3u8")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Before the service existed, and after 19 digits end: such a number is no instant.
_EARLIEST_NS = 1_230_768_000 * 10**9
_LATEST_NS = 4_102_444_800 * 10**9


@dataclass(frozen=True, slots=True)
class SegmentName:
    """The parts of ``chunk_<ns>_<sequence>_a.aac``.

    `written_ns` is the Unix time in nanoseconds of some writing step, seconds away from the time of the media.
    `extension` is without the dot.
    """

    written_ns: int
    sequence: int
    extension: str


def parse_segment_name(name: str) -> SegmentName | None:
    """The parts of a segment's name; None for a name of another form (then MEDIA-SEQUENCE and place give the number).

    A path before and a query behind the name do no harm.
    """
    base = name.partition("#")[0].partition("?")[0].rpartition("/")[2]
    match = SEGMENT_NAME.fullmatch(base)
    return SegmentName(int(match[1]), int(match[2]), match[3]) if match else None


def snapshot_written_ns(name: str) -> int | None:
    """When the playlist of this name or URL was written, in Unix nanoseconds; None where the name does not say.

    Twenty digits count down from 2^64, so a smaller number is a newer playlist; nineteen (before 2017) count up.
    """
    match = _PLAYLIST_NAME.fullmatch(name.partition("#")[0].partition("?")[0].rpartition("/")[2])
    if match is None:
        return None
    number = int(match[1])
    written_ns = 2**64 - number if len(match[1]) == 20 else number
    return written_ns if _EARLIEST_NS <= written_ns < _LATEST_NS else None


def snapshot_written_at(url: str) -> datetime | None:
    """When this snapshot or replay was written, cut to microseconds; None where its name does not say."""
    written_ns = snapshot_written_ns(url)
    return None if written_ns is None else _EPOCH + timedelta(microseconds=written_ns // 1000)


def playlist_number(written_ns: int) -> int:
    """The number that the service gives to a playlist written at this instant."""
    return 2**64 - written_ns
