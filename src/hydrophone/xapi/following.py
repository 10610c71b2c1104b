"""Following creators: which of them to ask about when, within rates and money, and what has changed.

`Follower` decides and remembers; it asks nothing and has no clock. `follow_creators` is the short loop around it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hydrophone.errors import (
    BlockedError,
    HydrophoneError,
    NotSignedInError,
    OutOfCreditsError,
    RateLimitedError,
    RefusedError,
    SpendCapError,
)
from hydrophone.model import Sighting, SightingKind, Space, SpaceId, SpaceState, UserId
from hydrophone.xapi.checks import BATCH, batches, check_user_id
from hydrophone.xapi.ledger import MIDNIGHT_MARGIN, ZERO
from hydrophone.xapi.paging import Asker
from hydrophone.xapi.prices import estimate
from hydrophone.xapi.session import BROKE_PAUSE, ApiSession
from hydrophone.xapi.spaces import SPACES_OF_CREATOR, affordable_creators, spaces_by_ids, sweep

_MISSES = 2  #: rounds in a row without a Space before anybody is asked what became of it
_FIRST_BACKOFF_SECONDS = 5.0
_MOST_BACKOFF_SECONDS = 320.0
_MOST_OVER = 10_000
_WORST = estimate(spaces=SPACES_OF_CREATOR)
_SOURCE = "api sweep"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowPace:
    """How fast to ask.

    `period_seconds` is how often each creator is asked about where the limits allow it. `requests_per_window` leaves
    some of the service's 300 to others of the same app.
    """

    period_seconds: float = 30.0
    requests_per_window: int = 280
    window_seconds: float = 900.0
    interval_seconds: float = 1.5

    @property
    def gap_seconds(self) -> float:
        """The least time between two requests."""
        return max(self.interval_seconds, self.window_seconds / self.requests_per_window)


@dataclass(frozen=True, slots=True)
class Sweep:
    """Ask about these creators, then tell `Follower.saw`."""

    creators: tuple[UserId, ...]
    batch: int


@dataclass(frozen=True, slots=True)
class LookUp:
    """Ask what has become of these, then tell `Follower.looked_up`."""

    ids: tuple[SpaceId, ...]


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is to be asked for so long. `reason` is "" in the normal course of things."""

    seconds: float
    reason: str = ""


Step = Sweep | LookUp | Pause


@dataclass(slots=True)
class _Batch:
    """Up to a hundred creators that are asked about together, and what is known of them."""

    creators: tuple[UserId, ...]
    waiting: deque[UserId]  #: of the present round, where money does not suffice for all at once
    known: dict[SpaceId, _Known] = field(default_factory=dict)
    seen: set[SpaceId] = field(default_factory=set)  #: in the present round


@dataclass(slots=True)
class _Known:
    space: Space
    misses: int = 0


