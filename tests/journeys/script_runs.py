"""Scripts of faults, all recorded at once, by one engine and from one sandbox: none of them may hurt another either."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from hydrophone.testing.box import SandboxBox, sandbox
from journeys.live_faults import Script
from journeys.trials import Trial, assert_kept, engine, lift_limits, record_links


@dataclass(frozen=True)
class Runs:
    """The sandbox after all was over, and how each script went."""

    box: SandboxBox
    trials: Mapping[str, Trial]

    @property
    def idle_faults(self) -> list[object]:
        """The faults that never struck, by id."""
        return [fault["id"] for fault in self.box.control.faults() if not fault["struck"]]

    def assert_as_scripted(self, script: Script) -> Trial:
        """What could be had is kept, and what could not is told, with its cause. Returns the trial."""
        trial = self.trials[script.name]
        assert trial.exit_code == script.exit_code, trial.outcome
        assert_kept(trial, self.box, script.scene, [range(gap.first, gap.last + 1) for gap in script.gaps])
        assert [(gap.first, gap.last) for gap in trial.gaps] == [(gap.first, gap.last) for gap in script.gaps]
        for gap, due in zip(trial.gaps, script.gaps, strict=True):
            assert gap.cause in due.causes
        return trial


@contextmanager
def recorded(scripts: Sequence[Script], folder: Path, *, speed: float) -> Iterator[Runs]:
    with sandbox(speed=speed, isolated=True) as box:
        lift_limits(box)
        yield Runs(box, asyncio.run(_record_all(box, folder, scripts)))


async def _record_all(box: SandboxBox, folder: Path, scripts: Sequence[Script]) -> dict[str, Trial]:
    async with engine(box, folder) as hydrophone, asyncio.timeout(240):
        for script in scripts:
            box.control.load(script.scene)
        trials = await record_links(hydrophone, [box.link(script.scene.name) for script in scripts])
    return {script.name: trial for script, trial in zip(scripts, trials, strict=True)}


def chosen_scripts(request: pytest.FixtureRequest) -> list[Script]:
    """The scripts of those tests of the asking file that will run."""
    specs = [getattr(item, "callspec", None) for item in request.session.items if item.path == request.path]
    return [spec.params["script"] for spec in specs if spec is not None]
