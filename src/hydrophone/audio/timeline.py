"""Where in a recording an instant lies, and back, for a whole recording: gaps, host drops, new sessions, wrong clocks.

Every segment is an anchor of its own: its position is known from the frames before it, its clock from its first tag.
While a host is away the clock runs on and the frames do not, so one offset for a whole Space would be wrong.

Source: timed metadata reference, "Position of an event in the audio".
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from hydrophone.audio.clock import FIRST_TAG_DELAY_US, from_unix_us, ticks_to_unix_us, to_unix_us, unwrap_ticks

_MILLION = 1_000_000
#: Anchors looked at where two sessions claim the same instant: enough for a minute on both sides.
_NEIGHBOURS = 24
#: A segment may reach this much beyond its frames before an instant counts as lying behind it.
_SLACK_US = 25_000


class Trust(IntEnum):
    """Where the clock of a segment comes from, best first."""

    STAMP = 0  #: its own PRIV stamp
    TAG = 1  #: the first tag with text in it, 34 ms late
    NEIGHBOURS = 2  #: a straight line from segments beside it
    HINT = 3  #: PROGRAM-DATE-TIME or the name: may be off by six seconds


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the recording, in seconds from its beginning; negative for what came before it.

    `is_in_media` is False where no segment covers the instant: a gap, a host who was away, before or after.
    `is_approximate`: known to a few seconds only.
    """

    seconds: float
    is_in_media: bool = True
    is_approximate: bool = False


