"""Timestamps of a broken-up stream made to run on: wraps, restarts and jumps become one rising line.

A broadcast whose host dropped comes back with another clock, and its sound and picture change over at different
packets. So each stream moves to the new clock by itself, but all move by the same distance: they stay together.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class _Track:
    shift: int = 0
    last: int | None = None  #: the last decoding time handed out
    end: int = 0  #: where the last packet ends


@dataclass(slots=True)
class Timeline:
    """Repairs decoding times, in ticks that are the same for all streams (90 kHz in MPEG-TS).

    A step forward of up to `max_jump` ticks is kept as it is (the host was away, or segments are missing); a larger
    one, or one backwards by more than `max_back`, is a new clock, which is set to go on where the old one ended.
    """

    max_jump: int
    max_back: int
    max_offset: int = 900_000  #: a packet that lasts or waits for longer is damaged
    jumps: int = 0  #: new clocks seen
    repaired: int = 0  #: packets that were moved a little to keep the order
    _tracks: dict[int, _Track] = field(default_factory=dict)
    _shifts: list[int] = field(default_factory=list)

    def place(self, stream: int, dts: int, pts: int, duration: int) -> tuple[int, int]:
        """The decoding and presentation time of the next packet of `stream`."""
        track = self._tracks.get(stream)
        if track is None:
            track = self._tracks[stream] = _Track(self._first_shift(dts))
        at = dts + track.shift
        if track.last is not None and not self._fits(track, at):
            track.shift = self._new_shift(track, dts)
            at = dts + track.shift
        if track.last is not None and at <= track.last:
            at = track.last + 1
            self.repaired += 1
        offset = pts - dts
        # Presentation before decoding is impossible; long after it is damage.
        shown = at + (offset if 0 <= offset <= self.max_offset else 0)
        track.last = at
        track.end = at + max(0, min(duration, self.max_offset))
        return at, shown

    def _fits(self, track: _Track, at: int) -> bool:
        last = track.last or 0
        return last - self.max_back <= at <= track.end + self.max_jump

    def _first_shift(self, dts: int) -> int:
        """The first packet of all becomes time 0; the first of another stream joins the clock that it fits."""
        if not self._shifts:
            self._shifts.append(-dts)
            return -dts
        known = self._shifts[-1]
        if dts + known >= 0:
            return known
        return known if dts + known > -self.max_back else -dts

    def _new_shift(self, track: _Track, dts: int) -> int:
        newest = self._shifts[-1]
        if newest != track.shift and self._fits(track, dts + newest):
            return newest  # another stream has met the same break before us
        self.jumps += 1
        shift = max(other.end for other in self._tracks.values()) - dts
        self._shifts.append(shift)
        return shift
