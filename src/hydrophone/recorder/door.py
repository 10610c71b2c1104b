"""The way to the media of one recording: the port, and the cookies that a signed replay wants at its own CDN.

Such cookies last a day or less, and a long replay may outlast them; then the source is asked for new ones.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

from hydrophone.errors import HydrophoneError
from hydrophone.http import HostKind, Reply, Request
from hydrophone.model import Stream, StreamCookies

REFUSED = (401, 403)
RENEW_SECONDS = 5.0  #: real seconds between two tries to get new cookies


class Sender(Protocol):
    """Whoever sends a request and brings the reply."""

    async def send(self, request: Request) -> Reply: ...


class StreamDoor:
    """Sends requests for playlists and segments. Without cookies it adds nothing.

    Args:
        renew: asks the source where the stream is now.
    """

    def __init__(self, client: Sender, renew: Callable[[], Awaitable[Stream | None]]) -> None:
        self._client = client
        self._renew = renew
        self._cookies: StreamCookies | None = None
        self._lock = asyncio.Lock()
        self._asked_at = -RENEW_SECONDS

    def use(self, stream: Stream) -> None:
        """From now on, send what this stream wants."""
        self._cookies = stream.cookies or self._cookies

    async def send(self, request: Request) -> Reply:
        cookies = self._cookies
        if cookies is None or request.kind is not HostKind.CDN:
            return await self._client.send(request)
        reply = await self._client.send(replace(request, stream_cookies=cookies))
        if reply.status not in REFUSED or cookies.header(request.target) is None:
            return reply
        if not await self._has_newer(cookies):
            return reply
        return await self._client.send(replace(request, stream_cookies=self._cookies))

    async def _has_newer(self, used: StreamCookies) -> bool:
        """Whether there are other cookies than those that were refused; whoever comes first asks for all."""
        async with self._lock:
            if self._cookies is not used:
                return True
            now = time.monotonic()
            if now - self._asked_at < RENEW_SECONDS:
                return False
            self._asked_at = now
            try:
                stream = await self._renew()
            except HydrophoneError:
                return False
            if stream is None or stream.cookies is None:
                return False
            self._cookies = stream.cookies
            return True
