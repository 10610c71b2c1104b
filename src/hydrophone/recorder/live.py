"""The live phase: follow the window, fill in from the snapshot, watch the state, until the record says it is over."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from hydrophone.errors import (
    AccountLockedError,
    HydrophoneError,
    NotSignedInError,
    RateLimitedError,
)
from hydrophone.hls import LiveTracker, MediaPlaylist, NumberSet
from hydrophone.model import SpaceState, Stream
from hydrophone.recorder.clock import Clock
from hydrophone.recorder.listing import AT_ONCE_ENTRIES, Absent, Listing
from hydrophone.recorder.options import RecordOptions
from hydrophone.recorder.plan import Plan
from hydrophone.recorder.sources import Look, Source
from hydrophone.recorder.turns import Lane, Rank, Ticket

HOST_AWAY_SECONDS = 10.0  #: between looks at a live playlist that is not there; the first looks come sooner
CONFIRM_SECONDS = 10.0  #: a change of state must be seen twice, this far apart
JUST_GONE_SECONDS = 60.0  #: so long after the audio stopped, the record is looked at as often as that
STALLED_SECONDS = 12.0  #: a window that has not moved for four segments has stopped, whatever its playlist says
QUIET_SECONDS = 9.0  #: three segments: a window that moved since then belongs to nothing that is over
TICK_SECONDS = 30.0  #: how often silence is measured at least
CLAIMED_END_SECONDS = 60.0  #: without any API, a playlist that says it is over is believed after so much silence
EARLY_SECONDS = 0.01
BACKFILL_SECONDS = 10.0  #: between looks for a snapshot that names what we lack
BACKFILL_IDLE_SECONDS = 30.0  #: when the last look brought nothing new
REFRESH_SECONDS = 60.0  #: at most this often a refused stream address is asked for anew
DEAD_LOGIN_SECONDS = 300.0  #: until a login that was refused is tried again
LONGEST_RATE_WAIT = 3600.0
REFUSED = (401, 403, 410)
_RNG = random.Random()  # one for all: each has 2.5 KiB


@dataclass(frozen=True, slots=True)
class LiveEnd:
    """How the live phase ended, and the record with the state that we conclude.

    `is_confirmed` is False when only silence spoke for it; then the state is unknown.
    """

    look: Look
    is_confirmed: bool
    reason: str


@dataclass(slots=True)
class Hooks:
    """What the phase tells the recording it belongs to."""

    on_look: Callable[[Look], None]
    on_stream: Callable[[Stream], Awaitable[None]]
    notice: Callable[[str, str], None]


@dataclass(slots=True)
class _State:
    """What the three loops share. Moments are of the clock's `monotonic`."""

    look: Look
    url: str = field(repr=False)
    last_news: float  #: when the window last moved
    last_word: float  #: when the record last said what the state is
    has_api: bool
    away_since: float | None = None  #: since when the live playlist has not been there
    stopped_since: float | None = None  #: since when no audio has come, or its playlist has been gone
    is_alarmed: bool = False  #: the audio has stopped, and the record has not been asked since
    misses: int = 0  #: looks at the live playlist in a row that found none
    claims_end: bool = False
    is_told: bool = False  #: the user knows that the record is not to be had
    ask_after: float = 0.0  #: the rate budget forbids asking before
    looked: float = 0.0  #: when the record was last asked
    is_queued: bool = False  #: the record will be asked when it is our turn
    refreshed: float = -REFRESH_SECONDS
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def alarm(self, moment: float) -> None:
        """The audio has stopped: the record is to be asked at once."""
        self.stopped_since = moment
        self.is_alarmed = True
        self.wake.set()


