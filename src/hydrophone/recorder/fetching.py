"""The workers that empty a plan: fetch, look, store; or try again, or give up."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import Protocol

from hydrophone.archive import Take
from hydrophone.archive.segments import SEALED
from hydrophone.audio import Grade
from hydrophone.errors import DiskError
from hydrophone.model import GapCause, MediaKind
from hydrophone.recorder.clock import Clock
from hydrophone.recorder.door import Sender
from hydrophone.recorder.download import Downloader, Failure, Media, cut_range, examine, examine_quickly
from hydrophone.recorder.options import Patience
from hydrophone.recorder.plan import Job, Key, Plan
from hydrophone.recorder.sealing import KeyRing, is_whole_cipher, note_sealed

SAME_BODIES = 3  #: a damaged body that comes so many times, byte for byte, is what the origin really offers
REMEMBERED = 256  #: bodies remembered to recognise the same bytes under another number
BACKOFF = (0.3, 0.7, 1.5, 3.0, 5.0, 8.0)


class Tally(Protocol):
    """Whoever wants to know about each attempt: progress, health of the stream's address."""

    def stored(self, job: Job, media: Media) -> None: ...

    def failed(self, job: Job, failure: Failure) -> None: ...

    def paused(self, error: DiskError) -> None: ...

    def resumed(self) -> None: ...


