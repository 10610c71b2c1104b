"""What the archive remembers of Spaces, from whole items and from spoilt ones."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.archive.item import Item
from hydrophone.archive.journal import header_line
from hydrophone.model import Role, Source, SpaceId, SpaceState
from hydrophone.recorder.recalling import read_recorded, recall_space, recall_spaces

KEY = SpaceId("1vOxwdyYrlqKB")
AT = datetime(2026, 3, 14, 20, 0, tzinfo=UTC)
FACTS: dict[str, Any] = {
    "schema": 1,
    "id": KEY,
    "link": f"https://x.com/i/spaces/{KEY}",
    "title": "Tides",
    "creator": {"id": "17", "handle": "mira", "name": "Mira", "created_at": "2020-01-02T03:04:05Z", "colour": "blue"},
    "state": "ended",
    "language": "en",
    "started_at": "2026-03-14T18:00:00Z",
    "ended_at": "2026-03-14T19:30:00.5Z",
    "has_replay": True,
    "listeners": 120,
    "record": {"metadata": {"rest_id": KEY}},
}
PEOPLE = [
    {"roles": ["listener", "speaker"], "user_id": "18", "handle": "otto", "since_at": "2026-03-14T18:05:00+00:00"},
    {"roles": ["of another kind"], "periscope_id": "1a", "is_verified": True},
]


def item(archive: Path, facts: Any = FACTS, *, name: str = "Tides", people: Any = None) -> Item:
    made = Item.create(archive / "@mira" / f"{name} [{KEY}]", KEY)
    made.space.write_text(facts if isinstance(facts, str) else json.dumps(facts))
    made.journal.write_bytes(header_line(AT, {}))
    if people is not None:
        made.people.write_text(people if isinstance(people, str) else json.dumps(people))
    return made


def test_a_recording_tells_what_its_files_say(tmp_path: Path) -> None:
    item(tmp_path, people={"people": PEOPLE})
    known = recall_space(tmp_path, KEY)
    assert known is not None
    assert (known.source, known.at) == (Source.RECORDING, AT)
    space = known.space
    assert (space.title, space.state, space.listeners) == ("Tides", SpaceState.ENDED, 120)
    assert space.ended_at == datetime(2026, 3, 14, 19, 30, 0, 500_000, tzinfo=UTC)
    assert space.creator is not None
    assert (space.creator.handle, space.creator.created_at) == ("mira", datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert [(one.role, one.handle) for one in space.participants] == [(Role.SPEAKER, "otto"), (Role.LISTENER, None)]
    assert space.raw == FACTS["record"]


def test_without_a_journal_the_file_says_when(tmp_path: Path) -> None:
    made = item(tmp_path)
    made.journal.unlink()
    os.utime(made.space, (AT.timestamp(), AT.timestamp()))
    known = recall_space(tmp_path, KEY)
    assert known is not None
    assert known.at == AT


def test_what_is_no_space_is_left_out(tmp_path: Path) -> None:
    item(tmp_path, {**FACTS, "link": "https://x.com/i/broadcasts/1vOxwdyYrlqKB"})
    assert list(recall_spaces(tmp_path)) == []
    assert recall_space(tmp_path, SpaceId("1other")) is None
    assert recall_space(tmp_path / "nowhere", KEY) is None


@pytest.mark.parametrize(
    "facts",
    [
        "",
        "not JSON",
        "[]",
        '{"schema": 99}',
        {"schema": 1},
        {**FACTS, "id": None, "link": 5},
        {**FACTS, "ended_at": "x"},
    ],
)
def test_a_spoilt_item_hides_no_other(facts: Any, tmp_path: Path) -> None:
    item(tmp_path, facts, name="Spoilt")
    good = Item.create(tmp_path / "good", "1other")
    good.space.write_text(json.dumps({**FACTS, "id": "1other", "link": "https://x.com/i/spaces/1otherXZabcde"}))
    assert [known.space.id for known in recall_spaces(tmp_path)] == ["1other"]


@pytest.mark.parametrize("people", ["no JSON", "[]", {"people": 5}, {"people": [5, None]}])
def test_spoilt_people_cost_only_the_people(people: Any, tmp_path: Path) -> None:
    item(tmp_path, people=people)
    known = recall_space(tmp_path, KEY)
    assert known is not None
    assert known.space.participants == ()


_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(FACTS)), _JUNK), st.lists(_JUNK, max_size=2))
def test_facts_of_any_shape_are_a_space_or_an_error_that_is_passed_over(changes: Any, people: Any) -> None:
    try:
        space = read_recorded({**FACTS, **changes}, people)
    except (ValueError, TypeError, AttributeError):
        return
    assert isinstance(space.state, SpaceState)
    assert space.listeners is None or isinstance(space.listeners, int)
    assert space.language is None or isinstance(space.language, str)
