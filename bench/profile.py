"""Says where the time goes: runs one case of ours under a sampler and books CPU time on functions, packages, threads.

``python bench/profile.py replay|far|live|phases|imports [--hours H] [--spaces N] [--lines]``. The sampler costs a few
percent and rounds where C functions hold the interpreter. `imports` is exact (``-X importtime``), with imports counted
for whoever asked first; `phases` records several times in one process and shows the least that each phase took.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# See run.py; here it also keeps this file from being taken for the standard library's `profile`.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench import peers  # noqa: E402
from bench.bed import made  # noqa: E402
from bench.cases.live import OURS, measure_live  # noqa: E402
from bench.cases.replay import HALF_TRIP  # noqa: E402
from bench.main import BUILD, say  # noqa: E402
from bench.material import space  # noqa: E402
from bench.measuring import Program, describe, measure, scratch  # noqa: E402
from bench.stage import Stage, leave_habits  # noqa: E402

SAMPLER = Path(__file__).parent / "jobs" / "sampled.py"
SHOWN = 40
Used = list[tuple[float, str, list[tuple[str, str, int]]]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench/profile.py", description=__doc__)
    parser.add_argument("case", choices=("replay", "far", "live", "phases", "imports"))
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--spaces", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30.0, help="of live recording")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--lines", action="store_true", help="name lines instead of functions")
    told = parser.parse_args()
    leave_habits()
    if told.case == "imports":
        return _imports()
    found = peers.find(install=False, say=say)
    stage = Stage(found, BUILD / "files", BUILD / "work" / str(os.getpid()), False, 1, say)
    if told.case == "phases":
        return _phases(stage, told.hours, told.connections)
    out = BUILD / "profile.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    start = (sys.executable, str(SAMPLER), str(out))
    if told.case == "live":
        steady = measure_live(stage, OURS, told.spaces, told.seconds, start=start, mark=_mark)
        each = steady.cpu_seconds / steady.seconds / told.spaces
        say(f"{each * 60_000:.1f} ms CPU per recorded minute (sampler included)")
    else:
        _replay(stage, told.hours, HALF_TRIP if told.case == "far" else 0.0, told.connections, start)
    report(json.loads(out.read_text()), with_lines=told.lines)
    return 0


def _replay(stage: Stage, hours: float, delay: float, connections: int, start: Sequence[str]) -> None:
    scene = space(hours)
    with made(stage.files, stage.work, scenes=[scene], delay_seconds=delay, say=say) as bed:
        link = bed.box.link(scene.name)
        for first in (peers.US, start):  # once without, for the compiled files and for comparison
            command = peers.hydrophone(bed, link, connections=connections, start=first)
            run = measure(Program("ours", command), stage.work / "runs")
            say(f"{'sampled' if first is start else 'plain'}: {describe(run)}")


def _phases(stage: Stage, hours: float, connections: int) -> int:
    scene = space(hours)
    with (
        made(stage.files, stage.work, scenes=[scene], say=say) as bed,
        scratch(stage.work, "phases") as folder,
    ):
        command = [sys.executable, str(SAMPLER.with_name("phases.py")), bed.box.link(scene.name), "8", str(connections)]
        environment = {**os.environ, **bed.environment(folder)}
        return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


def _mark(pids: Sequence[int]) -> None:
    os.kill(pids[0], signal.SIGUSR1)


def _imports() -> int:
    """The modules whose own import takes longest, of what `hydrophone record` loads before it can begin."""
    code = (
        "import hydrophone.cli.commands.record, hydrophone.cli.progress, hydrophone.app, hydrophone.recorder.recorder"
    )
    every, rows = min(_import_once(code) for _ in range(9))
    say(f"{every / 1000:.0f} ms in {len(rows)} modules (the quickest of 9)")
    packages: Counter[str] = Counter()
    for micros, _, module in rows:
        parts = module.strip().split(".")
        packages["/".join(parts[: 2 if parts[0] == "hydrophone" else 1])] += micros
    say("\nms of its own, by package")
    for package, micros in packages.most_common(36):
        say(f"{micros / 1000:8.1f}  {package}")
    say("\nms of its own, and with what it imports first, by module")
    for micros, total_micros, module in sorted(rows, reverse=True)[:SHOWN]:
        say(f"{micros / 1000:8.1f} {total_micros / 1000:8.1f}  {module.strip()}")
    return 0


def _import_once(code: str) -> tuple[int, list[tuple[int, int, str]]]:
    """Microseconds in all, and for each module its own, those with what it imports, its name."""
    command = [sys.executable, "-X", "importtime", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = []
    for line in done.stderr.splitlines():
        own, _, rest = line.removeprefix("import time:").partition("|")
        total, _, name = rest.partition("|")
        if own.strip().isdigit():
            rows.append((int(own), int(total), name.rstrip()[1:]))
    return sum(micros for micros, _, _ in rows), rows


# ---------------------------------------------------------------- from stacks to a report


def report(facts: dict[str, Any], *, with_lines: bool) -> None:
    """By thread, by package, by function alone, by function with all that it calls."""
    used: Used = facts["stacks"]
    threads: defaultdict[str, float] = defaultdict(float)
    packages, own, whole = threads.copy(), threads.copy(), threads.copy()
    for seconds, thread, stack in used:
        names = [_name(file, function, line if with_lines else 0) for file, function, line in stack]
        threads[thread] += seconds
        own[f"{thread[:6]:6} {names[-1]}"] += seconds
        is_import = any("importlib" in file for file, _, _ in stack)
        packages["importing" if is_import else _package(stack[-1][0])] += seconds
        for name in set(names):
            whole[f"{thread[:6]:6} {name}"] += seconds
    say(f"{sum(threads.values()):.2f} s CPU sampled; {facts['wall_seconds']:.2f} s wall")
    for title, counter, most in (
        ("thread", threads, 8),
        ("package", packages, 16),
        ("function, alone", own, SHOWN),
        ("function, with what it calls", whole, 2 * SHOWN),
    ):
        say(f"\nms CPU by {title}")
        for name, seconds in sorted(counter.items(), key=lambda pair: -pair[1])[:most]:
            say(f"{1000 * seconds:8.0f}  {name}")


def _name(file: str, function: str, line: int) -> str:
    return f"{_short(file)}:{function}" + (f":{line}" if line else "")


def _short(file: str) -> str:
    for mark in ("site-packages/", "/src/", f"python{sys.version_info[0]}.{sys.version_info[1]}/"):
        if mark in file:
            return file.rpartition(mark)[2]
    return file


def _package(file: str) -> str:
    parts = _short(file).split("/")
    return "/".join(parts[:2]) if parts[0] == "hydrophone" else parts[0].removesuffix(".py")


if __name__ == "__main__":
    sys.exit(main())
