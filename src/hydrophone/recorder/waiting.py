"""Before the start: when to look next at a Space that is scheduled. Pure.

Source: web endpoint reference, "States and polling".
"""

from __future__ import annotations

from datetime import datetime, timedelta

BEFORE = timedelta(seconds=60)  #: be there this much before the time
LONGEST = timedelta(minutes=5)  #: a Space may be moved or started early
CLOSE_SECONDS = 10.0
LATE = timedelta(minutes=30)  #: after this much delay, look less often
LATE_SECONDS = 60.0
UNKNOWN_SECONDS = 60.0


def next_look(now: datetime, scheduled_at: datetime | None) -> float:
    """Seconds until the next look at a Space that has not begun."""
    if scheduled_at is None:
        return UNKNOWN_SECONDS
    if now > scheduled_at + LATE:
        return LATE_SECONDS
    until_close = scheduled_at - BEFORE - now
    if until_close <= timedelta(0):
        return CLOSE_SECONDS
    return max(CLOSE_SECONDS, min(until_close, LONGEST).total_seconds())
