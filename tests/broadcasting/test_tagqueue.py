"""What waits for a target: bounded, and only ever begun again with a key frame."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from hydrophone.broadcasting.backoff import Backoff
from hydrophone.broadcasting.feed import Pacer
from hydrophone.broadcasting.tagqueue import TagQueue
from hydrophone.media.flv import Kind, Tag


def picture(at_ms: int, *, key: bool = False) -> Tag:
    return Tag(Kind.VIDEO, at_ms, bytes([0x17 if key else 0x27, 1, 0, 0, 0]) + b"picture")


def sound(at_ms: int) -> Tag:
    return Tag(Kind.AUDIO, at_ms, b"\xaf\x01sound")


def drained(queue: TagQueue) -> list[Tag]:
    found = []
    while (tag := queue.take()) is not None:
        found.append(tag)
    return found


def test_a_queue_that_was_open_from_the_start_loses_nothing() -> None:
    queue = TagQueue(1000)
    queue.open()
    tags = [sound(0), picture(0, key=True), sound(20), picture(100)]
    for tag in tags:
        queue.put(tag)
    assert drained(queue) == tags
    assert queue.missed_ms == 0


def test_a_slow_target_loses_the_oldest_up_to_a_key_frame() -> None:
    queue = TagQueue(1000)
    queue.open()
    for at in range(0, 1200, 100):
        queue.put(picture(at, key=at in (0, 600)))
    assert [tag.at_ms for tag in drained(queue)] == [600, 700, 800, 900, 1000, 1100]
    assert queue.missed_ms == 600


def test_without_a_key_frame_to_go_on_with_all_is_dropped_until_one_comes() -> None:
    queue = TagQueue(1000)
    queue.open()
    for at in range(0, 1200, 100):
        queue.put(picture(at, key=at == 0))
    queue.put(sound(1200))
    queue.put(picture(1300, key=True))
    queue.put(sound(1310))
    assert [tag.at_ms for tag in drained(queue)] == [1300, 1310]
    assert queue.missed_ms == 1300


def test_after_a_loss_it_goes_on_with_a_key_frame_and_knows_what_was_missed() -> None:
    queue = TagQueue(10_000)
    queue.open()
    for at in range(0, 500, 100):
        queue.put(picture(at, key=at == 0))
    queue.reset(200)  # the rest was lost on the way
    queue.put(picture(500))
    queue.open()
    queue.put(sound(600))
    queue.put(picture(700))
    queue.put(picture(800, key=True))
    assert [tag.at_ms for tag in drained(queue)] == [800]
    assert queue.missed_ms == 600


def test_what_a_device_says_before_the_first_connection_is_not_missed() -> None:
    queue = TagQueue(10_000, counts_start=False)
    queue.put(sound(0))
    queue.open()
    queue.put(picture(500))
    queue.put(picture(1000, key=True))
    assert queue.missed_ms == 0
    queue.reset(1000)
    queue.close(3000)
    assert queue.missed_ms == 2000


def test_what_is_lost_until_the_end_is_missed() -> None:
    queue = TagQueue(1000)
    queue.put(sound(0))
    queue.put(sound(900))
    queue.close(1000)
    assert queue.missed_ms == 1000


@given(st.lists(st.tuples(st.sampled_from(["put", "key", "sound", "take", "open", "reset"]), st.integers(1, 400))))
def test_a_queue_is_bounded_and_begins_anew_with_a_key_frame_only(steps: list[tuple[str, int]]) -> None:
    queue, at, needs_key, taken = TagQueue(1000), 0, False, -1
    queue.open()
    for step, ahead in steps:
        at += ahead
        if step == "open":
            queue.open()
        elif step == "reset":
            queue.reset(at)
            needs_key = True
        elif step == "take":
            tag = queue.take()
            if tag is not None:
                assert tag.at_ms > taken
                assert tag.is_key or not needs_key
                taken, needs_key = tag.at_ms, False
        else:
            queue.put(sound(at) if step == "sound" else picture(at, key=step == "key"))
        assert queue.missed_ms <= at
    waiting = drained(queue)
    assert not waiting or waiting[-1].at_ms - waiting[0].at_ms <= 1000


def test_waits_grow_differ_and_are_short_again_after_a_good_while() -> None:
    backoff = Backoff(first=1.0, most=30.0, chance=random.Random(7))
    waits = [backoff.after(0) for _ in range(10)]
    assert all(low / 2 <= wait <= low for wait, low in zip(waits, (1, 2, 4, 8, 16, 30, 30, 30, 30, 30), strict=True))
    assert len(set(waits)) == 10
    assert backoff.after(60.0) <= 1.0


def test_frames_are_due_by_their_times() -> None:
    pacer = Pacer()
    assert pacer.wait(0, 100.0) == 0
    assert round(pacer.wait(500, 100.1), 6) == 0.4
    assert pacer.wait(510, 100.5) == 0  # near enough
    assert Pacer(speed=4).wait(0, 5.0) == 0


def test_what_comes_too_late_moves_the_plan_instead_of_making_a_burst() -> None:
    pacer = Pacer()
    pacer.wait(0, 100.0)
    assert pacer.wait(1000, 130.0) == 0
    assert round(pacer.wait(3000, 130.5), 6) == 1.5
