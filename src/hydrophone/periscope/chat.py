"""The chat of a broadcast: who may read it where, and its whole history, page by page.

Messages are handed on as they came; reading them is the same for Spaces and done elsewhere. This part of Periscope is
still alive, since X's own chat uses it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from hydrophone.errors import FaultyServiceError, NotFoundError, NotSignedInError, RefusedError, WireError
from hydrophone.http.messages import Question, Request
from hydrophone.http.reading import Node, read_json
from hydrophone.periscope.asking import PREFIX, ask_again, ask_private
from hydrophone.periscope.refusals import refusal_error
from hydrophone.periscope.session import PeriscopeSession

ACCESS = "accessChatPublic"
HISTORY = "chatapi/v1/history"
LIMIT = 1000
MOST_PAGES = 5000
_MAX_BYTES = 32 * 1024 * 1024
_HEADERS: Mapping[str, str] = {
    "accept": "application/json",
    "content-type": "application/json",
    "origin": "https://x.com",
    "referer": "https://x.com/",
    "x-periscope-user-agent": "Twitter/m5",
    "x-attempt": "1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatDoor:
    """One way to a chat: a host, and the secret that opens it there."""

    endpoint: str
    access_token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatAccess:
    """What a chat token is exchanged for. `can_read` and `can_write` are None where the answer does not say."""

    live: ChatDoor | None = None
    replay: ChatDoor | None = None
    room_id: str | None = None
    participant_index: int | None = None
    is_read_only: bool = True
    can_read: bool | None = None
    can_write: bool | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def doors(self) -> tuple[ChatDoor, ...]:
        """In the order in which to try them: the plain pair is right, live as well as ended; the other may help."""
        return tuple(dict.fromkeys(door for door in (self.live, self.replay) if door is not None))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatPage:
    """Messages as they came, oldest first. `cursor` is None at the end."""

    messages: tuple[Any, ...] = ()
    cursor: str | None = None


def chat_access(session: PeriscopeSession, chat_token: str) -> Question[ChatAccess]:
    """Where the chat is that a broadcast's chat token is for, to be read.

    Raises:
        NotSignedInError, RefusedError: the token has expired (after a day): ask for the video again.
    """
    request = Request(
        "POST",
        PREFIX + ACCESS,
        headers={**_HEADERS, "x-idempotence": uuid4().hex},
        body=json.dumps({"chat_token": chat_token}).encode(),
        service="proxsee",
        endpoint=ACCESS,
    )
    return read_chat_access((yield from ask_again(session, request)))


def own_chat_access(session: PeriscopeSession, chat_token: str) -> Question[ChatAccess]:
    """The same for a signed-in user, who may write."""
    return read_chat_access((yield from ask_private(session, "accessChat", {"chat_token": chat_token})))


def read_chat_access(root: Node) -> ChatAccess:
    """The answer of an access call; also that of the older call that has video and chat in one.

    Raises:
        WireError: neither pair of host and token is whole.
    """
    live = _read_door(root.at("endpoint"), root.at("access_token"))
    replay = _read_door(root.at("replay_endpoint"), root.at("replay_access_token"))
    if live is None and replay is None:
        raise root.at("access_token").wrong("a token, with its endpoint")
    bits = root.at("chan_perms", "cm").count()
    return ChatAccess(
        live=live,
        replay=replay,
        room_id=root.at("room_id").some_text(),
        participant_index=root.at("participant_index").integer(),
        is_read_only=root.at("read_only").flag() is not False,
        can_read=bool(bits & 2) if bits is not None else None,
        can_write=bool(bits & 4) if bits is not None else None,
        raw=root.mapping(),
    )


def _read_door(endpoint: Node, token: Node) -> ChatDoor | None:
    where, secret = endpoint.some_text(), token.some_text()
    if not where or not secret or not where.startswith(("https://", "http://")) or not where.isprintable():
        return None
    return ChatDoor(endpoint=where.rstrip("/"), access_token=secret)


def chat_page(
    session: PeriscopeSession, door: ChatDoor, *, cursor: str = "", since_ns: int | None = None, limit: int = LIMIT
) -> Question[ChatPage]:
    """One page of the history.

    Args:
        cursor: that of the page before.
        since_ns: nanoseconds since 1970: begin at that instant.

    Raises:
        FaultyServiceError: (503) this chat is gone.
    """
    body = {"access_token": door.access_token, "cursor": cursor, "limit": limit, "since": since_ns, "quick_get": True}
    reply = yield Request(
        "POST",
        f"{door.endpoint}/{HISTORY}",
        headers=_HEADERS,
        body=json.dumps(body).encode(),
        endpoint=HISTORY,
        max_bytes=_MAX_BYTES,
        max_redirects=0,
    )
    error = refusal_error(reply, HISTORY, now=session.now())
    if error is not None:
        raise error
    return read_chat_page(read_json(reply, HISTORY), before=cursor)


def read_chat_page(root: Node, *, before: str = "") -> ChatPage:
    """A page; its last one has messages too. A cursor that stays the same without messages is the end."""
    messages = root.at("messages")
    if messages.value is not None and not isinstance(messages.value, list):
        raise messages.wrong("a list")
    cursor = root.at("cursor").some_text()
    if cursor == before and not messages.value:
        cursor = None
    return ChatPage(messages=tuple(messages.value or ()), cursor=cursor)


def chat_history(session: PeriscopeSession, access: ChatAccess) -> Question[tuple[Any, ...]]:
    """Every message of a chat, oldest first, each once.

    The first door that answers is used. It ends at an empty cursor, and at one that was there before.

    Raises:
        RemoteError: no door answers; the error of the last.
    """
    doors = access.doors
    for door in doors[:-1]:
        try:
            page = yield from chat_page(session, door)
        except (NotSignedInError, NotFoundError, RefusedError, FaultyServiceError):
            continue
        return (yield from _rest_of_history(session, door, page))
    page = yield from chat_page(session, doors[-1])
    return (yield from _rest_of_history(session, doors[-1], page))


def _rest_of_history(session: PeriscopeSession, door: ChatDoor, page: ChatPage) -> Question[tuple[Any, ...]]:
    # A page boundary may repeat its last message. Equal text is the same message: its uuid and instant are inside.
    messages: dict[str, Any] = {}
    seen: set[str] = set()
    for _ in range(MOST_PAGES):
        for message in page.messages:
            messages.setdefault(_identity(message), message)
        if page.cursor is None or page.cursor in seen:
            break
        seen.add(page.cursor)
        page = yield from chat_page(session, door, cursor=page.cursor)
    return tuple(messages.values())


def _identity(message: Any) -> str:
    try:
        return json.dumps(message, sort_keys=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise WireError(f"{HISTORY}: a message that is no JSON", endpoint=HISTORY) from error
