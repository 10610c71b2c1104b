"""How long everybody talked, and in which order: turns out of cues, talk time, chapters, reactions per minute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hydrophone.model import Cue, SpeakerSource, Transcript, Turn

#: Cues of one person this close together are one turn.
SAME_TURN_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkTime:
    """How much a person talked. `share` is of all talk; overlapping talk counts for everybody who does it."""

    speaker: str
    seconds: float
    share: float
    turns: int
    words: int
    longest_turn_seconds: float
    first_seconds: float
    last_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChapterMark:
    """Where somebody begins to hold the floor, for the chapters of a media file."""

    begin_seconds: float
    speaker: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionMinute:
    """The reactions of one minute of the recording, each emoji with its number."""

    minute: int
    total: int
    counts: Mapping[str, int] = field(default_factory=dict)


def turns_of_cues(cues: Iterable[Cue]) -> list[Turn]:
    """Who spoke when, by the captions alone: cues of one person joined across short pauses."""
    open_turns: dict[str, list[float]] = {}
    turns: list[Turn] = []

    def close(speaker: str) -> None:
        begin, end = open_turns.pop(speaker)
        turns.append(
            Turn(speaker=speaker, begin_seconds=begin, end_seconds=end, source=SpeakerSource.CAPTIONS, level=None)
        )

    for cue in sorted(cues, key=lambda cue: cue.begin_seconds):
        span = open_turns.get(cue.speaker)
        if span is not None and cue.begin_seconds - span[1] <= SAME_TURN_SECONDS:
            span[1] = max(span[1], cue.end_seconds)
            continue
        if span is not None:
            close(cue.speaker)
        open_turns[cue.speaker] = [cue.begin_seconds, cue.end_seconds]
    for speaker in list(open_turns):
        close(speaker)
    return sorted(turns, key=lambda turn: (turn.begin_seconds, turn.end_seconds))


def talk_turns(transcript: Transcript) -> list[Turn]:
    """The best turns that a transcript has: levels, else captions, else microphones."""
    heard = [turn for turn in transcript.turns if turn.source is SpeakerSource.LEVELS]
    if heard:
        return heard
    return turns_of_cues(cue for cue in transcript.cues if cue.speaker) or list(transcript.turns)


def talk_times(transcript: Transcript) -> list[TalkTime]:
    """Everybody who talked, who talked longest first."""
    turns = talk_turns(transcript)
    words: Counter[str] = Counter()
    for cue in transcript.cues:
        words[cue.speaker] += len(cue.text.split())
    by_speaker: dict[str, list[Turn]] = {}
    for turn in turns:
        by_speaker.setdefault(turn.speaker, []).append(turn)
    for cue in transcript.cues:
        if cue.speaker and cue.speaker not in by_speaker:
            by_speaker[cue.speaker] = turns_of_cues(one for one in transcript.cues if one.speaker == cue.speaker)
    whole = sum(turn.seconds for own in by_speaker.values() for turn in own)
    found = [
        TalkTime(
            speaker=speaker,
            seconds=(seconds := sum(turn.seconds for turn in own)),
            share=seconds / whole if whole else 0.0,
            turns=len(own),
            words=words[speaker],
            longest_turn_seconds=max(turn.seconds for turn in own),
            first_seconds=min(turn.begin_seconds for turn in own),
            last_seconds=max(turn.end_seconds for turn in own),
        )
        for speaker, own in by_speaker.items()
        if speaker
    ]
    return sorted(found, key=lambda one: (-one.seconds, one.first_seconds))


def chapter_marks(
    transcript: Transcript, *, long_turn_seconds: float = 45.0, aside_seconds: float = 8.0, limit: int = 200
) -> list[ChapterMark]:
    """A chapter where somebody begins to hold the floor, named after their first words.

    Args:
        long_turn_seconds: who speaks for at least this long, asides of others not counted, holds the floor.
        aside_seconds: a turn of somebody else up to this long interrupts nobody.
        limit: players know no more than 255 chapters; with more, the shortest stretches are joined to the one before.
    """
    floors: list[Turn] = []
    for turn in talk_turns(transcript):
        if turn.source is SpeakerSource.MICROPHONES or not turn.speaker:
            continue
        if floors and floors[-1].speaker == turn.speaker:
            end = max(turn.end_seconds, floors[-1].end_seconds)
            floors[-1] = Turn(speaker=turn.speaker, begin_seconds=floors[-1].begin_seconds, end_seconds=end)
        elif turn.seconds > aside_seconds or not floors:
            floors.append(turn)
    held = [floor for floor in floors if floor.seconds >= long_turn_seconds]
    if len(held) > limit:
        shortest = sorted(held, key=lambda floor: floor.seconds)[: len(held) - limit]
        gone = set(map(id, shortest))
        held = [floor for floor in held if id(floor) not in gone]
    marks: list[ChapterMark] = []
    opening = _Opening(transcript.cues)
    for floor in held:
        if marks and marks[-1].speaker == floor.speaker:
            continue
        label = transcript.speaker(floor.speaker).label
        said = opening.words_of(floor)
        marks.append(
            ChapterMark(
                begin_seconds=max(0.0, floor.begin_seconds),
                speaker=floor.speaker,
                title=f"{label}: {said}" if said else label,
            )
        )
    return marks


class _Opening:
    """The first words of a stretch, found without looking at all cues each time."""

    def __init__(self, cues: Sequence[Cue]) -> None:
        self._by_speaker: dict[str, list[Cue]] = {}
        for cue in cues:
            self._by_speaker.setdefault(cue.speaker, []).append(cue)
        self._next: dict[str, int] = {}

    def words_of(self, floor: Turn, count: int = 7) -> str:
        """Floors of a speaker must be asked for in order."""
        own = self._by_speaker.get(floor.speaker, [])
        index = self._next.get(floor.speaker, 0)
        while index < len(own) and own[index].end_seconds <= floor.begin_seconds:
            index += 1
        self._next[floor.speaker] = index
        if index == len(own) or own[index].begin_seconds >= floor.end_seconds:
            return ""
        words = own[index].text.split()
        return " ".join(words[:count]) + ("…" if len(words) > count else "")


def reactions_per_minute(reactions: Iterable[tuple[float, str]]) -> list[ReactionMinute]:
    """Reactions counted by the minute of the recording; minutes without any are left out.

    Args:
        reactions: position and emoji of each, in any order. Those before the recording count for its first minute.
    """
    minutes: dict[int, Counter[str]] = {}
    for seconds, emoji in reactions:
        minutes.setdefault(max(0, int(seconds // 60)), Counter())[emoji] += 1
    return [
        ReactionMinute(minute=minute, total=counts.total(), counts=dict(counts.most_common()))
        for minute, counts in sorted(minutes.items())
    ]
