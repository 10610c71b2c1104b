"""How a scene's media is cut: places, numbers, names, frames, instants. Exact, and computable from the scene alone.

A *place* counts segments from 0 over the whole stream; `sequence` is the number in the name, which begins again after a
restart (`epoch` counts those).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hydrophone.sandbox.clock import from_us, to_us
from hydrophone.sandbox.scene import Scene, invented_number

SAMPLES = 1024
FAR_US = 1 << 62


@dataclass(frozen=True, slots=True)
class Piece:
    """One segment. `frames` counts its AAC frames, `first_frame` those of the stream before it."""

    place: int
    epoch: int
    sequence: int
    written_ns: int
    name: str
    first_frame: int
    frames: int
    rate: int
    channels: int
    extinf: str
    position: float  #: seconds of media before it
    starts_us: int  #: wall instant of its first frame
    dated_us: int  #: what PROGRAM-DATE-TIME says: the same with jitter
    ready_us: int  #: when it is cut and listed


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One writing of the from-the-beginning list: places 0 … `count` − 1."""

    written_us: int
    readable_us: int
    count: int
    is_final: bool

    @property
    def number(self) -> int:
        """The number in the list's name: 2^64 minus nanoseconds."""
        return 2**64 - (self.written_us * 1000 + self.count % 1000)


def clock_offset_us(scene: Scene, place: int) -> int:
    """How far the clock in the tags of a segment is off. ``extra.clock_jumps`` holds pairs: a position, which is moved
    on to the next cut, and by how many seconds the clock jumps there.
    """
    jumps = scene.extra.get("clock_jumps", ())
    return sum(round(by * 1_000_000) for at, by in jumps if place >= _next_cut(at, scene.segment_seconds))


