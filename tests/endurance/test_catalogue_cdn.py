"""Whatever a CDN does, each frame that could be had is kept once, and each other is told: rows N of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from endurance.cdn_scripts import CDN_SCRIPTS, REPLAY_SCRIPTS
from journeys.live_faults import Script
from journeys.script_runs import Runs, chosen_scripts, recorded

SPEED = 3.0


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    with recorded(chosen_scripts(request), tmp_path_factory.mktemp("cdn"), speed=SPEED) as every:
        yield every


@pytest.mark.parametrize("script", CDN_SCRIPTS + REPLAY_SCRIPTS, ids=lambda script: script.name.replace(" ", "-"))
def test_all_that_can_be_had_is_kept_although(script: Script, runs: Runs) -> None:
    runs.assert_as_scripted(script)


def test_each_fault_has_struck(runs: Runs) -> None:
    assert runs.idle_faults == []
