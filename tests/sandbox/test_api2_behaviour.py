"""The sandbox's API over sockets: tokens, clock, rates, credits, pages, events, webhooks, faults."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import aiohttp.web
import pytest

from api2_visiting import NOW, STAGE, Visitor, visiting_api
from hydrophone.sandbox.api2.stage import APP, PUBLIC_APP
from hydrophone.sandbox.scene import Kind, Scene, sample_people

LENA = sample_people()[0].user_id
SPACE = "/2/spaces/1hydroPhoneXZ"
BASIC = "Basic " + base64.b64encode(f"{APP['client_id']}:{APP['client_secret']}".encode()).decode()
VERIFIER = "v" * 64


def form(**told: str) -> dict[str, Any]:
    return {
        "method": "POST",
        "auth": "none",
        "data": urlencode(told).encode(),
        "headers": {"content-type": "application/x-www-form-urlencoded", "authorization": BASIC},
    }


async def consent(visitor: Visitor, *, client: str = APP["client_id"], method: str = "S256", **more: str) -> Any:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
    asked = {
        "response_type": "code",
        "client_id": client,
        "redirect_uri": APP["redirect_uri"],
        "scope": "tweet.read users.read space.read offline.access",
        "state": "s",
        "code_challenge": challenge if method == "S256" else VERIFIER,
        "code_challenge_method": method,
        **more,
    }
    said = await visitor.ask(f"/i/oauth2/authorize?{urlencode(asked)}", auth="none")
    assert said.status == 302
    return parse_qs(urlsplit(said.headers["location"]).query)


def exchange(code: str, **more: str) -> dict[str, Any]:
    told = {"grant_type": "authorization_code", "code": code, "redirect_uri": APP["redirect_uri"]}
    return form(**{**told, "code_verifier": VERIFIER, "client_id": APP["client_id"], **more})


@pytest.mark.parametrize("method", ["S256", "plain"])
async def test_consent_gives_tokens_once_and_refreshing_kills_the_old_ones(method: str) -> None:
    async with visiting_api(stage={}) as visitor:
        code = (await consent(visitor, method=method))["code"][0]
        got = await visitor.ask("/2/oauth2/token", **exchange(code))
        again = await visitor.ask("/2/oauth2/token", **exchange(code))
        first = got.json
        me = await visitor.ask("/2/users/me", auth=first["access_token"])
        refresh = {"grant_type": "refresh_token", "client_id": APP["client_id"]}
        renewed = await visitor.ask("/2/oauth2/token", **form(refresh_token=first["refresh_token"], **refresh))
        spent = await visitor.ask("/2/oauth2/token", **form(refresh_token=first["refresh_token"], **refresh))
        visitor.world.clock.advance(7201)
        expired = await visitor.ask("/2/users/me", auth=renewed.json["access_token"])
    assert (got.status, first["expires_in"]) == (200, 7200)
    assert set(first["scope"].split()) == {"tweet.read", "users.read", "space.read", "offline.access"}
    assert (again.status, again.json["error"]) == (400, "invalid_request")
    assert me.json["data"]["username"] == "deck_hand"
    assert renewed.json["refresh_token"] != first["refresh_token"]
    assert spent.json["error_description"] == "Value passed for the token was invalid."
    assert expired.status == 401
    assert not any(name.startswith("x-rate-limit") for name in expired.headers)


async def test_a_code_is_refused_when_anything_about_it_is_wrong() -> None:
    async with visiting_api(stage={}) as visitor:
        refused = []
        for more in ({"code_verifier": "w" * 64}, {"redirect_uri": APP["redirect_uri"] + "/"}, {"client_id": "x"}):
            code = (await consent(visitor))["code"][0]
            refused.append((await visitor.ask("/2/oauth2/token", **exchange(code, **more))).status)
        code = (await consent(visitor))["code"][0]
        visitor.world.clock.advance(31)
        refused.append((await visitor.ask("/2/oauth2/token", **exchange(code))).status)
        public = (await consent(visitor, client=PUBLIC_APP["client_id"]))["code"][0]
        told = exchange(public, client_id=PUBLIC_APP["client_id"])
        told["headers"].pop("authorization")
        allowed = (await visitor.ask("/2/oauth2/token", **told)).status
        visitor.turn(consent="denied")
        denied = await consent(visitor)
    assert refused == [400, 400, 401, 400]
    assert allowed == 200
    assert denied["error"] == ["access_denied"]


async def test_invalidating_the_apps_token_yields_another() -> None:
    keys = base64.b64encode(f"{APP['consumer_key']}:{APP['consumer_secret']}".encode()).decode()
    async with visiting_api(stage=STAGE) as visitor:
        dead = visitor.tokens["app"]
        told = form(access_token=dead)
        told["headers"]["authorization"] = f"Basic {keys}"
        assert (await visitor.ask("/oauth2/invalidate_token", **told)).status == 200
        assert (await visitor.ask(SPACE)).status == 401
        fresh = form(grant_type="client_credentials")
        fresh["headers"]["authorization"] = f"Basic {keys}"
        token = (await visitor.ask("/oauth2/token", **fresh)).json["access_token"]
        assert token != dead
        assert (await visitor.ask(SPACE, auth=token)).status == 200


async def test_the_same_space_is_scheduled_live_ended_and_gone() -> None:
    scene = Scene.live(
        "tides",
        created=-3600,
        scheduled=60,
        started=60,
        seconds=120,
        extra={"api2": {"titles": [{"at": 30, "title": "Another name"}], "subscribers": 40}},
    )
    seen = []
    fields = "?space.fields=title,participant_count,subscriber_count,speaker_ids,started_at,ended_at,updated_at,lang"
    async with visiting_api(scene) as visitor:
        for seconds in (0, 61, 65, 130, 3601):
            visitor.world.clock.advance(seconds)
            one = (await visitor.ask(f"/2/spaces/{scene.id}{fields}")).json
            found = (await visitor.ask("/2/spaces/search?query=TIDES")).json["meta"]["result_count"]
            seen.append((one.get("data"), found, one.get("errors")))
        assert (await visitor.ask("/2/spaces/search?query=Another")).json["meta"]["result_count"] == 0
    scheduled, young, live, ended, gone = (one for one, _, _ in seen)
    assert scheduled["state"] == "scheduled"
    assert scheduled["participant_count"] == 0
    assert young["participant_count"] < live["participant_count"]
    assert len(young.get("speaker_ids", ())) < len(live["speaker_ids"])
    assert (young["title"], live["title"]) == ("The tides room", "Another name")
    assert ended["state"] == "ended"
    assert ended["started_at"] < ended["ended_at"]
    assert gone is None
    assert seen[-1][2][0]["detail"] == f"Could not find space with id: [{scene.id}]."
    assert [found for _, found, _ in seen] == [1, 1, 0, 0, 0]


async def test_rates_count_down_per_caller_and_come_back() -> None:
    async with visiting_api(stage=STAGE, limits={"space": 2}) as visitor:
        by_app = [await visitor.ask(SPACE) for _ in range(3)]
        by_user = await visitor.ask(SPACE, auth="user")
        visitor.world.clock.advance(900)
        later = await visitor.ask(SPACE)
        hasty = [(await visitor.ask("/2/spaces/by/creator_ids?user_ids=1")).status for _ in range(2)]
    assert [said.status for said in by_app] == [200, 200, 429]
    assert [said.headers["x-rate-limit-remaining"] for said in by_app] == ["1", "0", "0"]
    assert int(by_app[0].headers["x-rate-limit-reset"]) == int(NOW.timestamp()) + 900
    assert (by_user.status, later.status) == (200, 200)
    assert hasty == [200, 429]
    assert by_app[0].headers["date"].endswith(" UTC")


async def test_three_look_ups_may_share_one_window() -> None:
    async with visiting_api(stage=STAGE, shared_window=True) as visitor:
        left = [
            (await visitor.ask(target)).headers["x-rate-limit-remaining"]
            for target in (SPACE, "/2/spaces?ids=1hydroPhoneXZ", "/2/spaces/by/creator_ids?user_ids=1")
        ]
    assert left == ["299", "298", "297"]


async def test_the_worked_example_of_the_meter() -> None:
    many = "/2/spaces?ids=1hydroPhoneXZ,1memberShopQZ&expansions=creator_id,host_ids"
    async with visiting_api(stage=STAGE, balance=1) as visitor:
        totals = []
        for target in (many, "/2/spaces/search?query=harbour", many):
            await visitor.ask(target)
            totals.append(visitor.bill["total"])
        visitor.world.clock.advance(6 * 3600)  # past midnight
        await visitor.ask(many)
        totals.append(visitor.bill["total"])
    assert totals == ["0.020", "0.030", "0.030", "0.050"]


async def test_the_last_cent_is_answered_in_full_then_nothing() -> None:
    async with visiting_api(stage=STAGE, balance="0.001") as visitor:
        first = await visitor.ask("/2/spaces/search?query=harbour")
        second = await visitor.ask(SPACE)
        free = await visitor.ask("/2/usage/credits")
    assert first.json["meta"]["result_count"] == 3
    assert (second.status, second.json["title"]) == (402, "Payment Required")
    assert "x-rate-limit-remaining" in second.headers
    assert free.json["data"]["total_balance"] < 0


async def test_pages_lead_both_ways_and_a_token_belongs_to_its_list() -> None:
    base = "/2/spaces/1hydroPhoneXZ/tweets?max_results=1"
    async with visiting_api(stage=STAGE, page_token_seconds=60) as visitor:
        first = (await visitor.ask(base)).json
        second = (await visitor.ask(f"{base}&pagination_token={first['meta']['next_token']}")).json
        back = (await visitor.ask(f"{base}&pagination_token={second['meta']['previous_token']}")).json
        foreign = await visitor.ask(f"/2/spaces/1breakWaterQZ/tweets?pagination_token={first['meta']['next_token']}")
        visitor.world.clock.advance(61)
        old = await visitor.ask(f"{base}&pagination_token={first['meta']['next_token']}")
        visitor.turn(endless=["tweets"])
        endless = (await visitor.ask("/2/spaces/1hydroPhoneXZ/tweets")).json
    assert back["data"] == first["data"] != second["data"]
    assert (foreign.status, old.status) == (400, 400)
    assert "next_token" in endless["meta"]


async def test_nothing_exists_that_does_not_exist() -> None:
    async with visiting_api(stage=STAGE) as visitor:
        for method, target in (("POST", "/2/spaces"), ("PUT", SPACE), ("GET", "/2/users/1/following/spaces")):
            said = await visitor.ask(target, method=method)
            assert (said.status, said.raw, "content-type" in said.headers) == (404, b"", False)
        described = (await visitor.ask("/2/openapi.json", auth="none")).json
    assert described["info"]["version"].startswith("2.")
    assert "/2/spaces/{id}/buyers" in described["paths"]


@pytest.mark.parametrize("mode", ["legacy", "current", "auto"])
async def test_a_dialect_is_spoken_as_the_mode_says(mode: str) -> None:
    async with visiting_api(stage=STAGE, dialect=mode) as visitor:
        plain = (await visitor.ask("/2/spaces/1hydroPhoneXZ/tweets")).json["data"][0]
        ids = (await visitor.ask(f"{SPACE}?space.fields=creator_id")).json["data"]
        unknown = await visitor.ask(f"{SPACE}?space.fields=listener_count")
        gone = (await visitor.ask("/2/spaces/1goneWithTide")).json["errors"][0]["type"]
    assert ("edit_history_tweet_ids" in plain) == (mode != "current")
    assert ("creator_id" in ids) == (mode != "current")
    assert unknown.status == (200 if mode == "current" else 400)
    assert gone.startswith("https://api.twitter.com/" if mode == "legacy" else "https://api.x.com/")


# ---------------------------------------------------------------- events


def subscription(kind: str, user_id: str = LENA, **more: str) -> dict[str, Any]:
    return {"event_type": kind, "filter": {"user_id": user_id}, **more}


async def lines_of(visitor: Visitor, count: int, query: str = "") -> list[bytes]:
    """So many lines of the stream, heartbeats included."""
    headers = {"authorization": f"Bearer {visitor.tokens['app']}"}
    lines: list[bytes] = []
    async with visitor.http.get(f"{visitor.base}/2/activity/stream{query}", headers=headers) as reply:
        assert reply.status == 200
        async for line in reply.content:
            lines.append(line)
            if len(lines) == count:
                break
    return lines


async def test_the_stream_tells_of_a_start_and_an_end_with_heartbeats() -> None:
    scene = Scene.live("tides", started=5, since=-5, seconds=6, created=-60)
    async with visiting_api(scene, heartbeat_seconds=0.1) as visitor:
        for kind in ("spaces.start", "spaces.end"):
            made = await visitor.ask("/2/activity/subscriptions", method="POST", told=subscription(kind))
            assert made.status == 200
        again = await visitor.ask("/2/activity/subscriptions", method="POST", told=subscription("spaces.start"))
        reading = asyncio.create_task(lines_of(visitor, 5))
        await asyncio.sleep(0.25)
        visitor.world.clock.advance(60)
        lines = await asyncio.wait_for(reading, 10)
        replayed = await lines_of(visitor, 2, "?backfill_minutes=5")
        bill = visitor.bill
    told = [json.loads(line)["data"] for line in lines if line.strip()]
    assert again.status == 409
    assert lines[0] == b"\r\n"
    assert [one["event_type"] for one in told][:2] == ["spaces.start", "spaces.end"]
    assert {one["payload"]["broadcast_id"] for one in told} == {scene.id}
    assert json.loads(replayed[0])["data"]["event_uuid"] == told[0]["event_uuid"]
    assert bill["total"] == "0.010"


async def test_the_stream_has_two_places_twins_disorder_and_a_last_word() -> None:
    scenes = [Scene.live(name, started=5, since=-5, seconds=None, created=-60) for name in ("a", "b")]
    async with visiting_api(*scenes, heartbeat_seconds=0.05, stream_twice=True, stream_reversed=True) as visitor:
        await visitor.ask("/2/activity/subscriptions", method="POST", told=subscription("spaces.start"))
        waiting = [asyncio.create_task(lines_of(visitor, 40)) for _ in range(2)]
        await asyncio.sleep(0.2)
        third = await visitor.ask("/2/activity/stream")
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await asyncio.sleep(0.2)
        visitor.turn(heartbeat_seconds=0)
        reading = asyncio.create_task(lines_of(visitor, 4))
        await asyncio.sleep(0.2)
        visitor.world.clock.advance(10)
        told = [json.loads(line)["data"]["payload"]["broadcast_id"] for line in await asyncio.wait_for(reading, 10)]
        await asyncio.sleep(0.2)
        visitor.turn(stream_problem="OperationalDisconnect")
        last = await lines_of(visitor, 1)
    assert (third.status, third.json["connection_issue"]) == (429, "TooManyConnections")
    assert len(told) == 4
    assert told[0] == told[1] != told[2] == told[3]
    assert json.loads(last[0])["errors"][0]["disconnect_type"] == "OperationalDisconnect"


async def test_a_webhook_is_challenged_signed_to_retried_and_given_up() -> None:
    scene = Scene.live("tides", started=5, since=-5, seconds=20, created=-60)
    delivered: list[tuple[str, bytes]] = []
    mood = {"status": 200, "secret": APP["consumer_secret"]}

    async def hook(request: aiohttp.web.Request) -> aiohttp.web.Response:
        if request.method == "GET":
            token = request.query["crc_token"].encode()
            mac = hmac.new(mood["secret"].encode(), token, hashlib.sha256).digest()
            return aiohttp.web.json_response({"response_token": "sha256=" + base64.b64encode(mac).decode()})
        delivered.append((request.headers["x-twitter-webhooks-signature"], await request.read()))
        return aiohttp.web.Response(status=mood["status"])

    app = aiohttp.web.Application()
    app.router.add_route("*", "/hook", hook)
    runner = aiohttp.web.AppRunner(app)
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    url = f"http://127.0.0.1:{port}/hook"
    try:
        async with visiting_api(scene, webhook_retry_seconds=0.01) as visitor:
            mood["secret"] = "wrong"
            refused = await visitor.ask("/2/webhooks", method="POST", told={"url": url})
            mood["secret"] = APP["consumer_secret"]
            made = (await visitor.ask("/2/webhooks", method="POST", told={"url": url})).json["data"]
            twice = await visitor.ask("/2/webhooks", method="POST", told={"url": url})
            for kind in ("spaces.start", "spaces.end"):
                told = subscription(kind, webhook_id=made["id"])
                await visitor.ask("/2/activity/subscriptions", method="POST", told=told)
            visitor.world.clock.advance(10)
            await asyncio.sleep(0.3)
            good = list(delivered)
            mood["status"] = 500
            visitor.world.clock.advance(60)
            await asyncio.sleep(0.8)
            listed = (await visitor.ask("/2/webhooks")).json["data"]
    finally:
        await runner.cleanup()
    assert "CrcValidationFailed" in refused.json["errors"][0]["message"]
    assert "DuplicateUrlFailed" in twice.json["errors"][0]["message"]
    (signature, body), *more = good
    assert not more
    mac = hmac.new(APP["consumer_secret"].encode(), body, hashlib.sha256).digest()
    assert signature == "sha256=" + base64.b64encode(mac).decode()
    assert json.loads(body)["data"]["event_type"] == "spaces.start"
    assert len(delivered) == 1 + 4
    assert listed[0]["valid"] is False


async def test_own_broadcasts_are_seen_by_their_owner_alone() -> None:
    scene = Scene.live("harbour camera", kind=Kind.BROADCAST, seconds=None)
    async with visiting_api(scene, stage={}) as visitor:
        mine, other = visitor.token("lena_marsh"), visitor.token("otto_reed")
        own = (await visitor.ask("/2/broadcasts?broadcast.fields=state,media_key", auth=mine)).json
        foreign = (await visitor.ask(f"/2/broadcasts/{scene.id}", auth=other)).json
        by_app = await visitor.ask("/2/broadcasts")
    assert own["data"][0]["state"] == "RUNNING"
    assert "errors" in foreign
    assert by_app.status == 403


@pytest.mark.parametrize(
    ("name", "status", "is_limited"),
    [("429_no_headers", 429, False), ("429_too_fast", 429, True), ("404_empty", 404, False), ("503_html", 503, False)],
)
async def test_faults_answer_in_place_of_the_service(name: str, status: int, is_limited: bool) -> None:
    async with visiting_api(stage=STAGE) as visitor:
        visitor.world.faults.add({"kind": "api2-answer", "service": "x", "path": "/2/spaces/1", "name": name})
        said = await visitor.ask(SPACE)
    assert said.status == status
    assert ("x-rate-limit-limit" in said.headers) == is_limited


async def test_every_request_is_in_the_ledger_with_its_cost() -> None:
    async with visiting_api(stage=STAGE) as visitor:
        await visitor.ask(SPACE)
        await visitor.ask("/2/spaces/1memberShopQZ/buyers")
        from hydrophone.sandbox.api2.meter import meter_of

        notes = meter_of(visitor.world).requests
    assert [(one["endpoint"], one["caller"], one["status"], one["cost"]) for one in notes] == [
        ("space", "app", 200, "0.005"),
        ("buyers", "app", 403, "0"),
    ]
