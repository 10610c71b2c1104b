"""The async driver: what happens between a `Request` and its `Reply`.

One try is: reserve the budget, check the address, derive the headers for exactly this host, send, read within caps,
follow a redirect by starting over. Tries are repeated with jitter.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from random import Random
from ssl import SSLContext
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self, TypeVar

from hydrophone.errors import RateLimitedError, TooLargeError, UnreachableError, UnsafeAddressError
from hydrophone.http.body import inflate
from hydrophone.http.budgets import Budgets
from hydrophone.http.connect import GuardedResolver, Proxies, tls_context
from hydrophone.http.endpoints import Endpoints
from hydrophone.http.messages import Call, Headers, HostKind, Question, Reply, Request
from hydrophone.http.policy import (
    Address,
    Origin,
    address_of,
    follow_redirect,
    host_problem,
    parse_url,
    plain_parts,
    portable_headers,
    public_headers,
)
from hydrophone.http.redaction import redact_url
from hydrophone.http.retry import HopelessError, backoff, is_worth_retrying, plain_error, retry_after
from hydrophone.http.settings import HttpSettings
from hydrophone.http.transport import Asked, Limits, Transport

if TYPE_CHECKING:
    from aiohttp import ClientSession

    from hydrophone.http.sockets import WebSocket

T = TypeVar("T")

log = logging.getLogger("hydrophone.http")

_MOST_REMEMBERED = 4096  #: origins; a stream has one, so this is only ever reached by somebody who tries to
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_UNPACKED_AT_ONCE = 1 << 20  #: bytes of a body that was packed: some milliseconds


@dataclass(slots=True)
class _Lane:
    """What requests of one kind share: connections, default headers, and a bound on how many are under way.

    `routes` knows the origins that have passed the policy, and the proxy in front of each. `session` is made for the
    first request that the transport cannot bring; `sockets` shares its connections.
    """

    kind: HostKind
    transport: Transport
    tls: SSLContext
    resolver: GuardedResolver
    headers: Mapping[str, str]
    gate: asyncio.Semaphore
    routes: dict[Origin, str | None] = field(default_factory=dict)
    session: ClientSession | None = None
    sockets: ClientSession | None = None


class _Hop(NamedTuple):
    """One stop on the way of a request."""

    method: str
    address: Address
    body: bytes | None
    is_first_origin: bool = True


class AsyncClient:
    """Ask calls and questions. Use it with `async with`, in one event loop.

    Args:
        endpoints: which hosts there are; None for the real ones.
        settings: knobs.
        budgets: shared by every client of the process that keeps the same credentials; None keeps its own in memory.
        rng: draws the jitter.
        sleep: waits out a budget or a request's own wait, in the seconds of the budgets' clock.
    """

    def __init__(
        self,
        endpoints: Endpoints | None = None,
        *,
        settings: HttpSettings | None = None,
        budgets: Budgets | None = None,
        rng: Random | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.endpoints = endpoints or Endpoints.production()
        self.settings = settings or HttpSettings()
        self.budgets = budgets or Budgets()
        self._rng = rng or Random()
        self._sleep = sleep
        self._unpacking = asyncio.Semaphore(2)
        self._proxies = Proxies(self.settings)
        # Loading the system's authorities takes 30 ms that nobody may need; a bad CA file shows at once.
        self._tls = tls_context(self.settings) if self.settings.ca_file else None
        self._lanes: list[_Lane] = []
        self._origins: dict[str, Origin] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections and write the budgets."""
        lanes, self._lanes = self._lanes, []
        for lane in lanes:
            lane.transport.close()
            for session in (lane.sockets, lane.session):
                if session is not None:
                    await session.close()
        self.budgets.flush()

    async def ask(self, question: Call[T] | Question[T]) -> T:
        """The answer to a call or a question.

        What `send` raises is raised inside the question, at its `yield`, so that it may handle it.
        """
        steps = question.steps() if isinstance(question, Call) else question
        try:
            request = next(steps)
            while True:
                try:
                    reply = await self.send(request)
                except Exception as error:
                    request = steps.throw(error)
                else:
                    request = steps.send(reply)
                    # A page of a history has megabytes, and the next answer may be long in coming.
                    del reply
        except StopIteration as end:
            answer: T = end.value
            return answer
        finally:
            steps.close()

    async def send(self, request: Request) -> Reply:
        """One reply, whatever its status.

        Raises:
            UnreachableError: no whole answer in any of the tries.
            TooLargeError: more than `max_bytes`.
            UnsafeAddressError: the address, a redirect, or what a name resolves to is not for this kind of request.
            RateLimitedError: the budget says wait, for longer than `max_budget_wait_seconds`; nothing was sent.
        """
        address = self._address(self.endpoints.url_for(request))
        if request.wait_seconds > 0.0:
            await self._sleep(request.wait_seconds)
        attempt = 1
        while True:
            try:
                reply = await self._budgeted(request, address)
            except HopelessError:
                raise
            except UnreachableError as error:
                if attempt >= request.attempts:
                    raise
                wait = self._backoff(attempt)
                log.debug("%s: %s; try %d in %.2f s", address.origin.host, error.message, attempt + 1, wait)
            else:
                if attempt >= request.attempts or not is_worth_retrying(reply, request.kind):
                    return reply
                asked = retry_after(reply, self.budgets.now())
                if asked is not None and asked > self.settings.max_retry_after_seconds:
                    return reply
                wait = max(asked or 0.0, self._backoff(attempt))
                log.debug("%s: status %d; try %d in %.2f s", address.origin.host, reply.status, attempt + 1, wait)
            await asyncio.sleep(wait)
            attempt += 1

    async def socket(self, request: Request, *, max_message_bytes: int | None = None) -> WebSocket:
        """An open WebSocket. `request` is its handshake: a GET to an http(s) URL; its method and body are not used.

        Raises:
            RefusedError, FaultyServiceError: the server refused the handshake.
            UnreachableError: no answer within `deadline_seconds`, or none that is a WebSocket's.
            UnsafeAddressError: the address, or what its name resolves to, is not for this kind of request.
        """
        address = address_of(parse_url(self.endpoints.url_for(request)))
        origin = address.origin
        lane = self._lane(request.kind)
        proxy = self._route(lane, origin)
        headers = self._headers(request, _Hop("GET", address, None))
        if "hydrophone.http.sockets" not in sys.modules:
            # A tenth of a second that other recordings of this loop shall not wait for.
            await asyncio.to_thread(import_module, "hydrophone.http.sockets")
        from hydrophone.http.sockets import open_socket, socket_session

        if lane.sockets is None:
            lane.sockets = socket_session(self._session(lane), self.settings.user_agent)
        try:
            async with asyncio.timeout(request.deadline_seconds):
                return await open_socket(
                    lane.sockets,
                    address.url,
                    host=origin.host,
                    headers=headers,
                    proxy=proxy,
                    max_message_bytes=max_message_bytes,
                )
        except Exception as error:
            told = plain_error(error, origin.host)
            if told is None:
                raise
            raise told from None

    def _address(self, text: str) -> Address:
        """What `text` leads to; an origin that was read once is known again."""
        parts = plain_parts(text)
        if parts is None:
            return address_of(parse_url(text))
        base, target = parts
        origin = self._origins.get(base)
        if origin is not None:
            return Address(text, target, origin)
        address = address_of(parse_url(text))
        if len(self._origins) > _MOST_REMEMBERED:
            self._origins.clear()
        self._origins[base] = address.origin
        return address

    def _backoff(self, attempt: int) -> float:
        settings = self.settings
        return backoff(
            attempt, self._rng, base_seconds=settings.backoff_seconds, max_seconds=settings.max_backoff_seconds
        )

    async def _budgeted(self, request: Request, address: Address) -> Reply:
        """One try, within the budget of its endpoint and credential."""
        if not request.endpoint:
            return await self._try(request, address)
        fingerprint = request.credential.fingerprint if request.credential else ""
        while (wait := self.budgets.take(request.endpoint, fingerprint)) > 0.0:
            if wait > self.settings.max_budget_wait_seconds:
                raise RateLimitedError(
                    f"the rate budget of {request.endpoint} is used up",
                    retry_at=self.budgets.now() + timedelta(seconds=wait),
                    status=None,
                    endpoint=request.endpoint,
                    advice="wait until then; asking earlier makes it worse",
                )
            await self._sleep(wait)
        reply = None
        try:
            reply = await self._try(request, address)
        finally:
            self.budgets.give_back(request.endpoint, fingerprint, reply)
        return reply

    async def _try(self, request: Request, address: Address) -> Reply:
        """One try over all its redirects, within one deadline."""
        lane = self._lane(request.kind)
        async with lane.gate:
            give_up_at = asyncio.get_running_loop().time() + request.deadline_seconds
            hop = _Hop(request.method, address, request.body)
            reply = await self._exchange(lane, request, hop, give_up_at)
            if reply.status in _REDIRECTS:
                reply = await self._follow(lane, request, hop, reply, give_up_at)
            return reply

    async def _follow(self, lane: _Lane, request: Request, first: _Hop, reply: Reply, give_up_at: float) -> Reply:
        """The reply at the end of a chain of redirects; each hop is checked and given its headers anew."""
        method, url, body = first.method, first.address.url, first.body
        hops = 0
        while reply.status in _REDIRECTS and "location" in reply.headers and request.max_redirects > 0:
            hops += 1
            if hops > request.max_redirects:
                raise HopelessError(f"more than {request.max_redirects} redirects", host=url.raw_host or "")
            if reply.status == 303 or (reply.status in (301, 302) and method == "POST"):
                method, body = "GET", None
            try:
                url = follow_redirect(url, reply.headers["location"])
                address = address_of(url)
                hop = _Hop(method, address, body, address.origin == first.address.origin)
                reply = await self._exchange(lane, request, hop, give_up_at)
            except UnsafeAddressError as error:
                error.is_redirect = True
                raise
        return reply

    async def _exchange(self, lane: _Lane, request: Request, hop: _Hop, give_up_at: float) -> Reply:
        """One request to one host and its answer; no redirect is followed here."""
        address = hop.address
        proxy = self._route(lane, address.origin)
        asked = Asked(hop.method, address, self._headers(request, hop), hop.body)
        limits = Limits(request.max_bytes, give_up_at)
        try:
            if proxy is None:
                raw = await lane.transport.ask(asked, limits)
            else:
                from hydrophone.http.sessions import ask_session

                raw = await ask_session(self._session(lane), asked, limits, self.settings, proxy)
        except BaseException as error:
            told = plain_error(error, address.origin.host)
            if told is None:
                raise
            # Never chained: the transport's own errors print whole URLs and proxy passwords.
            raise told from None
        data = raw.body
        if raw.encoding and data:
            data = await self._unpack(lane.kind, data, raw.encoding, request.max_bytes)
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s %s: %d, %d bytes", hop.method, redact_url(address.text), raw.status, len(data))
        return Reply(raw.status, Headers.from_raw(raw.headers), data, address.text, request, raw.is_close_delimited)

    async def _unpack(self, kind: HostKind, body: bytes, encoding: str, limit_bytes: int) -> bytes:
        """`inflate`, in a thread where it is more than a moment's work.

        A bomb takes a quarter of a second and the memory of its cap, and nobody sends only one. Media that is packed
        although it was asked for as it is may well be one.
        """
        if kind is not HostKind.CDN:
            try:
                return inflate(body, encoding, min(limit_bytes, _UNPACKED_AT_ONCE))
            except TooLargeError:
                if limit_bytes <= _UNPACKED_AT_ONCE:
                    raise
        async with self._unpacking:
            return await asyncio.to_thread(inflate, body, encoding, limit_bytes)

    def _headers(self, request: Request, hop: _Hop) -> dict[str, str] | None:
        """The headers for one hop: the caller's as far as they may go there, and a credential where it agrees."""
        headers: dict[str, str] | None = None
        if request.headers:
            headers = dict(request.headers) if hop.is_first_origin else portable_headers(request.headers)
            if request.kind is not HostKind.API:
                headers = public_headers(headers)
        credential = request.credential
        if credential is not None and request.kind is HostKind.API:
            text = hop.address.text
            if credential.allows(text):
                headers = {**(headers or {}), **credential.headers(hop.method, text)}
        cookies = request.stream_cookies
        if cookies is not None and request.kind is HostKind.CDN:
            signed = cookies.header(hop.address.text)
            if signed is not None:
                headers = {**(headers or {}), "cookie": signed}
        return headers

    def _route(self, lane: _Lane, origin: Origin) -> str | None:
        """The proxy for this origin, or None; raises where requests of this kind may not go there."""
        try:
            return lane.routes[origin]
        except KeyError:
            pass
        if not self.endpoints.origin_allowed(lane.kind, origin):
            problem = host_problem(origin.host)
            why = f"its address is {problem}" if problem else f"not a host for {lane.kind} requests"
            raise UnsafeAddressError(f"{origin.host} is refused: {why}", host=origin.host)
        if len(lane.routes) > _MOST_REMEMBERED:
            lane.routes.clear()
        proxy = lane.routes[origin] = self._proxies.proxy_for(origin)
        return proxy

    def _lane(self, kind: HostKind) -> _Lane:
        # A list, because an Enum's hash is computed in Python, on each look-up.
        for lane in self._lanes:
            if lane.kind is kind:
                return lane
        lane = self._new_lane(kind)
        self._lanes.append(lane)
        return lane

    def _new_lane(self, kind: HostKind) -> _Lane:
        settings = self.settings
        self._tls = self._tls or tls_context(settings)
        exempt = {(origin.host, origin.port) for origin in self.endpoints.given_origins} | self._proxies.exempt()
        resolver = GuardedResolver(exempt, settings.resolve)
        # Media is asked for as it is: a packed segment could be cut short without anybody noticing.
        encoding = "identity" if kind is HostKind.CDN else "gzip, deflate"
        headers = {"User-Agent": settings.user_agent, "Accept": "*/*", "Accept-Encoding": encoding}
        transport = Transport(settings, self._tls, resolver, headers)
        gate = asyncio.Semaphore(settings.connections(kind))
        return _Lane(kind, transport, self._tls, resolver, headers, gate)

    def _session(self, lane: _Lane) -> ClientSession:
        """For what the transport cannot bring."""
        if lane.session is None:
            from hydrophone.http.sessions import new_session

            lane.session = new_session(self.settings, lane.tls, lane.resolver, lane.headers)
        return lane.session
