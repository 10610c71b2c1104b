"""Sets of numbers against Python's own sets."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from hydrophone.hls import NumberSet

numbers = st.integers(min_value=0, max_value=60)
changes = st.lists(st.one_of(numbers, st.tuples(numbers, numbers)), max_size=40)


def build(steps: list[int | tuple[int, int]]) -> tuple[NumberSet, set[int]]:
    ours, theirs = NumberSet(), set[int]()
    for step in steps:
        if isinstance(step, tuple):
            ours.add_range(*step)
            theirs |= set(range(step[0], step[1] + 1))
        else:
            assert ours.add(step) == (step not in theirs)
            theirs.add(step)
    return ours, theirs


@given(changes)
@settings(deadline=None)
def test_number_set_holds_what_a_set_holds(steps: list[int | tuple[int, int]]) -> None:
    ours, theirs = build(steps)

    assert list(ours) == sorted(theirs)
    assert len(ours) == len(theirs)
    assert bool(ours) == bool(theirs)
    assert all((number in ours) == (number in theirs) for number in range(-1, 63))
    assert (ours.lowest, ours.highest) == ((min(theirs), max(theirs)) if theirs else (None, None))
    assert ours == NumberSet(theirs)


@given(changes)
@settings(deadline=None)
def test_ranges_neither_touch_nor_overlap(steps: list[int | tuple[int, int]]) -> None:
    ranges = build(steps)[0].ranges()

    assert all(earlier.stop < later.start for earlier, later in itertools.pairwise(ranges))


@given(changes, numbers, numbers)
@settings(deadline=None)
def test_missing_and_held_make_up_the_whole(steps: list[int | tuple[int, int]], first: int, last: int) -> None:
    ours, theirs = build(steps)

    missing = [number for hole in ours.missing(first, last) for number in hole]

    assert missing == [number for number in range(first, last + 1) if number not in theirs]


def test_a_whole_recording_costs_one_range() -> None:
    held = NumberSet(range(57_600))

    assert held.ranges() == [range(57_600)]


def test_holes_of_an_absurd_size_are_named_without_being_counted_through() -> None:
    held = NumberSet([3, 2**52])

    assert held.missing(0, 2**52) == [range(3), range(4, 2**52)]


def test_number_set_shows_ranges_and_knows_no_strangers() -> None:
    held = NumberSet([1, 2, 3, 7])

    assert repr(held) == "NumberSet(1-3, 7-7)"
    assert "3" not in held
    assert held != {1, 2, 3, 7}
    assert repr(NumberSet(range(0, 100, 2))).endswith("…)")
