"""The installed command under strace: killed, or lied to, at a sample of its system calls on the item's files."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from endurance.points import acknowledged, assert_healed, assert_whole
from endurance.recording_forks import UNLIMITED, Forks, forking
from endurance.system_calls import why_not as why_no_forks
from endurance.tracing import Point, points, record_traced, why_not
from hydrophone.testing import Scene
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.victims import IS_HUNT, item_of

SCENE = Scene.ended("traced", seconds=15)
COUNT = 180 if IS_HUNT else 9
DISK = 9  #: the exit code

pytestmark = [
    pytest.mark.skipif(bool(why_not() or why_no_forks()), reason=why_not() or why_no_forks()),
    pytest.mark.timeout(7200 if IS_HUNT else 900),
]


@dataclass(frozen=True)
class Bed:
    """A sandbox, a quick way to record without strace, and the undisturbed recording."""

    box: SandboxBox
    forks: Forks
    below: Path
    model: Path

    def disturb(self, point: Point) -> tuple[int, str]:
        """Record with strace in the way, and heal. What the exit code was and what strace did."""
        folder = self.below / "victim"
        item = folder / self.model.relative_to(self.below / "model")
        status, injected = record_traced(self.box, SCENE.name, folder, item, point)
        if status == 0:
            assert_whole(folder, self.model)
        else:
            assert injected, (point, status)
            held = acknowledged(folder)
            assert_healed(self.forks.record(SCENE.name, folder), folder, self.model, held)
        shutil.rmtree(folder)
        return status, injected


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    below = tmp_path_factory.mktemp("traced")
    with sandbox(SCENE, isolated=True, speed=20) as box, forking(box, below) as forks:
        box.control.switch(limits=UNLIMITED)
        assert forks.record(SCENE.name, below / "model").status == 0
        yield Bed(box, forks, below, item_of(below / "model"))


def test_traced_command_killed_at_calls_on_its_files_is_healed_by_a_rerun(
    bed: Bed, record_property: Callable[[str, object], None]
) -> None:
    killed = [point for point in points("signal=KILL", COUNT) if bed.disturb(point)[0] == -9]

    record_property("kills_points", len(killed))
    record_property("kills_identical", len(killed))
    assert len(killed) >= COUNT // 2, killed
    assert len({point.name for point in killed}) >= 5


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_traced_command_with_errors_at_calls_on_its_files_is_whole_or_tells(
    error: str, bed: Bed, record_property: Callable[[str, object], None]
) -> None:
    done = [bed.disturb(point) for point in points(f"error={error}", COUNT // 2)]

    struck = [status for status, injected in done if injected]
    record_property("errors_points", len(struck))
    record_property("errors_identical", struck.count(0))
    record_property("errors_degraded_then_healed", len(struck) - struck.count(0))
    assert len(struck) >= COUNT // 4
    assert set(struck) <= {0, DISK}, done
