from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from archive.builders import HASTY, add, fill, finish, open_take
from hydrophone.archive import Trouble, verify_item, write_manifest, write_original

SEQUENCES = [1, 2, 3, 5, 6]


def coverage(segments: int = 5, expected: int = 6) -> dict[str, object]:
    gaps = [{"epoch": 0, "first": 4, "last": 4, "cause": "not found"}]
    return {"schema": 1, "coverage": {"segments": segments, "expected": expected, "gaps": gaps}}


@pytest.fixture
def item(tmp_path: Path) -> Path:
    """A finished item of five segments with one admitted gap."""
    path = tmp_path / "item"
    fill(path, SEQUENCES, size=400)
    (path / "space.json").write_text(json.dumps(coverage()))
    (path / "audio.m4a").write_bytes(random.Random(1).randbytes(900))
    (path / "people.json").write_text('["@mara"]')
    with open_take(path) as take:
        finish(take)
        take.release_media()
    return path


def test_a_good_item_is_intact(item: Path) -> None:
    report = verify_item(item)

    assert report.is_intact
    assert report.is_finished
    assert report.ok == ("audio.m4a", "journal.jsonl", "original.aac", "people.json", "space.json")
    assert (report.segments, report.seconds, report.gaps, report.has_media) == (5, 15.0, 1, True)
    assert report.as_json()["intact"] is True
    assert verify_item(item, is_deep=True).is_intact


def test_a_flipped_bit_in_the_original_names_the_segment(item: Path) -> None:
    flip(item / "original.aac", 2 * 400 + 17, 3)

    report = verify_item(item)
    assert report.damaged == ((0, 3),)
    assert {finding.trouble for finding in report.findings} == {Trouble.CHANGED, Trouble.SEGMENT}
    assert json.loads(json.dumps(report.as_json()))["findings"][1]["sequence"] == 3


def test_a_short_original_names_the_segments_that_are_gone(item: Path) -> None:
    os.truncate(item / "original.aac", 3 * 400 + 10)

    assert set(verify_item(item).damaged) == {(0, 5), (0, 6)}


def test_a_damaged_original_is_repaired_segment_by_segment(item: Path) -> None:
    flip(item / "original.aac", 500, 0)
    flip(item / "original.aac", 1999, 7)
    damaged = verify_item(item).damaged
    with open_take(item) as take:
        assert tuple(take.damaged()) == damaged == ((0, 2), (0, 6))
        for epoch, sequence in damaged:
            take.drop(epoch, sequence, "damaged")
            add(take, sequence, epoch=epoch, size=400)
        finish(take)
        take.release_media()
    assert verify_item(item, is_deep=True).is_intact


def test_a_replaced_original_with_a_fitting_manifest_does_not_fit_the_journal(item: Path) -> None:
    flip(item / "original.aac", 5, 0)
    write_manifest(item)

    assert [finding.trouble for finding in verify_item(item).findings] == [Trouble.CHANGED]
    assert verify_item(item, is_deep=True).damaged == ((0, 1),)


def test_an_unfinished_recording_is_said_to_be_so(tmp_path: Path) -> None:
    fill(tmp_path, [1, 2])
    report = verify_item(tmp_path)
    assert [finding.trouble for finding in report.findings] == [Trouble.UNFINISHED]
    assert (report.is_finished, report.segments) == (False, 2)

    os.truncate(tmp_path / ".take" / "media.log", 70)
    assert Trouble.MISSING in {finding.trouble for finding in verify_item(tmp_path).findings}


def test_media_that_is_kept_does_not_hide_a_damaged_original(item: Path) -> None:
    with open_take(item) as take:
        add(take, 4, size=400)
        take.flush()
        digest = write_original(take, item / "original.aac")
        (item / "space.json").write_text(json.dumps({"coverage": {"segments": 6, "expected": 6, "gaps": []}}))
        write_manifest(item, known={"original.aac": digest.sha256})
    assert verify_item(item).is_intact
    flip(item / "original.aac", 3 * 400 + 1, 1)
    assert verify_item(item).damaged == ((0, 4),)


@pytest.mark.parametrize(
    "claim",
    [
        coverage(segments=6),
        {"coverage": {"segments": 5, "expected": 9, "gaps": []}},
        {"coverage": {"segments": 5, "expected": 6, "gaps": [{"epoch": 0, "first": 3, "last": 4}]}},
    ],
)
def test_a_space_json_that_claims_more_than_is_held_is_found(item: Path, claim: dict[str, object]) -> None:
    (item / "space.json").write_text(json.dumps(claim))
    write_manifest(item)

    assert [finding.trouble for finding in verify_item(item).findings] == [Trouble.COVERAGE]


