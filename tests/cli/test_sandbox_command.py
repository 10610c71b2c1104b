"""`hydrophone sandbox` as a process that another program talks to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from cli.conftest import Typed
from hydrophone.cli.commands.sandbox import DEFAULT_SCENES


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent differently on Windows")
def test_sandbox_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "hydrophone", "sandbox", "ended-short", "--json", "--proxy", "--ca-out", "ca.pem"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    try:
        assert process.stdout
        facts = json.loads(process.stdout.readline())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(facts["bases"]["control"] + "/", timeout=10) as reply:
            shown = json.load(reply)
        assert shown["bases"]["x"] == facts["bases"]["x"]
        assert "proxy" in facts["bases"]
        assert "BEGIN CERTIFICATE" in (tmp_path / "ca.pem").read_text()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=15) == 0
    finally:
        process.kill()
        process.wait()


def test_sandbox_lists_its_scenes(typed: Typed) -> None:
    names = json.loads(typed("sandbox", "--list", "--json").out)
    assert set(DEFAULT_SCENES) <= set(names)
    assert typed("sandbox", "--list").out.split() == names


@pytest.mark.parametrize("line", [["no-such-scene"], ["no-such-file.toml"], ["--speed", "0"]])
def test_sandbox_refuses_what_it_cannot_play(typed: Typed, line: list[str]) -> None:
    assert typed("sandbox", *line).code == 2
