"""The chat of an own live broadcast: reading, answering, muting, deleting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hydrophone.http.messages import Question
from hydrophone.http.reading import Node
from hydrophone.model import BroadcastId, User, UserId
from hydrophone.xapi import limits
from hydrophone.xapi.answers import Answer, Included, count_resources, read_answer
from hydrophone.xapi.asking import Asked, ask, query_names
from hydrophone.xapi.broadcasts import READ, WRITE
from hydrophone.xapi.checks import (
    check_broadcast_id,
    check_number,
    check_range,
    check_text,
    check_user_id,
    milliseconds,
)
from hydrophone.xapi.names import ALL_CHAT_FIELDS, CHAT_EXPANSIONS, CHAT_FIELDS, USER_FIELDS, Dialect, names_in
from hydrophone.xapi.paging import MOST_PAGES, Walk
from hydrophone.xapi.prices import Kind, estimate
from hydrophone.xapi.session import ApiSession, Auth

_MOST_TEXT = 140


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One message. `author` is what the message itself says, with more where the account was asked for."""

    id: str
    text: str = ""
    author: User | None = None
    at: datetime | None = None
    reply_to: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


def walk_chat(
    session: ApiSession,
    broadcast_id: BroadcastId,
    *,
    max_results: int = 100,
    fields: tuple[str, ...] = ALL_CHAT_FIELDS,
    with_authors: bool = False,
    user_fields: tuple[str, ...] = (),
    most_pages: int = MOST_PAGES,
) -> Walk[ChatMessage]:
    """Messages, the newest first, page by page.

    Args:
        with_authors: ask for each author's account, which costs money.
    """
    check_range("max_results", max_results, 1, 200)
    names = query_names(
        broadcast_chat_message_fields=names_in(Dialect.CURRENT, CHAT_FIELDS, fields),
        expansions=names_in(Dialect.CURRENT, CHAT_EXPANSIONS, ("author_id",)) if with_authors else (),
        user_fields=names_in(Dialect.CURRENT, USER_FIELDS, user_fields),
    )
    needs = estimate(users=max_results if with_authors else 0)

    def page(token: str | None) -> Question[Answer[ChatMessage]]:
        params = {"max_results": str(max_results), **names, **({"pagination_token": token} if token else {})}
        asked = Asked(
            endpoint=limits.BROADCASTS,
            path=f"{_path(broadcast_id)}",
            params=params,
            auth=Auth.USER,
            scopes=READ,
            needs=needs,
        )
        root, reply = yield from ask(session, asked)
        session.charge(count_resources(root, Kind.UNPRICED), reply)
        return read_answer(root, read_message)

    return Walk(page, key=lambda message: message.id, most_pages=most_pages)


def send_message(
    session: ApiSession, broadcast_id: BroadcastId, text: str, *, reply_to: str | None = None
) -> Question[str]:
    """Say something; what to reply to it by."""
    body = {"text": check_text("text", text, _MOST_TEXT)}
    if reply_to is not None:
        body["reply_to"] = check_number(reply_to, "message id")
    root = yield from _change(session, "POST", _path(broadcast_id), body)
    return root.at("data", "timestamp").need_text()


def delete_message(session: ApiSession, broadcast_id: BroadcastId, message_id: str) -> Question[bool]:
    """Remove a message; True when the service says that it is gone."""
    root = yield from _change(session, "DELETE", f"{_path(broadcast_id)}/{check_number(message_id, 'message id')}")
    return bool(root.at("data", "deleted").flag())


def mute_user(
    session: ApiSession,
    broadcast_id: BroadcastId,
    user_id: UserId,
    *,
    until_at: datetime | None = None,
    message_id: str | None = None,
) -> Question[bool]:
    """Silence somebody; whether they are silent now."""
    body = {"user_id": str(check_user_id(user_id))}
    if until_at is not None:
        body["end_at_ms"] = milliseconds(until_at)
    if message_id is not None:
        body["message_id"] = check_number(message_id, "message id")
    root = yield from _change(session, "POST", f"{_path(broadcast_id)}/mutes", body)
    return bool(root.at("data", "muted").flag())


def unmute_user(session: ApiSession, broadcast_id: BroadcastId, user_id: UserId) -> Question[bool]:
    """Let somebody speak again; whether they are still silent."""
    root = yield from _change(session, "DELETE", f"{_path(broadcast_id)}/mutes/{check_user_id(user_id)}")
    return bool(root.at("data", "muted").flag())


def _path(broadcast_id: BroadcastId) -> str:
    return f"/2/broadcasts/{check_broadcast_id(broadcast_id)}/chat"


def _change(session: ApiSession, method: str, path: str, body: Mapping[str, Any] | None = None) -> Question[Node]:
    asked = Asked(
        endpoint=limits.BROADCASTS, path=path, method=method, body=body, auth=Auth.USER, scopes=WRITE, is_free=True
    )
    root, _ = yield from ask(session, asked)
    return root


def read_message(node: Node, included: Included | None = None) -> ChatMessage:
    """
    Raises:
        WireError: it has no id.
    """
    author_id = node.at("author_id").some_text()
    handle, name = node.at("author_username").some_text(), node.at("author_name").some_text()
    author = included.users.get(UserId(author_id)) if included and author_id else None
    if author is None and (author_id or handle):
        author = User(id=UserId(author_id or ""), handle=handle, name=name)
    return ChatMessage(
        id=node.at("id").need_text(),
        text=node.at("text").text() or "",
        author=author,
        at=node.at("created_at_ms").instant(),
        reply_to=node.at("reply_to").some_text(),
        raw=node.mapping(),
    )
