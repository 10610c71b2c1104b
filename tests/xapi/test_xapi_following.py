"""Following creators in virtual time: a month of it against a service with limits and prices, and each rule alone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from hydrophone.errors import (
    FaultyServiceError,
    HydrophoneError,
    NotSignedInError,
    OutOfCreditsError,
    RateLimitedError,
    SpendCapError,
    UnreachableError,
)
from hydrophone.model import Sighting, SightingKind, Space, SpaceId, SpaceState, User, UserId
from hydrophone.xapi.following import Follower, FollowPace, LookUp, Pause, Sweep, follow_creators
from hydrophone.xapi.ledger import SpendLedger
from hydrophone.xapi.prices import Kind, Resource
from xapi.xapi_talk import NOW, Clock, json_reply, session

CREATORS = [UserId(str(1_700_000_000_000_000_000 + number)) for number in range(500)]
PRICE = Decimal("0.005")
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class Act:
    """One Space: scheduled, live and over at these seconds of the month; `visible` are the same three as records."""

    creator: UserId
    scheduled: float
    begins: float
    ends: float
    record: Space
    live_record: Space
    noticed: dict[SightingKind, float] = field(default_factory=dict)


class Service:
    """Answers as the service states: fixed windows, one request a second, a price for each new resource of a day."""

    def __init__(self, acts: Sequence[Act]) -> None:
        self.acts = {act.record.id: act for act in acts}
        self.of_creator: dict[UserId, list[Act]] = {}
        for act in acts:
            self.of_creator.setdefault(act.creator, []).append(act)
        self.changes: dict[tuple[UserId, ...], list[float]] = {}
        self.bill = Decimal(0)
        self.bills: dict[int, Decimal] = {}
        self.paid: set[tuple[int, SpaceId]] = set()
        self.requests = {"creators": 0, "ids": 0}
        self.refused: list[str] = []
        self.windows: dict[str, tuple[float, int]] = {}
        self.last = -10.0
        self.cache: dict[tuple[UserId, ...], tuple[int, int, list[Space]]] = {}

    def _limit(self, at: float, endpoint: str) -> None:
        self.requests[endpoint] += 1
        begin, count = self.windows.get(endpoint, (at, 0))
        if at >= begin + 900:
            begin, count = at, 0
        self.windows[endpoint] = (begin, count + 1)
        if count >= 300:
            self.refused.append(f"{endpoint} window at {at}")
        if endpoint == "creators":
            if at - self.last < 1.0:
                self.refused.append(f"two in a second at {at}")
            self.last = at

    def _charge(self, at: float, spaces: Sequence[Space]) -> None:
        day = int(at // 86400)
        for space in spaces:
            if (day, space.id) not in self.paid:
                self.paid.add((day, space.id))
                self.bill += PRICE
                self.bills[day] = self.bills.get(day, Decimal(0)) + PRICE

    def _changes_of(self, creators: tuple[UserId, ...]) -> list[float]:
        """When anything about these creators changes, in order."""
        if creators not in self.changes:
            acts = [act for creator in creators for act in self.of_creator.get(creator, ())]
            self.changes[creators] = sorted(at for act in acts for at in (act.scheduled, act.begins, act.ends))
        return self.changes[creators]

    def by_creators(self, at: float, creators: tuple[UserId, ...]) -> list[Space]:
        self._limit(at, "creators")
        epoch, day = bisect_right(self._changes_of(creators), at), int(at // 86400)
        known = self.cache.get(creators)
        if known is not None and known[:2] == (epoch, day):
            return known[2]
        found = [
            act.live_record if at >= act.begins else act.record
            for creator in creators
            for act in self.of_creator.get(creator, ())
            if act.scheduled <= at < act.ends
        ]
        self._charge(at, found)
        self.cache[creators] = (epoch, day, found)
        return found

    def by_ids(self, at: float, ids: Sequence[SpaceId]) -> list[Space]:
        self._limit(at, "ids")
        found = []
        for space_id in ids:
            act = self.acts[space_id]
            if act.ends <= at < act.ends + 3600:
                found.append(replace(act.live_record, state=SpaceState.ENDED))
            elif at < act.ends:
                found.append(act.live_record)
        self._charge(at, found)
        return found


def make_acts(rng: Random, days: int, per_day: float) -> list[Act]:
    acts = []
    for number in range(round(len(CREATORS) * days * per_day)):
        creator = rng.choice(CREATORS)
        begins = rng.uniform(60, days * 86400 - 7200)
        # At most two unpaid ones of a creator at a time is what the cap reckons with; most are not scheduled.
        scheduled = max(0.0, begins - rng.choice([0, 0, 0, 3600, 2 * 86400]))
        space = Space(
            id=SpaceId(f"1Ab{number:07}"),
            state=SpaceState.SCHEDULED,
            title=f"number {number}",
            creator=User(id=creator),
        )
        live = replace(space, state=SpaceState.LIVE)
        acts.append(Act(creator, scheduled, begins, begins + rng.uniform(600, 10800), space, live))
    return acts


def drive(
    follower: Follower, service: Service, ledger: SpendLedger, seconds: float, latency: float = 0.4
) -> list[Sighting]:
    """Virtual time: do what the follower says, and nothing else, until the end."""
    now, end, seen = 0.0, seconds, []
    while now < end:
        at = BEGIN + timedelta(seconds=now)
        step = follower.next(at)
        if isinstance(step, Pause):
            now = round(now + step.seconds, 6)
            continue
        is_sweep = isinstance(step, Sweep)
        spaces = service.by_creators(now, step.creators) if is_sweep else service.by_ids(now, step.ids)
        ledger.charge([Resource(Kind.SPACE, space.id) for space in spaces], at)
        now += latency
        at = BEGIN + timedelta(seconds=now)
        news = follower.saw(at, step, spaces) if is_sweep else follower.looked_up(at, step, spaces)
        for one in news:
            service.acts[one.space_id].noticed.setdefault(one.kind, now)
        seen += news
    return seen


@pytest.mark.slow
@pytest.mark.parametrize(("days", "pace"), [(30, FollowPace(period_seconds=180)), (3, FollowPace())])
def test_a_month_of_following_500_creators(days: int, pace: FollowPace) -> None:
    acts = make_acts(Random(7), days, per_day=0.4)
    service, cap = Service(acts), Decimal(5)
    ledger = SpendLedger(max_cost_per_day=cap)
    follower = Follower(CREATORS, pace=pace, remaining=ledger.remaining)
    promised = follower.promised_delay_seconds
    assert promised == pace.period_seconds

    drive(follower, service, ledger, days * 86400)

    assert service.refused == []
    # One request for every hundred creators in every promised delay, and no more than the odd one beside it.
    assert service.requests["creators"] == pytest.approx(days * 86400 / promised * 5, rel=0.01)
    spent = sum((one.cost for one in ledger.days()), Decimal(0))
    assert abs(spent - service.bill) <= service.bill / 100
    assert max(service.bills.values()) <= cap
    missed = [act.record.id for act in acts if SightingKind.LIVE not in act.noticed]
    assert missed == []
    delays = [act.noticed[SightingKind.LIVE] - act.begins for act in acts]
    assert max(delays) <= promised + 1.0
    ended = [act.noticed[SightingKind.ENDED] - act.ends for act in acts if act.ends < (days - 1) * 86400]
    assert max(ended) <= 3 * promised


def test_a_cap_that_is_too_small_is_never_exceeded_and_opens_again_at_midnight() -> None:
    acts = make_acts(Random(11), 4, per_day=1.0)
    service, cap = Service(acts), Decimal("1.5")
    ledger = SpendLedger(max_cost_per_day=cap)
    follower = Follower(CREATORS, remaining=ledger.remaining)

    seen = drive(follower, service, ledger, 4 * 86400)

    assert service.refused == []
    assert len(service.bills) == 4
    assert all(Decimal("1.45") < bill <= cap for bill in service.bills.values())
    assert len({one.at.date() for one in seen}) == 4


@pytest.mark.parametrize(("count", "delay"), [(1, 30), (100, 30), (900, 30), (2000, 64), (5000, 161)])
def test_the_promise_is_stated_for_any_number(count: int, delay: int) -> None:
    creators = [UserId(str(number + 1)) for number in range(count)]
    assert round(Follower(creators).promised_delay_seconds) == delay


# ---------------------------------------------------------------- each rule alone


def space(name: str = "1Aa", state: SpaceState = SpaceState.LIVE, **facts: Any) -> Space:
    return Space(id=SpaceId(name), state=state, **facts)


class Watch:
    """A follower of one creator whose clock is moved by hand."""

    def __init__(self) -> None:
        self.follower = Follower(CREATORS[:1])
        self.now = NOW

    def look(self, *spaces: Space) -> list[str]:
        while isinstance(step := self.follower.next(self.now), Pause):
            self.now += timedelta(seconds=step.seconds)
        if isinstance(step, LookUp):
            found = [one for one in spaces if one.id in step.ids]
            return [f"looked {one.kind}" for one in self.follower.looked_up(self.now, step, found)]
        return [str(one.kind) for one in self.follower.saw(self.now, step, spaces)]


def test_a_space_is_told_of_when_it_is_scheduled_moved_live_and_over() -> None:
    watch, planned = Watch(), space(state=SpaceState.SCHEDULED, scheduled_at=NOW)
    assert watch.look(planned) == ["scheduled"]
    assert watch.look(planned) == []
    assert watch.look(replace(planned, scheduled_at=NOW + timedelta(hours=1))) == ["changed"]
    assert watch.look(space()) == ["live"]
    assert watch.look(space(title="renamed")) == ["changed"]
    assert watch.look() == []
    assert watch.look() == []
    assert watch.look(space(state=SpaceState.ENDED)) == ["looked ended"]
    # A cache that still lists it does not bring it back.
    assert watch.look(space()) == []


def test_a_hiccup_ends_nothing() -> None:
    watch = Watch()
    watch.look(space())
    assert watch.look() == []
    assert watch.look(space()) == []
    assert watch.look() == []
    assert watch.look() == []
    assert watch.look(space()) == []
    assert [one.id for one in watch.follower.live] == ["1Aa"]


def test_what_the_service_has_forgotten_is_over_or_called_off() -> None:
    for state, ending in ((SpaceState.LIVE, "ended"), (SpaceState.SCHEDULED, "canceled")):
        watch = Watch()
        watch.look(space(state=state))
        watch.look()
        watch.look()
        assert watch.look() == [f"looked {ending}"]


def test_what_an_event_has_told_is_not_told_again() -> None:
    watch = Watch()
    told = Sighting(kind=SightingKind.LIVE, space_id=SpaceId("1Aa"), at=NOW, source="api events")
    assert watch.follower.told(told) is told
    assert watch.follower.told(told) is None
    assert watch.look(space()) == []
    over = replace(told, kind=SightingKind.ENDED)
    assert watch.follower.told(over) is over
    assert watch.follower.told(over) is None
    assert watch.look(space()) == []


def test_a_hurried_round_asks_about_everybody_at_once_within_the_limits() -> None:
    follower = Follower(CREATORS, pace=FollowPace(period_seconds=600))
    now, times = NOW, []
    for _ in range(8):
        while isinstance(step := follower.next(now), Pause):
            now += timedelta(seconds=step.seconds)
        assert isinstance(step, Sweep)
        follower.saw(now, step, [])
        times.append(now)
        if len(times) == 1:
            follower.hurry()
    gaps = [(after - before).total_seconds() for before, after in pairwise(times)]
    assert gaps[:5] == pytest.approx([900 / 280] * 5)
    assert gaps[-1] == pytest.approx(120)


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (RateLimitedError("x", retry_at=NOW + timedelta(seconds=400)), 400),
        (OutOfCreditsError("x"), 3600),
        (SpendCapError("x", spent=PRICE, cap=PRICE, needed=PRICE), 17910),
        (UnreachableError("x"), 5),
        (FaultyServiceError("x"), 5),
    ],
)
def test_trouble_is_waited_out_and_the_step_repeated(error: HydrophoneError, seconds: int) -> None:
    follower = Follower(CREATORS)
    first = follower.next(NOW)
    follower.failed(NOW, error)
    pause = follower.next(NOW + timedelta(milliseconds=1))
    assert isinstance(pause, Pause)
    assert pause.reason
    assert pause.seconds == pytest.approx(max(seconds, 6), abs=1.1)
    assert follower.next(NOW + timedelta(seconds=pause.seconds + 1)) == first


def test_a_token_that_is_refused_ends_it() -> None:
    with pytest.raises(NotSignedInError):
        Follower(CREATORS).failed(NOW, NotSignedInError("x"))


class Desk:
    """Asks like a client and answers from a script; sleeping moves the clock."""

    def __init__(self, clock: Clock, *answers: Any) -> None:
        self.clock = clock
        self.answers = list(answers)

    async def ask(self, question: Any) -> Any:
        steps = question
        try:
            request = next(steps)
            while True:
                answer = self.answers.pop(0) if self.answers else json_reply({"meta": {"result_count": 0}})
                if isinstance(answer, Exception):
                    request = steps.throw(answer)
                else:
                    request = steps.send(replace(answer, request=request))
        except StopIteration as end:
            return end.value

    async def sleep(self, seconds: float) -> None:
        self.clock.advance(seconds=seconds)


async def test_the_loop_goes_through_trouble_and_says_so_once() -> None:
    clock, said = Clock(), []
    live = json_reply({"data": [{"id": "1Aa", "state": "live"}], "meta": {"result_count": 1}})
    desk = Desk(clock, UnreachableError("down"), UnreachableError("down"), live)
    ours = session(clock)

    news = follow_creators(desk, ours, CREATORS[:1], sleep=desk.sleep, on_trouble=said.append)
    first = await anext(news)
    await news.aclose()  # type: ignore[attr-defined]

    assert (first.kind, first.space_id, first.creator_id) == (SightingKind.LIVE, "1Aa", CREATORS[0])
    assert said == ["down", ""]


async def test_the_loop_ends_when_the_money_of_the_run_is_spent() -> None:
    clock = Clock()
    live = json_reply({"data": [{"id": "1Aa", "state": "live"}], "meta": {"result_count": 1}})
    desk = Desk(clock, live)
    ours = session(clock, max_cost="0.014")
    news = follow_creators(desk, ours, CREATORS[:1], sleep=desk.sleep)
    assert (await anext(news)).space_id == "1Aa"
    with pytest.raises(SpendCapError):
        await anext(news)
