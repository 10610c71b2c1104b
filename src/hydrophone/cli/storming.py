"""The same storm, recorded by Hydrophone and by whatever other recorders are installed, side by side.

Each recorder gets a Space of its own with the same storm over it, so that a fault which strikes once strikes each of
them. What they wrote is held against the sandbox's own frames, payload by payload; nobody's word is taken for it.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydrophone import __version__
from hydrophone.cli.demonstration import environment, frames_of
from hydrophone.cli.weather import Trouble, storm
from hydrophone.sandbox.scene import Scene
from hydrophone.testing.box import SandboxBox, sandbox

HYDROPHONE = "Hydrophone"
ADTS_HEADER = 7
LAST_SECONDS = 60.0  #: after the end of the Space, a recorder that knows no replay gets so long to notice
OUR_LAST_SECONDS = 400.0  #: ours waits for the replay, which comes late
STRIP = 60  #: characters of the picture of what was kept

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Recorder:
    """A program that can record a live Space. `tool` must be there; `version_flag` makes it tell its version."""

    name: str
    tool: str
    version_flag: str
    command: Callable[[SandboxBox, str, str], Sequence[str]]

    @property
    def is_installed(self) -> bool:
        return self.tool == sys.executable or shutil.which(self.tool) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What one recorder made of the storm. `version` is empty for one that is not installed, and all else then too.

    `strip` has one letter for each stretch of the Space: ``#`` all kept, ``+`` some, ``.`` nothing.
    """

    recorder: str
    version: str = ""
    frames_offered: int = 0
    frames_kept: int = 0
    frames_twice: int = 0
    is_in_order: bool = False
    exit_code: int | None = None
    says_complete: bool = False
    was_stopped: bool = False
    strip: str = ""

    @property
    def is_installed(self) -> bool:
        return bool(self.version)

    @property
    def is_complete(self) -> bool:
        return self.frames_kept == self.frames_offered > 0 and not self.frames_twice and self.is_in_order

    def as_json(self) -> dict[str, Any]:
        if not self.is_installed:
            return {"recorder": self.recorder, "installed": False}
        own = {name: getattr(self, name) for name in self.__slots__}
        return {**own, "installed": True, "is_complete": self.is_complete}


@dataclass(slots=True)
class _Run:
    """One recorder at work."""

    recorder: Recorder
    scene: Scene
    folder: Path
    process: subprocess.Popen[bytes]
    ends_at: float  #: when it is told to stop, by this process's monotonic clock
    was_stopped: bool = field(default=False)


# ---------------------------------------------------------------- the recorders


def _ours(box: SandboxBox, scene: str, url: str) -> list[str]:
    return [sys.executable, "-m", "hydrophone", "record", box.link(scene), "--json", "--paths", "archive"]


def _ffmpeg(box: SandboxBox, scene: str, url: str) -> list[str]:
    return ["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y", "-i", url, "-c", "copy", "out.aac"]


def _streamlink(box: SandboxBox, scene: str, url: str) -> list[str]:
    return ["streamlink", "--no-config", "--loglevel", "error", "--hls-live-restart", "-o", "out.aac", url, "best"]


RECORDERS = (
    Recorder(HYDROPHONE, sys.executable, "", _ours),
    Recorder("ffmpeg", "ffmpeg", "-version", _ffmpeg),
    Recorder("streamlink", "streamlink", "--version", _streamlink),
)


# ---------------------------------------------------------------- the contest


def perform(
    seed: int, seconds: float, *, speed: float = 1.0, last_seconds: float = LAST_SECONDS, say: Say
) -> tuple[list[Kept], tuple[Trouble, ...]]:
    """Let all recorders that are installed record the same storm at the same time.

    Args:
        speed: seconds of the Space in a real one. Only 1 is fair: other programs cannot be told to live faster.
        last_seconds: how long others may go on after the end of the Space, in real seconds.
    """

    def scene_for(recorder: Recorder) -> Scene:
        return storm(seed, seconds, f"storm-{seed}-{recorder.tool.rpartition('/')[2]}")[0]

    troubles = storm(seed, seconds, "storm")[1]
    return compete(scene_for, speed=speed, last_seconds=last_seconds, say=say), troubles


