"""The catalogue of faults names tests that exist, and leaves none of the scripts out."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import pytest

from endurance.catalogue import LISTS, TESTS, Row, files, matching, read_catalogue

ROWS = read_catalogue()


@cache
def collected() -> tuple[str, ...]:
    """What pytest itself finds in the files that the catalogue names."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files(ROWS)]
    told = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, check=True).stdout
    return tuple(line for line in told.splitlines() if "::" in line)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_each_row_names_tests_that_exist(row: Row) -> None:
    assert row.tests
    assert [test for test in row.tests if not matching(test, collected())] == []


def test_no_script_is_left_out() -> None:
    named = {test for row in ROWS for test in row.tests}
    scripts = [test for test in collected() if any(test.startswith(f"tests/{prefix}[") for prefix in LISTS.values())]

    assert len(scripts) > 100
    assert [test for test in scripts if test not in named] == []


def test_ids_are_used_once_and_every_sort_is_there() -> None:
    ids = [row.id for row in ROWS]

    assert len(ids) == len(set(ids))
    assert {name[0] for name in ids} == {"N", "A", "P", "S", "H"}
    assert {f"N{number}" for number in range(1, 30)} - set(ids) == {"N26"}
    assert {f"A{number}" for number in range(1, 14)} <= set(ids)
