"""Holds a transcript against what a scene's people truly said: which sentences, by whom, from when to when."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diarisation import DiarisationError, Span, diarisation_error
from hydrophone.sandbox.space_chat.truth import TrueCue


@dataclass(frozen=True)
class Comparison:
    """How far a transcript is from the truth.

    A sentence counts as found where a cue has its very words; each cue stands for one sentence, the nearest first. So
    `lost` are sentences without a cue, and `added` cues that nobody said, or that say again what was said once.
    """

    words: int
    rightly_attributed: int  #: words
    lost: tuple[TrueCue, ...]
    added: tuple[Mapping[str, Any], ...]
    late: tuple[tuple[float, float, TrueCue], ...]  #: begin and end of each cue, minus the truth's

    @property
    def worst_seconds(self) -> float:
        """The furthest that a cue's begin or end is from its sentence's."""
        return max((max(abs(begin), abs(end)) for begin, end, _ in self.late), default=0.0)

    @property
    def share_attributed(self) -> float:
        """The share of all words that are in the transcript with the right speaker."""
        return self.rightly_attributed / self.words if self.words else 1.0

    def assert_true(self) -> None:
        """No word lost or doubled, each cue within 0.3 s, the speaker right for 99 of 100 words."""
        assert self.words > 0
        assert self.lost == ()
        assert self.added == ()
        worst = max(self.late, key=lambda one: max(abs(one[0]), abs(one[1])))
        assert self.worst_seconds <= 0.3, worst
        assert self.share_attributed >= 0.99


def read_transcript(item: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((item / "transcript.json").read_bytes())
    return found


def handles_of(transcript: Mapping[str, Any]) -> dict[str, str]:
    return {one["key"]: one["handle"] for one in transcript["speakers"]}


def compare_words(transcript: Mapping[str, Any], truth: Iterable[TrueCue]) -> Comparison:
    """A ``transcript.json`` against the sentences of a scene."""
    truth = tuple(truth)
    handles = handles_of(transcript)
    by_text: dict[str, list[tuple[int, Mapping[str, Any]]]] = defaultdict(list)
    for place, cue in enumerate(transcript["cues"]):
        by_text[cue["text"]].append((place, cue))
    near = sorted(
        (abs(cue["begin_seconds"] - true.begin) + abs(cue["end_seconds"] - true.end), number, place)
        for number, true in enumerate(truth)
        for place, cue in by_text[true.text]
    )
    cue_of: dict[int, int] = {}
    taken: set[int] = set()
    for _, number, place in near:
        if number not in cue_of and place not in taken:
            cue_of[number] = place
            taken.add(place)
    found = {number: transcript["cues"][place] for number, place in cue_of.items()}
    return Comparison(
        words=sum(len(true.words) for true in truth),
        rightly_attributed=sum(
            len(truth[number].words)
            for number, cue in found.items()
            if handles.get(cue["speaker"]) == truth[number].speaker
        ),
        lost=tuple(true for number, true in enumerate(truth) if number not in cue_of),
        added=tuple(cue for place, cue in enumerate(transcript["cues"]) if place not in taken),
        late=tuple(
            (cue["begin_seconds"] - truth[number].begin, cue["end_seconds"] - truth[number].end, truth[number])
            for number, cue in found.items()
        ),
    )


def compare_turns(
    transcript: Mapping[str, Any], truth: Iterable[tuple[str, float, float]], *, collar_seconds: float = 0.25
) -> DiarisationError:
    """The turns of a ``transcript.json`` against who is truly heard when. Gaps of the recording count for neither."""
    handles = handles_of(transcript)
    guess = [
        Span(handles.get(turn["speaker"], "?"), turn["begin_seconds"], turn["end_seconds"])
        for turn in transcript["turns"]
    ]
    spans = [Span(*one) for one in truth]
    for gap in transcript["gaps"]:
        begin, end = gap["begin_seconds"] - 1.0, gap["end_seconds"] + 1.0
        spans, guess = outside(spans, begin, end), outside(guess, begin, end)
    return diarisation_error(spans, guess, collar_seconds=collar_seconds)


def outside(spans: Iterable[Span], begin: float, end: float) -> list[Span]:
    """The spans without a stretch of which nothing was recorded."""
    found = []
    for span in spans:
        if span.begin < begin:
            found.append(Span(span.speaker, span.begin, min(span.end, begin)))
        if span.end > end:
            found.append(Span(span.speaker, max(span.begin, end), span.end))
    return found
