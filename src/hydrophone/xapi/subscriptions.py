"""Which events the service shall push: one subscription for each creator and each kind of event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hydrophone.errors import HydrophoneError, RemoteError
from hydrophone.http.messages import Question
from hydrophone.http.reading import Node
from hydrophone.model import UserId
from hydrophone.xapi import limits
from hydrophone.xapi.answers import Answer, read_answer
from hydrophone.xapi.asking import Asked, ask
from hydrophone.xapi.checks import batches, check_number, check_text, check_user_id
from hydrophone.xapi.credentials import Scope
from hydrophone.xapi.events import EventType, event_type
from hydrophone.xapi.paging import Walk, walk_all
from hydrophone.xapi.session import ApiSession, Auth

_PATH = "/2/activity/subscriptions"
_MOST_TAG = 200
_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One kind of event about one account. `user_id` is None for events that are not about one."""

    id: str
    event_type: str
    user_id: UserId | None = None
    tag: str | None = None
    webhook_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


def subscribe(
    session: ApiSession,
    kind: EventType,
    user_id: UserId,
    *,
    tag: str | None = None,
    webhook_id: str | None = None,
) -> Question[Subscription]:
    """Have events about this account pushed: for Spaces, those that it creates.

    Without a webhook they come by the stream only. Where there is one already, that is the answer.
    """
    body: dict[str, Any] = {"event_type": EventType(kind).value, "filter": {"user_id": check_user_id(user_id)}}
    body.update(_changeable(tag, webhook_id))
    scopes = (Scope.TWEET_READ,) if kind is not EventType.BROADCAST_CHAT else (Scope.TWEET_READ, Scope.BROADCAST_READ)
    auth = Auth.USER if kind is EventType.BROADCAST_CHAT else Auth.EITHER
    asked = Asked(
        endpoint=limits.SUBSCRIPTIONS, path=_PATH, method="POST", body=body, auth=auth, scopes=scopes, is_free=True
    )
    try:
        root, _ = yield from ask(session, asked)
    except RemoteError as error:
        if not _is_duplicate(error):
            raise
        existing = yield from _find(session, kind, user_id)
        if existing is None:
            raise
        return existing
    return _read_one(root)


def subscriptions(session: ApiSession) -> Question[Answer[Subscription]]:
    """All subscriptions of the app."""

    def page(token: str | None) -> Question[Answer[Subscription]]:
        params = {"max_results": str(_PAGE), **({"pagination_token": token} if token else {})}
        scopes = (Scope.TWEET_READ,)
        asked = Asked(endpoint=limits.SUBSCRIPTIONS, path=_PATH, params=params, scopes=scopes, is_free=True)
        root, _ = yield from ask(session, asked)
        return read_answer(root, lambda node, _: read_subscription(node))

    return walk_all(Walk(page, key=_key), _key)


def update_subscription(
    session: ApiSession, subscription_id: str, *, tag: str | None = None, webhook_id: str | None = None
) -> Question[Subscription]:
    """Change tag or webhook; nothing else can be changed."""
    path = f"{_PATH}/{check_number(subscription_id, 'subscription id')}"
    body = _changeable(tag, webhook_id)
    asked = Asked(endpoint=limits.SUBSCRIPTIONS, path=path, method="PUT", body=body, auth=Auth.APP, is_free=True)
    root, _ = yield from ask(session, asked)
    return _read_one(root)


def unsubscribe(session: ApiSession, subscription_id: str) -> Question[bool]:
    """End one; True when the service says that it is gone."""
    path = f"{_PATH}/{check_number(subscription_id, 'subscription id')}"
    asked = Asked(endpoint=limits.SUBSCRIPTIONS, path=path, method="DELETE", auth=Auth.APP, is_free=True)
    root, _ = yield from ask(session, asked)
    return bool(root.at("data", "deleted").flag())


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    """Which are gone, and why others are not, by id."""

    gone: tuple[str, ...]
    failed: Mapping[str, str]


def unsubscribe_many(session: ApiSession, ids: Iterable[str]) -> Question[Unsubscribed]:
    """End any number of them."""
    wanted = [check_number(one, "subscription id") for one in ids]
    gone: list[str] = []
    failed: dict[str, str] = {}
    for batch in batches(wanted):
        params = {"ids": ",".join(batch)}
        asked = Asked(
            endpoint=limits.SUBSCRIPTIONS, path=_PATH, method="DELETE", params=params, auth=Auth.APP, is_free=True
        )
        root, _ = yield from ask(session, asked)
        for node in root.at("data").items():
            if node.at("deleted").flag() and (text := node.at("subscription_id").some_text()):
                gone.append(text)
        for node in root.at("errors").items():
            text = node.at("subscription_id").some_text()
            if text:
                failed[text] = node.first("message", "reason", "detail").text() or "refused"
    return Unsubscribed(tuple(gone), failed)


def read_subscription(node: Node) -> Subscription:
    """
    Raises:
        WireError: it has no id.
    """
    user_id = node.at("filter", "user_id").some_text()
    return Subscription(
        id=node.first("subscription_id", "id").need_text(),
        event_type=event_type(node.at("event_type").text() or ""),
        user_id=UserId(user_id) if user_id else None,
        tag=node.at("tag").some_text(),
        webhook_id=node.at("webhook_id").some_text(),
        created_at=node.at("created_at").instant(),
        updated_at=node.at("updated_at").instant(),
        raw=node.mapping(),
    )


def _read_one(root: Node) -> Subscription:
    """The subscription in any of the three documented shapes; of a list the first."""
    data = root.at("data")
    listed = next(data.items(), None)
    if listed is not None:
        return read_subscription(listed)
    inner = data.at("subscription")
    return read_subscription(inner if inner.is_object() else data.need_object())


def _changeable(tag: str | None, webhook_id: str | None) -> dict[str, str]:
    body = {}
    if tag is not None:
        body["tag"] = check_text("tag", tag, _MOST_TAG)
    if webhook_id is not None:
        body["webhook_id"] = check_number(webhook_id, "webhook id")
    return body


def _is_duplicate(error: HydrophoneError) -> bool:
    said = " ".join((error.message, *getattr(error, "messages", ()))).lower()
    return getattr(error, "status", None) == 409 or "duplicate" in said


def _find(session: ApiSession, kind: EventType, user_id: UserId) -> Question[Subscription | None]:
    answer = yield from subscriptions(session)
    same = (one for one in answer.items if one.event_type == kind and one.user_id == user_id)
    return next(same, None)


def _key(subscription: Subscription) -> str:
    return subscription.id
