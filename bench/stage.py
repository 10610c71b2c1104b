"""What every case is given, and the form in which it answers."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.measuring import Program, Run, paired_ratio, row_of
from bench.peers import ROOT, Peers


@dataclass(frozen=True, slots=True)
class Stage:
    """The tools of a case. `is_quick` asks for the shortest run that still goes through everything.

    `most_spaces` bounds how many live Spaces are recorded at once, `most_hours` the length of ended ones in the race.
    """

    peers: Peers
    files: Path
    work: Path
    is_quick: bool
    rounds: int
    say: Callable[[str], None]
    most_spaces: int = 2000
    most_hours: float = 8.0


@dataclass(frozen=True, slots=True)
class Target:
    """What was to be reached. `found` is the same in words; `is_met` None where it could not be measured."""

    text: str
    found: str
    is_met: bool | None


@dataclass(slots=True)
class Section:
    """One table. `rows` are mappings; `columns` names (key, heading, form) for the page; the first row is ours."""

    title: str
    columns: Sequence[tuple[str, str, str]]
    rows: list[dict[str, Any]]
    notes: list[str] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


#: For cases that run programs in turns.
RACE_COLUMNS = (
    ("name", "program", "text"),
    ("wall_seconds", "seconds", "seconds"),
    ("wall_ratio", "times ours", "ratio"),
    ("cpu_seconds", "CPU s", "seconds"),
    ("cpu_ratio", "times ours", "ratio"),
    ("peak_bytes", "peak MiB", "mib"),
    ("kept_share", "frames kept", "share"),
    ("runs", "runs", "text"),
)


def race_rows(programs: Sequence[Program], runs: Mapping[str, Sequence[Run]]) -> list[dict[str, Any]]:
    """Medians of all, and how many times ours each is (ours is the first program; medians over rounds of pairs)."""
    ours = runs[programs[0].name]
    rows = []
    for program in programs:
        own = runs[program.name]
        row = row_of(program, own)
        row["wall_ratio"] = paired_ratio(own, ours, "wall_seconds")
        row["cpu_ratio"] = paired_ratio(own, ours, "cpu_seconds")
        row["peak_ratio"] = paired_ratio(own, ours, "peak_bytes")
        row["kept_share"] = row["kept"] / row["offered"] if row["offered"] else None
        rows.append(row)
    return rows


def ratio_target(text: str, rows: Sequence[Mapping[str, Any]], name: str, key: str, at_least: float) -> Target:
    """Is the program `name` at least so many times ours?"""
    row = next((row for row in rows if row["name"] == name), None)
    if row is None:
        return Target(text, "the peer was not there", None)
    return Target(text, f"{row[key]:.2f} times", row[key] >= at_least)


def most_target(text: str, value: float, most: float, unit: str) -> Target:
    """Is a figure at most so much?"""
    return Target(text, f"{value:.3g} {unit}".strip(), value <= most)


# ---------------------------------------------------------------- the machine

#: Habits of a development machine that a user does not have. Without compiled files, half of a start is compiling.
HABITS = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONDEVMODE", "PYTHONASYNCIODEBUG", "PYTHONOPTIMIZE")


def leave_habits() -> None:
    """Take out of the environment what would make Python programs slower here than at a user's."""
    for name in [*HABITS, *(name for name in os.environ if name.startswith("HYDROPHONE_"))]:
        os.environ.pop(name, None)


def machine(peers: Peers) -> dict[str, Any]:
    """What the figures were measured on, and with which versions."""
    return {
        "at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "memory_gib": round(_memory_bytes() / 2**30, 1),
        "system": f"{platform.system()} {platform.release().split('-')[0]}, {_distribution()}",
        "python": platform.python_version(),
        "commit": _commit(),
        "versions": {name: peers.version(name) for name in ("ffmpeg", "yt-dlp", "streamlink", "curl", "nginx")}
        | {"aiohttp": _version_of("aiohttp"), "av": _version_of("av")},
    }


def loop_seconds() -> float:
    """How long this machine takes right now for a fixed piece of work, so that its moods show beside the figures."""
    began = time.perf_counter()
    total = 0
    for number in range(2_000_000):
        total += number
    return time.perf_counter() - began


def _version_of(package: str) -> str:
    from importlib.metadata import version

    return version(package)


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    changed = subprocess.run(
        ["git", "status", "--porcelain", "src"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return (done.stdout.strip() or "unknown") + (" with changes" if changed.stdout.strip() else "")


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _memory_bytes() -> int:
    if sys.platform == "win32":
        return 0
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _distribution() -> str:
    try:
        facts = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    except OSError:
        return platform.platform()
    return str(json.loads(facts["PRETTY_NAME"]))
