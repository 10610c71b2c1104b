"""Puts the table of `hydrophone storm` into the README, from a real run. Run by `make storm`; it takes some minutes.

The other recorders are taken from the path, and from the environment of `make bench` where that is there.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydrophone.cli.commands.storm import HEADER, row_of
from hydrophone.cli.storming import Kept

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PEERS = ROOT / ".venv-peers" / ("Scripts" if sys.platform == "win32" else "bin")
BEGIN, END = (
    "<!-- The storm: written by docs/storm.py. Run `make storm` to make it anew. -->",
    "<!-- The end of it. -->",
)
PLACE = re.compile(re.escape(BEGIN) + r".*?" + re.escape(END), re.DOTALL)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=5.0)
    asked = parser.parse_args()
    text = README.read_text(encoding="utf-8")
    if not PLACE.search(text):
        sys.stderr.write("the README has no place for the storm\n")
        return 1
    found = run(asked.seed, asked.minutes)
    README.write_text(PLACE.sub(lambda _: section(found), text), encoding="utf-8")
    return 0


def run(seed: int, minutes: float) -> Mapping[str, Any]:
    """What the command found, as JSON. That others lost something, or even we, is a result and no failure."""
    command = [sys.executable, "-m", "hydrophone", "storm", "--seed", str(seed), "--minutes", str(minutes), "--json"]
    environment = {**os.environ, "PATH": os.pathsep.join((str(PEERS), os.environ.get("PATH", "")))}
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment, text=True, check=False)
    shown: Mapping[str, Any] = json.loads(done.stdout)
    return shown


def section(found: Mapping[str, Any]) -> str:
    """The part of the README between the two marks."""
    rows = [row_of(_kept(facts)) for facts in found["recorders"]]
    lines = [HEADER, tuple("---:" if 2 <= number <= 5 else "---" for number in range(len(HEADER))), *rows]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    about = (
        f"`hydrophone storm --seed {found['seed']} --minutes {found['minutes']:g}`: one live Space for each recorder, "
        f"{len(found['troubles'])} troubles at its CDN, all of which can be made good. Each frame that was written is "
        "looked up among those that were sent."
    )
    return f"{BEGIN}\n\n{textwrap.fill(about, 120)}\n\n{table}\n\n{END}"


def _kept(facts: Mapping[str, Any]) -> Kept:
    return Kept(**{name: facts[name] for name in Kept.__slots__ if name in facts})


if __name__ == "__main__":
    sys.exit(main())
