"""Every request that the client builds, held against the published descriptions of both dialects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api2_contract import description
from hydrophone.errors import HydrophoneError
from hydrophone.http.messages import Question, Request
from hydrophone.model import BroadcastId, SpaceId, UserId
from hydrophone.xapi import broadcastchat, broadcasts, subscriptions, usage, users, webhooks
from hydrophone.xapi.events import EventType
from hydrophone.xapi.names import (
    ACCEPTED,
    MEDIA_FIELDS,
    PLACE_FIELDS,
    POLL_FIELDS,
    POST_EXPANSIONS,
    POST_FIELDS,
    SPACE_EXPANSIONS,
    SPACE_FIELDS,
    TOPIC_FIELDS,
    USER_EXPANSIONS,
    USER_FIELDS,
    Dialect,
)
from hydrophone.xapi.session import ApiSession
from hydrophone.xapi.spacepages import walk_buyers, walk_posts
from hydrophone.xapi.spaces import SearchState, search_spaces, space_by_id, spaces_by_ids, sweep
from hydrophone.xapi.stream import stream_request
from hydrophone.xapi.wanted import PostWish, SpaceWish, UserWish
from xapi.xapi_talk import NOW, Talk, json_reply, session

SPACES = {Dialect.LEGACY: "legacy", Dialect.CURRENT: "current"}
LIVE = "live"

SPACE = SpaceId("1hydroPhoneXZ")
VIDEO = BroadcastId("1harbourVideo")
MARA = UserId("1701000000000000001")


def complaints(request: Request, name: str) -> list[str]:
    """What the description does not allow: path, parameters, their values, the body."""
    doc = description(name)
    for path in sorted(doc["paths"], key=lambda path: path.count("{")):
        match = re.fullmatch(re.sub(r"\{([^}]+)\}", r"(?P<\1>[^/]+)", path), request.target)
        operation = doc["paths"][path].get(request.method.lower())
        if match is None or operation is None:
            continue
        return list(_complaints(doc, operation, match.groupdict(), request))
    return [f"no such operation: {request.method} {request.target}"]


def _complaints(doc: Any, operation: Any, inside: dict[str, str], request: Request) -> Iterator[str]:
    known = {}
    for entry in operation.get("parameters", []):
        parameter = resolved(doc, entry)
        known[parameter["name"]] = parameter
        value = inside.get(parameter["name"]) if parameter["in"] == "path" else request.params.get(parameter["name"])
        if value is None:
            if parameter.get("required"):
                yield f"{parameter['name']} is missing"
            continue
        yield from _fits(doc, parameter["schema"], value, parameter["name"])
    yield from (f"unknown parameter {name}" for name in request.params if name not in known)
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        yield from _fits(doc, schema, json.loads(request.body or b"null"), "body")
    elif request.body is not None:
        yield "a body where none is described"


def resolved(doc: Any, entry: Any) -> Any:
    while "$ref" in entry:
        target = doc
        for step in entry["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        entry = target
    return entry


def _fits(doc: Any, schema: Any, value: Any, where: str) -> Iterator[str]:
    schema = resolved(doc, schema)
    kind = schema.get("type")
    if kind == "array" and isinstance(value, str):
        value = value.split(",")
    if kind == "integer" and isinstance(value, str):
        value = int(value) if value.isdigit() else value
    if kind == "boolean" and isinstance(value, str):
        value = {"true": True, "false": False}.get(value, value)
    types = {"array": list, "integer": int, "string": str, "boolean": bool, "object": dict}
    if kind in types and not isinstance(value, types[kind]):
        yield f"{where}: {value!r} is no {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is not one of {schema['enum']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where}: {value!r} does not match {schema['pattern']}"
    for low, high, size in (
        ("minimum", "maximum", value),
        ("minLength", "maxLength", value),
        ("minItems", "maxItems", value),
    ):
        number = size if low == "minimum" else len(size) if isinstance(size, str | list) else None
        if isinstance(number, int) and not schema.get(low, number) <= number <= schema.get(high, number):
            yield f"{where}: {number} is out of range"
    if kind == "array":
        if schema.get("uniqueItems") and len(set(value)) != len(value):
            yield f"{where}: a value stands twice"
        for item in value:
            yield from _fits(doc, schema.get("items", {}), item, where)
    if kind == "object":
        yield from (f"{where}: {name} is missing" for name in schema.get("required", []) if name not in value)
        for name, part in value.items():
            if name in schema.get("properties", {}):
                yield from _fits(doc, schema["properties"][name], part, f"{where}.{name}")
            elif schema.get("additionalProperties") is False:
                yield f"{where}: {name} is not known"


def first_request(question: Question[Any] | None) -> Request:
    assert question is not None
    talk = Talk(json_reply({"meta": {"result_count": 0}}))
    try:
        talk.ask(question)
    except HydrophoneError:
        assert talk.requests
    return talk.requests[0]


def wishes(dialect: Dialect) -> Iterator[tuple[SpaceWish, UserWish, PostWish]]:
    """Everything at once, nothing at all, and each name on its own."""

    def all_of(table: str) -> tuple[str, ...]:
        return ACCEPTED[table][dialect]

    yield SpaceWish(fields=()), UserWish(), PostWish(fields=(), with_author=False)
    yield (
        SpaceWish(
            fields=all_of(SPACE_FIELDS),
            expansions=all_of(SPACE_EXPANSIONS),
            user_fields=all_of(USER_FIELDS),
            topic_fields=all_of(TOPIC_FIELDS),
        ),
        UserWish(fields=all_of(USER_FIELDS), expansions=all_of(USER_EXPANSIONS), post_fields=all_of(POST_FIELDS)),
        PostWish(
            fields=all_of(POST_FIELDS),
            expansions=all_of(POST_EXPANSIONS),
            user_fields=all_of(USER_FIELDS),
            media_fields=all_of(MEDIA_FIELDS),
            poll_fields=all_of(POLL_FIELDS),
            place_fields=all_of(PLACE_FIELDS),
        ),
    )
    other = Dialect.LEGACY if dialect is Dialect.CURRENT else Dialect.CURRENT
    for name in {*ACCEPTED[USER_EXPANSIONS][dialect], *ACCEPTED[USER_EXPANSIONS][other]}:
        yield SpaceWish(), UserWish(expansions=(name,)), PostWish()
    for name in ("note_tweet", "note_post", "id"):
        yield SpaceWish(fields=("creator_id",)), UserWish(post_fields=(name,)), PostWish(fields=(name,))


@pytest.mark.parametrize("dialect", list(Dialect))
def test_requests_about_spaces_are_those_of_the_dialect(dialect: Dialect) -> None:
    ours = session(dialect=dialect)
    for spaces, buyers, posts in wishes(dialect):
        questions: list[Question[Any] | None] = [
            space_by_id(ours, SPACE, wish=spaces),
            spaces_by_ids(ours, [SpaceId(f"1Aa{one:04}") for one in range(250)], wish=spaces),
            sweep(ours, [UserId(str(one)) for one in range(1, 101)], wish=spaces),
            search_spaces(ours, "tides & #audio", wish=spaces),
            search_spaces(ours, "x" * 2048, state=SearchState.LIVE, max_results=1, wish=spaces),
            walk_buyers(ours, SPACE, wish=buyers, max_results=1).question(),
            walk_posts(ours, SPACE, wish=posts).question(),
        ]
        for question in questions:
            assert complaints(first_request(question), SPACES[dialect]) == []


@pytest.mark.parametrize("dialect", list(Dialect))
def test_our_lists_of_names_are_those_of_the_description(dialect: Dialect) -> None:
    parameters = description(SPACES[dialect])["components"]["parameters"].values()
    listed = {}
    for parameter in parameters:
        names = parameter["schema"]["items"]["enum"]
        listed[parameter["name"], tuple(sorted(names))] = True
    for table in (SPACE_FIELDS, USER_FIELDS, TOPIC_FIELDS, MEDIA_FIELDS, POLL_FIELDS, PLACE_FIELDS):
        assert (table, tuple(sorted(ACCEPTED[table][dialect]))) in listed
    posts = "tweet.fields" if dialect is Dialect.LEGACY else "post.fields"
    assert (posts, tuple(sorted(ACCEPTED[POST_FIELDS][dialect]))) in listed
    for table in (SPACE_EXPANSIONS, USER_EXPANSIONS, POST_EXPANSIONS):
        assert ("expansions", tuple(sorted(ACCEPTED[table][dialect]))) in listed


def other_requests(ours: ApiSession) -> Iterator[Request]:
    plan = broadcasts.BroadcastPlan(
        begin_at=NOW,
        end_at=NOW + timedelta(hours=1),
        source_id="hydr2nqx1wxm",
        title="Spring tide",
        description="An hour of tide.",
        locale="en",
        available_for_replay=True,
        chat_option=2,
        is_locked=False,
        manual_publish=True,
        telecast_id="1",
        thumbnail_media_id="2",
        recurrence=broadcasts.Recurrence("Weekly", 4),
    )
    planned = broadcasts.ScheduledBroadcast(id=VIDEO, schedule_id="2028802567176471302")
    everything = UserWish(
        fields=ACCEPTED[USER_FIELDS][Dialect.CURRENT],
        expansions=ACCEPTED[USER_EXPANSIONS][Dialect.CURRENT],
        post_fields=ACCEPTED[POST_FIELDS][Dialect.CURRENT],
    )
    yield stream_request(ours, backfill_minutes=5, start_at=NOW, end_at=datetime(2026, 3, 4, tzinfo=UTC))
    questions: list[Question[Any] | None] = [
        users.user_by_id(ours, MARA, wish=everything),
        users.user_by_name(ours, "@mara_lind", wish=everything),
        users.own_user(ours, wish=everything),
        usage.post_usage(ours, days=90),
        webhooks.webhooks(ours),
        webhooks.create_webhook(ours, "https://hydrophone.example/x/hook"),
        webhooks.validate_webhook(ours, "12"),
        webhooks.delete_webhook(ours, "12"),
        webhooks.replay_deliveries(ours, "12", begin_at=NOW, end_at=NOW),
        subscriptions.subscriptions(ours),
        subscriptions.subscribe(ours, EventType.SPACES_END, MARA, tag="t" * 200, webhook_id="12"),
        subscriptions.subscribe(ours, EventType.BROADCAST_CHAT, MARA),
        subscriptions.update_subscription(ours, "12", tag="other"),
        subscriptions.unsubscribe(ours, "12"),
        subscriptions.unsubscribe_many(ours, [str(one) for one in range(150)]),
        broadcasts.broadcast_by_id(ours, VIDEO),
        broadcasts.broadcasts_by_ids(ours, [VIDEO]),
        broadcasts.own_broadcasts(ours),
        broadcasts.scheduled_broadcasts(ours, oldest_at=NOW, newest_at=NOW),
        broadcasts.scheduled_broadcast(ours, VIDEO),
        broadcasts.schedule_broadcast(ours, plan),
        broadcasts.replace_schedule(ours, planned, plan, roll_forward=True),
        broadcasts.cancel_schedule(ours, VIDEO, roll_forward=True),
        broadcasts.go_live(ours, VIDEO),
        broadcastchat.walk_chat(ours, VIDEO, max_results=200, with_authors=True, user_fields=("username",)).question(),
        broadcastchat.send_message(ours, VIDEO, "it is", reply_to="12"),
        broadcastchat.delete_message(ours, VIDEO, "12"),
        broadcastchat.mute_user(ours, VIDEO, MARA, until_at=NOW, message_id="12"),
        broadcastchat.unmute_user(ours, VIDEO, MARA),
    ]
    yield from map(first_request, questions)


def test_all_other_requests_are_those_of_the_description() -> None:
    found = list(other_requests(session(dialect=Dialect.CURRENT)))
    assert len(found) == 30
    assert [row for request in found for row in complaints(request, LIVE)] == []


def test_the_check_itself_can_complain() -> None:
    request = first_request(space_by_id(session(), SPACE))
    assert complaints(request, SPACES[Dialect.CURRENT])[0].startswith("space.fields: 'creator_id'")
    assert complaints(Request("GET", "/2/spaces/search", params={"state": "ended", "x": "y"}), SPACES[Dialect.LEGACY])
    assert complaints(Request("POST", "/2/spaces"), SPACES[Dialect.LEGACY])
