"""Captions become cues: for each speaker a growing text, and then one finished sentence.

Nothing links an unfinished caption to its finished form but its speaker and the order of arrival. So messages are shown
in the order in which the service sent them, one track for each speaker, and what is kept is only what is still open:
time is linear in the number of messages, and memory bounded by the number of words under way.

Source: chat reference, "Captions: merging".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from hydrophone.captions.wordtimes import Staircase, time_words
from hydrophone.model import ChatKind, ChatMessage, Cue

#: A cue begins this long before its first unfinished caption: nobody is understood before having begun to speak.
LEAD_SECONDS = 0.4
SECONDS_PER_WORD = 0.33
LONGEST_GUESS_SECONDS = 10.0
MAX_SPEAKERS = 10_000  #: with a run open; the service has a dozen on stage, an attacker any number


class Placed(Protocol):
    """A place in the recording, in seconds from its beginning; negative for what came before it."""

    @property
    def seconds(self) -> float: ...
    @property
    def is_approximate(self) -> bool: ...


#: Where in the recording a message belongs; None for one that belongs nowhere.
Place = Callable[[ChatMessage], Placed | None]


class At(NamedTuple):
    """The simplest `Placed`."""

    seconds: float
    is_approximate: bool = False


def since(zero_unix_us: int) -> Place:
    """Places by one offset: only for a recording in one piece that began at that instant."""

    def place(message: ChatMessage) -> Placed | None:
        if message.unix_us is None:
            return None
        return At((message.unix_us - zero_unix_us) / 1_000_000, message.is_approximate)

    return place


@dataclass(slots=True)
class _Run:
    """The unfinished captions of a speaker since the last finished one."""

    smallest: float
    largest: float
    interims: int = 0
    is_approximate: bool = False
    steps: Staircase = field(default_factory=Staircase)
    longest: list[str] = field(default_factory=list)
    last: ChatMessage | None = None
    last_seconds: float = 0.0

    def see(self, message: ChatMessage, words: list[str], at: Placed) -> None:
        seconds = at.seconds
        self.smallest, self.largest = min(self.smallest, seconds), max(self.largest, seconds)
        self.interims += 1
        self.is_approximate |= message.is_approximate or at.is_approximate
        self.steps.add(seconds, len(words))
        if len(words) >= len(self.longest):
            self.longest = words
        self.last, self.last_seconds = message, seconds


@dataclass(slots=True)
class MergeTotals:
    """What the merging met: for reports, and to compare with what the service is known to do."""

    captions: int = 0
    cues: int = 0
    empty_finals: int = 0
    runs_closed_by_empty: int = 0
    finals_without_interims: int = 0
    open_runs: int = 0
    misplaced: int = 0  #: captions that belong nowhere


class CueMerger:
    """Digest captions in order of arrival and hand out a cue for each finished sentence.

    Args:
        place: where in the recording a message belongs.
        name_speaker: the key under which a speaker stands in the transcript, by the caption.
    """

    def __init__(
        self,
        place: Place,
        *,
        name_speaker: Callable[[ChatMessage], str] = lambda message: message.person.key if message.person else "",
    ) -> None:
        self.totals = MergeTotals()
        self._place = place
        self._name = name_speaker
        self._runs: dict[str, _Run] = {}
        self._ends: dict[str, float] = {}  # of each speaker's previous cue

    def see(self, message: ChatMessage) -> Cue | None:
        """Digest one message, without doubles; the cue that it finishes. What is no caption changes nothing."""
        if message.kind is not ChatKind.CAPTION:
            return None
        self.totals.captions += 1
        speaker = self._name(message)
        words = message.text.split()
        if message.is_final and not words:
            self.totals.empty_finals += 1
            self.totals.runs_closed_by_empty += self._runs.pop(speaker, None) is not None
            return None
        at = self._place(message)
        if at is None:
            self.totals.misplaced += 1
            return None
        if not message.is_final:
            self._grow(speaker, message, words, at)
            return None
        return self._finish(speaker, self._runs.pop(speaker, None), message, words, at)

    def open_cues(self) -> list[Cue]:
        """What is being said at the moment, marked as not final. Nothing is closed by asking."""
        return [cue for speaker, run in self._runs.items() if (cue := self._provisional(speaker, run)) is not None]

    def finish(self) -> list[Cue]:
        """The end of the chat: what was never finished, marked as not final."""
        cues = self.open_cues()
        self.totals.open_runs += len(cues)
        self.totals.cues += len(cues)
        self._runs.clear()
        return cues

    # ------------------------------------------------------------------ pieces

    def _grow(self, speaker: str, message: ChatMessage, words: list[str], at: Placed) -> None:
        if not words:
            return
        run = self._runs.get(speaker)
        if run is None:
            if len(self._runs) >= MAX_SPEAKERS:
                self._runs.pop(next(iter(self._runs)))
            run = self._runs[speaker] = _Run(at.seconds, at.seconds)
        run.see(message, words, at)

    def _finish(self, speaker: str, run: _Run | None, message: ChatMessage, words: list[str], at: Placed) -> Cue:
        self.totals.finals_without_interims += run is None
        self.totals.cues += 1
        is_approximate = message.is_approximate or at.is_approximate or (run is not None and run.is_approximate)
        end = At(max(at.seconds, run.largest) if run else at.seconds, is_approximate)
        cue = self._cue(speaker, run, message, words, end)
        self._ends[speaker] = cue.end_seconds
        if len(self._ends) > MAX_SPEAKERS:
            self._ends.pop(next(iter(self._ends)))
        return cue

    def _provisional(self, speaker: str, run: _Run) -> Cue | None:
        if run.last is None:
            return None
        end = At(run.last_seconds, run.is_approximate)
        return self._cue(speaker, run, run.last, run.last.text.split(), end, is_final=False)

    def _cue(
        self, speaker: str, run: _Run | None, message: ChatMessage, words: list[str], at: At, is_final: bool = True
    ) -> Cue:
        end = at.seconds
        if run is not None:
            begin = run.smallest - LEAD_SECONDS
        else:
            begin = end - min(SECONDS_PER_WORD * len(words), LONGEST_GUESS_SECONDS)
        # People interrupt each other, but nobody interrupts oneself.
        begin = max(begin, self._ends.get(speaker, begin))
        end = max(begin, end)
        heard_ends = run.steps.word_ends(begin) if run else []
        return Cue(
            id=message.identity,
            speaker=speaker,
            begin_seconds=begin,
            end_seconds=end,
            text=" ".join(words),
            words=time_words(words, run.longest if run else [], heard_ends, begin, end),
            interims=run.interims if run else 0,
            first_interim_seconds=run.smallest if run else None,
            is_final=is_final,
            is_approximate=at.is_approximate,
        )
