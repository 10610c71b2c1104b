"""Writes `docs/reliability.md`: what the tests of the fault catalogue measured. Run by `make reliability`.

It runs those tests and reads their reports; no figure on the page comes from anywhere else. ``--page`` only writes the
page again from the last reports, ``--only`` runs one part. The soak is a run of its own (`make soak`), and its last
figures are put beside.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from endurance.catalogue import LISTS, Row, matching, read_catalogue  # noqa: E402

PAGE = ROOT / "docs" / "reliability.md"
RESULTS = ROOT / "bench" / "results"
SOAK = RESULTS / "soak.json"
STORMS = "tests/endurance/test_storms_whole.py"
LONG_STORM = "1:20:4"  #: seed, Spaces, hours of the storm that is too long for every run of the tests
#: What else is run, and counted by its points: kills and injected errors at system calls.
POINTS = tuple(
    f"tests/endurance/test_{name}.py"
    for name in ("syscall_kills", "syscall_errors", "traced_command", "power_cut", "network_namespaces")
)
PARTS = ("scripts", "others", "storms", "points")
SCRIPT_FILES = (*(f"tests/{test.partition('::')[0]}" for test in LISTS.values()), "tests/journeys/test_api_troubles.py")
LIST_TITLES = {
    "live": "While live: the first 22 scripts",
    "cdn": "The CDN, live and replayed",
    "api": "The API, while live",
    "title": "Titles",
}
HEAD = """<!-- Written by docs/reliability.py. Run `make reliability` to make it anew. -->

# Reliability in figures

What is promised stands on [another page](background/reliability.md); here is what a run of the tests found. Every
recording in it goes over real sockets (except where virtual time is named), and what was kept is compared with what the
sandbox offered, payload of frame by payload of frame. *Kept* is the share of the frames that were to be had at all:
where a script withholds a segment for ever, that is a gap which must be told, and exit code 3.
"""

STORM_TEXT = """
A storm is a number of live Spaces that the production code records at once, from the transport's session up, in
virtual time: spells in which the CDN, the API and the disk fail at random, hosts who leave, records that flap. It ends
with seven questions: is each frame that was offered there once and in order; is each absence told and nothing else; is
there nothing that nobody offered; did credentials go to their hosts only; were budgets kept; did every recording end,
with the exit code that fits; are tasks, threads and descriptors what they were. *Broken* counts the answers no.
*Withheld* are segments that nobody ever had.

Most of what a seed costs is work for each segment, so twenty Spaces of four hours cost minutes: every run of the tests
goes through many short storms, and `make hunt` through long ones. A failing seed prints the line that runs it again.
"""
SOAK_TEXT = """
Run at {at} on {system}. Four in five of the Spaces last as long as the soak; the others end after some minutes, are
checked, deleted, and followed by new ones, so descriptors and tasks swing around a level. What a live recording may
grow by is its index (64 bytes a segment) and the ids of its chat.
"""


@dataclass
class Case:
    """One test as it went. `facts` is what it told of itself."""

    id: str
    seconds: float
    outcome: str  #: passed | failed | skipped
    facts: Mapping[str, str] = field(default_factory=dict)

    def number(self, name: str) -> float:
        return float(self.facts.get(name, 0))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--page", action="store_true", help="run nothing; write the page from the last reports")
    parser.add_argument("--only", choices=PARTS, help="run this part alone")
    parser.add_argument("--workers", default="2", help="how many tests run side by side")
    asked = parser.parse_args()
    rows = read_catalogue()
    parts = [] if asked.page else [asked.only] if asked.only else list(PARTS)
    code = max((run(part, rows, asked.workers) for part in parts), default=0)
    cases = [case for part in PARTS if report(part).exists() for case in read_report(report(part))]
    if not cases:
        sys.stderr.write("there is no report yet; run without --page\n")
        return 2
    PAGE.write_text(build(rows, cases, _soak()), encoding="utf-8")
    return code


def report(part: str) -> Path:
    """Where the report of a part lies, in JUnit's form."""
    return RESULTS / f"reliability-{part}.xml"


