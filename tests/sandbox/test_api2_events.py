"""The sandbox's events over time: hooks that are challenged and replayed to, readers that fall behind, plans."""

from __future__ import annotations

import asyncio
import base64
import copy
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp.web
import pytest

from api2_visiting import NOW, STAGE, Visitor, visiting_api
from hydrophone.sandbox.api2.stage import APP, stage_of
from hydrophone.sandbox.api2.stream import Streams
from hydrophone.sandbox.api2.webhooks import Postman
from hydrophone.sandbox.scene import Scene, sample_people

LENA = sample_people()[0]
MARA = "1701000000000000001"
PLAN = "/2/broadcasts/scheduled/1springTideVD"
HOUR = 3600


@dataclass
class Hook:
    """A web page of ours that takes events. `secret` and `status` are its moods."""

    url: str = ""
    secret: str = APP["consumer_secret"]
    status: int = 200
    challenges: list[str] = field(default_factory=list)
    delivered: list[dict[str, Any]] = field(default_factory=list)

    async def answer(self, request: aiohttp.web.Request) -> aiohttp.web.Response:
        if request.method == "POST":
            self.delivered.append(json.loads(await request.read()))
            return aiohttp.web.Response(status=self.status)
        token = request.query["crc_token"]
        self.challenges.append(token)
        if self.status != 200:
            return aiohttp.web.Response(status=self.status, headers={"location": "/elsewhere"})
        mac = hmac.new(self.secret.encode(), token.encode(), hashlib.sha256).digest()
        return aiohttp.web.json_response({"response_token": "sha256=" + base64.b64encode(mac).decode()})


@asynccontextmanager
async def hooked(*scenes: Scene) -> AsyncIterator[tuple[Visitor, Hook, str]]:
    """A sandbox that has registered a hook; and the hook's id."""
    hook = Hook()
    app = aiohttp.web.Application()
    app.router.add_route("*", "/hook", hook.answer)
    runner = aiohttp.web.AppRunner(app)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        async with visiting_api(*scenes, webhook_retry_seconds=0.01) as visitor:
            made = await visitor.ask("/2/webhooks", method="POST", told={"url": hook.url})
            yield visitor, hook, made.json["data"]["id"]
    finally:
        await runner.cleanup()


async def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for something that another task does; the bound only catches hangs."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  (nobody tells)
            await asyncio.sleep(0.01)


async def is_valid(visitor: Visitor) -> bool:
    return bool((await visitor.ask("/2/webhooks")).json["data"][0]["valid"])


async def pass_hours(visitor: Visitor, hours: int) -> None:
    """Let hours go by, one challenge in each."""
    postman = visitor.world.room(Postman)
    for _ in range(hours):
        done = postman.checks + 1
        visitor.world.clock.advance(HOUR)
        await until(lambda done=done: postman.checks == done)  # type: ignore[misc]


async def test_a_hook_is_challenged_every_hour_and_ends_with_a_wrong_answer() -> None:
    async with hooked() as (visitor, hook, hook_id):
        await pass_hours(visitor, 2)
        good = await is_valid(visitor)
        tokens = list(hook.challenges)
        hook.secret = "of somebody else"
        await pass_hours(visitor, 1)
        bad = await is_valid(visitor)
        hook.secret = APP["consumer_secret"]
        await visitor.ask(f"/2/webhooks/{hook_id}", method="PUT")
        again = await is_valid(visitor)
    assert len(set(tokens)) == len(tokens) == 3
    assert (good, bad, again) == (True, False, True)


async def test_a_hook_that_is_down_is_given_up_after_a_day_and_a_redirect_at_once() -> None:
    async with hooked() as (visitor, hook, hook_id):
        hook.status = 503
        await pass_hours(visitor, 28)
        patient = await is_valid(visitor)
        await pass_hours(visitor, 1)
        given_up = await is_valid(visitor)
        hook.status = 200
        await visitor.ask(f"/2/webhooks/{hook_id}", method="PUT")
        hook.status = 302
        await pass_hours(visitor, 1)
        redirected = await is_valid(visitor)
    assert (patient, given_up, redirected) == (True, False, False)


