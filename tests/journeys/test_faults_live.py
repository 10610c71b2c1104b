"""Whatever goes wrong while a Space is live, each frame that the CDN offered is kept once, and each gap is told.

All scripts run at once, in one engine and against one sandbox: so none of them may hurt another either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from hydrophone.testing.box import SandboxBox, sandbox
from journeys.live_faults import SCRIPTS, Script
from journeys.trials import Trial, assert_kept, engine, lift_limits, record_links

SPEED = 4.0  # a fault of four seconds must last longer than a busy machine may pause


@dataclass(frozen=True)
class Runs:
    """The sandbox after all was over, how each script went, and which faults never struck."""

    box: SandboxBox
    trials: Mapping[str, Trial]

    @property
    def idle_faults(self) -> list[dict[str, object]]:
        return [fault for fault in self.box.control.faults() if not fault["struck"]]


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """The scripts of those tests that were chosen, recorded."""
    specs = [getattr(item, "callspec", None) for item in request.session.items]
    named = [spec.params.get("script") for spec in specs if spec is not None]
    chosen = [script for script in named if isinstance(script, Script)]  # other files have scripts of other kinds
    with sandbox(speed=SPEED, isolated=True) as box:
        lift_limits(box)
        yield Runs(box, asyncio.run(record_all(box, tmp_path_factory.mktemp("faults"), chosen)))


async def record_all(box: SandboxBox, folder: Path, scripts: list[Script]) -> dict[str, Trial]:
    async with engine(box, folder) as hydrophone, asyncio.timeout(240):
        for script in scripts:
            box.control.load(script.scene)
        trials = await record_links(hydrophone, [box.link(script.scene.name) for script in scripts])
    return {script.name: trial for script, trial in zip(scripts, trials, strict=True)}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name.replace(" ", "-"))
def test_all_is_kept_although(script: Script, runs: Runs) -> None:
    trial = runs.trials[script.name]

    assert trial.exit_code == script.exit_code, trial.outcome
    assert_kept(trial, runs.box, script.scene, [range(gap.first, gap.last + 1) for gap in script.gaps])
    assert [(gap.first, gap.last) for gap in trial.gaps] == [(gap.first, gap.last) for gap in script.gaps]
    for gap, due in zip(trial.gaps, script.gaps, strict=True):
        assert gap.cause in due.causes
        assert gap.attempts > 1


def test_each_fault_has_struck(runs: Runs) -> None:
    assert runs.idle_faults == []


def test_the_scripts_are_as_many_as_the_table_says() -> None:
    assert len(SCRIPTS) == 22
    assert len({script.name for script in SCRIPTS}) == 22
