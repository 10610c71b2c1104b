"""SIGKILL at the system calls that change the disk: what a re-run makes of it are the undisturbed bytes.

Two instruments. The kernel's seccomp notifications stop a fork of the recorder at any chosen call (`system_calls`),
which is cheap enough for hundreds of points, those of the recovery included. `strace` does the same to the installed
command, at a sample of points by default and at many more under HYDROPHONE_HUNT.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from endurance.points import acknowledged, assert_healed, assert_whole, spread
from endurance.recording_forks import KILLED, UNLIMITED, Fault, Forks, forking
from endurance.system_calls import why_not
from hydrophone.testing import Scene
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.victims import IS_HUNT, frames_in, item_of

pytestmark = [
    pytest.mark.skipif(bool(why_not()), reason=f"system calls cannot be watched: {why_not()}"),
    pytest.mark.timeout(7200 if IS_HUNT else 900),
]

SEED = 20_261_121
SCENE = Scene.ended("killed at calls", seconds=15)
POINTS = 10_000 if IS_HUNT else 104
AT_ONCE = 3


@dataclass(frozen=True)
class Bed:
    """A sandbox, the program that forks, and the undisturbed recording with the calls it made."""

    box: SandboxBox
    forks: Forks
    below: Path
    model: Path
    trace: list[str]


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    below = tmp_path_factory.mktemp("kills")
    with sandbox(SCENE, isolated=True, speed=20) as box, forking(box, below) as forks:
        box.control.switch(limits=UNLIMITED)
        box.control.inject(kind="delay", path="chunk_", seconds=0.03)  # so that there are several batches
        answer = forks.record(SCENE.name, below / "model", Fault())
        assert answer.status == 0, answer
        model = item_of(below / "model")
        assert frames_in(model) == box.true_frames(SCENE.name)
        assert_whole(below / "model", model)
        yield Bed(box, forks, below, model, answer.trace)


def kill_and_heal(bed: Bed, folder: Path, points: Sequence[int]) -> list[str]:
    """Kill a recording at a call, its recovery at another one, and so on; then nobody disturbs it.

    Returns the fatal calls.
    """
    fatal: list[str] = []
    held: set[tuple[int, int]] = set()
    for at in points:
        answer = bed.forks.record(SCENE.name, folder, Fault(KILLED, at))
        assert answer.was_killed or answer.status == 0, answer
        assert held <= acknowledged(folder), f"what was acknowledged is gone after {answer.struck}"
        held = acknowledged(folder)
        fatal += answer.struck
    assert_healed(bed.forks.record(SCENE.name, folder), folder, bed.model, held)
    shutil.rmtree(folder)
    return fatal


def test_kill_at_any_call_that_changes_the_disk_ends_in_the_undisturbed_bytes(
    bed: Bed, record_property: Callable[[str, object], None]
) -> None:
    rng = random.Random(SEED)
    # The second kill strikes the recovery, which has fewer calls to make.
    chains = [(at, rng.randint(1, len(bed.trace) // 2)) for at in spread(bed.trace, POINTS, rng)]

    def kill(chain: Sequence[int]) -> tuple[list[str], str]:
        try:
            return kill_and_heal(bed, bed.below / "-".join(map(str, chain)), chain), ""
        except AssertionError as problem:
            return [], f"killed at {[f'{at}: {bed.trace[at - 1]}' for at in chain]}: {problem}"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = list(pool.map(kill, chains))

    problems = [problem for _, problem in done if problem]
    assert not problems, "\n".join(problems)
    fatal = [call for calls, _ in done for call in calls]
    record_property("kills_points", len(fatal))
    record_property("kills_identical", len(fatal))  # any other has raised
    assert len(fatal) >= min(200, 1.9 * len(chains))
    assert {call.split()[0] for call in fatal} >= {"open", "write", "sync", "rename", "mkdir"}
