"""Turns at asking for the record: all recordings of a process share one rate budget, and the urgent ones come first.

A guest may ask about a hundred times in a quarter of an hour, whatever the number of live Spaces. So the routine looks
are spread over what is left of the budget's window, and a part of it is kept for those whose audio has stopped, since
their answers decide something.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from enum import IntEnum

from hydrophone.errors import RateLimitedError
from hydrophone.http.budgets import Budgets, BudgetState
from hydrophone.model import MediaKey, Stream
from hydrophone.recorder.clock import Clock
from hydrophone.recorder.sources import HasBudget, Look, Source

UNKNOWN_AT_ONCE = 4  #: so many ask at once while nobody knows the budget
UNKNOWN_WINDOW_SECONDS = 900.0
SOON_SECONDS = 0.25
KEPT_FOR_EACH = 4  #: requests of a window kept for each live recording: two at its end, and for false alarms


class Rank(IntEnum):
    """How much hangs on an answer; lower ranks come first."""

    CONFIRM = 0  #: the record has said that it is over, and must say so twice
    STALLED = 1  #: the audio has just stopped
    AGAIN = 2  #: it has stopped, and the record said that it is live nevertheless
    ROUTINE = 3  #: listener counts, people


class Ticket:
    """A place in a queue. `is_granted` means: ask now, then `close`."""

    __slots__ = ("_lane", "_wake", "is_closed", "is_granted", "rank")

    def __init__(self, lane: Lane, rank: Rank, wake: Callable[[], None]) -> None:
        self._lane = lane
        self._wake = wake
        self.rank = rank
        self.is_granted = False
        self.is_closed = False

    def grant(self) -> None:
        self.is_granted = True
        self._wake()

    def hasten(self, rank: Rank) -> None:
        """Queue at a higher rank from now on, if it is higher."""
        if rank < self.rank and not self.is_granted:
            self._lane.move(self, rank)

    def close(self) -> None:
        """The question was answered, or is no longer wanted."""
        if not self.is_closed:
            self.is_closed = True
            self._lane.closed(self)


class Lane:
    """Those who share one budget.

    Args:
        state: what is known of the budget at this moment; None for nothing.
    """

    def __init__(self, clock: Clock, state: Callable[[], BudgetState | None] = lambda: None) -> None:
        self.live = 0  #: recordings that follow something live
        self.ending = 0  #: of them, those whose record has said once that it is over
        self._clock = clock
        self._state = state
        self._queues: dict[Rank, deque[Ticket]] = {rank: deque() for rank in Rank}
        self._last = dict.fromkeys(Rank, -math.inf)  # when a paced rank was granted last
        self._out = 0  # granted and not closed
        self._timer: asyncio.TimerHandle | None = None

    @contextlib.contextmanager
    def following(self) -> Iterator[None]:
        """One more recording is live inside the block."""
        self.live += 1
        try:
            yield
        finally:
            self.live -= 1

    def request(self, rank: Rank, wake: Callable[[], None]) -> Ticket:
        """Queue up. `wake` is called when the ticket is granted, which may be at once."""
        ticket = Ticket(self, rank, wake)
        self._queues[rank].append(ticket)
        self._pump()
        return ticket

    def may_ask(self, rank: Rank) -> bool:
        """Whether a question of this rank could go out now."""
        return not self._queues[rank] and self._wait(rank, self._clock.monotonic()) <= 0.0

    def move(self, ticket: Ticket, rank: Rank) -> None:
        self._queues[ticket.rank].remove(ticket)
        ticket.rank = rank
        self._queues[rank].append(ticket)
        self._pump()

    def closed(self, ticket: Ticket) -> None:
        if ticket.is_granted:
            self._out -= 1
        else:
            self._queues[ticket.rank].remove(ticket)
        self._pump()

    def _pump(self) -> None:
        """Grant what may be granted, and come back when the next may be."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._clock.monotonic()
        soonest = math.inf
        for rank, queue in self._queues.items():
            while queue:
                wait = self._wait(rank, now)
                if wait > 0.0:
                    soonest = min(soonest, wait)
                    break
                self._last[rank] = now
                self._out += 1
                queue.popleft().grant()
        if soonest < math.inf:
            pause = self._clock.real(max(SOON_SECONDS, soonest), at_least=0.01)
            self._timer = asyncio.get_running_loop().call_later(pause, self._pump)

    def _wait(self, rank: Rank, now: float) -> float:
        """Seconds until a question of this rank may go out; 0.0 for now."""
        state = self._state()
        if state is None or state.usable is None or state.limit is None:
            return 0.0 if self._out < UNKNOWN_AT_ONCE else SOON_SECONDS
        if state.wait_seconds > 0.0:
            return state.wait_seconds
        # Who is asking may not be in the budget's own count yet.
        free = state.usable - self._out - self._kept(rank, state.limit)
        left = state.left_seconds or UNKNOWN_WINDOW_SECONDS
        if free <= 0:
            return left if self._out == 0 or state.usable <= 0 else SOON_SECONDS
        if rank < Rank.AGAIN:
            return 0.0
        return self._last[rank] + left / free - now

    def _kept(self, rank: Rank, limit: int) -> int:
        """How much of a window this rank leaves to those above it."""
        reserve = min(limit // 2, max(limit // 10, KEPT_FOR_EACH * self.live))
        # An end that is not confirmed is worth nothing: whoever has begun is let through first.
        confirming = self.ending + self._out
        return {
            Rank.CONFIRM: 0,
            Rank.STALLED: confirming,
            Rank.AGAIN: max(confirming, reserve // 2),
            Rank.ROUTINE: max(confirming, reserve),
        }[rank]


class Turns:
    """The lanes of a process, one for each budget."""

    def __init__(self, clock: Clock, budgets: Budgets | None = None) -> None:
        self._clock = clock
        self._budgets = budgets
        self._lanes: dict[Hashable, Lane] = {}

    def lane(self, source: Source) -> Lane:
        """The lane of this source; a source without a budget has one of its own, which grants everything."""
        budgets = self._budgets
        if budgets is None or not isinstance(source, HasBudget):
            return Lane(self._clock)
        lane = self._lanes.get(source.budget_owner)
        if lane is None:
            # A credential may be renewed, so that its budget is looked up each time.
            lane = self._lanes[source.budget_owner] = Lane(self._clock, lambda: budgets.state(*source.budget))
        return lane


class SpareSource:
    """The same source, whose record is asked for only while nobody else needs the budget more."""

    def __init__(self, source: Source, lane: Lane, clock: Clock) -> None:
        self._source = source
        self._lane = lane
        self._clock = clock
        self.key, self.link, self.has_states = source.key, source.link, source.has_states

    async def look(self) -> Look:
        """As the source does.

        Raises:
            RateLimitedError: the budget is kept for others; nothing was asked.
        """
        if not self._lane.may_ask(Rank.AGAIN):
            raise RateLimitedError("the rate budget is kept for others", retry_at=self._clock.now())
        ticket = self._lane.request(Rank.AGAIN, lambda: None)
        try:
            return await self._source.look()
        finally:
            ticket.close()

    async def stream(self, media_key: MediaKey | None) -> Stream | None:
        return await self._source.stream(media_key)