class Fetcher:
    """Fetch what the plan wants, `connections` at a time, until closed.

    Segments that are damaged are asked for again; the best copy wins, and one that stays short is stored as such.
    """

    def __init__(
        self,
        *,
        client: Sender,
        clock: Clock,
        take: Take,
        plan: Plan,
        kind: MediaKind,
        keys: KeyRing,
        tally: Tally,
        patience: Patience,
        connections: int,
        rng: random.Random | None = None,
    ) -> None:
        self._clock = clock
        self._take = take
        self._plan = plan
        self._kind = kind
        self._keys = keys
        self._tally = tally
        self._patience = patience
        self._connections = connections
        self._rng = rng or random.Random()
        self._downloader = Downloader(client, clock, patience)
        self._idle = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        self._workers: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._bodies: OrderedDict[int, tuple[Key, str]] = OrderedDict()
        self._best: dict[Key, Media] = {}

    def wake(self) -> None:
        """The plan has new entries."""
        self._idle.clear()
        self._pump()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Fetcher]:
        """Fetch while the block runs. What a worker cannot handle (a dead disk) is raised in the block."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._pump()
            try:
                yield self
            finally:
                self._group = None
                if self._timer is not None:
                    self._timer.cancel()
                for worker in tuple(self._workers):
                    worker.cancel()

    async def until_idle(self) -> None:
        """Return when the plan has nothing queued and nothing is in flight."""
        while not self._plan.is_idle:
            self._idle.clear()
            await self._idle.wait()

    def _pump(self) -> None:
        """Start a worker for each segment that is due, as far as connections allow. Who waits costs no task."""
        if self._group is None:
            return
        now = self._clock.monotonic()
        while len(self._workers) < self._connections and (job := self._plan.next(now)) is not None:
            self._workers.add(self._group.create_task(self._work(job)))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._plan.next_at()
        if due is not None and len(self._workers) < self._connections:
            pause = self._clock.real(max(0.0, due - now), at_least=0.001)
            self._timer = asyncio.get_running_loop().call_later(pause, self._pump)

    async def _work(self, first: Job) -> None:
        job: Job | None = first
        try:
            while job is not None:
                await self._do(job)
                job = self._plan.next(self._clock.monotonic())
        finally:
            self._workers -= {asyncio.current_task()}
        if self._plan.is_idle:
            self._idle.set()
        self._pump()

    async def _do(self, job: Job) -> None:
        segment = job.segment
        found = await self._downloader.fetch(job.address, segment.byte_range)
        if isinstance(found, Failure):
            await self._failed(job, found)
            return
        body = cut_range(found, segment.byte_range)
        if segment.key is not None:
            opened = await self._keys.open(segment, body)
            if isinstance(opened, Failure):
                await self._closed(job, body, opened)
                return
            body = opened
        media = examine_quickly(body, segment, self._kind)
        if media is None:
            # Hostile bytes take more than a second; nobody else shall wait for them.
            media = await asyncio.to_thread(examine, body, segment, self._kind)
        if isinstance(media, Failure):
            await self._failed(job, media)
        elif media.grade is Grade.COMPLETE:
            await self._store(job, media)
        else:
            await self._doubt(job, media)

    async def _doubt(self, job: Job, media: Media) -> None:
        """A damaged body: keep the longest, ask again, and accept it for now when nothing else comes."""
        best = self._best.get(job.key)
        if best is None or _rank(media) > _rank(best):
            self._best[job.key] = media
        job.seen_digests.append(hash(media.body))
        same = len(job.seen_digests) >= SAME_BODIES and len(set(job.seen_digests[-SAME_BODIES:])) == 1
        self._tally.failed(job, Failure(GapCause.DAMAGED, "short or damaged"))
        if same or self._is_out_of_patience(job, self._patience.transient):
            await self._accept_damaged(job)
        else:
            self._retry(job, GapCause.DAMAGED)

    async def _accept_damaged(self, job: Job) -> None:
        """Half a segment is better than none. It counts as given up, so that it is asked for again in the end."""
        media = self._best.pop(job.key)
        await self._write(job, media, verdict=media.grade.value)
        self._plan.give_up(job, GapCause.DAMAGED)

    async def _store(self, job: Job, media: Media) -> None:
        self._best.pop(job.key, None)
        twin = self._twin(job, media)
        if twin is not None:
            self._take.note("same bytes", epoch=job.epoch, seq=job.segment.sequence, as_epoch=twin[0], as_seq=twin[1])
            self._plan.alias(*job.key)
            return
        await self._write(job, media, verdict=media.grade.value)
        self._plan.have(job)
        self._tally.stored(job, media)

    async def _write(self, job: Job, media: Media, *, verdict: str) -> None:
        segment = job.segment
        while True:
            try:
                self._take.add_segment(
                    job.epoch,
                    segment.sequence,
                    media.body,
                    frames=media.frames if media.rate else None,
                    runs=media.runs,
                    verdict=verdict,
                    name=segment.name,
                    duration_seconds=segment.duration_seconds,
                    written_ns=segment.written_ns,
                    ticks=media.ticks,
                    rate=media.rate,
                    channels=media.channels,
                    source="live" if job.is_urgent else "list",
                )
                await self._take.settle()
                return
            except DiskError as error:
                # The disk is full or gone. What was fetched is kept in memory until it can be written.
                self._tally.paused(error)
                await self._until_writable()
                self._tally.resumed()

    async def _until_writable(self) -> None:
        while not await asyncio.to_thread(self._take.try_resume):
            await self._clock.sleep(2.0)

    async def _closed(self, job: Job, body: bytes, failure: Failure) -> None:
        """An encrypted body that did not open. Without a key it is kept, so that nothing is lost if one turns up."""
        hopeless = self._is_out_of_patience(job, self._patience.transient)
        if failure.cause is not GapCause.SEALED and not (hopeless and is_whole_cipher(body)):
            await self._failed(job, failure)
            return
        self._tally.failed(job, failure)
        await self._write(job, Media(body, Grade.SUSPECT), verdict=SEALED)
        note_sealed(self._take, job.epoch, job.segment)
        self._plan.give_up(job, GapCause.SEALED)

    def _twin(self, job: Job, media: Media) -> Key | None:
        """Another number under which this very segment is stored already.

        Equal bytes alone prove nothing, since silence without tags is the same each time. They do where a clock is
        inside, or where they come from the same address.
        """
        path = job.segment.url.partition("?")[0]
        known = self._bodies.setdefault(hash(media.body), (job.key, path))
        if len(self._bodies) > REMEMBERED:
            self._bodies.popitem(last=False)
        key, known_path = known
        return key if key != job.key and (media.ticks is not None or path == known_path) else None

    async def _failed(self, job: Job, failure: Failure) -> None:
        self._tally.failed(job, failure)
        patience = self._patience.absent if failure.cause is GapCause.NOT_FOUND else self._patience.transient
        if not failure.is_final and not self._is_out_of_patience(job, patience):
            self._retry(job, failure.cause)
        elif job.key in self._best:
            await self._accept_damaged(job)
        else:
            self._plan.give_up(job, failure.cause)

    def _is_out_of_patience(self, job: Job, seconds: float) -> bool:
        return self._clock.monotonic() - job.first_at > seconds

    def _retry(self, job: Job, cause: GapCause) -> None:
        pause = BACKOFF[min(job.attempts, len(BACKOFF) - 1)] * self._rng.uniform(0.5, 1.0)
        self._plan.retry(job, at=self._clock.monotonic() + pause, cause=cause)


def _rank(media: Media) -> tuple[int, int]:
    return len(media.frames), len(media.body)
