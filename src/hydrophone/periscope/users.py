"""Users of Periscope: their records, their pages, and everything that they ever broadcast."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from hydrophone.errors import FaultyServiceError, NotSignedInError, RefusedError, WireError
from hydrophone.http.messages import Question, Request
from hydrophone.http.reading import Node
from hydrophone.model import Broadcast, PeriscopeUserId, PeriscopeUserRef
from hydrophone.periscope.asking import WEB, ask_private, ask_public
from hydrophone.periscope.closing import EXPORT_ADVICE, NO_PERISCOPE_PAGE
from hydrophone.periscope.pages import PAGE, Page, read_page
from hydrophone.periscope.records import PeriscopeUser, read_broadcasts, read_user, read_users
from hydrophone.periscope.refusals import refusal_error
from hydrophone.periscope.session import PeriscopeSession

HISTORY = "getUserBroadcastsPublic"
MOST_PAGES = 50
_START_OF_TIME = datetime.min.replace(tzinfo=UTC)


def user_by_id(session: PeriscopeSession, user_id: PeriscopeUserId) -> Question[PeriscopeUser]:
    """One user.

    Raises:
        NotFoundError: there is no such user.
        RefusedError: (400) the id is of a form that the service does not take.
    """
    root = yield from ask_public(session, "getUserPublic", {"user_id": user_id})
    return read_user(root.at("user"))


def user_by_name(session: PeriscopeSession, username: str) -> Question[PeriscopeUser]:
    """The same by name, in any case."""
    root = yield from ask_public(session, "getUserPublic", {"user_name": username})
    return read_user(root.at("user"))


def user_page(session: PeriscopeSession, ref: PeriscopeUserRef) -> Question[Page]:
    """The page of a user, which has fresh session tokens and, since 2019, the last 20 broadcasts.

    Raises:
        NotFoundError: there is no such user.
        WireError: the address leads to something else by now.
    """
    path = f"/u/{quote(ref.user_id, safe='')}" if ref.user_id else f"/{quote(ref.username or '', safe='')}"
    return (yield from page_at(session, path, username=ref.username))


def page_at(session: PeriscopeSession, path: str, *, username: str | None = None) -> Question[Page]:
    """Any page of the service, by its path."""
    reply = yield Request("GET", path, headers={"accept": "text/html"}, service=WEB, endpoint=PAGE)
    error = refusal_error(reply, PAGE, now=session.now())
    if error is not None:
        raise error
    return read_page(reply.body, username=username)


def user_broadcasts(session: PeriscopeSession, ref: PeriscopeUserRef) -> Question[tuple[Broadcast, ...]]:
    """Every public broadcast of a user, newest first. Asks for the page, then for all pages of the history.

    Raises:
        NotFoundError: there is no such user.
        WireError: the page has no token, or an answer has another shape.
    """
    page = yield from user_page(session, ref)
    try:
        return (yield from _history(session, page))
    except (NotSignedInError, RefusedError, FaultyServiceError):
        # How the service says that a token has expired is not known, so each of these is worth one fresh token.
        page = yield from user_page(session, ref)
        return (yield from _history(session, page))


def _history(session: PeriscopeSession, page: Page) -> Question[tuple[Broadcast, ...]]:
    if page.user_id is None or page.tokens.history is None:
        raise WireError(NO_PERISCOPE_PAGE, endpoint=PAGE, advice=EXPORT_ADVICE)
    steps = history_pages(page.user_id, page.tokens.history)
    records: list[Any] = []
    try:
        params = next(steps)
        while True:
            root = yield from ask_public(session, HISTORY, params)
            params = steps.send(root.need_object().value)
    except StopIteration as end:
        records = end.value
    return newest_first(read_broadcasts(Node(records, "broadcasts", HISTORY)))


def history_pages(user_id: str, token: str) -> Generator[dict[str, str], Any, list[Any]]:
    """The parameters of each request for a history; is sent the answers; returns the records, each once.

    It ends where the cursor is empty or repeats itself, at an answer that is no object, and after 50 pages.
    """
    params = {"all": "true", "session_id": token, "user_id": user_id}
    records: list[Any] = []
    seen: set[str] = set()
    for _ in range(MOST_PAGES):
        answer = yield dict(params)
        found = answer.get("broadcasts") if isinstance(answer, dict) else None
        records += found if isinstance(found, list) else []
        cursor = answer.get("cursor") if isinstance(answer, dict) else None
        if not isinstance(cursor, str) or not cursor or cursor in seen:
            break
        seen.add(cursor)
        params["cursor"] = cursor
    return _each_once(records)


def _each_once(records: Iterable[Any]) -> list[Any]:
    """A record that moved to the next page while we asked came twice; records without an id are kept as they are."""
    ids: set[str] = set()
    kept = []
    for record in records:
        record_id = record.get("id") if isinstance(record, dict) else None
        if isinstance(record_id, str):
            if record_id in ids:
                continue
            ids.add(record_id)
        kept.append(record)
    return kept


def newest_first(broadcasts: Iterable[Broadcast]) -> tuple[Broadcast, ...]:
    return tuple(sorted(broadcasts, key=lambda one: one.started_at or one.created_at or _START_OF_TIME, reverse=True))


# ---------------------------------------------------------------- signed in


def own_view_of_user(session: PeriscopeSession, ref: PeriscopeUserRef) -> Question[PeriscopeUser]:
    """A user as the signed-in account sees it: with the number of broadcasts, follows and blocks (in `raw`)."""
    root = yield from ask_private(session, "user", {"user_id": ref.user_id, "username": ref.username})
    return read_user(root.at("user"))


def own_view_of_broadcasts(session: PeriscopeSession, ref: PeriscopeUserRef) -> Question[tuple[Broadcast, ...]]:
    """The broadcasts of a user as the signed-in account sees them, private ones included."""
    fields = {"user_id": ref.user_id, "username": ref.username, "all": True}
    root = yield from ask_private(session, "userBroadcasts", fields)
    return newest_first(read_broadcasts(root))


def search_users(session: PeriscopeSession, words: str) -> Question[tuple[PeriscopeUser, ...]]:
    """Users by words of their names. One letter is too little for the service (400)."""
    return read_users((yield from ask_private(session, "userSearch", {"search": words})))


def followers(session: PeriscopeSession, user_id: PeriscopeUserId) -> Question[tuple[PeriscopeUser, ...]]:
    return read_users((yield from ask_private(session, "followers", {"user_id": user_id})))


def following(session: PeriscopeSession, user_id: PeriscopeUserId) -> Question[tuple[PeriscopeUser, ...]]:
    return read_users((yield from ask_private(session, "following", {"user_id": user_id})))


def suggested_people(session: PeriscopeSession) -> Question[dict[str, tuple[PeriscopeUser, ...]]]:
    """Users whom the service proposes, by reason: `featured`, `hearted`, `popular`, `twitter`."""
    root = yield from ask_private(session, "suggestedPeople")
    return {reason: read_users(people) for reason, people in root.members()}
