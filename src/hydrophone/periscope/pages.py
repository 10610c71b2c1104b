"""The pages of Periscope: what stands inside them for their own scripts, in all five layouts from 2015 to 2021.

A page carries its state as JSON in an attribute, escaped once. Pages are the only source of session tokens, and saved
copies of them are read by the same code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from html import unescape
from typing import Any

from hydrophone.errors import WireError
from hydrophone.http.reading import Node, node_of
from hydrophone.model import Broadcast, PeriscopeUserId
from hydrophone.periscope.closing import EXPORT_ADVICE, NO_PERISCOPE_PAGE
from hydrophone.periscope.records import PeriscopeUser, read_broadcast, read_user

PAGE = "page"
_MARK = "data-store="
_MOST_ATTEMPTS = 8
_ATTRIBUTE = re.compile(r"([a-z][a-z:-]{0,30})\s{0,4}=\s{0,4}(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)


class TokenKind(StrEnum):
    """What a session token of a page is for. Each lasts an hour and is bound to one user's endpoints."""

    HISTORY = "broadcastHistory"
    THUMBNAILS = "thumbnailPlaylist"
    SERVICE = "serviceToken"


class Layout(StrEnum):
    META = "2015"  #: everything in <meta> elements
    FLAT = "mid-2016"  #: a data store whose tokens have no level `public`
    TRACKING = "2016"
    CACHES = "2019"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTokens:
    """The tokens that a page gives to everybody. They last an hour: fetch fresh ones rather than keeping them."""

    history: str | None = field(default=None, repr=False)
    thumbnails: str | None = field(default=None, repr=False)
    service: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a page of a user or of a broadcast says. `broadcasts` are in the page's own order, newest first."""

    layout: Layout
    user_id: PeriscopeUserId | None = None
    user: PeriscopeUser | None = None
    broadcasts: tuple[Broadcast, ...] = ()
    tokens: SessionTokens = SessionTokens()
    store: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


# ---------------------------------------------------------------- raw, as the drop-in hands it on


def read_data_store(page: bytes | str) -> dict[str, Any] | None:
    """The JSON in the attribute `data-store`, untouched; None where there is none that can be read."""
    text = page.decode("utf-8", "replace") if isinstance(page, bytes) else page
    position = 0
    for _ in range(_MOST_ATTEMPTS):
        position = text.find(_MARK, position)
        if position < 0:
            return None
        position += len(_MARK)
        quote = text[position : position + 1]
        end = text.find(quote, position + 1) if quote in ("'", '"') else -1
        if end < 0:
            continue
        try:
            # Once: text inside the state may itself hold escapes.
            store = json.loads(unescape(text[position + 1 : end]))
        except (ValueError, RecursionError):
            continue
        if isinstance(store, dict):
            return store
    return None


def find_user_id(store: Mapping[str, Any], username: str | None = None) -> str | None:
    """The id of the user whose page it is, along the chain of places where the layouts keep it."""
    root = Node(store)
    found = root.at("Tracking", "userId").some_text() or root.at("UserBroadcastHistory", "userId").some_text()
    if found is None and username:
        found = root.at("UserCache", "usernames", username.lower()).some_text()
    if found is None:
        users = root.at("UserCache", "users").mapping()
        found = next(iter(users)) if len(users) == 1 else None
    return found or root.at("User", "user", "id").some_text()


def find_session_token(store: Mapping[str, Any], kind: TokenKind) -> str | None:
    """A session token for everybody, with or without the level `public`."""
    tokens = Node(store).at("SessionToken")
    return tokens.first(f"public.{kind}.token.session_id", f"{kind}.token.session_id").some_text()


# ---------------------------------------------------------------- as values


def read_page(page: bytes | str, *, username: str | None = None) -> Page:
    """A page of any layout.

    Raises:
        WireError: it is no page of Periscope, or one without state: since the closing, most addresses lead to X.
    """
    store = read_data_store(page)
    if store is None:
        return _read_meta_page(page.decode("utf-8", "replace") if isinstance(page, bytes) else page)
    root = node_of(store, PAGE)
    user_id = find_user_id(store, username)
    is_flat = not root.at("SessionToken", "public").is_object()
    layout = Layout.FLAT if is_flat else Layout.TRACKING if root.has("Tracking") else Layout.CACHES
    return Page(
        layout=layout,
        user_id=PeriscopeUserId(user_id) if user_id else None,
        user=_read_page_user(root, user_id),
        broadcasts=tuple(_page_broadcasts(root, user_id)),
        tokens=_read_tokens(root, store),
        store=store,
    )


def _read_page_user(root: Node, user_id: str | None) -> PeriscopeUser | None:
    record = root.at("User", "user")
    if user_id and not record.is_object():
        record = root.at("UserCache", "users", user_id, "user")
    return read_user(record) if record.first("id", "user_id").some_text() else None


def _page_broadcasts(root: Node, user_id: str | None) -> list[Broadcast]:
    cache = {key: entry.at("broadcast") for key, entry in root.at("BroadcastCache", "broadcasts").members()}
    history = root.at("UserBroadcastHistoryCache", "histories", user_id or "", "broadcastIds")
    order = [key for item in history.items() if (key := item.some_text()) in cache] or list(cache)
    records = [cache[key] for key in dict.fromkeys(order)] or [root.at("UserBroadcast", "broadcast")]
    found = []
    for record in records:
        # The copy inside is the answer of the API; the one around it has computed fields that are partly wrong.
        inner = record.at("data") if record.at("data", "id").some_text() else record
        try:
            found.append(read_broadcast(inner))
        except WireError:
            continue
    return found


def _read_tokens(root: Node, store: Mapping[str, Any]) -> SessionTokens:
    expiry = root.first("SessionToken.public.broadcastHistory.expiry", "SessionToken.broadcastHistory.expiry")
    return SessionTokens(
        history=find_session_token(store, TokenKind.HISTORY),
        thumbnails=find_session_token(store, TokenKind.THUMBNAILS),
        service=find_session_token(store, TokenKind.SERVICE),
        expires_at=expiry.instant(),
    )


def _read_meta_page(text: str) -> Page:
    """The layout of 2015: `<meta id=… content=…>` for each fact."""
    facts = _meta_facts(text)
    try:
        content = json.loads(facts.get("broadcast-data", "null"))
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) and "api-session" not in facts:
        raise WireError(NO_PERISCOPE_PAGE, endpoint=PAGE, advice=EXPORT_ADVICE)
    root = node_of(content, PAGE)
    user = root.at("user") if root.at("user", "id").some_text() else None
    user_id = root.first("user.id", "broadcast.user_id").some_text()
    return Page(
        layout=Layout.META,
        user_id=PeriscopeUserId(user_id) if user_id else None,
        user=read_user(user) if user else None,
        broadcasts=tuple(_meta_broadcast(root.at("broadcast"))),
        # One token for all purposes.
        tokens=SessionTokens(history=facts.get("api-session") or None, thumbnails=facts.get("api-session") or None),
        store=root.mapping(),
    )


def _meta_broadcast(record: Node) -> list[Broadcast]:
    try:
        return [read_broadcast(record)]
    except WireError:
        return []


def _meta_facts(text: str) -> dict[str, str]:
    facts: dict[str, str] = {}
    position = 0
    while (position := text.find("<meta", position)) >= 0 and len(facts) < 100:
        end = text.find(">", position)
        if end < 0:
            break
        attributes = {m[1].lower(): m[2] or m[3] or "" for m in _ATTRIBUTE.finditer(text, position, end)}
        if name := attributes.get("id"):
            facts.setdefault(name, unescape(attributes.get("content", "")))
        position = end
    return facts
