"""Plain questions: HTTP/1.1 over connections that are kept, and nothing else.

A recorder sends the same small question again and again, thousands of times for each hour. A client for everything
spends more time around such a question than in it, so what is asked directly goes this way; ways through a proxy,
sockets and answers that never end are left to `sessions`. The parser is the one that servers rely on (llhttp).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping, Sequence
from ssl import SSLContext
from typing import NamedTuple

import aiohappyeyeballs
import httptools

from hydrophone.errors import TooLargeError, UnreachableError, UnsafeAddressError
from hydrophone.http.body import is_too_slow
from hydrophone.http.connect import GuardedResolver
from hydrophone.http.policy import DEFAULT_PORTS, Address, Origin, literal_address
from hydrophone.http.settings import HttpSettings

_READ_BYTES = 256 * 1024
_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))  #: their length is told even where there is nothing
_BODILESS = frozenset((204, 304))
_NEXT_ADDRESS_SECONDS = 0.25  #: how long one address of a name may take before the next is tried beside it
_MOST_BLOCKS = 64
_FORBIDDEN = frozenset("\r\n\0")

RawHeaders = Sequence[tuple[bytes, bytes]]


class Limits(NamedTuple):
    """How much one answer may be, and by when (the loop's clock) it must be there."""

    max_bytes: int
    give_up_at: float


class Asked(NamedTuple):
    """One question to one host. The address has been judged; `headers` are the caller's."""

    method: str
    address: Address
    headers: Mapping[str, str] | None
    body: bytes | None


class RawReply(NamedTuple):
    """An answer as it came. `encoding` is its Content-Encoding, "" for none."""

    status: int
    headers: RawHeaders
    body: bytes
    encoding: str
    is_close_delimited: bool


class Transport:
    """The kept connections of one event loop. `ask` may be called by many tasks at once; the caller bounds how many.

    Args:
        tls: for https.
        resolver: names to addresses that may be asked.
        headers: sent with each request, unless the caller gives a header of the same name.
    """

    def __init__(
        self, settings: HttpSettings, tls: SSLContext, resolver: GuardedResolver, headers: Mapping[str, str]
    ) -> None:
        self._settings = settings
        self._tls = tls
        self._names = _Names(resolver, settings.dns_cache_seconds)
        self._headers = dict(headers)
        self._idle: dict[Origin, list[Connection]] = {}
        self._sweeper: asyncio.TimerHandle | None = None
        self._blocks: dict[tuple[tuple[str, str], ...], bytes] = {}
        # What arrives is parsed before anything else runs, so that all connections can share one buffer.
        self._buffer = memoryview(bytearray(_READ_BYTES))

    async def ask(self, asked: Asked, limits: Limits) -> RawReply:
        """Ask once; no redirect is followed.

        Raises:
            UnreachableError: no whole answer, or none that is HTTP.
            TooLargeError: more than the limits allow, in headers or body.
            UnsafeAddressError: the name leads to an address that may not be asked, or a header holds a line break.
            TimeoutError: it took too long.
            OSError: no connection (`ssl.SSLError` among them).
        """
        question, origin = self._question(asked), asked.address.origin
        connection = self._kept(origin)
        if connection is None:
            connection = await self._connect(origin, limits)
        try:
            reply = await connection.ask(question, limits, has_body=asked.method != "HEAD")
        except BaseException:
            connection.abort()
            raise
        if connection.is_reusable:
            self._keep(origin, connection)
        else:
            connection.abort()
        return reply

    def close(self) -> None:
        """Close what is open. A request under way ends with an error."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        idle, self._idle = self._idle, {}
        for connections in idle.values():
            for connection in connections:
                connection.abort()
        self._names.close()

    # ------------------------------------------------------------ what is asked

    def _question(self, asked: Asked) -> bytes:
        method, (_, target, origin), headers, body = asked
        if body is not None or method in _WITH_BODY:
            headers = {**(headers or {}), "Content-Length": str(len(body or b""))}
        key = (("", origin.host), ("", str(origin.port)), *(headers or {}).items())
        block = self._blocks.get(key)
        if block is None:
            if len(self._blocks) >= _MOST_BLOCKS:
                self._blocks.clear()
            block = self._blocks[key] = self._block(origin, headers or {})
        return b"%b %b%b%b" % (method.encode("ascii"), target.encode("ascii"), block, body or b"")

    def _block(self, origin: Origin, headers: Mapping[str, str]) -> bytes:
        """All that follows the path."""
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        if origin.port != DEFAULT_PORTS[origin.scheme]:
            host += f":{origin.port}"
        given = {name.lower() for name in headers}
        fields = {"Host": host, **{k: v for k, v in self._headers.items() if k.lower() not in given}, **headers}
        for name, value in fields.items():
            if not _FORBIDDEN.isdisjoint(name) or not _FORBIDDEN.isdisjoint(value):
                raise UnsafeAddressError("a header with a line break is not sent", host=origin.host)
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f" HTTP/1.1\r\n{lines}\r\n".encode("utf-8", "surrogateescape")

    # ------------------------------------------------------------ connections

    async def _connect(self, origin: Origin, limits: Limits) -> Connection:
        loop = asyncio.get_running_loop()
        host = origin.host
        async with asyncio.timeout_at(min(limits.give_up_at, loop.time() + self._settings.connect_seconds)):
            addresses = await self._names.find(host, origin.port)
            try:
                sock = await aiohappyeyeballs.start_connection(
                    addresses, happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS, interleave=1, loop=loop
                )
            except OSError:
                self._names.forget(host, origin.port)
                raise
            is_secure = origin.scheme == "https"
            _, connection = await loop.create_connection(
                lambda: Connection(loop, host, self._settings, self._buffer),
                sock=sock,
                ssl=self._tls if is_secure else None,
                server_hostname=host.rstrip(".") if is_secure else None,
            )
            return connection

    def _kept(self, origin: Origin) -> Connection | None:
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.is_reusable:
                return connection
            connection.abort()
        return None

    def _keep(self, origin: Origin, connection: Connection) -> None:
        self._idle.setdefault(origin, []).append(connection)
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(self._settings.keepalive_seconds, self._sweep)

    def _sweep(self) -> None:
        """Close what nobody has used for a while, and look again later if anything is left."""
        loop = asyncio.get_running_loop()
        oldest = loop.time() - self._settings.keepalive_seconds
        for origin, connections in list(self._idle.items()):
            young = [connection for connection in connections if connection.moved_at > oldest]
            for connection in connections:
                if connection.moved_at <= oldest:
                    connection.abort()
            if young:
                self._idle[origin] = young
            else:
                del self._idle[origin]
        self._sweeper = loop.call_later(self._settings.keepalive_seconds, self._sweep) if self._idle else None


class Connection(asyncio.BufferedProtocol):
    """One connection: a question at a time."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, host: str, settings: HttpSettings, buffer: memoryview[int]
    ) -> None:
        self._loop = loop
        self._host = host
        self._settings = settings
        self._buffer = buffer
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[RawReply] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._limits = Limits(0, 0.0)
        self._has_body = True
        self._began_at = 0.0  # the body
        self._is_ended = False  # by the server, or spoilt
        self.moved_at = loop.time()
        self._begin()

    def _begin(self) -> None:
        self._status = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._pieces: list[bytes] = []
        self._size = 0
        self._encoding = ""
        self._has_head = False
        self._is_delimited = False
        self._is_whole = False
        self._problem: Exception | None = None

    @property
    def is_reusable(self) -> bool:
        """May another question follow?"""
        transport = self._transport
        return not self._is_ended and transport is not None and not transport.is_closing()

    @property
    def has_answered(self) -> bool:
        """Is the answer to the latest question whole?"""
        return self._is_whole

    async def ask(self, question: bytes, limits: Limits, *, has_body: bool = True) -> RawReply:
        """Send one question and wait for its answer. Raises as `Transport.ask` does, and is spoilt then.

        Args:
            has_body: False for a question whose answer has none, whatever its headers say (HEAD).
        """
        loop = self._loop
        assert self._transport is not None
        assert self._answer is None
        self._begin()
        self._limits = limits
        self._has_body = has_body
        self.moved_at = loop.time()
        self._answer = loop.create_future()
        due = self._due()
        if self._timer is None or self._timer.when() > due:
            self._set_timer(due)
        self._transport.write(question)
        try:
            return await self._answer
        finally:
            self._answer = None

    def abort(self) -> None:
        """Close at once. Twice is as good as once."""
        self._is_ended = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.abort()

    # ------------------------------------------------------------ time

    def _due(self) -> float:
        return min(self._limits.give_up_at, self.moved_at + self._settings.stall_seconds)

    def _set_timer(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._look_at_clock)

    def _look_at_clock(self) -> None:
        """One timer serves many questions: it is not moved with each, but looks when its time has come."""
        self._timer = None
        if self._answer is None:
            return
        due = self._due()
        if self._loop.time() < due:
            self._set_timer(due)
        else:
            self._fail(TimeoutError())

    # ------------------------------------------------------------ what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview[int]:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.moved_at = self._loop.time()
        if self._answer is None:
            self._spoil()  # nobody asked for this
            return
        try:
            self._parser.feed_data(self._buffer[:nbytes])
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if not self._is_whole:
                self._fail(self._problem or UnreachableError(f"{self._host} answered something that is not HTTP"))
                return
            self._is_ended = True  # the answer was whole, what follows it is not ours
        if self._problem is not None:
            self._fail(self._problem)
        elif self._is_whole:
            self._succeed()
        else:
            self._check_pace(nbytes)

    def _check_pace(self, nbytes: int) -> None:
        if not self._has_head:
            self._size += nbytes
            if self._size > 2 * self._settings.max_header_bytes:
                self._fail(
                    TooLargeError("the answer has too many headers", limit_bytes=self._settings.max_header_bytes)
                )
        elif is_too_slow(self._size, self.moved_at - self._began_at, self._settings):
            self._fail(UnreachableError("the answer came too slowly", host=self._host))

    def eof_received(self) -> bool:
        return False  # close

    def connection_lost(self, error: Exception | None) -> None:
        self._is_ended = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._answer is None or self._answer.done():
            return
        if self._has_head and not self._is_delimited and error is None:
            self._succeed()  # the end of the connection is that of the body
        elif self._has_head:
            self._fail(UnreachableError(f"the answer of {self._host} ended too early", host=self._host))
        else:
            reason = getattr(error, "strerror", None) or "the connection was lost"
            self._fail(UnreachableError(f"{self._host}: {reason}", host=self._host))

    # ------------------------------------------------------------ what the parser calls; it swallows what is raised

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self._is_whole:
            return
        self._status = self._parser.get_status_code()
        settings, limits = self._settings, self._limits
        length = 0
        for name, value in self._headers:
            length += len(name) + len(value)
            size = len(name)
            if size == 14 and name.lower() == b"content-length":
                self._is_delimited = True
                if value.isdigit() and int(value[:19]) > limits.max_bytes:
                    announced = value.decode("ascii")[:40]
                    self._problem = TooLargeError(f"the answer has {announced} bytes", limit_bytes=limits.max_bytes)
            elif size == 17 and name.lower() == b"transfer-encoding":
                self._is_delimited = True
            elif size == 16 and name.lower() == b"content-encoding":
                self._encoding = value.decode("latin-1")
        if length > settings.max_header_bytes:
            self._problem = TooLargeError("the answer has too many headers", limit_bytes=settings.max_header_bytes)
        self._size = 0
        self._began_at = self.moved_at
        self._has_head = True
        if not self._parser.should_keep_alive():
            self._is_ended = True
        if self._status in _BODILESS or (not self._has_body and self._status >= 200):
            # The parser would wait for a body that a length announces. There is none, whatever the length says.
            self._is_whole = True
            self._is_ended = self._is_ended or self._is_delimited

    def on_body(self, piece: bytes) -> None:
        if self._problem is None and not self._is_whole:
            self._size += len(piece)
            self._pieces.append(piece)
            if self._size > self._limits.max_bytes:
                self._problem = TooLargeError("the answer is too long", limit_bytes=self._limits.max_bytes)
                self._pieces.clear()

    def on_message_begin(self) -> None:
        if self._is_whole:
            self._is_ended = True  # a second answer to one question

    def on_message_complete(self) -> None:
        if self._status >= 200:
            self._is_whole = True
        elif not self._is_whole:
            self._begin()  # "go on" and the like: the answer is still to come

    # ------------------------------------------------------------ the end of a question

    def _succeed(self) -> None:
        answer = self._answer
        if answer is not None and not answer.done():
            body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            is_close_delimited = not self._is_delimited
            answer.set_result(RawReply(self._status, self._headers, body, self._encoding, is_close_delimited))
            self._pieces = []

    def _fail(self, error: Exception) -> None:
        self._spoil()
        answer = self._answer
        if answer is not None and not answer.done():
            answer.set_exception(error)

    def _spoil(self) -> None:
        self._is_ended = True
        if self._transport is not None:
            self._transport.abort()


