"""Which epoch a segment belongs to: how often the numbering has begun anew in one take.

The service counts segments from 0 for a whole Space. If, after a host's return, the names restart below a number that
is already known, with a newer time of writing in the name, that is a new epoch, and its audio follows the old one's.
Names without a time of writing always belong to epoch 0.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hydrophone.model import Segment

NOMINAL_NS = 3_000_000_000  #: the length that the cutter aims at
DOUBT_NS = 3 * NOMINAL_NS  #: a number that comes this much later than its turn may be counted anew
MAX_EPOCHS = 64  #: a hostile list could begin one with every entry
LONG_LIST = 64  #: in a longer one, what stands behind each entry is found once for all
_NOTHING_NS = 1 << 63


@dataclass(slots=True)
class _Epoch:
    begins_ns: int
    highest: int = -1
    highest_ns: int = 0


class EpochMap:
    """Assign epochs to segments as the playlists name them.

    `boundaries` are the instants of writing (ns) at which epochs 1, 2, … begin, as journaled by an earlier run.
    """

    def __init__(self, boundaries: Sequence[int] = ()) -> None:
        self._begins = [0, *boundaries]
        self._epochs = [_Epoch(ns) for ns in self._begins]

    @property
    def boundaries(self) -> tuple[int, ...]:
        return tuple(self._begins[1:])

    @property
    def count(self) -> int:
        return len(self._epochs)

    def know(self, epoch: int, sequence: int, written_ns: int | None) -> None:
        """Remember a segment that is already held, so that a restart is recognised after a resumption too."""
        while len(self._epochs) <= epoch:
            self._begins.append(written_ns or 0)
            self._epochs.append(_Epoch(written_ns or 0))
        self._raise(self._epochs[epoch], sequence, written_ns or 0)

    def follows_on(self, segment: Segment) -> bool:
        """Is this number known in the newest epoch, or the next one?"""
        return segment.sequence <= self._epochs[-1].highest + 1

    def is_doubtful(self, segment: Segment, started_ns: int | None) -> bool:
        """May the numbering have begun anew unseen, before this segment of a live window?

        Its number is higher than all that are known, and it was written later than that number would have been. Either
        nobody sent for a while, or it belongs to another epoch; a list of everything, shown first, tells.

        Args:
            started_ns: when number 0 was written, for the first segment of all; None where nobody knows.
        """
        ns, newest = segment.written_ns, self._epochs[-1]
        if ns is None or self.follows_on(segment):
            return False
        if newest.highest >= 0:
            return ns > newest.highest_ns + (segment.sequence - newest.highest) * NOMINAL_NS + DOUBT_NS
        return started_ns is None or ns > started_ns + segment.sequence * NOMINAL_NS + DOUBT_NS

    def assign(self, segment: Segment) -> int:
        """The epoch of one segment that came alone."""
        return self._assign(segment, (segment,), 0)

    def assign_all(self, segments: Sequence[Segment]) -> list[tuple[int, Segment]]:
        """The epoch of each segment of one playlist, in its order."""
        return [found for piece in self.assign_in_pieces(segments, len(segments)) for found in piece]

    def assign_in_pieces(self, segments: Sequence[Segment], size: int) -> Iterator[list[tuple[int, Segment]]]:
        """The same for a long playlist, piece by piece."""
        # What stands behind each entry is found once; a hostile list would make us look for minutes.
        oldest_behind = _oldest_behind(segments) if len(segments) > LONG_LIST else None
        for first in range(0, len(segments), max(1, size)):
            yield [
                (
                    self._assign(segments[at], segments, at, oldest_behind[at + 1] if oldest_behind else None),
                    segments[at],
                )
                for at in range(first, min(first + size, len(segments)))
            ]

    def _assign(self, segment: Segment, listed: Sequence[Segment], at: int, oldest_behind: int | None = None) -> int:
        ns = segment.written_ns
        if ns is None:
            self._raise(self._epochs[0], segment.sequence, 0)
            return 0
        index = max(0, bisect_right(self._begins, ns) - 1)
        epoch = self._epochs[index]
        if index == len(self._epochs) - 1 < MAX_EPOCHS and self._restarts(epoch, segment, listed, at, oldest_behind):
            began = max(epoch.highest_ns + 1, ns - segment.sequence * NOMINAL_NS - NOMINAL_NS // 2)
            epoch = _Epoch(began)
            self._epochs.append(epoch)
            self._begins.append(began)
            index += 1
        self._raise(epoch, segment.sequence, ns)
        return index

    @staticmethod
    def _restarts(
        epoch: _Epoch, segment: Segment, listed: Sequence[Segment], at: int, oldest_behind: int | None
    ) -> bool:
        ns = segment.written_ns or 0
        # Within one epoch, a lower number was written earlier. Later by more than a segment: the counting began anew.
        if epoch.highest < 0 or segment.sequence > epoch.highest or ns <= epoch.highest_ns + NOMINAL_NS // 2:
            return False
        # One that was only written late stands in its place, with older ones behind it; those of a restart stand last.
        if oldest_behind is not None:
            return oldest_behind > epoch.highest_ns
        return not any(0 < (later.written_ns or 0) <= epoch.highest_ns for later in listed[at + 1 :])

    @staticmethod
    def _raise(epoch: _Epoch, sequence: int, ns: int) -> None:
        if sequence > epoch.highest:
            epoch.highest = sequence
            epoch.highest_ns = ns


def _oldest_behind(segments: Sequence[Segment]) -> list[int]:
    """For each place in a list, the oldest time of writing from there on."""
    found = [_NOTHING_NS] * (len(segments) + 1)
    oldest = _NOTHING_NS
    for at in range(len(segments) - 1, -1, -1):
        ns = segments[at].written_ns
        if ns is not None and 0 < ns < oldest:
            oldest = ns
        found[at] = oldest
    return found
