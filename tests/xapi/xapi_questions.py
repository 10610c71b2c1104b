"""For every sample of a success or a refusal: the question whose request it holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hydrophone.http.messages import Question
from hydrophone.model import BroadcastId, SpaceId, UserId
from hydrophone.xapi import broadcastchat, broadcasts, subscriptions, usage, users, webhooks
from hydrophone.xapi.events import EventType
from hydrophone.xapi.names import ALL_SPACE_FIELDS, Dialect
from hydrophone.xapi.session import ApiSession
from hydrophone.xapi.spacepages import walk_buyers, walk_posts
from hydrophone.xapi.spaces import SearchState, search_spaces, space_by_id, spaces_by_ids, sweep
from hydrophone.xapi.wanted import PostWish, SpaceWish, UserWish
from xapi.xapi_talk import query_of, sample

MARA = UserId("1701000000000000001")
VIDEO = BroadcastId("1harbourVideo")
SPRING = BroadcastId("1springTideVD")


def question_for(name: str, session: ApiSession) -> Question[Any]:
    """The question that leads to the sample's request, as closely as the client ever asks it."""
    # This one asks a service of the current dialect in legacy words.
    is_current = "current" in name and name != "space.ids-not-expanded.current"
    session.dialect = Dialect.CURRENT if is_current else Dialect.LEGACY
    kind = ".".join(name.split(".")[:2])
    maker = _MAKERS.get(kind) or _MAKERS.get(name.split(".")[0])
    if maker is None or sample(name)["request"]["method"] != "GET":
        maker = _WRITES.get(name) or _WRITES.get(kind) or maker
    assert maker is not None, name
    return maker(session, *query_of(name))


def _names(params: dict[str, str], key: str) -> tuple[str, ...]:
    return tuple(filter(None, params.get(key, "").split(",")))


def _wish(params: dict[str, str]) -> SpaceWish:
    return SpaceWish(
        fields=_names(params, "space.fields"),
        expansions=_names(params, "expansions"),
        user_fields=_names(params, "user.fields"),
        topic_fields=_names(params, "topic.fields"),
    )


def _user_wish(params: dict[str, str]) -> UserWish:
    posts = _names(params, "tweet.fields") or _names(params, "post.fields")
    return UserWish(fields=_names(params, "user.fields"), expansions=_names(params, "expansions"), post_fields=posts)


def _post_wish(params: dict[str, str]) -> PostWish:
    posts = _names(params, "tweet.fields") or _names(params, "post.fields")
    return PostWish(
        fields=posts,
        with_author=False,
        expansions=_names(params, "expansions"),
        user_fields=_names(params, "user.fields"),
    )


def _space(session: ApiSession, path: str, params: dict[str, str]) -> Question[Any]:
    return space_by_id(session, SpaceId(path.split("/")[3]), wish=_wish(params))


def _spaces(session: ApiSession, path: str, params: dict[str, str]) -> Question[Any]:
    return spaces_by_ids(session, map(SpaceId, params["ids"].split(",")), wish=_wish(params))


def _creators(session: ApiSession, path: str, params: dict[str, str]) -> Question[Any]:
    return sweep(session, [UserId(one) for one in params["user_ids"].split(",")], wish=_wish(params))


def _search(session: ApiSession, path: str, params: dict[str, str]) -> Question[Any]:
    most = int(params.get("max_results", "100"))
    state = SearchState(params.get("state", "all"))
    return search_spaces(session, params["query"], state=state, max_results=most, wish=_wish(params))


def _first_page(walk: Any) -> Question[Any]:
    return walk.question()


def _buyers(session: ApiSession, path: str, params: dict[str, str]) -> Question[Any]:
    walk = walk_buyers(
        session,
        SpaceId(path.split("/")[3]),
        wish=_user_wish(params),
        max_results=int(params.get("max_results", "100")),
    )
    walk._token = params.get("pagination_token")
    return _first_page(walk)


def _posts(session: ApiSession, path: str, params: dict[str, str]) -> Question[Any]:
    most = int(params.get("max_results", "100"))
    space_id = SpaceId(path.split("/")[3])
    return _first_page(walk_posts(session, space_id, wish=_post_wish(params), max_results=most))


def _user(session: ApiSession, path: str, params: dict[str, str]) -> Question[Any]:
    last = path.split("/")[-1]
    if last == "me":
        return users.own_user(session, wish=_user_wish(params))
    if "username" in path:
        return users.user_by_name(session, last, wish=_user_wish(params))
    return users.user_by_id(session, UserId(last), wish=_user_wish(params))


def _chat(session: ApiSession, path: str, params: dict[str, str]) -> Question[Any]:
    walk = broadcastchat.walk_chat(
        session,
        VIDEO,
        max_results=int(params["max_results"]),
        fields=_names(params, "broadcast_chat_message.fields"),
        with_authors=True,
        user_fields=_names(params, "user.fields"),
    )
    return _first_page(walk)


def _broadcast(session: ApiSession, path: str, params: dict[str, str]) -> Question[Any]:
    return broadcasts.broadcast_by_id(session, VIDEO, fields=_names(params, "broadcast.fields"))


