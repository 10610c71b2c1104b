"""Who is heard, from the levels in the tags alone: no acoustic model, no learning.

Once a second each person on stage has a level from 0 to 100. Whoever is loud enough is heard during the second around
the tag. Pauses for breath are bridged, coughs are dropped, and people may overlap.

Source: timed metadata reference, "Who is speaking". Whether a level is a mean or a peak is unknown, so a turn is right
to about half a second at both ends; `_Open.edges` makes it better where levels are means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hydrophone.audio.hydra import StageSample
from hydrophone.model import SpeakerSource, Turn

SAMPLES_PER_FRAME = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakingRules:
    """From levels to turns.

    Attributes:
        level: from here on somebody is heard; below about 8 it is the noise of a room.
        bridged_seconds: a pause up to this long does not end a turn.
        shortest_seconds: a turn shorter than this is dropped, after bridging.
        reach_seconds: a sample stands for half the way to its neighbours, but never for more than this to either side;
            so a gap in the recording is nobody's speech.
        reach_over_seconds: the same where audio lies between whose tags are missing: two segments without any.
    """

    level: int = 8
    bridged_seconds: float = 2.0
    shortest_seconds: float = 1.0
    reach_seconds: float = 0.75
    reach_over_seconds: float = 3.6


@dataclass(slots=True)
class _Open:
    """The turn under way of one person, and its first and last sample: (level, seconds)."""

    begin: float
    end: float
    first: tuple[int, float]
    last: tuple[int, float]
    weight: float = 0.0  #: level times seconds
    heard: float = 0.0

    def add(self, level: int, end: float, length: float) -> None:
        self.end, self.last = end, (level, length)
        self.weight += level * length
        self.heard += length

    def edges(self) -> tuple[float, float]:
        """Begin and end, each moved inward by the share of its sample that is missing to the usual loudness.

        Somebody who begins in the middle of a second is half as loud in it as in the next one. Where levels are peaks,
        the first is as loud as all, and nothing moves.
        """
        (first, first_length), (last, last_length) = self.first, self.last
        inner_seconds = self.heard - first_length - last_length
        if inner_seconds <= 0:
            return self.begin, self.end
        usual = (self.weight - first * first_length - last * last_length) / inner_seconds
        return (
            self.begin + first_length * max(0.0, 1 - first / usual),
            self.end - last_length * max(0.0, 1 - last / usual),
        )


@dataclass(slots=True)
class _Pending:
    """A sample that waits for the next one, to know how far it reaches."""

    seconds: float
    begin: float
    levels: dict[str, int] = field(default_factory=dict)


class SpeechLog:
    """Digest levels in order of position, and tell who is heard. Memory grows with turns, not with samples."""

    def __init__(self, rules: SpeakingRules | None = None) -> None:
        self._rules = rules or SpeakingRules()
        self._open: dict[str, _Open] = {}
        self._turns: list[Turn] = []
        self._pending: _Pending | None = None
        self._is_over = False
        self.samples = 0

    def hear(self, seconds: float, levels: Mapping[str, int]) -> None:
        """One sample: the level of everybody on stage, by their key. Who is not in it is silent.

        A sample from before the last one (a tag out of order) is passed over.
        """
        pending = self._pending
        if pending is not None and seconds <= pending.seconds:
            return
        self.samples += 1
        reach = self._reach(seconds)
        begin = seconds - reach
        if pending is not None:
            middle = (pending.seconds + seconds) / 2
            self._digest(pending, min(middle, pending.seconds + reach))
            begin = max(begin, middle)
        loud = {person: level for person, level in levels.items() if level >= self._rules.level}
        self._pending = _Pending(seconds, max(begin, 0.0), loud)

    def pass_over(self) -> None:
        """Audio follows that tells no levels: what is heard before and after it reaches further, up to the middle."""
        self._is_over = True

    def finish(self, end_seconds: float | None = None) -> list[Turn]:
        """All turns, in order of beginning. `end_seconds` is the length of the recording."""
        if self._pending is not None:
            end = self._pending.seconds + self._rules.reach_seconds
            self._digest(self._pending, end if end_seconds is None else min(end, end_seconds))
            self._pending = None
        for person in list(self._open):
            self._close(person)
        self._turns.sort(key=lambda turn: (turn.begin_seconds, turn.end_seconds, turn.speaker))
        return self._turns

    def _reach(self, seconds: float) -> float:
        """How far the sample before this one and this one reach towards each other."""
        rules, is_over = self._rules, self._is_over
        self._is_over = False
        if not is_over or self._pending is None or seconds - self._pending.seconds > 2 * rules.reach_over_seconds:
            return rules.reach_seconds
        return rules.reach_over_seconds

    def _digest(self, sample: _Pending, end: float) -> None:
        length = end - sample.begin
        if length <= 0:
            return
        for person, level in sample.levels.items():
            turn = self._open.get(person)
            if turn is not None and sample.begin - turn.end > self._rules.bridged_seconds + 1e-9:
                self._close(person)
                turn = None
            if turn is None:
                turn = self._open[person] = _Open(sample.begin, end, (level, length), (level, length))
            turn.add(level, end, length)

    def _close(self, person: str) -> None:
        turn = self._open.pop(person)
        if turn.end - turn.begin < self._rules.shortest_seconds - 1e-9:
            return
        begin, end = turn.edges()
        self._turns.append(
            Turn(
                speaker=person,
                begin_seconds=begin,
                end_seconds=end,
                source=SpeakerSource.LEVELS,
                level=turn.weight / turn.heard,
            )
        )


def sample_levels(sample: StageSample, host: str) -> dict[str, int]:
    """The levels of one tag by Periscope id; the host, whom tags never name, under the key `host`."""
    levels = {person.periscope_id or f"@{person.handle}": level for person, level in sample.levels_by_person()}
    levels.pop("@", None)
    if sample.host_level is not None:
        levels[host] = max(sample.host_level, levels.get(host, 0))
    return levels


def sample_position(sample: StageSample, segment_seconds: float, rate: int) -> float:
    """Where a tag stands in the recording: its segment begins at `segment_seconds`."""
    return segment_seconds + sample.before_frame * SAMPLES_PER_FRAME / rate
