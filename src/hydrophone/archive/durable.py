"""The one way to put bytes on the disk, so that what was acknowledged survives a power cut.

Whole files are written beside their name, synced, renamed, and the folder is synced. Everything the project writes goes
through here; `Disk` holds the system calls in one place, so that a test can make any of them fail.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import itertools
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

from hydrophone.errors import DiskError

PUBLIC_MODE = 0o644
SECRET_MODE = 0o600
PART_SUFFIX = ".part"

#: Whose it is says the number after the name; `http` names its own part file in the same way.
_PART_NAME = re.compile(r"\..+\.([1-9]\d*)-[^.]+\.part")
_serial = itertools.count(1)
_BINARY = getattr(os, "O_BINARY", 0)

_ADVICE = {
    errno.ENOSPC: "The disk is full. Make room; recording goes on by itself as soon as there is some.",
    errno.EDQUOT: "Your disk quota is used up. Make room; recording goes on by itself as soon as there is some.",
    errno.EFBIG: "The file reached the largest size that is allowed here (see `ulimit -f`).",
    errno.EROFS: "The file system is mounted read-only. Often that follows a disk error: look at the system log.",
    errno.EACCES: "You may not write there. Check the owner and the mode of the folder.",
    errno.EPERM: "You may not write there. Check the owner and the mode of the folder.",
    errno.ENOENT: "The folder is gone. Was it moved, or its drive unplugged?",
    errno.ENOTDIR: "A part of the path is a file, not a folder.",
    errno.ESTALE: "The network drive went away and came back. Mount it again.",
    errno.EMFILE: "Too many files are open. Raise the limit (`ulimit -n`) or record fewer Spaces at once.",
    errno.ENFILE: "The system has too many open files.",
    errno.EIO: "The disk reports a hardware error. Copy the archive elsewhere and check the disk.",
    errno.ENAMETOOLONG: "The path is too long for this file system. Choose an archive folder with a shorter path.",
}


def disk_error(error: OSError, path: Path | str) -> DiskError:
    """The typed error for what the system said about `path`."""
    number = error.errno or 0
    text = os.strerror(number) if number else str(error)
    return DiskError(f"{path}: {text}", errno=number, advice=_ADVICE.get(number, ""))


@contextlib.contextmanager
def disk_errors(path: Path | str) -> Iterator[None]:
    """Inside, every OSError becomes a DiskError about `path`."""
    try:
        yield
    except OSError as error:
        raise disk_error(error, path) from error


class Disk:
    """The system calls that change the disk. Raises plain OSError."""

    def open(self, path: Path, flags: int, mode: int = PUBLIC_MODE) -> int:
        return os.open(path, flags | _BINARY, mode)

    def close(self, fd: int) -> None:
        os.close(fd)

    def write(self, fd: int, pieces: Sequence[bytes | memoryview]) -> int:
        """One system call; like the system's own it may write less than it was given."""
        if sys.platform == "win32":
            return os.write(fd, pieces[0])
        return os.writev(fd, pieces)

    def sync(self, fd: int) -> None:
        """Return when the bytes are on the medium, not only in its queue."""
        if sys.platform == "darwin":
            import fcntl

            # fsync on macOS leaves the drive's cache unflushed; a few file systems refuse the stronger call.
            with contextlib.suppress(OSError):
                fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
                return
        if sys.platform == "linux":
            os.fdatasync(fd)
        else:
            os.fsync(fd)

    def truncate(self, fd: int, size: int) -> None:
        os.ftruncate(fd, size)

    def replace(self, source: Path, target: Path) -> None:
        source.replace(target)

    def unlink(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def make_directory(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)

    def sync_directory(self, path: Path) -> None:
        """Make names durable. Windows has no such call, and its file systems journal names themselves."""
        if sys.platform == "win32":
            return
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fsync(fd)
        except OSError as error:
            # Some network file systems cannot sync a folder; they commit names on their own.
            if error.errno != errno.EINVAL:
                raise
        finally:
            os.close(fd)

    @property
    def can_sync_file_system(self) -> bool:
        """True where one call syncs a whole file system and says so when that failed (Linux since 5.8)."""
        return _syncfs() is not None

    @contextlib.contextmanager
    def file_system(self, directory: Path) -> Iterator[int]:
        """The file system that a folder is on, open for `sync_file_system`."""
        fd = os.open(directory, os.O_RDONLY)
        try:
            yield fd
        finally:
            os.close(fd)

    def sync_file_system(self, fd: int) -> None:
        """Return when everything ever written to that file system is on the medium."""
        syncfs = _syncfs()
        if syncfs is None:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        if syncfs(fd) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))

    def write_all(self, fd: int, pieces: Sequence[bytes | memoryview]) -> None:
        """Write every byte of `pieces`, however short the single writes are."""
        left = [memoryview(piece) for piece in pieces if len(piece)]
        while left:
            # 512 stays below IOV_MAX (1024) everywhere.
            written = self.write(fd, left[:512])
            if written <= 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            done = 0
            while done < len(left) and written >= len(left[done]):
                written -= len(left[done])
                done += 1
            del left[:done]
            if written:
                left[0] = left[0][written:]


