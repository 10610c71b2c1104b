from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from archive.builders import BrokenDisk
from hydrophone.archive.durable import (
    DurableWriter,
    disk_error,
    make_directory,
    remove_leftovers,
    remove_orphans,
    write_file,
)
from hydrophone.errors import DiskError


def test_a_file_is_written_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    write_file(tmp_path / "space.json", "{}\n")

    assert os.listdir(tmp_path) == ["space.json"]
    assert (tmp_path / "space.json").read_text() == "{}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_a_secret_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    write_file(tmp_path / "secret", b"x", mode=0o600)
    write_file(tmp_path / "secret", b"y", mode=0o600)

    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_lone_surrogates_do_not_stop_a_text_from_being_written(tmp_path: Path) -> None:
    write_file(tmp_path / "title", "a\ud800b")

    assert (tmp_path / "title").read_bytes() == b"a?b"


@pytest.mark.parametrize("call", ["open", "write", "sync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EMFILE])
def test_a_failed_write_leaves_the_old_file_and_no_part(tmp_path: Path, call: str, number: int) -> None:
    path = tmp_path / "people.json"
    write_file(path, b"old")
    disk = BrokenDisk()
    disk.fails[call] = number
    data = b"new" * 200_000  # large enough to go past the buffer

    with pytest.raises(DiskError) as caught:
        write_file(path, data, disk=disk)

    assert caught.value.errno == number
    assert caught.value.advice
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["people.json"]

    disk.fails.clear()
    write_file(path, data, disk=disk)
    assert path.read_bytes() == data


def test_after_a_failed_sync_the_next_try_writes_to_a_new_file(tmp_path: Path) -> None:
    disk = BrokenDisk()
    disk.fails["sync"] = errno.EIO
    with pytest.raises(DiskError):
        write_file(tmp_path / "a", b"x", disk=disk)
    disk.fails.clear()
    disk.calls.clear()

    write_file(tmp_path / "a", b"x", disk=disk)

    assert disk.calls[0] == "open"


def test_short_writes_are_carried_on(tmp_path: Path) -> None:
    disk = BrokenDisk()
    disk.short_writes = True
    data = os.urandom(700_000)

    write_file(tmp_path / "big", data, disk=disk)

    assert (tmp_path / "big").read_bytes() == data


def test_a_write_of_nothing_at_all_is_a_full_disk(tmp_path: Path) -> None:
    class Stuck(BrokenDisk):
        def write(self, fd: int, pieces: object) -> int:
            return 0

    with pytest.raises(DiskError) as caught:
        write_file(tmp_path / "big", b"x" * 1_000_000, disk=Stuck())

    assert caught.value.errno == errno.ENOSPC


def test_a_durable_writer_shows_its_file_only_at_the_commit(tmp_path: Path) -> None:
    path = tmp_path / "audio.m4a"
    with DurableWriter(path) as writer:
        writer.write(b"size" + b"x" * 1_000_000)
        writer.file.seek(0)
        writer.file.write(b"SIZE")
        assert not path.exists()
        assert writer.part.exists()

    assert path.read_bytes() == b"SIZE" + b"x" * 1_000_000
    assert os.listdir(tmp_path) == ["audio.m4a"]


def test_an_error_inside_a_durable_writer_discards_and_is_typed(tmp_path: Path) -> None:
    with pytest.raises(DiskError), DurableWriter(tmp_path / "a"):
        raise OSError(errno.ENOSPC, "full")
    with pytest.raises(ZeroDivisionError), DurableWriter(tmp_path / "a"):
        _ = 1 // 0

    assert os.listdir(tmp_path) == []


def test_leftovers_of_a_crash_are_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in (".audio.m4a.4711-1.part", ".hidden", "mine.part", "audio.m4a"):
        (tmp_path / name).write_bytes(b"x")

    remove_leftovers(tmp_path)

    assert sorted(os.listdir(tmp_path)) == [".hidden", "audio.m4a", "mine.part"]


def test_part_files_of_dead_processes_are_removed_where_nobody_owns_the_folder(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    mine, lost = f".web.json.{os.getpid()}-1.part", f".web.json.{dead.pid}-1.part"
    for name in (mine, lost, f".budgets.json.{dead.pid}-x_7f.part", "web.json", f"mine.{dead.pid}-1.part"):
        (tmp_path / name).write_bytes(b"x")

    remove_orphans(tmp_path)
    remove_orphans(tmp_path / "missing")

    if sys.platform != "win32":  # there nothing is removed
        assert sorted(os.listdir(tmp_path)) == sorted([mine, f"mine.{dead.pid}-1.part", "web.json"])
    assert (tmp_path / mine).exists()


def test_folders_are_made_with_their_parents(tmp_path: Path) -> None:
    disk = BrokenDisk()
    make_directory(tmp_path / "a" / "b" / "c", disk=disk)

    assert (tmp_path / "a" / "b" / "c").is_dir()
    assert disk.calls.count("sync_directory") == 3


def test_a_file_in_the_way_of_a_folder_is_a_disk_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(DiskError):
        make_directory(tmp_path / "a" / "b")


def test_every_advice_says_what_to_do() -> None:
    full = disk_error(OSError(errno.ENOSPC, "x"), "/archive")

    assert full.errno == errno.ENOSPC
    assert "/archive" in full.message
    assert "room" in full.advice