def _broadcasts(session: ApiSession, path: str, params: dict[str, str]) -> Question[Any]:
    fields = _names(params, "broadcast.fields")
    if "ids" in params:
        return broadcasts.broadcasts_by_ids(session, [VIDEO], fields=fields)
    return broadcasts.own_broadcasts(session, fields=fields)


def _scheduled(session: ApiSession, path: str, params: dict[str, str]) -> Question[Any]:
    if path.endswith("/scheduled"):
        return broadcasts.scheduled_broadcasts(session)
    return broadcasts.scheduled_broadcast(session, SPRING)


def plan(name: str) -> broadcasts.BroadcastPlan:
    """The plan that a sample's body describes."""
    body = dict(sample(name)["request"]["json"])
    begin, end = (
        datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(body.pop(key)))
        for key in ("scheduled_start_ms", "scheduled_end_ms")
    )
    series = body.pop("recurrence", None)
    body.pop("scheduled_broadcast_id", None)
    chat = body.pop("chat_option", None)
    return broadcasts.BroadcastPlan(
        begin_at=begin,
        end_at=end,
        chat_option=int(chat) if chat else None,
        recurrence=broadcasts.Recurrence(series["frequency"], int(series["repeats"])) if series else None,
        **body,
    )


def _usage(session: ApiSession, path: str, params: dict[str, str]) -> Question[Any]:
    if path.endswith("credits"):
        return usage.credits_left(session)
    return usage.post_usage(session, days=int(params["days"]), fields=_names(params, "usage.fields"))


Maker = Callable[[ApiSession, str, dict[str, str]], Question[Any]]

_MAKERS: dict[str, Maker] = {
    "space": _space,
    "spaces": _spaces,
    "creators": _creators,
    "search": _search,
    "buyers": _buyers,
    "tweets": _posts,
    "user": _user,
    "usage": _usage,
    "broadcast": _broadcast,
    "broadcast.chat": _chat,
    "broadcasts": _broadcasts,
    "scheduled": _scheduled,
    "activity.list": lambda session, path, params: subscriptions.subscriptions(session),
    "webhook.list": lambda session, path, params: webhooks.webhooks(session),
}

_HOOK = "2028032492960848919"
_WRITES: dict[str, Maker] = {
    "activity.subscribe": lambda session, path, params: subscriptions.subscribe(
        session, EventType.SPACES_START, MARA, tag="mara starts", webhook_id=_HOOK
    ),
    "activity.update": lambda session, path, params: subscriptions.update_subscription(
        session, path.split("/")[-1], tag="listening room"
    ),
    "activity.delete": lambda session, path, params: subscriptions.unsubscribe(session, path.split("/")[-1]),
    "activity.delete-many": lambda session, path, params: subscriptions.unsubscribe_many(
        session, params["ids"].split(",")
    ),
    "webhook.create": lambda session, path, params: webhooks.create_webhook(
        session, "https://hydrophone.example/x/hook"
    ),
    "webhook.delete": lambda session, path, params: webhooks.delete_webhook(session, path.split("/")[-1]),
    "webhook.validate": lambda session, path, params: webhooks.validate_webhook(session, path.split("/")[-1]),
    "webhook.replay": lambda session, path, params: webhooks.replay_deliveries(
        session,
        _HOOK,
        begin_at=datetime(2026, 3, 3, 17, tzinfo=UTC),
        end_at=datetime(2026, 3, 3, 18, 50, tzinfo=UTC),
    ),
    "broadcast.chat.delete": lambda session, path, params: broadcastchat.delete_message(
        session, VIDEO, path.split("/")[-1]
    ),
    "broadcast.chat.mute": lambda session, path, params: broadcastchat.mute_user(
        session,
        VIDEO,
        UserId("1704000000000000004"),
        until_at=datetime(2026, 3, 3, 22, 0, tzinfo=UTC),
        message_id="2028943000863458259",
    ),
    "broadcast.chat.unmute": lambda session, path, params: broadcastchat.unmute_user(
        session, VIDEO, UserId("1704000000000000004")
    ),
    "broadcast.chat.send": lambda session, path, params: broadcastchat.send_message(
        session, VIDEO, "it is", reply_to="2028943541925240253"
    ),
    "scheduled.create": lambda session, path, params: broadcasts.schedule_broadcast(session, plan("scheduled.create")),
    "scheduled.create.recurring": lambda session, path, params: broadcasts.schedule_broadcast(
        session, plan("scheduled.create.recurring")
    ),
    "scheduled.update": lambda session, path, params: broadcasts.replace_schedule(
        session,
        broadcasts.ScheduledBroadcast(id=SPRING, schedule_id="2028802567176471302"),
        plan("scheduled.update"),
    ),
    "scheduled.delete": lambda session, path, params: broadcasts.cancel_schedule(session, SPRING),
    "scheduled.live": lambda session, path, params: broadcasts.go_live(session, SPRING),
}

ALL_FIELDS = SpaceWish(fields=ALL_SPACE_FIELDS)
