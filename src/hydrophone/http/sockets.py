"""A WebSocket through the port: the same host policy, address check, TLS and proxy as every other request.

What is special: a socket is not bounded in time, so it holds none of the places of its lane; nothing is retried, since
only the caller knows what was missed; and no extension that unpacks is offered, so that no frame can be a bomb.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from types import SimpleNamespace, TracebackType
from typing import Self

from yarl import URL

from hydrophone.errors import FaultyServiceError, HydrophoneError, RefusedError, UnreachableError, UnsafeAddressError
from hydrophone.http.frames import ABNORMAL, FrameKind, SocketFrame
from hydrophone.http.sessions import aiohttp, told

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
_CLOSE_SECONDS = 2.0


class WebSocket:
    """An open socket. Made by `AsyncClient.socket`; leave its `async with` block, or `close` it."""

    def __init__(self, inner: aiohttp.ClientWebSocketResponse[bool], host: str) -> None:
        self._inner = inner
        self._host = host

    async def send(self, text: str) -> None:
        """Send one text frame.

        Raises:
            UnreachableError: the connection is gone.
        """
        await self._do(self._inner.send_str(text))

    async def ping(self) -> None:
        """Ask for a sign of life; it arrives as a `PONG`. Raises as `send` does."""
        await self._do(self._inner.ping())

    async def receive(self, wait_seconds: float | None = None) -> SocketFrame | None:
        """The next frame; None when nothing came in that time. After `CLOSED`, only `CLOSED` comes."""
        try:
            async with asyncio.timeout(wait_seconds):
                message = await self._inner.receive()
        except TimeoutError:
            return None
        if message.type is aiohttp.WSMsgType.TEXT:
            data = message.data
            return SocketFrame(FrameKind.MESSAGE, data if isinstance(data, bytes) else data.encode())
        if message.type is aiohttp.WSMsgType.BINARY:
            return SocketFrame(FrameKind.MESSAGE, bytes(message.data))
        if message.type is aiohttp.WSMsgType.PING:
            await self._do(self._inner.pong(message.data))
            return SocketFrame(FrameKind.PING)
        if message.type is aiohttp.WSMsgType.PONG:
            return SocketFrame(FrameKind.PONG)
        return SocketFrame(FrameKind.CLOSED, code=self._inner.close_code or ABNORMAL)

    async def close(self) -> None:
        """Say good-bye and let go of the connection, within two seconds. Twice is as good as once."""
        try:
            await self._inner.close()
        except (aiohttp.ClientError, OSError):
            pass  # it is gone already, which is what was wanted

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _do(self, sending: Awaitable[None]) -> None:
        try:
            await sending
        except (aiohttp.ClientError, OSError):
            raise UnreachableError(f"{self._host}: the socket is gone", host=self._host) from None


def socket_session(session: aiohttp.ClientSession, user_agent: str) -> aiohttp.ClientSession:
    """A session for sockets that shares the guarded connections of another one, and never follows a redirect."""
    refusing = aiohttp.TraceConfig()
    refusing.on_request_redirect.append(_refuse_redirect)
    return aiohttp.ClientSession(
        connector=session.connector,
        connector_owner=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": user_agent},
        timeout=aiohttp.ClientTimeout(total=None),
        trust_env=False,
        trace_configs=[refusing],
    )


async def _refuse_redirect(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, _params: aiohttp.TraceRequestRedirectParams
) -> None:
    # The transport would follow by itself, past the host policy; it has no switch for sockets.
    raise UnsafeAddressError("a socket that redirects is not followed")


async def open_socket(
    session: aiohttp.ClientSession,
    url: URL,
    *,
    host: str,
    headers: dict[str, str] | None,
    proxy: str | None,
    max_message_bytes: int | None,
) -> WebSocket:
    """Shake hands. The caller has judged the address and bounds the time.

    Raises:
        RefusedError: the server said no (4xx); `status` says how.
        FaultyServiceError: it is overloaded or broken (5xx).
        UnreachableError: what answered is no WebSocket.
    """
    try:
        inner: aiohttp.ClientWebSocketResponse[bool] = await session.ws_connect(
            url,
            headers=headers,
            proxy=proxy,
            autoping=False,
            compress=0,
            max_msg_size=max_message_bytes or MAX_MESSAGE_BYTES,
            timeout=aiohttp.ClientWSTimeout(ws_receive=None, ws_close=_CLOSE_SECONDS),
            # Text that is no UTF-8 is a message like any other here: the reader of messages deals with it.
            decode_text=False,
        )
    except aiohttp.WSServerHandshakeError as error:
        raise _refusal(error.status, host) from None
    except (aiohttp.ClientError, aiohttp.InvalidURL, OSError) as error:
        raise told(error, host) or error from None
    return WebSocket(inner, host)


def _refusal(status: int, host: str) -> HydrophoneError:
    if 400 <= status < 500:
        return RefusedError(f"{host} refuses the socket: HTTP {status}", status=status)
    if status >= 500:
        return FaultyServiceError(f"{host} cannot open the socket: HTTP {status}", status=status)
    return UnreachableError(f"{host} does not speak WebSocket", host=host)
