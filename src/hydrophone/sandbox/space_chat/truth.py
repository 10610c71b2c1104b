"""Who said what, when: computed from the scene alone, in positions of the media and by the clock of the audio."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.space_chat.clock import PositionClock
from hydrophone.sandbox.space_chat.speech import TrueWord, heard_stretches, utterances
from hydrophone.sandbox.timeline import Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueCue:
    """A sentence. `begin` and `end` are positions in seconds; the rest are microseconds of the audio's own clock."""

    speaker: str  #: the handle
    user_id: str
    periscope_id: str
    text: str
    begin: float
    end: float
    begin_us: int
    end_us: int
    words: tuple[TrueWord, ...]


def true_cues(scene: Scene) -> Iterator[TrueCue]:
    """All sentences in order of their beginning, also where captions are off. What nobody can understand is no cue.

    The scene must be on the clock and have an end.
    """
    if scene.origin_at is None or scene.seconds is None:
        raise ValueError("a scene with an end, on the clock, is needed: scene.at(instant)")
    timeline = Timeline(scene)
    clock = PositionClock(scene, timeline)
    said = [one for _, turn in utterances(scene, timeline) for one in turn if one.words]
    for one in sorted(said, key=lambda one: one.begin):
        person = scene.person(one.handle)
        if person is not None:
            yield TrueCue(
                speaker=one.handle,
                user_id=person.user_id,
                periscope_id=person.periscope_id,
                text=one.text,
                begin=one.begin,
                end=one.end,
                begin_us=clock.audio_us(one.begin),
                end_us=clock.audio_us(one.end, before_seam=True),
                words=one.words,
            )


def true_turns(scene: Scene) -> list[tuple[str, float, float]]:
    """Handle, begin and end of every stretch in which somebody is heard, in order. Nobody overlaps with themselves."""
    if scene.origin_at is None or scene.seconds is None:
        raise ValueError("a scene with an end, on the clock, is needed: scene.at(instant)")
    united: list[tuple[str, float, float]] = []
    for handle, begin, end in sorted(heard_stretches(scene, Timeline(scene))):
        if united and united[-1][0] == handle and begin <= united[-1][2]:
            begin, end = united[-1][1], max(end, united.pop()[2])
        united.append((handle, begin, end))
    return sorted(united, key=lambda one: one[1:])