def run(part: str, rows: Iterable[Row], workers: str) -> int:
    """Run a part of what the page is about. The exit code is pytest's."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    named = {test for row in rows for test in row.tests}
    tests = {
        "scripts": sorted(test for test in named if test.startswith(SCRIPT_FILES)),
        "others": sorted(test for test in named if not test.startswith((STORMS, *POINTS, *SCRIPT_FILES))),
        "storms": [STORMS],
        "points": list(POINTS),
    }[part]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "3600"]
    command += ["-n", workers, "--dist", "loadfile", f"--junitxml={report(part)}", *tests]
    environment = {**os.environ, "HYDROPHONE_STORM": os.environ.get("HYDROPHONE_STORM", LONG_STORM)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def read_report(path: Path) -> list[Case]:
    """The tests of a report in JUnit's form, with what they told."""
    cases = []
    for node in ElementTree.parse(path).iter("testcase"):
        name = f"{node.get('classname', '').replace('.', '/')}.py::{node.get('name', '')}"
        outcome = "passed"
        for child in node:
            if child.tag in ("failure", "error"):
                outcome = "failed"
            elif child.tag == "skipped":
                outcome = "skipped"
        facts = {one.get("name", ""): one.get("value", "") for one in node.iter("property")}
        cases.append(Case(name, float(node.get("time", 0)), outcome, facts))
    return cases


def build(rows: Sequence[Row], cases: Sequence[Case], soak: Mapping[str, Any] | None) -> str:
    """The page."""
    parts = [HEAD, _summary(cases, soak), "## The catalogue\n", _catalogue(rows, cases)]
    parts += ["## Every script\n"]
    for kind, title in LIST_TITLES.items():
        parts += [f"### {title}\n", _scripts(kind, cases)]
    parts += ["## Storms\n", _storms(cases), "## Kills and injected errors\n", _points(cases)]
    parts += ["## Soak\n", _soaked(soak)]
    return "\n".join(parts).rstrip() + "\n"


def _summary(cases: Sequence[Case], soak: Mapping[str, Any] | None) -> str:
    scripts = [case for case in cases if any(case.id.startswith(f"tests/{one}[") for one in LISTS.values())]
    failed = [case.id for case in cases if case.outcome == "failed"]
    facts = [
        ("machine", f"{platform.system()} on {os.cpu_count()} cores, Python {platform.python_version()}"),
        *((f"run of the {part}", _when(part)) for part in PARTS),
        ("page written at commit", _commit()),
        ("tests run", f"{len(cases)}, of which {len(failed)} failed"),
        ("scripts over real sockets", f"{len(scripts)}"),
        ("frames that they could have kept", f"{sum(case.number('frames offered') for case in scripts):,.0f}"),
        ("frames that they kept", f"{sum(case.number('frames kept') for case in scripts):,.0f}"),
    ]
    for case in cases:
        if "most loop lag ms" in case.facts:
            most, usual = (f"{case.number(name):,.0f} ms" for name in ("most loop lag ms", "loop lag p99 ms"))
            facts.append(
                ("event loop beside hostile recordings", f"late by {most} at most, {usual} in 99 of 100 looks")
            )
    if soak is not None:
        facts.append(("soak", soak["at"]))
    notes = [f"- failed: `{name}`" for name in failed]
    return "\n".join([_table(("", ""), facts), *notes])


def _catalogue(rows: Sequence[Row], cases: Sequence[Case]) -> str:
    by_id = {case.id: case for case in cases}
    lines = []
    for row in rows:
        found = [by_id[name] for test in row.tests for name in matching(test, by_id)]
        lines.append((row.id, row.happens, row.promise, str(len(found)), *_figures(found), _held(found)))
    heads = ("row", "what happens", "what is promised", "tests", "kept", "gaps", "exit codes", "seconds", "held")
    return _table(heads, lines, right=(3, 4, 5, 7))


def _scripts(kind: str, cases: Sequence[Case]) -> str:
    found = [case for case in cases if case.id.startswith(f"tests/{LISTS[kind]}[")]
    lines = [(case.id.partition("[")[2][:-1].replace("-", " "), *_figures([case])[:3], _held([case])) for case in found]
    return _table(("script", "kept", "gaps", "exit code", "held"), lines, right=(1, 2, 3))


def _figures(cases: Sequence[Case]) -> tuple[str, str, str, str]:
    """Kept, gaps, exit codes and seconds of some tests together; a dash where none of them tells."""
    told = [case for case in cases if "frames offered" in case.facts]
    seconds = f"{sum(case.seconds for case in cases):.1f}"
    if not told:
        return "–", "–", "–", seconds
    codes = sorted({case.facts["exit code"] for case in told if "exit code" in case.facts})
    gaps = sum(case.number("gaps") for case in told)
    return _share(told), f"{gaps:.0f}", ", ".join(codes) or "–", seconds


def _share(cases: Sequence[Case]) -> str:
    kept = sum(int(case.number("frames kept")) for case in cases)
    offered = sum(int(case.number("frames offered")) for case in cases)
    # Cut, not rounded: 99.999 % is not everything.
    return "–" if not offered else f"{10_000 * kept // offered / 100:g} %"


