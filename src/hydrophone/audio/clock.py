"""The one clock behind a Space in its three spellings, in whole numbers only.

NTP seconds since 1900 as text (TIT3), the same times 90,000 in 33 bits (PRIV), and 64 bits with a binary fraction
(chat). Thirty-three bits repeat every 26.5 hours, so a hint within 13 hours is needed to know which day is meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

TICKS_PER_SECOND = 90_000
TICK_BITS = 33
TICK_PERIOD = 1 << TICK_BITS
TICKS_PER_FRAME = 1920  #: of 1024 samples at 48 kHz, exactly
UNIX_EPOCH_IN_NTP_SECONDS = 2_208_988_800
#: How much later than the first frame of a segment the service stamps the first tag with people in it.
FIRST_TAG_DELAY_US = 34_000

_MILLION = 1_000_000
_OFFSET_US = UNIX_EPOCH_IN_NTP_SECONDS * _MILLION
_ERA_US = 2**32 * _MILLION
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NTP_TEXT = re.compile(r"([0-9]{1,16})(?:\.([0-9]{1,40}))?")


def to_unix_us(at: datetime) -> int:
    """Microseconds since 1970 of an aware instant, exactly."""
    return (at - _EPOCH) // _MICROSECOND


def from_unix_us(unix_us: int) -> datetime | None:
    """The instant; None where it lies outside of what a calendar can say."""
    try:
        return _EPOCH + timedelta(microseconds=unix_us)
    except OverflowError:
        return None


def _in_era(unix_us: int) -> int:
    """NTP seconds start at 0 again on 2036-02-07; nothing here was recorded before 1970."""
    return unix_us + _ERA_US if unix_us < 0 else unix_us


# ---------------------------------------------------------------- 33-bit ticks


def unix_us_to_ticks(unix_us: int) -> int:
    """The 33-bit ticks that the service writes for this instant."""
    return (unix_us + _OFFSET_US) * 9 // 100 % TICK_PERIOD


def unwrap_ticks(ticks: int, hint_at: datetime) -> int:
    """The ticks since 1900 that lie nearest to the hint. Bits above the 33 are dropped."""
    ticks %= TICK_PERIOD
    hint_ticks = (to_unix_us(hint_at) + _OFFSET_US) * 9 // 100
    wraps = (hint_ticks - ticks + TICK_PERIOD // 2) // TICK_PERIOD
    return wraps * TICK_PERIOD + ticks


def ticks_to_unix_us(total_ticks: int) -> int:
    """Microseconds since 1970 of ticks since 1900; the resolution is 11.2 µs."""
    return total_ticks * 100 // 9 - _OFFSET_US


def ticks_to_instant(ticks: int, hint_at: datetime) -> datetime:
    """The instant that 33-bit ticks mean, near the hint: PROGRAM-DATE-TIME, the time in the name, a neighbour."""
    at = from_unix_us(ticks_to_unix_us(unwrap_ticks(ticks, hint_at)))
    return hint_at if at is None else at


def ticks_between(before: int, after: int) -> int:
    """From one 33-bit stamp to a later one; negative when `after` is the earlier of the two. At most 13 hours."""
    half = TICK_PERIOD // 2
    return (after - before + half) % TICK_PERIOD - half


# ---------------------------------------------------------------- 64-bit NTP


def ntp64_to_unix_us(value: int) -> int:
    """Microseconds since 1970 of a 64-bit NTP time. Convert at once: the value does not fit into signed 64 bits."""
    value %= 2**64
    return _in_era((value * _MILLION >> 32) - _OFFSET_US)


def unix_us_to_ntp64(unix_us: int) -> int:
    """The 64-bit NTP time whose way back gives the same microsecond."""
    return -(-((unix_us + _OFFSET_US) << 32) // _MILLION) % 2**64


# ---------------------------------------------------------------- NTP seconds as text


@dataclass(frozen=True, slots=True)
class NtpReading:
    """An instant read from text. `is_corrected` is True when it was written in another unit than NTP seconds."""

    unix_us: int
    is_corrected: bool = False


def read_ntp_seconds(text: str) -> NtpReading | None:
    """The instant that NTP seconds in decimal text mean; None for text that is no such number.

    Seconds since 1970 and milliseconds have been seen in their place, and are told apart by their size.
    """
    match = _NTP_TEXT.fullmatch(text.strip())
    if match is None:
        return None
    us = int(match[1]) * _MILLION + int((match[2] or "")[:6].ljust(6, "0"))
    is_corrected = False
    if us >= 10**11 * _MILLION:  # milliseconds: as seconds it would be the year 5068
        us //= 1000
        is_corrected = True
    if us >= 10**11 * _MILLION:
        return None
    # NTP seconds of today are 3.9e9 and Unix seconds 1.8e9. Small numbers belong to the era after 2036.
    if 10**9 * _MILLION <= us < 2_200_000_000 * _MILLION:
        return NtpReading(us, is_corrected=True)
    return NtpReading(_in_era(us - _OFFSET_US), is_corrected)


# ---------------------------------------------------------------- positions


def event_position_seconds(event_unix_us: int, segment_unix_us: int, frames_before: int, rate: int = 48_000) -> float:
    """Where in the recording an event lies, by the segment it falls into.

    `segment_unix_us` is the segment's own clock, `frames_before` all frames before it, inserted silence included.
    Negative before the first segment. Anchor each segment for itself: while a host is away the clock runs on and the
    frames do not.
    """
    return frames_before * 1024 / rate + (event_unix_us - segment_unix_us) / _MILLION
