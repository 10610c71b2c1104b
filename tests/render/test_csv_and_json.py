"""CSV and JSON that strict readers take and spreadsheets do not run."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydrophone.model import AudienceSample, SpaceState
from hydrophone.render.csvtext import RISKY, audience_csv, csv_text, plain_cell, safe_cell
from hydrophone.render.jsontext import json_line, json_text, sound_text

ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=100)
SOUND = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=100)


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", "  =1", "\n=1", "'x"])
def test_formulas_are_made_text(text: str) -> None:
    assert safe_cell(text) == "'" + text


def test_line_ends_become_line_feeds() -> None:
    assert safe_cell("a\r\nb\rc\0") == "a\nb\nc�"
    assert safe_cell("\r=1") == "'\n=1"


@given(SOUND)
def test_a_cell_can_be_undone(text: str) -> None:
    assert plain_cell(safe_cell(text)) == text


@given(st.lists(st.lists(ANYTHING, min_size=2, max_size=2), max_size=5))
def test_csv_round_trips_through_its_reader_and_holds_no_formula(rows: list[list[str]]) -> None:
    text = csv_text(["a", "b"], rows)

    text.encode()
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read == [["a", "b"], *([safe_cell(cell) for cell in row] for row in rows)]
    assert not any(cell.lstrip(" ").startswith(RISKY[:-1]) for row in read for cell in row)


def test_numbers_stay_numbers_and_none_is_empty() -> None:
    assert csv_text(["n", "x", "z"], [[-5, 1.5, None]]) == "n,x,z\n-5,1.5,\n"


def test_audience_has_one_line_per_sample() -> None:
    at = datetime(2026, 1, 22, 18, 0, 0, 250_000, tzinfo=UTC)
    samples = [
        AudienceSample(at=at, listeners=120, participants=90, speakers=4),
        AudienceSample(at=at + timedelta(minutes=1), listeners=None, participants=None, speakers=None),
    ]

    assert audience_csv(samples) == (
        "at,listeners,participants,speakers\n2026-01-22T18:00:00.250Z,120,90,4\n2026-01-22T18:01:00.250Z,,,\n"
    )


class Colour(Enum):
    RED = 1


@dataclass
class Inner:
    secret: str = field(repr=False, default="hush")
    shown: int = 3


def test_values_become_plain_json() -> None:
    value = {
        "at": datetime(2026, 1, 22, 18, 0, tzinfo=UTC),
        "day": date(2026, 1, 22),
        "took": timedelta(seconds=1.5),
        "state": SpaceState.TIMED_OUT,
        "colour": Colour.RED,
        "inner": Inner(),
        "set": {3, 1, 2},
        "bytes": b"\x00\xff",
        "path": PurePosixPath("a/b"),
        "nan": math.nan,
        "rows": ((1, 2.5), range(2)),
        "yes": True,
        5: None,
        "odd": 1j,
    }

    assert json.loads(json_text(value)) == {
        "at": "2026-01-22T18:00:00Z",
        "day": "2026-01-22",
        "took": 1.5,
        "state": "timed out",
        "colour": 1,
        "inner": {"shown": 3},
        "set": [1, 2, 3],
        "bytes": "00ff",
        "path": "a/b",
        "nan": None,
        "rows": [[1, 2.5], [0, 1]],
        "yes": True,
        "5": None,
        "odd": "1j",
    }


def test_json_is_deterministic_and_ends_in_a_line_feed() -> None:
    assert json_text({"b": 1, "a": "ü"}) == '{\n  "b": 1,\n  "a": "ü"\n}\n'
    assert json_line({"b": 1, "a": 2}, sort_keys=True) == '{"a":2,"b":1}'


def test_json_lines_hold_no_character_that_ends_a_line() -> None:
    line = json_line({"t": "a\u2028b\u2029c\u0085d\ne"})

    assert len(line.splitlines()) == 1
    assert json.loads(line) == {"t": "a\u2028b\u2029c\u0085d\ne"}


def test_lone_surrogates_are_replaced_and_pairs_joined() -> None:
    assert sound_text("a\ud800b") == "a�b"
    assert sound_text("\ud83d\udc0b") == "🐋"
    assert json_text({"\udfff": "\ud800"}) == '{\n  "�": "�"\n}\n'


def test_depth_is_bounded() -> None:
    deep: list[object] = []
    for _ in range(10_000):
        deep = [deep]

    assert json.loads(json_line(deep))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | ANYTHING,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANYTHING, inner, max_size=4),
        max_leaves=20,
    )
)
def test_any_value_becomes_json_that_a_strict_reader_takes(value: object) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    for text in (json_text(value), json_line(value)):
        json.loads(text.encode().decode(), parse_constant=refuse)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=5), inside, max_size=4),
    max_leaves=20,
)


@given(_values, st.booleans())
@settings(deadline=None)
def test_indented_json_is_what_the_standard_encoder_writes(value: object, sort_keys: bool) -> None:
    expected = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=sort_keys)
    assert json_text(value, sort_keys=sort_keys) == expected + "\n"
