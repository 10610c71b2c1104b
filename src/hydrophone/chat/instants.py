"""When a chat message belongs, by whichever of its many clocks can be trusted.

The clock of the audio (64-bit NTP) is best; third-party hosts send nonsense in its place, and the service passes it on.
So an NTP value counts only within six hours of the server's own time stamp.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hydrophone.audio.clock import ntp64_to_unix_us, to_unix_us
from hydrophone.http.reading import Node

PLAUSIBLE_US = 6 * 3600 * 1_000_000
#: Medians of a real capture: by how much the audio's instant lies after the arrival of a caption, or before an event's.
CAPTION_DELAY_US = 200_000
EVENT_DELAY_US = -430_000
_NTP_FIELDS = ("ntpForLiveFrame", "ntpForBroadcasterFrame")
# Where nothing else tells, an instant must at least lie in the life of the service.
_EARLIEST_US = to_unix_us(datetime(2014, 1, 1, tzinfo=UTC))
_LATEST_US = to_unix_us(datetime(2100, 1, 1, tzinfo=UTC))
_MAX_NUMBER = 2**64


def read_number(value: Any) -> int | None:
    """A whole number out of an integer, a decimal text or a float; None for anything else, and below 1."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip()
        if not (text.isascii() and text.isdigit() and len(text) <= 20):
            return None
        value = int(text)
    elif isinstance(value, float):
        if not 0 < value < _MAX_NUMBER:  # also false for NaN
            return None
        value = int(value)
    return value if isinstance(value, int) and 0 < value < _MAX_NUMBER else None


def read_nanoseconds(value: Any) -> int | None:
    """Nanoseconds since 1970 of a time stamp in seconds, milliseconds, microseconds or nanoseconds, by its size."""
    number = read_number(value)
    if number is None:
        return None
    for limit, factor in ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3)):
        if number < limit:
            return number * factor
    return number


def read_audio_instant(body: Mapping[str, Any], near_ns: int | None) -> int | None:
    """The instant in the audio, in microseconds since 1970; None where no field holds a plausible one.

    Args:
        near_ns: when the message was sent, by the server.
    """
    for name in _NTP_FIELDS:
        number = read_number(body.get(name))
        if number is not None and is_plausible(unix_us := ntp64_to_unix_us(number), near_ns):
            return unix_us
    text = body.get("programDateTime")
    at = Node(text).instant() if isinstance(text, str) else None
    if at is not None and is_plausible(unix_us := to_unix_us(at), near_ns):
        return unix_us
    return None


def is_plausible(unix_us: int, near_ns: int | None) -> bool:
    """May an instant of the audio be true, seen from when the message was sent?"""
    if near_ns is None:
        return _EARLIEST_US <= unix_us < _LATEST_US
    return abs(unix_us - near_ns // 1000) <= PLAUSIBLE_US


def guess_audio_instant(sent_ns: int, *, is_caption: bool) -> int:
    """The instant in the audio that a message without a usable clock most likely belongs to."""
    return sent_ns // 1000 + (CAPTION_DELAY_US if is_caption else EVENT_DELAY_US)
