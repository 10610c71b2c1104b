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
    "hydrophone.sandbox.x",
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


class SandboxServer:
    """Listens while it is entered. `world.bases` then names every service's URL."""

    def __init__(
        self, world: World, *, host: str = "127.0.0.1", ports: dict[str, int] | None = None, proxy: bool = False
    ) -> None:
        self.world = world
        self._host = host
        self._ports = ports or {}
        self._services: Iterable[str] = (*SERVICES, "proxy") if proxy else SERVICES
        self._servers: list[asyncio.Server] = []
        self._connections: set[Connection] = set()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for service in self._services:
            server = await loop.create_server(
                partial(self._connect, service), self._host, self._ports.get(service, 0), backlog=4096
            )
            self._servers.append(server)
            port = server.sockets[0].getsockname()[1]
            self.world.bases[service] = f"http://{self._host}:{port}"
        return self

    def _connect(self, service: str) -> Connection:
        connection = Connection(self.world.dispatch, service)
        self._connections.add(connection)
        if len(self._connections) % 256 == 0:
            self._connections = {c for c in self._connections if not c.is_closing}
        return connection

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.close()
        for connection in self._connections:
            if hasattr(connection, "transport"):
                connection.transport.abort()
        await asyncio.gather(*(server.wait_closed() for server in self._servers))


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
    world = build_world(World(SceneClock(speed=speed)))
    async with SandboxServer(world, host=host, ports=ports, proxy=proxy):
        for scene in scenes:
            world.load(scene)
        if on_ready is not None:
            on_ready(world)
        await (until if until is not None else asyncio.Event().wait())
