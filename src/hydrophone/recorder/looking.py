"""Looking at the record from the first answer until there is something to record: waiting where waiting helps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from hydrophone.errors import CanceledError, HydrophoneError, NotFoundError, NotStartedError, RateLimitedError
from hydrophone.model import SpaceState
from hydrophone.recorder.clock import Clock
from hydrophone.recorder.events import Waiting
from hydrophone.recorder.options import RecordOptions, StopSignal
from hydrophone.recorder.reporting import Reporter
from hydrophone.recorder.sources import Look, Source
from hydrophone.recorder.stopping import stopped_within
from hydrophone.recorder.turns import Lane
from hydrophone.recorder.waiting import next_look

TRY_AGAIN_SECONDS = 10.0


class Looker:
    """Asks for the record of one Space or broadcast.

    Args:
        on_look: gets each new look.
    """

    def __init__(
        self,
        source: Source,
        lane: Lane,
        clock: Clock,
        *,
        stop: StopSignal,
        tell: Reporter,
        on_look: Callable[[Look], None],
    ) -> None:
        self._source = source
        self._lane = lane
        self._clock = clock
        self._stop = stop
        self._tell = tell
        self._on_look = on_look

    async def first(self) -> Look:
        """The first look. Beside others that are live, one may have to wait for the rate budget that all share."""
        while True:
            try:
                return self._seen(await self._source.look())
            except RateLimitedError as error:
                if not self._lane.live:
                    raise
                self._tell.notice("info", f"{error.message}; waiting until it may be asked again")
                if await self._stopped_before(error.retry_at):
                    raise

    async def again(self, before: Look) -> Look:
        """A new look; the one before, after a pause, when there is none to be had at the moment."""
        try:
            return self._seen(await self._source.look())
        except NotFoundError:
            raise
        except RateLimitedError as error:
            await self._stopped_before(error.retry_at)
        except HydrophoneError as error:
            self._tell.notice("warning", f"{error.message}; trying again")
            await stopped_within(TRY_AGAIN_SECONDS, self._stop, self._clock)
        return before

    async def until_started(self, look: Look, options: RecordOptions) -> Look | None:
        """Wait for a scheduled Space. None when the user said stop meanwhile.

        Raises:
            CanceledError: it will never start.
            NotStartedError: it has not started, and waiting is not wanted.
        """
        while look.state in (SpaceState.SCHEDULED, SpaceState.CANCELED):
            if look.state is SpaceState.CANCELED:
                raise CanceledError(f"{look.title!r} was canceled; there is nothing to record")
            if not options.wait:
                raise NotStartedError(
                    f"{look.title!r} has not started"
                    + (f"; scheduled for {_stamp(look)}" if look.scheduled_at else ""),
                    scheduled_at=look.scheduled_at,
                    advice="use --wait to wait for it",
                )
            pause = options.wait_poll_seconds or next_look(self._clock.now(), look.scheduled_at)
            until = self._clock.now() + timedelta(seconds=pause)
            self._tell.emit(Waiting(key=look.key, until=until, reason=f"scheduled for {_stamp(look)}"))
            if await stopped_within(pause, self._stop, self._clock):
                return None
            look = await self.again(look)
        return look

    def _seen(self, look: Look) -> Look:
        self._on_look(look)
        return look

    async def _stopped_before(self, at: datetime) -> bool:
        pause = max(1.0, (at - self._clock.now()).total_seconds())
        return await stopped_within(pause, self._stop, self._clock)


def _stamp(look: Look) -> str:
    return f"{look.scheduled_at:%Y-%m-%d %H:%M} UTC" if look.scheduled_at else "an unknown time"
