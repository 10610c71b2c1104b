"""The world: scenes on a clock, the fault table, the ledger. Everything that a handler needs to answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from hydrophone.sandbox.clock import SceneClock
from hydrophone.sandbox.faults import FaultTable
from hydrophone.sandbox.hosts import host_of_service, service_of_host
from hydrophone.sandbox.ledger import Ledger, RequestNote
from hydrophone.sandbox.scene import Kind, Person, Scene
from hydrophone.sandbox.serving import Exchange, Route, Router
from hydrophone.sandbox.timeline import Timeline

T = TypeVar("T")


class World:
    """What the sandbox pretends.

    Attributes:
        clock: scene time.
        faults: rules that bend answers.
        ledger: what was asked, what was listed.
        bases: service name to base URL, filled in when the server listens.
    """

    def __init__(self, clock: SceneClock | None = None) -> None:
        self.clock = clock or SceneClock()
        self.ledger = Ledger()
        self.faults = FaultTable(self.clock)
        self.bases: dict[str, str] = {}
        self.router = Router()
        self._scenes: dict[str, Scene] = {}
        self._timelines: dict[str, Timeline] = {}
        self._by_media_key: dict[str, str] = {}
        self._by_stream_key: dict[str, str] = {}
        self._rooms: dict[type[Any], Any] = {}
        self._closers: list[Callable[[], None]] = []

    # ------------------------------------------------------------ scenes

    def now(self) -> datetime:
        return self.clock.now()

    def load(self, scene: Scene, *, at: datetime | None = None) -> Scene:
        """Put a scene on the clock (its origin is `at`, else now), and its upsets into the fault table."""
        placed = scene.at(at or self.now())
        self._scenes[placed.id] = placed
        self._timelines[placed.id] = Timeline(placed)
        self._by_media_key[placed.media_key] = placed.id
        self._by_stream_key[placed.stream_key] = placed.id
        for upset in placed.upsets:
            self.faults.add_upset(upset, placed)
        return placed

    @property
    def scenes(self) -> tuple[Scene, ...]:
        return tuple(self._scenes.values())

    def scene(self, space_id: str) -> Scene | None:
        """By id of Space or broadcast."""
        return self._scenes.get(space_id)

    def scene_by_media_key(self, media_key: str) -> Scene | None:
        return self._scenes.get(self._by_media_key.get(media_key, ""))

    def scene_by_stream_key(self, stream_key: str) -> Scene | None:
        return self._scenes.get(self._by_stream_key.get(stream_key, ""))

    def timeline(self, space_id: str) -> Timeline:
        return self._timelines[space_id]

    def person(self, *, handle: str = "", user_id: str = "") -> Person | None:
        """Anybody of any scene, by handle (any case) or X user id."""
        for scene in self._scenes.values():
            for person in scene.people:
                if (handle and person.handle.lower() == handle.lower()) or (user_id and person.user_id == user_id):
                    return person
        return None

    def scenes_of(self, user_id: str) -> tuple[Scene, ...]:
        """Scenes in which somebody takes part."""
        return tuple(s for s in self._scenes.values() if any(p.user_id == user_id for p in s.people))

    @property
    def spaces(self) -> tuple[Scene, ...]:
        """All that have a Space record."""
        return tuple(s for s in self._scenes.values() if s.kind is not Kind.BROADCAST)

    def on_close(self, close: Callable[[], None]) -> None:
        """Call this at the next reset, or when the server stops: for what has to be given back, such as a process."""
        self._closers.append(close)

    def close(self) -> None:
        """Give back what rooms hold."""
        closers, self._closers = self._closers, []
        for close in closers:
            close()

    def reset(self) -> None:
        """Forget scenes, faults, ledger and what rooms remember. The clock goes on."""
        self.close()
        self._scenes.clear()
        self._timelines.clear()
        self._by_media_key.clear()
        self._by_stream_key.clear()
        self._rooms.clear()
        self.faults.clear()
        self.ledger.clear()

    # ------------------------------------------------------------ for handlers

    def room(self, kind: type[T], make: Callable[[], T] | None = None) -> T:
        """The one object of that class in this world, made on first use and forgotten at reset.

        For the state of a group of handlers: guest tokens, budgets, accounts.
        """
        if kind not in self._rooms:
            self._rooms[kind] = (make or kind)()
        found: T = self._rooms[kind]
        return found

    def base(self, service: str, exchange: Exchange | None = None, *, region: str = "eu-central-1") -> str:
        """The base URL of a service as this client must be told it: real hosts to those who ask for real hosts."""
        if exchange is not None and (exchange.via_proxy or service_of_host(exchange.host) is not None):
            return f"https://{host_of_service(service, region)}"
        return self.bases[service]

    def service_of_host(self, host: str) -> str | None:
        """Which service impersonates a real host, None for strangers."""
        return service_of_host(host)

    def add_routes(self, routes: Iterable[Route]) -> None:
        self.router.add(routes)

    # ------------------------------------------------------------ the app of the server

    def dispatch(self, exchange: Exchange) -> Awaitable[None] | None:
        """Note the request, look for a fault, find the handler. Call it again after changing `exchange.service`."""
        note = self.ledger.begin(exchange, self.clock.now_us())
        exchange.note = note
        if exchange.service != "control":
            rule = self.faults.match(exchange)
            if rule is not None:
                note.faults = (*note.faults, rule.id)
                if not rule.needs_answer:
                    return self._ending(note, exchange, rule.perform(exchange))
                exchange.bend = rule.bend
        handler, match, is_known = self.router.find(exchange.service, exchange.method, exchange.path)
        if handler is None:
            return self._ending(note, exchange, exchange.reply(405 if is_known else 404))
        exchange.match = match
        return self._ending(note, exchange, handler(exchange))

    def _ending(self, note: RequestNote, exchange: Exchange, pending: Awaitable[None] | None) -> Awaitable[None] | None:
        if pending is None:
            note.end(exchange)
            return None
        return self._end_later(note, exchange, pending)

    async def _end_later(self, note: RequestNote, exchange: Exchange, pending: Awaitable[None]) -> None:
        try:
            await pending
        finally:
            note.end(exchange)


def describe(world: World) -> Mapping[str, Any]:
    """What is loaded, for people and programs."""
    now = world.now()
    return {
        "now": now.isoformat(),
        "speed": world.clock.speed,
        "bases": dict(world.bases),
        "scenes": [
            {
                "name": scene.name,
                "id": scene.id,
                "kind": scene.kind.value,
                "title": scene.title,
                "state": scene.state_at(now).value,
                "media_key": scene.media_key,
            }
            for scene in world.scenes
        ],
    }
