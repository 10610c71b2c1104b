"""A recorded Space says who said what: every sentence of the scene at its place, each with its speaker."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from hydrophone.archive import verify_item
from hydrophone.sandbox.scene import Scene
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.trials import Trial, record


@pytest.fixture(scope="module")
def box() -> Iterator[SandboxBox]:
    with sandbox(scenes=[Scene.ended("told", seconds=240)], speed=8.0) as opened:
        yield opened


@pytest.fixture(scope="module")
def trial(box: SandboxBox, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return record(box, tmp_path_factory.mktemp("told"), box.link("told"))


def test_every_sentence_is_there_once_at_its_place_and_with_its_speaker(box: SandboxBox, trial: Trial) -> None:
    told = json.loads((trial.directory / "transcript.json").read_bytes())
    handles = {one["key"]: one["handle"] for one in told["speakers"]}
    truth = box.true_cues("told")
    found = {(cue["text"], round(cue["end_seconds"] / 2)): cue for cue in told["cues"]}

    assert Counter(cue["text"] for cue in told["cues"]) == Counter(cue.text for cue in truth)
    for cue in truth:
        near = [one for key, one in found.items() if key[0] == cue.text]
        best = min(near, key=lambda one: abs(one["end_seconds"] - cue.end))
        assert abs(best["begin_seconds"] - cue.begin) <= 0.3
        assert abs(best["end_seconds"] - cue.end) <= 0.3
        assert handles[best["speaker"]] == cue.speaker


def test_the_item_is_whole_with_its_transcripts(trial: Trial) -> None:
    names = {path.name for path in trial.directory.iterdir()}

    assert {f"transcript.{form}" for form in ("json", "vtt", "srt", "txt", "md")} <= names
    assert {"captions.jsonl", "timeline.jsonl", "reactions.csv"} <= names
    assert verify_item(trial.directory).is_intact
    assert trial.notices == []


def test_recording_again_gives_the_same_transcript(box: SandboxBox, trial: Trial, tmp_path: Path) -> None:
    again = record(box, tmp_path, box.link("told"))

    for name in ("transcript.json", "people.json", "audio.m4a"):
        assert (again.directory / name).read_bytes() == (trial.directory / name).read_bytes(), name
