"""Broken clocks become one rising line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hydrophone.media.timeline import Timeline

SECOND = 90_000


def timeline() -> Timeline:
    return Timeline(max_jump=10 * SECOND, max_back=SECOND // 2)


def test_a_healthy_stream_begins_at_zero_and_keeps_its_steps() -> None:
    line = timeline()

    placed = [line.place(0, 5 * SECOND + n * 3000, 5 * SECOND + n * 3000 + 6000, 3000) for n in range(4)]

    assert placed == [(n * 3000, n * 3000 + 6000) for n in range(4)]
    assert (line.jumps, line.repaired) == (0, 0)


def test_sound_keeps_its_distance_from_the_picture() -> None:
    line = timeline()

    assert line.place(0, 900_000, 900_000, 3000) == (0, 0)
    assert line.place(1, 904_500, 904_500, 1920) == (4500, 4500)


def test_a_new_clock_goes_on_where_the_old_one_ended_for_both_streams() -> None:
    line = timeline()
    for n in range(10):
        line.place(0, n * 3000, n * 3000, 3000)
        line.place(1, n * 3000, n * 3000, 3000)

    assert line.place(0, 500 * SECOND, 500 * SECOND, 3000) == (30_000, 30_000)
    assert line.place(1, 30_000, 30_000, 3000) == (30_000, 30_000)  # sound of the old clock that comes late
    assert line.place(1, 500 * SECOND + 4000, 500 * SECOND + 4000, 3000)[0] == 34_000
    assert line.place(0, 500 * SECOND + 3000, 500 * SECOND + 3000, 3000) == (33_000, 33_000)
    assert line.jumps == 1


def test_a_clock_that_starts_again_from_zero_goes_on() -> None:
    line = timeline()
    for n in range(100):
        line.place(0, 95_000 * SECOND + n * 3000, 95_000 * SECOND + n * 3000, 3000)

    assert line.place(0, 0, 0, 3000) == (300_000, 300_000)


def test_a_short_absence_keeps_its_length() -> None:
    line = timeline()
    line.place(0, 0, 0, 3000)

    assert line.place(0, 8 * SECOND, 8 * SECOND, 3000) == (8 * SECOND, 8 * SECOND)
    assert line.jumps == 0


def test_a_little_disorder_is_repaired() -> None:
    line = timeline()
    line.place(0, 3000, 3000, 3000)

    assert line.place(0, 3000, 3000, 3000) == (1, 1)
    assert line.place(0, 2000, 2000, 3000) == (2, 2)
    assert line.repaired == 2


def test_an_absurd_distance_of_presentation_is_dropped() -> None:
    line = timeline()

    assert line.place(0, 0, -5, 3000) == (0, 0)
    assert line.place(0, 3000, 1 << 40, 3000) == (3000, 3000)


TICKS = st.integers(-(1 << 34), 1 << 34)


@given(st.lists(st.tuples(st.integers(0, 1), TICKS, TICKS, st.integers(-5, 1 << 34)), max_size=60))
def test_whatever_comes_decoding_times_rise(packets: list[tuple[int, int, int, int]]) -> None:
    line = timeline()
    last = {0: -1 << 62, 1: -1 << 62}

    for stream, dts, pts, duration in packets:
        at, shown = line.place(stream, dts, pts, duration)
        assert at > last[stream]
        assert shown >= at
        last[stream] = at
