"""Time as a recording sees it: the wall clock, or the scaled clock of a sandbox.

All waiting goes through here and rests on the event loop's own clock, so that a test may drive the whole recorder in
virtual time, and a jump of the system's wall clock does no harm.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta


class Clock:
    """Reads and waits in the service's time.

    Args:
        speed: service seconds that pass in one real second; 1 except against a sandbox.
        origin_at: what the service's clock says now; None takes the system's wall clock.
    """

    def __init__(self, *, speed: float = 1.0, origin_at: datetime | None = None) -> None:
        self.speed = speed
        self._origin_at = origin_at or datetime.now(UTC)
        self._started: float | None = None

    def monotonic(self) -> float:
        """Service seconds since some fixed moment; never goes backwards."""
        return asyncio.get_running_loop().time() * self.speed

    def now(self) -> datetime:
        """The service's wall clock, aware UTC."""
        now = self.monotonic()
        if self._started is None:
            self._started = now
        return self._origin_at + timedelta(seconds=now - self._started)

    async def sleep(self, seconds: float) -> None:
        """Wait that many service seconds."""
        await asyncio.sleep(max(0.0, seconds) / self.speed)

    async def sleep_until(self, moment: float) -> None:
        """Wait until `monotonic` has reached `moment`."""
        await self.sleep(moment - self.monotonic())

    def real(self, seconds: float, *, at_least: float = 0.0) -> float:
        """How many real seconds those service seconds are: for deadlines on a socket, which does not scale."""
        return max(seconds / self.speed, at_least)
