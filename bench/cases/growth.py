"""Case g: does time grow with the length, and memory not?"""

from __future__ import annotations

from typing import Any

from bench import kept, peers
from bench.bed import made
from bench.material import space
from bench.measuring import Program, Run, describe, measure, row_of
from bench.stage import Section, Stage, Target

COLUMNS = (
    ("name", "length", "text"),
    ("wall_seconds", "seconds", "seconds"),
    ("wall_per_hour", "seconds for an hour of audio", "seconds"),
    ("time_ratio", "of that at 2 h", "ratio"),
    ("cpu_seconds", "CPU s", "seconds"),
    ("cpu_ratio", "per hour, of that at 2 h", "ratio"),
    ("peak_bytes", "peak MiB", "mib"),
    ("memory_ratio", "of that at 2 h", "ratio"),
    ("kept_share", "frames kept", "share"),
)
LINEAR = 1.25  #: seconds per hour of audio may differ by so much from those at 2 h


def run(stage: Stage) -> list[Section]:
    """All lengths, up and down."""
    lengths = (0.25, 0.5, 1.0) if stage.is_quick else (1.0, 2.0, 4.0, 8.0, 16.0)
    anchor = 0.5 if stage.is_quick else 2.0
    rounds = 1 if stage.is_quick else min(stage.rounds, 2)
    stage.say("case g: growth")
    runs: dict[float, list[Run]] = {hours: [] for hours in lengths}
    for number in range(rounds):
        for hours in lengths if number % 2 == 0 else lengths[::-1]:
            found = _record(stage, hours)
            runs[hours].append(found)
            stage.say(f"  {number + 1}/{rounds} {hours:g} h: {describe(found)}")
    rows = [_row(hours, runs[hours]) for hours in lengths]
    base = next(row for row in rows if row["hours"] == anchor)
    for row in rows:
        row["time_ratio"] = row["wall_per_hour"] / base["wall_per_hour"]
        row["cpu_ratio"] = row["cpu_per_hour"] / base["cpu_per_hour"]
        row["memory_ratio"] = row["peak_bytes"] / base["peak_bytes"]
    section = Section("Growth with the length of an ended Space, no latency, 16 connections", COLUMNS, rows)
    longest = rows[-1]
    section.targets = [
        Target(
            f"linear: an hour of {longest['name']} costs what it costs at {base['name']} (within {LINEAR - 1:.0%})",
            f"{longest['time_ratio']:.2f} of it",
            longest["time_ratio"] <= LINEAR,
        ),
        Target(
            f"peak memory at {longest['name']} at most 10 % above that at {base['name']}",
            f"{(longest['memory_ratio'] - 1) * 100:+.1f} %",
            longest["memory_ratio"] <= 1.10,
        ),
    ]
    return [section]


def _record(stage: Stage, hours: float) -> Run:
    scene = space(hours)
    with made(stage.files, stage.work, scenes=[scene], say=stage.say) as bed:
        export = bed.exports[scene.name]
        command = peers.hydrophone(bed, bed.box.link(scene.name))
        return measure(Program("ours", command, kept.audio_in("audio.m4a", export)), stage.work / "runs")


def _row(hours: float, runs: list[Run]) -> dict[str, Any]:
    row = row_of(Program(f"{hours:g} h", lambda folder: []), runs)
    share = row["kept"] / row["offered"] if row["offered"] else None
    per_hour = {"wall_per_hour": row["wall_seconds"] / hours, "cpu_per_hour": row["cpu_seconds"] / hours}
    return {**row, **per_hour, "hours": hours, "kept_share": share}
