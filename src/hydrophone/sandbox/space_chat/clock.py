"""From a position in the media to two instants: when it was heard, and what the clock of the audio said then."""

from __future__ import annotations

from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.timeline import Piece, Timeline, clock_offset_us

EDGE_SECONDS = 0.4


class PositionClock:
    """Asks the cuts of a scene; a position at a seam belongs to the segment behind it."""

    def __init__(self, scene: Scene, timeline: Timeline) -> None:
        self._scene = scene
        self._timeline = timeline
        self._edges = (*timeline.seams(), timeline.media_seconds)

    def wall_us(self, position: float, *, before_seam: bool = False) -> int:
        """When it was heard. `before_seam`: the end of something that does not reach beyond a seam."""
        piece = self._piece(position - 0.001 if before_seam else position)
        return piece.starts_us + round((position - piece.position) * 1_000_000)

    def audio_us(self, position: float, *, before_seam: bool = False) -> int:
        """What the tags of the audio say there."""
        piece = self._piece(position - 0.001 if before_seam else position)
        return self.wall_us(position, before_seam=before_seam) + clock_offset_us(self._scene, piece.place)

    def is_edge(self, position: float) -> bool:
        """Does the media end here, or go on with another clock?"""
        return any(abs(position - edge) < EDGE_SECONDS for edge in self._edges)

    def _piece(self, position: float) -> Piece:
        timeline = self._timeline
        place = max(0, int(position / timeline.step))
        last = None if timeline.total is None else timeline.total - 1
        place = place if last is None else min(place, last)
        while place > 0 and timeline.piece(place).position > position + 1e-9:
            place -= 1
        while (last is None or place < last) and timeline.piece(place + 1).position <= position + 1e-9:
            place += 1
        return timeline.piece(place)
