"""Which segments of a take are held, in arrays: a day of audio costs a megabyte, not an object per segment."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple, overload

from hydrophone.errors import ArchiveError

ORIGINAL = 0  #: the file number of the finished original; media logs count from 1
NOT_WRITTEN = 2**64 - 1  #: stands for an offset that is not known yet

_COMPLETE = 1


class Entry(NamedTuple):
    """One held segment. `row` is its handle; `epoch` and `sequence` are its identity."""

    epoch: int
    sequence: int
    row: int


class HeldNumbers(Sequence[int]):
    """The sequence numbers that are held, ascending, as a read-only view. `in` is a binary search."""

    def __init__(self, numbers: array[int]) -> None:
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[int]: ...
    def __getitem__(self, at: int | slice) -> int | Sequence[int]:
        return self._numbers[at]

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers)

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int):
            return False
        at = bisect_left(self._numbers, number)
        return at < len(self._numbers) and self._numbers[at] == number


class _Epoch:
    """The sorted numbers of one epoch and, beside each, its row."""

    __slots__ = ("rows", "sequences")

    def __init__(self) -> None:
        self.sequences = array("Q")
        self.rows = array("I")

    def place(self, sequence: int) -> tuple[int, bool]:
        sequences = self.sequences
        if not sequences or sequence > sequences[-1]:
            return len(sequences), False
        at = bisect_left(sequences, sequence)
        return at, sequences[at] == sequence


class SegmentIndex:
    """Held segments by (epoch, sequence), in order, with totals.

    A row is never moved: a better copy gets a new row, and the old one is forgotten. Numbers are 0 to 2**64 - 1.
    """

    def __init__(self) -> None:
        self.files = array("H")  #: which file the bytes are in
        self.offsets = array("Q")  #: where in that file
        self.lengths = array("I")
        self.frames = array("I")
        self.durations = array("d")  #: EXTINF, NaN where it is unknown
        self.lines = array("Q")  #: where in the journal the segment's line begins
        self.flags = array("B")
        self._epochs: dict[int, _Epoch] = {}
        self.total_segments = 0
        self.total_frames = 0
        self.total_bytes = 0
        self.total_suspect = 0
        self._microseconds = 0

    # ------------------------------------------------------------ asking

    def __len__(self) -> int:
        return self.total_segments

    def __contains__(self, key: object) -> bool:
        return isinstance(key, tuple) and len(key) == 2 and self.find(key[0], key[1]) is not None

    def __iter__(self) -> Iterator[Entry]:
        """In order: by epoch, then by sequence."""
        for number in self.epochs():
            epoch = self._epochs[number]
            for sequence, row in zip(epoch.sequences, epoch.rows, strict=True):
                yield Entry(number, sequence, row)

    def epochs(self) -> tuple[int, ...]:
        """The epochs that hold anything, ascending."""
        return tuple(sorted(number for number, epoch in self._epochs.items() if epoch.sequences))

    def find(self, epoch: int, sequence: int) -> int | None:
        """The row of a segment, None if it is not held."""
        held = self._epochs.get(epoch)
        if held is None:
            return None
        at, found = held.place(sequence)
        return held.rows[at] if found else None

    def held(self, epoch: int) -> HeldNumbers:
        """The numbers held of one epoch; the view stays current while segments are added."""
        found = self._epochs.get(epoch)
        return HeldNumbers(found.sequences if found else array("Q"))

    def missing(self, epoch: int, first: int, last: int) -> list[range]:
        """The runs of numbers from `first` to `last` inclusive that are not held."""
        held = self._epochs.get(epoch)
        runs: list[range] = []
        wanted = first
        if held is not None:
            for at in range(held.place(first)[0], len(held.sequences)):
                sequence = held.sequences[at]
                if sequence > last:
                    break
                if sequence > wanted:
                    runs.append(range(wanted, sequence))
                wanted = sequence + 1
        if wanted <= last:
            runs.append(range(wanted, last + 1))
        return runs

    def is_complete(self, row: int) -> bool:
        """True when the segment's frames parse to the end and fit EXTINF; a suspect one is fetched again."""
        return bool(self.flags[row] & _COMPLETE)

    def duration(self, row: int) -> float | None:
        """EXTINF in seconds, None where it is unknown."""
        seconds = self.durations[row]
        return None if math.isnan(seconds) else seconds

    def suspects(self) -> Iterator[Entry]:
        """The held segments that are worth fetching again."""
        return (entry for entry in self if not self.is_complete(entry.row)) if self.total_suspect else iter(())

    @property
    def total_seconds(self) -> float:
        """The EXTINF of all held segments."""
        return self._microseconds / 1e6

    @property
    def memory_bytes(self) -> int:
        """What the arrays take."""
        columns = [self.files, self.offsets, self.lengths, self.frames, self.durations, self.lines, self.flags]
        for epoch in self._epochs.values():
            columns += [epoch.sequences, epoch.rows]
        return sum(column.__sizeof__() for column in columns)

    # ------------------------------------------------------------ changing

    def put(
        self,
        epoch: int,
        sequence: int,
        *,
        length: int,
        frames: int,
        duration_seconds: float | None,
        is_complete: bool,
        file: int = ORIGINAL,
        offset: int = NOT_WRITTEN,
        line: int = NOT_WRITTEN,
    ) -> int:
        """Hold this copy from now on, instead of an earlier one if there is one. The new row.

        Raises:
            ArchiveError: a number is out of range.
        """
        # All before the first append: columns must never get out of step.
        if not (0 <= sequence <= NOT_WRITTEN and 0 <= offset <= NOT_WRITTEN and 0 <= line <= NOT_WRITTEN):
            raise ArchiveError(f"segment {sequence}: not a number that a segment can have")
        if not (0 <= length < 2**32 and 0 <= frames < 2**32 and 0 <= file < 2**16):
            raise ArchiveError(f"segment {sequence}: {length} bytes, {frames} frames: not a segment")
        held = self._epochs.setdefault(epoch, _Epoch())
        at, found = held.place(sequence)
        row = len(self.files)
        self.files.append(file)
        self.offsets.append(offset)
        self.lengths.append(length)
        self.frames.append(frames)
        if duration_seconds is None or not math.isfinite(duration_seconds):
            duration_seconds = math.nan
        self.durations.append(duration_seconds)
        self.lines.append(line)
        self.flags.append(_COMPLETE if is_complete else 0)
        if found:
            self._count(held.rows[at], -1)
            held.rows[at] = row
        else:
            held.sequences.insert(at, sequence)
            held.rows.insert(at, row)
        self._count(row, 1)
        return row

    def drop(self, epoch: int, sequence: int) -> bool:
        """Forget a segment; False if it was not held."""
        held = self._epochs.get(epoch)
        if held is None:
            return False
        at, found = held.place(sequence)
        if found:
            self._count(held.rows[at], -1)
            del held.sequences[at]
            del held.rows[at]
        return found

    def _count(self, row: int, sign: int) -> None:
        seconds = self.durations[row]
        self.total_segments += sign
        self.total_frames += sign * self.frames[row]
        self.total_bytes += sign * self.lengths[row]
        self.total_suspect += 0 if self.flags[row] & _COMPLETE else sign
        # Whole microseconds, so that adding and taking away leave no residue.
        self._microseconds += 0 if math.isnan(seconds) else sign * round(seconds * 1e6)