class Follower:
    """Decides about sweeps over creators, and tells what has happened.

    The promise: a Space that goes live, or is scheduled, is noticed at most `promised_delay_seconds` later plus the
    time of one answer, for as long as the service answers and the money lasts. For 500 creators that is 30 seconds,
    for 2,000 it is 65. When a cap on spend draws near, fewer creators are asked about at once and rounds take longer;
    when it is reached, nothing is asked until the next day begins at midnight UTC.

    Args:
        remaining: what may still be spent at an instant, None where there is no cap.
    """

    def __init__(
        self,
        creators: Iterable[UserId],
        *,
        pace: FollowPace | None = None,
        remaining: Callable[[datetime], Decimal | None] = lambda _: None,
    ) -> None:
        self._pace = pace or FollowPace()
        self._remaining = remaining
        groups = batches(check_user_id(creator) for creator in creators)
        self._batches = [_Batch(group, deque(group)) for group in groups]
        self._gap_seconds = self._pace.gap_seconds
        self._turn_seconds = self.promised_delay_seconds / max(1, len(self._batches))
        self._turn = 0
        self._sweep_at: datetime | None = None
        self._look_at: datetime | None = None
        self._lost: deque[SpaceId] = deque()
        self._over: OrderedDict[SpaceId, None] = OrderedDict()
        self._told_live: OrderedDict[SpaceId, None] = OrderedDict()
        self._asked_at: datetime | None = None
        self._hurried = 0  #: sweeps left of a hurried round
        self._failures = 0
        self._reason = ""

    @property
    def promised_delay_seconds(self) -> float:
        """How long a round over all creators takes when nothing is in its way."""
        return max(self._pace.period_seconds, len(self._batches) * self._pace.gap_seconds)

    @property
    def live(self) -> tuple[Space, ...]:
        """The Spaces that are live as far as we know."""
        every = (known.space for batch in self._batches for known in batch.known.values())
        return tuple(space for space in every if space.state is SpaceState.LIVE)

    # ------------------------------------------------------------ deciding

    def next(self, now: datetime) -> Step:
        """What to do now. Do it, report it, then ask again."""
        if self._lost and (self._look_at is None or now >= self._look_at):
            self._look_at = now + timedelta(seconds=self._pace.gap_seconds)
            return LookUp(tuple(self._lost)[:BATCH])
        if not self._batches:
            return Pause(self._pace.period_seconds, "there is nobody to follow")
        if self._sweep_at is not None and now < self._sweep_at:
            return Pause(self._until_next(now), self._reason)
        remaining = self._remaining(now)
        if remaining is not None and remaining < _WORST:
            self._stop_until(_reopening(now), "the cap on spend is reached")
            return Pause(self._until_next(now), self._reason)
        self._reason = ""
        return self._sweep(now, remaining)

    def _sweep(self, now: datetime, remaining: Decimal | None) -> Sweep:
        batch = self._batches[self._turn]
        size = affordable_creators(remaining)
        if size >= len(batch.waiting) == len(batch.creators):
            creators = batch.creators
        else:
            creators = tuple(batch.waiting[index] for index in range(min(size, len(batch.waiting))))
        share = len(creators) / len(batch.creators)
        gap = max(self._gap_seconds, self._turn_seconds * share)
        # Counted from when it was due, so that a late step does not make every later one late as well.
        due = self._sweep_at if self._sweep_at is not None else now
        self._asked_at = now
        earliest = now + timedelta(seconds=self._gap_seconds)
        if self._hurried:
            self._hurried -= 1
            gap = self._gap_seconds
        self._sweep_at = max(due + timedelta(seconds=gap), earliest)
        return Sweep(creators, self._turn)

    def _until_next(self, now: datetime) -> float:
        until = self._sweep_at or now
        if self._lost and self._look_at is not None:
            until = min(until, self._look_at)
        return max(0.001, (until - now).total_seconds())

    def _stop_until(self, until: datetime, reason: str) -> None:
        self._sweep_at = max(until, self._sweep_at) if self._sweep_at is not None else until
        self._reason = reason

    # ------------------------------------------------------------ learning

    def saw(self, now: datetime, step: Sweep, spaces: Sequence[Space]) -> tuple[Sighting, ...]:
        """Digest the answer to a sweep: what has happened since the last one."""
        self._failures = 0
        batch = self._batches[step.batch]
        news: list[Sighting] = []
        for space in spaces:
            batch.seen.add(space.id)
            known = batch.known.get(space.id)
            if known is not None and known.space is space:
                known.misses = 0
                continue
            if known is None and (space.id in self._over or space.state.is_over):
                continue
            kind = self._change(known.space if known else None, space)
            batch.known[space.id] = _Known(space)
            if kind is not None:
                news.append(_sighting(kind, space, now))
        if len(step.creators) == len(batch.creators) or len(step.creators) >= len(batch.waiting):
            self._end_round(batch)
        else:
            for _ in step.creators:
                batch.waiting.popleft()
        return tuple(news)

    def _end_round(self, batch: _Batch) -> None:
        """All creators of a batch have been asked about: what did not come has gone, or the service hiccuped."""
        for space_id, known in batch.known.items():
            if space_id not in batch.seen:
                known.misses += 1
                if known.misses >= _MISSES and space_id not in self._lost:
                    self._lost.append(space_id)
        batch.seen.clear()
        if len(batch.waiting) != len(batch.creators):
            batch.waiting = deque(batch.creators)
        self._turn = (self._turn + 1) % len(self._batches)

    def _change(self, before: Space | None, space: Space) -> SightingKind | None:
        if space.state is SpaceState.LIVE and (before is None or before.state is not SpaceState.LIVE):
            if space.id in self._told_live:  # an event was faster
                del self._told_live[space.id]
                return None
            return SightingKind.LIVE
        if before is None:
            return SightingKind.SCHEDULED if space.state is SpaceState.SCHEDULED else None
        if (before.title, before.scheduled_at) != (space.title, space.scheduled_at):
            return SightingKind.CHANGED
        return None

    def looked_up(self, now: datetime, step: LookUp, spaces: Iterable[Space]) -> tuple[Sighting, ...]:
        """Digest what has become of those that went missing; what the service does not know any more is over."""
        self._failures = 0
        found = {space.id: space for space in spaces}
        news = []
        for space_id in step.ids:
            if space_id in self._lost:
                self._lost.remove(space_id)
            batch = next((batch for batch in self._batches if space_id in batch.known), None)
            if batch is None:
                continue
            before, space = batch.known[space_id].space, found.get(space_id)
            if space is not None and not space.state.is_over:
                batch.known[space_id] = _Known(space)
                if (kind := self._change(before, space)) is not None:
                    news.append(_sighting(kind, space, now))
                continue
            del batch.known[space_id]
            news.append(_sighting(_end_of(before, space), space or before, now))
            self._remember(self._over, space_id)
        return tuple(news)

    def told(self, sighting: Sighting) -> Sighting | None:
        """Take in what somebody else has noticed, e.g. the activity stream; None where it is known already."""
        batch = next((batch for batch in self._batches if sighting.space_id in batch.known), None)
        if sighting.kind is SightingKind.LIVE:
            known = batch.known[sighting.space_id].space if batch else None
            if (known is not None and known.state is SpaceState.LIVE) or sighting.space_id in self._told_live:
                return None
            self._remember(self._told_live, sighting.space_id)
        elif sighting.kind in (SightingKind.ENDED, SightingKind.CANCELED):
            if sighting.space_id in self._over:
                return None
            if batch is not None:
                del batch.known[sighting.space_id]
            self._remember(self._over, sighting.space_id)
        return sighting

    def hurry(self) -> None:
        """Something may have been missed: begin the next round now, as fast as the limits allow."""
        if not self._reason and self._sweep_at is not None and self._asked_at is not None:
            self._sweep_at = min(self._sweep_at, self._asked_at + timedelta(seconds=self._pace.gap_seconds))
            self._hurried = len(self._batches)

    def failed(self, now: datetime, error: HydrophoneError) -> None:
        """A step was not answered: wait as long as the reason for it demands, then repeat it.

        Raises:
            HydrophoneError: the error itself, where repeating can never help.
        """
        if isinstance(error, RateLimitedError):
            self._stop_until(max(error.retry_at, now + timedelta(seconds=2)), error.message)
        elif isinstance(error, SpendCapError):
            self._stop_until(_reopening(now), "the cap on spend is reached")
        elif isinstance(error, OutOfCreditsError):
            self._stop_until(now + BROKE_PAUSE, error.message)
        elif isinstance(error, NotSignedInError | RefusedError) and not isinstance(error, BlockedError):
            raise error
        else:
            self._failures += 1
            backoff = min(_FIRST_BACKOFF_SECONDS * 2.0 ** min(self._failures - 1, 20), _MOST_BACKOFF_SECONDS)
            self._stop_until(now + timedelta(seconds=backoff), error.message)
        if self._sweep_at is not None and self._look_at is not None:
            self._look_at = max(self._look_at, self._sweep_at)

    def _remember(self, ids: OrderedDict[SpaceId, None], space_id: SpaceId) -> None:
        ids[space_id] = None
        if len(ids) > _MOST_OVER:
            ids.popitem(last=False)


