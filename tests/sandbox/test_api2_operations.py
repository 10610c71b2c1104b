"""Every operation that the descriptions know, asked of the sandbox in combinations of what it takes, in every mode.

The Spaces' own endpoints and users by all their fields are in test_api2_contracts.py; here is the rest, and the proof
that nothing is left out.
"""

from __future__ import annotations

import base64
import copy
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from api2_contract import (
    HOSTS,
    Exchange,
    complaints,
    description,
    misfits,
    operations,
    own_schema,
    rehosted,
    supplement,
    template_of,
)
from api2_visiting import NOW, SAMPLES, STAGE, Said, Visitor, visiting_api
from hydrophone.sandbox.api2 import vocabulary
from hydrophone.sandbox.api2.stage import APP
from hydrophone.sandbox.scene import Kind, Scene
from pairing import lists_of, pairwise

MODES = ("auto", "legacy", "current")
VIDEO_NOW = NOW.replace(hour=21, minute=22, second=0)
MARA, INES = "1701000000000000001", "1703000000000000003"
VIDEO, PLAN = "1harbourVideo", "1springTideVD"
HOOK = STAGE["webhooks"][0]["id"]
TIMES = {"scheduled_start_ms": "1772733600000", "scheduled_end_ms": "1772737200000"}
BASIC = "Basic " + base64.b64encode(f"{APP['client_id']}:{APP['client_secret']}".encode()).decode()
BASIC_APP = "Basic " + base64.b64encode(f"{APP['consumer_key']}:{APP['consumer_secret']}".encode()).decode()
Row = tuple[str, str, str, Any, int]  #: method, target, token, body, status


def query(path: str, options: dict[str, list[Any]], auth: str) -> list[Row]:
    """A question in every pair of its options."""
    rows = pairwise(options) if len(options) > 1 else [{name: one} for name, ones in options.items() for one in ones]
    targets = [path + (f"?{urlencode(kept)}" if (kept := {k: v for k, v in row.items() if v}) else "") for row in rows]
    return [("GET", target, auth, None, 200) for target in dict.fromkeys(targets)]


def bodies(options: dict[str, list[Any]], **always: Any) -> list[dict[str, Any]]:
    """A body in every pair of its options; None leaves one out."""
    return [{**always, **{name: one for name, one in row.items() if one is not None}} for row in pairwise(options)]


