"""Reading a body: whole or not at all, never above its cap, never slower than agreed."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from aiohttp import ClientResponse

from hydrophone.errors import TooLargeError, UnreachableError
from hydrophone.http.settings import HttpSettings

_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 47}
_PIECE = 256 * 1024


class Pace(NamedTuple):
    """How slow an answer may be. A time-out that is under way is moved on while bytes come, up to `give_up_at`."""

    timeout: asyncio.Timeout
    give_up_at: float
    settings: HttpSettings

    def move_on(self, now: float) -> None:
        """Something came: the answer may stall from now on again."""
        self.timeout.reschedule(min(self.give_up_at, now + self.settings.stall_seconds))


def is_too_slow(size: int, seconds: float, settings: HttpSettings) -> bool:
    """Have that many bytes in that time been too few?"""
    return seconds > settings.rate_grace_seconds and size < settings.min_bytes_per_second * seconds


async def read_body(response: ClientResponse, limit_bytes: int, pace: Pace) -> bytes:
    """The raw body as it came.

    Raises:
        TooLargeError: it announced or sent more than `limit_bytes`.
        UnreachableError: it came too slowly.
    """
    announced = response.headers.get("Content-Length", "")
    if announced.isdigit() and len(announced) < 19 and int(announced) > limit_bytes:
        raise TooLargeError(f"the answer has {announced} bytes", limit_bytes=limit_bytes)
    content = response.content
    data = await content.readany()
    if content.at_eof() and len(data) <= limit_bytes:
        return data
    return await _read_on(response, data, limit_bytes, pace)


async def _read_on(response: ClientResponse, data: bytes, limit_bytes: int, pace: Pace) -> bytes:
    content = response.content
    pieces = [data]
    size = len(data)
    clock = asyncio.get_running_loop().time
    begun = moved_at = clock()
    while data or not content.at_eof():
        if size > limit_bytes:
            raise TooLargeError("the answer is too long", limit_bytes=limit_bytes)
        data = await content.readany()
        pieces.append(data)
        size += len(data)
        now = clock()
        if is_too_slow(size, now - begun, pace.settings):
            raise UnreachableError("the answer came too slowly", host=response.url.raw_host or "")
        # Moving a timer costs more than reading a piece, so it is done a few times per stall at most.
        if now - moved_at > pace.settings.stall_seconds / 8:
            pace.move_on(now)
            moved_at = now
    return b"".join(pieces)


def inflate(body: bytes, encoding: str, limit_bytes: int) -> bytes:
    """A body without its content encoding.

    Raises:
        TooLargeError: it grows above `limit_bytes`.
        UnreachableError: it ends too early or is damaged, so there was no whole answer; or the encoding is unknown.
    """
    for name in reversed([part.strip().lower() for part in encoding.split(",")]):
        if name in ("", "identity"):
            continue
        if name not in _WINDOW_BITS:
            raise UnreachableError(f"the answer has the encoding {name[:20]!r}, which was not asked for")
        body = _inflate_once(body, name, limit_bytes)
    return body


def _inflate_once(body: bytes, name: str, limit_bytes: int) -> bytes:
    # Some servers say deflate and send the bare stream without its zlib header.
    bits = -15 if name == "deflate" and not _has_zlib_header(body) else _WINDOW_BITS[name]
    pieces: list[bytes] = []
    size = 0
    while body:
        engine = zlib.decompressobj(bits)
        try:
            while not engine.eof:
                piece = engine.decompress(body, _PIECE)
                body = engine.unconsumed_tail
                if not piece and not body:
                    break
                pieces.append(piece)
                size += len(piece)
                if size > limit_bytes:
                    raise TooLargeError("the answer is too long when unpacked", limit_bytes=limit_bytes)
        except zlib.error:
            raise UnreachableError("the packed answer is damaged") from None
        if not engine.eof:
            raise UnreachableError("the packed answer ends too early")
        # A gzip body may be several members in a row; zeros may follow as padding.
        body = engine.unused_data.lstrip(b"\x00") if bits == 31 else b""
    return b"".join(pieces)


def _has_zlib_header(body: bytes) -> bool:
    return len(body) >= 2 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
