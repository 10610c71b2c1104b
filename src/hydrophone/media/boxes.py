"""The nested boxes that an MP4 file is made of: built from bytes, sizes counted for you.

Only what the audio writer needs. All numbers in these boxes are big-endian; a box is its size, four letters, its body.

Source: ISO/IEC 14496-12, sections 4.2 and 8.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime

UINT32_MAX = 0xFFFFFFFF
MP4_EPOCH = datetime(1904, 1, 1, tzinfo=UTC)

#: The 3 x 3 matrix that changes nothing, in 16.16 and 2.30 fixed point.
IDENTITY = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def box(kind: bytes, *parts: bytes) -> bytes:
    """One box around its parts. The body must stay under 4 GiB, which every header box does."""
    size = 8 + sum(map(len, parts))
    return b"".join((size.to_bytes(4, "big"), kind, *parts))


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box whose body opens with a version and flags."""
    return box(kind, ((version << 24) | flags).to_bytes(4, "big"), *parts)


def box_begin(kind: bytes, body: bytes, still_to_come: int) -> bytes:
    """The beginning of a box of which so many bytes follow later."""
    return struct.pack(">I4s", 8 + len(body) + still_to_come, kind) + body


def header_before(kind: bytes, body_size: int) -> bytes:
    """The 8 bytes (16 where the size needs it) that stand before a body which is written elsewhere."""
    if body_size + 8 <= UINT32_MAX:
        return struct.pack(">I4s", body_size + 8, kind)
    return struct.pack(">I4sQ", 1, kind, body_size + 16)


def mp4_seconds(moment: datetime | None) -> int:
    """Seconds since the beginning of 1904, as MP4 counts them; 0 (unknown) for None and for what does not fit."""
    if moment is None:
        return 0
    seconds = int((moment - MP4_EPOCH).total_seconds())
    return seconds if 0 <= seconds <= UINT32_MAX else 0


def timed(created: int, middle: bytes, duration: int) -> tuple[int, bytes]:
    """Version and body of creation time, modification time, `middle`, duration; 64 bits wide where 32 do not do."""
    if duration <= UINT32_MAX and created <= UINT32_MAX:
        return 0, struct.pack(">II", created, created) + middle + struct.pack(">I", duration)
    return 1, struct.pack(">QQ", created, created) + middle + struct.pack(">Q", duration)


def movie_header(*, created: int, timescale: int, duration: int, next_track: int) -> bytes:
    version, times = timed(created, struct.pack(">I", timescale), duration)
    rest = struct.pack(">iH10x", 0x10000, 0x0100) + IDENTITY + bytes(24) + struct.pack(">I", next_track)
    return full_box(b"mvhd", version, 0, times, rest)


def track_header(*, created: int, track: int, duration: int, is_enabled: bool, is_audio: bool) -> bytes:
    version, times = timed(created, struct.pack(">I4x", track), duration)
    rest = struct.pack(">8xhhH2x", 0, 1 if is_audio else 0, 0x0100 if is_audio else 0) + IDENTITY + bytes(8)
    # Flags: 1 enabled, 2 in the movie. A chapter track that were enabled would be drawn as subtitles by some players.
    return full_box(b"tkhd", version, 3 if is_enabled else 2, times, rest)


def media_header(*, created: int, timescale: int, duration: int) -> bytes:
    version, times = timed(created, struct.pack(">I", timescale), duration)
    return full_box(b"mdhd", version, 0, times, struct.pack(">HH", 0x55C4, 0))  # 0x55C4 spells "und"


def handler(kind: bytes, name: bytes) -> bytes:
    return full_box(b"hdlr", 0, 0, struct.pack(">4x4s12x", kind), name + b"\0")


def data_information() -> bytes:
    """Says that the media lies in this very file."""
    return box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))


def time_to_sample(runs: Sequence[tuple[int, int]]) -> bytes:
    """`runs` are (how many samples, the duration of each)."""
    return full_box(b"stts", 0, 0, struct.pack(">I", len(runs)), *(struct.pack(">II", *run) for run in runs))


def sample_to_chunk(samples: int, per_chunk: int) -> bytes:
    """All chunks hold `per_chunk` samples, except for the last, which holds what is left."""
    whole, rest = divmod(samples, per_chunk)
    rows = [(1, per_chunk, 1)] if whole else []
    if rest:
        rows.append((whole + 1, rest, 1))
    return full_box(b"stsc", 0, 0, struct.pack(">I", len(rows)), *(struct.pack(">III", *row) for row in rows))


def sample_sizes(sizes: Sequence[int]) -> bytes:
    return full_box(b"stsz", 0, 0, struct.pack(f">II{len(sizes)}I", 0, len(sizes), *sizes))


def chunk_offsets(offsets: Sequence[int], *, is_wide: bool) -> bytes:
    """Where the chunks begin in the file; 64 bits each where `is_wide`."""
    kind, letter = (b"co64", "Q") if is_wide else (b"stco", "I")
    return full_box(kind, 0, 0, struct.pack(f">I{len(offsets)}{letter}", len(offsets), *offsets))


def descriptor(tag: int, body: bytes) -> bytes:
    """An MPEG-4 descriptor with the four-byte form of its length, which every reader knows."""
    size = len(body)
    length = bytes((0x80 | (size >> 21), 0x80 | (size >> 14 & 0x7F), 0x80 | (size >> 7 & 0x7F), size & 0x7F))
    return bytes((tag,)) + length + body
