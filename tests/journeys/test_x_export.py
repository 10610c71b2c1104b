"""The export that X gives a host becomes items: same audio, same people, who spoke when; without login or network."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Answer, Typed, logging_as_before, no_settings, typed
from diarisation import Span, diarisation_error
from hydrophone.archive import verify_item
from hydrophone.recorder import importing
from hydrophone.sandbox.scene import Person, Scene, TagStyle, sample_people
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.trials import adts_frames
from schema_checking import assert_as_described

__all__ = ["logging_as_before", "no_settings", "typed"]  # fixtures, which pytest finds by name

PEOPLE = (*sample_people()[:2], Person.invent("mina_sandoval", "Mina", role="speaker", voice=3, comes=9.0, leaves=90.0))


@pytest.fixture(scope="module")
def box() -> Iterator[SandboxBox]:
    scenes = [
        Scene.ended("told", seconds=120, people=PEOPLE),
        Scene.ended("bare", seconds=30, people=PEOPLE, tags=TagStyle(has_hydra=False)),
        Scene.ended("lost", seconds=30, people=PEOPLE),
    ]
    with sandbox(scenes=scenes) as opened:
        yield opened


@pytest.fixture(scope="module")
def export(box: SandboxBox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "twitter-2026-01-01.zip"
    kept = [box.scene(name).id for name in ("told", "bare")]
    return box.export(path, "told", "bare", "lost", media=kept, parts=2)


def imported(answer: Answer) -> dict[str, dict[str, Any]]:
    assert answer.code == 0, answer
    return {line["id"]: line for line in map(json.loads, answer.out.splitlines()) if line["type"] == "imported"}


def facts_of(folder: Path) -> dict[str, Any]:
    """Every file of an item that its audio and the export alone decide."""
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.is_file() and path.name not in ("journal.jsonl", "manifest-sha256.txt")
    }


def test_spaces_become_items_that_hold_everything(typed: Typed, box: SandboxBox, export: Path, tmp_path: Path) -> None:
    found = imported(typed("import", "x-export", str(export), "-P", str(tmp_path / "archive"), "--json"))

    fates = {name: found[box.scene(name).id]["fate"] for name in ("told", "bare", "lost")}
    assert fates == {"told": "imported", "bare": "imported", "lost": "no media in the export"}
    for name in ("told", "bare"):
        folder = Path(found[box.scene(name).id]["directory"])
        assert verify_item(folder, is_deep=True).is_intact
        assert_as_described(folder)
        assert adts_frames((folder / "original.aac").read_bytes()) == box.true_frames(name)
        facts = json.loads((folder / "space.json").read_bytes())
        assert facts["creator"]["handle"] == "lena_marsh"
        assert (facts["link"], facts["coverage"]["is_complete"]) == (box.link(name), True)
    assert typed("verify", str(tmp_path / "archive")).code == 0


def test_levels_in_the_audio_tell_who_spoke_when(typed: Typed, box: SandboxBox, export: Path, tmp_path: Path) -> None:
    found = imported(typed("import", "x-export", str(export), "-P", str(tmp_path), "--json"))
    folder = Path(found[box.scene("told").id]["directory"])

    told = json.loads(typed("transcript", str(folder), "--json").out)
    handles = {one["key"]: one["handle"] for one in told["speakers"]}
    guess = [Span(handles[turn["speaker"]], turn["begin_seconds"], turn["end_seconds"]) for turn in told["turns"]]
    truth = [Span(*turn) for turn in box.true_turns("told")]

    assert (told["word_source"], told["cues"]) == ("none", [])
    assert {turn["source"] for turn in told["turns"]} == {"levels"}
    assert diarisation_error(truth, guess).rate <= 0.05
    people = {one.get("handle"): one for one in json.loads(typed("people", str(folder), "--json").out)["people"]}
    talk = {span.speaker: 0.0 for span in truth}
    for span in truth:
        talk[span.speaker] += span.end - span.begin
    for handle, seconds in talk.items():
        assert people[handle]["talk"]["seconds"] == pytest.approx(seconds, rel=0.1, abs=1.5)
    assert people["lena_marsh"]["roles"] == ["creator"]


def test_the_export_tells_who_was_on_stage_from_when_to_when(
    typed: Typed, box: SandboxBox, export: Path, tmp_path: Path
) -> None:
    found = imported(typed("import", "x-export", str(export), "-P", str(tmp_path), "--json"))
    folder = Path(found[box.scene("told").id]["directory"])
    by_id = {
        one["user_id"]: one for one in json.loads((folder / "people.json").read_bytes())["people"] if "user_id" in one
    }

    spans = {person.handle: by_id[person.user_id]["role_spans"] for person in PEOPLE}

    assert {handle: [one["role"] for one in each] for handle, each in spans.items()} == {
        "lena_marsh": ["creator"],
        "otto_reed": ["host"],
        "mina_sandoval": ["speaker"],
    }
    (mina,) = spans["mina_sandoval"]
    assert mina["begin_seconds"] == pytest.approx(9.0, abs=0.1)
    assert mina["end_seconds"] == pytest.approx(90.0, abs=0.1)


def test_without_levels_the_times_of_the_export_stand_in(
    typed: Typed, box: SandboxBox, export: Path, tmp_path: Path
) -> None:
    found = imported(typed("import", "x-export", str(export), "-P", str(tmp_path), "--json"))
    told = json.loads(typed("transcript", found[box.scene("bare").id]["directory"], "--json").out)

    assert {turn["source"] for turn in told["turns"]} == {"microphones"}
    assert {one["user_id"] for one in told["speakers"]} == {person.user_id for person in PEOPLE}


def test_a_dry_run_writes_nothing_and_says_the_same(
    typed: Typed, box: SandboxBox, export: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    trial = imported(typed("import", "x-export", str(export), "-P", str(archive), "--dry-run", "--json"))

    assert not archive.exists()
    assert [line["fate"] for line in trial.values()] == ["can be imported", "can be imported", "no media in the export"]
    answer = typed("import", "x-export", str(export), "-P", str(archive), "-n")
    assert "2 of 3 recordings would be imported" in answer.out
    assert not archive.exists()


def test_an_import_that_died_goes_on_to_the_same_bytes(
    typed: Typed, box: SandboxBox, export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = imported(typed("import", "x-export", str(export), "-P", str(tmp_path / "whole"), "--json"))
    add, calls = importing._add_audio, []

    def dying(*arguments: Any) -> None:
        calls.append(arguments[1])
        if len(calls) == 2:
            raise KeyboardInterrupt
        add(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(importing, "_add_audio", dying)
        typed("import", "x-export", str(export), "-P", str(tmp_path / "again"), "--json")
    assert len(calls) == 2
    again = imported(typed("import", "x-export", str(export), "-P", str(tmp_path / "again"), "--json"))

    for name in ("told", "bare"):
        key = box.scene(name).id
        assert facts_of(Path(again[key]["directory"])) == facts_of(Path(whole[key]["directory"]))
    third = imported(typed("import", "x-export", str(export), "-P", str(tmp_path / "again"), "--json"))
    assert [line["fate"] for line in third.values()].count("already in the archive") == 2


def test_a_hostile_archive_writes_nothing_outside_and_names_what_it_left_out(
    typed: Typed, box: SandboxBox, export: Path, tmp_path: Path
) -> None:
    hostile = tmp_path / "in" / "hostile.zip"
    hostile.parent.mkdir()
    hostile.write_bytes(export.read_bytes())
    climbing = "../../data/spaces_media/space-1aaaaaaaaaaaa_0.ts"
    link = zipfile.ZipInfo("data/spaces_media/space-1bbbbbbbbbbbb_0.ts")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(hostile, "a", zipfile.ZIP_DEFLATED) as made:
        made.writestr(climbing, b"no sound at all")
        made.writestr(link, "/etc/hostname")
        made.writestr("data/spaces_media/space-1dddddddddddd_0.ts", bytes(40_000_000))
    before = set(tmp_path.rglob("*"))

    answer = typed("import", "x-export", str(hostile), "-P", str(tmp_path / "in" / "archive"), "--json")

    found = {line["id"]: line for line in map(json.loads, answer.out.splitlines()) if line["type"] == "imported"}
    outside = set(tmp_path.rglob("*")) - before
    assert all(path.is_relative_to(tmp_path / "in" / "archive") for path in outside)
    assert found[box.scene("told").id]["fate"] == "imported"
    assert "1bbbbbbbbbbbb" not in found
    assert "1dddddddddddd" not in found
    assert answer.err.count("it was left out") == 2
    assert not any(b"hostname" in path.read_bytes() for path in (tmp_path / "in" / "archive").rglob("*.aac"))
