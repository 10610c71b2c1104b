"""`hydrophone demo`, as a newcomer runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hydrophone.cli.demonstration import KILL_AT_SHARE, perform, stage


def test_demo_keeps_every_frame_through_a_kill_and_bad_weather(tmp_path: Path) -> None:
    said: list[str] = []

    with stage() as box:
        ended, live = perform(box, tmp_path, said.append)

    assert ended.is_good
    assert live.is_good
    assert ended.segments == 2400
    assert abs(ended.duration_seconds - 7200) <= 1024 / 48000
    (killed,) = (line for line in said if "SIGKILL" in line)
    resumed = next(int(word) for line in said if "continued after" in line for word in line.split() if word.isdigit())
    assert 0 < resumed < 2400, killed
    assert KILL_AT_SHARE < 1


@pytest.mark.slow
def test_demo_command_prints_checked_facts(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hydrophone", "demo", "--json", "--paths", str(tmp_path)]

    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)

    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert [one["are_frames_equal"] for one in shown] == [True, True]
    assert all(Path(one["media"]).is_file() for one in shown)
