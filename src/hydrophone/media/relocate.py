"""A finished MP4 file put in the order for streaming: index first, with our own tags and cover, then the media.

Media libraries write the index last, since they learn the sizes on the way. Here the file is copied once with the index
moved to the front, its offsets corrected, and its user data replaced by ours; the media stays as it is.

Source: ISO/IEC 14496-12, sections 4.2 (boxes), 8.7.5 (chunk offsets), 8.1.1 (media data).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from hydrophone.errors import MediaError
from hydrophone.media.boxes import UINT32_MAX, box, chunk_offsets

COPY_BYTES = 1 << 20
MAX_INDEX_BYTES = 1 << 30
NESTED = (b"trak", b"mdia", b"minf", b"stbl")


class BinaryWriter(Protocol):
    """Anything that takes bytes in order."""

    def write(self, data: bytes, /) -> object: ...


def relocate(
    out: BinaryWriter, file: BinaryIO, user_data: bytes, *, edit_track: Callable[[bytes], bytes] | None = None
) -> int:
    """Copy the MP4 `file` to `out` with its index first and `user_data` as its ``udta`` box; returns the size.

    `edit_track` changes what is in each ``trak`` box, on the way and without changing its length.

    Raises:
        MediaError: the file has no index or no media, or its boxes do not fit.
    """
    parts = list(_top_level(file))
    kinds = [kind for kind, _, _ in parts]
    if b"moov" not in kinds or b"mdat" not in kinds or b"ftyp" not in kinds:
        raise MediaError("the media library wrote no complete file")
    type_at, type_size = next((at, size) for kind, at, size in parts if kind == b"ftyp")
    index_at, index_size = next((at, size) for kind, at, size in parts if kind == b"moov")
    media = [(at, size) for kind, at, size in parts if kind == b"mdat"]
    file_type, index = _load(file, type_at, type_size), _load(file, index_at, index_size)
    if edit_track is not None:
        index = _edited(index, edit_track)
    moves = _moves(media, len(file_type), 0)
    wide = max(at + size for at, size in media) + 2 * len(index) + len(user_data) > UINT32_MAX
    size = len(_rewrite(index, moves, user_data, is_wide=wide))
    index = _rewrite(index, _moves(media, len(file_type), size), user_data, is_wide=wide)
    out.write(file_type + index)
    for at, length in media:
        _copy(out, file, at, length)
    return len(file_type) + len(index) + sum(length for _, length in media)


Moves = list[tuple[int, int, int]]  #: (begin, end, by how much what lies between is moved)


def _moves(media: list[tuple[int, int]], type_size: int, index_size: int) -> Moves:
    moves: Moves = []
    position = type_size + index_size
    for at, size in media:
        moves.append((at, at + size, position - at))
        position += size
    return moves


def _top_level(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Kind, position and size of each outermost box."""
    end = file.seek(0, 2)
    at = 0
    while at + 8 <= end:
        file.seek(at)
        size, kind, wide = struct.unpack(">I4sQ", file.read(16).ljust(16, b"\0"))
        size = wide if size == 1 else (size or end - at)
        if size < 8 or at + size > end:
            raise MediaError(f"the box {kind!r} at byte {at} does not fit into the file")
        yield kind, at, size
        at += size


def _load(file: BinaryIO, at: int, size: int) -> bytes:
    if size > MAX_INDEX_BYTES:
        raise MediaError("the index of the file is too large")
    file.seek(at)
    return file.read(size)


def _copy(out: BinaryWriter, file: BinaryIO, at: int, length: int) -> None:
    file.seek(at)
    while length > 0:
        data = file.read(min(COPY_BYTES, length))
        if not data:
            raise MediaError("the file ended within its media")
        out.write(data)
        length -= len(data)


def children(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of each box in `data`."""
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8 or at + size > len(data):
            raise MediaError(f"the box {kind!r} does not fit into the one around it")
        yield kind, data[at + 8 : at + size]
        at += size


def _edited(index: bytes, edit_track: Callable[[bytes], bytes]) -> bytes:
    parts = [box(kind, edit_track(body) if kind == b"trak" else body) for kind, body in children(index[8:])]
    return box(b"moov", *parts)


def _rewrite(index: bytes, moves: Moves, user_data: bytes, *, is_wide: bool) -> bytes:
    kept = [
        _nested(kind, body, moves, is_wide=is_wide)
        for kind, body in children(index[8:])
        if kind not in (b"udta", b"meta")
    ]
    return box(b"moov", *kept, user_data)


def _nested(kind: bytes, body: bytes, moves: Moves, *, is_wide: bool) -> bytes:
    if kind in NESTED:
        return box(kind, *(_nested(inner, part, moves, is_wide=is_wide) for inner, part in children(body)))
    if kind not in (b"stco", b"co64"):
        return box(kind, body)
    count = int.from_bytes(body[4:8], "big")
    offsets = struct.unpack_from(f">{count}{'Q' if kind == b'co64' else 'I'}", body, 8)
    return chunk_offsets([_moved(offset, moves) for offset in offsets], is_wide=is_wide)


def _moved(offset: int, moves: Moves) -> int:
    for begin, end, by in moves:
        if begin <= offset < end:
            return offset + by
    raise MediaError(f"a chunk at byte {offset} lies outside of the media")
