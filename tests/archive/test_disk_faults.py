from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.builders import BrokenDisk, add, finish, open_take, whole
from hydrophone.archive import Take
from hydrophone.errors import DiskError


def held_on_disk(path: Path) -> list[int]:
    with open_take(path) as take:
        assert not take.damaged()
        return list(take.index.held(0))


def check_whole(path: Path, sequences: list[int]) -> None:
    assert held_on_disk(path) == sequences
    with open_take(path) as take:
        finish(take)
    assert (path / "original.aac").read_bytes() == whole(sequences)


@pytest.mark.parametrize("short_writes", [True, False])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.EACCES])
@pytest.mark.parametrize("call", ["open", "write"])
def test_a_failing_disk_pauses_the_take_and_nothing_is_lost(
    tmp_path: Path, call: str, number: int, short_writes: bool
) -> None:
    disk = BrokenDisk()
    disk.short_writes = short_writes
    take = open_take(tmp_path, disk=disk)
    add(take, 1)
    take.flush()

    disk.fails[call] = number
    add(take, 2)
    with pytest.raises(DiskError) as caught:
        take.flush()
    assert caught.value.errno == number
    assert take.is_paused
    assert take.failure is caught.value
    with pytest.raises(DiskError):
        add(take, 3)
    take.note("state", state="ended")  # facts may still come
    assert not take.try_resume()
    assert (0, 2) in take.index
    assert (0, 3) not in take.index

    disk.fails.clear()
    assert take.try_resume()
    assert not take.is_paused
    add(take, 3)
    take.close()
    check_whole(tmp_path, [1, 2, 3])


