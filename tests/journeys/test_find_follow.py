"""`hydrophone find @creator --follow` from its first line to the end of a Space, over each source that can tell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydrophone.testing import Scene
from hydrophone.testing.box import SandboxBox
from journeys.typing_finds import unhurried

HOUR = 3600.0
LOGIN = {"HYDROPHONE_AUTH_TOKEN": "b" * 40, "HYDROPHONE_CT0": "a" * 160}


@dataclass
class Watching:
    """`hydrophone find --follow` in a process of its own, and the sandbox whose clock the test turns."""

    box: SandboxBox
    scene: Scene
    process: subprocess.Popen[str]

    def next(self) -> dict[str, Any]:
        """The next line; the fixture's timer ends the process if none ever comes."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read() if self.process.stderr else ""
        told: dict[str, Any] = json.loads(line)
        return told

    def begins(self) -> None:
        """Turn the clock until the Space is live."""
        self.box.control.advance(HOUR)

    def ends(self) -> None:
        self.box.control.advance(2 * HOUR)

    def until_asked(self, path: str) -> None:
        """Wait until the follower has asked for this."""
        while self.process.poll() is None and not self.box.control.requests(service="x", containing=path):
            time.sleep(0.05)
        time.sleep(0.2)

    def finish(self) -> tuple[int, str]:
        _, err = self.process.communicate(timeout=60)
        return self.process.returncode, err


@contextmanager
def watching(tmp_path: Path, *arguments: str, gone: str = "", credit: float = 100.0, **more: str) -> Iterator[Watching]:
    """Follow the creator of a Space that begins in an hour of the sandbox and lasts another.

    Args:
        gone: a path of the API that is refused.
    """
    scene = Scene.live("gulls", created=-600, since=-HOUR, started=HOUR, scheduled=HOUR, seconds=HOUR, title="Gulls")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HYDROPHONE_")}
    # So fast that no round is waited for; what happens is up to the test.
    with unhurried(scene, speed=20.0) as box:
        box.control.ask("POST", "/api2/balance", {"balance": credit})
        if gone:
            box.control.inject(kind="status", service="x", path=gone, status=403)
        environment = {
            **kept,
            "HOME": str(tmp_path),
            "HYDROPHONE_SANDBOX": box.bases["control"],
            "HYDROPHONE_STATE_DIR": str(tmp_path / "state"),
            **more,
        }
        command = [sys.executable, "-m", "hydrophone", "find", "@lena_marsh", "--follow", "--json", *arguments]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            guard = threading.Timer(100, process.kill)
            guard.start()
            try:
                yield Watching(box, scene, process)
            finally:
                guard.cancel()
                if process.poll() is None:
                    process.kill()


def told(every: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["kind"], one["source"]) for one in every]


def test_the_activity_stream_tells_of_start_and_end(tmp_path: Path) -> None:
    with watching(tmp_path, "--count", "3") as seen:
        every = [seen.next()]
        seen.until_asked("/2/activity/stream")
        seen.begins()
        every.append(seen.next())
        seen.ends()
        every.append(seen.next())
        code, err = seen.finish()
        subscribed = seen.box.control.requests(service="x", containing="/2/activity/subscriptions")
    assert [one["kind"] for one in every] == ["scheduled", "live", "ended"]
    assert every[0]["source"] == "api sweep"
    # The sweeps go on beside the stream; whoever is first tells, and nobody tells it again.
    assert "api events" in {one["source"] for one in every}
    assert {one["id"] for one in every} == {seen.scene.id}
    # An event holds no more than ids; what is known already is shown with it.
    assert [one["space"]["title"] for one in every] == ["Gulls"] * 3
    assert [one["space"]["creator"] for one in every] == ["lena_marsh"] * 3
    assert (code, err) == (0, "")
    assert len([one for one in subscribed if one["method"] == "POST"]) == 2


def test_creators_are_swept_where_there_is_no_stream(tmp_path: Path) -> None:
    with watching(tmp_path, "--count", "3", gone="/2/activity") as seen:
        every = [seen.next()]
        seen.begins()
        every.append(seen.next())
        seen.ends()
        every.append(seen.next())
        code, err = seen.finish()
    assert told(every) == [("scheduled", "api sweep"), ("live", "api sweep"), ("ended", "api sweep")]
    assert code == 0
    assert "the activity stream is not to be had" in err
    assert len(err.splitlines()) == 1


def test_x_com_is_looked_at_where_there_is_only_a_login(tmp_path: Path) -> None:
    with watching(tmp_path, "--count", "2", **LOGIN, HYDROPHONE_ASK_ORDER="web") as seen:
        seen.until_asked("avatar_content")
        seen.begins()
        every = [seen.next()]
        seen.ends()
        every.append(seen.next())
        code, _ = seen.finish()
        paid = seen.box.control.requests(service="x", containing="/2/")
    assert [one["kind"] for one in every] == ["live", "ended"]
    assert {one["id"] for one in every} == {seen.scene.id}
    assert code == 0
    assert paid == []


def test_x_com_takes_over_when_the_money_is_gone(tmp_path: Path) -> None:
    with watching(tmp_path, "--state", "live", "--count", "1", credit=0, **LOGIN) as seen:
        seen.until_asked("avatar_content")
        seen.begins()
        live = seen.next()
        code, err = seen.finish()
    assert (live["kind"], live["id"]) == ("live", seen.scene.id)
    assert code == 0
    assert "x.com is asked instead" in err


def test_a_cap_on_spend_ends_it_with_a_sentence(tmp_path: Path) -> None:
    with watching(tmp_path, "--max-cost", "0.012") as seen:
        code, err = seen.finish()
    assert code == 5
    assert "Raise --max-cost" in json.loads(err.splitlines()[-1])["error"]["advice"]
