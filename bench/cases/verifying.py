"""Case f: is an item of hours as it was written? Beside ``sha256sum -c``, which can say less."""

from __future__ import annotations

import os
import shutil
import sys

from bench.cases.packaging import recorded
from bench.measuring import Program, in_turns
from bench.stage import RACE_COLUMNS, Section, Stage, race_rows

OURS, DEEP, SUMS = "hydrophone verify", "hydrophone verify --deep", "sha256sum -c"


def run(stage: Stage) -> list[Section]:
    """8 h, or a quarter of one where it must be quick."""
    hours = 0.25 if stage.is_quick else 8.0
    title = f"Verifying an item of {hours:g} h"
    stage.say(f"case f: {title}")
    with recorded(stage, hours) as (_, _, item):
        size = sum(path.stat().st_size for path in item.rglob("*") if path.is_file())
        ours = [sys.executable, "-m", "hydrophone", "verify", str(item)]
        nothing = {"HYDROPHONE_CONFIG": os.devnull, "HYDROPHONE_STATE_DIR": str(item.parent / "state")}
        programs = [
            Program(OURS, lambda folder: ours, environment=nothing),
            Program(DEEP, lambda folder: [*ours, "--deep"], environment=nothing),
        ]
        if shutil.which("sha256sum"):
            check = f"cd '{item}' && sha256sum --check --quiet manifest-sha256.txt"
            programs.append(Program(SUMS, lambda folder: ["sh", "-c", check]))
        runs = in_turns(programs, stage.work / "runs", rounds=stage.rounds, say=stage.say, warm_up=not stage.is_quick)
    section = Section(title, RACE_COLUMNS, race_rows(programs, runs))
    section.notes.append(
        f"{size / 1e6:.0f} MB in the item. `verify` also reads the journal and checks that each segment fits it."
    )
    return [section]
