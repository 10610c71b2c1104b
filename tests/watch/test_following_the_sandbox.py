"""Following over the stream, over sweeps and over x.com, against the sandbox; and a month of it in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from random import Random

from api2_visiting import Visitor, visiting_api
from hydrophone.http import AsyncClient, Budgets, Endpoints
from hydrophone.model import Sighting, SightingKind, UserId
from hydrophone.sandbox.api2.stream import Streams
from hydrophone.sandbox.scene import Person, Scene, sample_people
from hydrophone.watch.following import Sources, follow
from hydrophone.xapi.credentials import AppBearer
from hydrophone.xapi.following import FollowPace, follow_creators
from hydrophone.xapi.ledger import SpendLedger
from hydrophone.xapi.limits import declare_limits
from hydrophone.xapi.session import ApiSession
from hydrophone.xweb.login import Login
from hydrophone.xweb.session import WebSession

LENA = UserId(sample_people()[0].user_id)
QUICK = FollowPace(period_seconds=0.2, requests_per_window=100_000, interval_seconds=0.1)


@dataclass
class Followed:
    """A follower at work, what it has seen, and what it was told about its sources."""

    visitor: Visitor
    sources: Sources
    notes: list[str] = field(default_factory=list)
    seen: list[Sighting] = field(default_factory=list)

    async def until(self, kind: SightingKind) -> Sighting:
        for _ in range(500):
            for one in self.seen:
                if one.kind is kind:
                    return one
            await asyncio.sleep(0.02)
        raise AssertionError(f"nothing {kind} among {self.seen}; told: {self.notes}")

    async def told(self, words: str) -> None:
        for _ in range(500):
            if any(words in note for note in self.notes):
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"{words!r} is not among {self.notes}")


@asynccontextmanager
async def following(
    *scenes: Scene, has_app: bool = True, has_login: bool = False, pace: FollowPace | None = None, **switches: object
) -> AsyncIterator[Followed]:
    async with visiting_api(*scenes, pace=False, heartbeat_seconds=0.2, **switches) as visitor:
        endpoints = Endpoints.sandbox(visitor.world.bases)
        app = AppBearer(visitor.tokens["app"], is_api=endpoints.is_api) if has_app else None
        api = ApiSession(app=app, now=visitor.world.now)
        web = WebSession(is_api=endpoints.is_api, now=visitor.world.now)
        if has_login:
            web.use_login(Login("b" * 40, "a" * 160, is_api=endpoints.is_api))

        async def short_sleep(seconds: float) -> None:
            visitor.world.clock.advance(min(seconds, 1.0))
            await asyncio.sleep(0.02)

        async with AsyncClient(endpoints, sleep=short_sleep) as client:
            sources = Sources(client=client, now=visitor.world.now, api=api, web=web, sleep=short_sleep, pace=pace)
            followed = Followed(visitor, sources)

            async def run() -> None:
                async with aclosing(follow(sources, [LENA], tell=followed.notes.append)) as news:
                    async for sighting in news:
                        followed.seen.append(sighting)

            task = asyncio.create_task(run())
            try:
                yield followed
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


def soon(name: str = "tides", seconds: float | None = None, after: float = 30.0) -> Scene:
    return Scene.live(name, created=-60, started=after, since=-after, seconds=seconds)


async def test_the_stream_tells_at_once_what_sweeps_would_find_minutes_later() -> None:
    slow = FollowPace(period_seconds=86_400)
    async with following(soon(seconds=60, after=5000), pace=slow) as followed:
        world = followed.visitor.world
        for _ in range(500):
            if world.room(Streams).open:
                break
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)  # a new connection hurries one round, which must not be the one that finds it
        world.clock.advance(5001)
        live = await followed.until(SightingKind.LIVE)
        followed.visitor.world.clock.advance(120)
        await followed.until(SightingKind.ENDED)
        kinds = [one.kind for one in followed.seen]
    assert live.source == "api events"
    assert live.creator_id == LENA
    assert kinds.count(SightingKind.LIVE) == 1


async def test_a_stream_that_is_full_leaves_the_sweeps_which_say_so_once() -> None:
    async with following(soon(), pace=QUICK, stream_full=True) as followed:
        await followed.told("the activity stream is down")
        followed.visitor.world.clock.advance(31)
        live = await followed.until(SightingKind.LIVE)
        notes = [note for note in followed.notes if "stream" in note]
    assert live.source == "api sweep"
    assert live.space is not None
    assert len(notes) == 1


async def test_with_a_login_alone_the_web_is_asked() -> None:
    async with following(soon(), has_app=False, has_login=True) as followed:
        followed.visitor.world.clock.advance(31)
        live = await followed.until(SightingKind.LIVE)
    assert live.source == "web fleets"
    assert live.space is not None
    assert live.space.title == "The tides room"


async def test_when_the_money_is_gone_the_web_takes_over_with_one_line() -> None:
    async with following(soon(), has_login=True, balance=0) as followed:
        await followed.told("x.com is asked instead")
        followed.visitor.world.clock.advance(31)
        live = await followed.until(SightingKind.LIVE)
        notes = list(followed.notes)
    assert live.source == "web fleets"
    assert sum("x.com is asked instead" in note for note in notes) == 1


# ---------------------------------------------------------------- a month

PERIOD = 14_400.0


def month_of_spaces(creators: list[Person], count: int) -> list[Scene]:
    """Spaces of five to seven hours, spread over thirty days."""
    dice = Random(4)
    made = []
    for number in range(count):
        creator = creators[number * 7 % len(creators)]
        begins = dice.uniform(7200, 29 * 86_400)
        made.append(
            Scene(
                name=f"month {number}",
                id=f"1Month{number:07d}",
                title=f"Room {number}",
                people=(creator,),
                created=begins - 3,
                started=begins,
                seconds=dice.uniform(5 * 3600, 7 * 3600) // 3 * 3,
            )
        )
    return made


async def test_a_month_of_following_costs_what_the_sandbox_bills_and_misses_nothing() -> None:
    creators = [Person.invent(f"creator_{number}", role="creator") for number in range(500)]
    scenes = month_of_spaces(creators, 40)
    async with visiting_api(*scenes, balance=1000) as visitor:
        world = visitor.world
        begin = world.now()
        end = begin + timedelta(days=30)
        endpoints = Endpoints.sandbox(world.bases)
        budgets = Budgets(clock=lambda: world.now().timestamp())
        ledger = SpendLedger(max_cost_per_day=Decimal("0.60"))
        api = ApiSession(app=AppBearer(visitor.tokens["app"], is_api=endpoints.is_api), ledger=ledger, now=world.now)
        declare_limits(budgets)

        async def sleep(seconds: float) -> None:
            if world.now() >= end:
                raise asyncio.CancelledError
            world.clock.advance(seconds)

        noticed: dict[str, Sighting] = {}
        async with AsyncClient(endpoints, budgets=budgets, sleep=sleep) as client:
            ids = [UserId(creator.user_id) for creator in creators]
            pace = FollowPace(period_seconds=PERIOD)
            try:
                async with aclosing(follow_creators(client, api, ids, pace=pace, sleep=sleep)) as news:
                    async for one in news:
                        if one.kind is SightingKind.LIVE:
                            noticed.setdefault(one.space_id, one)
            except asyncio.CancelledError:
                pass
        bill = visitor.bill
        requests = await asyncio.to_thread(lambda: list(world.ledger.requests(service="x")))
    assert len(requests) > 800
    assert {note.status for note in requests} == {200}
    billed, counted = Decimal(bill["total"]), ledger.run.cost
    assert abs(billed - counted) <= billed / 100
    assert all(Decimal(day.get("space", "0")) <= Decimal("0.60") for day in bill["days"].values())
    late = [
        scene.name
        for scene in world.scenes
        if scene.id not in noticed or (noticed[scene.id].at - scene.started_at).total_seconds() > PERIOD + 5
    ]
    assert late == []
