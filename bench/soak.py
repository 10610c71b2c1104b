"""Records many live Spaces for a long time and watches what the process holds: memory, descriptors, tasks, threads.

``make soak`` runs fifty Spaces at ten times the clock for half an hour, which is 250 recorded hours. Four in five last
as long as the soak; each of the others ends after a while, is checked against what the sandbox offered, deleted, and
followed by a new one. A second process checks, so that its memory is not taken for the recorder's. The figures go to
``bench/results/soak.json`` for the page of reliability.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import resource
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hydrophone.app import AsyncHydrophone, options_of
from hydrophone.audio import scan_adts
from hydrophone.recorder.events import Result
from hydrophone.recorder.options import Patience
from hydrophone.sandbox.scene import Scene
from hydrophone.settings import Settings
from hydrophone.testing.box import SandboxBox, sandbox
from hydrophone.testing.control import ControlRoom

THIS = Path(__file__).resolve()
RESULTS = THIS.parent / "results" / "soak.json"
SHORT_SECONDS = (240.0, 480.0, 720.0)  #: lengths of the Spaces that come and go, in their own seconds
WARM = 0.4  #: of the time; what a process grows by before then is its beginning
SEGMENT_SECONDS = 3.0
#: What a live recording may add for each hour of it. Its 1,200 rows of the index take 57 KiB, and the ids of the 8,900
#: messages of its chat 130 to 200 KiB; the rest is for what an allocator keeps.
MOST_PER_HOUR = 400 * 1024
#: Fifty chats of hours are read when all Spaces end in the same moment, and the sandbox answers everybody in turn.
CONTROL_SECONDS = 600.0
PATIENCE = Patience(settle_looks=8, late_look=20.0, replay_every=20.0, replay_for=60.0, chat_looks=(10.0,))


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process held at a moment; `at` is real seconds since the beginning."""

    at: float
    memory_bytes: int
    descriptors: int
    tasks: int
    threads: int
    lag_seconds: float


@dataclass
class Soak:
    """How it went. `problems` is empty when all was as promised."""

    spaces: int
    speed: float
    minutes: float
    samples: list[Sample] = field(default_factory=list)
    recordings: int = 0
    frames_offered: int = 0
    frames_kept: int = 0
    cpu_seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    @property
    def recorded_hours(self) -> float:
        return self.frames_kept * 1024 / 48_000 / 3600

    def settled(self) -> list[Sample]:
        """The samples after the warm-up and before the end."""
        end = self.minutes * 60
        return [sample for sample in self.samples if WARM * end <= sample.at <= end] or self.samples

    def growth_per_hour(self) -> float:
        """Bytes of memory that an hour of recording has added, after the warm-up: the slope through the samples."""
        found = self.settled()
        if len(found) < 3:
            return 0.0
        fit = statistics.linear_regression([sample.at for sample in found], [sample.memory_bytes for sample in found])
        return fit.slope * 3600 / (self.spaces * self.speed)

    def spread(self, name: str) -> tuple[int, int]:
        """The least and the most of a figure after the warm-up."""
        found = [int(getattr(sample, name)) for sample in self.settled()]
        return min(found), max(found)

    def as_json(self) -> dict[str, Any]:
        lags = sorted(sample.lag_seconds for sample in self.samples)
        own = {name: value for name, value in asdict(self).items() if name not in ("samples", "problems")}
        return {
            **own,
            "recorded_hours": round(self.recorded_hours, 2),
            "growth_bytes_per_recorded_hour": round(self.growth_per_hour()),
            "memory": self.spread("memory_bytes"),
            "descriptors": self.spread("descriptors"),
            "tasks": self.spread("tasks"),
            "threads": self.spread("threads"),
            "lag_seconds": {"median": statistics.median(lags), "most": lags[-1]},
            "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "problems": self.problems,
            "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            "system": f"{platform.system()}, Python {platform.python_version()}, {os.cpu_count()} cores",
            "samples": [asdict(sample) for sample in self.samples],
        }


def run(spaces: int, speed: float, minutes: float) -> Soak:
    """Soak, and check all that was recorded."""
    soak = Soak(spaces, speed, minutes)
    began = time.process_time()
    with sandbox(isolated=True, speed=speed) as box, tempfile.TemporaryDirectory(prefix="hydrophone-soak-") as name:
        box = replace(box, control=ControlRoom(box.bases["control"], timeout_seconds=CONTROL_SECONDS))
        box.control.switch(
            limits=dict.fromkeys(("guest", "AudioSpaceById", "live_video_stream/status", "broadcasts/show"), 1_000_000)
        )
        asyncio.run(_soak(box, Path(name), soak))
    soak.cpu_seconds = time.process_time() - began
    _look_for_growth(soak)
    return soak


