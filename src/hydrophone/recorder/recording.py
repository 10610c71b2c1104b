"""One recording from the first look to the finished item: wait, follow live or fetch the replay, settle, finish.

A recording can be killed at any point and begun again; what is on disk is never fetched twice and never deleted.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Set
from dataclasses import dataclass, field, replace

from hydrophone.archive import Item, StreamStore, Syncer
from hydrophone.archive.finding import ItemFinder
from hydrophone.errors import (
    AbortedError,
    DiskError,
    HydrophoneError,
    NoReplayError,
    NotFoundError,
    NotSignedInError,
    RefusedError,
)
from hydrophone.http import AsyncClient, Credential, Question
from hydrophone.model import MediaKind, SpaceState, Stream
from hydrophone.recorder.addresses import Addresses
from hydrophone.recorder.chatting import ChatCapture
from hydrophone.recorder.clock import Clock
from hydrophone.recorder.door import StreamDoor
from hydrophone.recorder.events import Event, Mode, Outcome, Resolved, Result
from hydrophone.recorder.fetching import Fetcher
from hydrophone.recorder.finishing import Finished, look_facts, read_look
from hydrophone.recorder.listing import Absent, Listing
from hydrophone.recorder.live import Hooks, LivePhase
from hydrophone.recorder.looking import Looker
from hydrophone.recorder.opening import Work, open_work, reopen_work
from hydrophone.recorder.options import RecordOptions, StopSignal
from hydrophone.recorder.patience import with_patience
from hydrophone.recorder.reporting import Reporter
from hydrophone.recorder.sealing import KeyRing
from hydrophone.recorder.settling import Settled, Settling
from hydrophone.recorder.sources import HasStatusCall, HasWholeList, Look, Source, unknown_look
from hydrophone.recorder.stopping import unless_aborted, unless_stopped
from hydrophone.recorder.turns import SpareSource, Turns
from hydrophone.recorder.wrapping import wrap_up
from hydrophone.xweb.roster import without_own

NO_STREAM_YET_SECONDS = 10.0
FINISHED_AT_ONCE = 2  #: recordings whose files are being made


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What all recordings of a process share. `own_ids` may grow: an account is known by its id only after a while."""

    client: AsyncClient
    clock: Clock
    streams: StreamStore
    credential: Credential | None = None
    periscope: Credential | None = None
    own_ids: Set[str] = frozenset()
    syncer: Syncer | None = None  #: None takes the one that the process shares
    finder: ItemFinder = field(default_factory=ItemFinder)
    turns: Turns | None = None  #: None: each recording asks as if it were alone
    #: Fifty that end together would take no less time together, and hold the pieces of all of them meanwhile.
    finishing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(FINISHED_AT_ONCE))