class LivePhase:
    """Record while it runs.

    Three loops share the plan: the *window* (what is live now), the *backfill* (what came before, and what slid out of
    the window unseen), and the *state* (which alone ends it).
    """

    def __init__(
        self,
        *,
        source: Source,
        clock: Clock,
        listing: Listing,
        plan: Plan,
        options: RecordOptions,
        hooks: Hooks,
        lane: Lane | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._source = source
        self._lane = lane or Lane(clock)
        self._clock = clock
        self._listing = listing
        self._plan = plan
        self._options = options
        self._hooks = hooks
        self._rng = rng or _RNG
        self._tracker = _tracker(plan)

    async def run(self, look: Look, stream: Stream) -> LiveEnd:
        """Return when it is over. Fetching is going on elsewhere; see `hydrophone.recorder.fetching`."""
        now = self._clock.monotonic()
        state = _State(look, stream.url, now, now, has_api=self._source.has_states, looked=now)
        ending = asyncio.ensure_future(self._until_over(state))
        tasks: list[asyncio.Future[Any]] = [ending, asyncio.ensure_future(self._follow_window(state))]
        if not self._options.live_edge:
            tasks.append(asyncio.ensure_future(self._backfill(state)))
        try:
            # Only the first of them ends by itself; the others are here so that an error of theirs is not lost.
            with self._lane.following():
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            return ending.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # ------------------------------------------------------------------ the window

    async def _follow_window(self, state: _State) -> None:
        variant: str | None = None
        while True:
            began = self._clock.monotonic()
            found = await self._window(state.url, variant)
            if state.stopped_since is None and began - state.last_news >= STALLED_SECONDS:
                state.alarm(began)
            if isinstance(found, Absent):
                address = state.url
                await self._window_absent(state, found, began)
                if found.status is not None or state.url != address:
                    variant = None
                continue
            variant = found.url
            self._window_back(state)
            if not self._options.live_edge and self._listing.is_doubtful(found, state.look.started_at):
                await self._listing.from_snapshot(state.url)
            window = found
            if len(found.segments) > AT_ONCE_ENTRIES:
                window = replace(found, segments=found.segments[-AT_ONCE_ENTRIES:], refused=())
            step = self._tracker.see(window)
            if self._listing.absorb_window(window, step):
                state.last_news = began
                state.stopped_since = None
                state.is_alarmed = False
            if window is not found:
                await self._listing.absorb_gently(found)
            # The core's end is a hint only: a playlist that claims to be over is looked at again, at leisure.
            state.claims_end = step.wait is None
            await self._clock.sleep_until(began + (3.0 if step.wait is None else step.wait))

    async def _window(self, url: str, variant: str | None) -> MediaPlaylist | Absent:
        if variant is None:
            return await self._listing.media_playlist(url)
        found = await self._listing.load(variant)
        return found if isinstance(found, (MediaPlaylist, Absent)) else Absent(None, "a choice, not a list")

    async def _window_absent(self, state: _State, absent: Absent, began: float) -> None:
        state.misses += 1
        if absent.status == 404:
            if state.away_since is None:
                state.away_since = began
                state.alarm(began)
                self._hooks.notice("info", "the host is away, or it is over; waiting")
            pause = min(HOST_AWAY_SECONDS, 2.0 ** min(state.misses, 8))
        elif absent.status in REFUSED:
            await self._refresh_stream(state)
            pause = 2.0
        else:
            # 5xx, no answer, a page in place of a playlist: the window is twelve seconds long, so look again soon.
            pause = 1.0
        await self._clock.sleep_until(began + pause * self._rng.uniform(0.5, 1.0))

    def _window_back(self, state: _State) -> None:
        state.misses = 0
        if state.away_since is not None:
            state.away_since = None
            self._hooks.notice("info", "the stream is back")

    async def _refresh_stream(self, state: _State) -> None:
        now = self._clock.monotonic()
        if now - state.refreshed < REFRESH_SECONDS:
            return
        state.refreshed = now
        try:
            stream = await self._source.stream(state.look.media_key)
        except HydrophoneError:
            return
        if stream is not None and stream.url != state.url:
            state.url = stream.url
            await self._hooks.on_stream(stream)

    # ------------------------------------------------------------------ what came before

    async def _backfill(self, state: _State) -> None:
        # The first look at the window comes first: what is in it may be named nowhere else.
        await self._clock.sleep(0.2)
        pause = 0.0
        while True:
            await self._clock.sleep(pause)
            pause = BACKFILL_SECONDS
            if self._plan.expected and not self._plan.unlisted:
                continue
            found = await self._listing.from_snapshot(state.url)
            if not isinstance(found, Absent) and not found.new:
                pause = BACKFILL_IDLE_SECONDS

    # ------------------------------------------------------------------ the state

    async def _until_over(self, state: _State) -> LiveEnd:
        before: SpaceState | None = None  # the verdict before this one
        due = self._clock.monotonic() + self._options.poll_seconds
        ticket: Ticket | None = None
        is_ending = False
        try:
            while True:
                now = self._clock.monotonic()
                # Who is due while asking is forbidden has to wait as well.
                await self._sleep(state, TICK_SECONDS if ticket else min(TICK_SECONDS, max(due, state.ask_after) - now))
                now = self._clock.monotonic()
                reason = self._silence(state, now)
                if state.is_alarmed:
                    # What was said a moment ago still holds.
                    due = min(due, state.looked + CONFIRM_SECONDS)
                # A timer may fire a moment too early, and must not be set again for that moment.
                if now >= state.ask_after - EARLY_SECONDS and (now >= due - EARLY_SECONDS or reason):
                    rank = self._rank(state, before)
                    if ticket is None:
                        ticket = self._lane.request(rank, state.wake.set)
                    ticket.hasten(rank)
                state.is_queued = ticket is not None
                verdict = None
                if ticket is not None and ticket.is_granted:
                    verdict, pause = await self._look(state)
                    due = self._clock.monotonic() + pause
                    ticket.close()
                    ticket = None
                    state.is_queued = False
                if reason and self._silence(state, now):
                    return LiveEnd(replace(state.look, state=SpaceState.UNKNOWN), False, reason)
                if verdict is None:
                    continue
                self._lane.ending += verdict.is_over - is_ending
                is_ending = verdict.is_over
                if verdict.is_over and before is verdict and self._is_quiet(state):
                    return LiveEnd(replace(state.look, state=verdict), True, f"the record says {verdict.value}")
                before = verdict
        finally:
            self._lane.ending -= is_ending
            if ticket is not None:
                ticket.close()

    async def _sleep(self, state: _State, seconds: float) -> None:
        """Wait; not so long when the audio stops, or when it is our turn to ask."""
        if not state.wake.is_set():
            # Not `wait_for`: until Python 3.12 it forgets that it was cancelled if the event comes in the same moment.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._clock.real(max(0.0, seconds))):
                    await state.wake.wait()
        state.wake.clear()

    def _rank(self, state: _State, before: SpaceState | None) -> Rank:
        """How much hangs on the next look."""
        if state.stopped_since is None:
            return Rank.ROUTINE
        if before is not None and before.is_over:
            return Rank.CONFIRM
        return Rank.STALLED if state.is_alarmed else Rank.AGAIN

    def _silence(self, state: _State, now: float) -> str:
        """Why it is time to stop although nobody said that it is over; empty while it is not."""
        patience = self._options.patience
        unheard = now - max(state.last_news, state.last_word)
        if state.claims_end and not state.has_api and unheard > CLAIMED_END_SECONDS:
            return "the playlist says that it is over, and there is nobody to ask"
        # As long as it is only not our turn to ask, there is somebody to ask.
        is_waiting = state.has_api and (state.is_queued or now < state.ask_after)
        if unheard > patience.silence + (LONGEST_RATE_WAIT if is_waiting else 0.0):
            return "nothing new for ten minutes, and nobody to ask"
        if now - state.last_news > patience.lingering:
            return "nothing new for hours, although the record says that it is live"
        return ""

    def _is_quiet(self, state: _State) -> bool:
        """No audio has come for a while. A record that says the end while audio goes on is wrong, or early."""
        return state.away_since is not None or self._clock.monotonic() - state.last_news >= QUIET_SECONDS

    async def _look(self, state: _State) -> tuple[SpaceState | None, float]:
        """Ask for the state once. Returns what it is (None for unknown) and when to ask again, in seconds."""
        usual = self._pause(state)
        state.is_alarmed = False
        state.looked = self._clock.monotonic()
        if not self._source.has_states:
            return None, usual
        try:
            look = await self._source.look()
        except RateLimitedError as error:
            wait = min(max(1.0, (error.retry_at - self._clock.now()).total_seconds()), LONGEST_RATE_WAIT)
            state.ask_after = self._clock.monotonic() + wait
            self._record_fails(state, error)
            return None, wait
        except (NotSignedInError, AccountLockedError) as error:
            state.has_api = False
            self._record_fails(state, error)
            return None, DEAD_LOGIN_SECONDS
        except HydrophoneError as error:
            # Also one that was deleted: it may be back in a moment. When the audio is silent for long, it is over.
            self._record_fails(state, error)
            return None, usual
        state.has_api = True
        state.is_told = False
        state.look = look
        if look.state is not SpaceState.UNKNOWN:
            state.last_word = self._clock.monotonic()
        self._hooks.on_look(look)
        return look.state, CONFIRM_SECONDS if look.state.is_over else usual

    def _record_fails(self, state: _State, error: HydrophoneError) -> None:
        if not state.is_told:
            state.is_told = True
            self._hooks.notice("warning", f"{error.message}; the recording goes on without the record")

    def _pause(self, state: _State) -> float:
        since = state.stopped_since
        if since is not None and self._clock.monotonic() - since < JUST_GONE_SECONDS:
            return min(CONFIRM_SECONDS, self._options.poll_seconds)
        return self._options.poll_seconds


def _tracker(plan: Plan) -> LiveTracker:
    """A tracker that goes on where an earlier run stopped."""
    epoch = max(plan.epochs, default=0)
    held = NumberSet()
    for numbers in plan.held(epoch).ranges():
        held.add_range(numbers.start, numbers.stop - 1)
    return LiveTracker(epoch=epoch, offered=held)
