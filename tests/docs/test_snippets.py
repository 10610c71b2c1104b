"""The tutorial's commands and the pages' Python, run against the sandbox as a reader would."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from docs.snippets import ROOT, Snippet, pages, snippets_of
from hydrophone.testing import sandbox

PYTHON = [one for page in pages() for one in snippets_of(page) if one.mark == "test"]
TUTORIAL = [one for one in snippets_of(ROOT / "docs/tutorial.md") if one.mark == "run" and one.how != "skip"]


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HYDROPHONE_", "XDG_"))}
    return {**kept, "HOME": str(home), "USERPROFILE": str(home), **more}


@pytest.fixture(scope="module")
def control() -> Iterator[str]:
    with sandbox("ended-short", speed=10, isolated=True) as box:
        yield box.bases["control"]


def test_the_pages_have_snippets_to_test() -> None:
    assert {one.page for one in PYTHON} >= {"README.md", str(Path("docs/howto/python.md"))}
    assert len(TUTORIAL) >= 4
    quoted = next(one for one in TUTORIAL if one.commands[0].startswith("hydrophone quote https://x.com/i/spaces/"))
    assert quoted.how == "shows"
    assert re.fullmatch(r"https://x\.com/i/spaces/\w+#t=\d+\.\d", quoted.shown[-1])


@pytest.mark.parametrize("snippet", PYTHON, ids=lambda one: f"{one.page}-{one.number}")
def test_python_of_the_pages_runs(snippet: Snippet, control: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", snippet.code],
        cwd=tmp_path,
        env=environment(tmp_path, HYDROPHONE_SANDBOX=control),
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@contextmanager
def background(command: str, home: Path) -> Iterator[str]:
    """The sandbox of the tutorial; gives its control URL."""
    process = subprocess.Popen(
        [*program(command), "--json"], cwd=home, env=environment(home), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        yield json.loads(process.stdout.readline())["bases"]["control"]
    finally:
        process.kill()
        process.wait()


def program(command: str) -> list[str]:
    """The command as an argument list that runs this installation."""
    words = shlex.split(command)
    assert words[0] == "hydrophone"
    return [sys.executable, "-m", *words]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent differently on Windows")
def test_the_tutorial_works_as_written(tmp_path: Path) -> None:
    first, *rest = TUTORIAL
    assert first.how == "background"
    with background(first.commands[0], tmp_path) as control:
        for snippet in rest:
            for command in snippet.commands:
                code, output = follow(command, snippet.how, environment(tmp_path, HYDROPHONE_SANDBOX=control), tmp_path)
                allowed = re.findall(r"\d+", snippet.how) if snippet.how.startswith("exit") else ["0"]
                assert str(code) in (["0", "3"] if snippet.how.startswith("interrupt") else allowed), output
                if snippet.how == "shows":
                    assert output.splitlines() == snippet.shown, command
    items = [path.parent for path in (tmp_path / "archive").rglob("manifest-sha256.txt")]
    assert len(items) == 2
    assert all((item / "audio.m4a").stat().st_size > 1000 for item in items)


def wait_for_another_recording(folder: Path, process: subprocess.Popen[str]) -> None:
    """A reader presses Ctrl-C when something is to be seen, however long the machine takes to start."""
    before, until = len(journals(folder)), time.monotonic() + 60
    while len(journals(folder)) == before and process.poll() is None and time.monotonic() < until:
        time.sleep(0.1)


def journals(folder: Path) -> list[Path]:
    return list(folder.rglob("journal.jsonl"))


def follow(command: str, how: str, env: dict[str, str], folder: Path) -> tuple[int, str]:
    process = subprocess.Popen(
        program(command), cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        if how.startswith("interrupt"):
            wait_for_another_recording(folder, process)
            time.sleep(float(how.split()[-1]))
            process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        return process.returncode, output
    finally:
        process.kill()
        process.wait()