def _held(cases: Sequence[Case]) -> str:
    if not cases:
        return "not run"
    failed, skipped = (sum(case.outcome == word for case in cases) for word in ("failed", "skipped"))
    if failed:
        return f"**no** ({failed})"
    if skipped:
        return "skipped" if skipped == len(cases) else f"yes, {skipped} skipped"
    return "yes"


def _storms(cases: Sequence[Case]) -> str:
    titles = {
        "test_a_storm_breaks_no_invariant": "small, in every run of the tests",
        "test_a_storm_over_twenty_spaces_breaks_no_invariant": "twenty Spaces, in every run of the tests",
        "test_one_storm_breaks_no_invariant": "twenty Spaces for longer, for this page; in `make hunt` four hours",
    }
    lines = []
    for test, title in titles.items():
        found = [c for c in cases if c.id.startswith(f"{STORMS}::{test}") and c.number("storms")]
        total = {name: sum(case.number(name) for case in found) for name in _STORM_FACTS}
        if not total["storms"]:
            lines.append((title, *("–" for _ in range(9))))
            continue
        shown = [f"{total[name]:,.0f}" for name in _STORM_FACTS[:-1]]
        lines.append((title, *shown, f"{total['cpu seconds'] / total['storms']:.2f}"))
    heads = (
        "storms",
        "seeds",
        "Spaces",
        "hours",
        "segments",
        "withheld",
        "faults",
        "requests",
        "broken",
        "CPU s a seed",
    )
    return _table(heads, lines, right=range(1, 10)) + STORM_TEXT


_STORM_FACTS = (*("storms", "Spaces", "hours", "segments", "withheld", "faults", "requests", "broken", "cpu seconds"),)


def _points(cases: Sequence[Case]) -> str:
    found = [case for case in cases if case.id.startswith(POINTS) or "test_kill_" in case.id]
    lines = []
    for name in sorted({case.id.partition("[")[0] for case in found}):
        own = [case for case in found if case.id.partition("[")[0] == name]
        points, identical, healed = (
            sum(float(value) for case in own for told, value in case.facts.items() if told.endswith(ending))
            for ending in ("points", "identical", "healed")
        )
        points += sum(case.number("power_cuts") for case in own)
        shown = [f"{figure:,.0f}" if points else "–" for figure in (points, identical, healed)]
        test = name.rpartition("::")[2].removeprefix("test_").replace("_", " ")
        lines.append((test, str(len(own)), *shown, _held(own)))
    heads = ("test", "cases", "points", "same bytes at once", "told, then healed", "held")
    return _table(heads, lines, right=(1, 2, 3, 4))


def _soaked(soak: Mapping[str, Any] | None) -> str:
    if soak is None:
        return "Not run here (`make soak`).\n"
    least, most = (value / 2**20 for value in soak["memory"])
    facts = [
        ("live Spaces at once", f"{soak['spaces']}, at {soak['speed']:g} times the clock"),
        ("minutes", f"{soak['minutes']:g}"),
        ("recordings", f"{soak['recordings']:,}"),
        ("recorded hours", f"{soak['recorded_hours']:,}"),
        ("frames kept", f"{soak['frames_kept']:,} of {soak['frames_offered']:,}"),
        ("memory after the warm-up", f"{least:.0f} to {most:.0f} MiB"),
        ("growth for each recorded hour", f"{soak['growth_bytes_per_recorded_hour'] / 1024:.0f} KiB"),
        *((name, f"{soak[name][0]} to {soak[name][1]}") for name in ("descriptors", "tasks", "threads")),
        ("CPU for each recorded minute", f"{1000 * soak['cpu_seconds'] / (60 * soak['recorded_hours']):.1f} ms"),
        ("problems", "; ".join(soak["problems"]) or "none"),
    ]
    return _table(("", ""), facts) + SOAK_TEXT.format(**soak)


def _soak() -> Mapping[str, Any] | None:
    if not SOAK.exists():
        return None
    found: Mapping[str, Any] = json.loads(SOAK.read_text(encoding="utf-8"))
    return found


def _when(part: str) -> str:
    path = report(part)
    return f"{datetime.fromtimestamp(path.stat().st_mtime, UTC):%Y-%m-%d %H:%M} UTC" if path.exists() else "not run"


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]], *, right: Iterable[int] = ()) -> str:
    rule = ["---:" if number in set(right) else "---" for number in range(len(heads))]
    rows = [heads, rule, *([cell.replace("|", "\\|") for cell in line] for line in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


if __name__ == "__main__":
    sys.exit(main())
