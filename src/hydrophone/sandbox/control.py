"""The control room: a port of its own where tests and people load scenes, turn the clock, inject faults, read ledgers.

Everything is JSON. ``GET /`` lists what is loaded; the other routes are named in `routes`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from hydrophone.sandbox.cdn import live_stream_url, replay_stream_url, warm_up
from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.scenefile import SceneFileError, instant_of, load_shipped, read_scene, scene_as_json
from hydrophone.sandbox.serving import Exchange, Handler, Route
from hydrophone.sandbox.truth import ledger_of
from hydrophone.sandbox.world import World, describe

Answering = Awaitable[None] | None


def routes(world: World) -> list[Route]:
    """Health, scenes, clock, faults, ledger, requests, reset."""
    room = ControlDesk(world)
    table: tuple[tuple[str, str, Callable[[Exchange], Any]], ...] = (
        ("GET", "/", room.show),
        ("GET", "/healthz", room.health),
        ("POST", "/reset", room.reset),
        ("GET", "/scenes/(?P<id>[^/]+)", room.show_scene),
        ("POST", "/scenes", room.load),
        ("GET", "/clock", room.show_clock),
        ("POST", "/clock", room.turn_clock),
        ("GET", "/faults", room.show_faults),
        ("POST", "/faults", room.add_faults),
        ("DELETE", "/faults", room.clear_faults),
        ("DELETE", "/faults/(?P<id>[^/]+)", room.remove_fault),
        ("GET", "/ledger", room.ledger),
        ("GET", "/requests", room.requests),
    )
    return [Route("control", method, path, _answering(act)) for method, path, act in table]


def _answering(act: Callable[[Exchange], Any]) -> Handler:
    """A handler that answers with what `act` returns; wrong input is a 400 that says why."""

    def handler(exchange: Exchange) -> Answering:
        try:
            value = act(exchange)
        except (SceneFileError, ValueError, KeyError, TypeError) as problem:
            return exchange.reply_json({"error": str(problem)}, 400)
        if value is None:
            return exchange.reply_json({"error": "there is none"}, 404)
        return exchange.reply_json(value)

    return handler


class ControlDesk:
    """What each route does; returns the answer, None for 404."""

    def __init__(self, world: World) -> None:
        self._world = world

    def health(self, exchange: Exchange) -> Any:
        """All that a client needs to talk to this sandbox: addresses and clock."""
        world = self._world
        return {"ok": True, "now": world.now().isoformat(), "speed": world.clock.speed, "bases": dict(world.bases)}

    def show(self, exchange: Exchange) -> Any:
        return describe(self._world)

    def reset(self, exchange: Exchange) -> Any:
        self._world.reset()
        return describe(self._world)

    # ------------------------------------------------------------ scenes

    def load(self, exchange: Exchange) -> Any:
        """``{"name": shipped}`` or ``{"scene": {…}}``, with ``overrides`` and ``at`` (``"now-2h"``, ISO)."""
        told = _mapping(exchange)
        overrides = told.get("overrides") or {}
        scene = read_scene(told["scene"], overrides) if "scene" in told else load_shipped(str(told["name"]), overrides)
        at = instant_of(told["at"], self._world.now()) if told.get("at") else None
        warm_up(scene)
        return self._shown(self._world.load(scene, at=at))

    def show_scene(self, exchange: Exchange) -> Any:
        wanted = exchange.group("id")
        scene = self._world.scene(wanted) or next((s for s in self._world.scenes if s.name == wanted), None)
        return None if scene is None else self._shown(scene)

    def _shown(self, scene: Scene) -> dict[str, Any]:
        now = self._world.now()
        return {
            "id": scene.id,
            "name": scene.name,
            "state": scene.state_at(now).value,
            "media_key": scene.media_key,
            "live_url": live_stream_url(self._world, scene),
            "replay_url": replay_stream_url(self._world, scene),
            "ended_at": scene.ended_at.isoformat() if scene.ended_at else None,
            "scene": scene_as_json(scene),
        }

    # ------------------------------------------------------------ clock

    def show_clock(self, exchange: Exchange) -> Any:
        clock = self._world.clock
        return {"now": clock.now().isoformat(), "speed": clock.speed, "is_paused": clock.is_paused}

    def turn_clock(self, exchange: Exchange) -> Any:
        """``{"advance": seconds, "to": instant, "speed": factor, "paused": bool}``, any of them."""
        told, clock = _mapping(exchange), self._world.clock
        if "speed" in told:
            clock.set_speed(float(told["speed"]))
        if "to" in told:
            clock.advance_to(instant_of(told["to"], clock.now()))
        if "advance" in told:
            clock.advance(float(told["advance"]))
        if "paused" in told:
            (clock.pause if told["paused"] else clock.resume)()
        return self.show_clock(exchange)

    # ------------------------------------------------------------ faults

    def show_faults(self, exchange: Exchange) -> Any:
        return {"faults": [rule.as_json() for rule in self._world.faults.rules]}

    def add_faults(self, exchange: Exchange) -> Any:
        """One fault or a list of them; ``space`` restricts one to the stream of a scene."""
        told = exchange.json()
        rules = [self._add(fault) for fault in (told if isinstance(told, list) else [told])]
        return {"ids": [rule.id for rule in rules]}

    def _add(self, fault: Mapping[str, Any]) -> Any:
        space = fault.get("space")
        if not space:
            return self._world.faults.add(fault)
        scene = self._world.scene(str(space))
        if scene is None:
            raise ValueError(f"no scene {space!r} is loaded")
        return self._world.faults.add(fault, within=(scene.stream_key, scene.id, scene.media_key))

    def clear_faults(self, exchange: Exchange) -> Any:
        self._world.faults.clear()
        return {"faults": []}

    def remove_fault(self, exchange: Exchange) -> Any:
        return {"removed": True} if self._world.faults.remove(exchange.group("id")) else None

    # ------------------------------------------------------------ ledgers

    def ledger(self, exchange: Exchange) -> Any:
        """``?space=ID`` [``&digests=0``] [``&variant=WIDTHxHEIGHT``]: every segment that was cut, and who listed it."""
        params = exchange.params
        scene = self._world.scene(params.get("space", ""))
        if scene is None:
            return None
        return ledger_of(
            self._world, scene, with_digests=params.get("digests") != "0", variant=params.get("variant", "")
        )

    def requests(self, exchange: Exchange) -> Any:
        """``?service=cdn&since=NUMBER&containing=TEXT``: what was asked, with headers."""
        params = exchange.params
        notes = self._world.ledger.requests(
            service=params.get("service", ""),
            since=int(params.get("since", "0")),
            containing=params.get("containing", ""),
        )
        return {"requests": [note.as_json() for note in notes]}


def _mapping(exchange: Exchange) -> Mapping[str, Any]:
    told = exchange.json()
    if not isinstance(told, Mapping):
        raise ValueError("a JSON object is needed")
    return told
