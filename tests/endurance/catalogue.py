"""The catalogue of faults as values: `catalogue.toml`, with the names of tests spelt out as pytest spells them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
LISTS = {
    "live": "journeys/test_faults_live.py::test_all_is_kept_although",
    "cdn": "endurance/test_catalogue_cdn.py::test_all_that_can_be_had_is_kept_although",
    "api": "endurance/test_catalogue_api.py::test_the_audio_is_kept_whole_although",
    "title": "endurance/test_catalogue_beside.py::test_a_title_does_not_lead_out_of_its_folder",
}


@dataclass(frozen=True)
class Row:
    """One fault: what happens, what is promised, and the tests that show it, as node ids below the repository.

    An id without a case in brackets stands for all cases of the test.
    """

    id: str
    happens: str
    promise: str
    tests: tuple[str, ...]


def read_catalogue() -> list[Row]:
    found = tomllib.loads((TESTS / "endurance" / "catalogue.toml").read_text(encoding="utf-8"))["row"]
    return [Row(row["id"], row["happens"], row["promise"], tuple(map(node_id, row["tests"]))) for row in found]


def node_id(name: str) -> str:
    """A test as pytest names it."""
    kind, _, case = name.partition("/")
    if kind not in LISTS:
        return f"tests/{name}"
    return f"tests/{LISTS[kind]}[{case if kind == 'title' else case.replace(' ', '-')}]"


def files(rows: Iterable[Row]) -> list[str]:
    """The files with the tests of these rows."""
    return sorted({test.partition("::")[0] for row in rows for test in row.tests})


def matching(test: str, collected: Iterable[str]) -> list[str]:
    """The collected ids that a name of the catalogue stands for."""
    return [found for found in collected if found == test or (not test.endswith("]") and found.startswith(f"{test}["))]
