"""Epochs: runs of a live stream within which a sequence number means one segment.

An encoder that is started anew may count from the beginning again. Names tell: a number that is not above the highest,
written later than all before it, begins a new epoch. A stale edge of the CDN also shows lower numbers, but older names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from hydrophone.hls.numbers import NumberSet
from hydrophone.model import Segment

#: How many names of an epoch are remembered where the names themselves carry no number.
REMEMBERED_NAMES = 64


@dataclass(slots=True)
class Epoch:
    """What is known about one epoch.

    `offered` are the numbers handed out to be fetched, `noted` those reported as missing or refused. `oldest_ns` and
    `newest_ns` span the writing times of the names seen, None while there are none.
    """

    number: int = 0
    offered: NumberSet = field(default_factory=NumberSet)
    noted: NumberSet = field(default_factory=NumberSet)
    oldest_ns: int | None = None
    newest_ns: int | None = None
    newest_at: datetime | None = None
    highest: int | None = None  #: of all numbers listed
    names: dict[int, str] = field(default_factory=dict)

    def take_in(self, segment: Segment) -> None:
        """Learn from a segment that belongs to this epoch."""
        written_ns = segment.written_ns
        if written_ns is None:
            self.names[segment.sequence] = segment.name
            if len(self.names) > REMEMBERED_NAMES:
                del self.names[next(iter(self.names))]
            at = segment.program_date_time
            if at is not None and (self.newest_at is None or at > self.newest_at):
                self.newest_at = at
        else:
            if self.newest_ns is None or written_ns > self.newest_ns:
                self.newest_ns = written_ns
            if self.oldest_ns is None or written_ns < self.oldest_ns:
                self.oldest_ns = written_ns
        if self.highest is None or segment.sequence > self.highest:
            self.highest = segment.sequence

    def is_ended_by(self, segment: Segment) -> bool:
        """True when this segment can only belong to an epoch after this one."""
        if self.highest is None or segment.sequence > self.highest:
            return False
        if segment.written_ns is not None:
            return self.newest_ns is not None and segment.written_ns > self.newest_ns
        return self._is_ended_by_nameless(segment)

    def _is_ended_by_nameless(self, segment: Segment) -> bool:
        """The same for names without a writing time, where a reset must not be mistaken for a stale edge."""
        at = segment.program_date_time
        if at is not None and self.newest_at is not None and at <= self.newest_at:
            return False
        known = self.names.get(segment.sequence)
        if known is not None:
            return known != segment.name
        # No edge of a CDN is this far behind; without a date to prove it, nearer numbers count as stale.
        return self.highest is not None and segment.sequence < self.highest - REMEMBERED_NAMES

    def has_written(self, written_ns: int | None) -> bool:
        """True when this time of writing is no newer than what the epoch has already shown."""
        return written_ns is not None and self.newest_ns is not None and written_ns <= self.newest_ns

    def precedes(self, segment: Segment) -> bool:
        """True when the segment was written after all that this epoch has."""
        return segment.written_ns is None or self.newest_ns is None or segment.written_ns > self.newest_ns
