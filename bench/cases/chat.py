"""Case h: does a chat cost time in proportion to its messages, and how much memory?"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.peers import ROOT
from bench.stage import Section, Stage, Target

JOB = Path(__file__).parents[1] / "jobs" / "chat_messages.py"
COLUMNS = (
    ("name", "messages", "text"),
    ("take_us", "taking in, µs each", "number"),
    ("merge_us", "merging, µs each", "number"),
    ("write_us", "five transcripts, µs each", "number"),
    ("ratio", "all, of that at the fewest", "ratio"),
    ("log_bytes", "captions.jsonl, MiB", "mib"),
    ("cues", "cues", "text"),
    ("grown_bytes", "memory for merging, MiB", "mib"),
    ("bytes_each", "bytes a message", "number"),
)
LINEAR = 1.5  #: a message may cost so many times what it costs among the fewest
MOST_BYTES = 400  #: of memory for each message, with its share of what was said


def run(stage: Stage) -> list[Section]:
    """All sizes, once each: what is counted is CPU time."""
    stage.say("case h: chat")
    found = []
    for count in (1_000, 10_000) if stage.is_quick else (10_000, 100_000, 1_000_000):
        with tempfile.TemporaryDirectory(prefix="hydrophone-bench-chat-") as folder:
            done = subprocess.run(
                [sys.executable, str(JOB), str(count), folder], cwd=ROOT, capture_output=True, text=True, check=True
            )
        found.append(json.loads(done.stdout))
        stage.say(f"  {count:,}: {done.stdout.strip()}")
    return [section_of(found)]


def section_of(found: Sequence[Mapping[str, Any]]) -> Section:
    """The table of what the job printed for each size, fewest first."""
    rows = [_row(facts) for facts in found]
    for row in rows:
        row["ratio"] = row["all_us"] / rows[0]["all_us"]
    section = Section("A chat of so many messages", COLUMNS, rows)
    section.notes = [
        "The last quarter came by the socket, then the history brought all of them, and those once more; "
        "CPU seconds, one run each.",
        "Memory is what the process grew by until all cues were there, before they were written; "
        "it holds what was said, and 40 bytes for each message.",
    ]
    most = rows[-1]
    section.targets = [
        Target(
            f"linear: a message among {most['name']} costs at most {LINEAR:g} times one among {rows[0]['name']}",
            f"{most['ratio']:.2f} times",
            most["ratio"] <= LINEAR,
        ),
        Target(
            f"at most {MOST_BYTES} bytes of memory for each of {most['name']} messages",
            f"{most['bytes_each']:.0f}",
            most["bytes_each"] <= MOST_BYTES,
        ),
    ]
    return section


def _row(facts: Mapping[str, Any]) -> dict[str, Any]:
    count = facts["messages"]
    costs = {f"{step}_us": facts[f"{step}_seconds"] / count * 1e6 for step in ("take", "merge", "write")}
    grown = facts["merged_bytes"] - facts["before_bytes"]
    return {
        "name": f"{count:,}",
        **costs,
        "all_us": sum(costs.values()),
        "log_bytes": facts["log_bytes"],
        "cues": f"{facts['cues']:,}",
        "grown_bytes": grown,
        "bytes_each": grown / count,
    }
