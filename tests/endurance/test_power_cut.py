"""The power goes while a recording is written: what was acknowledged is there afterwards, the rest comes again.

A real ext4 on a loop device is told to stop at once (`FS_IOC_SHUTDOWN` without flushing its log), at a chosen system
call of the recorder, which dies with it. Everything that was not synced is gone when the file system is mounted again
and has replayed its log. What the ioctl cannot show is a drive that lies about its cache or reorders what is in it.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from endurance.points import acknowledged, assert_healed, spread
from endurance.recording_forks import POWER_CUT, UNLIMITED, Fault, Forks, forking
from endurance.system_calls import why_not
from hydrophone.testing import Scene
from hydrophone.testing.box import sandbox
from journeys.victims import IS_HUNT, frames_in, item_of

SEED = 20_261_123
SCENE = Scene.ended("power goes", seconds=15)
CUTS = 600 if IS_HUNT else 30
IN_A_ROW = 3  #: cuts of one recording before it may go on undisturbed

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(
        not (sys.platform == "linux" and os.geteuid() == 0 and shutil.which("mkfs.ext4") and shutil.which("mount")),
        reason="making and mounting an ext4 needs root on Linux and e2fsprogs",
    ),
    pytest.mark.skipif(bool(why_not()), reason=f"system calls cannot be watched: {why_not()}"),
    pytest.mark.timeout(3600 if IS_HUNT else 900),
]


@dataclass
class LoopDisk:
    """An ext4 in a file, mounted."""

    image: Path
    folder: Path
    cuts: int = field(default=0)

    def mount(self) -> None:
        done = subprocess.run(
            ["mount", "-t", "ext4", "-o", "loop", str(self.image), str(self.folder)], capture_output=True, text=True
        )
        if done.returncode:
            pytest.skip(f"a loop device cannot be mounted here: {done.stderr.strip()}")

    def unmount(self) -> None:
        subprocess.run(["umount", str(self.folder)], check=True)

    def come_back(self) -> None:
        """After the power was cut."""
        self.cuts += 1
        self.unmount()
        self.mount()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[LoopDisk]:
    disk = LoopDisk(tmp_path / "ext4.image", tmp_path / "disk")
    with disk.image.open("wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", str(disk.image)], check=True)
    disk.folder.mkdir()
    disk.mount()
    try:
        yield disk
    finally:
        disk.unmount()


def cut_and_heal(forks: Forks, disk: LoopDisk, folder: Path, points: list[int], model: Path) -> None:
    """Cut the power in one recording after the other of the same Space, then let it end."""
    held: set[tuple[int, int]] = set()
    for at in points:
        answer = forks.record(SCENE.name, folder, Fault(POWER_CUT, at))
        assert answer.was_killed or answer.status == 0, answer
        held |= {(epoch, sequence) for epoch, sequence in answer.acknowledged}
        if answer.was_killed:
            disk.come_back()
        found = acknowledged(folder) if folder.exists() else set()
        assert held <= found, f"cut at {answer.struck}: {len(held - found)} acknowledged segments are gone"
    assert_healed(forks.record(SCENE.name, folder), folder, model, held)
    shutil.rmtree(folder)


def test_power_cut_loses_nothing_that_was_acknowledged_and_a_rerun_completes(
    disk: LoopDisk, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    rng = random.Random(SEED)
    with sandbox(SCENE, isolated=True, speed=20) as box, forking(box, tmp_path) as forks:
        box.control.switch(limits=UNLIMITED)
        box.control.inject(kind="delay", path="chunk_", seconds=0.03)
        answer = forks.record(SCENE.name, tmp_path / "model", Fault())
        assert answer.status == 0, answer
        assert len(answer.acknowledged) > 3
        model = item_of(tmp_path / "model")
        assert frames_in(model) == box.true_frames(SCENE.name)
        points = spread(answer.trace, CUTS, rng)
        rng.shuffle(points)
        for start in range(0, len(points), IN_A_ROW):
            cut_and_heal(forks, disk, disk.folder / "archive", points[start : start + IN_A_ROW], model)

    record_property("power_cuts", disk.cuts)
    record_property("power_cuts_identical", disk.cuts)  # any other has raised
    assert disk.cuts >= 0.6 * len(points)
