"""The page about the sandbox tells of trouble with the chat: of all there is, and each example does what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hydrophone.sandbox.periscope.switches import DEFAULTS as SWITCHES
from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.space_chat.facts import DEFAULTS
from hydrophone.testing.box import sandbox
from journeys.trials import assert_kept, record
from schema_checking import assert_as_described

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "sandbox.md").read_text("utf-8")
SECTION = PAGE[PAGE.index("## Trouble with the chat") :]
EXAMPLES = [json.loads(line) for line in SECTION.splitlines() if line.startswith('{"kind"')]


def test_every_key_and_every_switch_is_explained() -> None:
    tables = [re.findall(r"^\| `(\w+)`", part, re.MULTILINE) for part in SECTION.split("`POST /periscope/switches`")]

    assert set(tables[0]) == set(DEFAULTS)
    assert set(tables[1]) == {name for name in SWITCHES if name.startswith("chat")}


@pytest.mark.parametrize("kind", ["proxsee", "history"])
def test_an_ended_space_is_told_whole_through_faults_of_its_chat(kind: str, tmp_path: Path) -> None:
    faults = [one for one in EXAMPLES if kind in (one["service"], one["path"].rpartition("/")[2])]
    assert faults
    with sandbox(Scene.ended("troubled", seconds=30), speed=8.0) as box:
        for fault in faults:
            box.control.inject(**fault)

        trial = record(box, tmp_path, box.link("troubled"))

        assert trial.exit_code == 0
        assert_kept(trial, box, "troubled")
        told = json.loads((trial.directory / "transcript.json").read_bytes())
        assert [cue["text"] for cue in told["cues"]] == [cue.text for cue in box.true_cues("troubled")]
        assert_as_described(trial.directory)
        struck = [request for request in box.control.requests() if request["faults"]]
        assert len(struck) == sum(fault["count"] for fault in faults)


def test_a_live_space_is_told_whole_though_its_sockets_are_reset(tmp_path: Path) -> None:
    faults = [one for one in EXAMPLES if "chatnow" in one["path"]]
    scene = Scene.live("cut", seconds=60, since=5, extra={"chat": {"young_seconds": 5, "drops": [20, 40]}})
    with sandbox(scene, speed=8.0) as box:
        for fault in faults:
            box.control.inject(**fault)

        trial = record(box, tmp_path, box.link("cut"))

        told = json.loads((trial.directory / "transcript.json").read_bytes())
        assert [cue["text"] for cue in told["cues"]] == [cue.text for cue in box.true_cues("cut")]
        assert any(request["faults"] for request in box.control.requests(service="chat"))
