"""Writes `docs/benchmarks.md` from what the cases found. Absolute figures stand beside their ratios, never alone."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

CASES: Mapping[str, str] = {
    "a": "Ended audio Spaces",
    "b": "Ended video",
    "c": "Live Spaces",
    "d": "Packaging",
    "e": "Start-up",
    "f": "Verifying",
    "g": "Growth",
    "h": "Chat",
}
HEAD = """<!-- Written by bench/run.py. Run `make bench` to make it anew. -->

# Benchmarks

Hydrophone beside other programs, measured on one machine in turns (A B C, C B A, …): a machine that gets busier hurts
all alike. Seconds are medians and mean nothing on another machine; the ratios do. *Times ours* is the median over the
rounds of how many times our figure theirs was: above 1, ours is the smaller one. Ours comes first in each table.

Everything is served on loopback: by nginx, from files that the sandbox made once, with the sandbox as the API. The
round trip of 40 ms comes from a relay that hands every byte on 20 ms later. *Frames kept* compares each frame's payload
with what was served. Ours always includes what the others leave out: durable writes, counting of frames, journal,
manifest, cover.
"""


def save(results: Path, case: str, facts: Mapping[str, Any]) -> None:
    """Keep what a case found, so that the page can be made of cases that ran at different times."""
    results.mkdir(parents=True, exist_ok=True)
    (results / f"case-{case}.json").write_text(json.dumps(facts, indent=1))


def load(results: Path) -> dict[str, dict[str, Any]]:
    """What is kept, by case."""
    found = {case: results / f"case-{case}.json" for case in CASES}
    return {case: json.loads(path.read_text()) for case, path in found.items() if path.exists()}


def build(found: Mapping[str, Mapping[str, Any]]) -> str:
    """The page."""
    parts = [HEAD]
    if any(facts["is_quick"] for facts in found.values()):
        parts.append("**Some of this comes from a quick run, which only shows that the bench works.**\n")
    parts += ["## Targets\n", _targets(found)]
    for case, title in CASES.items():
        if case in found:
            parts.append(f"## {title}\n")
            parts += [_section(section) for section in found[case]["sections"]]
        else:
            parts.append(
                f"## {title}\n\nNot measured (`make bench` runs all; `bench/run.py --case {case}` this one).\n"
            )
    parts += ["## Machine and versions\n", _machines(found)]
    return "\n".join(parts).rstrip() + "\n"


def _targets(found: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for facts in found.values():
        for section in facts["sections"]:
            for target in section["targets"]:
                verdict = {True: "yes", False: "**no**", None: "not measured"}[target["is_met"]]
                rows.append((section["title"], target["text"], target["found"], verdict))
    return table(("measured in", "target", "found", "met"), rows, right=())


def _section(section: Mapping[str, Any]) -> str:
    headings = [heading for _, heading, _ in section["columns"]]
    rows = [[form_of(row.get(key), form) for key, _, form in section["columns"]] for row in section["rows"]]
    right = [number for number, (_, _, form) in enumerate(section["columns"]) if form != "text"]
    notes = [f"- {note}" for note in section["notes"]]
    notes += [f"- {row['name']}: {row['note']}." for row in section["rows"] if row.get("note")]
    for row in section["rows"]:
        codes = [code for code in row.get("exit_codes", ()) if code]
        if codes:
            notes.append(f"- {row['name']} ended with exit code {', '.join(map(str, codes))}.")
    return f"### {section['title']}\n\n{table(headings, rows, right=right)}\n" + "\n".join(notes) + "\n"


def form_of(value: Any, form: str) -> str:
    """A figure as the page shows it."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    match form:
        case "seconds":
            return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"
        case "ratio":
            return f"{value:.2f}" if value < 10 else f"{value:.1f}"
        case "number":
            return f"{value:.1f}" if value < 100 else f"{value:,.0f}"
        case "mib":
            return f"{value / 2**20:.0f}"
        case "share":
            return f"{100 * value:.2f} %" if 0 < value < 1 else f"{100 * value:.0f} %"
    return str(value)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int]) -> str:
    """A table in Markdown."""
    rule = ["---:" if number in right else "---" for number in range(len(headings))]
    lines = [headings, rule, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _machines(found: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for case, facts in found.items():
        machine = facts["machine"]
        drift = facts["loop_seconds"]
        rows.append(
            (
                CASES[case],
                machine["at"],
                f"{machine['cores']} cores, {machine['cpu']}, {machine['memory_gib']} GiB",
                f"{machine['system']}, Python {machine['python']}",
                machine["commit"],
                f"{max(drift) / min(drift):.2f}",
            )
        )
    text = table(("case", "when", "machine", "system", "commit", "unrest"), rows, right=[5])
    versions: Mapping[str, str] = next((facts["machine"]["versions"] for facts in found.values()), {})
    lines = [f"- {name} {version}" for name, version in versions.items()]
    return (
        f"{text}\n*Unrest* is how much the time for a fixed loop differed while the case ran: 1.00 is a quiet machine, "
        "and with 1.5 even ratios are rough.\n\n" + "\n".join(lines) + "\n"
    )
