"""The switches of the X side: what is wrong with the account, the ids, the guests, the pages. Turned at any moment.

Three places turn them, later ones over earlier ones: the defaults here, a scene's `extra["switches"]`, and whoever asks
the control room (`POST /x/switches`). `extra["switches_at"]` is a list of `{"at": scene seconds, …}` for changes in
the course of a scene.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hydrophone.sandbox.clock import to_us
from hydrophone.sandbox.world import World

#: Every switch with its resting position, and what else it can say.
DEFAULTS: Mapping[str, Any] = {
    # the signed-in account
    "account": "ok",  #: revoked (401/32) | invalid (401/89) | expired (403, empty) | locked | suspended |
    #: access_control | throttled (429/88 with budget left) | blocked (an HTML challenge)
    "accounts": {},  #: the same for one auth_token alone
    "owner": {},  #: handle, name, user_id of the signed-in account
    "csrf": "steady",  #: without (353 brings no cookie) | renew (insists on its own ct0) | rotate (on every 200) |
    #: dead (always 353, no cookie) | endless (always 353 with a cookie)
    "own_listener": True,  #: the signed-in account shows among the listeners
    # guests
    "guest": "allowed",  #: denied (`{}` for every Space) | refused (403/239 always) | no_activation (429)
    "guest_lifetime_seconds": 10_800,
    # GraphQL
    "query_ids": "shipped",  #: rotated (the shipped ids of AudioSpaceById are 404) | all_rotated (of every operation)
    "retired_query_ids": (),  #: these ids are 404
    "extra_features": (),  #: every query that takes features now also needs these
    "features_named": 0,  #: an answer names so many missing features; 0: all
    "user_shape": "",  #: core | legacy for every scene; empty: as the scene says
    "search_is_null": False,
    "transaction_ids": "off",  #: 404 | 401 without a good one
    "transaction_for": (),  #: only for these operations or REST paths; empty: all
    # pages
    "home": "classic",  #: classic7 (short hashes) | classic_old (one map) | vite
    "home_redirect": "no",  #: redirect | form
    "page_generation": 0,  #: another number is another verification key
    "needs_browser": False,  #: agents without "Mozilla" meet a challenge
    "unsafe_links": False,  #: t.co detours over a warning page
    "syndication_tokens": "any",  #: checked
    "following": "all",  #: or a list of user ids: whose Spaces the fleet line shows
    "guest_posts": 0,  #: so many posts of a timeline are shown to guests
    "fleet_instants": "text",  #: milliseconds
    "refresh_delay_seconds": 30,
    # budgets
    "limits": {},  #: endpoint to requests in a window; "guest" for everything as guest
    "limit_window_seconds": 900,
    "limit_form": "right",  #: graphql | rest | object
    "limit_reset": "right",  #: past | absent | absurd
    "limit_headers": True,
    "limit_clock": "scene",  #: real: windows and resets follow the machine's clock
}


class Switches:
    """Changes in the order in which they were asked for; the state is what they add up to at a moment."""

    def __init__(self) -> None:
        self._changes: list[tuple[int, Mapping[str, Any]]] = []

    def turn(self, at_us: int, changes: Mapping[str, Any]) -> None:
        """From `at_us` (scene time) on. Raises ValueError for a switch that does not exist."""
        _check(changes)
        self._changes.append((at_us, dict(changes)))
        self._changes.sort(key=lambda change: change[0])

    def at(self, now_us: int) -> dict[str, Any]:
        state: dict[str, Any] = {}
        for due_us, changes in self._changes:
            if due_us <= now_us:
                state |= changes
        return state


def read_switches(world: World) -> dict[str, Any]:
    """All switches as they stand now."""
    now_us = world.clock.now_us()
    state = dict(DEFAULTS)
    for scene in world.scenes:
        if not scene.extra:
            continue
        changes = scene.extra.get("switches", {})
        _check(changes)
        state |= changes
        for change in scene.extra.get("switches_at", ()):
            origin_at = scene.started_at or scene.created_at
            if to_us(origin_at + timedelta(seconds=float(change["at"]))) <= now_us:
                state |= {name: value for name, value in change.items() if name != "at"}
    return state | world.room(Switches).at(now_us)


def turn_switches(world: World, changes: Mapping[str, Any], *, after_seconds: float = 0.0) -> None:
    """Turn switches now, or so many scene seconds from now."""
    world.room(Switches).turn(world.clock.now_us() + round(after_seconds * 1_000_000), changes)


def _check(changes: Mapping[str, Any]) -> None:
    unknown = sorted(set(changes) - set(DEFAULTS))
    if unknown:
        raise ValueError(f"no such switch: {', '.join(unknown)}")
