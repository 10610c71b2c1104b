"""What is wanted, what is held, what is lost: the bookkeeping of one take, without any I/O.

Playlists *offer* segments; the plan queues those that are not held, hands them out (what is in the live window first,
then the oldest), and is told how each attempt ended. Memory grows with what is queued and with the holes, not with the
length of the recording.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from hydrophone.hls import NumberSet
from hydrophone.model import GapCause, Segment

MAX_ALTERNATIVES = 4  #: addresses remembered for one segment
MAX_SPAN = 300_000  #: segments in one epoch: ten days of three seconds each
Key = tuple[int, int]  #: epoch, sequence


@dataclass(slots=True)
class Job:
    """One segment to fetch. `addresses` holds where it has been offered, the newest last."""

    epoch: int
    segment: Segment
    is_urgent: bool
    addresses: list[str] = field(default_factory=list, repr=False)
    attempts: int = 0
    first_at: float = 0.0  #: when it was first handed out
    not_before: float = 0.0
    cause: GapCause = GapCause.NOT_FOUND
    seen_digests: list[int] = field(default_factory=list, repr=False)  #: of damaged bodies, in order of arrival

    @property
    def key(self) -> Key:
        return self.epoch, self.segment.sequence

    @property
    def address(self) -> str:
        """Where to ask this time: the addresses in turn."""
        return self.addresses[self.attempts % len(self.addresses)]


@dataclass(frozen=True, slots=True)
class Loss:
    """A segment that was given up for now."""

    cause: GapCause
    attempts: int


class Plan:
    """Decide which segment is fetched next.

    Args:
        held: numbers that are on disk already, for each epoch.
    """

    def __init__(self, held: Mapping[int, NumberSet] | None = None) -> None:
        self._held: dict[int, NumberSet] = dict(held or {})
        self._open: dict[Key, Job] = {}  # queued or in flight
        self._ready: list[tuple[bool, int, int]] = []  # heap: not urgent, epoch, sequence
        self._later: list[tuple[float, int, int]] = []  # heap: not before, epoch, sequence
        self._lost: dict[Key, Loss] = {}
        self._lost_jobs: dict[Key, Job] = {}
        self._known: dict[int, tuple[int, int]] = {}  # epoch -> lowest, highest number ever offered or held
        self._floor: Key = (0, 0)
        self._aliases = 0  # numbers that turned out to be other names of held segments
        for epoch, numbers in self._held.items():
            if numbers:
                self._know(epoch, numbers.lowest or 0, numbers.highest or 0)

    # ------------------------------------------------------------------ being told

    def offer(self, segments: Iterable[tuple[int, Segment]], *, is_urgent: bool = False) -> int:
        """Note that these can be had. Returns how many of them are new."""
        new = 0
        for epoch, segment in segments:
            key = (epoch, segment.sequence)
            if key < self._floor or not self._is_plausible(*key):
                continue
            self._know(epoch, segment.sequence, segment.sequence)
            if segment.sequence in self.held(epoch) or segment.is_gap:
                continue
            job = self._open.get(key)
            if job is None:
                # A segment that was given up is wanted again only when somebody names it anew at another address.
                lost = self._lost_jobs.get(key)
                if lost is not None and segment.url in lost.addresses:
                    continue
                new += 1
                self._lost.pop(key, None)
                self._lost_jobs.pop(key, None)
                job = Job(epoch, segment, is_urgent, [segment.url])
                self._open[key] = job
                heapq.heappush(self._ready, (not is_urgent, epoch, segment.sequence))
            elif segment.url not in job.addresses and len(job.addresses) < MAX_ALTERNATIVES:
                job.addresses.append(segment.url)
        return new

    def refuse(self, epoch: int, numbers: Iterable[int]) -> None:
        """Note entries that pointed where they must not."""
        for number in numbers:
            if not self._is_plausible(epoch, number):
                continue
            self._know(epoch, number, number)
            key = (epoch, number)
            if number not in self.held(epoch) and key not in self._open:
                self._lost.setdefault(key, Loss(GapCause.REFUSED, 0))

    def start_at(self, epoch: int, first: int) -> None:
        """From now on, nothing before this is wanted, whoever names it."""
        self._floor = (epoch, first)

    def begin_at(self, epoch: int, first: int) -> None:
        """Note that numbers from `first` on exist, whether or not anybody has named them."""
        low, high = self._known.get(epoch, (first, first - 1))
        self._known[epoch] = (min(low, first), high)

    def know(self, epoch: int, first: int, last: int) -> None:
        """Note that these numbers exist, though nobody may have named them to us."""
        if self._is_plausible(epoch, first) and self._is_plausible(epoch, last):
            self._know(epoch, first, last)

    def hold(self, epoch: int, number: int) -> None:
        """This segment is on the disk, though nobody has fetched it for us."""
        self._know(epoch, number, number)
        self.held(epoch).add(number)

    def have(self, job: Job) -> None:
        """The segment is stored."""
        self.held(job.epoch).add(job.segment.sequence)
        self._open.pop(job.key, None)
        self._lost.pop(job.key, None)
        self._lost_jobs.pop(job.key, None)

    def alias(self, epoch: int, number: int) -> None:
        """This number is another name of a segment that is held: it is neither wanted nor missing nor counted."""
        if not self._is_plausible(epoch, number) or number in self.held(epoch):
            return
        self._know(epoch, number, number)
        self.held(epoch).add(number)
        self._aliases += 1
        for known in (self._open, self._lost, self._lost_jobs):
            known.pop((epoch, number), None)

    def retry(self, job: Job, *, at: float, cause: GapCause) -> None:
        """The attempt failed; try again at that moment."""
        job.attempts += 1
        job.cause = cause
        job.not_before = at
        heapq.heappush(self._later, (at, job.epoch, job.segment.sequence))

    def give_up(self, job: Job, cause: GapCause) -> None:
        """No more attempts, unless `revive` is asked."""
        job.attempts += 1
        self._open.pop(job.key, None)
        self._lost[job.key] = Loss(cause, job.attempts)
        self._lost_jobs[job.key] = job

    def forget_queue(self) -> None:
        """Drop what is queued and not in flight: the user said stop."""
        for heap in (self._ready, self._later):
            for *_, epoch, sequence in heap:
                job = self._open.pop((epoch, sequence), None)
                if job is not None:
                    self._lost[job.key] = Loss(GapCause.STOPPED, job.attempts)
            heap.clear()

    def revive(self) -> int:
        """Queue once more everything that was given up and can still be asked for. Returns how many."""
        jobs = [job for key, job in self._lost_jobs.items() if key not in self._open]
        self._lost_jobs.clear()
        for job in jobs:
            self._lost.pop(job.key, None)
            job.first_at = 0.0
            job.seen_digests.clear()
            self._open[job.key] = job
            heapq.heappush(self._ready, (not job.is_urgent, job.epoch, job.segment.sequence))
        return len(jobs)

    # ------------------------------------------------------------------ being asked

    def next(self, now: float) -> Job | None:
        """The next segment to fetch, or None while there is nothing to do. The caller must report how it ended."""
        while self._later and self._later[0][0] <= now:
            _, epoch, sequence = heapq.heappop(self._later)
            job = self._open.get((epoch, sequence))
            if job is not None:
                heapq.heappush(self._ready, (not job.is_urgent, epoch, sequence))
        while self._ready:
            _, epoch, sequence = heapq.heappop(self._ready)
            job = self._open.get((epoch, sequence))
            if job is not None:
                if not job.first_at:
                    job.first_at = now
                return job
        return None

    def next_at(self) -> float | None:
        """When the earliest retry is due; None without any."""
        return self._later[0][0] if self._later else None

    @property
    def is_idle(self) -> bool:
        """Nothing queued, nothing in flight."""
        return not self._open

    @property
    def queued(self) -> int:
        return len(self._open)

    @property
    def has_losses(self) -> bool:
        """Something was given up that might come by itself; a key does not."""
        return any(self._lost[key].cause is not GapCause.SEALED for key in self._lost_jobs)

    def held(self, epoch: int) -> NumberSet:
        return self._held.setdefault(epoch, NumberSet())

    @property
    def epochs(self) -> list[int]:
        return sorted(self._known)

    def span(self, epoch: int) -> tuple[int, int] | None:
        """Lowest and highest number known to exist."""
        span = self._known.get(epoch)
        return span if span and span[1] >= span[0] else None

    @property
    def expected(self) -> int:
        """How many segments are known to exist."""
        return self._span_total - self._aliases

    def missing(self) -> Iterator[tuple[int, int, int]]:
        """Runs of numbers that are not held, as (epoch, first, last)."""
        for epoch in self.epochs:
            span = self.span(epoch)
            if span:
                for run in self.held(epoch).missing(*span):
                    yield epoch, run.start, run.stop - 1

    @property
    def unlisted(self) -> int:
        """How many numbers are neither held nor queued nor given up, because nobody has named them."""
        held = sum(len(numbers) for numbers in self._held.values())
        return self._span_total - held - len(self._open) - len(self._lost)

    def loss(self, epoch: int, number: int) -> Loss:
        """Why a number is missing."""
        key = (epoch, number)
        job = self._open.get(key)
        if job is not None:
            return Loss(GapCause.STOPPED if not job.attempts else job.cause, job.attempts)
        return self._lost.get(key, Loss(GapCause.NEVER_LISTED, 0))

    @property
    def _span_total(self) -> int:
        return sum(high - low + 1 for low, high in self._known.values() if high >= low)

    def _is_plausible(self, epoch: int, number: int) -> bool:
        # One hostile name must not make us count to 2^63.
        low, high = self._known.get(epoch, (number, number))
        return max(high, number) - min(low, number) <= MAX_SPAN

    def _know(self, epoch: int, low: int, high: int) -> None:
        span = self._known.get(epoch)
        self._known[epoch] = (low, high) if span is None else (min(span[0], low), max(span[1], high))
