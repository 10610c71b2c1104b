"""The way into a chat: from the chat token of the stream status call to an address and a token of its own.

No login of X is needed here or later. The chat token names the account that asked for it, so it is shown nowhere.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from hydrophone.chat.refusals import raise_for_status
from hydrophone.http.messages import Question, Request
from hydrophone.http.reading import Node, read_json
from hydrophone.model import UserId

ENDPOINT = "accessChatPublic"
PATH = "/api/v2/accessChatPublic"
#: A token is renewed this long before it ends.
RENEWAL_MARGIN = timedelta(minutes=10)
_TOKEN_LIFE = timedelta(hours=24)
_MAX_TOKEN = 16_384
_MAX_SECONDS = 253_402_300_799  # the end of year 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatTokenFacts:
    """What a chat token says about itself. Absent facts are None."""

    expires_at: datetime | None = None
    broadcast_id: str | None = None
    participant_index: int | None = None
    own_user_id: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatPass:
    """The right to read one chat, until `expires_at`.

    `other` is the second pair of address and token that came with it, to be tried once when the first is refused.
    """

    endpoint: str = field(repr=False)
    access_token: str = field(repr=False)
    room_id: str
    participant_index: int | None = None  #: the asking account's
    is_read_only: bool = True
    is_replay: bool = False
    expires_at: datetime | None = None
    other: ChatPass | None = None

    def needs_renewal(self, now: datetime) -> bool:
        return self.expires_at is not None and now >= self.expires_at - RENEWAL_MARGIN


def read_chat_token(token: str | None) -> ChatTokenFacts | None:
    """The facts of a chat token; None for one that is no token at all (some services say ``...``): then no chat."""
    if not token or len(token) > _MAX_TOKEN or token.count(".") != 2:
        return None
    claims = _claims(token.split(".")[1])
    if not isinstance(claims, dict):
        return None
    node = Node(claims)
    seconds = node.at("exp").count()
    hidden = node.at("ambiguous_user_id").some_text()
    owner = Node(_claims(hidden)).at("TwitterUserId").some_text() if hidden else None
    return ChatTokenFacts(
        expires_at=datetime.fromtimestamp(seconds, UTC) if seconds and seconds <= _MAX_SECONDS else None,
        broadcast_id=node.at("broadcast_id").some_text(),
        participant_index=node.at("participant_index").count(),
        own_user_id=UserId(owner) if owner and owner.isascii() and owner.isdigit() else None,
    )


def ask_access(
    chat_token: str | None,
    *,
    is_over: bool = False,
    broadcast_id: str = "",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    user_agent: str = "",
) -> Question[ChatPass | None]:
    """A pass for the chat behind a chat token; None where there is no chat to be had.

    Args:
        is_over: prefer the pair for replays, where there is one.
        broadcast_id: names the room where neither the answer nor the token does.

    Raises:
        RefusedError: 401 or 403: the chat token has expired; ask the status call for a new one.
        NotFoundError: unknown, or too young.
        RateLimitedError, FaultyServiceError: later.
        WireError: the answer names no address or no token.
    """
    facts = read_chat_token(chat_token)
    if facts is None or chat_token is None:
        return None
    reply = yield Request(
        "POST",
        PATH,
        service="proxsee",
        headers=_headers(user_agent),
        body=json.dumps({"chat_token": chat_token}, separators=(",", ":")).encode(),
        endpoint=ENDPOINT,
        max_bytes=1 << 20,
    )
    raise_for_status(reply, ENDPOINT, now())
    found = read_access(read_json(reply, ENDPOINT), facts, is_over=is_over, broadcast_id=broadcast_id)
    return found if found.expires_at is not None else replace(found, expires_at=now() + _TOKEN_LIFE)


def read_access(
    root: Node, facts: ChatTokenFacts | None = None, *, is_over: bool = False, broadcast_id: str = ""
) -> ChatPass:
    """A pass from the answer: the pair for replays when it is over, else the plain one; the other one beside it."""
    facts = facts or ChatTokenFacts()
    room_id = root.at("room_id").some_text() or facts.broadcast_id or broadcast_id
    index = root.at("participant_index").count()
    index = index if index is not None else facts.participant_index
    read_only = root.at("read_only").flag()

    def pair(prefix: str) -> ChatPass | None:
        endpoint = root.at(f"{prefix}endpoint").some_text()
        token = root.at(f"{prefix}access_token").some_text()
        if endpoint is None or token is None:
            return None
        return ChatPass(
            endpoint=endpoint.rstrip("/"),
            access_token=token,
            room_id=room_id,
            participant_index=index,
            is_read_only=read_only is not False,
            is_replay=bool(prefix),
            expires_at=facts.expires_at,
        )

    plain, replay = pair(""), pair("replay_")
    first, second = (replay, plain) if is_over and replay is not None else (plain, replay)
    if first is None:
        first, second = second, None
    if first is None:
        raise root.at("endpoint").wrong("an address with a token")
    is_same = second is not None and (second.endpoint, second.access_token) == (first.endpoint, first.access_token)
    return replace(first, other=None if is_same else second)


def _headers(user_agent: str) -> dict[str, str]:
    headers = {
        "content-type": "application/json",
        "x-periscope-user-agent": "Twitter/m5",
        "x-attempt": "1",
        "x-idempotence": uuid4().hex,
        "origin": "https://x.com",
        "referer": "https://x.com/",
    }
    return {**headers, "user-agent": user_agent} if user_agent else headers


def _claims(text: str) -> Any:
    try:
        padded = text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)
        return json.loads(base64.b64decode(padded))
    except (ValueError, RecursionError):
        return None
