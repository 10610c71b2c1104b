"""The command line of the bench: which cases, how thoroughly, and where the page goes."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import page, peers
from bench.cases import chat, growth, live, packaging, replay, startup, verifying
from bench.material import forget
from bench.measuring import scratch
from bench.peers import ROOT
from bench.stage import Section, Stage, leave_habits, loop_seconds, machine

RESULTS = Path(__file__).parent / "results"
BUILD = ROOT / "build" / "bench"
PAGE = ROOT / "docs" / "benchmarks.md"
RUNS: dict[str, Callable[[Stage], list[Section]]] = {
    "a": replay.run_audio,
    "b": replay.run_video,
    "c": live.run,
    "d": packaging.run,
    "e": startup.run,
    "f": verifying.run,
    "g": growth.run,
    "h": chat.run,
}

VERDICTS = {True: "met:", False: "MISSED:", None: "not measured:"}


def say(text: str) -> None:
    """To whoever watches."""
    print(text, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases and write the page; the exit code says whether all went through, not whether targets were met."""
    told = _parser().parse_args(arguments)
    if sys.platform != "linux":
        say("the bench measures with what Linux offers; run it there (a container will do)")
        return 2
    leave_habits()
    if told.forget:
        forget(BUILD)
    found_peers = peers.find(install=not told.no_install, say=say)
    if not found_peers.has("nginx"):
        say("nginx is needed as the origin; install it, or run this as root on Debian")
        return 2
    results = told.results or (BUILD / "quick" if told.quick else RESULTS)
    # A folder of its own: somebody else may measure something at the same time.
    with scratch(BUILD / "work", str(os.getpid())) as work:
        rounds = 1 if told.quick else told.rounds
        files = BUILD / "files"
        stage = Stage(found_peers, files, work, told.quick, rounds, say, told.most_spaces, told.hours)
        for case in told.case or list(RUNS):
            _run(case, stage, results)
    out = told.out or (BUILD / "benchmarks.md" if told.quick else PAGE)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page.build(page.load(results)), encoding="utf-8")
    say(f"written: {out}")
    return 0


def _run(case: str, stage: Stage, results: Path) -> None:
    """Measure one case and keep its figures."""
    began, loops = time.monotonic(), [loop_seconds()]
    sections = RUNS[case](stage)
    loops.append(loop_seconds())
    facts = {
        "case": case,
        "is_quick": stage.is_quick,
        "machine": machine(stage.peers),
        "missing": dict(stage.peers.missing),
        "loop_seconds": loops,
        "sections": [section.as_json() for section in sections],
    }
    page.save(results, case, facts)
    for section in sections:
        for target in section.targets:
            say(f"  {VERDICTS[target.is_met]} {target.text}: {target.found}")
    say(f"case {case}: {time.monotonic() - began:.0f} s")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench/run.py", description=__doc__)
    cases = "; ".join(f"{case}: {title}" for case, title in page.CASES.items())
    parser.add_argument("--case", action="append", choices=list(RUNS), help=f"only this one, repeatable ({cases})")
    parser.add_argument("--quick", action="store_true", help="minutes instead of hours, once; shows that it works")
    parser.add_argument("--rounds", type=int, default=5, help="how often each program takes its turn")
    parser.add_argument("--most-spaces", type=int, default=2000, help="leave out larger numbers of live Spaces")
    parser.add_argument("--hours", type=float, default=8.0, help="leave longer ended Spaces out of the race")
    parser.add_argument("--out", type=Path, help="where the page goes (docs/benchmarks.md; a quick one below build/)")
    parser.add_argument("--results", type=Path, help="where the figures are kept between runs of single cases")
    parser.add_argument("--no-install", action="store_true", help="take only the peers that are there")
    parser.add_argument("--forget", action="store_true", help="make the files to be served anew")
    return parser
