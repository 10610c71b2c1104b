"""Times, sizes and speeds as people read them, and instants as machines do. Never dependent on locale or time zone."""

from __future__ import annotations

import math
from datetime import UTC, datetime

BYTE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
BIT_UNITS = ("bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s")


def duration_text(seconds: float | None) -> str:
    """``1:02:03``, ``2:03``, ``0:03``; ``-`` in front of a negative one; ``?`` where it is unknown."""
    if seconds is None or not math.isfinite(seconds):
        return "?"
    whole = int(abs(seconds))  # not rounded: 59.9 s of a minute are not the minute
    sign = "-" if seconds < 0 and whole else ""
    hours, minutes = divmod(whole // 60, 60)
    return f"{sign}{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{sign}{minutes}:{whole % 60:02}"


def cue_time(seconds: float, *, decimal: str = ".") -> str:
    """``01:02:03.456`` as subtitles want it; SRT takes ``,`` as `decimal`. Never negative."""
    milliseconds = max(0, round(seconds * 1000))
    whole, rest = divmod(milliseconds, 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{decimal}{rest:03}"


def instant_text(moment: datetime) -> str:
    """``2026-01-22T18:00:00.123Z``: in UTC, to the millisecond, without the fraction where it is zero."""
    at = moment.astimezone(UTC)
    milliseconds = at.microsecond // 1000
    base = f"{at.year:04}-{at.month:02}-{at.day:02}T{at.hour:02}:{at.minute:02}:{at.second:02}"
    return f"{base}.{milliseconds:03}Z" if milliseconds else f"{base}Z"


def date_text(moment: datetime | None) -> str:
    """``2026-01-22`` in UTC, empty for None."""
    if moment is None:
        return ""
    at = moment.astimezone(UTC)
    return f"{at.year:04}-{at.month:02}-{at.day:02}"


def size_text(size_bytes: float | None) -> str:
    """``999 B``, ``1.5 kB``, ``340 MB``: powers of 1000, three digits; ``?`` where it is unknown."""
    return _scaled(size_bytes, BYTE_UNITS)


def rate_text(bytes_per_second: float | None) -> str:
    """``1.5 MB/s``; ``?`` where it is unknown."""
    text = _scaled(bytes_per_second, BYTE_UNITS)
    return text if text == "?" else text + "/s"


def bitrate_text(bits_per_second: float | None) -> str:
    """``128 kbit/s``; ``?`` where it is unknown."""
    return _scaled(bits_per_second, BIT_UNITS)


def speed_text(media_seconds: float, wall_seconds: float) -> str:
    """How much faster than life: ``2.5x``, ``140x``; ``?`` before any time has passed."""
    if wall_seconds <= 0 or not math.isfinite(media_seconds / wall_seconds):
        return "?"
    factor = media_seconds / wall_seconds
    return f"{factor:.0f}x" if factor >= 10 else f"{factor:.1f}x"


def share_text(share: float) -> str:
    """``99.95 %``. Only what is whole shows as ``100 %``: rounding must not call a recording complete."""
    if share >= 1:
        return "100 %"
    return f"{math.floor(max(0.0, share) * 10_000) / 100:.2f} %"


def _scaled(value: float | None, units: tuple[str, ...]) -> str:
    if value is None or not math.isfinite(value):
        return "?"
    sign, amount = ("-" if value < 0 else ""), abs(value)
    index = 0
    # 999.5 would print as 1000.
    while amount >= 999.5 and index < len(units) - 1:
        amount /= 1000
        index += 1
    digits = 0 if index == 0 or amount >= 99.95 else 1
    return f"{sign}{amount:.{digits}f} {units[index]}"
