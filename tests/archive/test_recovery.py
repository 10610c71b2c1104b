from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from archive.builders import HASTY, QUIET, DyingDisk, add, body_of, fill, finish, open_take, whole
from hydrophone.archive import Take, read_manifest, write_manifest, write_original
from hydrophone.archive.manifest import digest_file


def held(path: Path) -> list[int]:
    with open_take(path, disk=HASTY) as take:
        assert not take.damaged()
        return list(take.index.held(0))


def complete(path: Path, sequences: list[int]) -> None:
    """Add what is not held, finish, and compare with the undisturbed bytes."""
    with open_take(path, disk=HASTY) as take:
        for sequence in sequences:
            if (0, sequence) not in take.index:
                add(take, sequence)
        finish(take)
    assert (path / "original.aac").read_bytes() == whole(sequences)


def test_a_journal_torn_at_any_byte_keeps_what_was_acknowledged_before(tmp_path: Path) -> None:
    fill(tmp_path / "good", [1, 2])
    raw = (tmp_path / "good" / "journal.jsonl").read_bytes()
    ends = [at + 1 for at, byte in enumerate(raw) if byte == 10]
    for size in range(len(raw)):
        path = tmp_path / "torn"
        shutil.copytree(tmp_path / "good", path)
        os.truncate(path / "journal.jsonl", size)
        assert held(path) == list(range(1, max(1, sum(end <= size for end in ends))))
        if size % 40 == 0:
            complete(path, [1, 2])
        shutil.rmtree(path)


