"""The server's end of a WebSocket on a connection that began as HTTP: text and binary frames, ping, close.

Source: RFC 6455.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from dataclasses import dataclass

from hydrophone.sandbox.serving import Exchange

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MAX_FRAME_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Frame:
    kind: int
    data: bytes


class WebSocket:
    """One socket. Make it with `accept`; then `receive` and `send` until one side closes."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._buffer = bytearray()
        self._frames: asyncio.Queue[Frame] = asyncio.Queue()

    @property
    def is_open(self) -> bool:
        return not self._exchange.connection.is_closing

    async def receive(self, timeout_seconds: float | None = None) -> Frame | None:
        """The next frame with a meaning; None when there is none in time. Pings are answered by the way.

        Raises:
            ConnectionError: the client has gone.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                while True:
                    frame = await self._frames.get()
                    if frame.kind == PING:
                        self._write(PONG, frame.data)
                    elif frame.kind == CLOSE:
                        self.close(1000)
                        raise ConnectionResetError
                    elif frame.kind != PONG:
                        return frame
        except TimeoutError:
            if not self.is_open:
                raise ConnectionResetError from None
            return None

    def send(self, text: str, *, binary: bool = False) -> None:
        self._write(BINARY if binary else TEXT, text.encode("utf-8", "replace"))

    def ping(self) -> None:
        self._write(PING, b"")

    def close(self, code: int) -> None:
        """Say goodbye and hang up. 1006 is hanging up without a word."""
        if self.is_open:
            if code == 1006:
                self._exchange.connection.reset()
                return
            self._write(CLOSE, code.to_bytes(2, "big"))
            self._exchange.connection.close()

    def _write(self, kind: int, data: bytes) -> None:
        size = len(data)
        if size < 126:
            head = bytes((0x80 | kind, size))
        elif size < 1 << 16:
            head = bytes((0x80 | kind, 126)) + size.to_bytes(2, "big")
        else:
            head = bytes((0x80 | kind, 127)) + size.to_bytes(8, "big")
        if self.is_open:
            self._exchange.write(head + data)

    def _feed(self, data: bytes) -> None:
        self._buffer += data
        while (frame := self._take()) is not None:
            self._frames.put_nowait(frame)

    def _take(self) -> Frame | None:
        """One whole frame from the buffer. Clients mask, and send no fragments here."""
        if len(self._buffer) < 2:
            return None
        kind, size, at = self._buffer[0] & 15, self._buffer[1] & 127, 2
        if size >= 126:
            width = 2 if size == 126 else 8
            if len(self._buffer) < at + width:
                return None
            size, at = int.from_bytes(self._buffer[at : at + width], "big"), at + width
        is_masked = bool(self._buffer[1] & 0x80)
        if size > MAX_FRAME_BYTES or not is_masked:
            self._buffer.clear()
            return Frame(CLOSE, b"")
        if len(self._buffer) < at + 4 + size:
            return None
        mask, body = self._buffer[at : at + 4], self._buffer[at + 4 : at + 4 + size]
        del self._buffer[: at + 4 + size]
        return Frame(kind, bytes(byte ^ mask[place & 3] for place, byte in enumerate(body)))


def accept(exchange: Exchange) -> WebSocket | None:
    """Shake hands; None (and nothing said) for a request that asks for no WebSocket."""
    key = exchange.header("sec-websocket-key")
    if exchange.header("upgrade").lower() != "websocket" or not key:
        return None
    proof = base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()
    socket = WebSocket(exchange)
    head = (
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
        f"sec-websocket-accept: {proof}\r\n\r\n"
    )
    exchange.write(head.encode(), status=101)
    exchange.finish()
    exchange.connection.divert(socket._feed)
    return socket
