"""Which epoch a segment belongs to: how often the numbering has begun anew in one take.

The service counts segments from 0 for a whole Space. If, after a host's return, the names restart below a number that
is already known, with a newer time of writing in the name, that is a new epoch, and its audio follows the old one's.
Names without a time of writing always belong to epoch 0.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hydrophone.model import Segment

NOMINAL_NS = 3_000_000_000  #: the length that the cutter aims at


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
        self._epochs = [_Epoch(0), *(_Epoch(ns) for ns in boundaries)]

    @property
    def boundaries(self) -> tuple[int, ...]:
        return tuple(epoch.begins_ns for epoch in self._epochs[1:])

    @property
    def count(self) -> int:
        return len(self._epochs)

    def know(self, epoch: int, sequence: int, written_ns: int | None) -> None:
        """Remember a segment that is already held, so that a restart is recognised after a resumption too."""
        while len(self._epochs) <= epoch:
            self._epochs.append(_Epoch(written_ns or 0))
        self._raise(self._epochs[epoch], sequence, written_ns or 0)

    def assign(self, segment: Segment) -> int:
        """The epoch of one segment. Show the segments of a playlist in their order."""
        ns = segment.written_ns
        if ns is None:
            self._raise(self._epochs[0], segment.sequence, 0)
            return 0
        index = bisect_right([epoch.begins_ns for epoch in self._epochs], ns) - 1
        index = max(index, 0)
        epoch = self._epochs[index]
        is_last = index == len(self._epochs) - 1
        if is_last and self._restarts(epoch, segment.sequence, ns):
            began = max(epoch.highest_ns + 1, ns - segment.sequence * NOMINAL_NS - NOMINAL_NS // 2)
            self._epochs.append(_Epoch(began))
            index += 1
            epoch = self._epochs[index]
        self._raise(epoch, segment.sequence, ns)
        return index

    def assign_all(self, segments: Iterable[Segment]) -> list[tuple[int, Segment]]:
        return [(self.assign(segment), segment) for segment in segments]

    @staticmethod
    def _restarts(epoch: _Epoch, sequence: int, ns: int) -> bool:
        if epoch.highest < 0 or sequence > epoch.highest:
            return False
        # Within one epoch, a lower number was written earlier. Later by more than a segment: the counting began anew.
        return ns > epoch.highest_ns + NOMINAL_NS // 2

    @staticmethod
    def _raise(epoch: _Epoch, sequence: int, ns: int) -> None:
        if sequence > epoch.highest:
            epoch.highest = sequence
            epoch.highest_ns = ns