async def test_a_replay_delivers_what_happened_within_its_minutes_again() -> None:
    scene = Scene.live("tides", started=30, since=-30, seconds=600, created=-60)
    async with hooked(scene) as (visitor, hook, hook_id):
        for kind in ("spaces.start", "spaces.end"):
            told = {"event_type": kind, "filter": {"user_id": LENA.user_id}, "webhook_id": hook_id}
            assert (await visitor.ask("/2/activity/subscriptions", method="POST", told=told)).status == 200
        visitor.world.clock.advance(60)
        await until(lambda: len(hook.delivered) == 1)
        started_at = visitor.world.now()
        visitor.world.clock.advance(HOUR)
        await until(lambda: len(hook.delivered) == 2)
        asked = {"webhook_id": hook_id, "from_date": minute(started_at, -2), "to_date": minute(started_at, 2)}
        job = await visitor.ask("/2/webhooks/replay", method="POST", told=asked)
        await until(lambda: len(hook.delivered) == 3)
        late = {"webhook_id": hook_id, "from_date": minute(started_at, 120), "to_date": minute(started_at, 180)}
        await visitor.ask("/2/webhooks/replay", method="POST", told=late)
        unknown = await visitor.ask("/2/webhooks/replay", method="POST", told={**asked, "webhook_id": "12"})
    kinds = [one["data"]["event_type"] for one in hook.delivered]
    assert kinds == ["spaces.start", "spaces.end", "spaces.start"]
    assert hook.delivered[0] == hook.delivered[2]
    assert job.json["data"]["job_id"].isdigit()
    assert "WebhookIdInvalid" in unknown.json["errors"][0]["message"]


def minute(at: datetime, minutes: int) -> str:
    return f"{at.astimezone(UTC) + timedelta(minutes=minutes):%Y%m%d%H%M}"


async def test_a_reader_that_falls_behind_is_cut_off_and_its_place_is_free_again() -> None:
    scenes = [Scene.live(f"s{n}", started=30, since=-30, seconds=None, created=-60) for n in range(150)]
    async with visiting_api(*scenes, stream_buffer_bytes=10_000, stream_twice=True, heartbeat_seconds=0.05) as visitor:
        stage = stage_of(visitor.world)
        known = stage.user(LENA.user_id)
        assert known is not None
        stage.users[LENA.user_id] = {**known, "description": "tide " * 10_000}  # makes each event long
        told = {"event_type": "spaces.start", "filter": {"user_id": LENA.user_id}}
        await visitor.ask("/2/activity/subscriptions", method="POST", told=told)
        slow = connect(visitor)
        try:
            await until(lambda: streams_of(visitor) == 1)
            visitor.world.clock.advance(60)
            await until(lambda: streams_of(visitor) == 0)
            got = await asyncio.to_thread(read_what_came, slow)
        finally:
            slow.close()
        headers = {"authorization": f"Bearer {visitor.tokens['app']}"}
        async with visitor.http.get(f"{visitor.base}/2/activity/stream", headers=headers) as quick:
            assert quick.status == 200
            assert await quick.content.readline() == b"\r\n"
    assert got.startswith(b"HTTP/1.1 200")
    assert got.count(b"event_uuid") < 300
    assert not got.endswith(b"0\r\n\r\n")


def connect(visitor: Visitor) -> socket.socket:
    """A reader that asks for the stream and then reads nothing."""
    parts = urlsplit(visitor.base)
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.settimeout(20)
    assert parts.port
    reader.connect(("127.0.0.1", parts.port))
    head = f"GET /2/activity/stream HTTP/1.1\r\nhost: {parts.netloc}\r\nauthorization: Bearer {visitor.tokens['app']}"
    reader.sendall(f"{head}\r\n\r\n".encode())
    return reader


def read_what_came(reader: socket.socket) -> bytes:
    got = b""
    try:
        while chunk := reader.recv(1 << 16):
            got += chunk
    except ConnectionError:
        pass
    return got


def streams_of(visitor: Visitor) -> int:
    return visitor.world.room(Streams).open


# ---------------------------------------------------------------- what is planned


@asynccontextmanager
async def planning() -> AsyncIterator[Visitor]:
    async with visiting_api(stage=copy.deepcopy(STAGE), now=NOW) as visitor:
        visitor.tokens["mara"] = visitor.token(MARA)
        yield visitor


async def plan_of(visitor: Visitor, path: str = PLAN) -> dict[str, Any]:
    # Two hours are the life of a token.
    found: dict[str, Any] = (await visitor.ask(path, auth=visitor.token(MARA))).json
    return found


def at_ms(hours: float) -> str:
    return str(round((NOW + timedelta(hours=hours)).timestamp() * 1000))


