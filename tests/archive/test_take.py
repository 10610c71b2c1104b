from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from archive.builders import QUIET, add, body_of, fill, finish, frames_of, open_take, whole
from hydrophone.archive import Take, read_manifest, write_manifest, write_original
from hydrophone.archive.journal import finish_line, header_line
from hydrophone.archive.take import utc_now
from hydrophone.errors import ArchiveError, NewerSchemaError, TakeInUseError


def test_a_take_goes_on_where_it_was_left(tmp_path: Path) -> None:
    fill(tmp_path / "item", [3, 1, 2])

    with open_take(tmp_path / "item") as take:
        assert list(take.index.held(0)) == [1, 2, 3]
        assert take.index.total_seconds == 9.0
        assert take.header["space"] == "1hydroPhoneXZ"
        add(take, 4)

    with open_take(tmp_path / "item") as take:
        assert list(take.index.held(0)) == [1, 2, 3, 4]


def test_a_stored_segment_tells_all_that_was_known(tmp_path: Path) -> None:
    with open_take(tmp_path / "item") as take:
        add(take, 2, size=90)
        add(take, 1)
        with pytest.raises(ArchiveError, match="sync"):
            take.segments()
        take.flush()
        first, second = take.segments()

        assert (first.sequence, second.sequence) == (1, 2)
        assert (first.position, second.position) == (0, 60)
        assert second.read() == body_of(0, 2, 90)
        assert second.frame_sizes == frames_of(3)
        assert second.runs == ((0, 3),)
        assert (second.ticks, second.rate, second.channels) == (180_000, 48_000, 1)
        assert (second.duration_seconds, second.verdict, second.source) == (3.0, "complete", "replay")
        assert second.written_ns == 1_769_104_803_250_000_002
        assert second.is_intact()


def test_segments_are_read_back_in_order_from_wherever_their_lines_stand(tmp_path: Path) -> None:
    far_apart = [*range(300, 500), *range(200), *range(299, 199, -1)]
    with open_take(tmp_path / "item") as take:
        for number in far_apart:
            add(take, number, size=60 + number % 7)
            if number in (250, 350):
                take.note("long", text="x" * 700_000)
        add(take, 0, size=5000, frames=90_000)  # a longer line than what is read at once
        take.flush()

        read = [(segment.sequence, segment.read()) for segment in take.segments()]

    assert [number for number, _ in read] == list(range(500))
    assert all(body == body_of(0, number, len(body)) for number, body in read)
    assert [len(body) for _, body in read[1:]] == [60 + number % 7 for number in range(1, 500)]


def test_the_journal_line_comes_only_after_the_bytes_are_on_the_disk(tmp_path: Path) -> None:
    with open_take(tmp_path / "item") as take:
        before = (tmp_path / "item" / "journal.jsonl").read_bytes()
        add(take, 1)
        assert (0, 1) in take.index
        assert take.waiting_segments == 1
        assert (tmp_path / "item" / "journal.jsonl").read_bytes() == before
        take.flush()
        assert take.waiting_segments == take.waiting_bytes == 0
        assert (tmp_path / "item" / ".take" / "media.log").read_bytes() == body_of(0, 1)


async def test_sync_returns_when_all_is_acknowledged(tmp_path: Path) -> None:
    take = Take.open(tmp_path / "item")
    add(take, 1)
    await take.sync()
    assert take.waiting_segments == 0
    add(take, 2, size=1000)
    await take.settle(limit_bytes=100)
    assert take.waiting_segments == 0
    take.close()


def test_notes_are_read_back_in_order_and_by_kind(tmp_path: Path) -> None:
    with open_take(tmp_path / "item") as take:
        take.note("audience", listeners=3)
        take.note("state", state="live")
        add(take, 1)
        take.note("audience", listeners=5)
    with open_take(tmp_path / "item") as take:
        assert [facts["listeners"] for facts in take.events("audience")] == [3, 5]
        assert [facts["kind"] for facts in take.events()] == ["audience", "state", "audience"]
        with pytest.raises(ValueError, match="own"):
            take.note("segment")


@pytest.mark.parametrize("is_flushed", [True, False])
def test_the_better_copy_wins_whichever_came_first(tmp_path: Path, is_flushed: bool) -> None:
    with open_take(tmp_path / "item") as take:

        def offer(**facts: object) -> bool:
            won = add(take, 1, **facts)  # type: ignore[arg-type]
            if is_flushed:
                take.flush()
            return won

        assert offer(verdict="suspect", size=40, frames=2)
        assert not offer(verdict="suspect", size=30, frames=2)
        assert offer(verdict="suspect", size=50, frames=2)
        assert offer(size=45)  # complete beats suspect, even when shorter
        assert not offer(verdict="suspect", size=80, frames=9)
        assert offer(size=60)
        assert not offer(size=60)
        take.flush()
        assert [segment.size_bytes for segment in take.segments()] == [60]
        assert not list(take.events("other bytes"))
    with open_take(tmp_path / "item") as take:
        assert [segment.read() for segment in take.segments()] == [body_of(0, 1, 60)]
        assert take.index.total_suspect == 0


