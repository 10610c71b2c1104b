"""The clock in its three spellings, against the worked vectors."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio_building import VECTORS
from hydrophone.audio import (
    TICK_PERIOD,
    TICKS_PER_FRAME,
    NtpReading,
    event_position_seconds,
    ntp64_to_unix_us,
    read_ntp_seconds,
    ticks_between,
    ticks_to_instant,
    ticks_to_unix_us,
    unix_us_to_ntp64,
    unix_us_to_ticks,
    unwrap_ticks,
)
from hydrophone.audio.clock import from_unix_us, to_unix_us

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
micros = st.integers(0, 4_085_978_400 * 10**6)  # until mid-2099


def at(unix_us: int) -> datetime:
    return EPOCH + timedelta(microseconds=unix_us)


@pytest.mark.parametrize("vector", VECTORS["ntp"])
def test_one_instant_in_all_spellings(vector: dict[str, Any]) -> None:
    unix_us = vector["unix_us"]

    assert unix_us_to_ntp64(unix_us) == int(vector["ntp64"]) == int(vector["ntp64_hex"], 16)
    assert ntp64_to_unix_us(int(vector["ntp64"])) == unix_us
    assert unix_us_to_ticks(unix_us) == vector["priv_ticks"]
    assert read_ntp_seconds(vector["ntp_seconds"]) == NtpReading(unix_us)


@pytest.mark.parametrize("case", VECTORS["unwrap"]["cases"], ids=lambda case: case["what"])
def test_ticks_are_unwrapped_by_the_hint(case: dict[str, Any]) -> None:
    total = unwrap_ticks(case["ticks"], at(case["hint_unix_us"]))

    assert total == case["ticks_total"]
    assert total // TICK_PERIOD == case["wraps"]
    assert ticks_to_unix_us(total) == case["unix_us"]
    assert ticks_to_instant(case["ticks"], at(case["hint_unix_us"])) == at(case["unix_us"])


def test_caption_of_the_worked_example_falls_into_its_frame() -> None:
    hint = datetime(2026, 3, 3, 19, 0, 24, 415000, tzinfo=UTC)
    segment_us = ticks_to_unix_us(unwrap_ticks(2078757327, hint))
    event_us = ntp64_to_unix_us(17100640891325319608)

    assert segment_us == 1772564424413322
    assert event_us == 1772564425620957
    position = event_position_seconds(event_us, segment_us, 985)
    assert position == pytest.approx(22.220957, abs=12e-6)
    assert int(position * 48_000 / 1024) == 1041


def test_event_before_the_recording_has_a_negative_position() -> None:
    assert event_position_seconds(1_000_000, 3_000_000, 0) == -2.0


@given(micros, st.integers(-46_000, 46_000))
@settings(deadline=None)
def test_any_hint_within_twelve_hours_gives_the_same_instant(unix_us: int, hours_off: int) -> None:
    instant = ticks_to_instant(unix_us_to_ticks(unix_us), at(unix_us) + timedelta(seconds=hours_off))

    assert abs(to_unix_us(instant) - unix_us) <= 12


@given(micros)
@settings(deadline=None)
def test_ntp64_there_and_back_is_the_same_microsecond(unix_us: int) -> None:
    assert ntp64_to_unix_us(unix_us_to_ntp64(unix_us)) == unix_us


def test_second_era_begins_in_2036() -> None:
    assert ntp64_to_unix_us(0) == to_unix_us(datetime(2036, 2, 7, 6, 28, 16, tzinfo=UTC))
    assert read_ntp_seconds("1") == NtpReading(to_unix_us(datetime(2036, 2, 7, 6, 28, 17, tzinfo=UTC)))


def test_bits_above_the_thirty_three_are_dropped() -> None:
    hint = datetime(2026, 3, 3, 19, tzinfo=UTC)

    assert unwrap_ticks(2078757327 | 0b101 << 33, hint) == unwrap_ticks(2078757327, hint)


def test_instant_out_of_the_calendar_is_none() -> None:
    assert from_unix_us(10**30) is None
    assert ticks_to_instant(5, datetime.min.replace(tzinfo=UTC)).year == 1


def test_ticks_between_two_stamps_cross_the_wrap() -> None:
    assert ticks_between(TICK_PERIOD - 100, 92) == 192
    assert ticks_between(92, TICK_PERIOD - 100) == -192
    assert ticks_between(7, 7) == 0
    assert TICKS_PER_FRAME * 48_000 == 1024 * 90_000


@pytest.mark.parametrize(
    "text",
    ["", "nan", "inf", "1e400", "-1", "3981553224,446", "٣٩٨١٥٥٣٢٢٤", "0x1", "9" * 5000, "9999999999999999", "1."],
)
def test_text_that_is_no_clock_is_none(text: str) -> None:
    assert read_ntp_seconds(text) is None


@pytest.mark.parametrize("text", ["1772564424.446", "1772564424446", "3981553224446"])
def test_other_units_are_recognised_and_marked(text: str) -> None:
    reading = read_ntp_seconds(text)

    assert reading is not None
    assert reading.is_corrected
    assert reading.unix_us == 1772564424446000


@given(st.text(max_size=30))
@settings(deadline=None)
def test_no_text_raises(text: str) -> None:
    read_ntp_seconds(text)


@given(st.integers(2_300_000_000, 4_294_967_295), st.integers(0, 999_999))
@settings(deadline=None)
def test_decimal_text_is_read_without_rounding(seconds: int, micro: int) -> None:
    reading = read_ntp_seconds(f"{seconds}.{micro:06}")

    assert reading is not None
    assert reading.unix_us == int((Decimal(f"{seconds}.{micro:06}") - 2_208_988_800) * 10**6)
