"""A small HTTP/1.1 server on bare asyncio transports, because faults happen at the socket.

It knows nothing of scenes: it parses requests, keeps connections alive, and hands each `Exchange` to one app.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
import struct
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

MAX_HEAD_BYTES = 256 * 1024
MAX_BODY_BYTES = 64 * 1024 * 1024

HeaderList = Sequence[tuple[str, str]]
App = Callable[["Exchange"], "Awaitable[None] | None"]
Handler = Callable[["Exchange"], "Awaitable[None] | None"]


@dataclass(frozen=True, slots=True)
class Route:
    """`handler` answers `method` (``"*"`` for any) on paths of `service` that `path` matches in full."""

    service: str
    method: str
    path: str
    handler: Handler


class Router:
    """Finds the handler; the first route that was added wins."""

    def __init__(self, routes: Iterable[Route] = ()) -> None:
        self._routes: dict[str, list[tuple[str, re.Pattern[str], Handler]]] = {}
        self.add(routes)

    def add(self, routes: Iterable[Route]) -> None:
        for route in routes:
            self._routes.setdefault(route.service, []).append((route.method, re.compile(route.path), route.handler))

    def find(self, service: str, method: str, path: str) -> tuple[Handler | None, re.Match[str] | None, bool]:
        """Handler and match; the last value is True when the path exists for another method."""
        is_known = False
        for wanted, pattern, handler in self._routes.get(service, ()):
            match = pattern.fullmatch(path)
            if match is None:
                continue
            if wanted in ("*", method) or (method == "HEAD" and wanted == "GET"):
                return handler, match, True
            is_known = True
        return None, None, is_known


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler wants to say, before a fault bends it."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Exchange:
    """One request and the way to answer it.

    `path` is decoded, `target` as it came. `headers` are all of them, in order. `note` is the ledger's record.
    `bend` is set by the fault table: it then gets the answer in place of the wire.
    """

    __slots__ = (
        "__dict__",
        "bend",
        "body",
        "connection",
        "headers",
        "host",
        "is_answered",
        "match",
        "method",
        "note",
        "path",
        "query",
        "scheme",
        "sent_bytes",
        "service",
        "status",
        "target",
        "via_proxy",
    )

    def __init__(
        self, connection: Connection, method: str, target: str, headers: HeaderList, body: bytes, service: str
    ) -> None:
        self.connection = connection
        self.method = method
        self.target = target
        self.headers = tuple(headers)
        self.body = body
        self.service = service
        self.scheme = connection.scheme
        self.via_proxy = connection.via_proxy
        self.host = self.header("host")
        if target.startswith(("http://", "https://")):  # absolute form: what a client says to a proxy
            parts = urlsplit(target)
            self.scheme, self.host, target = parts.scheme, parts.netloc, parts._replace(scheme="", netloc="").geturl()
        path, _, self.query = target.partition("?")
        self.path = unquote(path.partition("#")[0])
        self.match: re.Match[str] | None = None
        self.note: Any = None
        self.bend: Callable[[Exchange, Answer], Awaitable[None]] | None = None
        self.is_answered = False
        self.status = 0
        self.sent_bytes = 0

    @property
    def transport(self) -> asyncio.Transport:
        return self.connection.transport

    def header(self, name: str, default: str = "") -> str:
        """The first header of that name, any case."""
        name = name.lower()
        return next((value for key, value in self.headers if key.lower() == name), default)

    @cached_property
    def params(self) -> dict[str, str]:
        """The query as a mapping; the last value of a repeated name."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @cached_property
    def cookies(self) -> dict[str, str]:
        pairs = (part.strip().partition("=") for part in self.header("cookie").split(";") if "=" in part)
        return {name: value for name, _, value in pairs}

    def json(self) -> Any:
        """The body as JSON, None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def group(self, name: str | int) -> str:
        """A group of the route's path, ``""`` when it did not take part."""
        return (self.match.group(name) or "") if self.match else ""

    def reply(
        self,
        status: int = 200,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        body: bytes | str = b"",
    ) -> Awaitable[None] | None:
        """Answer. Return what it returns from the handler, so that a bent answer is waited for."""
        pairs = tuple(headers.items() if isinstance(headers, Mapping) else headers)
        raw = body.encode() if isinstance(body, str) else body
        if self.bend is not None:
            bend, self.bend = self.bend, None
            return bend(self, Answer(status, pairs, raw))
        self.send(Answer(status, pairs, raw))
        return None

    def reply_json(
        self, value: Any, status: int = 200, headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()
    ) -> Awaitable[None] | None:
        """Answer with JSON, in the service's compact spelling."""
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        if not any(name.lower() == "content-type" for name, _ in pairs):
            pairs.insert(0, ("content-type", "application/json; charset=utf-8"))
        return self.reply(status, pairs, json.dumps(value, ensure_ascii=False, separators=(",", ":")))

    def send(self, answer: Answer) -> None:
        """Put an answer on the wire, unbent."""
        self.write(head_of(answer, close=self.connection.is_closing), status=answer.status)
        if self.method != "HEAD" and answer.body:
            self.write(answer.body)
        self.is_answered = True

    def write(self, data: bytes, *, status: int = 0) -> None:
        """Raw bytes to the socket; `status` is noted. For faults and take-overs."""
        self.status = status or self.status
        self.sent_bytes += len(data)
        self.transport.write(data)

    def finish(self) -> None:
        """Say that nothing more will come for this exchange (after raw writes)."""
        self.is_answered = True


