"""What is peculiar to the rooms of Spaces: who may come in, when there is no history, how the access answer looks."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from hydrophone.sandbox.periscope.asking import Asked
from hydrophone.sandbox.periscope.facts import broadcast_of
from hydrophone.sandbox.scene import Person, Scene
from hydrophone.sandbox.serving import Exchange
from hydrophone.sandbox.space_chat.facts import chat_fact, is_space
from hydrophone.sandbox.timeline import Timeline
from hydrophone.sandbox.world import World
from hydrophone.sandbox.x.accounts import OWNER

#: On loopback both kinds of chat host are one port, so the address of replays has a path of its own.
REPLAY_PATH = "/replay"
MINIMAL = ("access_token", "endpoint", "replay_access_token", "replay_endpoint", "read_only")


def scene_of_room(world: World, scene_id: str) -> Scene | None:
    """A broadcast that the Periscope API knows, or a Space that has begun."""
    scene = world.scene(scene_id)
    if scene is None or not is_space(scene):
        return broadcast_of(world, scene_id)
    started_at = scene.started_at
    return scene if started_at is not None and world.now() >= started_at and not scene.is_seed else None


def has_client_headers(exchange: Exchange) -> bool:
    """The service wants to hear which client asks, and a new random text with every call."""
    return bool(exchange.header("x-periscope-user-agent")) and len(exchange.header("x-idempotence")) >= 16


def viewer_of(world: World, claims: Mapping[str, Any]) -> Person | None:
    """Whose chat token this is; None for a guest's."""
    try:
        owner = json.loads(base64.b64decode(str(claims.get("ambiguous_user_id", ""))))
        user_id = str(owner["TwitterUserId"])
    except (ValueError, KeyError, TypeError):
        return None
    return OWNER if user_id == OWNER.user_id else world.person(user_id=user_id)


def history_trouble(scene: Scene, timeline: Timeline, now_us: int) -> int | None:
    """404 while a Space is young, 503 when the service keeps its chat no longer."""
    if not is_space(scene):
        return None
    young_us = timeline.started_us + round(float(chat_fact(scene, "young_seconds")) * 1_000_000)
    gone_us = timeline.ended_us + round(float(chat_fact(scene, "retention_seconds")) * 1_000_000)
    if now_us >= gone_us:
        return 503
    return 404 if now_us < min(young_us, timeline.ended_us) else None


def access_fields(
    asked: Asked, scene: Scene, *, token: str, viewer: Person | None, is_over: bool, is_writer: bool
) -> dict[str, Any]:
    """The access answer of a Space: the plain pair while it runs, two equal pairs afterwards."""
    replay = asked.places.chat(scene.region, is_replay=True) + ("" if asked.places.is_real else REPLAY_PATH)
    endpoint = replay if is_over else asked.places.chat(scene.region)
    leftovers = ("subscriber", "publisher", "auth_token", "signer_key", "signer_token", "channel")
    fields: dict[str, Any] = dict.fromkeys(leftovers, "")
    fields |= {"should_verify_signature": False, "access_token": token, "endpoint": endpoint}
    is_minimal = chat_fact(scene, "answer") == "minimal"
    if is_over and not is_minimal:
        fields |= {"replay_access_token": token, "replay_endpoint": replay}
    spelling = str(chat_fact(scene, "room_id"))
    if spelling != "absent":
        fields["room_id"] = scene.id if spelling == "text" else int.from_bytes(scene.id.encode()[-6:], "big")
    fields |= {
        "participant_index": viewer.index if viewer else 0,
        "read_only": not is_writer,
        "should_log": False,
        "chan_perms": {"pb": 0, "cm": 7 if is_writer else 3},
    }
    return {key: value for key, value in fields.items() if key in MINIMAL} if is_minimal else fields


def is_replay_address(exchange: Exchange) -> bool:
    """Replays have a history and no socket."""
    return exchange.host.startswith("chatman-replay") or exchange.path.startswith(REPLAY_PATH)


def room_names(scene: Scene) -> tuple[str, ...]:
    """How clients may call this room: by what the access answer said, or by the id."""
    if not is_space(scene):
        return (scene.id,)
    return (scene.id, str(int.from_bytes(scene.id.encode()[-6:], "big")))
