"""The real recogniser, with weights of a few kilobytes: a Space without captions gets words, by settings or by hand.

What such weights understand is nonsense; that it comes by the real code, at its time and with a speaker, is the point.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Typed, logging_as_before, no_settings, typed
from hydrophone.archive import verify_item
from hydrophone.sandbox.scene import Scene
from hydrophone.testing.box import SandboxBox, sandbox

pytest.importorskip("faster_whisper", reason="faster-whisper is not installed: pip install 'hydrophone[whisper]'")

__all__ = ["logging_as_before", "no_settings", "typed"]  # fixtures, which pytest finds by name


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from whisper_building import build_tiny_model

    return build_tiny_model(tmp_path_factory.mktemp("whisper") / "tiny")


@pytest.fixture(scope="module")
def box() -> Iterator[SandboxBox]:
    scenes = [Scene.ended("mute", seconds=15, has_captions=False), Scene.ended("told", seconds=15)]
    with sandbox(scenes=scenes, speed=8.0) as opened:
        yield opened


@pytest.fixture
def config(model: Path, box: SandboxBox, tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    archive, control = tmp_path / "archive", box.bases["control"]
    path.write_text(f'archive = "{archive.as_posix()}"\nprovider = "sandbox"\nsandbox = "{control}"\n')
    return path


def told(typed: Typed, config: Path, item: str, *more: str) -> dict[str, Any]:
    answer = typed("transcript", item, "--json", "--config", str(config), *more)
    assert answer.code == 0, answer
    found: dict[str, Any] = json.loads(answer.out)
    return found


def test_words_are_filled_in_by_hand_and_stay(
    typed: Typed, box: SandboxBox, model: Path, config: Path, tmp_path: Path
) -> None:
    assert typed("record", box.link("mute"), "--config", str(config), "-q").code == 0
    key = box.scene("mute").id
    assert told(typed, config, key)["word_source"] == "none"
    nothing = typed("transcript", key, "--engine", "whisper", "--config", str(config))
    assert (nothing.code, "--model PATH" in nothing.err) == (2, True)
    wrong = typed("transcript", key, "--engine", "whisper", "--model", "nowhere", "--config", str(config))
    assert (wrong.code, "model.bin" in wrong.err) == (2, True)

    answer = typed("transcript", key, "--engine", "whisper", "--model", str(model), "--config", str(config))
    assert (answer.code, "heard 0:15 of 0:15" in answer.err) == (0, True)
    found = told(typed, config, key)

    assert found["word_source"] == "whisper"
    assert found["turns"]
    (item,) = (path.parent for path in (tmp_path / "archive").rglob("space.json"))
    assert verify_item(item, is_deep=True).is_intact
    again = typed("transcript", key, "--engine", "whisper", "--model", str(model), "--config", str(config))
    assert "heard" not in again.err
    assert typed("repair", str(item), "--config", str(config), "-q").code == 0
    assert told(typed, config, key) == found
    assert verify_item(item, is_deep=True).is_intact


def test_a_recording_is_listened_to_while_it_is_finished(
    typed: Typed, box: SandboxBox, model: Path, config: Path, tmp_path: Path
) -> None:
    config.write_text(f'{config.read_text()}whisper_model = "{model.as_posix()}"\nwhisper_device = "cpu"\n')

    assert typed("record", box.link("mute"), box.link("told"), "--config", str(config), "-q").code == 0

    assert told(typed, config, box.scene("mute").id)["word_source"] == "whisper"
    assert told(typed, config, box.scene("told").id)["word_source"] == "service"
    note = typed("transcript", box.scene("told").id, "--engine", "whisper", "--config", str(config))
    assert (note.code, "the service has written" in note.err) == (0, True)
