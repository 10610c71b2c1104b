"""Sets of sequence numbers that cost memory for their holes, not for their members.

A recording of two days knows 57,600 numbers; kept as ranges, a whole one is a single pair of integers.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator


class NumberSet:
    """A set of non-negative whole numbers, kept as sorted ranges that neither touch nor overlap."""

    __slots__ = ("_count", "_firsts", "_lasts")

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        self._count = 0
        for number in numbers:
            self.add(number)

    def add(self, number: int) -> bool:
        """Put one number in. True when it was not there before."""
        lasts = self._lasts
        # The next number of a live stream, nearly always.
        if lasts and number == lasts[-1] + 1:
            lasts[-1] = number
            self._count += 1
            return True
        if number in self:
            return False
        self.add_range(number, number)
        return True

    def add_range(self, first: int, last: int) -> None:
        """Put in `first` to `last`, both included. Nothing happens when `last` is below `first`."""
        if last < first:
            return
        begin = bisect_left(self._lasts, first - 1)
        end = bisect_right(self._firsts, last + 1)
        if begin < end:
            first = min(first, self._firsts[begin])
            last = max(last, self._lasts[end - 1])
            self._count -= sum(self._lasts[i] - self._firsts[i] + 1 for i in range(begin, end))
        self._firsts[begin:end] = [first]
        self._lasts[begin:end] = [last]
        self._count += last - first + 1

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int):
            return False
        at = bisect_left(self._lasts, number)
        return at < len(self._lasts) and self._firsts[at] <= number

    def missing(self, first: int, last: int) -> list[range]:
        """The numbers from `first` to `last`, both included, that are not in the set, as ranges in order."""
        holes = []
        at = bisect_left(self._lasts, first)
        while first <= last and at < len(self._firsts) and self._firsts[at] <= last:
            if first < self._firsts[at]:
                holes.append(range(first, self._firsts[at]))
            first = self._lasts[at] + 1
            at += 1
        if first <= last:
            holes.append(range(first, last + 1))
        return holes

    def ranges(self) -> list[range]:
        """The members as ranges in order."""
        return [range(first, last + 1) for first, last in zip(self._firsts, self._lasts, strict=True)]

    @property
    def lowest(self) -> int | None:
        return self._firsts[0] if self._firsts else None

    @property
    def highest(self) -> int | None:
        return self._lasts[-1] if self._lasts else None

    def __iter__(self) -> Iterator[int]:
        for numbers in self.ranges():
            yield from numbers

    def __len__(self) -> int:
        return self._count

    def __bool__(self) -> bool:
        return bool(self._firsts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NumberSet):
            return NotImplemented
        return self._firsts == other._firsts and self._lasts == other._lasts

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        shown = ", ".join(f"{first}-{last}" for first, last in list(zip(self._firsts, self._lasts, strict=True))[:8])
        return f"NumberSet({shown}{', …' if len(self._firsts) > 8 else ''})"
