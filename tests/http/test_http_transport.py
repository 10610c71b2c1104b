"""Questions over connections that are kept: what a server may do between and around answers, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hydrophone.errors import TooLargeError, UnreachableError, UnsafeAddressError
from hydrophone.http import AsyncClient, Endpoints, HostKind, HttpSettings, Reply, Request
from hydrophone.http.transport import Connection, Limits
from raw_server import Exchange, RawServer, serving, whole

OK = b"HTTP/1.1 200 OK\r\n"


@asynccontextmanager
async def asking(server: RawServer, **knobs: Any) -> AsyncIterator[AsyncClient]:
    settings = HttpSettings(**{"proxy": "", **knobs})
    async with AsyncClient(Endpoints.sandbox({"cdn": server.base}), settings=settings) as client:
        yield client


def media(server: RawServer, path: str = "/a.aac", **more: Any) -> Request:
    return Request("GET", server.base + path, kind=HostKind.CDN, **{"attempts": 1, "deadline_seconds": 5.0, **more})


async def replies_to(said: Sequence[bytes], *, ending: bool = False, **knobs: Any) -> tuple[list[Reply], int]:
    """What is made of each of these answers, and over how many connections. `ending` closes after each."""
    connections = set()

    async def handler(exchange: Exchange) -> None:
        connections.add(exchange.writer)
        await exchange.say(said[exchange.number - 1])
        if ending:
            exchange.hang_up()

    async with serving(handler) as server, asking(server, **knobs) as client:
        return [await client.send(media(server)) for _ in said], len(connections)


async def test_a_word_before_the_answer_is_passed_over() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
    found, connections = await replies_to([early + early + whole(b"here"), whole(b"again")])

    assert [(reply.status, reply.body) for reply in found] == [(200, b"here"), (200, b"again")]
    assert "link" not in found[0].headers
    assert connections == 1


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_without_a_body_may_announce_one(status: int) -> None:
    lying = f"HTTP/1.1 {status} Any\r\ncontent-length: 500\r\netag: x\r\n\r\n".encode()
    found, connections = await replies_to([lying, whole(b"next")])

    assert [(reply.status, reply.body) for reply in found] == [(status, b""), (200, b"next")]
    assert connections == 2, "what a length has promised could still come, so nothing more is asked there"


async def test_the_answer_to_head_has_no_body() -> None:
    async def handler(exchange: Exchange) -> None:
        if exchange.head.startswith(b"HEAD "):
            await exchange.say(OK + b"content-length: 500\r\n\r\n")
        else:
            await exchange.answer(b"next")

    async with serving(handler) as server, asking(server) as client:
        head = await client.send(replace(media(server), method="HEAD"))
        following = await client.send(media(server))

    assert (head.status, head.body, following.body) == (200, b"", b"next")


async def test_a_second_answer_to_one_question_is_not_taken_for_the_next() -> None:
    found, connections = await replies_to([whole(b"mine") + whole(b"POISON"), whole(b"next")])

    assert [reply.body for reply in found] == [b"mine", b"next"]
    assert connections == 2


async def test_bytes_that_nobody_asked_for_end_the_connection() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.answer(b"%d" % exchange.number)
        if exchange.number == 1:
            await asyncio.sleep(0.05)
            await exchange.say(whole(b"POISON"))

    async with serving(handler) as server, asking(server) as client:
        first = await client.send(media(server))
        await asyncio.sleep(0.15)
        second = await client.send(media(server))

    assert (first.body, second.body) == (b"1", b"2")


@pytest.mark.parametrize("word", [b"connection: close\r\n", b"Connection: Keep-Alive, Close\r\n"])
async def test_a_server_that_wants_to_close_is_not_asked_again_there(word: bytes) -> None:
    said = [OK + word + b"content-length: 2\r\n\r\nok"] * 2
    found, connections = await replies_to(said)

    assert [reply.body for reply in found] == [b"ok", b"ok"]
    assert connections == 2


async def test_a_kept_connection_that_was_closed_meanwhile_is_replaced() -> None:
    found, connections = [], set()

    async def handler(exchange: Exchange) -> None:
        connections.add(exchange.writer)
        await exchange.answer(b"x")
        exchange.hang_up()

    async with serving(handler) as server, asking(server) as client:
        for _ in range(3):
            found.append((await client.send(media(server))).body)
            await asyncio.sleep(0.05)

    assert found == [b"x"] * 3
    assert len(connections) == 3


async def test_a_body_of_many_pieces_and_chunks_is_put_together() -> None:
    body = bytes(range(256)) * 4096

    async def handler(exchange: Exchange) -> None:
        if exchange.path == "/chunked":
            await exchange.say(OK + b"transfer-encoding: chunked\r\n\r\n")
            for at in range(0, len(body), 70_001):
                piece = body[at : at + 70_001]
                await exchange.say(b"%x;note=1\r\n" % len(piece) + piece + b"\r\n")
            await exchange.say(b"0\r\ntrailer: 1\r\n\r\n")
        else:
            await exchange.say(OK + b"content-length: %d\r\n\r" % len(body))
            await asyncio.sleep(0.02)
            await exchange.say(b"\n" + body[:1])
            await asyncio.sleep(0.02)
            await exchange.say(body[1:])

    async with serving(handler) as server, asking(server) as client:
        for path in ("/chunked", "/plain", "/chunked"):
            reply = await client.send(media(server, path))
            assert (reply.body == body, reply.is_close_delimited) == (True, False)

    assert len({exchange.writer for exchange in server.requests}) == 1


@pytest.mark.parametrize(
    "said",
    [
        OK + b"transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        OK + b"content-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        OK + b"content-length: -1\r\n\r\n",
        OK + b"content-length: 99999999999999999999999999\r\n\r\n",
        OK + b"content-length: 3\r\n folded\r\n\r\nabc",
        OK + b"bad header\r\n\r\n",
        OK + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"\x16\x03\x01\x02\x00 a TLS greeting",
        b"\x00" * 100,
    ],
    ids=repr,
)
async def test_what_can_be_read_in_two_ways_is_no_answer(said: bytes) -> None:
    with pytest.raises((UnreachableError, TooLargeError)):
        await replies_to([said], ending=True)


async def test_the_host_is_named_with_its_port_and_headers_of_the_caller_win() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.answer()

    async with serving(handler) as server, asking(server, user_agent="ours") as client:
        await client.send(media(server, "/x?a=%20b#part"))
        await client.send(media(server, headers={"USER-AGENT": "theirs", "range": "bytes=0-3"}))

    plain, special = server.requests
    assert plain.path == "/x?a=%20b"
    assert (plain.header("host"), plain.header("user-agent")) == (f"127.0.0.1:{server.port}", "ours")
    assert (special.header("user-agent"), special.header("range")) == ("theirs", "bytes=0-3")
    assert special.head.lower().count(b"user-agent:") == 1


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "a\nb", "a\0b"])
async def test_a_header_cannot_smuggle_another_one(value: str) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.answer()

    async with serving(handler) as server, asking(server) as client:
        with pytest.raises(UnsafeAddressError, match="line break"):
            await client.send(media(server, headers={"range": value}))

    assert server.requests == []


async def test_a_question_that_is_called_off_takes_its_connection_with_it() -> None:
    gone = asyncio.Event()

    async def handler(exchange: Exchange) -> None:
        if exchange.number == 1:
            await exchange.say(OK + b"content-length: 9\r\n\r\nhalf")
            await exchange.reader.read()
            gone.set()
        else:
            await exchange.answer(b"fresh")

    async with serving(handler) as server, asking(server) as client:
        task = asyncio.create_task(client.send(media(server)))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await client.send(media(server))).body == b"fresh"
        await asyncio.wait_for(gone.wait(), 5)


async def test_a_connection_that_nobody_uses_is_closed_after_a_while() -> None:
    closed = asyncio.Event()

    async def handler(exchange: Exchange) -> None:
        await exchange.answer(b"x")
        await exchange.reader.read()
        closed.set()

    async with serving(handler) as server, asking(server, keepalive_seconds=0.05) as client:
        await client.send(media(server))
        await asyncio.wait_for(closed.wait(), 5)


async def test_many_who_need_a_name_ask_for_it_once_and_again_after_a_failure() -> None:
    asked = 0
    is_down = False

    async def resolve(host: str, port: int) -> list[str]:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.02)
        return ["127.0.0.2"] if is_down else ["127.0.0.1"]

    async def handler(exchange: Exchange) -> None:
        await asyncio.sleep(0.02)
        await exchange.answer(b"x")
        exchange.hang_up()

    async with serving(handler) as server:
        base = f"http://cdn.test:{server.port}"
        settings = HttpSettings(proxy="", resolve=resolve)
        async with AsyncClient(Endpoints.sandbox({"cdn": base}), settings=settings) as client:
            request = replace(media(server), target=base + "/a")
            found = await asyncio.gather(*[client.send(request) for _ in range(20)])
            assert [reply.body for reply in found] == [b"x"] * 20
            assert asked == 1
        is_down = True
        async with AsyncClient(Endpoints.sandbox({"cdn": base}), settings=settings) as client:
            with pytest.raises(UnreachableError):
                await client.send(request)
            is_down = False
            assert (await client.send(request)).body == b"x"
    assert asked == 3


# ---------------------------------------------------------------- however the bytes are cut


class _Wire(asyncio.Transport):
    """Takes what is written and is closed when told."""

    def __init__(self) -> None:
        super().__init__()
        self.is_gone = False

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        pass

    def is_closing(self) -> bool:
        return self.is_gone

    def abort(self) -> None:
        self.is_gone = True


def outcome(pieces: Sequence[bytes]) -> tuple[str, int, bytes, bool]:
    """What comes of these pieces, after which the server closes: kind, status, body, may be asked again."""

    async def run() -> tuple[str, int, bytes, bool]:
        loop = asyncio.get_running_loop()
        buffer = memoryview(bytearray(65536))
        connection = Connection(loop, "h.test", HttpSettings(max_header_bytes=300), buffer)
        wire = _Wire()
        connection.connection_made(wire)
        asked = asyncio.ensure_future(connection.ask(b"GET / HTTP/1.1\r\n\r\n", Limits(5000, loop.time() + 60)))
        await asyncio.sleep(0)
        for piece in pieces:
            if not wire.is_gone and piece:
                buffer[: len(piece)] = piece
                connection.buffer_updated(len(piece))
        is_reusable = connection.has_answered and connection.is_reusable
        connection.connection_lost(None)
        try:
            reply = await asked
        except (UnreachableError, TooLargeError) as error:
            return type(error).__name__, 0, b"", False
        return "answer", reply.status, reply.body, is_reusable

    return asyncio.run(run())


_HEADS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 206 Part\r\nContent-Length: %d\r\nx: " + b"y" * 200 + b"\r\n\r\n",
        b"HTTP/1.1 404\r\ncontent-length: %d\r\nconnection: close\r\n\r\n",
        b"HTTP/1.1 304 Same\r\ncontent-length: %d\r\n\r\n",
    ]
)


@st.composite
def said_and_cuts(draw: st.DrawFn) -> tuple[bytes, list[int]]:
    head, body = draw(_HEADS), draw(st.binary(min_size=1, max_size=60))
    said = (head % len(body) if b"%" in head else head) + body
    if b"chunked" in head:
        said += b"\r\n0\r\n\r\n"
    damage = draw(st.sampled_from(["none", "none", "none", "cut", "change"]))
    at = draw(st.integers(0, len(said) - 1))
    if damage == "cut":
        said = said[:at]
    elif damage == "change":
        said = said[:at] + draw(st.binary(min_size=1, max_size=3)) + said[at + 1 :]
    return said, sorted(draw(st.lists(st.integers(0, len(said)), max_size=12)))


@given(said_and_cuts())
@example((b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcXY", []))
@example((b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\n\r\n", []))
def test_an_answer_is_the_same_however_it_is_cut(case: tuple[bytes, list[int]]) -> None:
    said, cuts = case
    whole_outcome = outcome([said])
    edges = [0, *cuts, len(said)]

    assert outcome([said[a:b] for a, b in pairwise(edges)]) == whole_outcome
    assert outcome([said[at : at + 1] for at in range(len(said))]) == whole_outcome
