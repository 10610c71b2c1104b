"""Budgets: so many requests per endpoint and caller in a window, and the headers that say so.

A window is of 15 minutes, unless the switch `limit_window_seconds` is turned.

Source: web endpoint reference, "Limits". The numbers without a public source are those of an early description.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hydrophone.sandbox.serving import Answer, Exchange
from hydrophone.sandbox.world import World
from hydrophone.sandbox.x.accounts import Caller
from hydrophone.sandbox.x.answers import NAMED

SIGNED_IN = {"live_video_stream/status": 1000, "AudioSpaceById": 500, "UserByScreenName": 150}
GUEST = {"UserByScreenName": 50}
OTHER_SIGNED_IN, OTHER_GUEST = 900, 100


@dataclass(frozen=True, slots=True)
class Budget:
    """Where a caller stands with an endpoint after one more request."""

    limit: int
    remaining: int
    reset: int  #: epoch seconds
    is_spent: bool

    def headers(self, kind: str = "right") -> tuple[tuple[str, str], ...]:
        """The three headers; `kind` is the switch `limit_reset`."""
        head = (("x-rate-limit-limit", str(self.limit)), ("x-rate-limit-remaining", str(self.remaining)))
        reset = {"past": self.reset - 86_400, "absurd": self.reset + 10 * 365 * 86_400}.get(kind, self.reset)
        return head if kind == "absent" else (*head, ("x-rate-limit-reset", str(reset)))


class Windows:
    """All windows of all callers."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}

    def spend(self, endpoint: str, caller_key: str, limit: int, now: float, seconds: int) -> Budget:
        """Count one request. The window opens with the first request in it, and ends at the very second it names."""
        began, used = self._windows.get((endpoint, caller_key), (float(int(now)), 0))
        if now >= began + seconds:
            began, used = float(int(now)), 0
        is_spent = used >= limit
        used += not is_spent
        self._windows[endpoint, caller_key] = (began, used)
        return Budget(limit, limit - used, int(began) + seconds, is_spent)


def spend(world: World, endpoint: str, caller: Caller, switches: Mapping[str, Any]) -> Budget:
    """Count one request of this caller to this endpoint."""
    now = time.time() if switches["limit_clock"] == "real" else world.clock.now_us() / 1_000_000
    limit = _limit(endpoint, caller, switches["limits"])
    return world.room(Windows).spend(endpoint, caller.key, limit, now, int(switches["limit_window_seconds"]))


def spend_activation(world: World, exchange: Exchange, switches: Mapping[str, Any]) -> Budget:
    """Count one activation of a guest token; the budget is that of the address it comes from."""
    peer = exchange.transport.get_extra_info("peername")
    caller = Caller(key=f"address/{peer[0] if peer else ''}")
    return spend(world, "guest/activate", caller, {**switches, "limits": {"guest": _activations(switches)}})


def _activations(switches: Mapping[str, Any]) -> int:
    return int(switches["limits"].get("guest/activate", OTHER_GUEST))


def too_many(is_graphql: bool, form: str) -> Answer:
    """The 429: plain text from GraphQL, code 88 from REST, an object where a list belongs from nobody knows where."""
    if form == "object":
        return NAMED["429_errors_is_an_object"]
    if form == "graphql" or (form == "right" and is_graphql):
        return NAMED["429_graphql"]
    return NAMED["429_rest_88"]


def _limit(endpoint: str, caller: Caller, wanted: Mapping[str, int]) -> int:
    if caller.is_guest:
        return wanted.get("guest", wanted.get(endpoint, GUEST.get(endpoint, OTHER_GUEST)))
    return wanted.get(endpoint, SIGNED_IN.get(endpoint, wanted.get("other", OTHER_SIGNED_IN)))
