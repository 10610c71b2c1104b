"""The gates of `make check` can fail: each rule has samples that it finds, and finds them where it says it looks."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = ROOT / "rules"
TOOLS = ROOT / ".venv-check" / ("Scripts" if sys.platform == "win32" else "bin")
FLAGS = ("--metrics", "off", "--disable-version-check", "--json", "--quiet")
#: For each rule, one file where it holds and one that it names as an exception; None where there is none.
PLACES = {
    "outbound-sockets-only-in-http": ("src/hydrophone/recorder/live.py", "src/hydrophone/http/live.py"),
    "files-written-only-durably": ("src/hydrophone/media/live.py", "src/hydrophone/archive/live.py"),
    "files-deleted-only-by-their-writers": ("src/hydrophone/cli/live.py", "src/hydrophone/archive/live.py"),
    "no-shell": ("src/hydrophone/archive/live.py", None),
    "no-code-from-data": ("src/hydrophone/sandbox/live.py", None),
    "no-secrets-in-arguments": ("src/hydrophone/media/live.py", "src/hydrophone/sandbox/live.py"),
    "no-tls-without-checks": ("src/hydrophone/http/live.py", None),
    "no-secrets-in-words": ("src/hydrophone/http/live.py", "src/hydrophone/sandbox/live.py"),
    "no-blocking-sleep": ("src/hydrophone/recorder/live.py", None),
    "no-swallowed-faults": ("src/hydrophone/recorder/live.py", None),
    "no-guessable-secrets": ("src/hydrophone/xapi/live.py", "src/hydrophone/http/retry.py"),
}


def rule_ids() -> Iterator[tuple[str, Path]]:
    for path in sorted(RULES.glob("*.yml")):
        for name in re.findall(r"^  - id: (\S+)$", path.read_text("utf-8"), re.MULTILINE):
            yield name, path


def tool(name: str) -> str:
    path = shutil.which(name, path=str(TOOLS))
    if path is None:
        pytest.skip(f"{name} is missing; `make check` installs it")
    return path


def test_each_rule_has_samples_of_both_kinds() -> None:
    for name, path in rule_ids():
        text = path.with_suffix(".py").read_text("utf-8")
        assert f"# ruleid: {name}\n" in text
        assert f"# ok: {name}\n" in text


def test_each_rule_is_planted() -> None:
    assert {name for name, _ in rule_ids()} == set(PLACES)


def test_each_exception_of_a_rule_is_still_there_and_has_its_reason() -> None:
    for path in sorted(RULES.glob("*.yml")):
        before = ""
        for line in path.read_text("utf-8").splitlines():
            if place := re.fullmatch(r"        - /(src/\S+)", line):
                assert (ROOT / place[1]).exists(), f"{path.name} excuses {place[1]}, which is gone"
                assert before.strip().startswith(("#", "- /src/")), f"{path.name} does not say why {place[1]}"
            before = line


def test_each_exempted_line_names_its_rule_and_has_its_reason_above() -> None:
    rules = {name for name, _ in rule_ids()}
    for path in (ROOT / "src").rglob("*.py"):
        before = ""
        for line in path.read_text("utf-8").splitlines():
            if "nosemgrep" in line:
                named = re.search(r"# nosemgrep: ([\w-]+)$", line)
                assert named, f"{path}: {line}"
                assert named[1] in rules
                assert before.strip().startswith("# "), f"{path} does not say why: {line}"
            before = line


def test_each_rule_holds_where_it_should_and_spares_what_it_names(tmp_path: Path) -> None:
    semgrep = tool("semgrep")
    samples = {name: path.with_suffix(".py").read_text("utf-8") for name, path in rule_ids()}
    for name, (bad, spared) in PLACES.items():
        for place in filter(None, (bad, spared)):
            path = tmp_path / name / place
            path.parent.mkdir(parents=True)
            path.write_text(samples[name])
    found: dict[str, set[str]] = {}
    for name in PLACES:
        shutil.copytree(tmp_path / name / "src", tmp_path / "all" / "src" / name)
    # One run for all: the rules' paths are told about the folder of each plant.
    rules = tmp_path / "rules"
    rules.mkdir()
    for path in RULES.glob("*.yml"):
        (rules / path.name).write_text(path.read_text("utf-8").replace("/src/", "/src/*/"))
    ran = subprocess.run(
        [semgrep, "scan", "--config", rules, *FLAGS, "--project-root", ".", "."],
        cwd=tmp_path / "all",
        env={**os.environ, "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=200,
    )
    for row in json.loads(ran.stdout)["results"]:
        _, plant, *rest = Path(row["path"]).parts
        name = row["check_id"].rpartition(".")[2]
        if plant == name:
            found.setdefault(name, set()).add("/".join(["src", *rest]))

    assert found == {name: {bad} for name, (bad, _) in PLACES.items()}


@pytest.mark.parametrize(
    ("line", "test"),
    [
        ("hashlib.md5(b'x').digest()", "B324"),
        ("tarfile.open('x').extractall()", "B202"),
        ("os.chmod('x', 0o777)", "B103"),
        ("xml.etree.ElementTree.fromstring('<a/>')", "B314"),
    ],
)
def test_bandit_finds_with_our_configuration(line: str, test: str, tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text(f"import {line.rpartition('(')[0].split('(')[0].rpartition('.')[0]}\n{line}\n")

    ran = subprocess.run(
        [tool("bandit"), "--quiet", "--configfile", ROOT / "pyproject.toml", "--format", "json", bad],
        capture_output=True,
        text=True,
        timeout=100,
    )

    assert ran.returncode == 1
    assert test in {row["test_id"] for row in json.loads(ran.stdout)["results"]}
