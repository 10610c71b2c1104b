"""Ctrl-C at a real recorder: once it finishes what is there, twice it leaves at once; a re-run gives the whole."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hydrophone.testing import Scene
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.victims import assert_same_files, assert_sound, frames_in, item_of, record, recording

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent differently on Windows")

REPLAY = Scene.ended("interrupted-replay", seconds=180)
SLOWLY = ("--connections", "2")


@pytest.fixture
def box() -> Iterator[SandboxBox]:
    with sandbox(REPLAY, isolated=True) as box:
        yield box


def files_in(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in item_of(folder).iterdir() if path.is_file()}


def assert_a_rerun_gives_the_whole(box: SandboxBox, folder: Path, scene: Scene) -> None:
    whole = folder.with_name("undisturbed")
    for place in (folder, whole):
        run = record(box, place, box.link(scene.name))
        assert run.exit_code == 0, run.errors
    assert frames_in(item_of(folder)) == box.true_frames(scene.name)
    assert_sound(item_of(folder))
    assert_same_files(item_of(folder), item_of(whole), was_live=True)


def test_first_interrupt_finishes_the_part_of_a_replay_that_is_there(box: SandboxBox, tmp_path: Path) -> None:
    folder = tmp_path / "interrupted"
    box.control.inject(kind="delay", path="chunk_", seconds=0.1)
    with recording(box, folder, box.link(REPLAY.name), more=SLOWLY) as recorder:
        assert recorder.wait_until(lambda event: event.get("segments", 0) >= 10)
        recorder.send(signal.SIGINT)
        run = recorder.end()
    (outcome,) = run.outcomes
    box.control.clear_faults()

    assert run.exit_code == 3
    assert outcome["result"] == "stopped"
    assert 10 <= outcome["coverage"]["segments"] < 60
    assert [gap["cause"] for gap in outcome["coverage"]["gaps"]] == ["stopped"]
    assert_sound(item_of(folder))
    assert_a_rerun_gives_the_whole(box, folder, REPLAY)


def test_second_interrupt_leaves_at_once_and_deletes_nothing(box: SandboxBox, tmp_path: Path) -> None:
    folder = tmp_path / "aborted"
    box.control.inject(kind="stall-headers", path="chunk_", segments=[[20, 59]], seconds=60)
    box.control.inject(kind="delay", path="chunk_", seconds=0.1)
    with recording(box, folder, box.link(REPLAY.name), more=SLOWLY) as recorder:
        assert recorder.wait_until(lambda event: event.get("segments", 0) >= 15)
        recorder.send(signal.SIGINT)
        assert recorder.wait_until(lambda event: event["event"] == "note")
        before = files_in(folder)
        recorder.send(signal.SIGINT)
        run = recorder.end(8)
    box.control.clear_faults()

    assert run.exit_code == 130, run.errors
    after = files_in(folder)
    assert all(after[name] >= size for name, size in before.items())
    assert_a_rerun_gives_the_whole(box, folder, REPLAY)


def test_live_recording_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    scene = Scene.live("interrupted-live", seconds=90, since=30)
    folder = tmp_path / "interrupted"
    with sandbox(scene, isolated=True) as box:
        link = box.link(scene.name)
        with recording(box, folder, link) as recorder:
            assert recorder.wait_until(lambda event: event.get("segments", 0) >= 8)
            recorder.send(signal.SIGINT)
            first = recorder.end()
        assert first.exit_code in (0, 3)
        assert_sound(item_of(folder))
        held = first.outcomes[0]["coverage"]["segments"]
        assert 8 <= held < 30

        box.control.set_speed(10)  # slow as long as it must not be over, fast to its end
        second = record(box, folder, link)

        assert second.exit_code == 0, second.errors
        (started,) = (event for event in second.events if event["event"] == "started")
        assert started["resumed_segments"] == held
        assert_a_rerun_gives_the_whole(box, folder, scene)
