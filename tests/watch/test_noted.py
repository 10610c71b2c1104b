"""What earlier runs have learnt of Spaces and accounts: kept for a while, in bounds, whatever the file holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hydrophone.model import Participant, Role, Space, SpaceId, SpaceState, User, UserId
from hydrophone.noted import KEPT, Noted

NOW = datetime(2026, 3, 14, 20, 0, tzinfo=UTC)
MIRA = User(id=UserId("17"), handle="Mira", name="Mira Holm")


class Drawer:
    """A store in memory."""

    def __init__(self, **values: Any) -> None:
        self.values = values
        self.writes = 0

    def get(self, key: str) -> Any:
        return self.values.get(key)

    def put(self, key: str, value: Any) -> None:
        self.values[key] = value
        self.writes += 1


def space(key: str = "1vOxwdyYrlqKB", **facts: Any) -> Space:
    return Space(id=SpaceId(key), state=SpaceState.LIVE, **facts)


def test_who_was_named_once_is_known_in_the_next_run() -> None:
    drawer = Drawer()
    first = Noted(drawer)
    first.note(NOW, spaces=[space(title="Tides", creator=MIRA)])
    first.save(NOW)
    later = Noted(drawer)
    bare = space(creator=User(id=MIRA.id), participants=(Participant(role=Role.CREATOR, user_id=MIRA.id),))
    named = later.named(bare)
    assert named.creator == User(id=MIRA.id, handle="Mira", name="Mira Holm")
    assert named.participants[0].handle == "Mira"
    assert dict(later.handles(NOW)) == {"Mira": MIRA.id}
    assert [(one.id, one.title, one.state) for one in later.spaces(NOW)] == [
        ("1vOxwdyYrlqKB", "Tides", SpaceState.UNKNOWN)
    ]


def test_a_name_that_came_with_the_answer_is_never_replaced() -> None:
    noted = Noted(Drawer())
    noted.note(NOW, users=[MIRA])
    theirs = User(id=MIRA.id, handle="mira_now")
    assert noted.named(space(creator=theirs)).creator == theirs


def test_a_later_answer_without_a_title_keeps_the_one_that_is_known() -> None:
    noted = Noted(Drawer())
    noted.note(NOW, spaces=[space(title="Tides", creator=MIRA)])
    noted.note(NOW, spaces=[space()])
    assert noted.space(SpaceId("1vOxwdyYrlqKB")).title == "Tides"


def test_everything_is_forgotten_after_a_while() -> None:
    drawer = Drawer()
    noted = Noted(drawer)
    noted.note(NOW, spaces=[space(creator=MIRA)])
    noted.save(NOW)
    later = NOW + KEPT + timedelta(seconds=1)
    old = Noted(drawer)
    assert list(old.spaces(later)) == list(old.handles(later)) == []
    old.note(later, users=[User(id=UserId("18"), handle="otto")])
    old.save(later)
    assert set(drawer.values["users"]) == {"18"}
    assert drawer.values["spaces"] == {}


def test_nothing_new_writes_nothing() -> None:
    drawer = Drawer()
    noted = Noted(drawer)
    noted.note(NOW, users=[User(id=UserId("18"))])
    noted.save(NOW)
    assert drawer.writes == 0


def test_the_newest_few_thousand_are_kept() -> None:
    drawer = Drawer()
    noted = Noted(drawer)
    noted.note(NOW, spaces=[space(f"1a{n}") for n in range(5_100)])
    noted.save(NOW)
    assert len(drawer.values["spaces"]) == 5_000
    assert "1a5099" in drawer.values["spaces"]
    assert "1a0" not in drawer.values["spaces"]


@pytest.mark.parametrize(
    "rows", [None, [], "x", {"17": None}, {"17": {"at": 5}}, {"17": {"at": "2026-03-14T20:00:00"}}, {"17": {}}]
)
def test_rows_of_another_shape_are_no_rows(rows: Any) -> None:
    noted = Noted(Drawer(users=rows, spaces=rows))
    assert list(noted.spaces(NOW)) == list(noted.handles(NOW)) == []
    assert noted.user("17") is None
