"""One recording from the first look to the finished item: wait, follow live or fetch the replay, settle, finish.

A recording can be killed at any point and begun again; what is on disk is never fetched twice and never deleted.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from hydrophone.archive import Item, StreamStore, Take, find_item
from hydrophone.errors import (
    AbortedError,
    CanceledError,
    DiskError,
    HydrophoneError,
    NoReplayError,
    NotFoundError,
    NotStartedError,
    RateLimitedError,
)
from hydrophone.hls import NumberSet
from hydrophone.http import AsyncClient, Credential, HostKind, Request
from hydrophone.model import MediaKind, SpaceState, Stream
from hydrophone.recorder.audience import AudienceLog
from hydrophone.recorder.clock import Clock
from hydrophone.recorder.download import Failure, Media
from hydrophone.recorder.epochs import EpochMap
from hydrophone.recorder.events import (
    Event,
    Finishing,
    Mode,
    Notice,
    Outcome,
    Progress,
    Resolved,
    Result,
    Started,
    Waiting,
)
from hydrophone.recorder.fetching import Fetcher
from hydrophone.recorder.finishing import Finished, finish_item, look_facts, read_look
from hydrophone.recorder.listing import Listing
from hydrophone.recorder.live import Hooks, LivePhase
from hydrophone.recorder.options import RecordOptions, StopSignal
from hydrophone.recorder.plan import Job, Plan
from hydrophone.recorder.sealing import KeyRing
from hydrophone.recorder.settling import Settling
from hydrophone.recorder.sources import Look, Source
from hydrophone.recorder.waiting import next_look
from hydrophone.render.names import NameFacts, OutputTemplate, item_folder_name

T = TypeVar("T")
PROGRESS_SECONDS = 0.25
MAX_COVER_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What all recordings of a process share."""

    client: AsyncClient
    clock: Clock
    streams: StreamStore
    credential: Credential | None = None
    own_ids: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Work:
    """What exists once the take is open."""

    take: Take
    plan: Plan
    epochs: EpochMap
    audience: AudienceLog
    kind: MediaKind
    resumed: int


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
        self._tools = tools
        self._clock = tools.clock
        self._options = options
        self._link = link
        self._stop = stop
        self._emit = emit
        self._began = time.monotonic()
        self._mode = Mode.REPLAY
        self._shown = 0.0
        self._listeners: int | None = None
        self._work: _Work | None = None
        self._look: Look | None = None
        self._urls: list[str] = []

    async def run(self) -> Outcome:
        """Record, and say how it went. Errors of the service and the disk become an outcome; stopping twice raises.

        Raises:
            AbortedError: the user said stop twice. What is on disk stays; a re-run continues.
        """
        try:
            return await self._guard(self._record())
        except AbortedError:
            raise
        except HydrophoneError as error:
            return await self._salvage(error)
        finally:
            await self._close()

    # ------------------------------------------------------------------ the life of a recording

    async def _record(self) -> Outcome:
        look = await self._until_started(await self._look_first())
        if look is None:
            return self._outcome(Result.STOPPED)
        stream = await self._find_stream(look)
        work = self._open(look, stream.kind if stream else self._kind_of_known())
        stopped = await self._fetch_all(work, look, stream)
        finished = await self._finish(work)
        result = self._result(finished, stopped)
        return self._outcome(result, finished=finished)

    async def _look_first(self) -> Look:
        look = await self._source.look()
        self._remember(look)
        self._emit(
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

    async def _until_started(self, look: Look) -> Look | None:
        """Wait for a scheduled Space. None when the user said stop meanwhile."""
        while look.state in (SpaceState.SCHEDULED, SpaceState.CANCELED):
            if look.state is SpaceState.CANCELED:
                raise CanceledError(f"{look.title!r} was canceled; there is nothing to record")
            if not self._options.wait:
                raise NotStartedError(
                    f"{look.title!r} has not started"
                    + (f"; scheduled for {_stamp(look)}" if look.scheduled_at else ""),
                    scheduled_at=look.scheduled_at,
                    advice="use --wait to wait for it",
                )
            pause = next_look(self._clock.now(), look.scheduled_at)
            until = datetime.fromtimestamp(self._clock.now().timestamp() + pause, tz=self._clock.now().tzinfo)
            self._emit(Waiting(key=look.key, until=until, reason=f"scheduled for {_stamp(look)}"))
            if await self._stopped_within(pause):
                return None
            look = await self._look_patiently(look)
        return look

    async def _look_patiently(self, before: Look) -> Look:
        try:
            look = await self._source.look()
        except RateLimitedError as error:
            await self._stopped_within(max(1.0, (error.retry_at - self._clock.now()).total_seconds()))
            return before
        except NotFoundError:
            raise
        except HydrophoneError as error:
            self._notice("warning", f"{error.message}; trying again")
            await self._stopped_within(10.0)
            return before
        self._remember(look)
        return look

    async def _find_stream(self, look: Look) -> Stream | None:
        seen = await asyncio.to_thread(self._tools.streams.recall, look.key)
        self._urls = [seen.url] if seen is not None else []
        stream = await self._source.stream(look.media_key)
        if stream is not None:
            await self._remember_stream(stream)
        if stream is not None and stream.is_geoblocked:
            raise NoReplayError(
                f"{look.title!r} is not available in this region", advice="use --proxy with a proxy elsewhere"
            )
        if stream is None and not self._urls and look.state.is_over and look.state is not SpaceState.TIMED_OUT:
            raise NoReplayError(
                f"{look.title!r} has ended and its host switched the replay off",
                advice="only a Space whose stream was seen while it was live can still be fetched",
            )
        return stream

    async def _fetch_all(self, work: _Work, look: Look, stream: Stream | None) -> bool:
        """Fetch everything there is. True when the user cut it short."""
        tools, options = self._tools, self._options
        fetcher = Fetcher(
            client=tools.client,
            clock=self._clock,
            take=work.take,
            plan=work.plan,
            kind=work.kind,
            keys=KeyRing(tools.client, tools.credential),
            tally=self,
            patience=options.patience,
            connections=options.connections,
        )
        listing = Listing(
            client=tools.client,
            endpoints=tools.client.endpoints,
            clock=self._clock,
            take=work.take,
            plan=work.plan,
            epochs=work.epochs,
            kind=work.kind,
            wanted=options.format,
            patience=options.patience,
            on_new=fetcher.wake,
        )
        async with fetcher.running():
            done = await self._unless_stopped(self._phases(work, look, stream, listing, fetcher))
            if not done:
                await self._drain(work, fetcher)
        await work.take.sync()
        return not done

    async def _phases(self, work: _Work, look: Look, stream: Stream | None, listing: Listing, fetcher: Fetcher) -> None:
        is_live = look.state is SpaceState.LIVE or (look.state is SpaceState.UNKNOWN and not self._source.has_states)
        if is_live and stream is None:
            stream = await self._stream_of_live(look)
        if is_live and stream is not None and not await self._is_whole(listing, stream):
            self._mode = Mode.LIVE
            self._started(work)
            if not self._options.live_edge and work.kind is MediaKind.AUDIO:
                work.plan.begin_at(0, 0)
                work.take.note("begin", epoch=0, first=0)
            end = await LivePhase(
                source=self._source,
                clock=self._clock,
                listing=listing,
                plan=work.plan,
                options=self._options,
                hooks=Hooks(self._see, self._remember_stream, self._notice),
            ).run(look, stream)
            work.take.note("end", reason=end.reason, confirmed=end.is_confirmed)
            look = end.look
            if not self._source.has_states:
                return
        else:
            self._started(work)
        settled = await Settling(
            source=self._source,
            clock=self._clock,
            listing=listing,
            fetcher=fetcher,
            plan=work.plan,
            patience=self._options.patience,
            on_stream=self._remember_stream,
            notice=self._notice,
        ).run(look, self._urls)
        work.take.note("settled", reason=settled.reason, final=settled.is_final)
        if not settled.has_listing and not len(work.take.index):
            raise NoReplayError(f"{look.title!r} is over, and no list of its audio is to be had")
        with contextlib.suppress(HydrophoneError):
            self._remember(await self._source.look())

    async def _is_whole(self, listing: Listing, stream: Stream) -> bool:
        """A playlist without metadata that claims to be ended is a replay."""
        if self._source.has_states:
            return False
        found = await listing.media_playlist(stream.url)
        return getattr(found, "is_ended", False)

    async def _stream_of_live(self, look: Look) -> Stream:
        """A live Space whose stream is not there yet: the host is just starting, or away."""
        while True:
            self._notice("info", "live, but no stream yet; waiting")
            await self._clock.sleep(10.0)
            stream = await self._source.stream(look.media_key)
            if stream is not None:
                await self._remember_stream(stream)
                return stream
            look = await self._look_patiently(look)
            if look.state.is_over:
                raise NoReplayError(f"{look.title!r} ended before its stream appeared")

    async def _drain(self, work: _Work, fetcher: Fetcher) -> None:
        """After the first stop: let what is in flight land, for a few seconds."""
        if self._mode is Mode.REPLAY:
            work.plan.forget_queue()
        work.take.note("stopped")
        with contextlib.suppress(TimeoutError):
            # Real seconds: the promise is made to whoever pressed the key.
            await asyncio.wait_for(fetcher.until_idle(), self._options.patience.stop)
        work.plan.forget_queue()

    async def _finish(self, work: _Work) -> Finished:
        look = self._look
        if look is None:
            raise NoReplayError("nothing is known about what was recorded")
        cover = await self._cover(look)
        loop = asyncio.get_running_loop()

        def on_step(step: str) -> None:
            loop.call_soon_threadsafe(self._emit, Finishing(key=look.key, step=step))

        await work.take.sync()
        finished = await asyncio.to_thread(
            finish_item, work.take, work.plan, look, work.kind, cover=cover, on_step=on_step
        )
        for text in finished.notices:
            # The manifest is written and holds the journal's digest: nothing may be added to the journal any more.
            self._emit(Notice(key=look.key, level="warning", text=text))
        if finished.coverage.is_complete and look.state.is_over and not self._options.keep_media_log:
            await asyncio.to_thread(work.take.release_media)
        return finished

    async def _cover(self, look: Look) -> bytes | None:
        if not look.cover_url:
            return None
        url = look.cover_url.replace("_normal.", "_400x400.")
        request = Request("GET", url, kind=HostKind.AVATAR, max_bytes=MAX_COVER_BYTES, deadline_seconds=10.0)
        with contextlib.suppress(HydrophoneError):
            reply = await self._tools.client.send(request)
            return reply.body if reply.status == 200 else None
        return None

    async def _salvage(self, error: HydrophoneError) -> Outcome:
        """The service gives nothing (more). What an earlier or this run has stored still becomes an item."""
        try:
            work = self._work or self._reopen()
            if work is None or not len(work.take.index):
                return self._outcome(Result.FAILED, error=error)
            finished = await self._finish(work)
        except HydrophoneError as second:
            return self._outcome(Result.FAILED, error=error if isinstance(second, NoReplayError) else second)
        self._emit(Notice(key=self._source.key, level="warning", text=f"{error.message}; finished what is on disk"))
        return self._outcome(self._result(finished, stopped=False), finished=finished, error=error)

    def _reopen(self) -> _Work | None:
        """The take of an earlier run, when the service does not even tell any more what it was."""
        item = find_item(self._options.archive, self._source.key)
        directory = self._options.directory or (item.path if item else None)
        if directory is None:
            return None
        take = Take.open(directory)
        if self._look is None:
            for fact in take.events("look"):
                self._look = read_look(fact)
        kind = MediaKind(str(take.header.get("media", MediaKind.AUDIO.value)))
        return self._resume(take, kind)

    # ------------------------------------------------------------------ the take

    def _open(self, look: Look, kind: MediaKind) -> _Work:
        directory = self._options.directory or self._directory(look, kind)
        Item.create(directory, look.key)
        take = Take.open(directory, create_facts={"id": look.key, "link": look.link, "media": kind.value})
        work = self._resume(take, kind)
        self._see(look)
        return work

    def _directory(self, look: Look, kind: MediaKind) -> Path:
        """The folder of an earlier run, whatever the title was then, or a new one."""
        archive = self._options.archive
        usual = archive.joinpath(*self._folder(look, kind))
        found = None if Item(usual).saved_id() == look.key else find_item(archive, look.key)
        return found.path if found else usual

    def _resume(self, take: Take, kind: MediaKind) -> _Work:
        """What a take knows from its journal, ready to go on."""
        boundaries = [int(fact["begins_ns"]) for fact in take.events("epoch")]
        epochs = EpochMap(boundaries)
        held: dict[int, NumberSet] = {}
        index = take.index
        for epoch, sequence, row in index:
            if index.is_complete(row):
                held.setdefault(epoch, NumberSet()).add(sequence)
        for stored in take.segments() if len(index) else ():
            # A restart of the numbering during the pause is noticed only by who knows how far the last run came.
            epochs.know(stored.epoch, stored.sequence, stored.written_ns)
        plan = Plan(held)
        for fact in take.events("begin"):
            plan.begin_at(int(fact["epoch"]), int(fact["first"]))
        for fact in take.events("known"):
            plan.know(int(fact["epoch"]), int(fact["first"]), int(fact["last"]))
        audience = AudienceLog(take, self._tools.own_ids)
        audience.resume()
        self._work = _Work(take, plan, epochs, audience, kind, index.total_segments)
        return self._work

    def _folder(self, look: Look, kind: MediaKind) -> tuple[str, ...]:
        facts = NameFacts(
            id=look.key,
            kind="space" if kind is MediaKind.AUDIO else "broadcast",
            title=look.title,
            creator=look.creator,
            state=look.state.value,
            language=look.language,
            created_at=look.created_at,
            started_at=look.started_at,
            scheduled_at=look.scheduled_at,
        )
        if self._options.output:
            return OutputTemplate(self._options.output).parts(facts)
        return item_folder_name(facts)

    def _kind_of_known(self) -> MediaKind:
        return MediaKind.VIDEO if self._urls and "/audio-space/" not in self._urls[-1] else MediaKind.AUDIO

    async def _close(self) -> None:
        work, self._work = self._work, None
        if work is not None:
            with contextlib.suppress(DiskError):
                await asyncio.to_thread(work.take.close)

    # ------------------------------------------------------------------ what the parts tell

    def stored(self, job: Job, media: Media) -> None:
        """A segment is in the take (see `Tally`)."""
        self._progress()

    def failed(self, job: Job, failure: Failure) -> None:
        """An attempt gave nothing (see `Tally`)."""
        self._progress()

    def paused(self, error: DiskError) -> None:
        """The disk takes nothing more; said once."""
        self._notice("warning", f"{error.message}; fetching is paused and goes on when the disk does")

    def resumed(self) -> None:
        """The disk is back."""
        self._notice("info", "the disk is back; going on")

    def _started(self, work: _Work) -> None:
        self._began = time.monotonic()
        self._emit(
            Started(key=self._source.key, mode=self._mode, directory=work.take.directory, resumed_segments=work.resumed)
        )

    def _progress(self) -> None:
        now = time.monotonic()
        if now - self._shown < PROGRESS_SECONDS or self._work is None:
            return
        self._shown = now
        plan, index = self._work.plan, self._work.take.index
        self._emit(
            Progress(
                key=self._source.key,
                mode=self._mode,
                segments=index.total_segments,
                expected=plan.expected,
                size_bytes=index.total_bytes,
                seconds=index.total_seconds,
                missing=max(0, plan.expected - index.total_segments - plan.queued),
                elapsed_seconds=now - self._began,
                listeners=self._listeners,
            )
        )

    def _see(self, look: Look) -> None:
        """A new look at the record, while a take is open."""
        changed = self._look is None or look_facts(self._look) != look_facts(look)
        first = self._look is look
        self._remember(look)
        if self._work is None:
            return
        if changed or first:
            self._work.take.note("look", **look_facts(look))
        self._work.audience.see(look, self._clock.now(), is_live=look.state is SpaceState.LIVE)

    def _remember(self, look: Look) -> None:
        self._look = look
        self._listeners = look.listeners

    async def _remember_stream(self, stream: Stream) -> None:
        """The address of a stream is the only way back to a Space whose replay is off: saved before anything else."""
        if stream.url not in self._urls:
            self._urls.append(stream.url)
        if self._source.link:
            await asyncio.to_thread(self._remember_url, stream.url, self._clock.now())

    def _remember_url(self, url: str, at: datetime) -> None:
        self._tools.streams.remember(self._source.key, url, seen_at=at)

    def _notice(self, level: str, text: str) -> None:
        self._emit(Notice(key=self._source.key, level=level, text=text))
        if self._work is not None:
            with contextlib.suppress(HydrophoneError):
                self._work.take.note("notice", level=level, text=text)

    # ------------------------------------------------------------------ stopping

    async def _guard(self, work: Coroutine[Any, Any, T]) -> T:
        """Run it until it ends or the user aborts."""
        task = asyncio.ensure_future(work)
        abort = asyncio.ensure_future(self._stop.aborting())
        try:
            await asyncio.wait({task, abort}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return _unwrap(task)
            raise AbortedError("stopped at once", advice="what was fetched is on disk; run the same command to go on")
        finally:
            for one in (task, abort):
                one.cancel()
            await asyncio.gather(task, abort, return_exceptions=True)

    async def _unless_stopped(self, work: Awaitable[None]) -> bool:
        """Run it until it ends or the user says stop. True when it ended by itself."""
        task = asyncio.ensure_future(work)
        stop = asyncio.ensure_future(self._stop.finishing())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
                return True
            return False
        finally:
            for one in (task, stop):
                one.cancel()
            await asyncio.gather(task, stop, return_exceptions=True)

    async def _stopped_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._stop.finishing(), self._clock.real(seconds))
        except TimeoutError:
            return False
        return True

    # ------------------------------------------------------------------ the end

    def _result(self, finished: Finished, stopped: bool) -> Result:
        if stopped:
            return Result.STOPPED
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
            elapsed_seconds=time.monotonic() - self._began,
            error=error,
        )
        self._emit(outcome)
        return outcome


def _unwrap(task: asyncio.Future[T]) -> T:
    """The task's result; a group of one error (from the workers) is opened, so that callers see the typed error."""
    try:
        return task.result()
    except BaseExceptionGroup as group:
        typed = group.subgroup(HydrophoneError)
        if typed is not None:
            first: BaseException = typed
            while isinstance(first, BaseExceptionGroup):
                first = first.exceptions[0]
            raise first from group
        raise


def _stamp(look: Look) -> str:
    return f"{look.scheduled_at:%Y-%m-%d %H:%M} UTC" if look.scheduled_at else "an unknown time"
