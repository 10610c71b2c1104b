"""What the transport of our own leaves to aiohttp: ways through a proxy, sockets, and answers that never end.

Loaded when one of them is needed: importing the library takes a sixth of the time in which a short command is over.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from itertools import chain
from ssl import SSLContext

from hydrophone.errors import HydrophoneError, TooLargeError, UnreachableError, UnsafeAddressError
from hydrophone.http.body import Pace, read_body
from hydrophone.http.connect import GuardedResolver
from hydrophone.http.latetls import late_defaults
from hydrophone.http.retry import HopelessError, plain_error
from hydrophone.http.settings import HttpSettings
from hydrophone.http.transport import Asked, Limits, RawReply

# isort: split
with late_defaults():
    import aiohttp as aiohttp  # for those who come after
    from aiohttp.abc import AbstractResolver, ResolveResult


class _Resolver(AbstractResolver):
    """Names to addresses that may be asked, as the library wants them."""

    def __init__(self, inner: GuardedResolver) -> None:
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in await self._inner.resolve(host, port, family)
        ]

    async def close(self) -> None:
        pass


def new_session(
    settings: HttpSettings, tls: SSLContext, resolver: GuardedResolver, headers: Mapping[str, str]
) -> aiohttp.ClientSession:
    """A session that adds nothing to a request and takes nothing from an answer but what is told here."""
    connector = aiohttp.TCPConnector(
        # The lane's gate bounds what is under way; a second queue inside the connector would eat the deadline.
        limit=0,
        ssl=tls,
        resolver=_Resolver(resolver),
        ttl_dns_cache=settings.dns_cache_seconds,
        keepalive_timeout=settings.keepalive_seconds,
    )
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=dict(headers),
        skip_auto_headers=("Content-Type",),  # those with a body would get an invented one
        auto_decompress=False,
        # One deadline of our own spans a whole try; the transport's timers are set once per piece that arrives.
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=settings.connect_seconds),
        trust_env=False,
        requote_redirect_url=False,
    )
    # The transport would ask a second time by itself when a connection is lost: outside every budget, and unseen in
    # our count of tries. It has no public switch for it; without the attribute, nothing changes.
    session._retry_connection = False
    return session


async def ask_session(
    session: aiohttp.ClientSession, asked: Asked, limits: Limits, settings: HttpSettings, proxy: str | None
) -> RawReply:
    """What `Transport.ask` does, by way of a proxy. Raises as it does."""
    stalled_at = asyncio.get_running_loop().time() + settings.stall_seconds
    try:
        async with asyncio.timeout_at(min(limits.give_up_at, stalled_at)) as timeout:
            response = await session.request(
                asked.method,
                asked.address.url,
                data=asked.body,
                headers=asked.headers,
                allow_redirects=False,
                proxy=proxy,
            )
            try:
                raw_headers = response.raw_headers
                if sum(map(len, chain.from_iterable(raw_headers))) > settings.max_header_bytes:
                    raise TooLargeError("the answer has too many headers", limit_bytes=settings.max_header_bytes)
                data = await read_body(response, limits.max_bytes, Pace(timeout, limits.give_up_at, settings))
            except BaseException:
                response.close()
                raise
    except (aiohttp.ClientError, aiohttp.InvalidURL, OSError) as error:
        raise told(error, asked.address.origin.host) or error from None
    known = response.headers
    return RawReply(
        response.status,
        raw_headers,
        data,
        known.get("Content-Encoding", ""),
        "Content-Length" not in known and "Transfer-Encoding" not in known,
    )


def told(error: BaseException, host: str) -> HydrophoneError | None:
    """The library's error in our words; None for what is to be raised as it is."""
    if isinstance(error, (aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError)):
        return HopelessError.of_tls(host)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return UnreachableError(f"the name {host} could not be resolved", host=host)
    if isinstance(error, aiohttp.InvalidURL):
        return UnsafeAddressError(f"{host[:80]} is not an address that can be asked", host=host)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return HopelessError(f"the proxy refused the way to {host} (status {error.status})", host=host)
    if isinstance(error, aiohttp.ClientPayloadError):
        return UnreachableError(f"the answer of {host} ended too early", host=host)
    if isinstance(error, aiohttp.ClientResponseError):
        return UnreachableError(f"{host} answered something that is not HTTP", host=host)
    if isinstance(error, aiohttp.ClientError) and not isinstance(error, OSError):
        return UnreachableError(f"{host}: the connection was lost", host=host)
    return plain_error(error, host)
