"""Runs a world: one loopback port per service, all on one event loop."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from types import TracebackType
from typing import Self

from hydrophone.sandbox.clock import SceneClock
from hydrophone.sandbox.hosts import SERVICES
from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.serving import Connection
from hydrophone.sandbox.world import World

ROUTE_MODULES = (
    "hydrophone.sandbox.cdn",
    "hydrophone.sandbox.control",
    "hydrophone.sandbox.api2",
    "hydrophone.sandbox.x",
    "hydrophone.sandbox.periscope",
    "hydrophone.sandbox.space_chat",
    "hydrophone.sandbox.proxy",
)


def build_world(world: World | None = None) -> World:
    """A world with the routes of every module that serves."""
    made = world or World()
    for name in ROUTE_MODULES:
        if importlib.util.find_spec(name) is None:
            continue
        made.add_routes(importlib.import_module(name).routes(made))
    return made


DOOR_SECONDS = 0.02


class SandboxServer:
    """Listens while it is entered. `world.bases` then names every service's URL."""

    def __init__(
        self, world: World, *, host: str = "127.0.0.1", ports: dict[str, int] | None = None, proxy: bool = False
    ) -> None:
        self.world = world
        self._host = host
        self._ports = dict(ports or {})
        self._services: tuple[str, ...] = (*SERVICES, "proxy") if proxy else SERVICES
        self._servers: dict[str, asyncio.Server] = {}
        self._connections: set[Connection] = set()

    async def __aenter__(self) -> Self:
        for service in self._services:
            await self._listen(service)
            port = self._servers[service].sockets[0].getsockname()[1]
            self._ports[service] = port
            self.world.bases[service] = f"http://{self._host}:{port}"
        self._doorman = asyncio.create_task(self._mind_the_doors())
        return self

    async def _listen(self, service: str) -> None:
        connect = partial(self._connect, service)
        self._servers[service] = await asyncio.get_running_loop().create_server(
            connect, self._host, self._ports.get(service, 0), backlog=4096
        )

    async def _mind_the_doors(self) -> None:
        """Close and open listening sockets as the faults of kind ``refuse`` come and go."""
        shut: set[str] = set()
        while True:
            await asyncio.sleep(DOOR_SECONDS)
            told = self.world.faults.refusing()
            refusing = {s for s in self._services if s != "control" and (s in told or "*" in told)}
            for service in refusing - shut:
                self._servers[service].close()
            for service in shut - refusing:
                await self._listen(service)
            shut = refusing

    def _connect(self, service: str) -> Connection:
        connection = Connection(self.world.dispatch, service)
        self._connections.add(connection)
        if len(self._connections) % 256 == 0:
            self._connections = {c for c in self._connections if not c.is_closing}
        return connection

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._doorman.cancel()
        self.world.close()
        for server in self._servers.values():
            server.close()
        for connection in self._connections:
            if hasattr(connection, "transport"):
                connection.transport.abort()
        await asyncio.gather(*(server.wait_closed() for server in self._servers.values()))


async def serve(
    scenes: Iterable[Scene],
    *,
    speed: float = 1.0,
    host: str = "127.0.0.1",
    ports: dict[str, int] | None = None,
    proxy: bool = False,
    on_ready: Callable[[World], None] | None = None,
    until: Awaitable[object] | None = None,
) -> None:
    """Serve until `until` is done (for ever without it). `on_ready` is called once, when all ports listen."""
    from hydrophone.sandbox.cdn import warm_up

    wanted = tuple(scenes)
    for scene in wanted:
        warm_up(scene)
    world = build_world(World(SceneClock(speed=speed)))
    async with SandboxServer(world, host=host, ports=ports, proxy=proxy):
        for scene in wanted:
            world.load(scene)
        if on_ready is not None:
            on_ready(world)
        await (until if until is not None else asyncio.Event().wait())
