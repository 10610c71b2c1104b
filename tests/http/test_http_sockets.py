"""WebSockets through the port: the same policy as every request, and frames as they come."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import WSCloseCode, WSMsgType, web

from hydrophone.errors import FaultyServiceError, RefusedError, UnreachableError, UnsafeAddressError
from hydrophone.http import AsyncClient, Endpoints, HostKind, HttpSettings, Request
from hydrophone.http.frames import ABNORMAL, FrameKind
from hydrophone.http.sockets import WebSocket
from raw_server import Exchange, serving
from socket_server import SocketServer, Talk, socket_server


def client_for(base: str, **knobs: Any) -> AsyncClient:
    return AsyncClient(Endpoints.sandbox({"chat": base}), settings=HttpSettings(proxy="", **knobs))


def shake(server: SocketServer, path: str = "/ws", **more: Any) -> Request:
    return Request("GET", server.base + path, **{"deadline_seconds": 5.0, **more})


async def echo(socket: web.WebSocketResponse) -> None:
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)


@contextlib.asynccontextmanager
async def opened(talk: Talk, *, limit: int = 100_000, **more: Any) -> AsyncIterator[tuple[WebSocket, SocketServer]]:
    """A socket to a server that behaves as `talk` does."""
    async with (
        socket_server(talk) as server,
        client_for(server.base) as client,
        await client.socket(shake(server, **more), max_message_bytes=limit) as socket,
    ):
        yield socket, server


async def test_what_is_sent_arrives_and_what_arrives_is_bytes() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_str((await socket.receive()).data + " ü")
        await socket.send_bytes(b"\xff\x00")
        await socket.close(code=WSCloseCode.OK)

    async with opened(talk, headers={"origin": "https://x.com"}) as (socket, server):
        await socket.send("hello")
        frames = [await socket.receive(5.0) for _ in range(4)]

    assert [(frame.kind, frame.data, frame.code) for frame in frames if frame] == [
        (FrameKind.MESSAGE, "hello ü".encode(), None),
        (FrameKind.MESSAGE, b"\xff\x00", None),
        (FrameKind.CLOSED, b"", 1000),
        (FrameKind.CLOSED, b"", 1000),
    ]
    headers = server.handshakes[0].headers
    assert headers["origin"] == "https://x.com"
    assert headers["user-agent"].startswith("Mozilla/5.0")
    assert "Sec-WebSocket-Extensions" not in headers  # nothing that unpacks


async def test_text_that_is_no_utf8_is_a_message_like_any_other() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket._writer.send_frame(b"\xff\xfe", WSMsgType.TEXT)  # type: ignore[union-attr]
        await socket.receive()

    async with opened(talk) as (socket, _):
        frame = await socket.receive(5.0)

    assert frame is not None
    assert (frame.kind, frame.data) == (FrameKind.MESSAGE, b"\xff\xfe")


async def test_pings_are_answered_and_ours_come_back_as_pongs() -> None:
    heard: list[WSMsgType] = []

    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.ping(b"are you there")
        for _ in range(2):
            message = await socket.receive()
            heard.append(message.type)
            if message.type is WSMsgType.PING:
                await socket.pong(message.data)
        await socket.receive()

    async with opened(talk) as (socket, _):
        first = await socket.receive(5.0)
        await socket.ping()
        second = await socket.receive(5.0)
        nothing = await socket.receive(0.01)

    assert [frame.kind for frame in (first, second) if frame] == [FrameKind.PING, FrameKind.PONG]
    assert nothing is None
    assert heard == [WSMsgType.PONG, WSMsgType.PING]


async def test_listening_in_short_waits_loses_nothing() -> None:
    found = []
    async with opened(echo) as (socket, _):
        for number in range(50):
            await socket.send(str(number))
        while len(found) < 50:
            frame = await socket.receive(0.0001)
            if frame is not None:
                found.append(frame.data)

    assert found == [str(number).encode() for number in range(50)]


async def test_a_lost_connection_and_a_message_that_is_too_long_close_the_socket() -> None:
    async def drop(socket: web.WebSocketResponse) -> None:
        request = socket._req
        assert request is not None
        assert request.transport is not None
        request.transport.abort()

    async def flood(socket: web.WebSocketResponse) -> None:
        await socket.send_str("x" * 3000)
        await socket.receive()

    async with opened(drop) as (socket, _):
        frame = await socket.receive(5.0)
        with pytest.raises(UnreachableError):
            await insist(socket)
    assert frame is not None
    assert (frame.kind, frame.code) == (FrameKind.CLOSED, ABNORMAL)
    async with opened(flood, limit=1000) as (socket, _):
        frame = await socket.receive(5.0)
    assert frame is not None
    assert (frame.kind, frame.code) == (FrameKind.CLOSED, WSCloseCode.MESSAGE_TOO_BIG)


async def insist(socket: WebSocket) -> None:
    """Send until it shows that nobody listens."""
    for _ in range(20):
        await socket.send("anybody?")


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, RefusedError), (403, RefusedError), (404, RefusedError), (503, FaultyServiceError), (200, UnreachableError)],
)
async def test_a_refused_handshake_says_how(status: int, error: type[RefusedError]) -> None:
    async def no(request: web.Request) -> web.Response:
        return web.Response(status=status)

    async with socket_server(echo, answer=no) as server, client_for(server.base) as client:
        with pytest.raises(error) as caught:
            await client.socket(shake(server, "/elsewhere"))

    assert getattr(caught.value, "status", status) == status


async def test_a_redirect_is_never_followed() -> None:
    async with socket_server(echo) as other:

        async def away(request: web.Request) -> web.Response:
            return web.Response(status=302, headers={"location": other.base + "/ws"})

        async with socket_server(echo, answer=away) as server, client_for(server.base) as client:
            with pytest.raises(UnsafeAddressError):
                await client.socket(shake(server, "/elsewhere"))

    assert other.handshakes == []


async def test_a_host_that_is_not_meant_is_never_asked() -> None:
    async with socket_server(echo) as other, client_for("http://127.0.0.1:9") as client:
        for kind in HostKind:
            with pytest.raises(UnsafeAddressError):
                await client.socket(shake(other, kind=kind))
        for address in ("https://169.254.169.254/ws", "file:///etc/passwd", "https://chat.example/ws", "ws://x/"):
            with pytest.raises(UnsafeAddressError):
                await client.socket(Request("GET", address))

    assert other.handshakes == []


async def test_a_name_that_leads_to_a_private_address_is_refused() -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    settings = HttpSettings(proxy="", resolve=resolve)
    async with AsyncClient(settings=settings) as client:
        with pytest.raises(UnsafeAddressError):
            await client.socket(
                Request("GET", "https://prod-chatman-ancillary-eu-central-1.pscp.tv/chatapi/v1/chatnow")
            )


async def test_a_handshake_that_never_ends_is_given_up() -> None:
    async def silent(exchange: Exchange) -> None:
        await asyncio.sleep(60)

    async with serving(silent) as server, client_for(server.base) as client:
        with pytest.raises(UnreachableError):
            await client.socket(Request("GET", server.base + "/ws", deadline_seconds=0.05))


async def test_many_sockets_hold_no_place_of_other_requests() -> None:
    async def fine(request: web.Request) -> web.Response:
        return web.Response(text="fine")

    async with socket_server(echo, answer=fine) as server, client_for(server.base, api_connections=1) as client:
        sockets = [await client.socket(shake(server)) for _ in range(5)]
        reply = await client.send(Request("GET", server.base + "/page", attempts=1, deadline_seconds=5.0))
        for socket in sockets:
            await socket.close()
            await socket.close()

    assert reply.body == b"fine"


async def test_tls_is_verified(tmp_path: Path) -> None:
    authority = trustme.CA()
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(trusted)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    async with socket_server(echo, tls=context) as server:
        async with client_for(server.base, ca_file=trusted) as client, await client.socket(shake(server)) as socket:
            await socket.send("secret")
            frame = await socket.receive(5.0)
        async with client_for(server.base) as stranger:
            with pytest.raises(UnreachableError, match="prove"):
                await stranger.socket(shake(server))

    assert frame is not None
    assert frame.data == b"secret"
