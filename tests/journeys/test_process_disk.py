"""The disk under a recorder fills up, turns read-only, or vanishes, and comes back: it pauses, says so, and goes on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hydrophone.archive import find_items
from hydrophone.testing import Scene
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.victims import Recorder, Run, assert_same_files, assert_sound, item_of, record, recording

SCENE = Scene.ended("on a bad disk", seconds=240)  # 2.9 MB, three times when it is finished
SLOWLY = ("--connections", "2")
needs_root = pytest.mark.skipif(
    not (sys.platform == "linux" and os.geteuid() == 0 and shutil.which("mount")),
    reason="mounting a small disk needs root on Linux",
)


@pytest.fixture(scope="module")
def box() -> Iterator[SandboxBox]:
    with sandbox(SCENE, isolated=True) as box:
        box.control.inject(kind="delay", path="chunk_", seconds=0.05)
        yield box


@pytest.fixture(scope="module")
def model(box: SandboxBox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    assert record(box, folder, box.link(SCENE.name)).exit_code == 0
    return item_of(folder)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "small", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


def says(phrase: str) -> Callable[[dict[str, Any]], bool]:
    return lambda event: event["event"] == "notice" and phrase in event["text"]


def start(box: SandboxBox, archive: Path, state: Path) -> Any:
    env = {"HYDROPHONE_STATE_DIR": str(state)}
    return recording(box, archive, box.link(SCENE.name), more=SLOWLY, env=env)


def assert_paused_and_healed(run: Run, archive: Path, model: Path) -> None:
    notices = [event["text"] for event in run.events if event["event"] == "notice"]
    assert run.exit_code == 0, run.errors
    assert sum("paused" in text for text in notices) == 1, notices
    assert sum("back" in text for text in notices) == 1, notices
    item = item_of(archive)
    assert_sound(item)
    assert_same_files(item, model)


def hold_on(recorder: Recorder) -> None:
    """A while in which the recorder must neither end nor go on."""
    held = [event["segments"] for event in recorder.run.events if event["event"] == "progress"]
    time.sleep(2.5)
    assert recorder.process.poll() is None
    assert not recorder.run.outcomes
    assert held


@needs_root
@pytest.mark.root
@pytest.mark.parametrize(("size", "phase"), [("1500k", "fetching"), ("4m", "making the files")])
def test_full_disk_is_waited_for_while(phase: str, size: str, box: SandboxBox, model: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", size) as disk, start(box, disk / "archive", tmp_path / "state") as recorder:
        assert recorder.wait_until(says("No space left")), recorder.run.events[-2:]
        assert ("finishing original" in recorder.run.marks) == (phase == "making the files")
        hold_on(recorder)
        remount(disk, "size=64m")
        assert_paused_and_healed(recorder.end(), disk / "archive", model)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Within the block, nothing can be opened for writing there, as after an error of the file system."""
    subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True)
    try:
        remount(folder, "bind,ro")
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@needs_root
@pytest.mark.root
def test_disk_that_turns_read_only_is_waited_for(box: SandboxBox, model: Path, tmp_path: Path) -> None:
    with start(box, tmp_path / "archive", tmp_path / "state") as recorder:
        assert recorder.wait_until(lambda event: event.get("segments", 0) >= 5)
        with read_only(item_of(tmp_path / "archive")):
            assert recorder.wait_until(says("ead-only file system")), recorder.run.events[-2:]
            hold_on(recorder)
        assert_paused_and_healed(recorder.end(), tmp_path / "archive", model)


def test_folder_that_vanishes_is_waited_for(box: SandboxBox, model: Path, tmp_path: Path) -> None:
    archive, away = tmp_path / "archive", tmp_path / "unplugged"
    with start(box, archive, tmp_path / "state") as recorder:
        assert recorder.wait_until(lambda event: event.get("segments", 0) >= 5)
        archive.rename(away)
        assert recorder.wait_until(says("No such file")), recorder.run.events[-2:]
        hold_on(recorder)
        assert not archive.exists()
        away.rename(archive)
        assert_paused_and_healed(recorder.end(), archive, model)


@needs_root
@pytest.mark.root
def test_kill_on_a_full_disk_loses_nothing_that_was_acknowledged(box: SandboxBox, model: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", "1500k") as disk:
        with start(box, disk / "archive", tmp_path / "state") as recorder:
            assert recorder.wait_until(says("No space left"))
            recorder.process.kill()
            recorder.end()
        remount(disk, "size=64m")
        with start(box, disk / "archive", tmp_path / "state") as recorder:
            run = recorder.end()
        assert run.exit_code == 0, run.errors
        assert_sound(item_of(disk / "archive"))
        assert_same_files(item_of(disk / "archive"), model)


@needs_root
@pytest.mark.root
def test_interrupt_on_a_full_disk_ends_and_a_rerun_completes(box: SandboxBox, model: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", "1500k") as disk:
        with start(box, disk / "archive", tmp_path / "state") as recorder:
            assert recorder.wait_until(says("No space left"))
            recorder.send(signal.SIGINT)
            assert recorder.end(10).exit_code == 9
        remount(disk, "size=64m")
        with start(box, disk / "archive", tmp_path / "state") as recorder:
            assert recorder.end().exit_code == 0
        assert_sound(item_of(disk / "archive"))
        assert_same_files(item_of(disk / "archive"), model)


def test_archive_that_cannot_be_written_from_the_start_is_an_error(box: SandboxBox, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / "@lena_marsh").write_text("a file where a folder should be")

    run = record(box, archive, box.link(SCENE.name), env={"HYDROPHONE_STATE_DIR": str(tmp_path / "state")})

    assert run.exit_code == 9
    assert list(find_items(archive)) == []


def test_state_that_cannot_be_kept_is_a_warning_about_a_recording_that_is_whole(
    box: SandboxBox, model: Path, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    (state / "sandbox" / "web.json").mkdir(parents=True)  # a folder, where a file is to be put in place

    run = record(box, tmp_path / "archive", box.link(SCENE.name), env={"HYDROPHONE_STATE_DIR": str(state)})

    assert run.exit_code == 0, run.errors
    assert run.outcomes[0]["exit_code"] == 0
    assert run.errors.count("cannot be kept across restarts") == 1
    assert_sound(item_of(tmp_path / "archive"))
    assert_same_files(item_of(tmp_path / "archive"), model)
