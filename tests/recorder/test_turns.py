"""Many live recordings share one rate budget: it is never exceeded, and an end is noticed soon nevertheless."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

import virtual_time
from hydrophone.errors import RateLimitedError
from hydrophone.hls import MediaPlaylist, Step
from hydrophone.http import Budgets, Headers, Reply
from hydrophone.model import Segment, SpaceState
from hydrophone.recorder.clock import Clock
from hydrophone.recorder.live import LiveEnd
from hydrophone.recorder.sources import Look
from hydrophone.recorder.turns import Lane, Rank, SpareSource, Turns
from recorder.stage import FOLDER, ORIGIN, Record, Space, Stage

WINDOW = 900.0
ENDPOINT = "AudioSpaceById"


@dataclass
class Service:
    """Counts what is asked in windows of fifteen minutes, and what is asked beyond the limit."""

    limit: int = 100
    began: float = -WINDOW
    used: int = 0
    over: int = 0
    asked: list[float] = field(default_factory=list)

    def answer(self) -> Reply:
        now = asyncio.get_running_loop().time()
        if now >= self.began + WINDOW:
            self.began, self.used = now, 0
        self.asked.append(now)
        self.used += 1
        self.over += self.used > self.limit
        remaining = max(0, self.limit - self.used)
        headers = {
            "x-rate-limit-limit": str(self.limit),
            "x-rate-limit-remaining": str(remaining),
            "x-rate-limit-reset": str(ORIGIN.timestamp() + self.began + WINDOW),
        }
        return Reply(200 if self.used <= self.limit else 429, Headers(list(headers.items())), b"", "")


class GuestRecord(Record):
    """The record of a Space that costs a request of the budget which all share."""

    budget = (ENDPOINT, "guest")
    budget_owner = "guests"

    def __init__(self, space: Space, service: Service, budgets: Budgets) -> None:
        super().__init__(space)
        self._service = service
        self._budgets = budgets

    async def look(self) -> Look:
        wait = self._budgets.take(*self.budget)
        if wait > 0.0:
            raise RateLimitedError("used up", retry_at=self._budgets.now() + timedelta(seconds=wait))
        await asyncio.sleep(0.2)
        self._budgets.give_back(*self.budget, self._service.answer())
        return await super().look()


@dataclass
class Crowd:
    """What became of many recordings: the stage of each, and the seconds from its end until that was noticed."""

    service: Service
    stages: list[Stage] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    ends: list[LiveEnd] = field(default_factory=list)


class Steady:
    """A list that always has news, for recordings that matter only because they want their turn too."""

    def __init__(self) -> None:
        self._next = 0

    async def media_playlist(self, url: str) -> MediaPlaylist:
        return await self.load(url)

    async def load(self, url: str) -> MediaPlaylist:
        self._next += 1
        segment = Segment(self._next, f"{FOLDER}{self._next}.aac", f"{self._next}.aac", 3.0)
        return MediaPlaylist(url=url, segments=(segment,), target_duration=3.0, media_sequence=self._next)

    def absorb_window(self, playlist: MediaPlaylist, step: Step) -> int:
        return len(step.fetch)


def follow_all(spaces: list[Space], *, others: int = 0, limit: int = 100) -> Crowd:
    """Record all of them, beside so many others that go on for ever."""
    crowd = Crowd(Service(limit))

    async def one(space: Space, number: int, turns: Turns, budgets: Budgets) -> None:
        await asyncio.sleep(number * 0.37)  # nobody starts in step
        record = GuestRecord(space, crowd.service, budgets)
        stage = Stage(space, record=record, lane=turns.lane(record))
        crowd.stages.append(stage)
        end = await stage.follow()
        crowd.delays.append(asyncio.get_running_loop().time() - space.began - space.ends_at)
        crowd.ends.append(end)

    async def other(turns: Turns, budgets: Budgets) -> None:
        record = GuestRecord(Space(10**6), crowd.service, budgets)
        stage = Stage(record.space, record=record, lane=turns.lane(record), live_edge=True)
        listing: Any = Steady()
        stage.listing = listing
        await stage.follow()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        budgets = Budgets(clock=lambda: ORIGIN.timestamp() + loop.time())
        turns = Turns(Clock(origin_at=ORIGIN), budgets)
        background = [asyncio.create_task(other(turns, budgets)) for _ in range(others)]
        async with asyncio.TaskGroup() as group:
            for number, space in enumerate(spaces):
                group.create_task(one(space, number, turns, budgets))
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)

    virtual_time.run(main())
    return crowd


def test_a_hundred_live_spaces_of_a_guest_end_within_a_minute_and_within_the_budget() -> None:
    # Nearly two ends a minute; some hosts are away once for half a minute.
    spaces = [
        Space(40 + number * 11, aways=((20 + number, 30.0),) if number % 10 == 0 else (), snapshot_every=10**6)
        for number in range(30)
    ]

    crowd = follow_all(spaces, others=70)

    assert crowd.service.over == 0
    assert max(crowd.delays) <= 60.0, sorted(crowd.delays)
    assert all(end.is_confirmed and end.look.state is SpaceState.ENDED for end in crowd.ends)
    assert [stage.numbers for stage in crowd.stages] == [list(range(space.segments)) for space in spaces]
    # What is left over is used: listener counts are taken while it is quiet.
    assert len(crowd.service.asked) > 2 * 30 + 15


def test_when_all_end_at_once_the_budget_decides_how_soon_each_is_noticed() -> None:
    crowd = follow_all([Space(20, snapshot_every=10**6) for _ in range(100)])

    assert crowd.service.over == 0
    assert len([delay for delay in crowd.delays if delay <= 60.0]) >= 40
    assert max(crowd.delays) <= 2 * WINDOW + 60.0, sorted(crowd.delays)
    assert all(stage.numbers == list(range(20)) for stage in crowd.stages)


def test_few_recordings_are_looked_at_every_minute_as_if_each_were_alone() -> None:
    crowd = follow_all([Space(600, snapshot_every=10**6) for _ in range(3)])

    for stage in crowd.stages:
        looks = stage.record.looks
        pauses = [later - earlier for earlier, later in pairwise(looks)]
        assert max(pauses) <= 90.0
        assert len(looks) >= 25


@pytest.mark.parametrize("passes", range(6))
def test_whoever_is_stopped_at_the_moment_of_its_turn_stops(passes: int) -> None:
    # When thousands stop at once, each that leaves the queue makes way for another that is stopping too.
    async def main() -> int:
        stage = Stage(Space(10**4, snapshot_every=10**6), lane=Lane(Clock(origin_at=ORIGIN)), live_edge=True)
        assert stage.lane is not None
        before = [stage.lane.request(Rank.CONFIRM, lambda: None) for _ in range(4)]
        task = asyncio.create_task(stage.follow())
        await asyncio.sleep(65.0)
        assert all(ticket.is_granted for ticket in before)
        assert not stage.record.looks, "it waits for its turn"
        for ticket in before:
            ticket.close()
        for _ in range(passes):
            await asyncio.sleep(0)
        task.cancel()
        _, left = await asyncio.wait([task], timeout=60.0)
        return len(left)

    assert virtual_time.run(main()) == 0


# ---------------------------------------------------------------- the lane alone


def in_lane(limit: int, used: int, live: int, work: object) -> object:
    """Run `work(lane, service)` with a budget of which so much is used."""

    async def main() -> object:
        loop = asyncio.get_running_loop()
        budgets = Budgets(clock=lambda: ORIGIN.timestamp() + loop.time())
        service = Service(limit)
        for _ in range(used):
            budgets.take(ENDPOINT, "guest")
            budgets.give_back(ENDPOINT, "guest", service.answer())
        lane = Lane(Clock(origin_at=ORIGIN), lambda: budgets.state(ENDPOINT, "guest"))
        lane.live = live
        return await work(lane, budgets)  # type: ignore[operator]

    return virtual_time.run(main())


def test_the_urgent_pass_those_who_wait_for_a_routine_look() -> None:
    async def work(lane: Lane, budgets: Budgets) -> list[bool]:
        routine = lane.request(Rank.ROUTINE, lambda: None)
        again = lane.request(Rank.AGAIN, lambda: None)
        stalled = lane.request(Rank.STALLED, lambda: None)
        before = [routine.is_granted, again.is_granted, stalled.is_granted]
        routine.hasten(Rank.CONFIRM)
        return [*before, routine.is_granted]

    # 100 recordings: half of the window is kept, and 60 of it are used.
    assert in_lane(100, 60, 100, work) == [False, True, True, True]


def test_who_gives_up_leaves_the_queue_to_others() -> None:
    async def work(lane: Lane, budgets: Budgets) -> tuple[bool, bool]:
        zeroth = lane.request(Rank.ROUTINE, lambda: None)
        zeroth.close()
        first = lane.request(Rank.ROUTINE, lambda: None)
        second = lane.request(Rank.ROUTINE, lambda: None)
        third = lane.request(Rank.ROUTINE, lambda: None)
        second.close()
        first.close()
        before = third.is_granted
        await asyncio.sleep(60.0)
        return before, third.is_granted

    assert in_lane(100, 1, 1, work) == (False, True)


def test_a_used_up_budget_is_waited_for() -> None:
    async def work(lane: Lane, budgets: Budgets) -> tuple[float, bool]:
        granted = asyncio.Event()
        began = asyncio.get_running_loop().time()
        lane.request(Rank.CONFIRM, granted.set)
        await granted.wait()
        return asyncio.get_running_loop().time() - began, budgets.take(ENDPOINT, "guest") == 0.0

    waited, may_ask = in_lane(100, 95, 5, work)  # type: ignore[misc]
    assert may_ask
    assert WINDOW - 1.0 <= waited <= WINDOW + 10.0


def test_a_spare_look_is_refused_while_the_budget_is_kept_for_others() -> None:
    async def work(lane: Lane, budgets: Budgets) -> SpaceState:
        spare = SpareSource(GuestRecord(Space(10**6), Service(), budgets), lane, Clock(origin_at=ORIGIN))
        return (await spare.look()).state

    assert in_lane(100, 10, 5, work) is SpaceState.LIVE
    with pytest.raises(RateLimitedError):
        in_lane(100, 90, 100, work)


def test_without_a_known_budget_only_a_few_ask_at_once() -> None:
    async def work(lane: Lane, budgets: Budgets) -> int:
        tickets = [lane.request(Rank.ROUTINE, lambda: None) for _ in range(10)]
        return sum(ticket.is_granted for ticket in tickets)

    assert in_lane(100, 0, 10, work) == 4
