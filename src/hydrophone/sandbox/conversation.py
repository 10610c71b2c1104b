"""Conversations that are made up for scenes without turns of their own: polite ones are in `scene`, lively ones here.

In a lively one people fall into each other's words, say a word while somebody else goes on, pause, hold the floor for a
minute, and come in one sentence. All of it follows from the people, the length and the seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from random import Random

from hydrophone.sandbox.scene import Person, Turn, invented_number

LONGEST_SECONDS = 95.0
MAX_TURNS = 20_000


@lru_cache(maxsize=64)
def lively_turns(people: tuple[Person, ...], seconds: float, seed: str = "") -> tuple[Turn, ...]:
    """Turns by their beginning; nobody speaks before they come or after they leave the stage."""
    turns = _turns([one for one in people if one.role != "listener" and one.voice], seconds, seed)
    return tuple(sorted(turns, key=lambda turn: (turn.begin, turn.end)))


def _turns(voices: list[Person], seconds: float, seed: str) -> Iterator[Turn]:
    dice = Random(invented_number("lively", seed, *(one.handle for one in voices)))
    begin, last = 1.5, ""
    for _ in range(MAX_TURNS):
        there = [one for one in voices if _stays(one, begin) > 2.0]
        others = [one for one in there if one.handle != last] or there
        if begin > seconds - 2.0:
            return
        if not others:
            begin += 1.0
            continue
        speaker = dice.choice(others)
        last = speaker.handle
        length = min(LONGEST_SECONDS, dice.lognormvariate(2.2, 0.8) + 1.5, _stays(speaker, begin))
        end = min(begin + length, seconds)
        yield _turn(speaker, begin, end)
        yield from _asides(dice, [one for one in there if one is not speaker], begin, end)
        begin = end + _pause(dice, end - begin)


def _asides(dice: Random, others: list[Person], begin: float, end: float) -> Iterator[Turn]:
    """Somebody says a word in between, and the speaker goes on."""
    at = begin + dice.uniform(4.0, 20.0)
    while others and at + 2.5 < end:
        other = dice.choice(others)
        if _stays(other, at) > 2.5:
            yield _turn(other, at, at + dice.uniform(0.6, 2.2))
        at += dice.uniform(8.0, 40.0)


def _pause(dice: Random, length: float) -> float:
    """Until the next one begins; below zero for one who does not wait for the end."""
    kind = dice.random()
    if kind < 0.25:
        return -min(dice.uniform(0.5, 2.5), length / 2)
    return dice.uniform(0.1, 1.5) if kind < 0.9 else dice.uniform(3.0, 15.0)


def _stays(person: Person, at: float) -> float:
    """How much longer somebody is on stage; below zero for one who is not (yet)."""
    if person.role != "creator" and at < person.comes:
        return -1.0
    return LONGEST_SECONDS if person.leaves is None else person.leaves - at


def _turn(person: Person, begin: float, end: float) -> Turn:
    return Turn(handle=person.handle, begin=round(begin, 1), end=round(end, 1))