def reads() -> list[Row]:
    """Everything else that can be read."""
    chat = {
        "max_results": ["", "1", "200"],
        "broadcast_chat_message.fields": lists_of(vocabulary.CHAT_FIELDS),
        "expansions": ["", "author_id"],
        "user.fields": lists_of(vocabulary.ACCEPTED["legacy"]["user.fields"])[:5],
    }
    span = {
        "max_results": ["", "1", "100"],
        "oldest_start_time": ["", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"],
        "newest_start_time": ["", "2026-04-01T00:00:00Z", "1772000000000"],
    }
    fields = lists_of(vocabulary.BROADCAST_FIELDS)
    return [
        *query("/2/broadcasts", {"max_results": ["", "1", "100"], "broadcast.fields": fields}, "mara"),
        *query("/2/broadcasts", {"ids": [VIDEO, f"{VIDEO},1goneWithTide"], "broadcast.fields": fields}, "mara"),
        *query(f"/2/broadcasts/{VIDEO}", {"broadcast.fields": fields}, "mara"),
        *query("/2/broadcasts/1goneWithTide", {"broadcast.fields": fields[:2]}, "mara"),
        *query("/2/broadcasts/scheduled", span, "mara"),
        *query(f"/2/broadcasts/scheduled/{PLAN}", {"": [""]}, "mara"),
        *query(f"/2/broadcasts/{VIDEO}/chat", chat, "mara"),
        *query("/2/usage/tweets", {"days": ["", "1", "90"], "usage.fields": lists_of(vocabulary.USAGE_FIELDS)}, "app"),
        *query("/2/usage/credits", {"": [""]}, "app"),
        *query("/2/webhooks", {"webhook_config.fields": lists_of(vocabulary.WEBHOOK_FIELDS)}, "app"),
        *query("/2/activity/subscriptions", {"max_results": ["", "1", "1000"]}, "app"),
    ]


def writes() -> list[list[Row]]:
    """Everything that changes something; each list is a story that begins with a fresh stage."""
    plans = bodies(
        {
            "title": [None, "Neap tide"],
            "description": [None, "Slack water"],
            "locale": [None, "en"],
            "available_for_replay": [None, True, False],
            "chat_option": [None, "2"],
            "is_locked": [None, True],
            "manual_publish": [None, True, False],
            "telecast_id": [None, "7"],
            "thumbnail_media_id": [None, "9"],
            "recurrence": [None, {"frequency": "Daily", "repeats": "2"}, {"frequency": "Weekly", "repeats": "4"}],
        },
        source_id="hydr2nqx1wxm",
        **TIMES,
    )
    changes = bodies(
        {
            "title": [None, "Neap tide"],
            "description": [None, "Slack water"],
            "available_for_replay": [None, True],
            "chat_option": [None, "2"],
            "is_locked": [None, False],
            "manual_publish": [None, True],
            "roll_forward": [None, True, False],
            "source_id": [None, "hydr2nqx1wxm"],
        },
        scheduled_broadcast_id=STAGE["scheduled_broadcasts"][0]["scheduled_broadcast_id"],
        **TIMES,
    )
    kinds = ["spaces.start", "spaces.end", "broadcast.start", "broadcast.end", "profile.update.bio", "follow.follow"]
    asked = bodies(
        {
            "event_type": kinds,
            "filter": [{"user_id": MARA}, {"user_id": INES}],
            "tag": [None, "t", "t" * 200],
            "webhook_id": [None, HOOK],
        }
    )
    first = STAGE["subscriptions"][0]["subscription_id"]
    second = STAGE["subscriptions"][1]["subscription_id"]
    plan, subscriptions = f"/2/broadcasts/scheduled/{PLAN}", "/2/activity/subscriptions"
    chat = f"/2/broadcasts/{VIDEO}/chat"
    replay = {"webhook_id": HOOK, "from_date": "202603031700", "to_date": "202603031850"}
    return [
        [("POST", "/2/broadcasts/scheduled", "mara", body, 201) for body in plans],
        [("PUT", plan, "mara", body, 200) for body in changes],
        [("POST", f"{plan}/live", "mara", None, 200), ("GET", plan, "mara", None, 200)],
        [("DELETE", f"{plan}?roll_forward=true", "mara", None, 200)],
        [("DELETE", plan, "mara", None, 200), ("DELETE", plan, "mara", None, 200)],
        [
            ("POST", chat, "mara", {"text": "it is"}, 200),
            ("POST", chat, "mara", {"text": "the ferry", "reply_to": "2028943541925240253"}, 200),
            ("GET", f"{chat}?broadcast_chat_message.fields=reply_to,text", "mara", None, 200),
            ("DELETE", f"{chat}/2028943541925240253", "mara", None, 200),
            ("POST", f"{chat}/mutes", "mara", {"user_id": INES}, 200),
            ("POST", f"{chat}/mutes", "mara", {"user_id": INES, "end_at_ms": "1", "message_id": "2"}, 200),
            ("GET", chat, "mara", None, 200),
            ("DELETE", f"{chat}/mutes/{INES}", "mara", None, 200),
        ],
        [("POST", subscriptions, "app", body, 0) for body in asked],
        [
            ("PUT", f"{subscriptions}/{first}", "app", {"tag": "other"}, 200),
            ("PUT", f"{subscriptions}/{first}", "app", {"webhook_id": HOOK}, 200),
            ("PUT", f"{subscriptions}/{first}", "app", {"tag": "third", "webhook_id": HOOK}, 200),
            ("DELETE", f"{subscriptions}/{first}", "app", None, 200),
            ("DELETE", f"{subscriptions}/{first}", "app", None, 404),
            ("DELETE", f"{subscriptions}?ids={second},12", "app", None, 200),
            ("GET", subscriptions, "app", None, 200),
        ],
        [
            ("POST", "/2/webhooks/replay", "app", replay, 200),
            ("POST", "/2/webhooks/replay", "app", {**replay, "from_date": "tomorrow"}, 400),
            ("PUT", f"/2/webhooks/{HOOK}", "app", None, 200),
            ("POST", "/2/webhooks", "app", {"url": STAGE["webhooks"][0]["url"]}, 400),
            ("DELETE", f"/2/webhooks/{HOOK}", "app", None, 200),
            ("DELETE", f"/2/webhooks/{HOOK}", "app", None, 400),
            ("POST", "/2/webhooks", "app", {"url": "https://hydrophone.example/other"}, 200),
            ("GET", "/2/webhooks", "app", None, 200),
        ],
    ]


#: One field too many, one too few, one of another type: each is a complaint and changes nothing.
WRONG: list[Row] = [
    ("POST", "/2/broadcasts/scheduled", "mara", {**TIMES}, 400),
    ("POST", "/2/broadcasts/scheduled", "mara", {"source_id": "s", **TIMES, "roll_forward": True}, 400),
    ("POST", "/2/broadcasts/scheduled", "mara", {"source_id": "s", **TIMES, "chat_option": 2}, 400),
    ("POST", "/2/broadcasts/scheduled", "mara", {"source_id": "s", **TIMES, "is_locked": "yes"}, 400),
    (
        "POST",
        "/2/broadcasts/scheduled",
        "mara",
        {"source_id": "s", **TIMES, "recurrence": {"frequency": "Yearly"}},
        400,
    ),
    ("PUT", f"/2/broadcasts/scheduled/{PLAN}", "mara", {**TIMES}, 400),
    (
        "PUT",
        f"/2/broadcasts/scheduled/{PLAN}",
        "mara",
        {**TIMES, "scheduled_broadcast_id": "1", "telecast_id": "1"},
        400,
    ),
    ("DELETE", f"/2/broadcasts/scheduled/{PLAN}?roll_forward=perhaps", "mara", None, 400),
    ("GET", "/2/broadcasts/scheduled?oldest_start_time=soon", "mara", None, 400),
    ("POST", f"/2/broadcasts/{VIDEO}/chat", "mara", {"text": "x" * 141}, 400),
    ("POST", f"/2/broadcasts/{VIDEO}/chat", "mara", {"text": "x", "colour": "blue"}, 400),
    ("POST", f"/2/broadcasts/{VIDEO}/chat/mutes", "mara", {"user_id": "ines"}, 400),
    ("GET", f"/2/broadcasts?ids={VIDEO}&max_results=1", "mara", None, 400),
    ("GET", "/2/usage/tweets?days=91", "app", None, 400),
    ("POST", "/2/activity/subscriptions", "app", {"event_type": "spaces.start", "filter": {"keyword": "x"}}, 400),
    ("POST", "/2/activity/subscriptions", "app", {"event_type": "spaces.pause", "filter": {"user_id": MARA}}, 400),
    ("GET", "/2/broadcasts", "app", None, 403),
    ("GET", "/2/webhooks", "mara", None, 403),
    ("GET", "/2/usage/tweets", "none", None, 401),
]


async def wrong_with(visitor: Visitor, mode: str, row: Row) -> list[str]:
    method, target, auth, body, status = row
    said = await visitor.ask(target, method=method, auth=auth, told=body)
    if status and said.status != status:
        return [f"{method} {target} {body}: {said.status}, {said.raw[:300]!r}"]
    return [f"{method} {target} {body}: {one}" for one in complaints_of(mode, method, target, said)]


def complaints_of(mode: str, method: str, target: str, said: Said) -> list[str]:
    seen = Exchange(method=method, target=target, status=said.status, body=said.json, headers=said.headers, mode=mode)
    return complaints(seen)


async def tried(mode: str, rows: list[Row], **switches: Any) -> list[str]:
    async with visiting_api(
        stage=copy.deepcopy(STAGE), now=VIDEO_NOW, dialect=mode, balance=1e6, **switches
    ) as visitor:
        visitor.tokens["mara"] = visitor.token(MARA)
        return [one for row in rows for one in await wrong_with(visitor, mode, row)]


@pytest.mark.parametrize("mode", MODES)
async def test_whatever_can_be_read_fits_its_description(mode: str) -> None:
    rows = reads()
    assert len(rows) > 100
    assert (await tried(mode, rows, limits=dict.fromkeys(("broadcasts", "usage", "webhooks"), 10_000))) == []


@pytest.mark.parametrize("mode", MODES)
async def test_whatever_can_be_changed_fits_its_description(mode: str) -> None:
    for story in writes():
        assert (await tried(mode, story, webhook_check="good")) == []


@pytest.mark.parametrize("mode", MODES)
async def test_whatever_is_wrong_is_refused_as_described(mode: str) -> None:
    assert (await tried(mode, WRONG)) == []


@pytest.mark.parametrize("mode", MODES)
async def test_tokens_come_and_go_as_described(mode: str) -> None:
    async with visiting_api(stage=copy.deepcopy(STAGE), dialect=mode) as visitor:
        made = {"grant_type": "client_credentials"}
        rows = [("/oauth2/token", BASIC_APP, made, 200), ("/oauth2/token", "Basic eDp5", made, 403)]
        rows += [("/oauth2/invalidate_token", BASIC_APP, {"access_token": visitor.tokens["app"]}, 200)]
        rows += [("/2/oauth2/token", BASIC, {**made, "client_id": APP["client_id"]}, 400)]
        rows += [("/2/oauth2/token", BASIC, {"grant_type": "refresh_token", "refresh_token": "x"}, 400)]
        rows += [("/2/oauth2/revoke", BASIC, {"token": "x", "client_id": APP["client_id"]}, 200)]
        for target, basic, form, status in rows:
            headers = {"authorization": basic, "content-type": "application/x-www-form-urlencoded"}
            said = await visitor.ask(target, method="POST", auth="none", headers=headers, data=urlencode(form).encode())
            assert (target, said.status) == (target, status)
            assert complaints_of(mode, "POST", target, said) == []


async def test_the_stream_speaks_lines_that_are_described() -> None:
    scenes = [
        Scene.live("tides", started=5, since=-5, seconds=6, created=-60),
        Scene.live("camera", kind=Kind.BROADCAST, started=5, since=-5, seconds=6, created=-60),
    ]
    kinds = ("spaces.start", "spaces.end", "broadcast.start", "broadcast.end")
    async with visiting_api(*scenes, heartbeat_seconds=0.05) as visitor:
        for kind in kinds:
            told = {"event_type": kind, "filter": {"user_id": scenes[0].creator.user_id}, "tag": kind}
            assert (await visitor.ask("/2/activity/subscriptions", method="POST", told=told)).status == 200
        visitor.world.clock.advance(60)
        headers = {"authorization": f"Bearer {visitor.tokens['app']}"}
        lines = []
        async with visitor.http.get(f"{visitor.base}/2/activity/stream?backfill_minutes=5", headers=headers) as reply:
            async for line in reply.content:
                if line.strip():
                    lines.append(json.loads(line))
                    visitor.turn(stream_problem="OperationalDisconnect" if len(lines) == len(kinds) else "")
    assert sorted(one["data"]["event_type"] for one in lines[:-1]) == sorted(kinds)
    assert "errors" in lines[-1]
    assert [found for line in lines for found in misfits([own_schema("StreamLine")], line)] == []
    assert misfits([own_schema("StreamLine")], {"data": {"event_type": "spaces.start"}})


def test_nothing_that_is_described_is_left_out() -> None:
    rows = [*reads(), *(row for story in writes() for row in story)]
    asked = {(method, template_of("live", target.split("?")[0])) for method, target, *_ in rows}
    elsewhere = {
        ("GET", "/2/activity/stream"),  # an answer without end: test_api2_behaviour.py
        ("GET", "/2/users/{id}"),  # these three in every combination: test_api2_contracts.py
        ("GET", "/2/users/me"),
        ("GET", "/2/users/by/username/{username}"),
    }
    assert set(operations("live")) - asked == elsewhere


@pytest.mark.parametrize("mode", MODES)
async def test_the_description_that_is_served_lists_what_is_described(mode: str) -> None:
    async with visiting_api(dialect=mode) as visitor:
        said = await visitor.ask("/2/openapi.json", auth="none")
    served = {(method.upper(), shape(path)) for path, methods in said.json["paths"].items() for method in methods}
    wanted = {(method, shape(path)) for name in ("legacy", "current", "live") for method, path in operations(name)}
    assert wanted <= served
    assert {(method, path) for method, path in served - wanted} == {("GET", "/2/usage/credits")}


def shape(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


# ---------------------------------------------------------------- the check itself


def of_sample(name: str, **changes: Any) -> Exchange:
    sample = json.loads((SAMPLES / f"{name}.json").read_text())
    answer = copy.deepcopy(sample["response"])
    mode = "legacy" if sample["servers"] == ["legacy"] else "auto"
    facts: dict[str, Any] = {
        "method": sample["request"]["method"],
        "target": sample["request"]["target"],
        "status": answer["status"],
        "body": rehosted(answer.get("body"), HOSTS[mode]),
        "headers": answer.get("headers", {}),
        "mode": mode,
        "dialect": sample["dialect"],
    }
    return Exchange(**{**facts, **changes})


def test_every_sample_passes_the_check() -> None:
    wrong = {}
    for path in sorted(SAMPLES.glob("*.json")):
        sample = json.loads(path.read_text())
        if "servers" in sample and "target" in sample.get("request", {}):
            wrong[path.stem] = complaints(of_sample(path.stem))
    assert len(wrong) > 80
    assert {name: found for name, found in wrong.items() if found} == {}


SPOILT: dict[str, Any] = {
    "a null": lambda body, headers: body["data"].update(title=None),
    "an empty list": lambda body, headers: body["data"].update(speaker_ids=[]),
    "an unknown key": lambda body, headers: body["data"].update(colour="blue"),
    "another type": lambda body, headers: body["data"].update(participant_count="37"),
    "an unknown state": lambda body, headers: body["data"].update(state="paused"),
    "no id": lambda body, headers: body["data"].pop("id"),
    "an instant of seconds": lambda body, headers: body["data"].update(created_at="2026-03-03T18:00:00Z"),
    "a meta too many": lambda body, headers: body.update(meta={"result_count": 1}),
    "errors that are empty": lambda body, headers: body.update(errors=[]),
    "a problem elsewhere": lambda body, headers: body.update(
        errors=[{"title": "x", "type": "https://api.example/2/problems/resource-not-found"}]
    ),
    "a user twice": lambda body, headers: body.update(
        includes={"users": [{"id": "1", "name": "a", "username": "a"}] * 2}
    ),
    "a rate that is missing": lambda body, headers: headers.pop("x-rate-limit-reset"),
    "HTML": lambda body, headers: headers.update({"content-type": "text/html"}),
    "nothing at all": lambda body, headers: body.clear(),
}


@pytest.mark.parametrize("fault", list(SPOILT))
def test_the_check_notices(fault: str) -> None:
    seen = of_sample("space.full.legacy")
    headers = {**seen.headers}
    assert complaints(seen) == []
    SPOILT[fault](seen.body, headers)
    assert complaints(of_sample("space.full.legacy", body=seen.body, headers=headers))


def test_a_list_must_be_as_long_as_it_says_and_a_401_tells_no_rates() -> None:
    found = of_sample("search.default")
    found.body["meta"]["result_count"] += 1
    assert complaints(found)
    refused = of_sample("error.401", headers={"content-type": "application/json", "x-rate-limit-limit": "300"})
    assert complaints(refused) == ["x-rate-limit-limit on a 401"]
    assert complaints(of_sample("error.401", status=200))


def test_the_descriptions_are_the_published_ones() -> None:
    versions = {name: description(name)["info"]["version"] for name in ("legacy", "current", "live")}
    assert versions == {"legacy": "2.145", "current": "2.167", "live": "2.167"}
    assert len(supplement()["$defs"]) > 20
