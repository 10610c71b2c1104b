"""One broadcast as a whole: the feed, a sender for each target, and the order in which they begin and end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Protocol

from hydrophone.broadcasting.events import BroadcastEvent, Notice, Opened, Sent, TargetOutcome
from hydrophone.broadcasting.feed import Feed, Listener, Setup
from hydrophone.broadcasting.producing import Ingest, Producer, created, publish_when_ready
from hydrophone.broadcasting.sending import Limits, Sender
from hydrophone.broadcasting.targets import PERISCOPE, Target, ingest_target, unique_labels
from hydrophone.errors import AbortedError, HydrophoneError, UnreachableError
from hydrophone.media.flv import Tag
from hydrophone.media.inputs import Input
from hydrophone.media.playing import Plan

TELL_SECONDS = 1.0


class Stop(Protocol):
    """The user's two steps of stopping: `hydrophone.recorder.options.StopSignal` is one."""

    @property
    def is_finishing(self) -> bool: ...
    async def finishing(self) -> None: ...
    async def aborting(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastOptions:
    """How to go on air.

    Attributes:
        title: what a service calls the broadcast; "" takes the source's name.
        picture: JPEG or PNG that is shown with sound alone; None draws one.
        speed: media seconds in a second of the clock; other than 1 only for tests.
        ca_file: certificates to trust beside the system's, for rtmps.
        allow_local_ingest: a producer API may name an ingest on this machine (a sandbox).
    """

    title: str = ""
    picture: bytes | None = field(default=None, repr=False)
    speed: float = 1.0
    limits: Limits = field(default_factory=Limits)
    ca_file: str | None = None
    allow_local_ingest: bool = False


async def broadcast(
    source: Input,
    targets: Sequence[Target],
    *,
    stop: Stop,
    producer: Producer | None = None,
    options: BroadcastOptions | None = None,
    on_event: Callable[[BroadcastEvent], None] = lambda event: None,
) -> list[TargetOutcome]:
    """Play `source` to all targets at once; one outcome for each, in their order, the producer's last.

    Args:
        producer: a service to go on air at, beside the targets. Publishing is public: ask the user before.

    Raises:
        MediaError: the source cannot be played.
        UnreachableError: not one target could be reached at the beginning.
        AbortedError: `stop` was told twice.
    """
    options = options or BroadcastOptions()
    title = options.title or source.name
    async with AsyncExitStack() as stack:
        ingest: Ingest | None = None
        named = list(targets)
        if producer is not None:
            ingest = await stack.enter_async_context(created(producer, title))
            where = ingest_target(ingest.server, ingest.stream_key, allow_local=options.allow_local_ingest)
            named.append(replace(where, label=PERISCOPE))
        show = _Show(source, unique_labels(named), options, on_event)
        extra = None if producer is None or ingest is None else (producer, ingest, title)
        return await show.run(stop, extra)


class _Show:
    """What happens while a broadcast lasts."""

    def __init__(
        self,
        source: Input,
        targets: list[Target],
        options: BroadcastOptions,
        emit: Callable[[BroadcastEvent], None],
    ) -> None:
        self._source, self._targets, self._options, self._emit = source, targets, options, emit
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[Setup] = self._loop.create_future()
        self._ended = asyncio.Event()
        self._error: HydrophoneError | None = None
        self._senders: list[Sender] = []
        self._share_url = ""
        self._publish_error: HydrophoneError | None = None
        listener = Listener(
            ready=lambda plan, setup: self._call(self._on_ready, plan, setup),
            tag=lambda tag: self._call(self._on_tag, tag),
            changed=lambda setup: self._call(self._on_changed, setup),
            ended=lambda error, note: self._call(self._on_ended, error, note),
        )
        self._feed = Feed(source, listener, picture=options.picture, speed=options.speed)

    async def run(self, stop: Stop, extra: tuple[Producer, Ingest, str] | None) -> list[TargetOutcome]:
        """Begin, last, end."""
        work = asyncio.ensure_future(self._work(stop, extra))
        aborting = asyncio.ensure_future(stop.aborting())
        try:
            await asyncio.wait((work, aborting), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise AbortedError("stopped at once")
            return work.result()
        finally:
            self._feed.stop()
            for task in (work, aborting):
                task.cancel()
            await asyncio.gather(work, aborting, return_exceptions=True)

    async def _work(self, stop: Stop, extra: tuple[Producer, Ingest, str] | None) -> list[TargetOutcome]:
        self._feed.start()
        stopping = asyncio.ensure_future(stop.finishing())
        tasks: list[asyncio.Task[None]] = []
        try:
            if not await self._until_ready(stopping):
                return [TargetOutcome(target=target.label, result=Sent.STOPPED) for target in self._targets]
            tasks = [asyncio.create_task(sender.run()) for sender in self._senders]
            tasks.append(asyncio.create_task(self._tell()))
            if extra is not None:
                tasks.append(asyncio.create_task(self._publish(*extra)))
            await self._until_reached(stopping)
            self._feed.go()
            came_to_its_end = await self._first(self._ended.wait(), stopping)
            self._feed.stop()
            for sender in self._senders:
                sender.end()
            await asyncio.gather(*tasks[: len(self._senders)])
            if self._error is not None and came_to_its_end:
                raise self._error
            return self._outcomes(is_stopped=not came_to_its_end)
        finally:
            for task in (*tasks, stopping):
                task.cancel()
            await asyncio.gather(*tasks, stopping, return_exceptions=True)

    # ------------------------------------------------------------ beginning and ending

    async def _until_ready(self, stopping: asyncio.Future[None]) -> bool:
        """False when the user said stop before the source had said what it is."""
        if not await self._first(self._ready, stopping):
            return False
        setup = self._ready.result()
        self._senders = [
            Sender(
                target,
                setup,
                limits=self._options.limits,
                speed=self._options.speed,
                emit=self._emit,
                is_waited_for=self._feed.waits,
                ca_file=self._options.ca_file,
            )
            for target in self._targets
        ]
        return True

    async def _until_reached(self, stopping: asyncio.Future[None]) -> None:
        """Wait for every target's first answer, so that the beginning is not lost: briefly, once one has the stream."""
        limits = self._options.limits
        await self._first(self._all_answered(), stopping, within=limits.start)
        if any(sender.is_connected for sender in self._senders):
            return
        # Everything may be slow: a busy machine takes its time to start the processes.
        if not await self._first(self._one_connected(), stopping, within=limits.patience) and not stopping.done():
            reasons = "; ".join(f"{sender.target.label}: {sender.reason or 'no answer'}" for sender in self._senders)
            raise UnreachableError(
                f"nobody takes the stream: {reasons}",
                advice="Check the addresses, the keys and whether the servers expect a stream now.",
            )
        await self._first(self._all_answered(), stopping, within=limits.start)

    async def _all_answered(self) -> None:
        for sender in self._senders:
            await sender.first_answer.wait()

    async def _one_connected(self) -> None:
        waits = [asyncio.ensure_future(sender.connected.wait()) for sender in self._senders]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _first(
        self, wanted: Awaitable[object], stopping: asyncio.Future[None], *, within: float | None = None
    ) -> bool:
        """True when `wanted` has come, False when the user said stop or the time was over before."""
        waiting = asyncio.ensure_future(wanted)
        await asyncio.wait((waiting, stopping), timeout=within, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            waiting.result()
            return True
        waiting.cancel()
        return False

    async def _publish(self, producer: Producer, ingest: Ingest, title: str) -> None:
        sender = self._senders[-1]
        try:
            self._share_url = await publish_when_ready(producer, ingest, sender, title, self._emit)
        except HydrophoneError as error:
            self._publish_error = error
            self._emit(Notice(text=f"{sender.target.label} does not publish: {error.message}"))
            sender.end()

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(TELL_SECONDS)
            for sender in self._senders:
                if not sender.is_over:
                    self._emit(sender.status())

    def _outcomes(self, *, is_stopped: bool) -> list[TargetOutcome]:
        outcomes = [sender.outcome(is_stopped=is_stopped) for sender in self._senders]
        if self._share_url:
            outcomes[-1] = replace(outcomes[-1], share_url=self._share_url)
        if self._publish_error is not None:
            outcomes[-1] = replace(outcomes[-1], result=Sent.FAILED, error=self._publish_error)
        for outcome in outcomes:
            self._emit(outcome)
        return outcomes

    # ------------------------------------------------------------ what the feed says, on the loop

    def _call(self, what: Callable[..., None], *arguments: object) -> None:
        # The loop may be gone: the feed's thread can be the last to hear of the end.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(what, *arguments)

    def _on_ready(self, plan: Plan, setup: Setup) -> None:
        self._emit(Opened(source=self._source.name, audio=plan.audio, video=plan.video))
        if not self._ready.done():
            self._ready.set_result(setup)

    def _on_tag(self, tag: Tag) -> None:
        for sender in self._senders:
            sender.offer(tag)

    def _on_changed(self, setup: Setup) -> None:
        for sender in self._senders:
            sender.renew(setup)

    def _on_ended(self, error: HydrophoneError | None, note: str) -> None:
        self._error = error
        if note:
            self._emit(Notice(text=note))
        if error is not None and not self._ready.done():
            self._ready.set_exception(error)
        self._ended.set()
