"""SIGKILL at random instants of a replay's recording: whatever is done in the end, it gives the undisturbed files.

All files of the item are compared but three. `journal.jsonl` and `captions.jsonl` differ and must: they say when each
thing came to us, and what was begun anew. So does the manifest, which holds their digests.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from hydrophone.testing import Scene
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.victims import (
    IS_HUNT,
    PHASES,
    Kill,
    Run,
    assert_same_files,
    assert_sound,
    draw_kill,
    frames_in,
    item_of,
    record,
)

pytestmark = pytest.mark.timeout(3600 if IS_HUNT else 300)

SEED = 20261
SCENE = Scene.ended("killed-replay", seconds=210)
KILLS, ROUNDS = (10, 25) if IS_HUNT else (5, 5)
#: Slow enough that the fetch outlasts a grouped sync, so that kills lose what was not acknowledged.
SLOWLY = ("--connections", "4")


@dataclass(frozen=True)
class Model:
    """The undisturbed recording."""

    box: SandboxBox
    item: Path
    run: Run


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    folder = tmp_path_factory.mktemp("model")
    with sandbox(SCENE, isolated=True) as box:
        box.control.inject(kind="delay", path="chunk_", seconds=0.06)
        run = record(box, folder, box.link(SCENE.name), more=SLOWLY)
        assert run.exit_code == 0, run.errors
        yield Model(box, item_of(folder), run)


def kill_and_resume(model: Model, folder: Path, seed: int) -> list[tuple[Kill, Run]]:
    """Kill one recording several times, let it end, and compare. What is returned are the runs that were killed."""
    rng = random.Random(seed)
    lengths = model.run.lengths()
    link = model.box.link(SCENE.name)
    killed: list[tuple[Kill, Run]] = []
    while len(killed) < KILLS:
        # What was fetched stays fetched, so the kills before all is here come first.
        kill = draw_kill(rng, lengths, PHASES[:2] if len(killed) < KILLS // 2 else PHASES)
        run = record(model.box, folder, link, kill=kill, more=SLOWLY)
        assert run.was_killed or run.exit_code == 0, run.errors
        if run.was_killed:
            killed.append((kill, run))
    last = record(model.box, folder, link, more=SLOWLY)
    assert last.exit_code == 0, last.errors
    item = item_of(folder)
    assert_sound(item)
    assert_same_files(item, model.item)
    return killed


def test_replay_killed_at_random_times_ends_in_the_undisturbed_bytes(model: Model, tmp_path: Path) -> None:
    assert frames_in(model.item) == model.box.true_frames(SCENE.name)
    assert_sound(model.item)
    folders = {SEED + number: tmp_path / str(number) for number in range(ROUNDS)}

    with ThreadPoolExecutor(3) as pool:
        done = pool.map(lambda pair: kill_and_resume(model, pair[1], pair[0]), folders.items())
        kills = [kill for round_ in done for kill in round_]

    assert len(kills) == KILLS * ROUNDS
    phases = Counter(run.last_phase for _, run in kills)
    assert len(phases) >= 5, phases
