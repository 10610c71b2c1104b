"""The small grammars inside playlist lines: numbers, durations, dates, attribute lists. None of these raises."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_DECIMAL = re.compile(r"[0-9]{1,9}(?:\.[0-9]{0,30})?|\.[0-9]{1,30}")
_HEX = re.compile(r"0[xX][0-9A-Fa-f]{1,32}")
_SIZE = re.compile(r"([0-9]{1,6})x([0-9]{1,6})")

#: A single segment or target duration above an hour is nonsense.
MAX_DURATION_SECONDS = 3600.0


def read_whole(text: str, maximum: int) -> int | None:
    """A decimal number from 0 to `maximum`; None for anything else."""
    text = text.strip()
    if not 0 < len(text) <= 20 or not text.isascii() or not text.isdigit():
        return None
    number = int(text)
    return number if number <= maximum else None


def read_decimal(text: str) -> float | None:
    """A decimal number without sign or exponent; None for anything else, ``nan`` and ``inf`` included."""
    text = text.strip()
    return float(text) if _DECIMAL.fullmatch(text) else None


def read_duration(text: str) -> float | None:
    """The seconds of an EXTINF value (``3.008``, ``3.008,title``); None when absent, negative, zero or absurd."""
    seconds = read_decimal(text.partition(",")[0])
    return seconds if seconds is not None and 0 < seconds <= MAX_DURATION_SECONDS else None


def read_instant(text: str) -> datetime | None:
    """An ISO 8601 date as an aware UTC instant; None when it is none. Without a zone it is taken for UTC."""
    try:
        at = datetime.fromisoformat(text.strip())
        if at.tzinfo is UTC:
            return at
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def read_initialisation_vector(text: str) -> bytes | None:
    """The sixteen bytes of an IV attribute; None when absent or malformed."""
    text = text.strip()
    return int(text, 16).to_bytes(16, "big") if _HEX.fullmatch(text) else None


def read_size(text: str) -> tuple[int, int] | None:
    """Width and height of a RESOLUTION attribute."""
    match = _SIZE.fullmatch(text.strip())
    return (int(match[1]), int(match[2])) if match else None


def read_attributes(text: str) -> dict[str, str]:
    """The attributes of a tag, quotes removed; the first of each name counts. Commas inside quotes do not separate.

    Each step of the walk moves forward, so the cost is linear in the length of the line.
    """
    attributes: dict[str, str] = {}
    at = 0
    while (equals := text.find("=", at)) >= 0:
        # What precedes the name may be rubbish without an equals sign; it ends at the last comma.
        name = text[at:equals].rpartition(",")[2].strip()
        if text[equals + 1 : equals + 2] == '"':
            end = text.find('"', equals + 2)
            end = len(text) if end < 0 else end
            value = text[equals + 2 : end]
            comma = text.find(",", end)
        else:
            comma = text.find(",", equals + 1)
            value = text[equals + 1 : comma if comma >= 0 else len(text)].strip()
        if name:
            attributes.setdefault(name.upper(), value)
        if comma < 0:
            break
        at = comma + 1
    return attributes


def expected_frames(duration_seconds: float | None, rate: int = 48_000) -> int | None:
    """How many AAC frames of 1024 samples a segment of this EXTINF holds; None where EXTINF says nothing.

    EXTINF is the true duration rounded to milliseconds, so the nearest whole number is the exact count.
    """
    if duration_seconds is None:
        return None
    return int(duration_seconds * rate / 1024 + 0.5)
