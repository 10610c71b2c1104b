"""What the journal of a live recording is told about who is there."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

from hydrophone.model import Participant, Role, SpaceState, UserId
from hydrophone.recorder.audience import AudienceLog, read_audience
from recorder.stage import ORIGIN, Shelf, look_at


def person(number: int, role: Role = Role.LISTENER) -> Participant:
    return Participant(role=role, user_id=UserId(str(number)), handle=f"p{number}", name=f"Person {number}")


def log(own: set[str] | None = None) -> tuple[AudienceLog, Shelf]:
    shelf = Shelf()
    take: Any = shelf
    return AudienceLog(take, own if own is not None else set()), shelf


def look(*people: Participant, listeners: int | None = 7) -> Any:
    return dataclasses.replace(look_at(SpaceState.LIVE), participants=people, listeners=listeners)


def test_a_person_is_noted_once_for_each_role() -> None:
    audience, shelf = log()
    for role in (Role.LISTENER, Role.LISTENER, Role.SPEAKER, Role.SPEAKER):
        audience.see(look(person(1, role)), ORIGIN, is_live=True)

    assert [note["role"] for note in shelf.noted("person")] == ["listener", "speaker"]


def test_the_own_account_is_left_out_as_a_listener_but_not_as_a_host() -> None:
    own: set[str] = set()
    audience, shelf = log(own)
    own.add("1")  # known only after the log was made
    audience.see(look(person(1), person(2)), ORIGIN, is_live=True)
    audience.see(look(person(1, Role.CREATOR)), ORIGIN, is_live=True)

    assert [(note["person"], note["role"]) for note in shelf.noted("person")] == [("2", "listener"), ("1", "creator")]


def test_counts_are_noted_only_while_live_and_read_back_in_order() -> None:
    audience, shelf = log()
    for minute in range(3):
        at = ORIGIN + timedelta(minutes=minute)
        audience.see(look(person(1, Role.SPEAKER), listeners=minute), at, is_live=minute < 2)

    samples = list(read_audience(shelf.noted("audience")))
    assert [(sample.listeners, sample.speakers) for sample in samples] == [(0, 1), (1, 1)]


def test_a_damaged_line_about_the_audience_is_passed_over() -> None:
    good = {"at": ORIGIN.isoformat(), "listeners": True, "participants": 3, "speakers": "many"}

    (sample,) = read_audience([{}, {"at": "yesterday"}, good])

    assert (sample.listeners, sample.participants, sample.speakers) == (None, 3, None)
