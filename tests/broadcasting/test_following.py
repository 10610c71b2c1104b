"""A recording that is still growing as the source of a broadcast."""

from __future__ import annotations

import time
from array import array
from pathlib import Path

import pytest

from archive.builders import QUIET, finish
from hydrophone.archive import Item, Take
from hydrophone.archive.following import TakeFollower
from hydrophone.broadcasting.sources import HOLE_SECONDS, IDLE_SECONDS, find_source, follow
from hydrophone.errors import NotFoundError, SettingsError
from hydrophone.media.flv import Kind
from hydrophone.media.inputs import ChunkInput, FileInput
from hydrophone.media.playing import Player
from playable_building import adts, payloads, written

TAG = b"ID3\4\0\0\0\0\0\4TAGS"  # what stands before the frames of a segment


def framed(data: bytes) -> list[bytes]:
    """Whole ADTS frames."""
    found, at = [], 0
    while at < len(data):
        size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        found.append(data[at : at + size])
        at += size
    return found


FRAMES = framed(adts(140))


def segment(number: int) -> bytes:
    return b"".join(FRAMES[number * 20 : number * 20 + 20])


def add(take: Take, number: int, *, epoch: int = 0) -> None:
    body = TAG + segment(number)
    sizes = array("H", map(len, FRAMES[number * 20 : number * 20 + 20]))
    take.add_segment(epoch, number, body, frames=sizes, runs=((len(TAG), 20),), duration_seconds=0.43)
    take.flush()


def open_take(path: Path) -> Take:
    Item.create(path, "1hydroPhoneXZ")
    return Take.open(path, create_facts={"space": "1hydroPhoneXZ"}, syncer=QUIET)


def never() -> bool:
    return False


class Hands:
    """A clock whose sleeping does the next thing on a list."""

    def __init__(self, *steps: object) -> None:
        self.steps, self.at = list(steps), 0.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds
        if self.steps:
            step = self.steps.pop(0)
            if isinstance(step, float):
                self.at += step
            else:
                step()  # type: ignore[operator]


def heard(path: Path, hands: Hands, *, from_start: bool = True) -> bytes:
    follower = TakeFollower(path)
    return b"".join(follow(follower, from_start=from_start, stopped=never, sleep=hands.sleep, now=hands.now))


def test_segments_are_heard_as_they_come_and_tags_are_left_out(tmp_path: Path) -> None:
    take = open_take(tmp_path)
    add(take, 0)
    hands = Hands(lambda: add(take, 1), lambda: None, lambda: add(take, 2), take.close)
    assert heard(tmp_path, hands) == segment(0) + segment(1) + segment(2)


def test_it_begins_near_the_live_edge(tmp_path: Path) -> None:
    take = open_take(tmp_path)
    for number in range(6):
        add(take, number)
    assert heard(tmp_path, Hands(take.close), from_start=False) == segment(3) + segment(4) + segment(5)


def test_a_segment_that_comes_late_is_heard_in_its_place(tmp_path: Path) -> None:
    take = open_take(tmp_path)
    add(take, 0)
    add(take, 2)
    hands = Hands(lambda: None, lambda: add(take, 1), take.close)
    assert heard(tmp_path, hands) == segment(0) + segment(1) + segment(2)


def test_a_segment_that_never_comes_is_passed_over(tmp_path: Path) -> None:
    take = open_take(tmp_path)
    add(take, 0)
    add(take, 2)
    hands = Hands(HOLE_SECONDS, lambda: add(take, 3), take.close)
    assert heard(tmp_path, hands) == segment(0) + segment(2) + segment(3)


def test_another_epoch_follows(tmp_path: Path) -> None:
    take = open_take(tmp_path)
    add(take, 0)
    add(take, 1, epoch=1)
    assert heard(tmp_path, Hands(HOLE_SECONDS, take.close)) == segment(0) + segment(1)


def test_an_item_that_is_finished_meanwhile_is_heard_to_its_end(tmp_path: Path) -> None:
    take = open_take(tmp_path)
    for number in range(3):
        add(take, number)

    follower = TakeFollower(tmp_path)
    hands = Hands()
    pieces = follow(follower, from_start=True, stopped=never, sleep=hands.sleep, now=hands.now)
    first = next(pieces)
    finish(take)
    take.release_media()
    take.close()
    follower._files.close()  # as on a system that does not keep removed files readable

    assert first + b"".join(pieces) == segment(0) + segment(1) + segment(2)


def test_a_recording_that_was_killed_ends_after_a_while(tmp_path: Path) -> None:
    take = open_take(tmp_path)
    add(take, 0)
    assert heard(tmp_path, Hands(IDLE_SECONDS)) == segment(0)
    take.close()


def test_a_torn_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    take = open_take(tmp_path)
    add(take, 0)
    add(take, 1)
    journal = tmp_path / "journal.jsonl"
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-20])
    with TakeFollower(tmp_path) as follower:
        follower.poll()
        assert list(follower.keys()) == [(0, 0)]
        journal.write_bytes(whole)
        follower.poll()
        assert list(follower.keys()) == [(0, 0), (0, 1)]
        journal.write_bytes(whole[:-20])  # cut back after a crash
        follower.poll()
        assert list(follower.keys()) == [(0, 0)]
        journal.write_bytes(whole)
    take.close()


def test_a_growing_item_is_found_by_id_and_plays(tmp_path: Path) -> None:
    take = open_take(tmp_path / "@mira" / "Talk")
    for number in range(7):
        add(take, number)
    source = find_source("1hydroPhoneXZ", tmp_path, from_start=True, stopped=never)
    assert isinstance(source, ChunkInput)
    take.close()
    player = Player(source)
    got = [tag.payload for tag in player.tags() if tag.kind is Kind.AUDIO and not tag.is_setup]
    assert got == payloads(adts(140))[:140]


def test_a_finished_item_is_played_from_its_packaged_file(tmp_path: Path) -> None:
    take = open_take(tmp_path / "item")
    add(take, 0)
    finish(take)
    take.close()
    assert find_source(str(tmp_path / "item"), tmp_path, stopped=never) == FileInput(tmp_path / "item/original.aac")
    written(tmp_path / "item", "audio.m4a", b"packaged")
    assert find_source(str(tmp_path / "item"), tmp_path, stopped=never) == FileInput(tmp_path / "item/audio.m4a")


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    open_take(tmp_path / "empty").close()
    (tmp_path / "plain").mkdir()
    with pytest.raises(NotFoundError, match="holds nothing yet"):
        find_source(str(tmp_path / "empty"), tmp_path, stopped=never)
    with pytest.raises(SettingsError, match="no recording"):
        find_source(str(tmp_path / "plain"), tmp_path, stopped=never)
    for text in ("1nothingHereXZ", "a/b.m4a", "\0"):
        with pytest.raises((NotFoundError, SettingsError)):
            find_source(text, tmp_path, stopped=never)


def test_stopping_ends_the_wait_at_once(tmp_path: Path) -> None:
    take = open_take(tmp_path)
    add(take, 0)
    flags = iter([False, True])
    began = time.monotonic()
    pieces = follow(TakeFollower(tmp_path), from_start=True, stopped=lambda: next(flags))
    assert list(pieces) == [segment(0)]
    assert time.monotonic() - began < 5
    take.close()
