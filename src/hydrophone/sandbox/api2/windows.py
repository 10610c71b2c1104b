"""Rate windows: so many requests per endpoint and caller in 15 minutes, and the one-per-second rule."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hydrophone.sandbox.api2.callers import Caller
from hydrophone.sandbox.world import World

WINDOW_SECONDS = 900
#: Endpoint to requests per window, for an app and for a user. What is not named has 300 and 300.
LIMITS: Mapping[str, tuple[int, int]] = {
    "user": (300, 900),
    "user by name": (300, 900),
    "me": (75, 75),
    "usage": (50, 50),
    "credits": (50, 50),
    "stream": (450, 450),
    "subscriptions": (500, 500),
    "webhooks": (450, 450),
    "webhook replay": (100, 100),
}
_LOOKUPS = ("space", "spaces", "creators")


@dataclass(frozen=True, slots=True)
class Budget:
    """Where a caller stands after one more request. `is_hasty`: less than a second after the last one."""

    limit: int
    remaining: int
    reset: int
    is_spent: bool
    is_hasty: bool = False

    def headers(self, *, reset_shift: int = 0, spent: bool = False) -> list[tuple[str, str]]:
        return [
            ("x-rate-limit-limit", str(self.limit)),
            ("x-rate-limit-remaining", "0" if spent else str(self.remaining)),
            ("x-rate-limit-reset", str(self.reset + reset_shift)),
        ]


class Windows:
    """All windows. They open with the first request in them."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}
        self._last: dict[str, float] = {}

    def spend(self, endpoint: str, caller: Caller, now: float, switches: Mapping[str, Any]) -> Budget:
        name = "look-ups" if switches["shared_window"] and endpoint in _LOOKUPS else endpoint
        limit = int(switches["limits"].get(endpoint, LIMITS.get(endpoint, (300, 300))[caller.kind == "user"]))
        began, used = self._windows.get((name, caller.key), (now, 0))
        if now >= began + WINDOW_SECONDS:
            began, used = now, 0
        is_spent = used >= limit
        used += not is_spent
        self._windows[name, caller.key] = (began, used)
        is_hasty = endpoint == "creators" and switches["pace"] and now - self._last.get(caller.key, -9.0) < 1.0
        if endpoint == "creators" and not is_hasty:
            self._last[caller.key] = now
        return Budget(limit, limit - used, int(began) + WINDOW_SECONDS, is_spent, is_hasty)


def spend(world: World, endpoint: str, caller: Caller, switches: Mapping[str, Any]) -> Budget:
    """Count one request."""
    now = time.time() if switches["limit_clock"] == "real" else world.clock.now_us() / 1_000_000
    return world.room(Windows).spend(endpoint, caller, now, switches)