async def _soak(box: SandboxBox, folder: Path, soak: Soak) -> None:
    settings = Settings(
        provider="sandbox",
        sandbox=box.bases["control"],
        archive=folder / "archive",
        state_dir=folder / "state",
        poll_seconds=60.0,
    )
    async with AsyncHydrophone(settings) as hydrophone, _checker(box) as checker:
        watching = asyncio.create_task(_watch(soak))
        short = max(1, soak.spaces // 5)
        until = time.monotonic() + soak.minutes * 60
        async with asyncio.TaskGroup() as group:
            for number in range(soak.spaces):
                group.create_task(_one(hydrophone, box, checker, soak, number, until, is_short=number < short))
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    left = len(asyncio.all_tasks()) - 1
    if left:
        soak.problems.append(f"{left} tasks are left over")


async def _one(
    hydrophone: AsyncHydrophone,
    box: SandboxBox,
    checker: _Checker,
    soak: Soak,
    number: int,
    until: float,
    *,
    is_short: bool,
) -> None:
    """One place of the fifty: a Space for the whole time, or short ones in a row."""
    take = 0
    while (left := (until - time.monotonic()) * soak.speed) > 30.0 or not take:
        length = min(SHORT_SECONDS[(number + take) % 3], left) if is_short else left
        length = max(30.0, length // SEGMENT_SECONDS * SEGMENT_SECONDS)
        scene = Scene.live(f"soak-{number}-{take}", seconds=length, since=6.0)
        await asyncio.to_thread(box.control.load, scene)
        options = replace(options_of(hydrophone.settings), patience=PATIENCE)
        (outcome,) = await hydrophone.record(f"https://x.com/i/spaces/{scene.id}", options=options)
        soak.recordings += 1
        if outcome.result is Result.COMPLETE and outcome.directory is not None:
            told = await checker.check(scene.name, outcome.directory)
            soak.frames_offered += told["offered"]
            soak.frames_kept += told["kept"]
            soak.problems += told["problems"]
        else:
            soak.problems.append(f"{scene.name}: {outcome.result.value}, {outcome.error}")
        if outcome.directory is not None:
            await asyncio.to_thread(shutil.rmtree, outcome.directory)
        take += 1


# ---------------------------------------------------------------- what was kept, looked at by a process of its own


class _Checker:
    """A second process, which reads whole recordings: `serve_checks`. One at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()

    async def check(self, scene: str, directory: Path) -> dict[str, Any]:
        question, answer = self._process.stdin, self._process.stdout
        assert question is not None
        assert answer is not None
        async with self._turn:
            question.write(json.dumps([scene, str(directory)]).encode() + b"\n")
            await question.drain()
            told: dict[str, Any] = json.loads(await answer.readline())
        return told


@asynccontextmanager
async def _checker(box: SandboxBox) -> AsyncIterator[_Checker]:
    command = (sys.executable, "-P", str(THIS), "--checks", json.dumps(dict(box.bases)))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    try:
        yield _Checker(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


def serve_checks(bases: dict[str, str]) -> int:
    """Answer each line, a scene and the directory of its recording, with a line of what was found."""
    box = SandboxBox(bases, ControlRoom(bases["control"], timeout_seconds=CONTROL_SECONDS))
    for line in sys.stdin:
        scene, directory = json.loads(line)
        sys.stdout.write(json.dumps(_check(box, box.scene(scene), Path(directory))) + "\n")
        sys.stdout.flush()
    return 0


def _check(box: SandboxBox, scene: Scene, directory: Path) -> dict[str, Any]:
    """What was kept is held against the ledger: by number of frames, and short Spaces frame by frame."""
    problems: list[str] = []
    offered = box.ledger(scene.name, with_digests=False)["frames"]
    body = (directory / "original.aac").read_bytes()
    scan = scan_adts(body)
    if scan.frames != offered:
        problems.append(f"{scene.name}: {scan.frames} frames of {offered}")
    if (scene.seconds or 0) <= SHORT_SECONDS[0]:
        frames = b"".join(body[at : at + size] for at, size in _places(scan.runs, scan.frame_sizes))
        if frames != b"".join(box.true_frames(scene.name)):
            problems.append(f"{scene.name}: other frames than were offered")
    return {"offered": offered, "kept": scan.frames, "problems": problems}


def _places(runs: Sequence[tuple[int, int]], sizes: Sequence[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for offset, count in runs:
        for size in sizes[len(found) : len(found) + count]:
            found.append((offset, size))
            offset += size
    return found


# ---------------------------------------------------------------- what the process holds


async def _watch(soak: Soak) -> None:
    began = time.monotonic()
    pause = min(5.0, max(0.5, soak.minutes * 60 / 40))
    while True:
        due = time.monotonic() + pause
        await asyncio.sleep(pause)
        soak.samples.append(
            Sample(
                at=round(time.monotonic() - began, 2),
                memory_bytes=_memory(),
                descriptors=len(os.listdir("/proc/self/fd")),  # noqa: PTH208
                tasks=len(asyncio.all_tasks()),
                threads=threading.active_count(),
                lag_seconds=round(max(0.0, time.monotonic() - due), 4),
            )
        )


def _memory() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def _look_for_growth(soak: Soak) -> None:
    growth = soak.growth_per_hour()
    if soak.minutes >= 10 and growth > MOST_PER_HOUR:
        soak.problems.append(f"memory grew by {growth / 1024:.0f} KiB for each recorded hour")
    for name in ("descriptors", "tasks", "threads"):
        found = soak.settled()
        half = len(found) // 2
        if half >= 20:
            # Connections come and go with the load: it is the least of them that a leak raises.
            early = min(getattr(sample, name) for sample in found[:half])
            late = min(getattr(sample, name) for sample in found[half:])
            if late > 1.2 * early + soak.spaces / 5:
                soak.problems.append(f"{name} grew from {early} to {late}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spaces", type=int, default=50)
    parser.add_argument("--speed", type=float, default=10.0)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--checks", type=json.loads, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.checks is not None:
        return serve_checks(asked.checks)
    if sys.platform != "linux":
        sys.stderr.write("the soak reads /proc, which only Linux has\n")
        return 2
    soak = run(asked.spaces, asked.speed, asked.minutes)
    facts = soak.as_json()
    asked.results.parent.mkdir(parents=True, exist_ok=True)
    asked.results.write_text(json.dumps(facts, indent=1), encoding="utf-8")
    sys.stdout.write(json.dumps({name: value for name, value in facts.items() if name != "samples"}, indent=1) + "\n")
    return 1 if soak.problems else 0


if __name__ == "__main__":
    sys.exit(main())
