"""Fields are read from all the forms in which they have been seen."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.errors import WireError
from hydrophone.xweb.reading import Node

SEVEN = datetime(2026, 3, 3, 19, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        (1772564400000, SEVEN),
        ("1772564400000", SEVEN),
        (1772564400000.0, SEVEN),
        ("2026-03-03T19:00:00.000000000Z", SEVEN),
        ("2026-03-03T19:00:00Z", SEVEN),
        ("2026-03-03T20:30:00+01:30", SEVEN),
        ("Tue Mar 03 19:00:00 +0000 2026", SEVEN),
        ("2026-03-03T19:00:00.123456789Z", SEVEN.replace(microsecond=123456)),
        ("2026-03-03T19:00:00.5", SEVEN.replace(microsecond=500000)),
        (0, None),
        ("0", None),
        ("", None),
        (None, None),
        (-5, None),
        (True, None),
        (10**20, None),
        (float("nan"), None),
        ("0001-01-01T00:00:00Z", None),
        ("2026-13-03T19:00:00Z", None),
        ("Tue Foo 03 19:00:00 +0000 2026", None),
        ("9999-12-31T23:59:59-23:59", None),
        ({}, None),
    ],
)
def test_instants_come_in_many_forms(value: object, instant: datetime | None) -> None:
    assert Node(value).instant() == instant


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_every_reader_takes_any_value(value: object) -> None:
    node = Node(value, "a", "b")
    for read in (node.text, node.integer, node.count, node.flag, node.instant, node.mapping, node.is_empty):
        read()
    assert node.at("x", "y").value is None
    assert list(node.members()) == []


def test_paths_lead_to_the_field() -> None:
    root = Node({"a": {"b": [{"c": 5}]}}, "", "thing")
    item = next(root.at("a", "b").items())

    with pytest.raises(WireError) as caught:
        item.at("c").need_object()
    assert caught.value.path == "a.b[0].c"
    assert caught.value.endpoint == "thing"
