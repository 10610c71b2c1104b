"""Write a batch of segments and facts to a take's two files, in the order that makes an acknowledgement true.

Bytes first, synced; then their lines, synced. A batch that fails is not acknowledged at all and may be written again:
it comes to stand at the same places. After a failed sync nothing beyond the last acknowledged byte of that file can be
trusted, and asking again proves nothing (the system reports such an error once, then forgets the pages). So the batch
goes to a new file: the next media log, or a copy of the journal that takes its name.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hydrophone.archive.durable import Disk, DurableWriter, disk_error, disk_errors
from hydrophone.archive.journal import JOURNAL_NAME, finish_line
from hydrophone.archive.segments import place_text
from hydrophone.archive.state import TakeState, media_path


@dataclass(slots=True)
class Waiting:
    """A line that is not on the disk yet, and its segment's bytes; `body` is None for a note."""

    facts: bytes
    body: bytes | None = None
    row: int = -1

    @property
    def size_bytes(self) -> int:
        return len(self.facts) if self.body is None else len(self.body)


class _UntrustedError(OSError):
    """A sync failed, or the medium reports an error: the file must not be written to again."""


class BatchWriter:
    """The writing end of a take. One thread at a time; `state` is moved on only when a batch is on the disk."""

    def __init__(self, directory: Path, state: TakeState, disk: Disk) -> None:
        self._directory = directory
        self._state = state
        self._disk = disk
        self._is_journal_untrusted = False
        # Thousands of takes are written to every second; making a path takes as long as opening the file.
        self._journal = directory / JOURNAL_NAME
        self._media = (state.media_number, media_path(directory, state.media_number))

    def _media_log(self) -> Path:
        number, path = self._media
        if number != self._state.media_number:
            number = self._state.media_number
            path = media_path(self._directory, number)
            self._media = (number, path)
        return path

    def write(self, batch: Sequence[Waiting]) -> None:
        """Return when the whole batch is on the disk.

        Raises:
            DiskError: nothing of it counts; the same batch, with more behind it, may be tried again.
        """
        bodies = _bodies(batch)
        if bodies:
            self._write_media(bodies)
        lines = self._lines(batch)
        self._write_lines(lines)
        self._acknowledge(batch, lines)

    # ------------------------------------------------------------ the same in steps, for a group

    def put_bytes(self, batch: Sequence[Waiting], device: int) -> bool:
        """Write the bytes of a batch without a sync. False if the batch must be written alone."""
        bodies = _bodies(batch)
        if self._is_journal_untrusted:
            return False
        return not bodies or self._put_at(self._media_log(), self._state.media_end, bodies, device)

    def put_lines(self, batch: Sequence[Waiting], device: int) -> list[bytes] | None:
        """Write the lines of a batch whose bytes are synced, without a sync; None if that did not work."""
        lines = self._lines(batch)
        return lines if self._put_at(self._journal, self._state.journal_end, lines, device) else None

    def accept(self, batch: Sequence[Waiting], lines: Sequence[bytes]) -> None:
        """Bytes and lines are on the disk."""
        self._acknowledge(batch, lines)

    def distrust(self) -> None:
        """A sync has failed that may have concerned our files: go on with new ones."""
        self._leave_media_log()
        self._is_journal_untrusted = True

    def _put_at(self, path: Path, offset: int, pieces: Sequence[bytes], device: int) -> bool:
        try:
            fd, found_device = self._open_at(path, offset)
            try:
                if found_device != device:
                    return False
                self._disk.write_all(fd, pieces)
            finally:
                self._disk.close(fd)
        except OSError:
            return False  # Writing it alone finds out what is wrong, and says it.
        return True

    # ------------------------------------------------------------ inside

    def _lines(self, batch: Sequence[Waiting]) -> list[bytes]:
        state = self._state
        offset = state.media_end
        lines: list[bytes] = []
        for number, waiting in enumerate(batch, state.next_number):
            place = ""
            if waiting.body is not None:
                place = place_text(state.media_number, offset, waiting.body)
                offset += len(waiting.body)
            lines.append(finish_line(waiting.facts, number, place))
        return lines

    def _acknowledge(self, batch: Sequence[Waiting], lines: Sequence[bytes]) -> None:
        state, index = self._state, self._state.index
        for waiting, line in zip(batch, lines, strict=True):
            if waiting.body is not None:
                index.files[waiting.row] = state.media_number
                index.offsets[waiting.row] = state.media_end
                index.lines[waiting.row] = state.journal_end
                state.media_end += len(waiting.body)
            state.journal_end += len(line)
        state.next_number += len(batch)

    def _write_media(self, bodies: Sequence[bytes]) -> None:
        state = self._state
        path = self._media_log()
        try:
            self._write_at(path, state.media_end, bodies)
        except _UntrustedError:
            self._leave_media_log()
            path = self._media_log()
            with disk_errors(path):
                self._write_at(path, 0, bodies)
        except OSError as error:
            raise disk_error(error, path) from error

    def _leave_media_log(self) -> None:
        # A log in which nothing is acknowledged is simply made anew, so that a dying disk is not littered with logs.
        if self._state.media_end:
            self._state.media_number += 1
            self._state.media_end = 0

    def _write_lines(self, lines: Sequence[bytes]) -> None:
        path = self._journal
        try:
            if not self._is_journal_untrusted:
                self._write_at(path, self._state.journal_end, lines)
                return
        except _UntrustedError:
            self._is_journal_untrusted = True
        except OSError as error:
            raise disk_error(error, path) from error
        copy_journal(path, self._state.journal_end, lines, disk=self._disk)
        self._is_journal_untrusted = False

    def _write_at(self, path: Path, offset: int, pieces: Sequence[bytes]) -> None:
        # Opened each time: thousands of takes need no thousands of descriptors, and a folder that vanished is noticed,
        # while writes to a deleted file that is still open would succeed into nothing.
        fd, _ = self._open_at(path, offset)
        try:
            self._disk.write_all(fd, pieces)
            try:
                self._disk.sync(fd)
            except OSError as error:
                raise _UntrustedError(error.errno, error.strerror) from error
        except OSError as error:
            if error.errno == errno.EIO:
                raise _UntrustedError(error.errno, error.strerror) from error
            raise
        finally:
            self._disk.close(fd)
        if offset == 0:
            self._disk.sync_directory(path.parent)

    def _open_at(self, path: Path, offset: int) -> tuple[int, int]:
        """A descriptor that stands at `offset`, the end of what counts, and the device that the file is on."""
        disk = self._disk
        if offset == 0:
            disk.unlink(path)
            fd = disk.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        else:
            fd = disk.open(path, os.O_WRONLY)
        try:
            found = os.fstat(fd)
            if found.st_size < offset:
                raise OSError(errno.ESTALE, f"the file has shrunk to {found.st_size} bytes")
            if found.st_size > offset:
                disk.truncate(fd, offset)  # what a failed attempt left
            if offset:
                os.lseek(fd, offset, os.SEEK_SET)
        except BaseException:
            disk.close(fd)
            raise
        return fd, found.st_dev


def _bodies(batch: Sequence[Waiting]) -> list[bytes]:
    return [waiting.body for waiting in batch if waiting.body is not None]


def copy_journal(path: Path, size: int, lines: Sequence[bytes] = (), *, disk: Disk) -> None:
    """Put a new file in the place of a journal: its first `size` bytes, then `lines`."""
    with disk_errors(path), path.open("rb") as old, DurableWriter(path, disk=disk) as new:
        left = size
        while left and (piece := old.read(min(left, 1 << 20))):
            new.write(piece)
            left -= len(piece)
        for line in lines:
            new.write(line)
