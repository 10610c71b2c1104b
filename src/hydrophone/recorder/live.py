"""The live phase: follow the window, fill in from the snapshot, watch the state, until the record says it is over."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from hydrophone.errors import (
    AccountLockedError,
    HydrophoneError,
    NotFoundError,
    NotSignedInError,
    RateLimitedError,
)
from hydrophone.hls import LiveTracker, MediaPlaylist
from hydrophone.model import SpaceState, Stream
from hydrophone.recorder.clock import Clock
from hydrophone.recorder.listing import Absent, Listing
from hydrophone.recorder.options import RecordOptions
from hydrophone.recorder.plan import Plan
from hydrophone.recorder.sources import Look, Source

HOST_AWAY_SECONDS = 10.0  #: between looks at a live playlist that is not there
CONFIRM_SECONDS = 10.0  #: a change of state must be seen twice, this far apart
BACKFILL_SECONDS = 10.0  #: between looks for a snapshot that names what we lack
BACKFILL_IDLE_SECONDS = 30.0  #: when the last look brought nothing new
REFRESH_SECONDS = 60.0  #: at most this often a refused stream address is asked for anew
REFUSED = (401, 403, 410)


@dataclass(frozen=True, slots=True)
class LiveEnd:
    """How the live phase ended. `is_confirmed` is False when only silence spoke for it."""

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
    """What the three loops share."""

    look: Look
    url: str
    last_news: float  #: when the window last moved
    last_look: float  #: when the record was last read
    is_away: bool = False
    sooner: asyncio.Event = field(default_factory=asyncio.Event)
    has_api: bool = True
    refreshed: float = -REFRESH_SECONDS


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
        rng: random.Random | None = None,
    ) -> None:
        self._source = source
        self._clock = clock
        self._listing = listing
        self._plan = plan
        self._options = options
        self._hooks = hooks
        self._rng = rng or random.Random()
        self._tracker = LiveTracker()

    async def run(self, look: Look, stream: Stream) -> LiveEnd:
        """Return when it is over. Fetching is going on elsewhere; see `hydrophone.recorder.fetching`."""
        now = self._clock.monotonic()
        state = _State(look, stream.url, now, now)
        state.has_api = self._source.has_states
        loops = [self._follow_window(state)]
        if not self._options.live_edge:
            loops.append(self._backfill(state))
        tasks = [asyncio.ensure_future(loop) for loop in loops]
        try:
            return await self._until_over(state)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # ------------------------------------------------------------------ the window

    async def _follow_window(self, state: _State) -> None:
        variant: str | None = None
        while True:
            began = self._clock.monotonic()
            found: MediaPlaylist | Absent
            if variant is None:
                found = await self._listing.media_playlist(state.url)
                variant = found.url if isinstance(found, MediaPlaylist) else None
            else:
                loaded = await self._listing.load(variant)
                found = loaded if isinstance(loaded, (MediaPlaylist, Absent)) else Absent(None, "a choice, not a list")
            if isinstance(found, Absent):
                address = state.url
                await self._window_absent(state, found, began)
                if found.status is not None or state.url != address:
                    variant = None
                continue
            self._window_back(state)
            step = self._tracker.see(found)
            if self._listing.absorb_window(step.fetch, step.epochs, step.refused):
                state.last_news = began
            # The core's end is a hint only: a playlist that claims to be over is looked at again, at leisure.
            wait = step.wait if step.wait is not None else 3.0
            await self._clock.sleep_until(began + wait)

    async def _window_absent(self, state: _State, absent: Absent, began: float) -> None:
        if absent.status == 404:
            if not state.is_away:
                state.is_away = True
                state.sooner.set()
                self._hooks.notice("info", "the host is away, or it is over; waiting")
            await self._clock.sleep_until(began + HOST_AWAY_SECONDS * self._rng.uniform(0.5, 1.0))
        elif absent.status in REFUSED:
            await self._refresh_stream(state)
            await self._clock.sleep_until(began + self._rng.uniform(1.0, 2.0))
        else:
            # 5xx, no answer, a page in place of a playlist: the window is twelve seconds long, so look again soon.
            await self._clock.sleep_until(began + self._rng.uniform(0.5, 1.0))

    def _window_back(self, state: _State) -> None:
        if state.is_away:
            state.is_away = False
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
        verdicts: list[SpaceState | None] = []
        pause = self._options.poll_seconds
        while True:
            await self._sleep_or_sooner(state, pause)
            pause = self._options.poll_seconds
            unheard = self._clock.monotonic() - max(state.last_news, state.last_look if state.has_api else 0.0)
            if unheard > self._options.patience.silence:
                return LiveEnd(state.look, False, "nothing new for ten minutes, and nobody to ask")
            seen, pause_for = await self._look(state)
            if pause_for:
                pause = pause_for
            if seen is None:
                continue
            verdicts = [*verdicts[-1:], seen]
            if seen.is_over:
                if len(verdicts) == 2 and verdicts[0] is seen:
                    return LiveEnd(state.look, True, f"the record says {seen.value}")
                pause = CONFIRM_SECONDS
            elif state.is_away:
                pause = CONFIRM_SECONDS

    async def _sleep_or_sooner(self, state: _State, seconds: float) -> None:
        """Wait, but look at once when the live playlist has just vanished."""
        try:
            await asyncio.wait_for(state.sooner.wait(), self._clock.real(seconds))
        except TimeoutError:
            return
        state.sooner.clear()

    async def _look(self, state: _State) -> tuple[SpaceState | None, float | None]:
        """Ask for the state once. Returns what it is (None for unknown) and how long to wait, if not as usual."""
        if not self._source.has_states:
            return None, 30.0
        try:
            look = await self._source.look()
        except RateLimitedError as error:
            wait = max(1.0, (error.retry_at - self._clock.now()).total_seconds())
            return None, min(wait, 3600.0)
        except NotFoundError:
            # Deleted, or hidden from us. The audio decides: when it stops too, it is over.
            return (SpaceState.ENDED if state.is_away else None), CONFIRM_SECONDS
        except (NotSignedInError, AccountLockedError) as error:
            if state.has_api:
                state.has_api = False
                self._hooks.notice("warning", f"{error.message}; the recording goes on without the record")
            return None, 300.0
        except HydrophoneError:
            return None, None
        state.has_api = True
        state.last_look = self._clock.monotonic()
        state.look = look
        self._hooks.on_look(look)
        return look.state, None
