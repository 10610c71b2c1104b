"""The main job, shown against a sandbox: an ended Space through a SIGKILL, a live one through bad weather.

Each recording is the installed command in a process of its own, as a user would type it. What comes out is compared,
frame by frame, with the sandbox's own ledger of what it offered; nothing in the table is taken on trust.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydrophone.archive import Item, verify_item
from hydrophone.audio import scan_adts
from hydrophone.errors import HydrophoneError
from hydrophone.render.times import duration_text, share_text, speed_text
from hydrophone.testing.box import SandboxBox, sandbox

SPEED = 12.0  #: scene seconds per real second
ENDED, LIVE = "ended-two-hours", "host-drops"
KILL_AT_SHARE = 0.4
RECORDING_SECONDS = 300.0  #: nothing in the demo may take longer

#: What goes wrong at the CDN while the live Space is recorded; all of it can be made good.
BAD_WEATHER: tuple[Mapping[str, Any], ...] = (
    {"kind": "status", "status": 503, "path": "chunk_.*", "segments": [[24, 27]], "count": 1, "per": "path"},
    {"kind": "short", "length": "matching", "segments": [30, 33], "count": 1, "per": "path"},
    {"kind": "reset-mid", "segments": [36], "count": 1},
    {"kind": "html", "segments": [39], "count": 1},
)


class DemoError(HydrophoneError):
    """The demonstration did not show what it should."""


@dataclass(slots=True)
class Run:
    """One run of the command."""

    exit_code: int
    events: list[dict[str, Any]] = field(default_factory=list)
    elapsed_seconds: float = 0.0
    was_killed: bool = False

    @property
    def outcome(self) -> dict[str, Any]:
        outcomes = [event for event in self.events if event["event"] == "outcome"]
        if not outcomes:
            raise DemoError(f"the recorder ended with exit code {self.exit_code} and said nothing")
        return outcomes[-1]

    @property
    def segments(self) -> int:
        return max((int(event.get("segments", 0)) for event in self.events), default=0)


@dataclass(frozen=True, slots=True)
class Shown:
    """One finished recording, checked."""

    title: str
    how: str
    directory: Path
    media: Path
    duration_seconds: float
    segments: int
    coverage: float
    gaps: int
    frames: int
    frames_offered: int
    are_frames_equal: bool
    is_verified: bool
    elapsed_seconds: float

    @property
    def is_good(self) -> bool:
        return self.are_frames_equal and self.is_verified and self.coverage == 1.0

    def row(self) -> tuple[str, ...]:
        """The cells of the table, in the order of `HEADER`."""
        return (
            self.title,
            self.how,
            duration_text(self.duration_seconds),
            str(self.segments),
            share_text(self.coverage),
            str(self.gaps),
            f"{self.frames:,} of {self.frames_offered:,}" + ("" if self.are_frames_equal else " DIFFER"),
            "OK" if self.is_verified else "FAILED",
            speed_text(self.duration_seconds, self.elapsed_seconds),
        )


HEADER = ("Space", "how", "duration", "segments", "coverage", "gaps", "frames", "sha256sum -c", "speed")


@contextmanager
def stage(speed: float = SPEED) -> Iterator[SandboxBox]:
    """A sandbox in a process of its own with an ended and a live Space, and bad weather over the live one."""
    with sandbox(ENDED, isolated=True, speed=speed) as box:
        yield box


def perform(box: SandboxBox, folder: Path, say: Callable[[str], None]) -> list[Shown]:
    """Record both Spaces into `folder` and check them.

    Raises:
        DemoError: a recorder ended without a result.
    """
    box.control.load(LIVE)
    live_id = box.scene(LIVE).id
    for fault in BAD_WEATHER:
        box.control.inject({**fault, "path": fault.get("path", "chunk_.*"), "space": live_id})
    found: dict[str, Shown] = {}
    problems: list[BaseException] = []

    def live() -> None:
        try:
            say("live Space: recording from its first second; the host will drop out for 40 s, the CDN will fail")
            run = _record(box, folder, LIVE)
            found[LIVE] = _check(box, LIVE, run, "live, host drop, CDN faults")
        except BaseException as problem:  # handed over to the thread that waits
            problems.append(problem)

    thread = threading.Thread(target=live, name="demo-live")
    thread.start()
    try:
        found[ENDED] = _ended(box, folder, say)
    finally:
        thread.join(RECORDING_SECONDS)
    if problems:
        raise problems[0]
    return [found[ENDED], found[LIVE]]


def _ended(box: SandboxBox, folder: Path, say: Callable[[str], None]) -> Shown:
    say("ended Space: fetching two hours of audio")
    first = _record(box, folder, ENDED, kill_at_share=KILL_AT_SHARE)
    if not first.was_killed:
        raise DemoError("the recorder was done before it could be killed")
    say(f"ended Space: SIGKILL after {first.segments} segments; running the same command again")
    second = _record(box, folder, ENDED)
    resumed = next(event["resumed_segments"] for event in second.events if event["event"] == "started")
    say(f"ended Space: continued after {resumed} segments that were on disk")
    second.elapsed_seconds += first.elapsed_seconds
    return _check(box, ENDED, second, "replay, killed once")


# ---------------------------------------------------------------- one run of the command


def _record(box: SandboxBox, folder: Path, scene: str, *, kill_at_share: float | None = None) -> Run:
    command = [sys.executable, "-m", "hydrophone", "record", box.link(scene), "--json", "--paths", str(folder)]
    began = time.monotonic()
    run = Run(0)
    process = subprocess.Popen(  # noqa: S603 - our own command
        command, stdout=subprocess.PIPE, text=True, env=environment(box, folder)
    )
    watchdog = threading.Timer(RECORDING_SECONDS, process.kill)
    watchdog.start()
    try:
        for line in process.stdout or ():
            event = json.loads(line)
            run.events.append(event)
            if kill_at_share is not None and _has_reached(event, kill_at_share):
                process.kill()
                run.was_killed = True
                break
        run.exit_code = process.wait()
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    run.elapsed_seconds = time.monotonic() - began
    return run


def _has_reached(event: Mapping[str, Any], share: float) -> bool:
    return event.get("event") == "progress" and int(event["segments"]) >= share * int(event["expected"]) > 0


def environment(box: SandboxBox, folder: Path) -> dict[str, str]:
    """The environment of a recorder that talks to this sandbox and to nothing else."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HYDROPHONE_")}
    return {
        **kept,
        "HYDROPHONE_PROVIDER": "sandbox",
        "HYDROPHONE_SANDBOX": box.bases["control"],
        "HYDROPHONE_STATE_DIR": str(folder / ".state"),
        "HYDROPHONE_CONFIG": os.devnull,
    }


