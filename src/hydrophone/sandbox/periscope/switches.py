"""The switches of the Periscope side: which year it is, what is closed, how long tokens live. Turned at any moment.

`POST /periscope/switches` in the control room with a JSON object turns them, `GET` reads them. A scene turns them for
everybody with ``extra.periscope.switches``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydrophone.sandbox.periscope.facts import facts_of
from hydrophone.sandbox.world import World

#: Every switch with its resting position, and what else it can say.
DEFAULTS: Mapping[str, Any] = {
    # pages
    "layout": "2019",  #: 2016 | mid2016 | 2015 | 2020 (a broadcast page only; user pages then are those of 2019)
    "page": "normal",  #: no_store (200 without data) | redirect (302 to X) | cut (half a store) | twice (escaped twice)
    "user_link": "",  #: tracking | history | usernames | users: only this way to the user's id is in the store
    # the end of the service
    "closed": "no",  #: api (every v2 call is 404) | all (and pages lead to X)
    # tokens of pages and cookies of replays
    "token_lifetime_seconds": 3600,
    "stale_token": "401",  #: 403 | 400 | success_false: the answer to a token that is expired, foreign or wrong
    "cookie_lifetime_seconds": 86_400,
    "sessions": "ok",  #: dead (401 for every sid)
    # answers
    "integer_user_ids": False,  #: as in 2016: another user id is 400
    "history_page_size": 0,  #: 0: up to 100 and no cursor
    "history_cursor": "honest",  #: same (it never changes) | circle (it leads back to the beginning)
    # chat
    "chat": "ok",  #: young (404) | gone (503) | forbidden (403 at the socket)
    "chat_page_size": 0,  #: 0: as the request says
    "chat_repeats": False,  #: the message at a page boundary comes twice
    "chat_lifetime_seconds": 86_400,  #: of an access token
    "presence_seconds": 5.0,
    "chat_binary": False,  #: the socket's frames are binary
    # Producer API
    "device_lifetime_seconds": 900,
    "device_interval_seconds": 10,
    "device_checks": None,  #: after so many checks the device is associated by itself; None: when a user agrees
    "device_state": "",  #: expired | network_changed: what every check answers
    "device_owner": "",  #: the handle that a device associates with by itself; empty: the first creator
    "access_lifetime_seconds": 5_184_000,
    "region": "eu-central-1",
    "region_hops": 1,
    "producer": "open",  #: closed (every call is 410)
}


class Switches:
    """What was turned by hand."""

    def __init__(self) -> None:
        self.turned: dict[str, Any] = {}


def read_switches(world: World) -> dict[str, Any]:
    """All switches as they stand now."""
    state = dict(DEFAULTS)
    for scene in world.scenes:
        if scene.extra:
            state |= _known(facts_of(scene).get("switches", {}))
    return state | world.room(Switches).turned


def turn_switches(world: World, changes: Mapping[str, Any]) -> None:
    """Turn switches now. Raises ValueError for one that does not exist."""
    world.room(Switches).turned |= _known(changes)


def _known(changes: Mapping[str, Any]) -> Mapping[str, Any]:
    unknown = sorted(set(changes) - set(DEFAULTS))
    if unknown:
        raise ValueError(f"no such switch: {', '.join(unknown)}")
    return changes
