"""Everything that was said so far, page by page, oldest first: live and after the end.

Source: chat reference, "History".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from hydrophone.chat.access import ChatPass
from hydrophone.chat.identities import IdentitySet
from hydrophone.chat.reading import identify
from hydrophone.chat.refusals import raise_for_status
from hydrophone.errors import FaultyServiceError, NotFoundError, RefusedError, TooLargeError, WireError
from hydrophone.http.messages import Call, Question, Reply, Request
from hydrophone.http.reading import read_json

ENDPOINT = "chatapi/history"
PATH = "/chatapi/v1/history"
PAGE_LIMIT = 1000
SMALL_PAGE_LIMIT = 100
#: 1,000 messages have about 1.1 MB.
PAGE_MAX_BYTES = 32 * 1024 * 1024
#: A new Space has no history for the first minute.
YOUNG_WAIT_SECONDS, YOUNG_TRIES = 5.0, 14
#: A page that is none is asked for again.
GARBLED_WAIT_SECONDS, GARBLED_TRIES = 2.0, 4
MAX_EMPTY_PAGES = 3
MAX_CURSOR = 4096
_GONE = 503
_OTHER_PAIR_HELPS = (401, 403, 404, _GONE)

Now = Callable[[], datetime]
Renew = Callable[[], Question[ChatPass | None]]


class HistoryEnd(StrEnum):
    """Why a walk through the history ended."""

    COMPLETE = "complete"  #: nothing new for now; go on with `cursor`
    GONE = "gone"  #: the service keeps this chat no longer
    YOUNG = "young"  #: there is none yet
    CIRCLE = "circle"  #: the service repeats itself
    EXPIRED = "expired"  #: the token ended, and there was no new one


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Raw messages in order, and where to go on. `is_last`: nothing follows for now."""

    messages: Sequence[Any]
    cursor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryWalk:
    """How far a walk came. `cursor` is the last that was not empty: later walks begin there."""

    end: HistoryEnd
    cursor: str
    pages: int
    messages: int  #: different ones
    chat: ChatPass


def history_page(
    chat: ChatPass,
    cursor: str = "",
    *,
    limit: int = PAGE_LIMIT,
    since_ns: int | None = None,
    wait_seconds: float = 0.0,
    now: Now = lambda: datetime.now(UTC),
) -> Call[HistoryPage]:
    """One page. Raises what `raise_for_status` does, and `WireError` for an answer that is no page."""

    def read(reply: Reply) -> HistoryPage:
        raise_for_status(reply, ENDPOINT, now())
        return read_page(reply)

    return Call(_page_request(chat, cursor, limit=limit, since_ns=since_ns, wait_seconds=wait_seconds), read)


def walk_history(
    chat: ChatPass,
    take: Callable[[Sequence[Any]], None],
    *,
    cursor: str = "",
    renew: Renew | None = None,
    is_young: bool = False,
    now: Now = lambda: datetime.now(UTC),
) -> Question[HistoryWalk]:
    """All pages from `cursor` on, each handed to `take` before the next is asked for; so memory stays flat.

    Args:
        renew: asks for a new pass when this one has ended; tried once for every page.
        is_young: wait for a chat that does not exist yet, for about a minute.

    Raises:
        RateLimitedError, UnreachableError, WireError: what was handed over stays.
    """
    walk = _Walk(chat, cursor)
    while True:
        try:
            page = yield from _ask(walk, now)
        except RefusedError:
            if not (yield from walk.renewed(renew)):
                return walk.ended(HistoryEnd.EXPIRED)
            continue
        except NotFoundError:
            # A chat that is too young is so at both addresses; which one is right shows later.
            if not is_young and walk.use_other():
                continue
            if not is_young or walk.young >= YOUNG_TRIES:
                return walk.ended(HistoryEnd.YOUNG)
            walk.young += 1
            walk.wait_seconds = YOUNG_WAIT_SECONDS
            continue
        except FaultyServiceError as error:
            if walk.use_other():
                continue
            if error.status != _GONE:
                raise
            return walk.ended(HistoryEnd.GONE)
        except WireError:
            # A page cut short, or one of somebody in between: it is still there to be asked for again.
            if walk.garbled >= GARBLED_TRIES:
                raise
            walk.garbled += 1
            walk.wait_seconds = GARBLED_WAIT_SECONDS
            continue
        # The last page has messages, too: hand them over before looking at its cursor.
        take(page.messages)
        end = walk.digest(page)
        # Megabytes, and the next page may be long in coming.
        del page
        if end is not None:
            return walk.ended(end)


