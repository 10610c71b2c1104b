"""The chat in the control room: what was said by now, and the truth of the whole scene."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable
from dataclasses import asdict
from functools import partial
from typing import Any

from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.serving import Exchange, Route
from hydrophone.sandbox.space_chat.script import space_messages
from hydrophone.sandbox.space_chat.truth import true_cues
from hydrophone.sandbox.world import World


def routes(world: World) -> list[Route]:
    """``GET /chat/ledger?space=ID`` and ``GET /chat/truth?space=ID``."""
    return [
        Route("control", "GET", "/chat/ledger", partial(_answer, world, chat_ledger)),
        Route("control", "GET", "/chat/truth", partial(_answer, world, _truth)),
    ]


def chat_ledger(world: World, scene: Scene) -> dict[str, Any]:
    """Of the scene's own messages up to now: how many of each kind, and the uuid of each that has one, in order.

    Joins of those who opened a socket are not among them.
    """
    timeline = world.timeline(scene.id)
    limit_ns = min(world.clock.now_us(), timeline.ended_us) * 1000
    kinds: Counter[str] = Counter()
    captions: list[str] = []
    others: list[str] = []
    for ns, draft in space_messages(scene, timeline):
        if ns > limit_ns:
            break
        names = {0: "hostile", 1: draft.body.get("type"), 2: f"control {draft.control}"}
        kind = names[draft.kind]
        kinds[str(kind)] += 1
        if draft.kind == 1:
            (captions if kind == 45 else others).append(draft.identity)
    return {"space": scene.id, "kinds": dict(kinds), "captions": captions, "others": others}


def _truth(world: World, scene: Scene) -> dict[str, Any]:
    return {"space": scene.id, "cues": [asdict(cue) for cue in true_cues(scene)]}


def _answer(world: World, work: Any, exchange: Exchange) -> Awaitable[None] | None:
    wanted = exchange.params.get("space", "")
    scene = world.scene(wanted) or next((scene for scene in world.scenes if scene.name == wanted), None)
    if scene is None:
        return exchange.reply_json({"error": "there is none"}, 404)
    try:
        return exchange.reply_json(work(world, scene))
    except ValueError as problem:
        return exchange.reply_json({"error": str(problem)}, 400)
