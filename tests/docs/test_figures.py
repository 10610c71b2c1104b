"""The pages with figures: made of reports alone, and they show what went wrong as plainly as what did not."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from endurance.catalogue import Row, read_catalogue

ROOT = Path(__file__).parents[2]
LIVE = "tests.journeys.test_faults_live"
REPORT = f"""<testsuites><testsuite>
<testcase classname="{LIVE}" name="test_all_is_kept_although[a-script]" time="1.5"><properties>
  <property name="frames offered" value="100000"/><property name="frames kept" value="99999"/>
  <property name="gaps" value="1"/><property name="exit code" value="3"/></properties></testcase>
<testcase classname="{LIVE}" name="test_all_is_kept_although[another]" time="2"><failure>no</failure></testcase>
<testcase classname="tests.endurance.test_storms_whole" name="test_a_storm_breaks_no_invariant[0]" time="9">
<properties><property name="storms" value="10"/><property name="Spaces" value="20"/><property name="broken" value="2"/>
<property name="cpu seconds" value="5"/></properties></testcase>
<testcase classname="tests.endurance.test_syscall_kills" name="test_kill" time="9"><properties>
<property name="kills_points" value="250"/><property name="kills_identical" value="250"/></properties></testcase>
</testsuite></testsuites>"""


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    reliability = script("reliability")
    path = tmp_path / "reliability-scripts.xml"
    path.write_text(REPORT, encoding="utf-8")
    monkeypatch.setattr(reliability, "RESULTS", tmp_path)
    rows = [
        Row("N1", "this", "that", ("tests/journeys/test_faults_live.py::test_all_is_kept_although[a-script]",)),
        Row("N2", "so", "thus", ("tests/journeys/test_faults_live.py::test_all_is_kept_although",)),
        Row("N3", "never", "run", ("tests/nowhere.py::test_nothing",)),
    ]
    shown: str = reliability.build(rows, reliability.read_report(path), None)
    return shown


def test_almost_everything_is_not_everything(page: str) -> None:
    assert "| N1 | this | that | 1 | 99.99 % | 1 | 3 | 1.5 | yes |" in page


def test_what_failed_and_what_was_not_run_is_said(page: str) -> None:
    assert "| N2 | so | thus | 2 | 99.99 % | 1 | 3 | 3.5 | **no** (1) |" in page
    assert "| N3 | never | run | 0 | – | – | – | 0.0 | not run |" in page
    assert "- failed: `tests/journeys/test_faults_live.py::test_all_is_kept_although[another]`" in page
    assert "Not run here (`make soak`)." in page


def test_storms_and_points_are_added_up(page: str) -> None:
    assert "| small, in every run of the tests | 10 | 20 | 0 | 0 | 0 | 0 | 0 | 2 | 0.50 |" in page
    assert "| kill | 1 | 250 | 250 | 0 | yes |" in page


def test_the_page_in_the_repository_has_a_line_for_each_row_of_the_catalogue() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")

    assert "Written by docs/reliability.py" in page
    assert [row.id for row in read_catalogue() if f"| {row.id} | {row.happens} | {row.promise} |" not in page] == []


def test_the_readme_holds_the_table_of_a_storm() -> None:
    storm = script("storm")
    (place,) = storm.PLACE.findall((ROOT / "README.md").read_text(encoding="utf-8"))

    assert "| " + " | ".join(storm.HEADER) + " |" in place
    assert "| Hydrophone |" in place
