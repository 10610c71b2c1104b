"""What was asked, and what was listed when: the truth that tests compare a client with."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hydrophone.sandbox.serving import Exchange

MAX_REQUESTS = 500_000
#: So much of a body is kept: calls with tokens and forms are short, pictures are not needed.
KEPT_BODY = 16 * 1024


@dataclass(slots=True)
class RequestNote:
    """One request; `status` is 0 while it is unanswered or was never answered. `at_us` is scene time."""

    number: int
    at_us: int
    service: str
    host: str
    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    body_bytes: int
    via_proxy: bool
    status: int = 0
    sent_bytes: int = 0
    faults: tuple[str, ...] = ()

    def end(self, exchange: Exchange) -> None:
        self.status = exchange.status
        self.sent_bytes = exchange.sent_bytes

    def as_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "at_us": self.at_us,
            "service": self.service,
            "host": self.host,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": [list(pair) for pair in self.headers],
            "body": self.body.decode("latin-1"),
            "body_bytes": self.body_bytes,
            "via_proxy": self.via_proxy,
            "status": self.status,
            "sent_bytes": self.sent_bytes,
            "faults": list(self.faults),
        }


@dataclass(slots=True)
class Listing:
    """Places `first` to `last` of a scene stood in a list of that kind, between two answers."""

    kind: str  #: live | snapshot | replay
    first: int
    last: int
    since_us: int
    until_us: int


class Ledger:
    """Append-only while the sandbox runs."""

    def __init__(self) -> None:
        self._requests: deque[RequestNote] = deque(maxlen=MAX_REQUESTS)
        self._listings: dict[str, list[Listing]] = {}
        self._count = 0

    def begin(self, exchange: Exchange, at_us: int) -> RequestNote:
        note = RequestNote(
            number=self._count,
            at_us=at_us,
            service=exchange.service,
            host=exchange.host,
            method=exchange.method,
            path=exchange.path,
            query=exchange.query,
            headers=exchange.headers,
            body=exchange.body[:KEPT_BODY],
            body_bytes=len(exchange.body),
            via_proxy=exchange.via_proxy,
        )
        self._count += 1
        if exchange.service != "control":
            self._requests.append(note)
        return note

    def requests(self, *, service: str = "", since: int = 0, containing: str = "") -> Iterator[RequestNote]:
        """Requests in order; the control room's own are not among them."""
        for note in self._requests:
            if note.number < since or (service and note.service != service):
                continue
            if containing and containing not in note.path:
                continue
            yield note

    def listed(self, space_id: str, kind: str, first: int, last: int, at_us: int) -> None:
        """A list with these places was sent."""
        rows = self._listings.setdefault(space_id, [])
        for row in reversed(rows[-4:]):
            if (row.kind, row.first, row.last) == (kind, first, last):
                row.until_us = at_us
                return
        rows.append(Listing(kind, first, last, at_us, at_us))

    def listings(self, space_id: str) -> tuple[Listing, ...]:
        return tuple(self._listings.get(space_id, ()))

    def clear(self) -> None:
        self._requests.clear()
        self._listings.clear()
