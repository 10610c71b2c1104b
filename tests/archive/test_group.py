from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from archive.builders import HASTY, BrokenDisk, HastyDisk, add, finish, open_take, whole
from hydrophone.archive import Take
from hydrophone.archive.durable import DISK, Disk
from hydrophone.archive.group import flush_together
from hydrophone.errors import DiskError

pytestmark = pytest.mark.skipif(not DISK.can_sync_file_system, reason="needs syncfs of Linux 5.8 or newer")


def open_takes(path: Path, disk: Disk, count: int = 4) -> list[Take]:
    takes = [open_take(path / str(number), disk=disk) for number in range(count)]
    for take in takes:
        add(take, 1)
        take.flush()
        add(take, 2)
        take.note("state", state="live")
    return takes


def check(takes: list[Take], sequences: list[int]) -> None:
    for take in takes:
        assert take.waiting_segments == take.waiting_bytes == 0
        take.close()
        with open_take(take.directory) as again:
            assert list(again.index.held(0)) == sequences
            assert not again.damaged()
            finish(again)
        assert (take.directory / "original.aac").read_bytes() == whole(sequences)


class Counting(HastyDisk):
    """Counts single syncs and syncs of all."""

    def __init__(self) -> None:
        self.single = self.whole = 0

    def sync(self, fd: int) -> None:
        self.single += 1

    def sync_file_system(self, fd: int) -> None:
        self.whole += 1


def test_a_group_is_flushed_with_two_syncs(tmp_path: Path) -> None:
    disk = Counting()
    takes = open_takes(tmp_path, disk)
    disk.single = 0

    assert flush_together(takes) == dict.fromkeys(takes)
    assert (disk.single, disk.whole) == (0, 2)
    check(takes, [1, 2])


def test_a_real_file_system_can_be_synced(tmp_path: Path) -> None:
    takes = open_takes(tmp_path, DISK, 2)
    assert flush_together(takes) == dict.fromkeys(takes)
    check(takes, [1, 2])


@pytest.mark.parametrize("phase", [1, 2])
def test_after_a_failed_sync_of_all_every_take_goes_on_with_new_files(tmp_path: Path, phase: int) -> None:
    class Failing(Counting):
        def sync_file_system(self, fd: int) -> None:
            super().sync_file_system(fd)
            if self.whole == phase:
                raise OSError(errno.EIO, "broken")

    disk = Failing()
    takes = open_takes(tmp_path, disk)
    inodes = [(take.directory / "journal.jsonl").stat().st_ino for take in takes]

    assert flush_together(takes) == dict.fromkeys(takes)
    for take, inode in zip(takes, inodes, strict=True):
        assert (take.directory / ".take" / "media-2.log").read_bytes() == whole([2])
        assert (take.directory / "journal.jsonl").stat().st_ino != inode
    check(takes, [1, 2])


def test_one_bad_take_in_a_group_hurts_no_other(tmp_path: Path) -> None:
    takes = open_takes(tmp_path, HASTY)
    shutil.move(tmp_path / "2", tmp_path / "away")

    errors = flush_together(takes)
    assert [type(errors[take]) for take in takes] == [type(None), type(None), DiskError, type(None)]
    assert takes[2].is_paused
    shutil.move(tmp_path / "away", tmp_path / "2")
    assert takes[2].try_resume()
    check(takes, [1, 2])


def test_a_full_disk_pauses_every_take_of_a_group(tmp_path: Path) -> None:
    disk = BrokenDisk()
    takes = open_takes(tmp_path, disk)
    disk.fails["write"] = errno.ENOSPC

    errors = flush_together(takes)
    assert all(isinstance(error, DiskError) for error in errors.values())
    assert all(take.is_paused for take in takes)
    disk.fails.clear()
    assert flush_together(takes) == dict.fromkeys(takes)
    assert not any(take.is_paused for take in takes)
    check(takes, [1, 2])


def test_lines_are_written_only_after_the_bytes_are_synced(tmp_path: Path) -> None:
    sizes: list[tuple[int, int]] = []

    class Looking(HastyDisk):
        def sync_file_system(self, fd: int) -> None:
            item = tmp_path / "0"
            sizes.append(((item / ".take" / "media.log").stat().st_size, (item / "journal.jsonl").stat().st_size))

    takes = open_takes(tmp_path, Looking())
    journal = (tmp_path / "0" / "journal.jsonl").stat().st_size
    flush_together(takes)

    assert sizes[0] == (120, journal)
    assert sizes[1][1] > journal
    check(takes, [1, 2])


def test_a_closed_take_in_a_group_writes_nothing(tmp_path: Path) -> None:
    takes = open_takes(tmp_path, HASTY)
    takes[0].close()
    assert flush_together(takes) == dict.fromkeys(takes)
    check(takes, [1, 2])