async def make(visitor: Visitor, **facts: Any) -> str:
    told = {"source_id": "hydr2nqx1wxm", "scheduled_start_ms": at_ms(1), "scheduled_end_ms": at_ms(2), **facts}
    made = await visitor.ask("/2/broadcasts/scheduled", method="POST", auth=visitor.token(MARA), told=told)
    assert made.status == 201
    return "/2/broadcasts/scheduled/" + str(made.json["data"]["broadcast_id"])


async def test_a_plan_publishes_itself_at_its_time_unless_that_is_left_to_its_owner() -> None:
    async with planning() as visitor:
        own, by_hand = await make(visitor), await make(visitor, manual_publish=True)
        before = (await plan_of(visitor, own))["data"]["state"]
        refused = await visitor.ask(f"{own}/live", method="POST", auth="mara")
        visitor.world.clock.advance(1.5 * HOUR)
        on_time = (await plan_of(visitor, own))["data"]["state"]
        waiting = (await plan_of(visitor, by_hand))["data"]["state"]
        pushed = await visitor.ask(f"{by_hand}/live", method="POST", auth=visitor.token(MARA))
        visitor.world.clock.advance(HOUR)
        over = [(await plan_of(visitor, one))["data"]["state"] for one in (own, by_hand)]
    assert (before, on_time, waiting, over) == ("Scheduled", "Running", "Scheduled", ["Ended", "Ended"])
    assert refused.status == 400
    assert pushed.json["data"]["state"] == "Running"


async def test_replacing_drops_what_is_not_sent_again_but_keeps_the_ingest() -> None:
    async with planning() as visitor:
        before = (await plan_of(visitor))["data"]
        told = {"scheduled_broadcast_id": before["scheduled_broadcast_id"], "title": "Neap tide"}
        told |= {"scheduled_start_ms": at_ms(3), "scheduled_end_ms": at_ms(4)}
        await visitor.ask(PLAN, method="PUT", auth="mara", told=told)
        after = (await plan_of(visitor))["data"]
        wrong = await visitor.ask(PLAN, method="PUT", auth="mara", told={**told, "scheduled_broadcast_id": "12"})
        foreign = await visitor.ask(PLAN, auth=visitor.token("1706000000000000006"))
    assert (after["title"], after["scheduled_start_ms"]) == ("Neap tide", at_ms(3))
    assert after["source_id"] == before["source_id"]
    assert "description" in before
    assert not {"description", "locale", "chat_option"} & set(after)
    assert "errors" in wrong.json
    assert "errors" in foreign.json


@pytest.mark.parametrize(("frequency", "days"), [("Daily", 1), ("Weekly", 7)])
async def test_a_series_goes_on_with_its_next_one(frequency: str, days: int) -> None:
    async with planning() as visitor:
        path = await make(visitor, recurrence={"frequency": frequency, "repeats": "2"})
        first = (await plan_of(visitor, path))["data"]
        await visitor.ask(f"{path}?roll_forward=true", method="DELETE", auth="mara")
        second = (await plan_of(visitor, path))["data"]
        visitor.world.clock.advance(days * 24 * HOUR + 3 * HOUR)
        third = (await plan_of(visitor, path))["data"]
        gone = await visitor.ask(f"{path}?roll_forward=true", method="DELETE", auth=visitor.token(MARA))
        left = await plan_of(visitor, path)
    starts = [int(one["scheduled_start_ms"]) for one in (first, second, third)]
    assert [one - starts[0] for one in starts] == [0, days * 86_400_000, 2 * days * 86_400_000]
    assert {one["recurring_schedule_id"] for one in (first, second, third)} == {first["recurring_schedule_id"]}
    assert third["state"] == "Scheduled"
    assert gone.json == {"data": {"deleted": True}}
    assert "errors" in left


async def test_plans_are_listed_by_their_time_within_a_span() -> None:
    async with planning() as visitor:
        await make(visitor, title="late", scheduled_start_ms=at_ms(5), scheduled_end_ms=at_ms(6))
        await make(visitor, title="early")
        span = f"oldest_start_time={(NOW + timedelta(hours=0.5)):%Y-%m-%dT%H:%M:%SZ}&newest_start_time={at_ms(6)}"
        listed = await visitor.ask(f"/2/broadcasts/scheduled?{span}", auth="mara")
        every = await visitor.ask("/2/broadcasts/scheduled", auth="mara")
    assert [one["title"] for one in listed.json["data"]] == ["early", "late"]
    assert len(every.json["data"]) == 3
