"""SIGTERM while one process records twenty Spaces: all is flushed, the process is gone in time, nothing is lost."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import pytest

from hydrophone.archive import find_items
from hydrophone.model import SpaceId
from hydrophone.testing import Scene
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.victims import Recorder, Run, assert_sound, frames_in, record, recording

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent differently on Windows")

SECONDS = 60.0
SCENES = [Scene.live(f"terminated-{number}", seconds=SECONDS, since=10) for number in range(20)]
PROMISED_SECONDS = 10.0


def all_are_recording(recorder: Recorder) -> bool:
    """True once every Space has segments."""
    going: set[SpaceId] = set()

    def one_more(event: dict[str, object]) -> bool:
        if event["event"] == "progress" and event["segments"]:
            going.add(SpaceId(str(event["key"])))
        return len(going) == len(SCENES)

    return recorder.wait_until(one_more)


def terminate(box: SandboxBox, folder: Path) -> Run:
    """A run that is told to end while it records everything."""
    with recording(box, folder, *(box.link(scene.name) for scene in SCENES)) as recorder:
        assert all_are_recording(recorder), recorder.run.events[-1:]
        began = time.monotonic()
        recorder.send(signal.SIGTERM)
        run = recorder.end(PROMISED_SECONDS)
        assert time.monotonic() - began < PROMISED_SECONDS
    return run


def assert_all_is_completed_by_a_rerun(box: SandboxBox, folder: Path) -> None:
    box.control.advance(SECONDS + 60)
    run = record(box, folder, *(box.link(scene.name) for scene in SCENES))
    assert run.exit_code == 0, run.errors
    items = {item.saved_id(): item.path for item in find_items(folder)}
    assert len(items) == len(SCENES)
    for scene in SCENES:
        assert frames_in(items[scene.id]) == box.true_frames(scene.name)
        assert_sound(items[scene.id])
    assert sum(event["resumed_segments"] for event in run.events if event["event"] == "started") > len(SCENES)


def test_terminated_recordings_are_finished_and_go_on_later(tmp_path: Path) -> None:
    with sandbox(scenes=SCENES, isolated=True) as box:
        run = terminate(box, tmp_path)

        assert run.exit_code in (0, 3), run.errors
        assert {outcome["result"] for outcome in run.outcomes} == {"stopped"}
        assert len(run.outcomes) == len(SCENES)
        assert_all_is_completed_by_a_rerun(box, tmp_path)


def test_terminated_recordings_of_a_cdn_that_stalls_are_flushed_in_time(tmp_path: Path) -> None:
    with sandbox(scenes=SCENES, isolated=True) as box:
        box.control.inject(kind="stall", path="chunk_", probability=0.3, seconds=60)

        terminate(box, tmp_path)

        box.control.clear_faults()
        assert_all_is_completed_by_a_rerun(box, tmp_path)