DISK = Disk()


@functools.cache
def _syncfs() -> Callable[[int], int] | None:
    if sys.platform != "linux":
        return None
    try:
        version = tuple(int(number) for number in os.uname().release.split(".")[:2])
        call = ctypes.CDLL(None, use_errno=True).syncfs
    except (ValueError, OSError, AttributeError):
        return None
    call.argtypes, call.restype = [ctypes.c_int], ctypes.c_int
    # Before 5.8 it came back with success when the medium had failed.
    return call if version >= (5, 8) else None


def part_path(path: Path) -> Path:
    """A name beside `path` that nobody else uses: renaming is atomic only within one file system."""
    return path.with_name(f".{path.name}.{os.getpid()}-{next(_serial)}{PART_SUFFIX}")


def remove_leftovers(directory: Path, *, but: str | None = None, disk: Disk = DISK) -> None:
    """Remove the part files that a crash left in `directory`, but those of one name whose writer lives.

    Only its owner may call this.
    """
    with disk_errors(directory):
        for path in directory.iterdir():
            if path.name.startswith(f".{but}.") and not _is_orphan(path.name):
                continue
            if path.name.startswith(".") and path.name.endswith(PART_SUFFIX):
                disk.unlink(path)


def remove_orphans(directory: Path, *, disk: Disk = DISK) -> None:
    """Remove the part files whose writers are dead from a folder that has no owner, as far as that can be done."""
    with contextlib.suppress(OSError):
        for path in directory.iterdir():
            if _is_orphan(path.name):
                disk.unlink(path)


def _is_orphan(name: str) -> bool:
    """True for a part file whose writer is certainly dead."""
    match = _PART_NAME.fullmatch(name)
    if match is None or sys.platform == "win32":  # where asking for a process by `os.kill` would end it
        return False
    try:
        os.kill(int(match[1]), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # it is somebody else's
        return False
    return False


def write_file(path: Path, data: bytes | str, *, mode: int = PUBLIC_MODE, disk: Disk = DISK) -> None:
    """Put a whole file in place: afterwards it is on the disk, and at no time is there half of it.

    Text is written as UTF-8; lone surrogates, which remote text can have, become question marks.

    Raises:
        DiskError: nothing has changed at `path`. Safe to call again: each try writes to a new file.
    """
    raw = data.encode("utf-8", "replace") if isinstance(data, str) else data
    with DurableWriter(path, mode=mode, disk=disk) as writer:
        writer.write(raw)


def make_directory(path: Path, *, disk: Disk = DISK) -> None:
    """Make a folder with its parents, and make their names durable."""
    with disk_errors(path):
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
        disk.make_directory(path)
        for folder in missing:
            disk.sync_directory(folder.parent)


class DurableWriter:
    """Write a big file piece by piece; it appears under its name only when it is whole and on the disk.

    Leaving the `with` block without an error commits, leaving it with one discards. `file` is a readable and seekable
    binary file for libraries that want one; an OSError inside the block comes out as DiskError.
    """

    def __init__(self, path: Path, *, mode: int = PUBLIC_MODE, disk: Disk = DISK) -> None:
        self.path = path
        self._disk = disk
        self._part = part_path(path)
        self._is_open = True
        with disk_errors(path):
            # O_EXCL: never follow a link, and never write into a file whose sync may have failed before.
            fd = disk.open(self._part, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        self.file: IO[bytes] = os.fdopen(fd, "r+b", buffering=1 << 18)

    @property
    def part(self) -> Path:
        """Where the bytes are until the commit, for libraries that open files by name."""
        return self._part

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes at the current position."""
        with disk_errors(self.path):
            if len(data) < 1 << 18:
                self.file.write(data)
            else:
                self.file.flush()
                self._disk.write_all(self.file.fileno(), [data])

    def sync(self) -> None:
        """Bring the part file to the disk, without giving it its name yet."""
        with disk_errors(self.path):
            self.file.flush()
            self._disk.sync(self.file.fileno())

    def commit(self) -> None:
        """Sync, rename, sync the folder. Afterwards the file is there, whole and durable."""
        try:
            self.sync()
            with disk_errors(self.path):
                self.file.close()
                self._disk.replace(self._part, self.path)
                self._disk.sync_directory(self.path.parent)
        except BaseException:
            self.discard()
            raise
        self._is_open = False

    def discard(self) -> None:
        """Give up: the part file goes, `path` stays as it was."""
        if self._is_open:
            self._is_open = False
            with contextlib.suppress(OSError):
                self.file.close()
            with contextlib.suppress(OSError):
                self._disk.unlink(self._part)

    def __enter__(self) -> DurableWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            if self._is_open:
                self.commit()
            return
        self.discard()
        if isinstance(error, OSError):
            raise disk_error(error, self.path) from error
