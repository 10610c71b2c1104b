from __future__ import annotations

import errno
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.builders import BrokenDisk
from hydrophone.archive import StreamStore, streams
from hydrophone.errors import DiskError

AT = datetime(2026, 1, 22, 18, 0, 3, tzinfo=UTC)
URL = "https://cdn.invalid/Transcoding/v1/hls/KEY/playlist_1.m3u8"


def test_a_url_is_remembered_across_processes_and_newest_counts(tmp_path: Path) -> None:
    store = StreamStore(tmp_path / "state" / "streams.jsonl")
    assert store.recall("1hydroPhoneXZ") is None
    store.remember("1hydroPhoneXZ", URL, seen_at=AT)
    store.remember("1hydroPhoneXY", URL + "2", seen_at=AT)
    store.remember("1hydroPhoneXZ", URL + "3", seen_at=AT)

    again = StreamStore(tmp_path / "state" / "streams.jsonl")
    seen = again.recall("1hydroPhoneXZ")
    assert seen is not None
    assert (seen.url, seen.seen_at) == (URL + "3", AT)
    assert "KEY" not in repr(seen)


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX")
def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "streams.jsonl"
    StreamStore(path).remember("1hydroPhoneXZ", URL, seen_at=AT)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_same_url_again_writes_nothing(tmp_path: Path) -> None:
    disk = BrokenDisk()
    store = StreamStore(tmp_path / "streams.jsonl", disk=disk)
    store.remember("1hydroPhoneXZ", URL, seen_at=AT)
    disk.calls.clear()
    store.remember("1hydroPhoneXZ", URL, seen_at=AT)
    assert disk.calls == []


def test_a_torn_or_damaged_store_keeps_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "streams.jsonl"
    store = StreamStore(path)
    for number in range(3):
        store.remember(f"space{number}", URL + str(number), seen_at=AT)
    raw = path.read_bytes()
    path.write_bytes(raw[:20] + b"#" + raw[21:-5])

    store.remember("space9", URL, seen_at=AT)
    known = {number for number in (0, 1, 2, 9) if store.recall(f"space{number}")}
    assert known == {1, 9}


def test_a_grown_store_is_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "COMPACT_BYTES", 2000)
    path = tmp_path / "streams.jsonl"
    store = StreamStore(path)
    for number in range(60):
        store.remember("1hydroPhoneXZ", URL + str(number), seen_at=AT)
    seen = store.recall("1hydroPhoneXZ")
    assert seen is not None
    assert seen.url == URL + "59"
    assert path.stat().st_size < 2500


def test_several_writers_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "streams.jsonl"
    stores = [StreamStore(path) for _ in range(4)]

    def remember(number: int) -> None:
        stores[number % 4].remember(f"space{number}", URL, seen_at=AT)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(remember, range(60)))
    assert all(stores[0].recall(f"space{number}") for number in range(60))


def test_a_full_disk_is_told_and_the_next_try_works(tmp_path: Path) -> None:
    disk = BrokenDisk()
    store = StreamStore(tmp_path / "streams.jsonl", disk=disk)
    store.remember("a", URL, seen_at=AT)
    disk.fails["write"] = errno.ENOSPC
    with pytest.raises(DiskError):
        store.remember("b", URL, seen_at=AT)
    disk.fails.clear()
    store.remember("b", URL, seen_at=AT)
    assert store.recall("a")
    assert store.recall("b")
