"""When each word of a cue was said, out of the growing texts that led to it.

The first unfinished text with at least k words ends word k. What lies between two such bounds is shared evenly.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from hydrophone.model import Word

#: Beyond this many pairs of words to compare, the rest is spread evenly instead: no text may cost quadratic time.
MAX_PAIRS = 250_000


class Staircase:
    """How many words had been heard by when, as far as it matters: more words later than fewer.

    A growing text that shrinks, or comes with a clock of earlier, adds nothing. Never more steps than words.
    """

    __slots__ = ("_counts", "_times")

    def __init__(self) -> None:
        self._times: list[float] = []
        self._counts: list[int] = []

    def add(self, seconds: float, words: int) -> None:
        """So many words had been heard at this time."""
        times, counts = self._times, self._counts
        # The usual case: later and longer than all before.
        if not times or (seconds > times[-1] and words > counts[-1]):
            if words:
                times.append(seconds)
                counts.append(words)
            return
        at = bisect_left(times, seconds)
        if (at > 0 and counts[at - 1] >= words) or (at < len(times) and times[at] == seconds and counts[at] >= words):
            return
        end = at
        while end < len(times) and counts[end] <= words:
            end += 1
        times[at:end] = [seconds]
        counts[at:end] = [words]

    def word_ends(self, begin_seconds: float) -> list[float]:
        """When each word ended; the first begins at `begin_seconds`."""
        ends: list[float] = []
        before = begin_seconds
        for seconds, count in zip(self._times, self._counts, strict=True):
            seconds = max(seconds, before)
            new = count - len(ends)
            ends.extend(before + (seconds - before) * (index + 1) / new for index in range(new))
            before = seconds
        return ends


def time_words(
    final: Sequence[str], heard: Sequence[str], heard_ends: Sequence[float], begin_seconds: float, end_seconds: float
) -> tuple[Word, ...]:
    """The words of the finished text with their times.

    Args:
        final: its words as they are written.
        heard: the words of the longest unfinished text.
        heard_ends: when each of `heard` ended.
    """
    ends = _bounds(final, heard, [min(max(end, begin_seconds), end_seconds) for end in heard_ends[: len(heard)]])
    missing = len(final) - len(ends)
    last = ends[-1] if ends else begin_seconds
    ends.extend(last + (end_seconds - last) * (index + 1) / missing for index in range(missing))
    begins = [begin_seconds, *ends[:-1]]
    return tuple(map(Word, final, begins, ends))


def _bounds(final: Sequence[str], heard: Sequence[str], heard_ends: Sequence[float]) -> list[float]:
    """The end of each word up to the last that has one, by what both word lists share."""
    if not heard_ends:
        return []
    heard = heard[: len(heard_ends)]
    bounds: list[float] = []
    anchors = [(-1, -1), *align([_bare(word) for word in final], [_bare(word) for word in heard])]
    for (f0, h0), (f1, h1) in pairwise([*anchors, (len(final), len(heard))]):
        _fill(bounds, f1 - f0 - 1, heard_ends, h0, h1, is_tail=f1 == len(final))
        if f1 < len(final):
            bounds.append(heard_ends[h1])
    return bounds


def _fill(bounds: list[float], count: int, heard_ends: Sequence[float], h0: int, h1: int, *, is_tail: bool) -> None:
    """Bounds for `count` written words that stand for the heard words between `h0` and `h1`, or were only inserted."""
    others = h1 - h0 - 1
    if count <= 0 or (is_tail and not others):
        return  # nothing was heard for them: they share what is left up to the end
    begin = bounds[-1] if bounds else None
    if others:
        for index in range(count):
            bounds.append(_at(heard_ends, h0 + (index + 1) * others / count, begin))
        return
    # Words that nobody heard share the time of the heard word that follows them.
    until = heard_ends[h1]
    since = begin if begin is not None else min(heard_ends[0], until)
    bounds.extend(since + (until - since) * (index + 1) / (count + 1) for index in range(count))


def _at(ends: Sequence[float], place: float, begin: float | None) -> float:
    """The end of the heard word at a place that may lie between two words."""
    low = int(place) if place >= 0 else -1
    share = place - low
    before = ends[low] if low >= 0 else (begin if begin is not None else ends[0])
    return before if share == 0 or low + 1 >= len(ends) else before + (ends[low + 1] - before) * share


def align(left: Sequence[str], right: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of places with the same word, in order: a longest common subsequence."""
    head = 0
    while head < len(left) and head < len(right) and left[head] == right[head]:
        head += 1
    tail = 0
    while tail < min(len(left), len(right)) - head and left[-1 - tail] == right[-1 - tail]:
        tail += 1
    middle_left, middle_right = left[head : len(left) - tail], right[head : len(right) - tail]
    pairs = [(index, index) for index in range(head)]
    if len(middle_left) * len(middle_right) <= MAX_PAIRS:
        pairs += [(head + i, head + j) for i, j in _common(middle_left, middle_right)]
    pairs += [(len(left) - tail + index, len(right) - tail + index) for index in range(tail)]
    return pairs


def _common(left: Sequence[str], right: Sequence[str]) -> list[tuple[int, int]]:
    if not left or not right:
        return []
    lengths = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in range(len(left) - 1, -1, -1):
        row, below, word = lengths[i], lengths[i + 1], left[i]
        for j in range(len(right) - 1, -1, -1):
            row[j] = below[j + 1] + 1 if word == right[j] else max(below[j], row[j + 1])
    pairs: list[tuple[int, int]] = []
    i = j = 0
    while i < len(left) and j < len(right):
        if left[i] == right[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def _bare(word: str) -> str:
    """A word without case and punctuation; a word of nothing else stays as it is."""
    return "".join(character for character in word.casefold() if character.isalnum()) or word
