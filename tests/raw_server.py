"""A server that says exactly the bytes a test wants, over a real socket on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

Handler = Callable[["Exchange"], Awaitable[None]]


@dataclass
class Exchange:
    """One request as it came, and the means to answer it."""

    head: bytes
    body: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int  #: counts from 1 over the whole server

    @property
    def target(self) -> str:
        """As it was asked for: with scheme and host where the server was taken for a proxy."""
        return self.head.split(b" ", 2)[1].decode()

    @property
    def path(self) -> str:
        return re.sub(r"\Ahttp://[^/]*", "", self.target)

    def header(self, name: str) -> str | None:
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.strip().lower() == name:
                return value.strip()
        return None

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, body: bytes = b"", status: int = 200, **headers: str) -> None:
        await self.say(whole(body, status, **headers))

    def hang_up(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        self.writer.transport.abort()


def whole(body: bytes = b"", status: int = 200, **headers: str) -> bytes:
    """A complete answer; `x_rate_limit_reset="5"` becomes the header x-rate-limit-reset."""
    lines = [f"HTTP/1.1 {status} Any", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


@dataclass
class RawServer:
    """Where it listens and what it was asked."""

    port: int
    scheme: str = "http"
    requests: list[Exchange] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        return [exchange.path for exchange in self.requests]


@contextlib.asynccontextmanager
async def serving(handler: Handler, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """Serve until the block ends; the handler runs once per request, connections are kept open."""
    found = RawServer(port=0, scheme="https" if tls else "http")
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                exchange = Exchange(head, b"", reader, writer, len(found.requests) + 1)
                exchange.body = await reader.readexactly(int(exchange.header("content-length") or 0))
                found.requests.append(exchange)
                await handler(exchange)
        tasks.discard(task)
        writer.transport.abort()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
