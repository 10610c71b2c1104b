"""Runs commands in turns and says what they cost; medians and ratios."""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

LAUNCHER = Path(__file__).with_name("launch.py")
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one program. `kept` counts the frames that it kept of `offered`, None where nobody counted."""

    wall_seconds: float
    user_seconds: float
    system_seconds: float
    peak_bytes: int
    exit_code: int
    kept: int | None = None
    offered: int | None = None
    trouble: str = ""  #: the last lines of what it complained about, if it failed

    @property
    def cpu_seconds(self) -> float:
        return self.user_seconds + self.system_seconds

    @property
    def is_good(self) -> bool:
        return self.exit_code == 0 and self.kept == self.offered


@dataclass(frozen=True, slots=True)
class Program:
    """A contestant: how to start it, and how to count what it kept.

    `command` gets the empty folder that the program runs in; `count` gets the same folder afterwards. Either may be
    slow: only the command itself is measured.
    """

    name: str
    command: Callable[[Path], Sequence[str]]
    count: Callable[[Path], tuple[int, int]] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    rounds: int | None = None  #: fewer rounds than the others, for those who take minutes
    note: str = ""


def measure(program: Program, workshop: Path, *, seconds: int = 1800) -> Run:
    """Run a program in a new folder below `workshop`, and remove the folder."""
    workshop.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=workshop, prefix="run-") as name:
        folder = Path(name)
        inside = folder / "work"
        inside.mkdir()
        result, complaints = folder / "result", folder / "stderr"
        command = [sys.executable, "-I", "-S", str(LAUNCHER), str(result), str(seconds), *program.command(inside)]
        with complaints.open("wb") as errors:
            launcher = subprocess.Popen(
                command,
                cwd=inside,
                env={**os.environ, **program.environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
            try:
                launcher.wait()
            except BaseException:
                launcher.terminate()
                launcher.wait()
                raise
        if not result.exists():
            raise RuntimeError(f"{program.name} could not be started: {complaints.read_text(errors='replace')}")
        wall, user, system, peak, code = result.read_text().split()
        kept, offered = program.count(inside) if program.count is not None else (None, None)
        trouble = ""
        if int(code) != 0 or kept != offered:
            trouble = complaints.read_text(errors="replace")[-600:]
        return Run(float(wall), float(user), float(system), int(peak), int(code), kept, offered, trouble)


def in_turns(
    programs: Sequence[Program],
    workshop: Path,
    *,
    rounds: int,
    say: Callable[[str], None],
    warm_up: bool = True,
    seconds: int = 1800,
) -> dict[str, list[Run]]:
    """Each program once a round, A B C, C B A, …: a machine that gets busier hurts all alike.

    One round before is not measured. Whoever has fewer rounds of its own is in the first ones, without that one.
    """
    runs: dict[str, list[Run]] = {program.name: [] for program in programs}
    if warm_up:
        for program in programs:
            if program.rounds is None:
                measure(program, workshop, seconds=seconds)
    for number in range(rounds):
        order = programs if number % 2 == 0 else list(reversed(programs))
        for program in order:
            if program.rounds is not None and number >= program.rounds:
                continue
            run = measure(program, workshop, seconds=seconds)
            runs[program.name].append(run)
            say(f"  {number + 1}/{rounds} {program.name}: {describe(run)}")
    return runs


def describe(run: Run) -> str:
    """One line for whoever watches."""
    kept = "" if run.offered is None else f", {run.kept} of {run.offered} frames"
    trouble = f" !! exit code {run.exit_code} {run.trouble.strip()[-200:]}" if not run.is_good else ""
    peak = run.peak_bytes / MIB
    return f"{run.wall_seconds:.2f} s, {run.cpu_seconds:.2f} s CPU, {peak:.0f} MiB{kept}{trouble}"


def row_of(program: Program, runs: Sequence[Run]) -> dict[str, Any]:
    """The medians of a program's runs, ready for JSON; each figure's median is its own."""
    return {
        "name": program.name,
        "note": program.note,
        "runs": len(runs),
        "wall_seconds": median(run.wall_seconds for run in runs),
        "wall_spread": [min(run.wall_seconds for run in runs), max(run.wall_seconds for run in runs)],
        "cpu_seconds": median(run.cpu_seconds for run in runs),
        "peak_bytes": median(run.peak_bytes for run in runs),
        "exit_codes": sorted({run.exit_code for run in runs}),
        "kept": min((run.kept for run in runs if run.kept is not None), default=None),
        "offered": next((run.offered for run in runs if run.offered is not None), None),
        "trouble": next((run.trouble for run in runs if run.trouble), ""),
        "all": [asdict(run) for run in runs],
    }


def paired_ratio(theirs: Sequence[Run], ours: Sequence[Run], key: str) -> float:
    """How many times our figure theirs is: the median over the rounds that both were in."""
    pairs = list(zip(theirs, ours, strict=False))
    return median(getattr(a, key) / getattr(b, key) for a, b in pairs if getattr(b, key))


def median(values: Iterable[float]) -> float:
    """The median; NaN of nothing."""
    found = list(values)
    return statistics.median(found) if found else float("nan")


@contextlib.contextmanager
def scratch(workshop: Path, name: str) -> Iterator[Path]:
    """An empty folder below `workshop` that is gone afterwards."""
    path = workshop / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
