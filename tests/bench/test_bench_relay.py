"""The relay of the bench: every byte arrives, in order, and not too early."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.relay import relay

DELAY = 0.03


@asynccontextmanager
async def echo_behind_relay(delay: float) -> AsyncIterator[tuple[str, int]]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    (outside,) = await relay(delay, [server.sockets[0].getsockname()[:2]])
    async with server, outside:
        yield outside.sockets[0].getsockname()[:2]


async def test_relay_is_transparent_for_many_connections_at_once() -> None:
    async def talk(number: int) -> None:
        reader, writer = await asyncio.open_connection(*address)
        sent = bytes([number]) * 300_000 + b"end"
        writer.write(sent)
        writer.write_eof()
        assert await reader.read() == sent
        writer.close()

    async with echo_behind_relay(DELAY) as address:
        await asyncio.gather(*(talk(number) for number in range(20)))


async def test_relay_delays_both_directions_and_the_set_up() -> None:
    async with echo_behind_relay(DELAY) as address:
        began = time.monotonic()
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"a")
        await reader.readexactly(1)
        first = time.monotonic() - began
        began = time.monotonic()
        writer.write(b"b")
        await reader.readexactly(1)
        second = time.monotonic() - began
        writer.close()

    assert first >= 4 * DELAY
    assert second >= 2 * DELAY


async def test_a_target_that_refuses_ends_the_connection() -> None:
    closed = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    target = closed.sockets[0].getsockname()[:2]
    closed.close()
    await closed.wait_closed()
    (outside,) = await relay(DELAY, [target])
    async with outside:
        reader, writer = await asyncio.open_connection(*outside.sockets[0].getsockname()[:2])
        try:
            assert await reader.read() == b""
        except ConnectionError:
            pass
        writer.close()
