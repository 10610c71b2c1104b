"""The soak in small: a few Spaces for some seconds, on each run of the tests. `make soak` is the real one."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

import facts

SOAK = Path(__file__).parents[2] / "bench" / "soak.py"


@pytest.fixture(scope="module")
def soaking() -> ModuleType:
    spec = importlib.util.spec_from_file_location("soak_of_the_bench", SOAK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(sys.platform != "linux", reason="the soak reads /proc, which only Linux has")
def test_a_short_soak_keeps_everything_and_leaves_nothing_over(soaking: ModuleType) -> None:
    soak = soaking.run(8, 10.0, 0.1)

    facts.tell("frames offered", soak.frames_offered)
    facts.tell("frames kept", soak.frames_kept)
    assert soak.problems == []
    assert soak.recordings >= 8
    assert soak.frames_kept == soak.frames_offered > 0
    assert soak.samples


def test_growth_is_seen(soaking: ModuleType) -> None:
    """Half a mebibyte for each hour is the slope through samples that grow by it."""
    soak = soaking.Soak(50, 10.0, 30.0)
    for at in range(0, 1800, 5):
        memory = 100_000_000 + round(at / 3600 * 500 * 512 * 1024)
        soak.samples.append(soaking.Sample(float(at), memory, 50, 200 + at, 16, 0.01))

    soaking._look_for_growth(soak)

    assert soak.growth_per_hour() == pytest.approx(512 * 1024, rel=0.01)
    assert [problem.split()[0] for problem in soak.problems] == ["memory", "tasks"]