@pytest.mark.parametrize("name", ["journal.jsonl", "manifest-sha256.txt", "space.json", "original.aac", "audio.m4a"])
@pytest.mark.parametrize("content", [b"", b"\0" * 3000, b"[1,2]\n", b"\xff\xfe"])
def test_verify_never_raises_whatever_a_file_holds(item: Path, name: str, content: bytes) -> None:
    (item / name).write_bytes(content)
    assert not verify_item(item).is_intact


def test_an_empty_or_absent_folder_is_not_intact(tmp_path: Path) -> None:
    assert not verify_item(tmp_path).is_intact
    assert not verify_item(tmp_path / "nowhere").is_intact


# ---------------------------------------------------------------- a thousand corruptions


def flip(path: Path, at: int, bit: int) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1 << bit
    path.write_bytes(raw)


def flip_any(item: Path, dice: random.Random) -> None:
    path = item / dice.choice(sorted(names(item)))
    flip(path, dice.randrange(path.stat().st_size), dice.randrange(8))


def truncate_any(item: Path, dice: random.Random) -> None:
    path = item / dice.choice(sorted(names(item)))
    os.truncate(path, dice.randrange(path.stat().st_size))


def swap_any(item: Path, dice: random.Random) -> None:
    one, other = (item / name for name in dice.sample(sorted(names(item)), 2))
    one.rename(item / "third")
    other.rename(one)
    (item / "third").rename(other)


def lose_any(item: Path, dice: random.Random) -> None:
    (item / dice.choice(sorted(names(item)))).unlink()


def extra_any(item: Path, dice: random.Random) -> None:
    (item / dice.choice(["cover.jpg", "original.ts", "notes.txt", "audio.m4a.bak"])).write_bytes(dice.randbytes(5))


def lengthen_any(item: Path, dice: random.Random) -> None:
    with (item / dice.choice(sorted(names(item)))).open("ab") as file:
        file.write(dice.choice([b"\0", b"\n", dice.randbytes(30)]))


def move_bytes(item: Path, dice: random.Random) -> None:
    path = item / dice.choice(sorted(names(item)))
    raw = path.read_bytes()
    at = dice.randrange(1, len(raw))
    path.write_bytes(raw[at:] + raw[:at])
    if path.read_bytes() == raw:
        flip(path, 0, 0)


def names(item: Path) -> list[str]:
    return [name for name in os.listdir(item) if not name.startswith(".")]


CORRUPTIONS: list[Callable[[Path, random.Random], None]] = [
    flip_any,
    flip_any,
    truncate_any,
    swap_any,
    lose_any,
    extra_any,
    lengthen_any,
    move_bytes,
]


def test_verify_finds_a_thousand_of_a_thousand_corruptions(item: Path, tmp_path: Path) -> None:
    dice = random.Random(20260122)
    missed = []
    for number in range(1000):
        path = tmp_path / "bad"
        shutil.copytree(item, path)
        corrupt = CORRUPTIONS[number % len(CORRUPTIONS)]
        corrupt(path, dice)
        report = verify_item(path)
        if report.is_intact:
            missed.append((number, corrupt.__name__))
        shutil.rmtree(path)
    assert missed == []
    assert verify_item(item).is_intact


def test_a_flipped_bit_in_the_journal_costs_at_most_one_segment(item: Path, tmp_path: Path) -> None:
    size = (item / "journal.jsonl").stat().st_size
    dice = random.Random(3)
    for at in range(0, size, 7):
        path = tmp_path / "bad"
        shutil.copytree(item, path)
        flip(path / "journal.jsonl", at, dice.randrange(8))
        with open_take(path, disk=HASTY) as take:
            assert len(take.index) >= 4
            assert not take.damaged()
        shutil.rmtree(path)


def test_an_original_that_no_line_tells_of_is_set_aside_and_not_overwritten(item: Path) -> None:
    journal = item / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(line for line in lines if b'"seq":3' not in line and b'"original"' not in line))
    old = (item / "original.aac").read_bytes()

    with open_take(item) as take:
        assert len(take.index) == 0
        add(take, 1)
        finish(take)
    assert (item / "original.aac.unreadable-1").read_bytes() == old
