"""What can befall a recorder as a process: a second one, no file descriptors left, a wall clock that jumps."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hydrophone.testing import Scene
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.victims import assert_sound, frames_in, item_of, record, recording

SCENE = Scene.ended("one process", seconds=180)
SLOWLY = ("--connections", "2")


@pytest.fixture(scope="module")
def box() -> Iterator[SandboxBox]:
    with sandbox(SCENE, isolated=True) as box:
        box.control.inject(kind="delay", path="chunk_", segments=[[0, 58]], seconds=0.06)
        yield box


def assert_whole(box: SandboxBox, scene: Scene, folder: Path) -> None:
    assert frames_in(item_of(folder)) == box.true_frames(scene.name)
    assert_sound(item_of(folder))


def test_second_process_says_who_owns_the_take_and_the_first_goes_on(box: SandboxBox, tmp_path: Path) -> None:
    link = box.link(SCENE.name)
    last = box.control.inject(kind="status", status=503, path="chunk_", segments=[59])
    with recording(box, tmp_path, link, more=SLOWLY) as first:
        assert first.wait_until(lambda event: event.get("segments", 0) >= 5)

        second = record(box, tmp_path, link)
        third = record(box, tmp_path, "https://x.com/i/spaces/" + SCENE.id, "--output", "elsewhere/%(id)s")

        assert first.process.poll() is None
        box.control.remove_fault(last)
        assert first.end().exit_code == 0
    for run in (second, third):
        (outcome,) = run.outcomes[:1]
        assert run.exit_code == 9
        assert outcome["error"]["type"] == "TakeInUseError"
        assert f"process {first.process.pid}" in outcome["error"]["message"]
    assert_whole(box, SCENE, tmp_path)


def test_processes_that_start_together_end_in_one_sound_item(box: SandboxBox, tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda _: record(box, tmp_path, box.link(SCENE.name), more=SLOWLY), range(3)))

    assert {run.exit_code for run in runs} <= {0, 9}
    assert any(run.exit_code == 0 for run in runs)
    assert_whole(box, SCENE, tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are set on Linux only")
def test_recorder_without_file_descriptors_goes_on_when_there_are_some(box: SandboxBox, tmp_path: Path) -> None:
    import resource

    with recording(box, tmp_path, box.link(SCENE.name), more=SLOWLY) as recorder:
        assert recorder.wait_until(lambda event: event.get("segments", 0) >= 5)
        pid = recorder.process.pid
        _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))
        said = recorder.wait_until(lambda event: event["event"] == "notice" and "open files" in event["text"])
        time.sleep(1.0)
        assert recorder.process.poll() is None
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))
        run = recorder.end()

    assert said, run.events[-3:]
    assert run.exit_code == 0, run.errors
    assert_whole(box, SCENE, tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit on Windows")
def test_recorder_gets_by_with_few_file_descriptors(box: SandboxBox, tmp_path: Path) -> None:
    """64 connections at once, of which the system allows a few."""
    limited = tmp_path / "site"
    limited.mkdir()
    (limited / "sitecustomize.py").write_text(
        "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))\n", encoding="utf-8"
    )

    run = record(box, tmp_path / "archive", box.link(SCENE.name), more=("-N", "64"), env=python_path(limited))

    assert run.exit_code == 0, (run.errors, run.events[-1:])
    assert_whole(box, SCENE, tmp_path / "archive")


def python_path(first: Path) -> dict[str, str]:
    """An environment in which Python runs the `sitecustomize.py` of a folder before anything else."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(first), os.environ.get("PYTHONPATH", ""))))}


JUMPING_CLOCK = '''
"""The wall clock of this process jumps a day ahead when it has been read 20 times, and two days back after 40."""
import datetime, time

_real, _time, _looks = datetime.datetime, time.time, 0


def _jump():
    return 0 if _looks < 20 else 86_400 if _looks < 40 else -86_400


class _Kind(type):
    def __instancecheck__(cls, value):
        return isinstance(value, _real)


class _Jumping(_real, metaclass=_Kind):
    @classmethod
    def now(cls, tz=None):
        global _looks
        _looks += 1
        return _real.now(tz) + datetime.timedelta(seconds=_jump())


datetime.datetime = _Jumping
time.time = lambda: _time() + _jump()
'''


def test_wall_clock_that_jumps_disturbs_no_live_recording(tmp_path: Path) -> None:
    scene = Scene.live("jumping clock", seconds=120, since=10)
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(JUMPING_CLOCK, encoding="utf-8")
    with sandbox(scene, isolated=True, speed=8) as box:
        run = record(box, tmp_path / "archive", box.link(scene.name), env=python_path(site))

        assert run.exit_code == 0, run.errors
        assert_whole(box, scene, tmp_path / "archive")
    days = {line[line.index('"t":"') + 5 :][:10] for line in journal_lines(item_of(tmp_path / "archive"))}
    assert len(days) == 3
    (outcome,) = run.outcomes
    assert outcome["duration_seconds"] == pytest.approx(120, abs=0.05)
    assert outcome["elapsed_seconds"] < 100


def journal_lines(item: Path) -> list[str]:
    return (item / "journal.jsonl").read_text(encoding="utf-8").splitlines()
