"""Who was there, as the journal of a recording tells it."""

from __future__ import annotations

import random
from typing import Any

from hydrophone.recorder.audience import read_people


def person(handle: str, role: str, since: str | None = None, **more: Any) -> dict[str, Any]:
    since_at = {"since_at": f"2026-01-22T{since}:00+00:00"} if since else {}
    return {"person": handle, "handle": handle, "role": role, **since_at, **more}


def test_people_are_told_once_by_role_and_coming_however_they_were_seen() -> None:
    facts = [
        person("listens", "listener"),
        person("late", "speaker", "19:30"),
        person("early", "speaker", "19:05"),
        person("helper", "host", "19:10"),
        person("opened", "creator", "19:00"),
    ]
    orders = [random.Random(seed).sample(facts, len(facts)) for seed in range(20)]

    told = [[one["handle"] for one in read_people(order)] for order in orders]

    assert told == [["opened", "helper", "early", "late", "listens"]] * 20


def test_people_keep_every_role_they_had_in_order() -> None:
    (one,) = read_people([person("a", "listener"), person("a", "speaker", "19:05"), person("a", "listener")])

    assert one["roles"] == ["listener", "speaker"]
    assert one["since_at"] == "2026-01-22T19:05:00+00:00"
