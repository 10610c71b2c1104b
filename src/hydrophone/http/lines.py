"""Answers that never end: a stream of lines that is read as it comes, with caps on each line and on silence.

Everything else about a request holds as elsewhere: the policy for its host, headers derived for exactly that host, the
budget of its endpoint. It is not one of the requests that a lane bounds, and no redirect is followed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from hydrophone.errors import RateLimitedError, TooLargeError, UnreachableError
from hydrophone.http.body import Pace, inflate, read_body
from hydrophone.http.driver import AsyncClient, _Hop
from hydrophone.http.messages import Headers, Reply, Request
from hydrophone.http.policy import address_of, parse_url
from hydrophone.http.sessions import aiohttp, told

DEFAULT_SILENCE_SECONDS = 25.0
DEFAULT_MAX_LINE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Lines:
    """An open stream. `reply` has status and headers, and the whole body where the status is no success.

    Iterating gives the lines as they come, without their ends; b"" is a heartbeat. It ends when the service ends the
    stream; what came after the last line end is dropped.
    """

    reply: Reply
    _response: aiohttp.ClientResponse
    _silence_seconds: float
    _max_line_bytes: int

    @property
    def is_open(self) -> bool:
        return self.reply.status == 200

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """
        Raises:
            UnreachableError: nothing came for too long, not even a heartbeat, or the connection was lost.
            TooLargeError: a line exceeds its cap.
        """
        rest = b""
        while self.is_open:
            data = await self._more()
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                yield line.removesuffix(b"\r")
            if len(rest) > self._max_line_bytes:
                raise TooLargeError("a line of the stream is too long", limit_bytes=self._max_line_bytes)

    async def _more(self) -> bytes:
        """What has come, b"" at the end."""
        host = self._response.url.raw_host or ""
        content = self._response.content
        try:
            async with asyncio.timeout(self._silence_seconds):
                data = await content.readany()
                while not data and not content.at_eof():
                    data = await content.readany()
                return data
        except TimeoutError:
            raise UnreachableError(f"{host} fell silent in the middle of a stream", host=host) from None
        except (aiohttp.ClientError, OSError) as error:
            raise told(error, host) or error from None


@asynccontextmanager
async def open_lines(
    client: AsyncClient,
    request: Request,
    *,
    silence_seconds: float = DEFAULT_SILENCE_SECONDS,
    max_line_bytes: int = DEFAULT_MAX_LINE_BYTES,
) -> AsyncIterator[Lines]:
    """Open a stream of lines; leaving the context closes the connection.

    Read fast and work elsewhere: a service cuts off slow readers.

    Raises:
        UnreachableError: no answer.
        UnsafeAddressError: not a host for this kind of request.
        RateLimitedError: the budget says wait; nothing was sent.
    """
    fingerprint = request.credential.fingerprint if request.credential else ""
    wait = client.budgets.take(request.endpoint, fingerprint)
    if wait > 0.0:
        raise RateLimitedError(
            f"the rate budget of {request.endpoint} is used up",
            retry_at=client.budgets.now() + timedelta(seconds=wait),
            status=None,
            endpoint=request.endpoint,
            advice="wait until then; asking earlier makes it worse",
        )
    reply: Reply | None = None
    response: aiohttp.ClientResponse | None = None
    try:
        try:
            response, reply = await _open(client, request)
        finally:
            client.budgets.give_back(request.endpoint, fingerprint, reply)
        yield Lines(reply, response, silence_seconds, max_line_bytes)
    finally:
        if response is not None:
            # Closed, not released: what is still on the way belongs to nobody.
            response.close()


async def _open(client: AsyncClient, request: Request) -> tuple[aiohttp.ClientResponse, Reply]:
    address = address_of(parse_url(client.endpoints.url_for(request)))
    origin = address.origin
    lane = client._lane(request.kind)
    proxy = client._route(lane, origin)
    # Packed lines would wait inside the packer until it has enough of them.
    request = replace(request, headers={**request.headers, "Accept-Encoding": "identity"})
    hop = _Hop(request.method, address, request.body)
    response: aiohttp.ClientResponse | None = None
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(request.deadline_seconds) as timeout:
            response = await client._session(lane).request(
                hop.method,
                address.url,
                data=hop.body,
                headers=client._headers(request, hop),
                allow_redirects=False,
                proxy=proxy,
                # The transport would otherwise buffer as much as it can before it slows the service down.
                read_bufsize=2**18,
            )
            encoding = response.headers.get("Content-Encoding", "")
            body = b""
            if response.status != 200:
                pace = Pace(timeout, loop.time() + request.deadline_seconds, client.settings)
                body = await read_body(response, request.max_bytes, pace)
                body = inflate(body, encoding, request.max_bytes) if encoding and body else body
            elif encoding not in ("", "identity"):
                raise UnreachableError("the stream is packed, which was not asked for", host=origin.host)
    except BaseException as error:
        if response is not None:
            response.close()
        ours = told(error, origin.host)
        if ours is None:
            raise
        # Never chained: the transport's own errors print whole URLs and proxy passwords.
        raise ours from None
    return response, Reply(response.status, Headers.from_raw(response.raw_headers), body, address.text, request)