class _Names:
    """The addresses of names, remembered for a while. Many who ask for the same name at once share one question."""

    def __init__(self, resolver: GuardedResolver, seconds: float) -> None:
        self._resolver = resolver
        self._seconds = seconds
        self._known: dict[tuple[str, int], tuple[float, list[aiohappyeyeballs.AddrInfoType]]] = {}
        self._asking: dict[tuple[str, int], asyncio.Task[list[aiohappyeyeballs.AddrInfoType]]] = {}

    async def find(self, host: str, port: int) -> list[aiohappyeyeballs.AddrInfoType]:
        """The addresses, as a connection wants them.

        Raises:
            UnreachableError: the name has none.
            UnsafeAddressError: it leads to one that may not be asked.
        """
        literal = literal_address(host)
        if literal is not None:
            return [_address(str(literal), port)]
        key = (host, port)
        loop = asyncio.get_running_loop()
        known = self._known.get(key)
        if known is not None and known[0] > loop.time():
            return known[1]
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = loop.create_task(self._ask(host, port))
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(task)

    def forget(self, host: str, port: int) -> None:
        """Ask again next time."""
        self._known.pop((host, port), None)

    def close(self) -> None:
        for task in list(self._asking.values()):
            task.cancel()

    async def _ask(self, host: str, port: int) -> list[aiohappyeyeballs.AddrInfoType]:
        try:
            found = await self._resolver.resolve(host, port)
        except OSError:
            raise UnreachableError(f"the name {host} could not be resolved", host=host) from None
        addresses = [_address(address, port) for address in found]
        self._known[(host, port)] = (asyncio.get_running_loop().time() + self._seconds, addresses)
        return addresses


def _address(address: str, port: int) -> aiohappyeyeballs.AddrInfoType:
    host, _, zone = address.partition("%")
    if ":" not in host:
        return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))
    scope = (int(zone) if zone.isdigit() else socket.if_nametoindex(zone)) if zone else 0
    return (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port, 0, scope))