def _sighting(kind: SightingKind, space: Space, now: datetime) -> Sighting:
    creator = space.creator.id if space.creator else None
    return Sighting(kind=kind, space_id=space.id, at=now, source=_SOURCE, space=space, creator_id=creator)


def _end_of(before: Space, space: Space | None) -> SightingKind:
    if space is not None:
        return SightingKind.CANCELED if space.state is SpaceState.CANCELED else SightingKind.ENDED
    # The service has forgotten it: what had not begun never will.
    return SightingKind.ENDED if before.state is SpaceState.LIVE else SightingKind.CANCELED


def _reopening(now: datetime) -> datetime:
    """When a cap of the day that is reached now leaves room again."""
    # Within the margin it is yesterday's cap that still holds.
    day = (now.astimezone(UTC) - MIDNIGHT_MARGIN).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=1) + MIDNIGHT_MARGIN


async def follow_creators(
    client: Asker,
    session: ApiSession,
    creators: Iterable[UserId],
    *,
    pace: FollowPace | None = None,
    follower: Follower | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    on_trouble: Callable[[str], None] | None = None,
) -> AsyncIterator[Sighting]:
    """Everything that happens to the Spaces of these creators, for as long as it is iterated.

    Args:
        on_trouble: told once whenever following is held up, and once with "" when it goes on.

    Raises:
        SpendCapError: the cap of this run is reached; the cap of a day only makes it wait.
        NotSignedInError, RefusedError: it can never work with this token.
    """
    core = follower or Follower(creators, pace=pace, remaining=session.ledger.remaining)
    trouble = ""
    while True:
        step = core.next(session.now())
        reason = step.reason if isinstance(step, Pause) else trouble
        if reason != trouble and on_trouble is not None:
            on_trouble(reason)
        trouble = reason
        if isinstance(step, Pause):
            _check_run(session)
            await sleep(step.seconds)
            continue
        try:
            if isinstance(step, Sweep):
                answer = await client.ask(sweep(session, step.creators))
                news = core.saw(session.now(), step, answer.items)
            else:
                found = await client.ask(spaces_by_ids(session, step.ids))
                news = core.looked_up(session.now(), step, found.items)
        except HydrophoneError as error:
            core.failed(session.now(), error)
            continue
        if trouble and on_trouble is not None:
            on_trouble("")
        trouble = ""
        for sighting in news:
            yield sighting


def _check_run(session: ApiSession) -> None:
    """End where waiting for another day does not help."""
    ledger = session.ledger
    if ledger.max_cost is not None and ledger.max_cost - ledger.run.cost < _WORST:
        raise SpendCapError(
            f"this run has spent ${ledger.run.cost} of ${ledger.max_cost}",
            spent=ledger.run.cost,
            cap=max(ledger.max_cost, ZERO),
            needed=_WORST,
            advice="Raise --max-cost, or follow fewer creators.",
        )
