"""Reads a take that another process is writing, from its journal alone: never locks, never writes.

What the journal says is held is on the disk, so a reader that believes complete lines only is never ahead of the bytes.
"""

from __future__ import annotations

import contextlib
from array import array
from collections.abc import Iterator
from pathlib import Path

from hydrophone.archive.durable import disk_errors
from hydrophone.archive.journal import JOURNAL_NAME, Damage, read_journal
from hydrophone.archive.lock import OWNER_NAME
from hydrophone.archive.manifest import MANIFEST_NAME
from hydrophone.archive.segments import MediaFiles, StoredSegment, read_segment
from hydrophone.archive.state import WORK_FOLDER, TakeState, line_at
from hydrophone.errors import ArchiveError, DiskError

Key = tuple[int, int]  #: epoch and sequence


class TakeFollower:
    """The segments of a growing take. Use it with ``with``, from one thread."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._state = TakeState()
        self._end = 0
        self._files = MediaFiles()

    def poll(self) -> None:
        """Read what the journal says that is new.

        Raises:
            NewerSchemaError: a newer Hydrophone writes it.
            DiskError: it cannot be read.
        """
        path = self.directory / JOURNAL_NAME
        with disk_errors(path), path.open("rb") as file:
            if path.stat().st_size < self._end:
                # A recorder that was killed has come back and cut off the torn end: begin anew.
                self._state, self._end = TakeState(), 0
            for line in read_journal(file, start=self._end):
                if isinstance(line, Damage):
                    if line.is_torn:
                        return  # the rest is being written
                    self._end = line.offset + line.size_bytes
                    continue
                self._end = line.offset + line.size_bytes
                # A line of another shape was written by no recorder of ours; it holds nothing to follow.
                with contextlib.suppress(KeyError, TypeError, ValueError, OverflowError, ArchiveError):
                    self._state.apply(line)

    @property
    def is_over(self) -> bool:
        """True when the recorder has made the item's files, or has let go of the take: nothing more will come."""
        made = (self.directory / MANIFEST_NAME).is_file() and bool(self._state.layouts)
        return made or not (self.directory / WORK_FOLDER / OWNER_NAME).exists()

    def keys(self, after: Key | None = None) -> Iterator[Key]:
        """What is held beyond `after`, in playing order."""
        index = self._state.index
        for epoch in index.epochs():
            for sequence in index.held(epoch):
                if after is None or (epoch, sequence) > after:
                    yield epoch, sequence

    def read(self, key: Key) -> tuple[StoredSegment, bytes]:
        """A held segment and its bytes.

        Raises:
            ArchiveError: it is not held, or its bytes are not there.
        """
        try:
            return self._read(key)
        except DiskError:
            # The item has been finished meanwhile, and its media logs are gone: all is in the original.
            self.poll()
            if not self._state.layouts:
                raise
            self._state.read_from_original(self._state.layouts[-1])
            return self._read(key)

    def _read(self, key: Key) -> tuple[StoredSegment, bytes]:
        index = self._state.index
        row = index.find(*key)
        facts = None if row is None else line_at(self._files, self.directory / JOURNAL_NAME, index.lines[row])
        if row is None or facts is None:
            raise ArchiveError(f"{self.directory}: segment {key[1]} of epoch {key[0]} is not held")
        path = self._state.path_of(self.directory, row)
        offset = index.offsets[row]
        segment = read_segment(facts, path=path, offset=offset, position=offset, files=self._files)
        return segment, segment.read()

    def close(self) -> None:
        """Close what is open."""
        self._files.close()

    def __enter__(self) -> TakeFollower:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def frames_of(segment: StoredSegment, body: bytes) -> bytes:
    """The ADTS frames alone, without the tags and the junk between them; all of it where it is no ADTS."""
    if segment.frame_sizes is None:
        return body
    pieces, sizes, at = [], array("H", segment.frame_sizes), 0
    for begin, count in segment.runs:
        length = sum(sizes[at : at + count])
        pieces.append(body[begin : begin + length])
        at += count
    return b"".join(pieces)
