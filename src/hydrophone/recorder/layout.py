"""Where each second of a finished recording comes from: stored segments in order, and silence where one is missing.

Silence has the right length so that time stays true: captions, chapters and quotes point at the same second whether or
not something was lost. Where both neighbours of a gap carry the service's own clock, that clock says how long it was.

Source: playlist reference, "Timing rules and gaps"; timed metadata reference, "Silence".
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from hydrophone.archive import StoredSegment
from hydrophone.archive.segments import COMPLETE, SEALED
from hydrophone.audio import silent_frames, silent_frames_for_missing
from hydrophone.media.frames import SAMPLES_PER_FRAME
from hydrophone.model import Coverage, Gap, GapCause
from hydrophone.recorder.plan import Plan

See = Callable[[float, StoredSegment], None]

CLOCK_SLACK_SECONDS = 3.0  #: further off than this from the nominal length, the clock tells of the host, not of a gap
DEFAULT_RATE, DEFAULT_CHANNELS = 48_000, 2


@dataclass(slots=True)
class Part:
    """A run of segments with one sample rate and channel count: one audio file.

    `silence` maps the ordinal of a segment within the part to the silent frames in front of it; `tail` frames follow
    the last. Where the frames stand in the original is kept in arrays, two bytes for a frame, so that the writer of the
    audio file need not read the journal again.
    """

    rate: int
    channels: int
    first: int  #: ordinal of its first segment in the whole recording
    segments: int = 0
    frames: int = 0  #: silence included
    silence: dict[int, int] = field(default_factory=dict)
    tail: int = 0
    sizes: array[int] = field(default_factory=lambda: array("H"), repr=False)  #: of all frames, header included
    run_counts: array[int] = field(default_factory=lambda: array("I"), repr=False)  #: runs of frames in each segment
    run_begins: array[int] = field(default_factory=lambda: array("Q"), repr=False)  #: of each run, in the original
    run_frames: array[int] = field(default_factory=lambda: array("I"), repr=False)

    @property
    def seconds(self) -> float:
        return self.frames * SAMPLES_PER_FRAME / self.rate

    def place(self, index: int, stored: StoredSegment) -> None:
        """Remember where the frames of segment `index` of this part stand. Segments that were passed over have none."""
        self.run_counts.extend([0] * (index - len(self.run_counts)))
        self.run_counts.append(len(stored.runs) if stored.frame_sizes else 0)
        if stored.frame_sizes:
            self.sizes.extend(stored.frame_sizes)
            for offset, count in stored.runs:
                self.run_begins.append(stored.position + offset)
                self.run_frames.append(count)


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole recording. `held_seconds` counts frames for audio and EXTINF for video; silence is not in it."""

    parts: tuple[Part, ...]
    gaps: tuple[Gap, ...]
    held: int
    expected: int
    held_seconds: float
    seconds: float

    @property
    def coverage(self) -> Coverage:
        missing = sum(gap.end_seconds - gap.begin_seconds for gap in self.gaps)
        return Coverage(
            segments=self.held,
            expected=self.expected,
            seconds=self.held_seconds,
            missing_seconds=missing,
            gaps=self.gaps,
        )


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What the clock says about the nearest segment before a gap."""

    ticks: int | None
    frames: int  #: that follow the clock's word: the segment's own, and silence for what it lacks
    sequence: int
    epoch: int


class _Builder:
    """Walk the stored segments once, in order."""

    def __init__(self, plan: Plan, see: See | None) -> None:
        self._plan = plan
        self._show = see
        self.parts: list[Part] = []
        self.gaps: list[Gap] = []
        self.held = 0
        self.ordinal = 0
        # Fractions, so that two hours are 7200 s and not a hair less.
        self.held_seconds = Fraction(0)
        self.silent_seconds = Fraction(0)
        self._part_begin = 0.0
        self._part_video = 0.0  # seconds without frames of this part
        self._before: _Stamp | None = None
        self._sealed: set[tuple[int, int]] = set()
        self._pending: list[tuple[int, int, int]] = []  # gaps that wait for the segment after them

    @property
    def seconds(self) -> Fraction:
        """How long the recording is so far."""
        return self.held_seconds + self.silent_seconds

    # ------------------------------------------------------------------ walking

    def gap(self, epoch: int, first: int, last: int) -> None:
        self._pending.append((epoch, first, last))

    def segment(self, stored: StoredSegment) -> None:
        self.held += 1
        if stored.verdict == SEALED:
            self._sealed.add((stored.epoch, stored.sequence))
            self.gap(stored.epoch, stored.sequence, stored.sequence)
            self.ordinal += 1
            return
        part = self._part(stored)
        self._settle_pending(part, stored)
        frames = stored.frames
        part.place(self.ordinal - part.first, stored)
        part.segments = self.ordinal - part.first + 1
        part.frames += frames
        if self._show is not None:
            before = (part.frames - frames) * SAMPLES_PER_FRAME / part.rate
            self._show(self._part_begin + self._part_video + before, stored)
        if not frames:
            self._part_video += stored.duration_seconds or 0.0
        self.held_seconds += _length(frames, stored.rate or DEFAULT_RATE, stored.duration_seconds)
        self.ordinal += 1
        if stored.verdict != COMPLETE:
            frames += self._short(part, stored)
        self._before = _Stamp(stored.ticks, frames, stored.sequence, stored.epoch)

    def finish(self) -> None:
        part = self.parts[-1] if self.parts else Part(DEFAULT_RATE, DEFAULT_CHANNELS, self.ordinal)
        for epoch, first, last in self._pending:
            frames = silent_frames_for_missing(last - first + 1, part.rate)
            part.tail += frames
            self._add_gap(part, epoch, first, last, frames)
        self._pending.clear()

    # ------------------------------------------------------------------ pieces

    def _part(self, stored: StoredSegment) -> Part:
        rate, channels = stored.rate or DEFAULT_RATE, stored.channels or DEFAULT_CHANNELS
        if self.parts and (self.parts[-1].rate, self.parts[-1].channels) == (rate, channels):
            return self.parts[-1]
        if self.parts:
            self._part_begin += self.parts[-1].seconds + self._part_video
            self._part_video = 0.0
        part = Part(rate, channels, self.ordinal)
        self.parts.append(part)
        return part

    def _settle_pending(self, part: Part, after: StoredSegment) -> None:
        if not self._pending:
            return
        counts = [last - first + 1 for _, first, last in self._pending]
        total = self._silent_frames(sum(counts), after, part.rate)
        placed = 0
        for at, ((epoch, first, last), count) in enumerate(zip(self._pending, counts, strict=True)):
            share = total - placed if at == len(counts) - 1 else total * count // sum(counts)
            placed += share
            self._add_gap(part, epoch, first, last, share)
        part.silence[self.ordinal - part.first] = part.silence.get(self.ordinal - part.first, 0) + total
        self._pending.clear()

    def _silent_frames(self, missing: int, after: StoredSegment, rate: int) -> int:
        nominal = silent_frames_for_missing(missing, rate)
        before = self._before
        if before is None or before.ticks is None or after.ticks is None or before.epoch != after.epoch:
            return nominal
        by_clock = silent_frames(before.ticks, after.ticks, before.frames, rate)
        if by_clock is None or abs(by_clock - nominal) * SAMPLES_PER_FRAME > CLOCK_SLACK_SECONDS * rate:
            return nominal
        return by_clock

    def _short(self, part: Part, stored: StoredSegment) -> int:
        """A segment that stayed damaged: what it lacks is a gap right after it, of so many frames."""
        wanted = round((stored.duration_seconds or 0.0) * part.rate / SAMPLES_PER_FRAME)
        lacking = max(0, wanted - stored.frames) if stored.frames else 0
        index = self.ordinal - part.first
        part.silence[index] = part.silence.get(index, 0) + lacking
        self._add_gap(part, stored.epoch, stored.sequence, stored.sequence, lacking, GapCause.DAMAGED)
        return lacking

    def _add_gap(
        self, part: Part, epoch: int, first: int, last: int, frames: int, cause: GapCause | None = None
    ) -> None:
        begin = self.seconds
        self.silent_seconds += Fraction(frames * SAMPLES_PER_FRAME, part.rate)
        part.frames += frames
        losses = [self._plan.loss(epoch, number) for number in range(first, min(last, first + 999) + 1)]
        causes = [loss.cause for loss in losses]
        is_sealed = (epoch, first) in self._sealed
        self.gaps.append(
            Gap(
                epoch=epoch,
                first=first,
                last=last,
                begin_seconds=round(float(begin), 6),
                end_seconds=round(float(self.seconds), 6),
                cause=cause or (GapCause.SEALED if is_sealed else max(set(causes), key=causes.count)),
                attempts=max(loss.attempts for loss in losses),
                is_partial=cause is not None or is_sealed,
            )
        )


# Nearly all segments are equally long, and a fraction is dear.
@lru_cache(maxsize=64)
def _length(frames: int, rate: int, duration_seconds: float | None) -> Fraction:
    if frames:
        return Fraction(frames * SAMPLES_PER_FRAME, rate)
    return Fraction(round((duration_seconds or 0.0) * 1_000_000), 1_000_000)


class _HeldCursor:
    """The stored segments, taken in order up to a place."""

    def __init__(self, segments: Iterable[StoredSegment]) -> None:
        self._segments = iter(segments)
        self._next = next(self._segments, None)

    def before(self, epoch: int, sequence: int) -> Iterator[StoredSegment]:
        while self._next is not None and (self._next.epoch, self._next.sequence) < (epoch, sequence):
            current, self._next = self._next, next(self._segments, None)
            yield current

    def rest(self) -> Iterator[StoredSegment]:
        while self._next is not None:
            current, self._next = self._next, next(self._segments, None)
            yield current


def lay_out(segments: Iterable[StoredSegment], plan: Plan, *, see: See | None = None) -> Layout:
    """Say where every second comes from.

    Args:
        segments: what is held, by epoch and number.
        plan: what is known to exist, and why something is missing.
        see: shown each segment that is heard, and where it begins in the recording, silence included.
    """
    builder = _Builder(plan, see)
    held = _HeldCursor(segments)
    for epoch, first, last in _split_by_cause(plan):
        for stored in held.before(epoch, first):
            builder.segment(stored)
        # What the plan lacks may lie on the disk all the same, sealed or short.
        for stored in held.before(epoch, last + 1):
            if stored.sequence > first:
                builder.gap(epoch, first, stored.sequence - 1)
            builder.segment(stored)
            first = stored.sequence + 1
        if first <= last:
            builder.gap(epoch, first, last)
    for stored in held.rest():
        builder.segment(stored)
    builder.finish()
    return Layout(
        tuple(builder.parts),
        tuple(_joined(builder.gaps)),
        builder.held,
        plan.expected,
        float(builder.held_seconds),
        float(builder.seconds),
    )


def _split_by_cause(plan: Plan) -> Iterator[tuple[int, int, int]]:
    """Missing runs, cut where the cause changes, so that each gap has one cause. Very long runs are not looked into."""
    for epoch, first, last in plan.missing():
        if last - first > 10_000:
            yield epoch, first, last
            continue
        start = first
        for number in range(first, last):
            if plan.loss(epoch, number).cause is not plan.loss(epoch, number + 1).cause:
                yield epoch, start, number
                start = number + 1
        yield epoch, start, last


def _joined(gaps: list[Gap]) -> Iterator[Gap]:
    """Neighbouring gaps that differ in nothing but their numbers become one."""
    if not gaps:
        return
    current = gaps[0]
    for _, gap in pairwise(gaps):
        same = (current.epoch, current.cause, current.is_partial) == (gap.epoch, gap.cause, gap.is_partial)
        same = same and gap.first == current.last + 1
        if same and abs(gap.begin_seconds - current.end_seconds) < 1e-6:
            current = Gap(
                epoch=gap.epoch,
                first=current.first,
                last=gap.last,
                begin_seconds=current.begin_seconds,
                end_seconds=gap.end_seconds,
                cause=gap.cause,
                attempts=max(current.attempts, gap.attempts),
                is_partial=gap.is_partial,
            )
        else:
            yield current
            current = gap
    yield current