def _next_cut(position: float, step: int) -> int:
    return -(-round(position * 1000) // (step * 1000))


class Timeline:
    """The cuts of one scene that is on the clock."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.step = scene.segment_seconds
        started_at = scene.started_at
        lead_us = round(scene.audio_lead_seconds * 1_000_000)
        self.started_us = FAR_US if started_at is None else to_us(started_at)
        self.zero_us = FAR_US if started_at is None else self.started_us + lead_us
        self.ended_us = FAR_US if scene.ended_at is None else to_us(scene.ended_at)
        self.total = scene.segment_count
        self._aways = sorted((-(-int(a.begin * 1000) // (self.step * 1000)), a.seconds) for a in scene.aways)
        self._pieces: dict[int, Piece] = {}

    def seams(self) -> list[float]:
        """Positions at which media goes on after the host was away, or where the clock of the audio jumps."""
        places = [at for at, _ in self._aways if self.total is None or at < self.total]
        places += [_next_cut(at, self.step) for at, _ in self.scene.extra.get("clock_jumps", ())]
        return sorted({self.piece(place).position for place in places})

    @property
    def media_seconds(self) -> float:
        """The length of all media; infinite for a scene without end."""
        if self.total is None:
            return float("inf")
        last = self.piece(self.total - 1)
        return last.position + (2.0 if self.scene.is_video else last.frames * SAMPLES / last.rate)

    # ------------------------------------------------------------ cuts

    def _cut(self, place: int) -> tuple[int, int, int, int]:
        """Frames before `place`, microseconds of media before it, rate and channels there."""
        frames = media_us = 0
        formats = sorted(self.scene.formats, key=lambda f: f.at)
        for index, fmt in enumerate(formats):
            end = formats[index + 1].at if index + 1 < len(formats) else FAR_US
            run = -(-(min(place, end) - fmt.at) * self.step * fmt.rate // SAMPLES)
            if place < end:
                media_us += run * SAMPLES * 1_000_000 // fmt.rate
                return frames + run, media_us, fmt.rate, fmt.channels
            frames += run
            media_us += run * SAMPLES * 1_000_000 // fmt.rate
        raise AssertionError("formats begin at 0")

    def starts_us(self, place: int) -> int:
        """The wall instant of the first frame of a place."""
        media_us = place * self.step * 1_000_000 if self.scene.is_video else self._cut(place)[1]
        return self.zero_us + media_us + self._away_us(place)

    def _away_us(self, place: int) -> int:
        return sum(round(seconds * 1_000_000) for at, seconds in self._aways if at <= place)

    def ready_us(self, place: int) -> int:
        """When a place is cut: its last frame has been heard."""
        away = self._away_us(place)
        media_us = (place + 1) * self.step * 1_000_000 if self.scene.is_video else self._cut(place + 1)[1]
        return self.zero_us + media_us + away

    def piece(self, place: int) -> Piece:
        """One segment; any place from 0 on."""
        found = self._pieces.get(place)
        if found is None:
            found = self._pieces[place] = self._make(place)
        return found

    def _make(self, place: int) -> Piece:
        first, media_us, rate, channels = self._cut(place)
        frames = self._cut(place + 1)[0] - first
        starts_us = self.starts_us(place)
        chance = invented_number(self.scene.id, self.scene.name, place)
        dated_us = (starts_us // 1000 + chance % 41 - 20) * 1000
        behind_ns = 3_990_000_000 if self.scene.is_video else 5_620_000_000 + (chance >> 8) % 130_000_000
        written_ns = dated_us * 1000 - behind_ns
        if place == 1 and not self.scene.is_video:
            written_ns = (
                self.piece(0).written_ns + 14_593_936
            )  # seen in a real replay: the first two are written at once
        begin = max((r for r in self.scene.quirks.restarts if r <= place), default=0)
        sequence = place - begin
        is_video = self.scene.is_video
        return Piece(
            place=place,
            epoch=sum(r <= place for r in self.scene.quirks.restarts),
            sequence=sequence,
            written_ns=written_ns,
            name=f"chunk_{written_ns}_{sequence}_a.{'ts' if is_video else 'aac'}",
            first_frame=first,
            frames=frames,
            rate=rate,
            channels=channels,
            extinf="2.000" if is_video else f"{frames * SAMPLES / rate:.3f}",
            position=place * 2.0 if is_video else media_us / 1_000_000,
            starts_us=starts_us,
            dated_us=dated_us,
            ready_us=self.ready_us(place),
        )

    def find(self, written_ns: int, sequence: int) -> Piece | None:
        """The segment of that name, None if there never was one."""
        for begin in (0, *self.scene.quirks.restarts):
            place = begin + sequence
            if self.total is not None and place >= self.total:
                continue
            piece = self.piece(place)
            if piece.written_ns == written_ns and piece.sequence == sequence:
                return piece
        return None

    def count_at(self, now_us: int) -> int:
        """How many places are cut at `now_us`."""
        if now_us < self.zero_us:
            return 0
        low, high = 0, (now_us - self.zero_us) // (self.step * 1_000_000) + 2
        if self.total is not None:
            high = min(high, self.total)
        while low < high:
            middle = (low + high) // 2
            if self.ready_us(middle) <= now_us:
                low = middle + 1
            else:
                high = middle
        return low

    def is_host_away(self, now_us: int) -> bool:
        """True between the last cut before an absence and the first frame after it."""
        for at, _ in self._aways:
            if self.total is not None and at >= self.total:
                continue
            if self.ready_us(at - 1) + 12_000_000 <= now_us < self.starts_us(at):
                return True
        return False

    # ------------------------------------------------------------ snapshots

    def snapshots(self, now_us: int) -> list[Snapshot]:
        """All that were written up to `now_us`, oldest first. The last one is what the master names."""
        rule = self.scene.snapshot
        lag_us = round(rule.lag_seconds * 1_000_000)
        cut = self.count_at(now_us)
        counts = [1, *range(rule.every, cut + 1, rule.every)] if cut else []
        made = []
        for count in counts:
            written_us = self.ready_us(count - 1) + (0 if count == 1 else lag_us)
            if written_us <= now_us and written_us < self.ended_us:
                made.append(Snapshot(written_us, written_us, count, is_final=False))
        # From the end on, the master names the final list, although that list cannot be read for a while.
        finals = self._finals() if now_us >= self.ended_us else []
        return made + [s for index, s in enumerate(finals) if index == 0 or s.written_us <= now_us]

    def _finals(self) -> list[Snapshot]:
        if self.total is None:
            return []
        gone_us = round(self.scene.snapshot.gone_seconds * 1_000_000)
        written_us = self.ended_us + 4_714_118
        if not self.scene.quirks.last_only_in_final:
            return [Snapshot(written_us, self.ended_us + gone_us, self.total, is_final=True)]
        later_us = self.ended_us + gone_us + 60_000_000
        return [
            Snapshot(written_us, self.ended_us + gone_us, self.total - 1, is_final=True),
            Snapshot(later_us, later_us, self.total, is_final=True),
        ]

    def dated_at(self, piece: Piece) -> datetime:
        return from_us(piece.dated_us)