@pytest.mark.parametrize("is_flushed", [True, False])
def test_an_equal_copy_with_other_bytes_is_noted_and_the_first_kept(tmp_path: Path, is_flushed: bool) -> None:
    with open_take(tmp_path / "item") as take:
        add(take, 1)
        if is_flushed:
            take.flush()
        other = bytes(60)
        assert not take.add_segment(0, 1, memoryview(other), frames=frames_of(), source="live")
        take.flush()
        assert [segment.read() for segment in take.segments()] == [body_of(0, 1)]
        assert [facts["seq"] for facts in take.events("other bytes")] == [1]


def test_a_dropped_segment_stays_dropped_until_it_comes_again(tmp_path: Path) -> None:
    fill(tmp_path / "item", [1, 2, 3])
    with open_take(tmp_path / "item") as take:
        assert take.drop(0, 2, "damaged")
        assert not take.drop(0, 2, "damaged")
    with open_take(tmp_path / "item") as take:
        assert list(take.index.held(0)) == [1, 3]
        assert add(take, 2, size=20)
    with open_take(tmp_path / "item") as take:
        assert [segment.size_bytes for segment in take.segments()] == [60, 20, 60]


def test_a_closed_take_takes_nothing(tmp_path: Path) -> None:
    take = open_take(tmp_path / "item")
    take.close()
    take.close()
    with pytest.raises(ArchiveError, match="closed"):
        add(take, 1)


def test_a_newer_schema_is_refused_and_the_lock_let_go(tmp_path: Path) -> None:
    fill(tmp_path, [1])
    path = tmp_path / "journal.jsonl"
    old = path.read_bytes()
    path.write_bytes(old.splitlines(keepends=True)[0].replace(b'"schema":1', b'"schema":2'))
    newer = header_line(utc_now(), {})[:-1].replace(b'"schema":1', b'"schema":2')
    path.write_bytes(finish_line(newer[: newer.rindex(b',"n"')], 0))

    with pytest.raises(NewerSchemaError):
        open_take(tmp_path)
    path.write_bytes(old)
    open_take(tmp_path).close()


# ---------------------------------------------------------------- one owner


def test_a_second_owner_is_told_who_the_first_is(tmp_path: Path) -> None:
    take = open_take(tmp_path / "item")
    with pytest.raises(TakeInUseError, match=str(os.getpid())):
        open_take(tmp_path / "item")
    take.close()
    open_take(tmp_path / "item").close()


OWNER = """
import sys, time
from pathlib import Path
from hydrophone.archive import Take
take = Take.open(Path(sys.argv[1]))
print("open", flush=True)
time.sleep(60)
"""


def test_the_lock_of_a_dead_process_is_free_at_once(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        with pytest.raises(TakeInUseError, match=f"process {process.pid}"):
            open_take(tmp_path)
    finally:
        process.kill()
        process.communicate()
    open_take(tmp_path).close()


# ---------------------------------------------------------------- the original


def test_the_original_is_every_byte_in_order(tmp_path: Path) -> None:
    fill(tmp_path, [5, 1, 3, 2, 4])
    with open_take(tmp_path) as take:
        digest = write_original(take, tmp_path / "original.aac")
        again = write_original(take, tmp_path / "original.aac")

    assert (tmp_path / "original.aac").read_bytes() == whole([1, 2, 3, 4, 5])
    assert digest == again
    assert (digest.size_bytes, digest.segments) == (300, 5)


def test_a_big_original_goes_through_in_pieces(tmp_path: Path) -> None:
    fill(tmp_path, [2, 1, 3], size=3_000_001)
    with open_take(tmp_path) as take:
        write_original(take, tmp_path / "original.aac")
    assert (tmp_path / "original.aac").read_bytes() == whole([1, 2, 3], size=3_000_001)


def test_an_original_from_lost_bytes_is_refused_and_leaves_the_old_one(tmp_path: Path) -> None:
    fill(tmp_path, [1, 2, 3])
    (tmp_path / "original.aac").write_bytes(b"old")
    with open_take(tmp_path) as take:
        os.truncate(tmp_path / ".take" / "media.log", 100)
        with pytest.raises(ArchiveError, match="ends at"):
            write_original(take, tmp_path / "original.aac")
    assert (tmp_path / "original.aac").read_bytes() == b"old"
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".part")]


def test_a_segment_that_comes_while_the_original_is_written_stops_it(tmp_path: Path) -> None:
    fill(tmp_path, [1])
    with open_take(tmp_path) as take:
        rows = take.held_rows()
        add(take, 2)
        with pytest.raises(ArchiveError, match="added"):
            take.announce_original("original.aac", 60, "0" * 64, rows)