def compete(
    scene_for: Callable[[Recorder], Scene], *, speed: float, last_seconds: float = LAST_SECONDS, say: Say
) -> list[Kept]:
    """Each recorder records the live scene that is made for it; results in the order of `RECORDERS`."""
    present = [recorder for recorder in RECORDERS if recorder.is_installed]
    with (
        sandbox(isolated=True, speed=speed) as box,
        tempfile.TemporaryDirectory(prefix="hydrophone-storm-") as name,
        contextlib.ExitStack() as stack,
    ):
        scenes = [(recorder, scene_for(recorder)) for recorder in present]
        for _, scene in scenes:
            box.control.load(scene)
        runs = [
            stack.enter_context(_started(box, recorder, scene, Path(name), speed, last_seconds))
            for recorder, scene in scenes
        ]
        _until_over(runs, say)
        found = {run.recorder.name: _judge(box, run) for run in runs}
    return [found.get(recorder.name) or Kept(recorder=recorder.name) for recorder in RECORDERS]


@contextlib.contextmanager
def _started(
    box: SandboxBox, recorder: Recorder, scene: Scene, base: Path, speed: float, last_seconds: float
) -> Iterator[_Run]:
    folder = base / recorder.name
    folder.mkdir()
    url = box.stream_url(scene.name) or ""
    shown = box.scene(scene.name)
    assert shown.ended_at is not None
    left = (shown.ended_at - box.control.now()).total_seconds() / speed
    last = OUR_LAST_SECONDS if recorder.name == HYDROPHONE else last_seconds
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(  # noqa: S603 - fixed command lines
            recorder.command(box, scene.name, url),
            cwd=folder,
            env=environment(box, folder),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield _Run(recorder, scene, folder, process, time.monotonic() + left + last)
        finally:
            process.kill()
            process.wait()


def _until_over(runs: Sequence[_Run], say: Say) -> None:
    waiting = list(runs)
    while waiting:
        for run in tuple(waiting):
            if run.process.poll() is not None:
                waiting.remove(run)
                say(f"{run.recorder.name} is done")
            elif time.monotonic() > run.ends_at + 15.0:
                run.process.kill()
            elif time.monotonic() > run.ends_at and not run.was_stopped:
                run.was_stopped = True
                say(f"{run.recorder.name} does not notice that it is over, and is stopped")
                run.process.send_signal(signal.SIGTERM if sys.platform == "win32" else signal.SIGINT)
        time.sleep(0.1)


# ---------------------------------------------------------------- what it came to


def _judge(box: SandboxBox, run: _Run) -> Kept:
    truth = [frame[ADTS_HEADER:] for frame in box.true_frames(run.scene.name)]
    kept = [frame[ADTS_HEADER:] for frame in _written(run.folder)]
    numbers = {payload: number for number, payload in enumerate(truth)}
    order = [numbers[payload] for payload in kept if payload in numbers]
    held = set(order)
    code = run.process.returncode
    return Kept(
        recorder=run.recorder.name,
        version=_version(run.recorder),
        frames_offered=len(truth),
        frames_kept=len(held),
        frames_twice=len(order) - len(held),
        is_in_order=order == sorted(order),
        exit_code=code,
        says_complete=_says_complete(run, code),
        was_stopped=run.was_stopped,
        strip=_strip(held, len(truth)),
    )


def _written(folder: Path) -> list[bytes]:
    found = [path for name in ("original.aac", "out.aac") for path in sorted(folder.rglob(name))]
    return frames_of(found[0].read_bytes()) if found else []


def _says_complete(run: _Run, code: int) -> bool:
    """Exit code 0 is all that others say. Ours must have said so in words as well."""
    if run.recorder.name != HYDROPHONE:
        return code == 0
    lines = (run.folder / "said").read_text(encoding="utf-8", errors="replace").splitlines()
    events = [json.loads(line) for line in lines if line.startswith("{")]
    results = [event["result"] for event in events if event.get("event") == "outcome"]
    return code == 0 and results[-1:] == ["complete"]


def _strip(held: set[int], count: int) -> str:
    letters = []
    for column in range(min(STRIP, count)):
        first, end = column * count // STRIP, max((column + 1) * count // STRIP, column * count // STRIP + 1)
        share = sum(number in held for number in range(first, end)) / (end - first)
        letters.append("#" if share == 1.0 else "." if share == 0.0 else "+")
    return "".join(letters)


def _version(recorder: Recorder) -> str:
    if recorder.name == HYDROPHONE:
        return __version__
    said = subprocess.run(  # noqa: S603 - fixed command lines
        [recorder.tool, recorder.version_flag], capture_output=True, text=True, check=False
    )
    words = (said.stdout or said.stderr).split()
    return next((word for word in words if word[:1].isdigit()), "unknown")
