"""Where an instant lies in a whole recording: gaps, a host who was away, sessions, wraps, wrong clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio_building import EXPECTED, SEGMENT_7, sample
from counting import executed_lines
from hydrophone.audio import MediaClock, Trust, first_ticks, ntp64_to_unix_us, unix_us_to_ticks
from hydrophone.audio.clock import FIRST_TAG_DELAY_US, from_unix_us

ZERO = 1_772_564_403_400_000
LENGTH = 141 * 1024 / 48_000
WRAP = 1_772_636_770_827_378  #: the ticks begin anew here


def at(unix_us: float) -> datetime:
    found = from_unix_us(round(unix_us))
    assert found is not None
    return found


def clock_of(*segments: tuple[float, float], **more: Any) -> MediaClock:
    """Segments by position and instant, both in seconds; instants count from the zero of the scene."""
    clock = MediaClock()
    for position, instant in segments:
        unix_us = ZERO + round(instant * 1e6)
        clock.add(position, LENGTH, ticks=unix_us_to_ticks(unix_us), hint_at=at(unix_us - 5_600_000), **more)
    return clock


def where(clock: MediaClock, instant: float, **more: Any) -> float:
    found = clock.position(ZERO + round(instant * 1e6), **more)
    assert found is not None
    return found.seconds


def run(count: int, *, position: float = 0.0, instant: float = 0.0) -> list[tuple[float, float]]:
    return [(position + number * LENGTH, instant + number * LENGTH) for number in range(count)]


def test_the_worked_example_of_the_reference() -> None:
    clock = MediaClock()
    hint = datetime(2026, 3, 3, 19, 0, 24, 415_000, tzinfo=UTC)
    clock.add(985 * 1024 / 48_000, 140 * 1024 / 48_000, ticks=first_ticks(sample(SEGMENT_7)), hint_at=hint)

    found = clock.position(ntp64_to_unix_us(17100640891325319608))

    assert found is not None
    assert found.seconds == pytest.approx(22.220957, abs=12e-6)
    assert found.is_in_media
    assert not found.is_approximate


def test_every_sample_segment_agrees_with_the_clock_of_the_scene() -> None:
    clock = MediaClock()
    for name, facts in sorted(EXPECTED["files"].items(), key=lambda item: item[1].get("sequence", -1)):
        if not name.startswith("chunk"):
            continue
        clock.add(
            facts["start_seconds"],
            facts["adts_frames"] * 1024 / 48_000,
            ticks=first_ticks(sample(name)),
            hint_at=at(ZERO),
        )

    for seconds in (0.5, 4.0, 16.0, 20.0, 22.2, 25.0, 172.0, 299.0):
        assert where(clock, seconds) == pytest.approx(seconds, abs=30e-6)
        back = clock.instant(seconds)
        assert back is not None
        assert abs(back - ZERO - seconds * 1e6) <= 30


def test_positions_and_instants_are_each_others_way_back() -> None:
    clock = clock_of(*run(20))

    for seconds in (0.0, 3.1, 30.0, 59.9):
        instant = clock.instant(seconds)
        assert instant is not None
        found = clock.position(instant)
        assert found is not None
        assert found.seconds == pytest.approx(seconds, abs=2e-6)


def test_before_and_after_the_recording_positions_run_on() -> None:
    clock = clock_of(*run(3))

    before, after = clock.position(ZERO - 2_000_000), clock.position(ZERO + 60_000_000)
    assert before is not None
    assert after is not None
    assert (round(before.seconds, 3), before.is_in_media) == (-2.0, False)
    assert (round(after.seconds, 3), after.is_in_media) == (60.0, False)


def test_an_event_within_a_gap_lies_in_the_silence_that_stands_for_it() -> None:
    clock = clock_of(*run(2), *run(2, position=10 * LENGTH, instant=10 * LENGTH))

    found = clock.position(ZERO + 15_000_000)
    assert found is not None
    assert found.seconds == pytest.approx(15.0, abs=1e-4)
    assert not found.is_in_media
    assert not found.is_approximate


def test_while_the_host_is_away_everything_happens_at_the_seam() -> None:
    clock = clock_of(*run(4), *run(4, position=4 * LENGTH, instant=4 * LENGTH + 2400.0))

    during = clock.position(ZERO + 600_000_000)
    assert during is not None
    assert during.seconds == pytest.approx(4 * LENGTH, abs=1e-4)
    assert (during.is_in_media, during.is_approximate) == (False, True)
    assert where(clock, 4 * LENGTH + 2400.0 + 5.0) == pytest.approx(4 * LENGTH + 5.0, abs=1e-4)
    assert clock.sessions == 2


def test_a_clock_set_back_by_hours_is_told_apart_by_when_things_reached_us() -> None:
    first = run(200)
    second = run(200, position=200 * LENGTH, instant=300.0)  # ten minutes in, the clock says five
    clock = MediaClock()
    for position, instant in [*first, *second]:
        unix_us = ZERO + round(instant * 1e6)
        clock.add(position, LENGTH, ticks=unix_us_to_ticks(unix_us), hint_at=at(ZERO + position * 1e6))

    early, late = ZERO + 400_000_000, ZERO + 200 * LENGTH * 1e6 + 100_000_000
    assert where(clock, 400.0, near_us=early) == pytest.approx(400.0, abs=1e-4)
    assert where(clock, 400.0, near_us=round(late)) == pytest.approx(200 * LENGTH + 100.0, abs=1e-4)
    assert clock.sessions == 2


def test_the_ticks_may_wrap_in_the_middle() -> None:
    clock = MediaClock()
    start = WRAP - 5_000_000
    for number in range(4):
        unix_us = start + round(number * LENGTH * 1e6)
        clock.add(number * LENGTH, LENGTH, ticks=unix_us_to_ticks(unix_us), hint_at=at(unix_us - 6_000_000))

    for lapse in (0.0, 4.0, 6.5, 11.0):
        found = clock.position(start + round(lapse * 1e6))
        assert found is not None
        assert found.seconds == pytest.approx(lapse, abs=30e-6)


def test_without_a_hint_the_segment_before_or_the_start_of_the_space_tells_the_day() -> None:
    clock = MediaClock(started_at=at(ZERO - 3_600_000_000))
    for number in range(3):
        clock.add(number * LENGTH, LENGTH, ticks=unix_us_to_ticks(ZERO + round(number * LENGTH * 1e6)))

    assert where(clock, 7.0) == pytest.approx(7.0, abs=30e-6)


def test_a_space_of_three_days_keeps_its_days_apart() -> None:
    clock = MediaClock(started_at=at(ZERO))
    for number in range(0, 90_000, 100):
        position = number * LENGTH
        clock.add(position, LENGTH, ticks=unix_us_to_ticks(ZERO + round(position * 1e6)))

    for seconds in (10.0, 100_000.0, 200_000.0, 270_000.0):
        assert where(clock, seconds) == pytest.approx(seconds, abs=1e-3)


# ---------------------------------------------------------------- when stamps are missing


def test_the_first_tag_stands_in_for_a_stamp() -> None:
    clock = MediaClock()
    clock.add(0.0, LENGTH, tag_unix_us=ZERO + FIRST_TAG_DELAY_US + 1_000_000, tag_after_seconds=1.0)

    assert where(clock, 2.0) == pytest.approx(2.0, abs=1e-6)
    assert clock.trust(0) is Trust.TAG


def test_a_segment_without_any_clock_lies_between_its_neighbours() -> None:
    clock = MediaClock()
    for number in range(5):
        stamped = number in (0, 4)
        unix_us = ZERO + round(number * LENGTH * 1e6)
        clock.add(
            number * LENGTH,
            LENGTH,
            ticks=unix_us_to_ticks(unix_us) if stamped else None,
            # A name tells the time of writing, six seconds off: not to be used while there is better.
            hint_at=at(unix_us - 6_000_000),
        )

    found = clock.position(ZERO + 7_000_000)
    assert found is not None
    assert found.seconds == pytest.approx(7.0, abs=1e-3)
    assert not found.is_approximate
    assert clock.trust(2) is Trust.NEIGHBOURS


def test_names_alone_give_positions_that_are_marked() -> None:
    clock = MediaClock()
    for number in range(3):
        clock.add(number * LENGTH, LENGTH, hint_at=at(ZERO + number * LENGTH * 1e6))

    found = clock.position(ZERO + 5_000_000)
    assert found is not None
    assert found.seconds == pytest.approx(5.0, abs=1e-3)
    assert found.is_approximate
    assert clock.trust(1) is Trust.HINT


def test_without_any_clock_nothing_has_a_position() -> None:
    clock = MediaClock()
    assert clock.position(ZERO) is None
    clock.add(0.0, LENGTH)
    assert clock.position(ZERO) is None
    assert clock.instant(1.0) is None
    assert clock.sessions == 1


# ---------------------------------------------------------------- anything


@given(
    st.lists(
        st.tuples(st.integers(0, 2**33 - 1) | st.none(), st.integers(-(10**7), 10**7), st.booleans()), max_size=12
    ),
    st.integers(-(10**14), 10**14),
)
@settings(max_examples=200, deadline=None)
def test_any_stamps_give_a_finite_answer(segments: list[tuple[int | None, int, bool]], event: int) -> None:
    clock = MediaClock(started_at=at(ZERO))
    for number, (ticks, shift, has_hint) in enumerate(segments):
        hint = at(ZERO) + timedelta(seconds=shift) if has_hint else None
        clock.add(number * LENGTH, LENGTH, ticks=ticks, hint_at=hint)

    found = clock.position(ZERO + event, near_us=ZERO)
    assert found is None or abs(found.seconds) < 10**9
    instant = clock.instant(4.0)
    assert instant is None or isinstance(instant, int)


def test_a_question_costs_no_more_in_a_long_recording() -> None:
    short, long = clock_of(*run(200)), clock_of(*run(4_000))
    for clock in (short, long):
        clock.position(ZERO)

    def cost(clock: MediaClock) -> int:
        return executed_lines(lambda: [clock.position(ZERO + n * 1_000_000) for n in range(100)])

    assert cost(long) <= cost(short) * 1.2
