"""Measures one replay recorded by Hydrophone and by whatever peers are installed, in turns, from one sandbox.

The sandbox runs as a process of its own and is warmed up first, so that nobody pays for making the audio. Programs take
turns and the order is turned around each round, so that a busy machine hurts all alike. Wall and CPU seconds are of the
program with its children; frames are counted in what it wrote.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hydrophone.audio import scan_adts
from hydrophone.testing import SandboxBox, sandbox

RESULTS = Path(__file__).parent / "results"
Command = Callable[[SandboxBox, str, Path], list[str]]


@dataclass(frozen=True, slots=True)
class Run:
    """One program's run. `frames` is None where they cannot be counted in its output."""

    wall_seconds: float
    cpu_seconds: float
    exit_code: int
    frames: int | None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", default="ended-two-hours")
    parser.add_argument("--rounds", type=int, default=5)
    told = parser.parse_args()
    programs = {name: command for name, command in PROGRAMS.items() if is_installed(name)}
    absent = sorted(PROGRAMS.keys() - programs.keys())
    print(f"programs: {', '.join(programs)}" + (f"; not installed: {', '.join(absent)}" if absent else ""))
    with sandbox(told.scene, isolated=True) as box:
        offered = len(box.true_frames(told.scene))
        for name, command in programs.items():
            measure(box, told.scene, command)
            print(f"warmed up: {name}")
        runs = {name: [] for name in programs}
        for name in turns(list(programs), told.rounds):
            runs[name].append(measure(box, told.scene, programs[name]))
    report(runs, offered)
    save(runs, offered, told.scene)
    return 0


def turns(names: list[str], rounds: int) -> Iterator[str]:
    """Each name once a round, forwards and backwards in turn."""
    for number in range(rounds):
        yield from names if number % 2 == 0 else reversed(names)


def measure(box: SandboxBox, scene: str, command: Command) -> Run:
    """Run a program in an empty folder and take its time."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        done = subprocess.run(
            command(box, scene, folder),
            cwd=folder,
            env={
                **os.environ,
                "HYDROPHONE_SANDBOX": box.bases["control"],
                "HYDROPHONE_STATE_DIR": str(folder / "state"),
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        wall = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Run(wall, cpu, done.returncode, count_frames(folder))


def point_at(box: SandboxBox, folder: Path) -> dict[str, str]:
    """The environment that leads Hydrophone to the sandbox, without the notes of earlier runs."""
    return {"HYDROPHONE_SANDBOX": box.bases["control"], "HYDROPHONE_STATE_DIR": str(folder / "state")}


def count_frames(folder: Path) -> int | None:
    """The ADTS frames in the raw file that a program left, None if it left something else."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".aac", ".ts", ".mp4", ".m4a") and path.name != "audio.m4a":
            with suppress(ValueError):
                return scan_adts(path.read_bytes()).frames or None
    return None


def hydrophone(box: SandboxBox, scene: str, folder: Path) -> list[str]:
    return [sys.executable, "-m", "hydrophone", "record", "-q", "-P", str(folder), box.scene(scene).id]


def yt_dlp(box: SandboxBox, scene: str, folder: Path) -> list[str]:
    flags = ["--no-config", "-q", "-N", "16", "--fixup", "never", "--hls-prefer-native", "-o", "out.aac"]
    return [sys.executable, "-m", "yt_dlp", *flags, box.stream_url(scene) or ""]


def ffmpeg(box: SandboxBox, scene: str, folder: Path) -> list[str]:
    return ["ffmpeg", "-loglevel", "error", "-y", "-i", box.stream_url(scene) or "", "-c", "copy", "out.aac"]


def streamlink(box: SandboxBox, scene: str, folder: Path) -> list[str]:
    return ["streamlink", "--stream-segment-threads", "10", "-o", "out.aac", box.stream_url(scene) or "", "best"]


PROGRAMS: dict[str, Command] = {"hydrophone": hydrophone, "yt-dlp": yt_dlp, "ffmpeg": ffmpeg, "streamlink": streamlink}


def is_installed(name: str) -> bool:
    if name == "hydrophone":
        return True
    if name == "yt-dlp":
        return subprocess.run([sys.executable, "-c", "import yt_dlp"], capture_output=True, check=False).returncode == 0
    return shutil.which(name) is not None


def report(runs: dict[str, list[Run]], offered: int) -> None:
    """Medians, and how each round of a peer compares with ours."""
    ours = runs["hydrophone"]
    print(f"{'program':12} {'wall s':>8} {'cpu s':>8} {'frames kept':>12} {'exit':>5}  wall and cpu beside ours")
    for name, rows in runs.items():
        wall, cpu = (statistics.median(getattr(row, key) for row in rows) for key in ("wall_seconds", "cpu_seconds"))
        kept = rows[-1].frames
        share = f"{100 * kept / offered:.2f} %" if kept is not None else "unknown"
        pairs = list(zip(rows, ours, strict=True))
        slower = statistics.median(row.wall_seconds / own.wall_seconds for row, own in pairs)
        dearer = statistics.median(row.cpu_seconds / own.cpu_seconds for row, own in pairs)
        print(f"{name:12} {wall:8.2f} {cpu:8.2f} {share:>12} {rows[-1].exit_code:>5}  {slower:.2f}x {dearer:.2f}x")


def save(runs: dict[str, list[Run]], offered: int, scene: str) -> None:
    """Keep the numbers beside those of other days."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / time.strftime("replay-%Y%m%d-%H%M%S.json", time.gmtime())
    rows = {name: [{k: getattr(row, k) for k in Run.__slots__} for row in found] for name, found in runs.items()}
    path.write_text(json.dumps({"scene": scene, "offered_frames": offered, "runs": rows}, indent=1))
    print(f"kept in {path}")


if __name__ == "__main__":
    sys.exit(main())
