"""Recordings of scenes by dice, and of those that try the clock, against what was said: words, places, speakers, turns.

`make hunt` takes more seeds, an hour each, and records some of them while they run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import facts
from hydrophone.sandbox.scene import Away, Quirks, Scene
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.trials import Trial, engine, lift_limits, record_links
from journeys.victims import IS_HUNT
from random_scenes import random_scene
from transcript_truth import compare_turns, compare_words, read_transcript

pytestmark = pytest.mark.timeout(3600 if IS_HUNT else 300)

SEEDS, SECONDS = (range(24), 3600.0) if IS_HUNT else (range(6), 300.0)
LIVE_SEEDS, LIVE_SECONDS, LIVE_SPEED = (range(100, 106), 1200.0, 30.0) if IS_HUNT else (range(100, 102), 180.0, 15.0)
#: Ended long ago, whatever the shipped scene says.
SHIPPED = {
    "ntp-jumps": {"seconds": "8m"},
    "ntp-wrap": {"extra": {"chat": {"retention_seconds": 1e9}}},
    "host-drops": {"started": "-10m", "created": "-20m"},
    "sequence-restart": {"started": "-10m", "created": "-20m"},
    "storm": {"started": "-30m", "created": "-40m", "seconds": 180},
}


@pytest.fixture(scope="module")
def box() -> Iterator[SandboxBox]:
    with sandbox(speed=LIVE_SPEED) as opened:
        lift_limits(opened)
        yield opened


async def _record(box: SandboxBox, folder: Path, names: Sequence[str]) -> list[Trial]:
    async with engine(box, folder) as hydrophone:
        return await record_links(hydrophone, [box.link(name) for name in names])


def record_all(box: SandboxBox, folder: Path, *names: str) -> dict[str, Trial]:
    return dict(zip(names, asyncio.run(_record(box, folder, names)), strict=True))


def assert_true(box: SandboxBox, name: str, trial: Trial, *, error: float = 0.03) -> None:
    transcript = read_transcript(trial.directory)
    compare_words(transcript, box.true_cues(name)).assert_true()
    rate = compare_turns(transcript, box.true_turns(name)).rate
    facts.tell(f"diarisation error rate of {name}", round(rate, 4))
    assert rate <= error


@pytest.mark.parametrize("name", SHIPPED)
def test_odd_clocks_put_no_word_elsewhere(box: SandboxBox, tmp_path: Path, name: str) -> None:
    box.control.load(name, **SHIPPED[name])

    assert_true(box, name, record_all(box, tmp_path, name)[name])


def test_spaces_by_dice_are_told_as_they_were(box: SandboxBox, tmp_path: Path) -> None:
    scenes = [random_scene(seed, seconds=SECONDS) for seed in SEEDS]
    for scene in scenes:
        box.control.load(scene)

    trials = record_all(box, tmp_path, *(scene.name for scene in scenes))

    for scene in scenes:
        # Where tags are lost, nobody can know who begins and ends meanwhile.
        assert_true(box, scene.name, trials[scene.name], error=0.06 if scene.tags.bare else 0.03)


def test_spaces_by_dice_are_told_live_too(box: SandboxBox, tmp_path: Path) -> None:
    scenes = [random_scene(seed, seconds=LIVE_SECONDS, is_live=True) for seed in LIVE_SEEDS]
    for scene in scenes:
        box.control.load(scene)

    trials = record_all(box, tmp_path, *(scene.name for scene in scenes))

    for scene in scenes:
        assert_true(box, scene.name, trials[scene.name], error=0.06 if scene.tags.bare else 0.03)


def test_who_comes_late_and_to_a_second_session_knows_the_first_words_too(box: SandboxBox, tmp_path: Path) -> None:
    """Two minutes late, after the host was away and its encoder began anew, and once more before the end."""
    scene = Scene.live(
        "late",
        seconds=210,
        since=150,
        aways=(Away(begin=60, seconds=45), Away(begin=150, seconds=20)),
        quirks=Quirks(restarts=(20, 50), discontinuities=(20, 50)),
        extra={"clock_jumps": [[60, 7200.0], [150, -7200.0]]},
    )
    box.control.load(scene)

    assert_true(box, "late", record_all(box, tmp_path, "late")["late"])
