"""Spaces by dice, for the tests of transcripts: who is there, who talks when, and what goes wrong, all from a seed."""

from __future__ import annotations

from random import Random
from typing import Any

from hydrophone.sandbox.conversation import lively_turns
from hydrophone.sandbox.scene import Away, Format, Mute, Person, Quirks, Scene, TagStyle

SEGMENT_SECONDS = 3


def random_scene(seed: int, *, seconds: float, is_live: bool = False) -> Scene:
    """Two to eight people on stage, absences of the host, jumps of the clock, restarts, holes, tags of every style.

    What would leave nothing to go by is left out: there are always levels, and some clock in most of the segments.
    """
    dice = Random(seed)
    people = _people(dice, seconds)
    place_count = int(seconds) // SEGMENT_SECONDS
    made: dict[str, Any] = {
        "people": people,
        "turns": lively_turns(people, seconds, f"seed {seed}"),
        "mutes": _mutes(dice, people, seconds),
        "aways": _aways(dice, seconds),
        "quirks": Quirks(
            restarts=tuple(sorted(dice.sample(range(10, place_count - 10), dice.choice((0, 0, 1, 2))))),
            holes=tuple(sorted(dice.sample(range(5, place_count - 5), dice.choice((0, 0, 3))))),
        ),
        "tags": TagStyle(
            plain_sizes=dice.random() < 0.3,
            encoding=dice.choice((3, 3, 0)),
            ntp_as_text=dice.random() < 0.3,
            has_stream_name=dice.random() < 0.7,
            has_priv=dice.random() < 0.8,
            bare=tuple(sorted(dice.sample(range(5, place_count - 5), dice.choice((0, 0, 4))))),
        ),
        "formats": (Format(),) if dice.random() < 0.8 else (Format(), Format(at=place_count // 2, rate=44_100)),
        "extra": {"clock_jumps": _clock_jumps(dice, seconds), "chat": {"ntp": dice.choice(("number", "text"))}},
    }
    name = f"dice-{seed}"
    return (
        Scene.live(name, seconds=seconds, since=20.0, **made)
        if is_live
        else Scene.ended(name, seconds=seconds, ago=900.0 + sum(away.seconds for away in made["aways"]), **made)
    )


def _people(dice: Random, seconds: float) -> tuple[Person, ...]:
    count = dice.randint(2, 8)
    found = [Person.invent(f"creator_{count}", role="creator", voice=1)]
    for number in range(1, count):
        comes = dice.choice((0.0, 0.0, dice.uniform(10.0, seconds / 2)))
        leaves = None if dice.random() < 0.7 else dice.uniform(comes + seconds / 4, seconds)
        role = "host" if number == 1 and dice.random() < 0.5 else "speaker"
        found.append(
            Person.invent(
                f"voice_{number}", role=role, voice=number % 3 + 1, comes=round(comes, 1), leaves=_rounded(leaves)
            )
        )
    return (*found, Person.invent("listener_1", role="listener", voice=0))


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def _mutes(dice: Random, people: tuple[Person, ...], seconds: float) -> tuple[Mute, ...]:
    found = []
    for person in people:
        at = dice.uniform(5.0, seconds)
        while at < seconds - 5 and person.role != "listener":
            length = dice.uniform(3.0, 60.0)
            found.append(Mute(handle=person.handle, begin=round(at, 1), end=round(min(at + length, seconds), 1)))
            at += length + dice.uniform(seconds / 8, seconds)
    return tuple(found)


def _aways(dice: Random, seconds: float) -> tuple[Away, ...]:
    count = dice.choice((0, 1, 1, 2))
    return tuple(
        Away(begin=round(at), seconds=dice.choice((15.0, 40.0, 200.0)))
        for at in sorted(dice.uniform(30.0, seconds - 30.0) for _ in range(count))
    )


def _clock_jumps(dice: Random, seconds: float) -> list[list[float]]:
    count = dice.choice((0, 0, 1, 2))
    return [
        [round(at), dice.choice((90.0, -200.0, 3600.0, -3600.0, 2.5))]
        for at in sorted(dice.uniform(30.0, seconds - 30.0) for _ in range(count))
    ]
