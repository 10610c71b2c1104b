"""Small builders for takes, and a disk that fails when told to."""

from __future__ import annotations

import errno
import os
import random
from array import array
from collections.abc import Sequence
from pathlib import Path

from hydrophone.archive import Syncer, Take, write_manifest, write_original
from hydrophone.archive.durable import DISK, Disk


class QuietSyncer(Syncer):
    """Flushes only when asked, so that a test decides when bytes reach the disk."""

    def mark(self, take: object, size_bytes: int) -> None:
        """Nothing is due by itself."""


QUIET = QuietSyncer()


def body_of(epoch: int, sequence: int, size: int = 60) -> bytes:
    """The bytes of a segment, as good as unique."""
    return random.Random(f"{epoch}/{sequence}/{size}").randbytes(size)


def frames_of(count: int = 3, size: int = 20) -> array[int]:
    return array("H", [size] * count)


def add(
    take: Take, sequence: int, *, epoch: int = 0, size: int = 60, verdict: str = "complete", frames: int = 3
) -> bool:
    return take.add_segment(
        epoch,
        sequence,
        body_of(epoch, sequence, size),
        frames=frames_of(frames),
        runs=((0, frames),),
        verdict=verdict,
        name=f"chunk_{1_769_104_803_250_000_000 + sequence}_{sequence}_a.aac",
        duration_seconds=3.0,
        written_ns=1_769_104_803_250_000_000 + sequence,
        ticks=90_000 * sequence,
        rate=48_000,
        channels=1,
        source="replay",
    )


def open_take(path: Path, *, disk: Disk = DISK) -> Take:
    return Take.open(path, create_facts={"space": "1hydroPhoneXZ"}, syncer=QUIET, disk=disk)


def fill(path: Path, sequences: Sequence[int], *, size: int = 60) -> None:
    """A closed take that holds these segments, flushed one by one."""
    with open_take(path) as take:
        for sequence in sequences:
            add(take, sequence, size=size)
            take.flush()


def finish(take: Take) -> None:
    """Original and manifest, as the recorder does it at the end."""
    take.flush()
    original = write_original(take, take.directory / "original.aac")
    write_manifest(take.directory, known={"original.aac": original.sha256})


def whole(sequences: Sequence[int], *, size: int = 60) -> bytes:
    return b"".join(body_of(0, sequence, size) for sequence in sorted(sequences))


class BrokenDisk(Disk):
    """Fails the named system calls with an error number for as long as `fails` has them."""

    def __init__(self) -> None:
        self.fails: dict[str, int] = {}
        self.times: dict[str, int] = {}
        self.short_writes = False
        self.calls: list[str] = []

    def _maybe(self, name: str) -> None:
        self.calls.append(name)
        if name in self.fails:
            left = self.times.get(name)
            if left is not None:
                if left <= 0:
                    return
                self.times[name] = left - 1
            raise OSError(self.fails[name], os.strerror(self.fails[name]))

    def open(self, path: Path, flags: int, mode: int = 0o644) -> int:
        self._maybe("open")
        return super().open(path, flags, mode)

    def write(self, fd: int, pieces: Sequence[bytes | memoryview]) -> int:
        try:
            self._maybe("write")
        except OSError:
            if len(pieces[0]) > 1:
                super().write(fd, [memoryview(pieces[0])[: len(pieces[0]) // 2]])  # part of it gets there
            raise
        if self.short_writes:
            return super().write(fd, [memoryview(pieces[0])[: max(1, len(pieces[0]) // 3)]])
        return super().write(fd, pieces)

    def sync(self, fd: int) -> None:
        self._maybe("sync")
        super().sync(fd)

    def replace(self, source: Path, target: Path) -> None:
        self._maybe("replace")
        super().replace(source, target)

    def sync_directory(self, path: Path) -> None:
        self._maybe("sync_directory")
        super().sync_directory(path)

    def sync_file_system(self, fd: int) -> None:
        self._maybe("sync_file_system")


class HastyDisk(Disk):
    """Does not wait for the medium: for the many tests in which the power stays on."""

    def sync(self, fd: int) -> None:
        """Bytes in the system's hands outlive our process."""

    def sync_directory(self, path: Path) -> None:
        """Likewise."""

    def sync_file_system(self, fd: int) -> None:
        """Likewise."""


HASTY = HastyDisk()


class DyingDisk(HastyDisk):
    """Lets so many changing calls through, then the machine is dead: every further call fails."""

    class DeadError(BaseException):
        """Nothing in the code under test may catch this: a dead process catches nothing."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def _tick(self) -> None:
        if self.left <= 0:
            raise self.DeadError
        self.left -= 1

    def open(self, path: Path, flags: int, mode: int = 0o644) -> int:
        self._tick()
        return super().open(path, flags, mode)

    def write(self, fd: int, pieces: Sequence[bytes | memoryview]) -> int:
        if self.left == 0:
            first = memoryview(pieces[0])
            super().write(fd, [first[: len(first) * 2 // 3]])
        self._tick()
        return super().write(fd, pieces)

    def sync(self, fd: int) -> None:
        self._tick()
        super().sync(fd)

    def truncate(self, fd: int, size: int) -> None:
        self._tick()
        super().truncate(fd, size)

    def replace(self, source: Path, target: Path) -> None:
        self._tick()
        super().replace(source, target)

    def unlink(self, path: Path) -> None:
        self._tick()
        super().unlink(path)

    def make_directory(self, path: Path) -> None:
        self._tick()
        super().make_directory(path)

    def sync_directory(self, path: Path) -> None:
        self._tick()
        super().sync_directory(path)


EIO = errno.EIO
ENOSPC = errno.ENOSPC
