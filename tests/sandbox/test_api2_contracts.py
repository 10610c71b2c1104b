"""Every answer of the sandbox's API, in every mode, held against the published descriptions and the samples."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from api2_contract import HOSTS, Exchange, complaints, first_difference, rehosted
from api2_visiting import NOW, SAMPLES, STAGE, Said, Visitor, visiting_api
from hydrophone.sandbox.api2 import vocabulary
from hydrophone.sandbox.api2.vocabulary import ACCEPTED
from pairing import lists_of, pairwise

MODES = ("auto", "legacy", "current")
VIDEO_NOW = NOW.replace(hour=21, minute=22, second=0)

#: How the scene of a sample is set up: switches, and what the stage lacks.
SCENES: dict[str, dict[str, Any]] = {
    "default": {},
    "broadcast": {},
    "writes": {},
    "oauth": {},
    "oauth:deny": {"consent": "denied"},
    "oauth:no-offline": {"granted_scopes": ["users.read", "space.read", "tweet.read"]},
    "unknown-names:reject": {},
    "unknown-names:drop": {"unknown_names": "drop"},
    "credits:empty": {"balance": 0},
    "usage:capped": {"usage_capped": True},
    "rate:window": {"limits": dict.fromkeys(("space", "search", "spaces", "creators"), 0)},
    "rate:one-per-second": {},
    "rate:no-headers": {"limits": {"space": 0}, "limit_headers": "absent"},
    "error-shape:codes": {"error_shape": "codes"},
    "not-found:404": {"not_found": "404"},
    "app:not-enrolled": {"app": "not-enrolled"},
    "fault:500": {},
    "fault:500-problem": {},
    "fault:503": {},
    "fault:503-html": {},
    "fault:field": {"failing_fields": ["subscriber_count"]},
    "fault:suspended-host": {"suspended": ["9300117744"]},
    "activity:flat": {"subscription_shape": "flat"},
    "activity:list": {"subscription_shape": "list"},
    "stream:full": {"stream_full": True},
    "webhook:bad-crc": {"webhook_check": "bad"},
    "webhook:none": {},
    "broadcast:auto-publish": {},
}
#: Fields of a broadcast's life, ids and instants that a sandbox gives out itself.
MADE_BY_US = ("writes", "oauth", "activity:flat", "activity:list")


def samples() -> dict[str, dict[str, Any]]:
    found = {path.stem: json.loads(path.read_text()) for path in sorted(SAMPLES.glob("*.json"))}
    return {name: one for name, one in found.items() if "servers" in one and "target" in one.get("request", {})}


def stage_for(name: str, scene: str) -> dict[str, Any]:
    stage = json.loads(json.dumps(STAGE))
    if scene == "webhook:none" or name.startswith("webhook.create"):
        stage["webhooks"] = []
    if name.startswith("activity.subscribe"):
        stage["subscriptions"] = []
    if scene == "broadcast:auto-publish":
        stage["scheduled_broadcasts"][0]["manual_publish"] = False
    return stage


def complaints_of(mode: str, method: str, target: str, said: Said, dialect: str = "any") -> list[str]:
    return complaints(
        Exchange(
            method=method,
            target=target,
            status=said.status,
            body=said.json,
            headers=said.headers,
            mode=mode,
            dialect=dialect,
        )
    )


async def ask_as_sample(visitor: Visitor, sample: dict[str, Any]) -> Any:
    request = sample["request"]
    data = urlencode(request["form"]).encode() if "form" in request else None
    return await visitor.ask(
        request["target"],
        auth=request["auth"],
        method=request["method"],
        headers=request.get("headers"),
        data=data,
        told=request.get("json"),
    )


@pytest.mark.parametrize("mode", MODES)
async def test_samples_get_the_answers_that_are_documented(mode: str) -> None:
    wrong: list[str] = []
    for name, sample in samples().items():
        scene = sample.get("scene", "default")
        if mode not in sample["servers"]:
            continue
        now = VIDEO_NOW if scene.startswith("broadcast") or name.startswith(("broadcast", "scheduled")) else NOW
        switches = {"dialect": mode, "balance": 18.42, **SCENES[scene]}
        async with visiting_api(stage=stage_for(name, scene), now=now, **switches) as visitor:
            if scene.startswith("fault:50"):
                kind = {"500": "500", "500-problem": "500_problem", "503": "503", "503-html": "503_html"}[scene[6:]]
                fault = {"kind": "api2-answer", "service": "x", "path": "/2/", "name": kind, "dialect": mode}
                visitor.world.faults.add(fault)
            if name == "error.429.code88":
                visitor.turn(limits={"space": 0})
            if scene == "rate:one-per-second":
                await ask_as_sample(visitor, sample)
            if now == VIDEO_NOW and sample["request"]["auth"].startswith("user"):
                owner = STAGE["tokens"][sample["request"]["auth"]]["user_id"]
                visitor.tokens[sample["request"]["auth"]] = visitor.token(owner)
            said = await ask_as_sample(visitor, sample)
        expected = sample["response"]
        if said.status != expected["status"]:
            wrong.append(f"{name}: status {said.status}, documented {expected['status']}: {said.raw[:300]!r}")
            continue
        request = sample["request"]
        problems = complaints_of(mode, request["method"], request["target"], said, sample["dialect"])
        wanted = rehosted(expected.get("body"), HOSTS[mode])
        # Numbers that a sandbox counts itself; a chat of two messages has no second page.
        is_ours = scene in MADE_BY_US or name in ("usage.tweets.current", "broadcast.chat")
        if "body" in expected and said.json != wanted and not is_ours and scene != "oauth:no-offline":
            problems.append(first_difference(wanted, said.json))
        wrong += [f"{name}: {problem}" for problem in problems]
    assert not wrong, "\n".join(wrong)


# ---------------------------------------------------------------- combinations of fields


def questions(dialect: str) -> dict[str, tuple[str, str, dict[str, list[str]]]]:
    """Endpoint to token, path and what its parameters can be."""
    known = ACCEPTED[dialect]
    space = {
        "space.fields": lists_of(known["space.fields"]),
        "expansions": lists_of(known["space.expansions"]),
        "user.fields": lists_of(known["user.fields"]),
        "topic.fields": lists_of(known["topic.fields"]),
    }
    posts = "post.fields" if dialect == "current" else "tweet.fields"
    shared = {
        posts: lists_of(known[posts]),
        "expansions": lists_of(known["post.expansions"]),
        "user.fields": lists_of(known["user.fields"]),
        "media.fields": lists_of(vocabulary.MEDIA_FIELDS)[:4],
        "poll.fields": lists_of(vocabulary.POLL_FIELDS)[:4],
        "place.fields": lists_of(vocabulary.PLACE_FIELDS)[:4],
        "max_results": ["", "1", "2", "100"],
    }
    people = {
        "user.fields": lists_of(known["user.fields"]),
        "expansions": lists_of(known["user.expansions"]),
        posts: lists_of(known[posts]),
    }
    ids = ["1hydroPhoneXZ", "1slackWaterTS,1memberShopQZ,1dredgeTalksQ,1sundaySwellZ", "1goneWithTide,1breakWaterQZ"]
    return {
        "space": ("app", "/2/spaces/{id}", {"id": [i.split(",")[0] for i in ids] + ["1dredgeTalksQ"], **space}),
        "spaces": ("app", "/2/spaces", {"ids": ids, **space}),
        "creators": (
            "app",
            "/2/spaces/by/creator_ids",
            {"user_ids": ["1701000000000000001,1706000000000000006", "1707000000000000007", "42"], **space},
        ),
        "search": (
            "user",
            "/2/spaces/search",
            {
                "query": ["harbour", "HYDRO", "nothing has this"],
                "state": ["", "live", "scheduled", "all"],
                "max_results": ["", "1", "100"],
                **space,
            },
        ),
        "buyers": ("user", "/2/spaces/1memberShopQZ/buyers", {**people, "max_results": ["", "1", "2", "100"]}),
        "posts": (
            "app",
            "/2/spaces/{id}/tweets",
            {"id": ["1hydroPhoneXZ", "1breakWaterQZ", "1dredgeTalksQ"], **shared},
        ),
        "user": ("app", "/2/users/{id}", {"id": ["1701000000000000001", "9300117744", "42"], **people}),
        "name": ("app", "/2/users/by/username/{id}", {"id": ["mara_lind", "nobody_here_x"], **people}),
        "me": ("user", "/2/users/me", people),
    }


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("endpoint", list(questions("legacy")))
async def test_combinations_of_fields_fit_the_description(mode: str, endpoint: str) -> None:
    wrong: list[str] = []
    asked = 0
    markable = endpoint in ("buyers", "posts", "user", "name", "me")  # the others have no parameter that says "current"
    for dialect in (("legacy", "current") if markable else ("legacy",)) if mode == "auto" else (mode,):
        auth, path, options = questions(dialect)[endpoint]
        limits = dict.fromkeys(("space", "spaces", "creators", "search", "buyers", "space posts"), 1_000_000)
        limits |= dict.fromkeys(("user", "user by name", "me"), 1_000_000)
        async with visiting_api(stage=STAGE, dialect=mode, limits=limits, pace=False, balance=1e6) as visitor:
            for row in pairwise(options):
                query = {name: value for name, value in row.items() if value and name != "id"}
                if mode == "auto" and dialect == "current":
                    query.setdefault("post.fields", "id")  # what marks a request as current
                target = path.format(id=row.get("id", "")) + (f"?{urlencode(query)}" if query else "")
                said = await visitor.ask(target, auth=auth)
                asked += 1
                held_to = dialect if mode != "auto" or endpoint in ("buyers", "posts") else "any"
                if said.status != 200:
                    wrong.append(f"{target}: {said.status} {said.raw[:200]!r}")
                wrong += [f"{target}: {one}" for one in complaints_of(mode, "GET", target, said, held_to)]
            assert len(wrong) == 0, wrong[:5]
    assert asked > 5
