"""Questions and answers: the values that calls are made of. No socket is touched here.

A `Call` is one request and the way to read its reply. A `Question` is a generator that yields requests, is sent the
replies, and returns the value; so one body of logic serves the sync and the async client.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from hydrophone.errors import WireError
from hydrophone.http.redaction import redact_url
from hydrophone.model import StreamCookies

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

NO_HEADERS: Mapping[str, str] = {}
NO_PARAMS: Mapping[str, str] = {}


class HostKind(StrEnum):
    """Which policy a request falls under (see `hydrophone.http.policy`)."""

    API = "api"  #: the service's own API hosts; the only ones that may see credentials
    CDN = "cdn"  #: playlists and segments: allow-listed hosts, never a credential
    AVATAR = "avatar"  #: pictures, script bundles, public JSON: allow-listed hosts, never a credential
    USER = "user"  #: a host that the user typed: any public address, never a credential


class Headers(Mapping[str, str]):
    """Reply headers; names in any case. `get_all` gives every value of a repeated name, in order."""

    __slots__ = ("_raw", "_values")

    def __init__(self, pairs: list[tuple[str, str]] | None = None) -> None:
        self._raw: Iterable[tuple[bytes, bytes]] = ()
        self._values: dict[str, list[str]] | None = None
        if pairs:
            self._values = {}
            for name, value in pairs:
                self._values.setdefault(name.lower(), []).append(value)

    @classmethod
    def from_raw(cls, pairs: Iterable[tuple[bytes, bytes]]) -> Headers:
        """From the bytes of the wire, decoded when first looked at; what is no UTF-8 is kept as surrogates."""
        headers = cls()
        headers._raw = pairs
        return headers

    def __getitem__(self, name: str) -> str:
        return self._decoded()[name.lower()][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._decoded())

    def __len__(self) -> int:
        return len(self._decoded())

    def get_all(self, name: str) -> list[str]:
        return list(self._decoded().get(name.lower(), []))

    def _decoded(self) -> dict[str, list[str]]:
        if self._values is None:
            values: dict[str, list[str]] = {}
            for name, value in self._raw:
                key = name.decode("ascii", "surrogateescape").lower()
                values.setdefault(key, []).append(value.decode("utf-8", "surrogateescape"))
            self._values = values
            self._raw = ()
        return self._values


class Credential(Protocol):
    """Secrets that a request may carry, and the only place that decides where they may go.

    The driver asks again for every hop of a redirect; a URL for which `allows` is False gets nothing.
    """

    @property
    def fingerprint(self) -> str:
        """A short, irreversible name for budgets and logs."""
        ...

    def allows(self, url: str) -> bool:
        """May these secrets go to this URL?"""
        ...

    def headers(self, method: str, url: str) -> Mapping[str, str]:
        """The headers for one request to `url`, which `allows` has approved."""
        ...

    def adopt(self, reply: Reply) -> bool:
        """Take over what the reply changes (a rotated ct0). True when something changed."""
        ...


@dataclass(frozen=True, slots=True)
class Request:
    """One question on the wire.

    `target` is an absolute URL, or a path resolved against the base URL of `service` (see `Endpoints`). `params`
    are appended percent-encoded. `endpoint` names the rate budget; "" has none. `attempts` counts tries over which
    5xx answers and lost connections are retried with jitter; `deadline_seconds` bounds each try. `wait_seconds` is how
    long to wait before sending: how a question says "again in a while". A request whose answer is not a plain success
    still gives a `Reply`: the reader decides. `stream_cookies` go with requests to the CDN only, where `credential`
    never goes, and they decide at each hop whether they do.
    """

    method: str
    target: str
    params: Mapping[str, str] = field(default_factory=lambda: NO_PARAMS)
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS, repr=False)
    body: bytes | None = field(default=None, repr=False)
    service: str = "x"
    kind: HostKind = HostKind.API
    credential: Credential | None = field(default=None, repr=False)
    stream_cookies: StreamCookies | None = field(default=None, repr=False)
    endpoint: str = ""
    attempts: int = 3
    deadline_seconds: float = 30.0
    max_bytes: int = 16 * 1024 * 1024
    max_redirects: int = 5
    wait_seconds: float = 0.0

    def __repr__(self) -> str:
        # The path of a playlist is a key and parameters hold tokens, so neither is shown as it is.
        names = f", params={list(self.params)}" if self.params else ""
        return f"Request({self.method} {redact_url(self.target)}{names}, {self.kind}, endpoint={self.endpoint!r})"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `url` is where it finally came from; `body` is complete or the driver has raised.

    `is_close_delimited` says that nothing but the end of the connection marked the end of the body, so that a body cut
    short cannot be told from a whole one.
    """

    status: int
    headers: Headers = field(default_factory=Headers, repr=False)
    body: bytes = field(default=b"", repr=False)
    url: str = field(default="", repr=False)
    request: Request | None = field(default=None, repr=False)
    is_close_delimited: bool = False

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", errors="replace")

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            WireError: it is not JSON, or nested deeper than the reader goes.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            where = self.request.endpoint or redact_url(self.request.target) if self.request else ""
            raise WireError(f"the answer is not JSON: {type(error).__name__}", endpoint=where) from error


@dataclass(frozen=True, slots=True)
class Call(Generic[T_co]):
    """A request together with the way to read its reply."""

    request: Request
    read: Callable[[Reply], T_co]

    def steps(self) -> Question[T_co]:
        """The same as a question of one step."""
        reply = yield self.request
        return self.read(reply)


Question = Generator[Request, Reply, T]
