"""Records the same Space several times within one process and says what each phase costs at best.

Usage: ``python phases.py LINK TIMES CONNECTIONS``, in the environment of a bed. The least of several runs is what a
quiet machine would take, so that two states of the code can be compared on a busy one.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

BEGAN = time.process_time()

import hydrophone.cli.commands.record  # noqa: E402
import hydrophone.recorder.recorder  # noqa: E402, F401 - what the command loads
from hydrophone.app import AsyncHydrophone  # noqa: E402
from hydrophone.recorder.events import Event, Finishing, Outcome, Resolved, Started  # noqa: E402
from hydrophone.settings import Settings  # noqa: E402

IMPORTED = time.process_time()
Mark = tuple[str, float, float, float]


def marked(name: str) -> Mark:
    """The name of the phase that begins, and CPU of the process, of this thread, and the wall clock at this moment."""
    return name, time.process_time(), time.thread_time(), time.perf_counter()


async def record(link: str, connections: int, folder: Path) -> list[Mark]:
    marks = [marked("open")]

    def on_event(event: Event) -> None:
        match event:
            case Resolved():
                marks.append(marked("look, find the stream"))
            case Started():
                marks.append(marked("fetch"))
            case Finishing(step=step):
                marks.append(marked(f"finish: {step}"))
            case Outcome(result=result):
                assert result.value == "complete", event
                marks.append(marked("close"))

    settings = Settings.load(archive=folder / "archive", state_dir=folder / "state", connections=connections)
    async with AsyncHydrophone(settings) as engine:
        await engine.record(link, on_event=on_event)
    return [*marks, marked("")]


def main() -> None:
    link, times, connections = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    best: dict[str, list[float]] = defaultdict(lambda: [float("inf")] * 3)
    for _ in range(times):
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
            marks = asyncio.run(record(link, connections, Path(name)))
        spans = [(a[0], [y - x for x, y in zip(a[1:], b[1:], strict=True)]) for a, b in pairwise(marks)]
        spans.append(("all but importing", [y - x for x, y in zip(marks[0][1:], marks[-1][1:], strict=True)]))
        for phase, costs in spans:
            best[phase] = [min(old, new) for old, new in zip(best[phase], costs, strict=True)]
    print(f"{'phase':24} {'CPU ms':>8} {'loop ms':>8} {'wall ms':>8}   (the least of {times})")
    print(f"{'importing':24} {1000 * (IMPORTED - BEGAN):8.0f}")
    for phase, (cpu, thread, wall) in best.items():
        print(f"{phase:24} {1000 * cpu:8.0f} {1000 * thread:8.0f} {1000 * wall:8.0f}")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.0f} MB after {times}")


main()
