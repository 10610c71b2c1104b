"""The switches of the API's side, turned by a scene's `extra["api2"]`, or by whoever asks `POST /api2/switches`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydrophone.sandbox.world import World

#: Every switch with its resting position, and what else it can say.
DEFAULTS: Mapping[str, Any] = {
    "dialect": "auto",  #: legacy | current (the description of 2.167 taken literally)
    "unknown_names": "reject",  #: drop (always so in the current dialect)
    "app": "ok",  #: not-enrolled
    "error_shape": "problems",  #: codes (the older list of numbers, for 401 and 429)
    "not_found": "partial",  #: 404
    "empty_errors": False,  #: `"errors": []` beside data
    "failing_fields": (),  #: Space fields that cannot be loaded
    "suspended": (),  #: user ids that includes lack
    "ended_visible_seconds": 3600.0,
    "canceled_visible_seconds": 3600.0,
    # rates
    "limits": {},  #: endpoint to requests in 15 minutes
    "limit_clock": "scene",  #: real: windows and resets follow the machine's clock
    "limit_headers": "right",  #: absent | past (on a 429)
    "shared_window": False,  #: the three look-ups draw from one window
    "pace": True,  #: one request per second for creators
    # money
    "balance": 100.0,  #: US dollars, when the world is new
    "usage_capped": False,
    "has_credits_endpoint": True,
    # lists
    "endless": (),  #: lists that go on for ever: buyers, tweets, subscriptions, broadcasts, chat
    "page_token_seconds": 0.0,  #: how long a token of a page lives; 0 for ever
    # tokens
    "consent": "given",  #: denied
    "consent_user": "",  #: user id of who consents; empty: the sandbox's own account
    "granted_scopes": (),  #: fewer than were asked for; empty: all of them
    # events
    "subscription_shape": "nested",  #: flat | list
    "duplicate_subscription": "409",  #: 400
    "heartbeat_seconds": 20.0,  #: real seconds; 0: silence
    "stream_twice": False,
    "stream_reversed": False,
    "stream_problem": "",  #: a disconnect_type: said in the stream, which then ends
    "stream_full": False,
    "stream_buffer_bytes": 1 << 20,  #: a reader that is so far behind is cut off
    "webhook_check": "good",  #: bad | unreachable, for hooks below .example, which the sandbox answers itself
    "local_webhooks": True,  #: http://127.0.0.1 is allowed
    "webhook_retry_seconds": 0.5,
}


class ApiSwitches:
    """What was turned by hand."""

    def __init__(self) -> None:
        self.turned: dict[str, Any] = {}


def read_switches(world: World) -> dict[str, Any]:
    """All switches as they stand."""
    state = dict(DEFAULTS)
    for scene in world.scenes:
        if scene.extra and "api2" in scene.extra:
            changes = scene.extra["api2"].get("switches", {})
            _check(changes)
            state |= changes
    return state | world.room(ApiSwitches).turned


def turn_switches(world: World, changes: Mapping[str, Any]) -> None:
    """Turn some. Raises ValueError for one that does not exist."""
    _check(changes)
    world.room(ApiSwitches).turned |= changes


def _check(changes: Mapping[str, Any]) -> None:
    unknown = sorted(set(changes) - set(DEFAULTS))
    if unknown:
        raise ValueError(f"no such switch: {', '.join(unknown)}")
