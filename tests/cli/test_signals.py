"""Ctrl-C and SIGTERM, sent to a real process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent differently on Windows")

PROGRAM = """
import sys
sys.path.insert(0, {tests!r})
from cli.fake_engine import FakeEngine
from hydrophone.cli import context, run, running
running.TERMINATE_SECONDS = 0.2
context.open_engine = FakeEngine(runs_until_told=True, ignores_finish={ignores})
sys.exit(run(["record", "1vOxwdyYrlqKB"]))
"""


@contextmanager
def recording(home: Path, *, ignores_finish: bool) -> Iterator[subprocess.Popen[str]]:
    """A process that is recording; it has said so."""
    tests = str(Path(__file__).parents[1])
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(tests=tests, ignores=ignores_finish)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "HOME": str(home)},
    )
    try:
        assert process.stdout
        assert "recording" in process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(process: subprocess.Popen[str], phrase: str) -> None:
    assert process.stderr
    assert phrase in process.stderr.readline()


def test_first_interrupt_finishes_what_is_there(tmp_path: Path) -> None:
    with recording(tmp_path, ignores_finish=False) as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 3
    assert "stopped" in out
    assert "Once more to abort" in err
    assert "Traceback" not in err


def test_second_interrupt_aborts(tmp_path: Path) -> None:
    with recording(tmp_path, ignores_finish=True) as process:
        process.send_signal(signal.SIGINT)
        wait_for(process, "Finishing")
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        wait_for(process, "Aborting")
        process.communicate(timeout=20)
    assert process.returncode == 3


def test_terminate_finishes(tmp_path: Path) -> None:
    with recording(tmp_path, ignores_finish=False) as process:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 3


def test_terminate_aborts_when_finishing_takes_too_long(tmp_path: Path) -> None:
    with recording(tmp_path, ignores_finish=True) as process:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 3


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m hydrophone completion bash | head -1"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, env={**os.environ, "HOME": str(tmp_path)}
    )
    assert done.stderr == ""
    assert done.stdout