def test_a_media_log_torn_at_any_byte_loses_only_what_lay_beyond(tmp_path: Path) -> None:
    fill(tmp_path / "good", [1, 2, 3])
    for size in range(181):
        path = tmp_path / "torn"
        shutil.copytree(tmp_path / "good", path)
        os.truncate(path / ".take" / "media.log", size)
        for _ in range(2):
            assert held(path) == list(range(1, 1 + size // 60))
        if size % 20 == 0:
            complete(path, [1, 2, 3])
            assert held(path) == [1, 2, 3]
        shutil.rmtree(path)


def test_garbage_behind_the_last_acknowledged_byte_is_cut_off(tmp_path: Path) -> None:
    fill(tmp_path, [1, 2])
    journal = tmp_path / "journal.jsonl"
    good = journal.read_bytes()
    for garbage in (b"\0" * 5000, b'{"half', good[:50], b"\n\n\n", good.splitlines(keepends=True)[1]):
        with journal.open("ab") as file:
            file.write(garbage)
        with (tmp_path / ".take" / "media.log").open("ab") as file:
            file.write(b"unacknowledged")
        assert held(tmp_path) == [1, 2]
        assert journal.read_bytes() == good
        assert (tmp_path / ".take" / "media.log").stat().st_size == 120


def test_a_damaged_line_in_the_middle_costs_one_segment(tmp_path: Path) -> None:
    fill(tmp_path, [1, 2, 3, 4])
    journal = tmp_path / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"complete", b"complexe")
    journal.write_bytes(b"".join(lines))

    assert held(tmp_path) == [1, 3, 4]
    complete(tmp_path, [1, 2, 3, 4])
    assert held(tmp_path) == [1, 2, 3, 4]


def test_an_unreadable_journal_is_set_aside_with_its_bytes(tmp_path: Path) -> None:
    fill(tmp_path, [1, 2])
    (tmp_path / "journal.jsonl").write_bytes(b"\0" * 700)

    assert held(tmp_path) == []
    assert (tmp_path / "journal.jsonl.unreadable-1").read_bytes() == b"\0" * 700
    assert (tmp_path / ".take" / "media.log.unreadable-1").stat().st_size == 120
    complete(tmp_path, [1, 2])


def test_a_damaged_cut_line_does_not_bring_overwritten_segments_back(tmp_path: Path) -> None:
    fill(tmp_path, [1, 2, 3])
    os.truncate(tmp_path / ".take" / "media.log", 60)
    with open_take(tmp_path) as take:
        add(take, 7)
    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"kind":"cut"', b'"kind":"cxt"'))

    assert held(tmp_path) == [1, 7]


# ---------------------------------------------------------------- dying at every call


def record(path: Path, disk: DyingDisk) -> set[int]:
    """Record, finish and release on a disk that dies; the segments that were acknowledged."""
    acknowledged: set[int] = set()
    take = Take.open(path, disk=disk, syncer=QUIET)
    try:
        for sequence in (1, 2, 3):
            if (0, sequence) not in take.index:
                add(take, sequence)
            if sequence != 2:  # two of them in one flush
                take.flush()
                acknowledged.update(take.index.held(0))
        finish_on(take, disk)
    finally:
        take._lock.release()
    return acknowledged


def finish_on(take: Take, disk: DyingDisk) -> None:
    take.flush()
    digest = write_original(take, take.directory / "original.aac", disk=disk)
    write_manifest(take.directory, known={"original.aac": digest.sha256}, disk=disk)
    take.release_media()
    take.drop(0, 2, "to be repaired")
    add(take, 2, size=90)
    take.flush()
    digest = write_original(take, take.directory / "original.aac", disk=disk)
    write_manifest(take.directory, known={"original.aac": digest.sha256}, disk=disk)
    take.release_media()


def test_a_crash_at_every_single_call_loses_nothing_acknowledged(tmp_path: Path) -> None:
    final = body_of(0, 1) + body_of(0, 2, 90) + body_of(0, 3)
    calls = 0
    while True:
        path = tmp_path / f"take-{calls}"
        disk = DyingDisk(calls)
        try:
            record(path, disk)
        except DyingDisk.DeadError:
            # And once more while it recovers.
            with contextlib.suppress(DyingDisk.DeadError):
                record(path, DyingDisk(calls % 7))
            check_and_finish(path, final)
            calls += 1
            continue
        break
    assert calls > 40
    assert (path / "original.aac").read_bytes() == final


def check_and_finish(path: Path, final: bytes) -> None:
    with open_take(path, disk=HASTY) as take:
        assert not take.damaged()
        for sequence, size in ((1, 60), (2, 90), (3, 60)):
            add(take, sequence, size=size)
        finish(take)
        take.release_media()
    assert (path / "original.aac").read_bytes() == final
    manifest = read_manifest(path / "manifest-sha256.txt")
    assert manifest.digests == {name: digest_file(path / name) for name in manifest.digests}
    assert not [name for name in os.listdir(path) if name.endswith(".part")]
    shutil.rmtree(path)


# ---------------------------------------------------------------- real processes, really killed


CHILD = """
import sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from archive.builders import add
from hydrophone.archive import Syncer, Take
take = Take.open(Path(sys.argv[1]), syncer=Syncer(interval_seconds=0.001, workers=2))
for sequence in range(400):
    if (0, sequence) not in take.index:
        add(take, sequence, size=3000)
    if sequence % 5 == 0:
        take.flush()
        print(sequence, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_a_recorder_killed_at_random_times_keeps_what_it_acknowledged(tmp_path: Path) -> None:
    tests = str(Path(__file__).resolve().parents[1])
    dice = random.Random(7)
    path, expected = tmp_path / "item", b"".join(body_of(0, n, 3000) for n in range(400))
    kills = 0
    while kills < 50:
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(path), tests], stdout=subprocess.PIPE, bufsize=0, start_new_session=True
        )
        assert process.stdout is not None
        # Wait for a random number of acknowledgements, then kill in the midst of the next.
        last = -1
        for _ in range(dice.randrange(1, 6)):
            line = process.stdout.readline()
            if not line:
                break
            last = int(line)
        process.send_signal(signal.SIGKILL)
        rest = process.communicate()[0].split()
        last = max([last, *map(int, rest)])
        kills += 1
        with open_take(path) as take:
            assert all((0, n) in take.index for n in range(last + 1))
            assert not take.damaged()
            if kills % 10 == 0:
                for n in list(take.index.held(0))[3::4]:
                    take.drop(0, n, "so that there is something left to do")
    with open_take(path) as take:
        for n in range(400):
            add(take, n, size=3000)
        finish(take)
    assert (path / "original.aac").read_bytes() == expected


def test_what_a_crash_left_half_written_is_removed_but_not_what_another_process_may_be_writing(tmp_path: Path) -> None:
    fill(tmp_path, [1])
    gone = [tmp_path / ".space.json.77-1.part", tmp_path / ".take" / ".owner.json.77-2.part"]
    kept = tmp_path / ".take" / ".id.77-3.part"
    for path in (*gone, kept):
        path.write_text("half")

    assert held(tmp_path) == [1]

    assert not any(path.exists() for path in gone)
    assert kept.exists()
