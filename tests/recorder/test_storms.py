"""Seeded storms in virtual time: whatever goes wrong at random, what the CDN still has in the end is kept once.

A failing seed is the name of the test; ``HYDROPHONE_STORMS=5000 pytest tests/recorder/test_storms.py`` looks for more.
"""

from __future__ import annotations

import asyncio
import os
from random import Random

import pytest

import virtual_time
from hydrophone.errors import FaultyServiceError, HydrophoneError, NotFoundError, UnreachableError
from hydrophone.http import Reply, Request
from hydrophone.model import SpaceState
from hydrophone.recorder.live import LiveEnd
from hydrophone.recorder.settling import Settled
from recorder.stage import Record, Space, Stage, body_of, cut_body, media_list, said

SEEDS = int(os.environ.get("HYDROPHONE_STORMS", "60"))
PAGE = "<!doctype html><title>503 backend read error</title>"
CALM_AFTER = 60.0  #: seconds after the end from which on nothing fails any more


class Storm:
    """Bends answers at random, in spells: each spell has its own kinds of trouble and how often they strike."""

    def __init__(self, dice: Random, space: Space) -> None:
        self._dice = dice
        self._space = space
        self._spells = [self._spell() for _ in range(dice.randint(2, 6))]

    def _spell(self) -> tuple[float, float, str, float, list[str]]:
        dice = self._dice
        begin = dice.uniform(0, self._space.ends_at)
        kinds = ["503", "lost", "page", "empty", "cut", "404", "slow", "stale", "end"]
        return (
            begin,
            begin + dice.choice([3.0, 10.0, 40.0, 200.0]),
            dice.choice(["dynamic", "chunk", "playlist", ""]),
            dice.choice([0.2, 0.6, 1.0]),
            dice.sample(kinds, dice.randint(1, 4)),
        )

    def __call__(self, request: Request, now: float) -> Reply | None:
        if now > self._space.ends_at + CALM_AFTER:
            return None
        for begin, end, word, chance, kinds in self._spells:
            if begin <= now < end and word in request.target and self._dice.random() < chance:
                return self._trouble(self._dice.choice(kinds), request, now)
        return None

    def _trouble(self, kind: str, request: Request, now: float) -> Reply | None:
        is_segment, count = "chunk_" in request.target, self._space.count(now)
        match kind:
            case "503" | "404":
                return said(int(kind))
            case "lost" | "slow":
                raise UnreachableError("no answer", host="cdn")
            case "page" | "empty":
                return said(200, PAGE if kind == "page" else b"")
            case "cut" if is_segment:
                number = int(request.target.rpartition("_a")[0].rpartition("_")[2])
                return said(200, cut_body(number, self._dice.randint(1, 138)))
            case "stale" if "dynamic" in request.target and count > 8:
                return said(200, media_list(range(count - 6, count - 2)))
            case "end" if "dynamic" in request.target and count > 4:
                return said(200, media_list(range(count - 4, count), is_ended=True))
        return None


def troubled_record(dice: Random, space: Space) -> Record:
    record = Record(space)
    errors: list[HydrophoneError] = [FaultyServiceError("out of order", status=503), NotFoundError("gone", status=200)]
    for _ in range(dice.randint(0, 3)):
        begin = dice.uniform(0, space.ends_at)
        if dice.random() < 0.5:
            record.says.append((begin, begin + dice.uniform(5, 120), dice.choice(list(SpaceState))))
        else:
            record.troubles.append((begin, begin + dice.uniform(5, 200), dice.choice(errors)))
    return record


def ride_out(seed: int) -> tuple[Stage, LiveEnd, Settled, int]:
    dice = Random(seed)
    aways = ((dice.randint(10, 90), dice.choice([20.0, 40.0, 400.0])),) if dice.random() < 0.5 else ()
    space = Space(
        120, aways=aways, snapshot_every=dice.choice([5, 20, 60]), final_after=dice.choice([5.0, 45.0, 400.0])
    )
    space.answers.append(Storm(dice, space))

    async def main() -> tuple[Stage, LiveEnd, Settled, int]:
        stage = Stage(space, record=troubled_record(dice, space), connections=dice.choice([1, 4, 16]))
        space.began -= dice.choice([0.0, 0.0, 100.0])
        end = await stage.follow()
        settled = await stage.settle(end.look)
        while settled.is_live_again:
            end = await stage.follow()
            settled = await stage.settle(end.look)
        await asyncio.sleep(0)
        return stage, end, settled, len(asyncio.all_tasks())

    return virtual_time.run(main())


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_storm_costs_nothing_that_is_still_to_be_had(seed: int) -> None:
    stage, _, settled, tasks = ride_out(seed)

    assert stage.numbers == list(range(120))
    assert [stage.shelf.stored[0, number] for number in range(120)] == [body_of(number) for number in range(120)]
    assert set(stage.shelf.verdicts.values()) == {"complete"}
    assert list(stage.plan.missing()) == []
    assert settled.is_final
    assert tasks == 1