class MediaClock:
    """Built segment by segment, in the order in which they stand in the recording; then asked.

    Memory is 33 bytes a segment. Where the tags within a segment show that the clock jumps inside it, it may be added
    in pieces, each with the clock of its tag.
    """

    def __init__(self, *, started_at: datetime | None = None) -> None:
        self._started_at = started_at
        self._positions = array("d")
        self._lengths = array("d")
        self._clocks = array("q")  # microseconds since 1970
        self._hints = array("q")  # the other clock, 0 where there is none
        self._trusts = bytearray()
        self._unset: list[int] = []  # indices whose clock waits for a neighbour
        self._order: array[int] | None = None
        self._sorted: array[int] = array("q")
        self._reach = 0  # the longest segment

    def __len__(self) -> int:
        return len(self._positions)

    def add(
        self,
        position_seconds: float,
        length_seconds: float,
        *,
        ticks: int | None = None,
        tag_unix_us: int | None = None,
        tag_after_seconds: float = 0.0,
        hint_at: datetime | None = None,
        is_exact_hint: bool = False,
    ) -> None:
        """The next segment.

        Args:
            position_seconds: where it begins, silence in gaps included.
            ticks: its PRIV stamp, 33 bits.
            tag_unix_us: the clock of its first tag that has one as text, and (`tag_after_seconds`) how much audio of
                this segment precedes that tag.
            hint_at: PROGRAM-DATE-TIME, or the time in its name: tells which day is meant, and two sessions apart.
            is_exact_hint: `hint_at` may stand in where there is no stamp, as good as a stamp.
        """
        index = len(self._positions)
        self._positions.append(position_seconds)
        self._lengths.append(length_seconds)
        self._order = None
        hint = hint_at or self._neighbour_instant(position_seconds) or self._started_at
        if ticks is not None and hint is not None:
            clock, trust = ticks_to_unix_us(unwrap_ticks(ticks, hint)), Trust.STAMP
        elif tag_unix_us is not None:
            clock = tag_unix_us - round(tag_after_seconds * _MILLION) - FIRST_TAG_DELAY_US
            trust = Trust.TAG
        elif hint_at is not None:
            clock, trust = to_unix_us(hint_at), Trust.STAMP if is_exact_hint else Trust.HINT
        else:
            clock, trust = 0, Trust.NEIGHBOURS
        self._clocks.append(clock)
        self._hints.append(to_unix_us(hint_at) if hint_at is not None else 0)
        self._trusts.append(trust)
        if trust >= Trust.NEIGHBOURS:
            self._unset.append(index)

    def position(self, unix_us: int, *, near_us: int | None = None) -> Position | None:
        """Where the instant lies; None while there is no clock at all.

        Args:
            near_us: when, by another clock, the event reached us. Decides where two sessions claim the same instant,
                because a host's clock was set back between them.
        """
        self._settle()
        if not len(self._sorted):
            return None
        found = bisect_right(self._sorted, unix_us)
        index = self._order_at(max(found - 1, 0))
        if self._covers(index, unix_us):
            if found > 1 and self._sorted[found - 2] < unix_us - self._reach:
                return self._inside(index, unix_us)  # as nearly always: nobody else can claim it
            other = self._other_session(found, index, unix_us, near_us)
            return self._inside(other if other is not None else index, unix_us)
        covering = self._other_session(found, None, unix_us, near_us)
        if covering is not None:
            return self._inside(covering, unix_us)
        return self._outside(index, unix_us)

    def instant(self, seconds: float) -> int | None:
        """The instant at a position, in microseconds since 1970; None while there is no clock at all.

        Within a gap the clock of the segment before it runs on.
        """
        self._settle()
        if not len(self._sorted):
            return None
        index = max(bisect_right(self._positions, seconds) - 1, 0)
        while index > 0 and self._clocks[index] == 0:
            index -= 1
        return self._clocks[index] + round((seconds - self._positions[index]) * _MILLION)

    def trust(self, index: int) -> Trust:
        """How the clock of the segment at this place is known."""
        self._settle()
        return Trust(self._trusts[index])

    @property
    def sessions(self) -> int:
        """In how many stretches the clock and the frames run together, within half a second."""
        self._settle()
        return 1 + sum(abs(self._drift(index)) > 500_000 for index in range(1, len(self))) if len(self) else 0

    # ------------------------------------------------------------------ pieces

    def _neighbour_instant(self, position_seconds: float) -> datetime | None:
        """The clock of the segment before, carried on: a hint that is right to within 13 hours."""
        for index in range(len(self._clocks) - 1, max(len(self._clocks) - 4, -1), -1):
            if self._clocks[index]:
                lapse = round((position_seconds - self._positions[index]) * _MILLION)
                return from_unix_us(self._clocks[index] + lapse)
        return None

    def _drift(self, index: int) -> int:
        """How much further the clock went than the frames, from the segment before to this one."""
        frames = round((self._positions[index] - self._positions[index - 1]) * _MILLION)
        return self._clocks[index] - self._clocks[index - 1] - frames

    def _settle(self) -> None:
        """Give a clock to those that had none, and sort."""
        if self._order is not None:
            return
        self._interpolate()
        known = [index for index in range(len(self._clocks)) if self._clocks[index]]
        order = sorted(known, key=self._clocks.__getitem__)
        self._order = array("q", order)
        self._sorted = array("q", (self._clocks[index] for index in order))
        self._reach = round(max(self._lengths, default=0.0) * _MILLION) + _SLACK_US

    def _interpolate(self) -> None:
        """Segments without a clock of their own take it from a straight line between their neighbours.

        A hint is only used where there are no neighbours; and where the neighbours disagree (the host was away in
        between), the one before counts, since that is where the frames run on from.
        """
        unset = self._unset
        at = 0
        while at < len(unset):
            end = at
            while end + 1 < len(unset) and unset[end + 1] == unset[end] + 1:
                end += 1
            before, after = unset[at] - 1, unset[end] + 1
            anchor = before if before >= 0 else after if after < len(self._clocks) else None
            if anchor is not None and self._clocks[anchor]:
                for index in unset[at : end + 1]:
                    self._clocks[index] = self._between(index, anchor, after)
                    self._trusts[index] = Trust.NEIGHBOURS
            at = end + 1

    def _between(self, index: int, anchor: int, after: int) -> int:
        start = self._positions[anchor]
        straight = self._clocks[anchor] + round((self._positions[index] - start) * _MILLION)
        if anchor >= after or after >= len(self._clocks):
            return straight
        span = round((self._positions[after] - start) * _MILLION)
        lapse = self._clocks[after] - self._clocks[anchor]
        if span <= 0 or abs(lapse - span) > 500_000:
            return straight
        return self._clocks[anchor] + round((self._positions[index] - start) * _MILLION * lapse / span)

    def _order_at(self, place: int) -> int:
        return self._order[place] if self._order is not None else place

    def _covers(self, index: int, unix_us: int) -> bool:
        lapse = unix_us - self._clocks[index]
        return 0 <= lapse < round(self._lengths[index] * _MILLION) + _SLACK_US

    def _other_session(self, found: int, first: int | None, unix_us: int, near_us: int | None) -> int | None:
        """Of the segments that cover the instant, the one whose own time of writing is nearest to `near_us`.

        Two of them exist only where a clock was set back. Without another clock the later one counts.
        """
        covering = [] if first is None else [first]
        for place in range(found - 1, max(found - 1 - _NEIGHBOURS, -1), -1):
            if self._sorted[place] < unix_us - self._reach:
                break
            index = self._order_at(place)
            if index != first and self._covers(index, unix_us):
                covering.append(index)
        # Segments that touch share their border; they are one session, of which the later segment stands here.
        apart = [index for index in covering if index + 1 not in covering]
        if len(apart) < 2:
            return max(covering) if covering else None
        if near_us is None or not all(self._hints[index] for index in apart):
            return max(apart)
        return min(apart, key=lambda index: abs(self._hints[index] - near_us))

    def _inside(self, index: int, unix_us: int) -> Position:
        seconds = self._positions[index] + (unix_us - self._clocks[index]) / _MILLION
        return Position(seconds, True, self._trusts[index] == Trust.HINT)

    def _outside(self, index: int, unix_us: int) -> Position:
        """No segment covers it: before the first, after the last, in a gap, or while the host was away."""
        seconds = self._positions[index] + (unix_us - self._clocks[index]) / _MILLION
        is_approximate = self._trusts[index] == Trust.HINT
        if seconds < self._positions[index]:
            return Position(seconds if index == 0 else self._positions[index], False, is_approximate)
        if index + 1 < len(self._positions) and seconds > self._positions[index + 1]:
            # The clock ran on while no audio did: it happened at the seam.
            return Position(self._positions[index + 1], False, True)
        return Position(seconds, False, is_approximate)
