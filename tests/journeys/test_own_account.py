"""Who records with a login is in the Space, too; the archive does not tell of it, neither by record nor by chat."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hydrophone.archive import verify_item
from hydrophone.sandbox.scene import Person, Scene, sample_people
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.trials import Trial, record
from schema_checking import assert_as_described

OWN = Person.invent("zq_archivist", "Zq Archivist", role="listener", voice=0, comes=2.0)
LOGIN = {"auth_token": "b" * 40, "ct0": "c" * 32}


@pytest.fixture(scope="module")
def box() -> Iterator[SandboxBox]:
    """The account listens, joins the chat, and reacts; the record lists it for whoever comes with its cookies."""
    people = (*sample_people()[:2], OWN)
    with sandbox(speed=8.0) as opened:
        opened.control.switch(owner={"handle": OWN.handle, "name": OWN.name, "user_id": OWN.user_id})
        for name in ("signed-in", "guest"):
            opened.control.load(Scene.ended(name, seconds=60, people=people, extra={"chat": {"reaction_seconds": 4}}))
        yield opened


def files_with(trial: Trial, words: tuple[str, ...]) -> set[str]:
    paths = [path for path in trial.directory.rglob("*") if path.is_file()]
    return {path.name for path in paths if any(word.encode() in path.read_bytes() for word in words)}


def test_the_own_account_is_in_no_file(box: SandboxBox, tmp_path: Path) -> None:
    trial = record(box, tmp_path, box.link("signed-in"), settings=LOGIN | {"own_account_id": OWN.user_id})

    assert trial.exit_code == 0
    assert files_with(trial, (OWN.handle, OWN.name, OWN.user_id, OWN.periscope_id)) == set()
    people = json.loads((trial.directory / "people.json").read_bytes())["people"]
    assert {one["handle"] for one in people} == {"lena_marsh", "otto_reed"}
    assert verify_item(trial.directory).is_intact


def test_it_is_known_by_its_cookies_alone(box: SandboxBox, tmp_path: Path) -> None:
    trial = record(box, tmp_path, box.link("signed-in"), settings=LOGIN)

    assert files_with(trial, (OWN.handle, OWN.name, OWN.user_id, OWN.periscope_id)) == set()


def test_to_somebody_else_it_is_a_listener_like_any_other(box: SandboxBox, tmp_path: Path) -> None:
    trial = record(box, tmp_path, box.link("guest"))

    assert_as_described(trial.directory)
    people = {one["handle"]: one for one in json.loads((trial.directory / "people.json").read_bytes())["people"]}
    assert people[OWN.handle]["reactions"] > 3
    assert {"people.json", "captions.jsonl", "timeline.jsonl"} <= files_with(trial, (OWN.handle, OWN.periscope_id))
