"""After the end: look at snapshot and replay until they cover all that was live, and fetch what is still missing.

The same phase serves a Space that was over before we came. Nothing that is held is ever replaced by a shorter list.

Source: playlist reference, "After the end, with or without replay".
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hydrophone.errors import HydrophoneError
from hydrophone.model import SpaceState, Stream
from hydrophone.recorder.clock import Clock
from hydrophone.recorder.fetching import Fetcher
from hydrophone.recorder.listing import Absent, Listed, Listing
from hydrophone.recorder.options import Patience
from hydrophone.recorder.plan import Plan
from hydrophone.recorder.sources import Look, Source

FINAL_SLACK = timedelta(seconds=5)  #: a final playlist may be written this much before the record's `ended_at`
TAIL_SLACK = timedelta(seconds=4)  #: between the last audio and the end; with a segment missing it is more
LONG_OVER = timedelta(minutes=10)  #: after this, whatever is listed counts as final
QUICK_LOOKS = 3  #: at a Space that was over long ago and lists nothing


@dataclass(frozen=True, slots=True)
class Settled:
    """How the phase ended. `has_listing` is False when no list was ever to be had."""

    has_listing: bool
    is_final: bool
    reason: str
    is_live_again: bool = False


class Settling:
    """Reconcile what is held with what the service lists after the end."""

    def __init__(
        self,
        *,
        source: Source,
        clock: Clock,
        listing: Listing,
        fetcher: Fetcher,
        plan: Plan,
        patience: Patience,
        on_stream: Callable[[Stream], Awaitable[None]],
        notice: Callable[[str, str], None],
    ) -> None:
        self._source = source
        self._clock = clock
        self._listing = listing
        self._fetcher = fetcher
        self._plan = plan
        self._patience = patience
        self._on_stream = on_stream
        self._notice = notice
        self._has_listing = False
        self._has_waited = False
        self._has_end_tag = False

    async def run(self, look: Look, stream_urls: list[str]) -> Settled:
        """Fetch until nothing is missing that anybody lists; then say whether that was the final word.

        Args:
            look: the record as it was last seen.
            stream_urls: addresses that are known already, e.g. from the live phase or an earlier run; newest last.
        """
        urls = list(stream_urls)
        looks = 0
        while True:
            looks += 1
            is_final = await self._look_once(look, urls)
            await self._fetcher.until_idle()
            if is_final and not self._plan.unlisted:
                await self._try_lost_again(look, urls)
                pause = self._late_pause(look, looks)
                if pause is None:
                    return Settled(True, True, "the final list is covered")
            else:
                pause = self._pause(look, looks)
                if pause is None:
                    break
                if looks == 1:
                    self._notice("info", "waiting for the complete list")
            await self._clock.sleep(pause)
            fresh = await self._look_again()
            if fresh is not None and fresh.state is SpaceState.LIVE and look.state.is_over:
                return Settled(self._has_listing, False, "live again", is_live_again=True)
            look = fresh if fresh is not None and fresh.state.is_over else look
        if self._has_listing:
            await self._try_lost_again(look, urls)
        return Settled(self._has_listing, False, "the lists never covered everything")

    async def _look_again(self) -> Look | None:
        """The record may have been wrong about the end, or may tell only now when that was."""
        try:
            return await self._source.look()
        except HydrophoneError:
            return None

    async def _look_once(self, look: Look, urls: list[str]) -> bool:
        """Look at every list there is. True when one of them is the service's final word."""
        stream = await self._ask_stream(look)
        if stream is not None:
            if stream.url not in urls:
                urls.append(stream.url)
                await self._on_stream(stream)
            found = await self._listing.from_playlist(stream.url)
            final = self._note(found, look, is_replay=True)
        else:
            final = False
        for url in reversed(urls):
            found = await self._listing.from_snapshot(url)
            if isinstance(found, Listed):
                return self._note(found, look, is_replay=False) or final
        return final

    async def _ask_stream(self, look: Look) -> Stream | None:
        try:
            return await self._source.stream(look.media_key)
        except HydrophoneError:
            return None

    def _late_pause(self, look: Look, looks: int) -> float | None:
        """How long to wait after a list that looks final and is covered; None when nothing can come after it."""
        if looks < QUICK_LOOKS and self._may_be_cut(look):
            return self._patience.settle_every
        if not self._is_worth_waiting(look):
            return None
        self._has_waited = True
        self._notice("info", "a segment may still come late; looking once more after a while")
        return self._patience.late_look

    def _is_worth_waiting(self, look: Look) -> bool:
        """Just after the end, segments have been seen to come minutes after a list that looked final. Only once."""
        newest_end = self._listing.newest_end
        if look.ended_at is None:
            # A record that cannot say when it ended is wrong now and then, and so are end tags: the next look may tell.
            is_fresh = newest_end is not None and self._clock.now() - newest_end <= LONG_OVER
            return is_fresh and not self._has_waited
        if self._has_waited or self._clock.now() - look.ended_at > LONG_OVER:
            return False
        return self._plan.has_losses or not self._reaches_the_end(look)

    def _may_be_cut(self, look: Look) -> bool:
        """No list had an end tag, and none goes on until the end: perhaps only the beginning of one has arrived."""
        return not self._has_end_tag and not self._reaches_the_end(look)

    def _reaches_the_end(self, look: Look) -> bool:
        """The audio that is known goes on until the Space ended, so that no list can name more."""
        newest_end = self._listing.newest_end
        return newest_end is not None and look.ended_at is not None and newest_end >= look.ended_at - TAIL_SLACK

    def _note(self, found: Listed | Absent, look: Look, *, is_replay: bool) -> bool:
        if isinstance(found, Absent) or not found.entries:
            return False
        self._has_listing = True
        self._has_end_tag = self._has_end_tag or found.is_ended
        return is_final_list(found, look, self._clock.now(), is_replay=is_replay)

    def _pause(self, look: Look, looks: int) -> float | None:
        """How long to wait for the next look; None when it is time to accept what there is."""
        over_since = look.ended_at or look.started_at or look.created_at
        is_long_over = over_since is None or self._clock.now() - over_since > LONG_OVER + timedelta(hours=1)
        if is_long_over:
            return self._patience.settle_every if looks < QUICK_LOOKS else None
        if looks < self._patience.settle_looks:
            return self._patience.settle_every
        if not self._plan.unlisted and self._reaches_the_end(look):
            return None
        spent = (looks - self._patience.settle_looks) * self._patience.replay_every
        return self._patience.replay_every if spent < self._patience.replay_for else None

    async def _try_lost_again(self, look: Look, urls: list[str]) -> None:
        """Ask once more for all that was given up, also where the service says by now that it is."""
        if self._plan.revive():
            self._fetcher.wake()
            await self._fetcher.until_idle()
        if self._plan.has_losses:
            await self._look_once(look, urls)
            await self._fetcher.until_idle()


def is_final_list(found: Listed, look: Look, now: datetime, *, is_replay: bool) -> bool:
    """Can this list still grow? Its own name tells when it was written; the record tells when the Space ended. Pure."""
    if not look.state.is_over:
        return found.is_ended and look.state is SpaceState.UNKNOWN
    if look.ended_at is None:
        return found.is_ended
    if found.written_at is not None:
        return found.written_at >= look.ended_at - FINAL_SLACK or now - look.ended_at > LONG_OVER
    return found.is_ended and (is_replay or now - look.ended_at > LONG_OVER)
