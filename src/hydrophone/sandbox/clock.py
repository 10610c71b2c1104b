"""The clock of the sandbox: scaled, turned by hand, stopped. All scene state is a function of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_us(instant: datetime) -> int:
    """Unix microseconds of an aware instant, exactly."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def from_us(unix_us: int) -> datetime:
    return EPOCH + timedelta(microseconds=unix_us)


class SceneClock:
    """Scene time: `start_at` when made, then `speed` scene seconds per real second.

    It never runs backwards. `advance` jumps, `pause` stops it until `resume`.
    """

    def __init__(
        self,
        start_at: datetime | None = None,
        *,
        speed: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._anchor_us = to_us(start_at or datetime.now(UTC))
        self._anchor = monotonic()
        self._speed = speed
        self._is_paused = False

    @property
    def speed(self) -> float:
        return self._speed

    @property
    def is_paused(self) -> bool:
        return self._is_paused

    def now_us(self) -> int:
        """Scene time in Unix microseconds."""
        if self._is_paused:
            return self._anchor_us
        return self._anchor_us + int((self._monotonic() - self._anchor) * self._speed * 1_000_000)

    def now(self) -> datetime:
        return from_us(self.now_us())

    def advance(self, seconds: float) -> None:
        """Jump forward by scene seconds."""
        if seconds < 0:
            raise ValueError("the clock does not run backwards")
        self._settle()
        self._anchor_us += round(seconds * 1_000_000)

    def advance_to(self, instant: datetime) -> None:
        """Jump to an instant; nothing happens when it has passed."""
        self.advance(max(0, to_us(instant) - self.now_us()) / 1_000_000)

    def set_speed(self, speed: float) -> None:
        if not 0 < speed <= 100_000:
            raise ValueError("speed must lie between 0 and 100000")
        self._settle()
        self._speed = speed

    def pause(self) -> None:
        self._settle()
        self._is_paused = True

    def resume(self) -> None:
        self._settle()
        self._is_paused = False

    def real_seconds(self, scene_seconds: float) -> float:
        """How long a span of scene time takes on a real clock, at the present speed."""
        return scene_seconds / self._speed

    def _settle(self) -> None:
        self._anchor_us = self.now_us()
        self._anchor = self._monotonic()
