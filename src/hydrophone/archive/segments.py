"""A stored segment: its line in the journal, and the way back from that line to its bytes and frame sizes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import os
import sys
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from hydrophone.archive.durable import disk_errors
from hydrophone.archive.journal import instant_text, quoted
from hydrophone.errors import ArchiveError

SEGMENT = "segment"
COMPLETE = "complete"
SEALED = "sealed"  #: the verdict on what is encrypted and had no key, and the note that says how it is closed


class MediaFiles:
    """Open files to read from, by path, opened on first use. Close it, or leave its `with` block."""

    def __init__(self) -> None:
        self._open: dict[Path, int] = {}

    def read(self, path: Path, offset: int, size: int) -> bytes:
        """`size` bytes at `offset`; fewer where the file ends before."""
        with disk_errors(path):
            fd = self._open.get(path)
            if fd is None:
                fd = self._open[path] = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
            pieces: list[bytes] = []
            while size > 0:
                piece = _read_at(fd, min(size, 1 << 20), offset)
                if not piece:
                    break
                pieces.append(piece)
                offset += len(piece)
                size -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        """Close what is open. Reading again opens again."""
        while self._open:
            os.close(self._open.popitem()[1])

    def __enter__(self) -> MediaFiles:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        # Segments outlive the walk that gave them, and reading one opens its file again.
        self.close()


def _read_at(fd: int, size: int, offset: int) -> bytes:
    if sys.platform == "win32":
        os.lseek(fd, offset, os.SEEK_SET)
        return os.read(fd, size)
    return os.pread(fd, size, offset)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSegment:
    """A segment on the disk, with all that the journal knows about it.

    `position` is where its first byte stands in the finished original; `path` and `offset` are where it stands now.
    `frame_sizes` are whole ADTS frames with their headers, None for what is not ADTS; `runs` says where they stand:
    (offset in the segment, count of frames).
    """

    epoch: int
    sequence: int
    position: int
    path: Path
    offset: int
    size_bytes: int
    sha256: str
    frames: int
    frame_sizes: array[int] | None = field(repr=False)
    runs: tuple[tuple[int, int], ...] = field(repr=False)
    verdict: str
    name: str
    duration_seconds: float | None
    written_ns: int | None
    ticks: int | None
    rate: int | None
    channels: int | None
    source: str
    stored_at: datetime | None
    files: MediaFiles = field(repr=False, compare=False)

    def read(self) -> bytes:
        """The bytes as they were served.

        Raises:
            ArchiveError: the file ends before.
        """
        body = self.files.read(self.path, self.offset, self.size_bytes)
        if len(body) != self.size_bytes:
            raise ArchiveError(f"{self.path}: ends within segment {self.sequence} of epoch {self.epoch}")
        return body

    def is_intact(self) -> bool:
        """True when the bytes on the disk are those that were acknowledged."""
        body = self.files.read(self.path, self.offset, self.size_bytes)
        return hashlib.sha256(body).hexdigest() == self.sha256


def build_segment_facts(
    at: datetime,
    *,
    epoch: int,
    sequence: int,
    frames: array[int] | None,
    runs: Sequence[tuple[int, int]],
    verdict: str,
    name: str,
    duration_seconds: float | None,
    written_ns: int | None,
    ticks: int | None,
    rate: int | None,
    channels: int | None,
    source: str,
) -> bytes:
    """The beginning of a segment's line; file, offset, length and digest are added when its bytes are written.

    Raises:
        ArchiveError: a value that JSON does not know.
    """
    # Spelt out: the general way takes three times as long, and there are hundreds of these in a second.
    sizes = "null" if frames is None else f'"{pack_sizes(frames)}"'
    places = ",".join(f"[{offset},{count}]" for offset, count in runs)
    return (
        f'{{"t":"{instant_text(at)}","kind":"{SEGMENT}","epoch":{epoch:d},"seq":{sequence:d},"name":{quoted(name)},'
        f'"verdict":{quoted(verdict)},"source":{quoted(source)},"extinf":{_number(duration_seconds)},'
        f'"ns":{_number(written_ns)},"ticks":{_number(ticks)},"rate":{_number(rate)},"ch":{_number(channels)},'
        f'"frames":{0 if frames is None else len(frames)},"sizes":{sizes},"runs":[{places}]'
    ).encode("ascii")


def _number(value: float | None) -> str:
    if value is None:
        return "null"
    if not math.isfinite(value):
        raise ArchiveError(f"a journal line cannot hold this: {value!r}")
    return repr(value)


def place_text(file: int, offset: int, body: bytes) -> str:
    """The rest of a segment's line: which file, where, how long, and the digest of the bytes as served."""
    return f',"file":{file},"at":{offset},"len":{len(body)},"sha256":"{hashlib.sha256(body).hexdigest()}"'


def pack_sizes(sizes: array[int]) -> str:
    """Frame sizes as base64 of little-endian 16-bit numbers. (zlib would save a fifth and cost 30 times as much.)"""
    if sys.byteorder == "big":
        sizes = array("H", sizes)
        sizes.byteswap()
    return base64.b64encode(sizes).decode("ascii")


def unpack_sizes(text: object) -> array[int] | None:
    """The frame sizes of a line, None where it has none or they cannot be read."""
    if not isinstance(text, str):
        return None
    sizes = array("H")
    try:
        sizes.frombytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return None
    if sys.byteorder == "big":
        sizes.byteswap()
    return sizes


def read_segment(
    facts: Mapping[str, Any], *, path: Path, offset: int, position: int, files: MediaFiles
) -> StoredSegment:
    """The segment that a journal line tells of. The line has passed its check, so its shape is ours."""
    return StoredSegment(
        epoch=facts["epoch"],
        sequence=facts["seq"],
        position=position,
        path=path,
        offset=offset,
        size_bytes=facts["len"],
        sha256=facts["sha256"],
        frames=facts["frames"],
        frame_sizes=unpack_sizes(facts.get("sizes")),
        runs=tuple((begin, count) for begin, count in facts.get("runs") or ()),
        verdict=facts["verdict"],
        name=facts["name"],
        duration_seconds=facts.get("extinf"),
        written_ns=facts.get("ns"),
        ticks=facts.get("ticks"),
        rate=facts.get("rate"),
        channels=facts.get("ch"),
        source=facts.get("source", ""),
        stored_at=_instant(facts.get("t")),
        files=files,
    )


def _instant(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None