class _Walk:
    """Where a walk stands."""

    def __init__(self, chat: ChatPass, cursor: str) -> None:
        self.chat = chat
        self.cursor = cursor
        self.limit = PAGE_LIMIT
        self.pages = 0
        self.young = 0
        self.garbled = 0
        self.wait_seconds = 0.0
        self._empty = 0
        self._seen = IdentitySet()
        self._is_renewed = False

    def use_other(self) -> bool:
        """Try the second pair of address and token, once."""
        if self.chat.other is None:
            return False
        self.chat = self.chat.other
        return True

    def renewed(self, renew: Renew | None) -> Question[bool]:
        if self.use_other():
            return True
        if renew is None or self._is_renewed:
            return False
        self._is_renewed = True
        chat = yield from renew()
        if chat is None:
            return False
        self.chat = chat
        return True

    def digest(self, page: HistoryPage) -> HistoryEnd | None:
        """Why this page was the last; None when there is another one."""
        self.pages += 1
        self.wait_seconds, self._is_renewed, self.garbled = 0.0, False, 0
        fresh = sum([self._seen.add(_face(message)) for message in page.messages])
        is_same = page.cursor == self.cursor
        self._empty = 0 if page.messages else self._empty + 1
        self.cursor = page.cursor or self.cursor
        if not page.cursor or (is_same and not page.messages) or self._empty >= MAX_EMPTY_PAGES:
            return HistoryEnd.COMPLETE
        if page.messages and not fresh:
            return HistoryEnd.CIRCLE
        return None

    def ended(self, end: HistoryEnd) -> HistoryWalk:
        return HistoryWalk(end=end, cursor=self.cursor, pages=self.pages, messages=len(self._seen), chat=self.chat)


def _face(message: Any) -> str:
    """What a page that comes again shows again. Its layers need not be opened for that: whoever takes them does so."""
    payload = message.get("payload") if isinstance(message, dict) else None
    return payload if isinstance(payload, str) else identify(message)[0]


def _ask(walk: _Walk, now: Now) -> Question[HistoryPage]:
    while True:
        reply_or_error = yield from _try(walk)
        if reply_or_error is None:
            walk.limit = SMALL_PAGE_LIMIT
            continue
        raise_for_status(reply_or_error, ENDPOINT, now())
        return read_page(reply_or_error)


def _try(walk: _Walk) -> Question[Reply | None]:
    """One reply; None for a page that was too large, when a smaller one can be asked for."""
    try:
        return (yield _page_request(walk.chat, walk.cursor, limit=walk.limit, wait_seconds=walk.wait_seconds))
    except TooLargeError:
        if walk.limit == SMALL_PAGE_LIMIT:
            raise
        return None


def _page_request(
    chat: ChatPass, cursor: str, *, limit: int, since_ns: int | None = None, wait_seconds: float = 0.0
) -> Request:
    body = {
        "access_token": chat.access_token,
        "cursor": cursor,
        "limit": limit,
        "since": since_ns,
        "quick_get": True,
    }
    return Request(
        "POST",
        chat.endpoint + PATH,
        headers={"content-type": "application/json", "origin": "https://x.com", "referer": "https://x.com/"},
        body=json.dumps(body, separators=(",", ":")).encode(),
        service="chat",
        endpoint=ENDPOINT,
        # A 503 is an answer here, not a hiccup; one more try is enough to tell.
        attempts=2,
        deadline_seconds=60.0,
        max_bytes=PAGE_MAX_BYTES,
        wait_seconds=wait_seconds,
    )


def read_page(reply: Reply) -> HistoryPage:
    """A page from a reply.

    Raises:
        WireError: it is none. An error with status 200 must not pass for the end of a history.
    """
    root = read_json(reply, ENDPOINT)
    # An empty object is an empty page: some services leave out what is empty.
    if root.value != {} and not {"messages", "cursor"} & root.mapping().keys():
        raise root.at("messages").wrong("a list")
    messages = root.at("messages").value
    cursor = root.at("cursor").text() or ""
    return HistoryPage(messages if isinstance(messages, list) else [], cursor if len(cursor) <= MAX_CURSOR else "")
