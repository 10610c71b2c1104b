"""What audio and video shelves of the CDN have in common: which pieces are listed, which can be fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hydrophone.sandbox.ledger import Ledger
from hydrophone.sandbox.scene import Scene, Span
from hydrophone.sandbox.timeline import Piece, Snapshot, Timeline

SEGMENT_NAME = re.compile(r"chunk_(\d{19})_(0|[1-9]\d*)_a\.(?:aac|ts)")
SNAPSHOT_NAME = re.compile(r"(tw_)?playlist_(\d{19,20})\.m3u8")


@dataclass(frozen=True, slots=True)
class PlaylistFile:
    """A playlist to send."""

    body: bytes
    is_live: bool

    @property
    def content_type(self) -> str:
        return "application/x-mpegURL" if self.is_live else "application/vnd.apple.mpegurl"

    @property
    def cache_control(self) -> str:
        return "max-age=1, s-maxage=1" if self.is_live else "max-age=86400"


@dataclass(frozen=True, slots=True)
class SegmentFile:
    """A segment to send."""

    body: bytes
    content_type: str
    cache_control: str = "max-age=31536000"


Found = PlaylistFile | SegmentFile | int  # an int is an error status


class Shelf:
    """The listing rules of one scene."""

    window = 4

    def __init__(self, scene: Scene, timeline: Timeline, ledger: Ledger) -> None:
        self.scene = scene
        self.timeline = timeline
        self.ledger = ledger
        self._polls = 0
        self._whole: dict[tuple[int, str, str], bytes] = {}

    # ------------------------------------------------------------ live

    def _inside(self, spans: Sequence[Span], now_us: int) -> Span | None:
        since = (now_us - self.timeline.started_us) / 1_000_000
        return next((span for span in spans if span.begin <= since < span.end), None)

    def is_on_air(self, now_us: int) -> bool:
        """Whether the live list answers 200."""
        timeline = self.timeline
        if not timeline.started_us <= now_us < timeline.ended_us or timeline.is_host_away(now_us):
            return False
        return self._inside(self.scene.quirks.dark, now_us) is None

    def live_pieces(self, now_us: int, *, window: int | None = None) -> list[Piece]:
        """The live window, oldest first, as this very poll sees it."""
        quirks, timeline = self.scene.quirks, self.timeline
        frozen = self._inside(quirks.frozen, now_us)
        if frozen is not None:
            now_us = timeline.started_us + round(frozen.begin * 1_000_000)
        count = timeline.count_at(now_us)
        self._polls += 1
        stale = self._inside(quirks.stale, now_us)
        if stale is not None and self._polls % 2 == 0:
            count -= stale.by
        if quirks.last_only_in_final and timeline.total is not None:
            count = min(count, timeline.total - 1)
        return self._window(count, window or self.scene.quirks.window or self.window)

    def _window(self, count: int, size: int) -> list[Piece]:
        hidden = set(self.scene.quirks.hidden)
        place = count - 1
        while place in hidden:
            place -= 1
        pieces: list[Piece] = []
        while place >= 0 and place not in hidden and len(pieces) < size:
            piece = self.timeline.piece(place)
            if pieces and piece.epoch != pieces[-1].epoch:
                break
            pieces.append(piece)
            place -= 1
        return pieces[::-1]

    def shows_false_end(self, now_us: int) -> bool:
        return self._inside(self.scene.quirks.false_endlist, now_us) is not None

    def breaks_before(self, place: int) -> int:
        return sum(at < place for at in self.scene.quirks.discontinuities)

    def note(self, kind: str, pieces: Sequence[Piece], now_us: int) -> None:
        """The ledger remembers what was listed."""
        if pieces:
            self.ledger.listed(self.scene.id, kind, pieces[0].place, pieces[-1].place, now_us)

    # ------------------------------------------------------------ whole lists

    def newest_snapshot(self, now_us: int) -> Snapshot | None:
        snapshots = self.timeline.snapshots(now_us)
        return snapshots[-1] if snapshots else None

    def snapshot(self, number: int, now_us: int) -> Snapshot | None:
        """The snapshot of that number if it can be read now; old numbers stay readable."""
        readable = (s for s in self.timeline.snapshots(now_us) if s.readable_us <= now_us)
        return next((s for s in readable if s.number == number), None)

    def replay_count(self, snapshot: Snapshot, now_us: int) -> int:
        """How many places the replay list holds; 0 while there is none."""
        scene = self.scene
        offered_us = self.timeline.ended_us + round(scene.replay_lag_seconds * 1_000_000)
        if not scene.has_replay or not snapshot.is_final or now_us < offered_us:
            return 0
        return snapshot.count if scene.replay_segments is None else min(snapshot.count, scene.replay_segments)

    def listed_pieces(self, count: int) -> Iterator[Piece]:
        """What a whole list of `count` places names: holes are left out."""
        holes = set(self.scene.quirks.holes)
        return (self.timeline.piece(place) for place in range(count) if place not in holes)

    # ------------------------------------------------------------ segments

    def fetchable(self, name: str, now_us: int) -> Piece | None:
        """The piece of that name if the CDN has it now."""
        match = SEGMENT_NAME.fullmatch(name)
        piece = self.timeline.find(int(match[1]), int(match[2])) if match else None
        if piece is None or piece.place in self.scene.quirks.holes:
            return None
        late_us = round(self.scene.quirks.late.get(piece.place, 0.0) * 1_000_000)
        return piece if piece.ready_us + late_us <= now_us else None
