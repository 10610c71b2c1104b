"""`captions.jsonl`: every message of the chat as it came, one on a line, in order of arrival.

A line is written at once and synced about once a second. What a crash leaves of a last line is cut off at the next
start; the history of the chat brings the message again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from hydrophone.archive.durable import DISK, Disk, disk_errors

_PIECE_BYTES = 1 << 20


class ChatLog:
    """Append lines. The file comes into being with the first one, so a recording without a chat has none."""

    def __init__(self, path: Path, *, disk: Disk = DISK) -> None:
        self.path = path
        self._disk = disk
        self._fd: int | None = None
        self._size = 0
        self._is_new = False  # its name waits to be synced
        self.is_dirty = False  #: lines wait to be synced

    def lines(self) -> Iterator[bytes]:
        """What earlier runs wrote, whole lines only. Blocks."""
        if not self.path.is_file():
            return
        with disk_errors(self.path), self.path.open("rb") as file:
            yield from (line for line in file if line.endswith(b"\n"))

    def append(self, line: bytes) -> None:
        """Write a line.

        Raises:
            DiskError: it could not be written; nothing of it counts.
        """
        with disk_errors(self.path):
            fd = self._open()
            try:
                self._disk.write_all(fd, [line])
            except OSError:
                # A torn line must not run into the next one.
                self.close()
                raise
            self._size += len(line)
            self.is_dirty = True

    def sync(self) -> None:
        """Return when all lines are on the medium. Blocks.

        Raises:
            DiskError: they are not, or nobody knows.
        """
        fd = self._fd
        if fd is None or not self.is_dirty:
            return
        self.is_dirty = False
        with disk_errors(self.path):
            self._disk.sync(fd)
            if self._is_new:
                self._disk.sync_directory(self.path.parent)
                self._is_new = False

    def close(self) -> None:
        """Close the file; a later line opens it again."""
        fd, self._fd = self._fd, None
        if fd is not None:
            self._disk.close(fd)

    def _open(self) -> int:
        if self._fd is None:
            self._is_new = self._is_new or not self.path.exists()
            fd = self._disk.open(self.path, os.O_RDWR | os.O_CREAT)
            try:
                self._size = _whole_size(fd)
                self._disk.truncate(fd, self._size)
                os.lseek(fd, self._size, os.SEEK_SET)
            except OSError:
                self._disk.close(fd)
                raise
            self._fd = fd
        return self._fd


def _whole_size(fd: int) -> int:
    """Where the last whole line ends."""
    end = os.lseek(fd, 0, os.SEEK_END)
    while end > 0:
        begin = max(0, end - _PIECE_BYTES)
        os.lseek(fd, begin, os.SEEK_SET)
        found = os.read(fd, end - begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0
