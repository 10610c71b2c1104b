"""An invented hour on stage: who speaks when, who is muted, and the levels of all that."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from diarisation import Span

TAG_SECONDS = 47 * 1024 / 48_000
SEGMENT_SECONDS = 141 * 1024 / 48_000
PEOPLE = ("1maraLindPscp", "1tobiQuistPsc", "1inesVargaPsc", "1pellOseiPscp", "1junoBarkPsc1")


@dataclass
class SimulatedStage:
    """`truth` is speech by position in the recording; `levels` one entry a tag: position, and level by person."""

    seconds: float
    truth: list[Span] = field(default_factory=list)
    levels: list[tuple[float, dict[str, int]]] = field(default_factory=list)
    speaking: list[Span] = field(default_factory=list)  #: the same without the breaths
    muted: list[Span] = field(default_factory=list)


def simulate_stage(seed: int, *, seconds: float = 3600.0) -> SimulatedStage:
    """Turns of a few seconds to a minute and a half, breaths of up to a second, interruptions, mutes, a dropped host.

    A level is the mean loudness over the second around its tag, with noise; a closed microphone is silent. While the
    host is away nothing is recorded, so positions run on and whoever spoke is cut off. The truth bridges breaths below
    a second, as a listener would, and knows nothing of the rules under test.
    """
    drop_at = drop_position(seconds)
    rng = Random(seed)
    stage = SimulatedStage(seconds)
    speaking = stage.speaking
    at = 3.0
    last = ""
    while at < seconds - 40:
        person = rng.choice([one for one in PEOPLE if one != last])
        last = person
        begin = at
        turn_end = min(at + min(90.0, rng.lognormvariate(2.4, 0.8) + 1.5), seconds - 20)
        if at < drop_at < turn_end:
            turn_end = drop_at
        while at < turn_end:
            end = min(at + rng.uniform(2.0, 8.0), turn_end)
            speaking.append(Span(person, at, end))
            at = end + rng.uniform(0.15, 0.9)
        stage.truth.append(Span(person, begin, speaking[-1].end))
        if rng.random() < 0.25:  # somebody starts before the other has finished
            other = rng.choice([one for one in PEOPLE if one != person])
            first = speaking[-1].end - rng.uniform(0.8, 2.5)
            interruption = Span(other, first, first + rng.uniform(2.0, 5.0))
            speaking.append(interruption)
            stage.truth.append(interruption)
            at, last = interruption.end, other
        at += rng.uniform(0.3, 2.5) if rng.random() < 0.8 else rng.uniform(4.0, 20.0)
        if rng.random() < 0.1:  # a microphone that is closed while its owner says nothing
            stage.muted.append(Span(rng.choice(PEOPLE), at, at + 10.0))
    count = int(seconds / TAG_SECONDS)
    for number in range(count):
        place = number * TAG_SECONDS
        levels = {person: rng.randint(0, 5) for person in PEOPLE}
        for person, begin, end in stage.muted:
            if begin <= place < end:
                levels[person] = 0
        stage.levels.append((place, levels))
    for person, begin, end in speaking:
        loudness = rng.randint(35, 80)
        for number in range(max(0, int((begin - 1) / TAG_SECONDS)), min(count, int((end + 1) / TAG_SECONDS) + 1)):
            place, levels = stage.levels[number]
            heard = max(0.0, min(end, place + 0.5) - max(begin, place - 0.5))
            levels[person] = min(100, levels[person] + round(loudness * heard * rng.uniform(0.6, 1.3)))
    stage.truth = _joined(stage.truth)
    return stage


def drop_position(seconds: float) -> float:
    """Where the host drops out: between two segments, since no frame is made while nobody sends any."""
    return int(seconds * 0.6 / SEGMENT_SECONDS) * SEGMENT_SECONDS


def _joined(spans: list[Span]) -> list[Span]:
    """The same person's spans joined where they touch, overlap, or pause for less than a second."""
    found: list[Span] = []
    for person in PEOPLE:
        own = sorted(span for span in spans if span.speaker == person)
        for span in own:
            if found and found[-1].speaker == person and span.begin - found[-1].end < 1.0:
                found[-1] = Span(person, found[-1].begin, max(found[-1].end, span.end))
            else:
                found.append(span)
    return sorted(found, key=lambda span: span.begin)
