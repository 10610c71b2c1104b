"""Streams of lines over a real socket: heartbeats, silence, caps, refusals, and where credentials go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from hydrophone.errors import RateLimitedError, TooLargeError, UnreachableError, UnsafeAddressError
from hydrophone.http import AsyncClient, Endpoints, Request, open_lines
from hydrophone.http.budgets import Budgets
from hydrophone.http.rules import BudgetRule

Serve = Callable[[asyncio.StreamWriter, bytes], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"


@asynccontextmanager
async def service(serve: Serve) -> AsyncIterator[str]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(writer, await reader.readuntil(b"\r\n\r\n"))
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


STREAM = Request("GET", "/stream", service="api")


async def read(serve: Serve, *, silence_seconds: float = 20.0, max_line_bytes: int = 1 << 20) -> list[bytes]:
    async with (
        service(serve) as base,
        AsyncClient(Endpoints.sandbox({"x": base})) as client,
        open_lines(client, STREAM, silence_seconds=silence_seconds, max_line_bytes=max_line_bytes) as lines,
    ):
        return [line async for line in lines]


async def test_lines_come_as_they_were_sent_with_heartbeats_between() -> None:
    async def serve(writer: asyncio.StreamWriter, head: bytes) -> None:
        assert b"identity" in head
        writer.write(OK)
        for piece in (b"\r\n", b'{"a":', b"1}\r\n\r", b"\n", b'{"b":2}\n', b"torn"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)

    assert await read(serve) == [b"", b'{"a":1}', b"", b'{"b":2}']


async def test_silence_is_a_lost_connection() -> None:
    async def serve(writer: asyncio.StreamWriter, head: bytes) -> None:
        writer.write(OK + b"\r\n")
        await writer.drain()
        await asyncio.sleep(30)

    with pytest.raises(UnreachableError, match="silent"):
        await read(serve, silence_seconds=0.1)


async def test_a_line_without_end_is_cut_off() -> None:
    async def serve(writer: asyncio.StreamWriter, head: bytes) -> None:
        writer.write(OK)
        for _ in range(100):
            writer.write(b"x" * 65536)
            await writer.drain()

    with pytest.raises(TooLargeError):
        await read(serve, max_line_bytes=100_000)


async def test_a_refusal_is_a_reply_with_its_body() -> None:
    async def serve(writer: asyncio.StreamWriter, head: bytes) -> None:
        writer.write(b"HTTP/1.1 429 x\r\ncontent-length: 4\r\nx-rate-limit-remaining: 0\r\n\r\nfull")

    async with (
        service(serve) as base,
        AsyncClient(Endpoints.sandbox({"x": base})) as client,
        open_lines(client, STREAM) as lines,
    ):
        assert not lines.is_open
        assert (lines.reply.status, lines.reply.body) == (429, b"full")
        assert [line async for line in lines] == []


async def test_nobody_there_is_unreachable_and_a_foreign_host_unsafe() -> None:
    async with AsyncClient(Endpoints.sandbox({"x": "http://127.0.0.1:1"})) as client:
        with pytest.raises(UnreachableError):
            async with open_lines(client, Request("GET", "/stream", service="api")):
                pass
        with pytest.raises(UnsafeAddressError):
            async with open_lines(client, Request("GET", "https://elsewhere.example/stream")):
                pass


async def test_connecting_is_budgeted() -> None:
    async def serve(writer: asyncio.StreamWriter, head: bytes) -> None:
        writer.write(OK)

    budgets = Budgets(reserve=0)
    budgets.declare("stream", BudgetRule(limit=1))
    request = Request("GET", "/stream", service="api", endpoint="stream")
    async with service(serve) as base, AsyncClient(Endpoints.sandbox({"x": base}), budgets=budgets) as client:
        async with open_lines(client, request):
            pass
        with pytest.raises(RateLimitedError):
            async with open_lines(client, request):
                pass


async def test_leaving_closes_the_connection() -> None:
    closed = asyncio.Event()

    async def serve(writer: asyncio.StreamWriter, head: bytes) -> None:
        try:
            writer.write(OK + b"one\n")
            while True:
                await asyncio.sleep(0.01)
                writer.write(b"\r\n")
                await writer.drain()
        finally:
            closed.set()

    async with service(serve) as base, AsyncClient(Endpoints.sandbox({"x": base})) as client:
        async with open_lines(client, Request("GET", "/stream", service="api")) as lines:
            async for line in lines:
                assert line == b"one"
                break
        await asyncio.wait_for(closed.wait(), 10)