# ---------------------------------------------------------------- checking


def _check(box: SandboxBox, scene: str, run: Run, how: str) -> Shown:
    outcome = run.outcome
    directory, media = outcome.get("directory"), outcome.get("media")
    if not directory or not media:
        raise DemoError(f"{scene}: nothing was recorded: {outcome.get('error')}")
    item = Item(Path(directory))
    truth = box.true_frames(scene)
    frames = frames_of(item.original().read_bytes())
    coverage = outcome["coverage"]
    return Shown(
        title=outcome["title"],
        how=how,
        directory=item.path,
        media=Path(media),
        duration_seconds=outcome["duration_seconds"],
        segments=coverage["segments"],
        coverage=coverage["share"],
        gaps=len(coverage["gaps"]),
        frames=len(frames),
        frames_offered=len(truth),
        are_frames_equal=frames == truth,
        is_verified=is_verified(item.path),
        elapsed_seconds=run.elapsed_seconds,
    )


def frames_of(data: bytes) -> list[bytes]:
    """The ADTS frames of an original, in order."""
    scan = scan_adts(data)
    frames: list[bytes] = []
    sizes = iter(scan.frame_sizes)
    for offset, count in scan.runs:
        at = offset
        for _ in range(count):
            size = next(sizes)
            frames.append(data[at : at + size])
            at += size
    return frames


def is_verified(directory: Path) -> bool:
    """Does the manifest hold? Asked of ``sha256sum -c`` where there is one, and of ourselves in any case."""
    tool = shutil.which("sha256sum")
    if tool is not None:
        checked = subprocess.run(  # noqa: S603 - a fixed command line
            [tool, "--check", "--quiet", "manifest-sha256.txt"], cwd=directory, capture_output=True, check=False
        )
        if checked.returncode != 0:
            return False
    return verify_item(directory).is_intact
