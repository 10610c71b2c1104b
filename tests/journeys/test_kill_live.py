"""SIGKILL at random instants while a Space is live and after it: what it ends in is what nobody disturbed.

One recorder of the same Space is left alone, several are killed again and again, and the files of their items are
compared. Four are not: `journal.jsonl`, `captions.jsonl`, `audience.csv` and the numbers of listeners in
`timeline.jsonl` say when somebody looked and what was to be seen then, and a dead recorder does not look. The manifest
holds their digests.
"""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hydrophone.sandbox.scene import Person, Scene, sample_people
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.victims import (
    IS_HUNT,
    PHASES,
    Run,
    assert_same_files,
    assert_sound,
    draw_kill,
    frames_in,
    item_of,
    record,
)

pytestmark = pytest.mark.timeout(3600 if IS_HUNT else 300)

SPEED = 8.0
SECONDS = 120.0
VICTIMS, KILLS = 5, 5
#: They come on stage one after the other: who sees them first depends on when a recorder looks.
PEOPLE = (
    *sample_people(),
    Person.invent("ida_quist", "Ida Quist", voice=2, comes=40.0),
    Person.invent("abe_tolland", "Abe Tolland", voice=1, comes=90.0),
)
ROUNDS = range(10 if IS_HUNT else 1)
#: Real seconds of each phase, roughly: it is not known before the Space has ended.
LENGTHS = {
    "spawned": 1.5,
    "started": SECONDS / SPEED / 4,
    "finishing original": 0.03,
    "finishing audio": 0.05,
    "finishing manifest": 0.05,
    "outcome": 0.2,
}


def kill_and_resume(box: SandboxBox, folder: Path, scene: Scene, seed: int) -> int:
    """Kill a recording several times, then let it end. Returns how often it was killed."""
    rng = random.Random(seed)
    link = box.link(scene.name)
    killed = 0
    while killed < KILLS:
        # Most while it is live, the last after it, when the files are being made.
        phases = ("spawned", "started", "started") if killed < KILLS - 2 else PHASES[2:]
        run = record(box, folder, link, kill=draw_kill(rng, LENGTHS, phases))
        assert run.was_killed or run.exit_code == 0, run.errors
        killed += run.was_killed
    assert record(box, folder, link).exit_code == 0
    return killed


@pytest.mark.parametrize("number", ROUNDS)
def test_live_recording_killed_at_random_times_ends_in_the_undisturbed_bytes(number: int, tmp_path: Path) -> None:
    scene = Scene.live(f"killed-live-{number}", seconds=SECONDS, since=3, people=PEOPLE)
    with sandbox(scene, isolated=True, speed=SPEED) as box, ThreadPoolExecutor(VICTIMS + 1) as pool:
        undisturbed = pool.submit(record, box, tmp_path / "undisturbed", box.link(scene.name))
        killed = [
            pool.submit(kill_and_resume, box, tmp_path / str(victim), scene, 1000 * number + victim)
            for victim in range(VICTIMS)
        ]
        run: Run = undisturbed.result()
        assert run.exit_code == 0, run.errors
        assert sum(victim.result() for victim in killed) == VICTIMS * KILLS
        truth = box.true_frames(scene.name)
    model = item_of(tmp_path / "undisturbed")
    assert frames_in(model) == truth
    for victim in range(VICTIMS):
        item = item_of(tmp_path / str(victim))
        assert_sound(item)
        assert_same_files(item, model, was_live=True)
