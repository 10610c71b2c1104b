"""Case e: how long it takes until something is said."""

from __future__ import annotations

import http.client
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.bed import Bed, made
from bench.material import space
from bench.measuring import Program, in_turns, median
from bench.stage import RACE_COLUMNS, Section, Stage, most_target, race_rows

VERSION, HELP, INFO = "hydrophone --version", "hydrophone --help", "hydrophone info"
BARE = "python -c pass (floor)"


def run(stage: Stage) -> list[Section]:
    """All start-ups."""
    stage.say("case e: start-up")
    rounds = 3 if stage.is_quick else max(15, stage.rounds)
    scene = space(0.25)
    with made(stage.files, stage.work, scenes=[scene], origin="sandbox", say=stage.say) as bed:
        link = bed.box.link(scene.name)
        nowhere = bed.environment(Path("/nonexistent"))
        programs = [
            Program(VERSION, lambda folder: ours("--version"), environment=nowhere),
            Program(HELP, lambda folder: ours("--help"), environment=nowhere),
            Program(INFO, lambda folder: in_bed(bed, folder, "info", link)),
            Program(f"{INFO}, again", lambda folder: in_bed(bed, stage.work / "kept-state", "info", link)),
            Program(BARE, lambda folder: [sys.executable, "-c", "pass"]),
        ]
        for name, flag in (("yt-dlp", "--version"), ("streamlink", "--version"), ("ffmpeg", "-version")):
            if stage.peers.has(name):
                programs.append(Program(f"{name} {flag}", always(stage.peers.paths[name], flag)))
        runs = in_turns(programs, stage.work / "runs", rounds=rounds, say=lambda text: None)
        answer = median(_answer_seconds(bed, stage, link) for _ in range(5))
    rows = race_rows(programs, runs)
    section = Section("Start-up", RACE_COLUMNS, rows)
    wall: dict[str, float] = {row["name"]: row["wall_seconds"] for row in rows}
    section.notes.append(
        f"`info` asks the sandbox {answer * 1000:.0f} ms worth of questions ({answer / wall[INFO]:.2f} of its time); "
        "*again* has the guest token of an earlier run."
    )
    section.targets = [
        most_target("`--version` in at most 150 ms", wall[VERSION] * 1000, 150.0, "ms"),
        most_target("`info` adds at most 300 ms to the server's answers", (wall[INFO] - answer) * 1000, 300.0, "ms"),
    ]
    return [section]


def ours(*arguments: str) -> list[str]:
    """The installed command where there is one."""
    script = Path(sys.executable).with_name("hydrophone")
    return [str(script), *arguments] if script.exists() else [sys.executable, "-m", "hydrophone", *arguments]


def always(*command: str) -> Callable[[Path], Sequence[str]]:
    """The same command in every folder."""
    return lambda folder: command


def in_bed(bed: Bed, folder: Path, *arguments: str) -> Sequence[str]:
    """The same, talking to the bed."""
    return ["env", *(f"{name}={value}" for name, value in bed.environment(folder).items()), *ours(*arguments)]


def _answer_seconds(bed: Bed, stage: Stage, link: str) -> float:
    """How long the server takes for what `info` asks: the same requests, sent again one after the other."""
    import subprocess

    since = max((note["number"] for note in bed.box.control.requests()), default=0) + 1
    with_state = in_bed(bed, stage.work / f"state-{time.monotonic_ns()}", "info", link)
    subprocess.run(list(with_state), stdout=subprocess.DEVNULL, check=True)
    notes: list[dict[str, Any]] = bed.box.control.requests(since=since)
    total = 0.0
    for note in notes:
        parts = urlsplit(bed.box.bases[note["service"]])
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        headers = {name: value for name, value in note["headers"] if name.lower() != "host"}
        began = time.perf_counter()
        query = f"?{note['query']}" if note["query"] else ""
        connection.request(note["method"], note["path"] + query, headers=headers)
        connection.getresponse().read()
        total += time.perf_counter() - began
        connection.close()
    return total