# ---------------------------------------------------------------- after the finish


def test_media_is_released_only_when_original_and_manifest_cover_it(tmp_path: Path) -> None:
    fill(tmp_path, [1, 2])
    with open_take(tmp_path) as take:
        with pytest.raises(ArchiveError, match="not everything"):
            take.release_media()
        digest = write_original(take, tmp_path / "original.aac")
        with pytest.raises(ArchiveError):
            take.release_media()
        write_manifest(tmp_path, known={"original.aac": "0" * 64})
        with pytest.raises(ArchiveError, match="manifest"):
            take.release_media()
        write_manifest(tmp_path)
        add(take, 3)
        take.flush()
        with pytest.raises(ArchiveError, match="not everything"):
            take.release_media()
        finish(take)
        assert take.release_media() == 180
    assert read_manifest(tmp_path / "manifest-sha256.txt").digests["original.aac"] != digest.sha256
    assert not list((tmp_path / ".take").glob("media*"))


def test_a_released_take_can_be_repaired_again_and_again(tmp_path: Path) -> None:
    fill(tmp_path, [1, 2, 5])
    with open_take(tmp_path) as take:
        finish(take)
        take.release_media()
        assert [segment.read() for segment in take.segments()] == [body_of(0, n) for n in (1, 2, 5)]
        add(take, 3)
    for sequence in (4, 0):
        with open_take(tmp_path) as take:
            add(take, sequence, size=70)
            finish(take)
            take.release_media()
            assert not take.damaged()
    with open_take(tmp_path) as take:
        assert list(take.index.held(0)) == [0, 1, 2, 3, 4, 5]
        sizes = [segment.size_bytes for segment in take.segments()]
        assert sizes == [70, 60, 60, 60, 70, 60]
    parts = [body_of(0, n, size) for n, size in zip(range(6), sizes, strict=True)]
    assert (tmp_path / "original.aac").read_bytes() == b"".join(parts)


def test_a_repair_that_dies_before_the_rename_still_reads_the_old_original(tmp_path: Path) -> None:
    fill(tmp_path, [1, 3])
    with open_take(tmp_path) as take:
        finish(take)
        take.release_media()
        old = (tmp_path / "original.aac").read_bytes()
        add(take, 2)
        finish(take)
    (tmp_path / "original.aac").write_bytes(old)  # as if the rename had never happened

    with open_take(tmp_path) as take:
        assert list(take.index.held(0)) == [1, 2, 3]
        assert not take.damaged()
        finish(take)
    assert (tmp_path / "original.aac").read_bytes() == whole([1, 2, 3])


def test_layouts_of_equal_size_are_told_apart_by_digest(tmp_path: Path) -> None:
    fill(tmp_path, [1, 2])
    with open_take(tmp_path) as take:
        finish(take)
        take.release_media()
        old = (tmp_path / "original.aac").read_bytes()
        take.drop(0, 1, "test")
        add(take, 3)
        finish(take)
    (tmp_path / "original.aac").write_bytes(old)

    with open_take(tmp_path) as take:
        assert not take.damaged()
        assert list(take.index.held(0)) == [2, 3]


def test_a_shortened_original_loses_what_it_lost_and_takes_it_back(tmp_path: Path) -> None:
    fill(tmp_path, [1, 2, 3])
    with open_take(tmp_path) as take:
        finish(take)
        take.release_media()
    os.truncate(tmp_path / "original.aac", 130)
    for _ in range(2):
        with open_take(tmp_path) as take:
            assert list(take.index.held(0)) == [1, 2]
    with open_take(tmp_path) as take:
        add(take, 3)
        finish(take)
        take.release_media()
    assert (tmp_path / "original.aac").read_bytes() == whole([1, 2, 3])


def test_a_lost_original_is_fetched_again_whole(tmp_path: Path) -> None:
    fill(tmp_path, [1, 2])
    with open_take(tmp_path) as take:
        finish(take)
        take.release_media()
    (tmp_path / "original.aac").unlink()
    with open_take(tmp_path) as take:
        assert len(take.index) == 0
        add(take, 1)
        add(take, 2)
        finish(take)
    assert (tmp_path / "original.aac").read_bytes() == whole([1, 2])


# ---------------------------------------------------------------- threads


def test_adding_and_flushing_from_two_threads_loses_nothing(tmp_path: Path) -> None:
    take = Take.open(tmp_path, syncer=QUIET)
    done = threading.Event()

    def flush() -> None:
        while not done.is_set():
            take.flush()

    thread = threading.Thread(target=flush)
    thread.start()
    for sequence in range(2000):
        add(take, sequence)
        if sequence % 7 == 0:
            take.note("tick", at=sequence)
    done.set()
    thread.join()
    take.close()
    with open_take(tmp_path) as take:
        assert len(take.index) == 2000
        assert not take.damaged()
        assert sum(1 for _ in take.events("tick")) == 286
