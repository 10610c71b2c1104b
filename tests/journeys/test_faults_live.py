"""Whatever goes wrong while a Space is live, each frame that the CDN offered is kept once, and each gap is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from journeys.live_faults import SCRIPTS, Script
from journeys.script_runs import Runs, chosen_scripts, recorded

SPEED = 4.0  # a fault of four seconds must last longer than a busy machine may pause


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    with recorded(chosen_scripts(request), tmp_path_factory.mktemp("faults"), speed=SPEED) as every:
        yield every


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name.replace(" ", "-"))
def test_all_is_kept_although(script: Script, runs: Runs) -> None:
    trial = runs.assert_as_scripted(script)

    assert all(gap.attempts > 1 for gap in trial.gaps)


def test_each_fault_has_struck(runs: Runs) -> None:
    assert runs.idle_faults == []


def test_the_scripts_are_as_many_as_the_table_says() -> None:
    assert len(SCRIPTS) == 22
    assert len({script.name for script in SCRIPTS}) == 22