class Recording:
    """Record one source.

    Args:
        link: what the user typed, for events.
        emit: gets every event; must not block.
    """

    def __init__(
        self,
        source: Source,
        tools: Tools,
        options: RecordOptions,
        *,
        link: str,
        stop: StopSignal,
        emit: Callable[[Event], None],
    ) -> None:
        self._source = source
        self._lane = (tools.turns or Turns(tools.clock)).lane(source)
        self._spare = SpareSource(source, self._lane, tools.clock)
        self._tools = tools
        self._clock = tools.clock
        self._options = options
        self._link = link
        self._stop = stop
        self._tell = Reporter(source.key, emit)
        self._work: Work | None = None
        self._look: Look | None = None
        self._door = StreamDoor(tools.client, self._stream_again)
        self._addresses = Addresses(source, tools.streams, tools.clock, self._tell)
        self._looker = Looker(source, self._lane, tools.clock, stop=stop, tell=self._tell, on_look=self._remember)
        self._keys = KeyRing(tools.client, tools.credential, tools.periscope, on_refused=self._addresses.remember_key)
        self._chat = ChatCapture(
            tools.client,
            tools.clock,
            broadcast_id=source.key,
            ask_stream=self._ask_status if isinstance(source, HasStatusCall) else None,
            own_ids=tools.own_ids,
            notice=self._tell.notice,
            late_looks=options.patience.chat_looks,
        )

    async def run(self) -> Outcome:
        """Record, and say how it went. Errors of the service and the disk become an outcome; stopping twice raises.

        Raises:
            AbortedError: the user said stop twice. What is on disk stays; a re-run continues.
        """
        try:
            return await unless_aborted(self._record(), self._stop)
        except AbortedError:
            raise
        except HydrophoneError as error:
            return await self._salvage(error)
        finally:
            await self._close()

    # ------------------------------------------------------------------ before

    async def _record(self) -> Outcome:
        await self._addresses.recall()
        look = await self._looker.until_started(await self._look_first(), self._options)
        if look is None:
            return self._outcome(Result.STOPPED)
        stream = await self._find_stream(look)
        kind = stream.kind if stream else self._addresses.kind
        self._work = work = await asyncio.to_thread(
            open_work, look, kind, self._options, self._tools.own_ids, self._tools.syncer, self._tools.finder
        )
        self._see(look)
        await self._unseal(work)
        is_stopped = await self._fetch_all(work, look, stream)
        finished = await self._finish(work)
        if is_stopped:
            return self._outcome(Result.STOPPED, finished=finished)
        return self._outcome(self._result(finished), finished=finished)

    async def _look_first(self) -> Look:
        try:
            look = await self._looker.first()
        except (NotFoundError, NotSignedInError, RefusedError) as error:
            # Deleted, or hidden from this login. Who has seen the stream once can still fetch it.
            if not self._addresses:
                raise
            look = unknown_look(self._source)
            self._remember(look)
            self._tell.notice("warning", f"{error.message}; trying the address where its stream was seen before")
        self._tell.emit(
            Resolved(
                key=look.key,
                link=self._link,
                title=look.title,
                creator=look.creator.handle if look.creator else None,
                state=look.state,
                scheduled_at=look.scheduled_at,
                started_at=look.started_at,
            )
        )
        return look

    async def _find_stream(self, look: Look) -> Stream | None:
        stream = await self._ask_stream(look)
        if stream is not None and stream.is_geoblocked:
            raise NoReplayError(
                f"{look.title!r} is not available in this region", advice="use --proxy with a proxy elsewhere"
            )
        is_over = look.state.is_over and look.state is not SpaceState.TIMED_OUT
        if stream is None and not self._addresses and is_over:
            raise NoReplayError(
                f"{look.title!r} has ended and its host switched the replay off",
                advice="only a Space whose stream was seen while it was live can still be fetched",
            )
        return stream

    async def _ask_stream(self, look: Look) -> Stream | None:
        try:
            stream = await self._source.stream(look.media_key)
        except HydrophoneError as error:
            if not self._addresses:
                raise
            self._tell.notice("warning", f"{error.message}; going on with the address that was seen before")
            return self._addresses.newest()
        if stream is None and self._addresses and look.state is SpaceState.UNKNOWN:
            return self._addresses.newest()
        if stream is not None and not stream.is_geoblocked:
            await self._remember_stream(stream)
        return stream

    async def _unseal(self, work: Work) -> None:
        """Open what an earlier run had to store sealed, if the key is to be had by now."""
        key_url = await self._addresses.recall_key() if work.has_sealed else None
        if key_url is None:
            return
        from hydrophone.recorder.unsealing import open_sealed  # few recordings have anything sealed

        opened = await with_patience(
            lambda: open_sealed(work, self._keys, key_url), self._tell, self._stop, self._clock
        )
        work.has_sealed = False
        if opened:
            self._tell.notice("info", f"{opened:,} segments that had been stored sealed were opened")

    # ------------------------------------------------------------------ fetching

    async def _fetch_all(self, work: Work, look: Look, stream: Stream | None) -> bool:
        """Fetch everything there is. True when the user cut it short."""
        tools, options = self._tools, self._options
        fetcher = Fetcher(
            client=self._door,
            clock=self._clock,
            take=work.take,
            plan=work.plan,
            kind=work.kind,
            keys=self._keys,
            tally=self._tell,
            patience=options.patience,
            connections=options.connections,
        )
        listing = Listing(
            client=self._door,
            endpoints=tools.client.endpoints,
            clock=self._clock,
            take=work.take,
            plan=work.plan,
            epochs=work.epochs,
            kind=work.kind,
            wanted=options.format,
            patience=options.patience,
            on_new=fetcher.wake,
            from_edge=options.live_edge and not work.begins_at_edge,
            find_whole=self._source.whole_url if isinstance(self._source, HasWholeList) else None,
        )
        async with fetcher.running(), self._chat.running(Item(work.take.directory).captions):
            is_done = await unless_stopped(self._phases(work, look, stream, listing, fetcher), self._stop)
            if not is_done:
                await self._drain(work, fetcher)
        await with_patience(work.take.sync, self._tell, self._stop, self._clock)
        return not is_done

    async def _phases(self, work: Work, look: Look, stream: Stream | None, listing: Listing, fetcher: Fetcher) -> None:
        """Live as long as it is live, then what the service lists after the end; again, if the end was none."""
        settled = None
        while settled is None or settled.is_live_again:
            if look.state is SpaceState.LIVE and stream is None:
                # What is live again goes on where it was; asking first could cost all that is left of it.
                is_known = settled is not None and self._addresses
                stream = self._addresses.newest(work.kind) if is_known else await self._stream_of_live(look)
            if stream is not None and await self._is_running(look, listing, stream):
                look = await self._follow(work, look, stream, listing)
            elif settled is None:
                self._tell.started(work, Mode.REPLAY)
            await self._chat.over()
            if not self._source.has_states and not self._has_lists():
                await self._chat.settled()
                return
            settled = await self._settle(work, look, listing, fetcher)
            stream = None
            with contextlib.suppress(HydrophoneError):
                look = await self._spare.look()
                self._see(look)
        if not settled.has_listing and not len(work.take.index):
            raise NoReplayError(f"{look.title!r} is over, and no list of its audio is to be had")
        await self._chat.settled()

    async def _is_running(self, look: Look, listing: Listing, stream: Stream) -> bool:
        """Is there something live to follow? Where the record does not tell, the playlist's own end tag must do."""
        if look.state is not SpaceState.UNKNOWN:
            return look.state is SpaceState.LIVE
        found = await listing.media_playlist(stream.url)
        if isinstance(found, Absent):
            return not self._source.has_states
        return not found.is_ended

    def _has_lists(self) -> bool:
        """Whether there are lists of the whole beside the one that was followed; foreign streams have none."""
        return self._tell.mode is Mode.REPLAY or self._addresses.has_audio_space

    async def _follow(self, work: Work, look: Look, stream: Stream, listing: Listing) -> Look:
        """Record until it is over. Returns the record as it was then."""
        self._tell.started(work, Mode.LIVE)
        self._chat.follow()
        if not (self._options.live_edge or work.begins_at_edge) and (
            self._source.has_states or work.kind is MediaKind.AUDIO
        ):
            # The service counts from 0, so what came before us is known to be missing until somebody lists it.
            work.plan.begin_at(0, 0)
            work.take.note("begin", epoch=0, first=0)
        end = await LivePhase(
            source=self._source,
            clock=self._clock,
            listing=listing,
            plan=work.plan,
            options=self._options,
            hooks=Hooks(self._see, self._remember_stream, self._tell.notice),
            lane=self._lane,
        ).run(look, stream)
        work.take.note("end", reason=end.reason, confirmed=end.is_confirmed)
        return end.look

    async def _settle(self, work: Work, look: Look, listing: Listing, fetcher: Fetcher) -> Settled:
        settled = await Settling(
            source=self._spare,
            clock=self._clock,
            listing=listing,
            fetcher=fetcher,
            plan=work.plan,
            patience=self._options.patience,
            on_stream=self._remember_stream,
            notice=self._tell.notice,
        ).run(look, self._addresses.urls)
        work.take.note("settled", reason=settled.reason, final=settled.is_final)
        if settled.has_listing and not settled.is_final and not work.plan.unlisted:
            self._tell.notice("warning", "the service never gave a final list, so the last seconds are unconfirmed")
        return settled

    async def _stream_of_live(self, look: Look) -> Stream | None:
        """A live Space whose stream is not there yet: the host is just starting, or away. None: it ended meanwhile."""
        self._tell.notice("info", "live, but no stream yet; waiting")
        while True:
            await self._clock.sleep(NO_STREAM_YET_SECONDS)
            look = await self._looker.again(look)
            if look.state.is_over:
                if self._addresses:
                    return None
                raise NoReplayError(f"{look.title!r} ended before its stream appeared")
            with contextlib.suppress(HydrophoneError):
                stream = await self._source.stream(look.media_key)
                if stream is not None:
                    await self._remember_stream(stream)
                    return stream

    async def _drain(self, work: Work, fetcher: Fetcher) -> None:
        """After the first stop: let what is in flight land, for a few seconds."""
        if self._tell.mode is Mode.REPLAY:
            work.plan.forget_queue()
        work.take.note("stopped")
        with contextlib.suppress(TimeoutError):
            # Real seconds: the promise is made to whoever pressed the key.
            await asyncio.wait_for(fetcher.until_idle(), self._options.patience.stop)
        work.plan.forget_queue()

    # ------------------------------------------------------------------ after

    async def _finish(self, work: Work) -> Finished:
        look = self._look
        if look is None:
            raise NoReplayError("nothing is known about what was recorded")
        if look.raw is not None:
            look = replace(look, raw=without_own(look.raw, self._tools.own_ids))
        return await wrap_up(
            work,
            look,
            client=self._tools.client,
            options=self._options,
            clock=self._clock,
            stop=self._stop,
            tell=self._tell,
            turn=self._tools.finishing,
        )

    async def _salvage(self, error: HydrophoneError) -> Outcome:
        """The service gives nothing (more). What an earlier or this run has stored still becomes an item."""
        try:
            if self._work is None:
                self._work = await asyncio.to_thread(
                    reopen_work, self._source.key, self._options, self._tools.own_ids, self._tools.syncer
                )
            work = self._work
            if work is None or not len(work.take.index):
                return self._outcome(Result.FAILED, error=error)
            if self._look is None:
                for fact in work.take.events("look"):
                    self._look = read_look(fact)
            await self._unseal(work)
            finished = await self._finish(work)
        except HydrophoneError as second:
            return self._outcome(Result.FAILED, error=error if isinstance(second, NoReplayError) else second)
        self._tell.notice("warning", f"{error.message}; finished what is on disk")
        # Whether the Space went on after what is here, nobody can tell any more.
        is_settled = any(fact.get("final") for fact in work.take.events("settled"))
        result = self._result(finished) if is_settled else Result.GAPS
        return self._outcome(result, finished=finished, error=error)

    async def _close(self) -> None:
        work, self._work = self._work, None
        if work is not None:
            with contextlib.suppress(DiskError):
                await asyncio.to_thread(work.take.close)

    def _result(self, finished: Finished) -> Result:
        return Result.COMPLETE if finished.coverage.is_complete else Result.GAPS

    def _outcome(self, result: Result, *, finished: Finished | None = None, error: Exception | None = None) -> Outcome:
        work = self._work
        outcome = Outcome(
            key=self._source.key,
            link=self._link,
            result=result,
            title=self._look.title if self._look else "",
            directory=finished.directory if finished else (work.take.directory if work else None),
            media=finished.media if finished else None,
            coverage=finished.coverage if finished else None,
            duration_seconds=finished.layout.seconds if finished else 0.0,
            elapsed_seconds=self._tell.elapsed_seconds,
            error=error,
        )
        self._tell.emit(outcome)
        return outcome

    # ------------------------------------------------------------------ what is learned on the way

    def _see(self, look: Look) -> None:
        """A new look at the record, while a take is open."""
        work, before = self._work, self._look
        self._remember(look)
        if work is None:
            return
        if before is None or before is look or look_facts(before) != look_facts(look):
            work.take.note("look", **look_facts(look))
        work.audience.see(look, self._clock.now(), is_live=look.state is SpaceState.LIVE)

    def _remember(self, look: Look) -> None:
        self._look = look
        self._tell.listeners = look.listeners

    def _ask_status(self) -> Question[Stream | None]:
        source = self._source
        key = self._look.media_key if self._look else None
        return (yield from source.ask_stream(key)) if isinstance(source, HasStatusCall) else None

    async def _stream_again(self) -> Stream | None:
        return await self._source.stream(self._look.media_key if self._look else None)

    async def _remember_stream(self, stream: Stream) -> None:
        """The address of a stream is the only way back to a Space whose replay is off: saved before anything else."""
        self._door.use(stream)
        self._chat.use(stream)
        await self._addresses.remember(stream)
