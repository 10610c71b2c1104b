"""Words without speakers get speakers from turns; and cues get a figure for how far the levels agree with them.

Captions say who speaks. Words of a local recogniser do not: there the person who is heard at that moment is taken, and
of several at once the one who was speaking already.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from hydrophone.model import Cue, HeardWord, SpeakerSource, Turn, Word

#: A word this near to a turn still belongs to it: levels come once a second.
NEAR_SECONDS = 1.0
PAUSE_SECONDS = 1.2  #: between two words of one person, this ends a cue
LONGEST_CUE_SECONDS = 30.0


class TurnIndex:
    """Who is heard at a moment, for turns that may overlap. A question costs a bisection for each speaker."""

    def __init__(self, turns: Iterable[Turn]) -> None:
        self._spans: dict[str, tuple[list[float], list[float]]] = {}
        for turn in sorted(turns, key=lambda turn: turn.begin_seconds):
            begins, ends = self._spans.setdefault(turn.speaker, ([], []))
            # Nobody overlaps oneself: what touches is joined, so that both lists rise.
            if ends and turn.begin_seconds <= ends[-1]:
                ends[-1] = max(ends[-1], turn.end_seconds)
            else:
                begins.append(turn.begin_seconds)
                ends.append(turn.end_seconds)

    def __bool__(self) -> bool:
        return bool(self._spans)

    def overlaps(self, begin: float, end: float) -> Iterator[tuple[str, float]]:
        """Each person heard in this stretch, and for how long; below zero the distance of one who is only near."""
        for speaker in self._spans:
            best = max(
                (min(end, last) - max(begin, first) for first, last in self._near(speaker, begin, end)), default=None
            )
            if best is not None:
                yield speaker, best

    def share(self, speaker: str, begin: float, end: float) -> float:
        """The share of a stretch during which this person is heard, 0 to 1."""
        found = self._near(speaker, begin, end, slack=0.0)
        covered = sum(max(0.0, min(end, last) - max(begin, first)) for first, last in found)
        return min(1.0, covered / (end - begin)) if end > begin else 0.0

    def _near(
        self, speaker: str, begin: float, end: float, slack: float = NEAR_SECONDS
    ) -> Iterator[tuple[float, float]]:
        begins, ends = self._spans.get(speaker, ([], []))
        for index in range(bisect_right(ends, begin - slack), len(begins)):
            if begins[index] > end + slack:
                break
            yield begins[index], ends[index]


def confirm_speakers(cues: Iterable[Cue], turns: TurnIndex, *, slack_seconds: float = 0.5) -> list[Cue]:
    """The cues with their `confidence`: how much of each the levels hear its speaker. Captions stay right about who."""
    if not turns:
        return list(cues)
    return [
        replace(cue, confidence=round(_agreement(cue, turns, slack_seconds), 3)) if cue.speaker else cue for cue in cues
    ]


def _agreement(cue: Cue, turns: TurnIndex, slack: float) -> float:
    # A level says "around here": half a second at both ends proves nothing, unless that is all there is.
    begin, end = cue.begin_seconds + slack, cue.end_seconds - slack
    if end - begin < 0.5:
        middle = (cue.begin_seconds + cue.end_seconds) / 2
        begin, end = middle - NEAR_SECONDS / 2, middle + NEAR_SECONDS / 2
    return turns.share(cue.speaker, begin, end)


def attribute_words(words: Iterable[HeardWord], turns: TurnIndex, *, source: SpeakerSource) -> list[Cue]:
    """Cues out of words that nobody has attributed, cut where the speaker changes, a sentence ends, or a pause is."""
    attributed: list[tuple[str, HeardWord]] = []
    for word in words:
        before = attributed[-1][0] if attributed else ""
        attributed.append((_who(word, turns, before), word))
    smoothed = _without_flicker(attributed)
    cues: list[Cue] = []
    for speaker, group in groupby(smoothed, key=lambda pair: pair[0]):
        for run in _runs([word for _, word in group]):
            cues.append(_cue(speaker, run, turns, source if speaker else SpeakerSource.NONE))
    return cues


def _who(word: HeardWord, turns: TurnIndex, before: str) -> str:
    begin, end = word.begin_seconds, word.end_seconds
    shares = dict(turns.overlaps(begin, end))
    if not shares:
        return ""
    best = max(shares.values())
    tied = [speaker for speaker, share in shares.items() if share >= best - 1e-9]
    return before if before in tied else tied[0]


def _without_flicker(words: list[tuple[str, HeardWord]]) -> list[tuple[str, HeardWord]]:
    """A single word by another person in the middle of a sentence is the border of a level, not an interruption."""
    found = list(words)
    for index in range(1, len(found) - 1):
        (before, word_before), (_, word), (after, _) = found[index - 1 : index + 2]
        if before == after and not word_before.ends_sentence and not word.ends_sentence:
            found[index] = (before, word)
    return found


def _runs(words: Sequence[HeardWord]) -> Iterator[list[HeardWord]]:
    run: list[HeardWord] = []
    for word in words:
        pause = run and word.begin_seconds - run[-1].end_seconds > PAUSE_SECONDS
        is_long = run and word.end_seconds - run[0].begin_seconds > LONGEST_CUE_SECONDS
        if run and (pause or is_long or run[-1].ends_sentence):
            yield run
            run = []
        run.append(word)
    if run:
        yield run


def _cue(speaker: str, words: Sequence[HeardWord], turns: TurnIndex, source: SpeakerSource) -> Cue:
    begin, end = words[0].begin_seconds, max(word.end_seconds for word in words)
    return Cue(
        speaker=speaker,
        begin_seconds=begin,
        end_seconds=end,
        text="".join(word.text for word in words).strip(),
        words=tuple(Word(word.text.strip(), word.begin_seconds, word.end_seconds) for word in words),
        speaker_source=source,
        confidence=round(turns.share(speaker, begin, end), 3) if speaker else None,
    )
