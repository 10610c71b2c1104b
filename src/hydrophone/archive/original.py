"""The finished original: every byte that was served, in order, and nothing else."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hydrophone.archive.durable import DISK, Disk, DurableWriter
from hydrophone.archive.segments import MediaFiles
from hydrophone.archive.take import Take
from hydrophone.errors import ArchiveError

_PIECE_BYTES = 1 << 18  # larger ones are no faster, and their holes stay with the allocator


@dataclass(frozen=True, slots=True)
class OriginalDigest:
    """The finished original in numbers. The same take always gives the same."""

    path: Path
    size_bytes: int
    sha256: str
    segments: int


def write_original(take: Take, path: Path, *, disk: Disk = DISK) -> OriginalDigest:
    """Write all held segments in order of (epoch, sequence) to `path`, durably. Call `take.sync` before. Blocks.

    The journal says so before the file has its name, so `take` can read from it from then on (`release_media`).
    It may replace an earlier original that some of the segments are read from.

    Raises:
        ArchiveError: bytes that the journal says are held are not there; `path` stays as it was.
        DiskError: it could not be written; `path` stays as it was.
    """
    rows = take.held_rows()
    size = 0
    hasher = hashlib.sha256()
    with DurableWriter(path, disk=disk) as writer:
        for piece in _pieces(take, rows):
            hasher.update(piece)
            writer.write(piece)
            size += len(piece)
        digest = hasher.hexdigest()
        writer.sync()
        take.announce_original(path.name, size, digest, rows)
        writer.commit()
    return OriginalDigest(path, size, digest, len(rows))


def _pieces(take: Take, rows: array[int]) -> Iterator[bytes]:
    with MediaFiles() as files:
        for path, offset, size in _ranges(take, rows):
            done = 0
            while done < size:
                wanted = min(_PIECE_BYTES, size - done)
                piece = files.read(path, offset + done, wanted)
                if len(piece) != wanted:
                    raise ArchiveError(f"{path}: ends at {offset + done + len(piece)}, before the last held segment")
                yield piece
                done += wanted


def _ranges(take: Take, rows: array[int]) -> Iterator[tuple[Path, int, int]]:
    """The bytes of rows, neighbours joined: path, offset, size. A replay is a handful of long ranges."""
    current: tuple[Path, int, int] | None = None
    for path, offset, size in take.places(rows):
        if current is not None and current[0] == path and current[1] + current[2] == offset:
            current = (path, current[1], current[2] + size)
            continue
        if current is not None:
            yield current
        current = (path, offset, size)
    if current is not None:
        yield current