def head_of(answer: Answer, *, close: bool = False, length: int | None = None, with_length: bool = True) -> bytes:
    """Status line and headers of an answer. A content-length that the handler gave is kept."""
    try:
        reason = HTTPStatus(answer.status).phrase
    except ValueError:
        reason = "Unknown"
    lines = [f"HTTP/1.1 {answer.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    names = {name.lower() for name, _ in answer.headers}
    if with_length and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"content-length: {len(answer.body) if length is None else length}")
    if close:
        lines.append("connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


class Connection(asyncio.Protocol):
    """One socket of a client. Requests on it are answered one after the other."""

    transport: asyncio.Transport

    def __init__(self, app: App, service: str, *, scheme: str = "http", via_proxy: bool = False) -> None:
        self._app = app
        self.service = service
        self.scheme = scheme
        self.via_proxy = via_proxy
        self.is_closing = False
        self._buffer = bytearray()
        self._is_busy = False
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._receive: Callable[[bytes], None] | None = None

    # ------------------------------------------------------------ asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self._receive is not None:
            self._receive(data)
            return
        self._buffer += data
        if not self._is_busy:
            self._next()

    def pause_writing(self) -> None:
        self._can_write.clear()

    def resume_writing(self) -> None:
        self._can_write.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closing = True
        self._can_write.set()
        for task in self._tasks:
            task.cancel()

    # ------------------------------------------------------------ for faults, the proxy and sockets

    def divert(self, receive: Callable[[bytes], None]) -> None:
        """From here on bytes of the client go to `receive`: the connection no longer speaks HTTP."""
        self._receive = receive
        early, self._buffer = bytes(self._buffer), bytearray()
        if early:
            receive(early)

    async def drain(self) -> None:
        """Wait until the socket takes more. Raises ConnectionResetError when the client has gone."""
        await asyncio.sleep(0)  # an endless writer must not keep others, or the news of its end, from the loop
        await self._can_write.wait()
        if self.transport.is_closing():
            raise ConnectionResetError

    def reset(self) -> None:
        """Close with a RST: what a crashed machine looks like."""
        raw = self.transport.get_extra_info("socket")
        if raw is not None:
            linger = "hh" if sys.platform == "win32" else "ii"
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(linger, 1, 0))
        self.is_closing = True
        self.transport.abort()

    def close(self) -> None:
        """Close properly, after what was written."""
        self.is_closing = True
        self.transport.close()

    async def upgrade(self, context: ssl.SSLContext, service: str) -> None:
        """Speak TLS from here on (after a 200 to CONNECT), on behalf of `service`."""
        transport = await asyncio.get_running_loop().start_tls(self.transport, self, context, server_side=True)
        assert transport is not None
        self.transport = transport
        self.service, self.scheme, self.via_proxy = service, "https", True

    # ------------------------------------------------------------ requests

    def _next(self) -> None:
        while not self.is_closing:
            exchange = self._parse()
            if exchange is None:
                return
            self._is_busy = True
            try:
                pending = self._app(exchange)
            except Exception as problem:
                self._fail(exchange, problem)
                pending = None
            if pending is not None:
                task: asyncio.Task[None] = asyncio.ensure_future(self._wait(exchange, pending))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                return
            self._is_busy = False

    async def _wait(self, exchange: Exchange, pending: Awaitable[None]) -> None:
        try:
            await pending
        except (ConnectionError, asyncio.CancelledError):
            return
        except Exception as problem:
            self._fail(exchange, problem)
        self._is_busy = False
        self._next()

    def _fail(self, exchange: Exchange, problem: Exception) -> None:
        body = f"sandbox fault: {problem!r}".encode()
        if exchange.is_answered:
            self.close()
            return
        exchange.send(Answer(500, (("content-type", "text/plain"), ("x-sandbox-problem", "1")), body))

    def _parse(self) -> Exchange | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD_BYTES:
                self._refuse(431)
            return None
        lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        try:
            method, target, version = lines[0].split(" ")
            headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
            lower = {name.lower(): value for name, value in headers}
            body, consumed = self._body(lower, end + 4)
        except ValueError:
            self._refuse(400)
            return None
        if body is None:
            if lower.get("expect", "").lower() == "100-continue" and len(self._buffer) == end + 4:
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return None
        del self._buffer[:consumed]
        keep = lower.get("connection", "").lower()
        # Some programs open a tunnel in HTTP/1.0; it lives on all the same.
        if method != "CONNECT" and (keep == "close" or (version == "HTTP/1.0" and keep != "keep-alive")):
            asyncio.get_running_loop().call_soon(self._close_when_idle)
        return Exchange(self, method, target, headers, body, self.service)

    def _body(self, headers: Mapping[str, str], begin: int) -> tuple[bytes | None, int]:
        """The body and where the next request begins; None while it is incomplete."""
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunks(begin)
        length = int(headers.get("content-length", "0"))
        if not 0 <= length <= MAX_BODY_BYTES:
            raise ValueError("content-length")
        if len(self._buffer) < begin + length:
            return None, begin
        return bytes(self._buffer[begin : begin + length]), begin + length

    def _chunks(self, at: int) -> tuple[bytes | None, int]:
        parts: list[bytes] = []
        while True:
            line_end = self._buffer.find(b"\r\n", at)
            if line_end < 0:
                return None, at
            size = int(self._buffer[at:line_end].split(b";")[0], 16)
            after = line_end + 2 + size + 2
            if len(self._buffer) < after:
                return None, at
            if size == 0:
                return b"".join(parts), after
            parts.append(bytes(self._buffer[line_end + 2 : line_end + 2 + size]))
            at = after

    def _close_when_idle(self) -> None:
        if self._is_busy:
            asyncio.get_running_loop().call_later(0.01, self._close_when_idle)
        elif not self.is_closing:
            self.close()

    def _refuse(self, status: int) -> None:
        self.transport.write(head_of(Answer(status, (), b""), close=True))
        self.close()
