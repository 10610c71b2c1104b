"""Times and sizes as people read them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.render import times


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (3.99, "0:03"),
        (60, "1:00"),
        (3599.9, "59:59"),
        (3723, "1:02:03"),
        (360_000, "100:00:00"),
        (-61, "-1:01"),
        (-0.5, "0:00"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert times.duration_text(seconds) == text


@pytest.mark.parametrize("odd", [None, math.nan, math.inf])
def test_what_is_unknown_shows_as_a_question_mark(odd: float | None) -> None:
    assert times.duration_text(odd) == times.size_text(odd) == times.rate_text(odd) == times.bitrate_text(odd) == "?"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1500, "1.5 kB"),
        (99_949, "99.9 kB"),
        (99_960, "100 kB"),
        (999_600, "1.0 MB"),
        (340e6, "340 MB"),
        (2.5e9, "2.5 GB"),
        (9e18, "9000 PB"),
        (-1500, "-1.5 kB"),
    ],
)
def test_sizes(size: float, text: str) -> None:
    assert times.size_text(size) == text


def test_rates_and_speeds() -> None:
    assert times.rate_text(1_500_000) == "1.5 MB/s"
    assert times.bitrate_text(128_000) == "128 kbit/s"
    assert times.speed_text(7200, 3) == "2400x"
    assert times.speed_text(5, 2) == "2.5x"
    assert times.speed_text(5, 0) == "?"


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "100 %"), (0.99999, "99.99 %"), (0.5, "50.00 %"), (0.0, "0.00 %"), (-1.0, "0.00 %")]
)
def test_only_what_is_whole_is_a_hundred_per_cent(share: float, text: str) -> None:
    assert times.share_text(share) == text


def test_cue_times() -> None:
    assert times.cue_time(3723.4567) == "01:02:03.457"
    assert times.cue_time(0.9999, decimal=",") == "00:00:01,000"
    assert times.cue_time(-5) == "00:00:00.000"


def test_instants_are_utc_to_the_millisecond() -> None:
    there = timezone(timedelta(hours=2))
    assert times.instant_text(datetime(2026, 1, 22, 20, 0, tzinfo=there)) == "2026-01-22T18:00:00Z"
    assert times.instant_text(datetime(2026, 1, 22, 18, 0, 0, 123_999, tzinfo=UTC)) == "2026-01-22T18:00:00.123Z"
    assert times.date_text(datetime(2026, 1, 22, 0, 30, tzinfo=there)) == "2026-01-21"
    assert times.date_text(None) == ""


@given(st.datetimes(timezones=st.just(UTC)))
def test_instants_can_be_read_back(moment: datetime) -> None:
    read = datetime.fromisoformat(times.instant_text(moment))

    assert timedelta(0) <= moment - read < timedelta(milliseconds=1)
