"""What the voices of a scene say, word by word, from its turns alone: the truth that a transcript is held against.

A turn without a text of its own is filled with sentences about a harbour. Nobody is heard through a closed microphone,
off the stage, or while no media comes, so turns are cut there first. Positions are seconds of media.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from hydrophone.sandbox.scene import Scene, Turn, invented_number
from hydrophone.sandbox.timeline import Timeline

PAUSE_SECONDS = 0.2  #: between two sentences of one person
SHORTEST_SECONDS = 0.9  #: in less time nothing is said that anybody could understand
FORCED_SECONDS = 29.5  #: the service finishes a sentence by force about here
SLOWEST = 1.7


@dataclass(frozen=True, slots=True)
class TrueWord:
    text: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """A sentence of one person. Without words it is a sound that the service hears and then gives up."""

    handle: str
    begin: float
    end: float
    words: tuple[TrueWord, ...]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


@lru_cache(maxsize=1)
def sentences() -> tuple[str, ...]:
    """All that can be said."""
    text = (files("hydrophone.sandbox") / "space_chat" / "harbour.txt").read_text("utf-8")
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def utterances(scene: Scene, timeline: Timeline) -> Iterator[tuple[float, list[Utterance]]]:
    """For each turn, in order: when it begins, and what is said in it."""
    heard_until: dict[str, float] = {}
    seams = timeline.seams()
    for number, turn in enumerate(sorted(scene.turns, key=lambda turn: turn.begin)):
        if scene.person(turn.handle) is None:
            continue  # a tape
        begin = max(turn.begin, heard_until.get(turn.handle, -1.0) + PAUSE_SECONDS)
        end = min(turn.end, timeline.media_seconds)
        heard_until[turn.handle] = max(heard_until.get(turn.handle, 0.0), end)
        said: list[Utterance] = []
        for span in _audible(scene, turn.handle, begin, end, seams):
            said += _fill(scene, turn, number, *span)
        yield turn.begin, said


def heard_stretches(scene: Scene, timeline: Timeline) -> Iterator[tuple[str, float, float]]:
    """Who is heard from where to where, whether anybody understands it or not; stretches of one person may touch."""
    for turn in scene.turns:
        if scene.person(turn.handle) is not None:
            for begin, end in _audible(scene, turn.handle, turn.begin, min(turn.end, timeline.media_seconds), []):
                yield turn.handle, begin, end


def _audible(scene: Scene, handle: str, begin: float, end: float, seams: list[float]) -> list[tuple[float, float]]:
    """The stretches of a turn that are in the media."""
    person = scene.person(handle)
    if person is not None and person.role != "creator":
        begin = max(begin, person.comes)
        end = end if person.leaves is None else min(end, person.leaves)
    stretches = [(begin, end)]
    closed = [(mute.begin, mute.end) for mute in scene.mutes if mute.handle == handle]
    for off, on in closed + [(seam, seam) for seam in seams]:
        cut: list[tuple[float, float]] = []
        for first, last in stretches:
            if on < first or off > last:
                cut.append((first, last))
            else:
                cut += [(first, off), (on, last)]
        stretches = cut
    return [(first, last) for first, last in stretches if last - first > 0.3]


def _fill(scene: Scene, turn: Turn, number: int, begin: float, end: float) -> list[Utterance]:
    """Say as much as fits between two positions."""
    room = end - begin
    if room < SHORTEST_SECONDS:
        return [Utterance(handle=turn.handle, begin=begin, end=end, words=())]
    chosen = _own_sentences(turn) if turn.text else _choose(scene, number, begin, room)
    natural = sum(_natural(text) for text in chosen)
    spoken = room - PAUSE_SECONDS * (len(chosen) - 1)
    pace = spoken / natural if turn.text else min(spoken / natural, SLOWEST)
    said: list[Utterance] = []
    at = begin
    for text in chosen:
        whole = _speak(turn.handle, text, at, pace, end)
        said += _forced(whole)
        at = whole.end + PAUSE_SECONDS
    return said


def _own_sentences(turn: Turn) -> list[str]:
    return [part for part in re.split(r"(?<=[.?!])\s+", turn.text.strip()) if part]


def _choose(scene: Scene, number: int, begin: float, room: float) -> list[str]:
    """Sentences in the order of the text, from a place that depends on scene and turn; the last one is what fits."""
    known = sentences()
    at = invented_number("speech", scene.id, number, round(begin * 10)) % len(known)
    chosen: list[str] = []
    left = room
    while left > SHORTEST_SECONDS and len(chosen) < 400:
        near = [known[(at + step) % len(known)] for step in range(40)]
        fitting = [text for text in near if _natural(text) <= left * 1.25] or [min(known, key=len)]
        text = fitting[0] if left > 6.0 else min(fitting, key=lambda text: abs(_natural(text) - left))
        chosen.append(text)
        left -= _natural(text) + PAUSE_SECONDS
        at = known.index(text) + 1
    return chosen


def _weight(word: str) -> float:
    return 0.15 + 0.045 * len(word)


@lru_cache(maxsize=4096)
def _natural(text: str) -> float:
    """How long one speaks, without haste."""
    return sum(map(_weight, text.split()))


def _speak(handle: str, text: str, begin: float, pace: float, limit: float) -> Utterance:
    words, at = [], begin
    for word in text.split():
        until = min(at + _weight(word) * pace, limit)
        words.append(TrueWord(word, at, until))
        at = until
    return Utterance(handle=handle, begin=begin, end=at, words=tuple(words))


def _forced(whole: Utterance) -> list[Utterance]:
    """A sentence without end comes in pieces of half a minute."""
    pieces: list[list[TrueWord]] = [[]]
    for word in whole.words:
        if pieces[-1] and word.end - pieces[-1][0].begin > FORCED_SECONDS:
            pieces.append([])
        pieces[-1].append(word)
    return [
        Utterance(handle=whole.handle, begin=piece[0].begin, end=piece[-1].end, words=tuple(piece)) for piece in pieces
    ]
