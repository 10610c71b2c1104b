"""The least that fetching can cost in this language: bare sockets, connections kept open, every body thrown away.

Usage: ``python floor.py HOST PORT CONNECTIONS LIST``; LIST holds one path per line. Nothing is checked or written, so
no recorder can be as fast; how far one is away from this is what it adds.
"""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from pathlib import Path


class Getter(asyncio.Protocol):
    """One connection: asks for a path, reads its body by its length, asks for the next."""

    def __init__(self, host: str, paths: list[str], done: asyncio.Future[None]) -> None:
        self._host, self._paths, self._done = host, paths, done
        self._left = 0
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        if not self._paths:
            self._transport.close()
            return
        self._transport.write(f"GET {self._paths.pop()} HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        if not self._left:
            self._head += data
            head, found, body = self._head.partition(b"\r\n\r\n")
            if not found:
                return
            self._head = b""
            length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
            self._left = int(length) - len(body)
        else:
            self._left -= len(data)
        if not self._left:
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)


async def fetch(host: str, port: int, connections: int, paths: list[str]) -> None:
    loop = asyncio.get_running_loop()
    over: list[asyncio.Future[None]] = [loop.create_future() for _ in range(connections)]
    for done in over:
        await loop.create_connection(partial(Getter, host, paths, done), host, port)
    await asyncio.gather(*over)


def main() -> None:
    host, port, connections, name = sys.argv[1:]
    paths = Path(name).read_text().split()[::-1]
    asyncio.run(fetch(host, int(port), int(connections), paths))
    if paths:
        sys.exit(f"{len(paths)} paths are left")


main()