@pytest.mark.parametrize("times", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("call", ["sync", "write", "sync_directory"])
def test_after_an_io_error_the_batch_goes_to_a_new_file(tmp_path: Path, call: str, times: int) -> None:
    disk = BrokenDisk()
    take = open_take(tmp_path, disk=disk)
    add(take, 1)
    take.flush()

    disk.fails[call], disk.times[call] = errno.EIO, times
    add(take, 2)
    for _ in range(5):
        with contextlib.suppress(DiskError):
            take.flush()
    assert not take.is_paused
    add(take, 3)
    take.close()
    check_whole(tmp_path, [1, 2, 3])


def test_a_failed_media_sync_leaves_the_old_log_alone(tmp_path: Path) -> None:
    disk = BrokenDisk()
    take = open_take(tmp_path, disk=disk)
    add(take, 1)
    take.flush()
    disk.fails["sync"], disk.times["sync"] = errno.EIO, 1
    add(take, 2)
    take.flush()
    add(take, 3)
    take.close()

    assert (tmp_path / ".take" / "media-2.log").read_bytes() == whole([2, 3])
    check_whole(tmp_path, [1, 2, 3])


def test_a_failed_journal_sync_moves_the_journal_to_a_new_file(tmp_path: Path) -> None:
    disk = BrokenDisk()
    take = open_take(tmp_path, disk=disk)
    before = (tmp_path / "journal.jsonl").stat().st_ino
    disk.fails["sync"], disk.times["sync"] = errno.EIO, 1
    take.note("state", state="live")
    take.flush()

    assert (tmp_path / "journal.jsonl").stat().st_ino != before
    assert [facts["state"] for facts in take.events("state")] == ["live"]
    take.close()


def test_a_dying_disk_is_not_littered_with_logs(tmp_path: Path) -> None:
    disk = BrokenDisk()
    take = open_take(tmp_path, disk=disk)
    add(take, 1)
    take.flush()
    disk.fails["sync"] = errno.EIO
    add(take, 2)
    with pytest.raises(DiskError):
        take.flush()
    for _ in range(20):
        assert not take.try_resume()
    assert len(list((tmp_path / ".take").glob("media*"))) == 2
    disk.fails.clear()
    take.close()
    check_whole(tmp_path, [1, 2])


def test_a_vanished_folder_pauses_and_its_return_resumes(tmp_path: Path) -> None:
    path, away = tmp_path / "item", tmp_path / "away"
    take = open_take(path)
    add(take, 1)
    take.flush()
    path.rename(away)
    add(take, 2)
    with pytest.raises(DiskError) as caught:
        take.flush()
    assert caught.value.errno == errno.ENOENT
    assert "gone" in caught.value.advice
    away.rename(path)
    assert take.try_resume()
    take.close()
    check_whole(path, [1, 2])


def test_what_waits_when_a_paused_take_is_closed_is_not_held_later(tmp_path: Path) -> None:
    disk = BrokenDisk()
    take = open_take(tmp_path, disk=disk)
    add(take, 1)
    take.flush()
    add(take, 2)
    disk.fails["write"] = errno.ENOSPC
    with pytest.raises(DiskError):
        take.close()
    disk.fails.clear()
    take.flush()  # a late thread of the syncer: another process may own the take by now, so nothing is written
    assert held_on_disk(tmp_path) == [1]


async def test_sync_raises_and_a_background_failure_shows(tmp_path: Path) -> None:
    disk = BrokenDisk()
    take = Take.open(tmp_path, disk=disk)
    disk.fails["write"] = errno.ENOSPC
    add(take, 1)
    with pytest.raises(DiskError):
        await take.sync()
    assert take.is_paused
    disk.fails.clear()
    await take.sync()
    assert not take.is_paused
    take.close()


def test_opening_on_a_read_only_disk_is_a_disk_error(tmp_path: Path) -> None:
    disk = BrokenDisk()
    disk.fails["open"] = errno.EROFS
    with pytest.raises(DiskError):
        open_take(tmp_path / "item", disk=disk)
    disk.fails.clear()
    open_take(tmp_path / "item", disk=disk).close()


@pytest.mark.parametrize("call", ["open", "write", "sync", "replace", "sync_directory"])
def test_an_error_at_any_call_of_a_whole_recording_is_healed_by_going_on(tmp_path: Path, call: str) -> None:
    for number in (errno.ENOSPC, errno.EIO):
        for at in range(12):
            path = tmp_path / f"{number}-{at}"
            disk = BrokenDisk()
            _record_with_one_error(path, disk, call, number, at)
            check_whole(path, [1, 2, 3])


def _record_with_one_error(path: Path, disk: BrokenDisk, call: str, number: int, at: int) -> None:
    """One error at the `at`-th call; the caller tries again, as the recorder does."""
    seen = disk.calls

    class Once(dict[str, int]):
        def __contains__(self, name: object) -> bool:
            return name == call and seen.count(call) == at + 1

    disk.fails = Once({call: number})
    for _ in range(3):
        try:
            take = open_take(path, disk=disk)
            break
        except DiskError:
            continue
    for sequence in (1, 2, 3):
        for _ in range(3):
            try:
                add(take, sequence)
                take.flush()
                break
            except DiskError:
                take.try_resume()
    take.close()


# ---------------------------------------------------------------- real limits


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a tmpfs needs root on Linux")
    path = tmp_path / "tiny"
    path.mkdir()
    mount = shutil.which("mount")
    if mount is None or subprocess.run([mount, "-t", "tmpfs", "-o", "size=256k", "none", path]).returncode:
        pytest.skip("no tmpfs may be mounted here")
    yield path
    subprocess.run(["umount", path], check=True)


@pytest.mark.root
def test_a_full_disk_pauses_and_room_resumes(tiny_disk: Path) -> None:
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(bytes(100_000))
    take = open_take(tiny_disk / "item")
    sequence = 0
    while not take.is_paused:
        sequence += 1
        add(take, sequence, size=20_000)
        with contextlib.suppress(DiskError):
            take.flush()
    assert take.failure is not None
    assert take.failure.errno == errno.ENOSPC
    assert 2 < sequence < 14
    for _ in range(10):
        assert not take.try_resume()
    ballast.unlink()
    assert take.try_resume()
    add(take, sequence + 1, size=20_000)
    take.close()

    with open_take(tiny_disk / "item") as take:
        assert list(take.index.held(0)) == list(range(1, sequence + 2))
        assert not take.damaged()


LIMITED = """
import resource, signal, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from archive.builders import add, open_take
from hydrophone.errors import DiskError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
take = open_take(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
try:
    for sequence in range(1, 100):
        add(take, sequence, size=9_999)
        take.flush()
except DiskError as error:
    print(sequence, error.errno, take.is_paused, take.try_resume())
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.getrlimit(resource.RLIMIT_FSIZE)[1],) * 2)
print(take.try_resume())
take.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="RLIMIT_FSIZE is POSIX")
def test_a_file_size_limit_pauses_and_its_end_resumes(tmp_path: Path) -> None:
    tests = str(Path(__file__).resolve().parents[1])
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path), tests], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["6", str(errno.EFBIG), "True", "False", "True"]
    assert held_on_disk(tmp_path) == [1, 2, 3, 4, 5, 6]
