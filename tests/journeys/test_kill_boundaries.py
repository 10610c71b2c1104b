"""SIGKILL in front of single system calls on the disk, in order: each gives the undisturbed files in the end.

By default a spread of them; HYDROPHONE_HUNT=1 takes every one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from hydrophone.cli.demonstration import environment
from hydrophone.testing import Scene
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.victims import IS_HUNT, assert_same_files, assert_sound, frames_in, item_of

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="forking needs a system that can"),
    pytest.mark.timeout(3600 if IS_HUNT else 300),
]

SCENE = Scene.ended("boundaries", seconds=45)
SAMPLES = 12


@dataclass
class Forks:
    """The program that records in forks."""

    box: SandboxBox
    process: subprocess.Popen[str]

    def record(self, folder: Path, *, die_at: int = 0) -> tuple[int, int]:
        """One recording: how it ended, and how many calls it made if it was not killed."""
        arguments = ["record", self.box.link(SCENE.name), "--json", "--paths", str(folder)]
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"arguments": arguments, "die_at": die_at}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return answer["status"], answer["calls"]


@contextmanager
def forking(box: SandboxBox, folder: Path) -> Iterator[Forks]:
    program = Path(__file__).with_name("dying_at_boundaries.py")
    process = subprocess.Popen(
        [sys.executable, str(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(box, folder),
    )
    try:
        yield Forks(box, process)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def forks(tmp_path: Path) -> Iterator[Forks]:
    with sandbox(SCENE, isolated=True) as box, forking(box, tmp_path) as forks:
        # What is asked here in a minute is asked in a day elsewhere.
        box.control.switch(limits={"guest": 1_000_000, "guest/activate": 1_000_000})
        yield forks


def test_kill_in_front_of_any_system_call_ends_in_the_undisturbed_bytes(forks: Forks, tmp_path: Path) -> None:
    status, calls = forks.record(tmp_path / "model")
    model = item_of(tmp_path / "model")
    assert status == 0
    assert frames_in(model) == forks.box.true_frames(SCENE.name)

    killed = 0
    for die_at in range(1, calls + 1, 1 if IS_HUNT else max(1, calls // SAMPLES)):
        folder = tmp_path / "victim"
        status, _ = forks.record(folder, die_at=die_at)
        killed += status == -signal.SIGKILL
        # Killed once more in the same place of the second run: recovery is interrupted too.
        status, _ = forks.record(folder, die_at=die_at // 2 + 1)
        killed += status == -signal.SIGKILL
        assert forks.record(folder)[0] == 0, die_at
        assert_same_files(item_of(folder), model)
        assert_sound(item_of(folder))
        shutil.rmtree(folder)

    assert killed >= min(SAMPLES, calls)
