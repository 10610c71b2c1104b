"""A recorder whose disk hangs can still be stopped: what is acknowledged is on the disk, so it may just leave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent differently on Windows")

#: The thread that writes the files hangs in a system call; it cannot be cancelled.
PROGRAM = """
import asyncio, sys, time
from hydrophone.cli import context, run, running
from hydrophone.errors import AbortedError

class Hanging:
    async def __aenter__(self): return self
    async def __aexit__(self, *_): pass
    async def record(self, links, *, on_event, stop):
        writing = asyncio.ensure_future(asyncio.to_thread(time.sleep, 60))
        print("writing", flush=True)
        await stop.aborting()
        raise AbortedError("stopped at once")

running.TERMINATE_SECONDS = 0.5
context.open_engine = lambda settings: Hanging()
sys.exit(run(["record", "1vOxwdyYrlqKB"]))
"""


@contextmanager
def hanging(home: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "HOME": str(home)},
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "writing\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def leave(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, errors = process.communicate(timeout=5)
    return process.returncode, errors


def test_terminate_ends_a_process_whose_disk_hangs(tmp_path: Path) -> None:
    with hanging(tmp_path) as process:
        process.send_signal(signal.SIGTERM)
        code, errors = leave(process)
    assert code == 130
    assert "Traceback" not in errors


def test_second_interrupt_ends_a_process_whose_disk_hangs(tmp_path: Path) -> None:
    with hanging(tmp_path) as process:
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        code, errors = leave(process)
    assert code == 130
    assert "Aborting" in errors
