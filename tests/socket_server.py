"""A WebSocket server on loopback that does what a test says, beside plain answers on other paths."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

Talk = Callable[[web.WebSocketResponse], Awaitable[None]]
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class SocketServer:
    """Where it listens, and what asked for a socket."""

    base: str = ""
    handshakes: list[web.Request] = field(default_factory=list)
    asked: list[web.Request] = field(default_factory=list)


@contextlib.asynccontextmanager
async def socket_server(
    talk: Talk, *, answer: Answer | None = None, tls: ssl.SSLContext | None = None, path: str = "/ws"
) -> AsyncIterator[SocketServer]:
    """Serve until the block ends: `talk` on `path`, `answer` on everything else."""
    found = SocketServer()

    async def shake(request: web.Request) -> web.StreamResponse:
        found.handshakes.append(request)
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        await talk(socket)
        return socket

    async def plain(request: web.Request) -> web.StreamResponse:
        found.asked.append(request)
        return await answer(request) if answer else web.Response(status=404)

    app = web.Application()
    app.router.add_get(path, shake)
    app.router.add_route("*", "/{rest:.*}", plain)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    found.base = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    try:
        yield found
    finally:
        await runner.cleanup()
