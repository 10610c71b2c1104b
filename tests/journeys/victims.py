"""The recorder as a process of its own, which can be killed: what the journeys about kills and signals share."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydrophone.archive import Item, find_items, verify_item
from hydrophone.cli.demonstration import environment, frames_of
from hydrophone.testing.box import SandboxBox

RUN_SECONDS = 100.0
IS_HUNT = bool(os.environ.get("HYDROPHONE_HUNT"))

#: What a recording goes through, by what it tells: a phase begins with its event and ends with the next one's.
PHASES = ("spawned", "started", "finishing original", "finishing audio", "finishing manifest", "outcome")

#: What tells when things came to us, and so differs from run to run; the manifest holds the digests of these.
DIARY = ("journal.jsonl", "captions.jsonl", "manifest-sha256.txt")
#: What also tells who was there when somebody looked.
LIVE_DIARY = ("audience.csv", "timeline.jsonl")


@dataclass(frozen=True)
class Kill:
    """SIGKILL, so many seconds after the phase began."""

    phase: str
    after_seconds: float


@dataclass
class Run:
    """One run of the command, as seen from outside. `marks` are the seconds at which each phase began."""

    exit_code: int = 0
    events: list[dict[str, Any]] = field(default_factory=list, repr=False)
    marks: dict[str, float] = field(default_factory=dict)
    errors: str = ""
    seconds: float = 0.0

    @property
    def was_killed(self) -> bool:
        return self.exit_code == -signal.SIGKILL

    @property
    def last_phase(self) -> str:
        return [phase for phase in PHASES if phase in self.marks][-1]

    @property
    def outcomes(self) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == "outcome"]

    def lengths(self) -> dict[str, float]:
        """How long each phase took."""
        begun = [phase for phase in PHASES if phase in self.marks]
        ends = [*(self.marks[phase] for phase in begun[1:]), self.seconds]
        return {phase: end - self.marks[phase] for phase, end in zip(begun, ends, strict=True)}


def command(*links: str, folder: Path, more: Sequence[str] = ()) -> list[str]:
    return [sys.executable, "-m", "hydrophone", "record", *links, "--json", "--paths", str(folder), *more]


class Recorder:
    """A process that records. Its events are read as they come."""

    def __init__(
        self,
        box: SandboxBox,
        folder: Path,
        *links: str,
        more: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  (as long as the process)
        self._began = time.monotonic()
        self.run = Run(marks={"spawned": 0.0})
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            command(*links, folder=folder, more=more),
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**environment(box, folder), **(env or {})},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            with contextlib.suppress(ValueError), self._news:  # a kill may tear the last line
                event = json.loads(line)
                self.run.events.append(event)
                name = " ".join(filter(None, (event["event"], event.get("step"))))
                self.run.marks.setdefault(name, time.monotonic() - self._began)
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def wait_for(self, name: str, seconds: float = RUN_SECONDS) -> bool:
        """True when the event has come, False when the process ended (or the time) before."""
        until = time.monotonic() + seconds
        with self._news:
            while name not in self.run.marks:
                if not self._reader.is_alive() or time.monotonic() > until:
                    return name in self.run.marks
                self._news.wait(0.05)
        return True

    def wait_until(self, is_so: Callable[[dict[str, Any]], bool], seconds: float = RUN_SECONDS) -> bool:
        """True when an event satisfies `is_so`; False when the process ended (or the time) before."""
        until = time.monotonic() + seconds
        seen = 0
        with self._news:
            while True:
                if any(is_so(event) for event in self.run.events[seen:]):
                    return True
                seen = len(self.run.events)
                if not self._reader.is_alive() or time.monotonic() > until:
                    return False
                self._news.wait(0.05)

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self, seconds: float = RUN_SECONDS) -> Run:
        """Wait for the end of the process. One that hangs is killed, and that is an error."""
        try:
            self.run.exit_code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the recorder hangs; it said last: {self.run.events[-3:]}") from None
        finally:
            self._reader.join(10)
            if self.process.stdout is not None:
                self.process.stdout.close()
            self._errors.seek(0)
            self.run.errors = self._errors.read()
            self._errors.close()
        self.run.seconds = time.monotonic() - self._began
        return self.run


@contextlib.contextmanager
def recording(box: SandboxBox, folder: Path, *links: str, **how: Any) -> Iterator[Recorder]:
    """A recorder that is not left behind."""
    recorder = Recorder(box, folder, *links, **how)
    try:
        yield recorder
    finally:
        if recorder.process.poll() is None:
            recorder.process.kill()
            recorder.end()


def record(box: SandboxBox, folder: Path, *links: str, kill: Kill | None = None, **how: Any) -> Run:
    """One run, to its end or to its kill. It is not killed if it ends before the phase of the kill begins."""
    with recording(box, folder, *links, **how) as recorder:
        if kill is not None and recorder.wait_for(kill.phase):
            with contextlib.suppress(subprocess.TimeoutExpired):
                recorder.process.wait(kill.after_seconds)
            recorder.process.kill()
        return recorder.end()


def draw_kill(rng: random.Random, lengths: Mapping[str, float], phases: Sequence[str] = PHASES) -> Kill:
    """A random instant: any phase is as likely as any other, so that short ones are hit too."""
    phase = rng.choice([name for name in phases if name in lengths])
    return Kill(phase, rng.uniform(0.0, lengths[phase]))


# ---------------------------------------------------------------- what is on the disk


def item_of(folder: Path) -> Path:
    """The one item below a folder."""
    (item,) = find_items(folder)
    return item.path


def assert_sound(directory: Path) -> None:
    """The manifest holds, for us and for coreutils; nothing half-made is left."""
    report = verify_item(directory, is_deep=True)
    assert report.is_intact, report.findings
    if shutil.which("sha256sum"):
        checked = subprocess.run(
            ["sha256sum", "--check", "--quiet", "manifest-sha256.txt"], cwd=directory, capture_output=True, text=True
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr
    left = [path.name for path in directory.rglob("*") if path.name.endswith(".part")]
    assert not [name for name in left if not name.startswith(".id.")]  # may be that of a living process


def assert_same_files(one: Path, other: Path, *, was_live: bool = False) -> None:
    """Both items have the same files with the same bytes, but for what tells of the recording and not of the Space."""
    but = LIVE_DIARY if was_live else ()
    names, others = ({path.name for path in item.iterdir() if path.is_file()} - {*DIARY, *but} for item in (one, other))
    assert names == others
    assert {"original.aac", "audio.m4a", "space.json", "people.json"} <= names
    for name in sorted(names):
        assert (one / name).read_bytes() == (other / name).read_bytes(), f"{name} differs"
    assert _happenings(one) == _happenings(other)


def _happenings(item: Path) -> list[str]:
    """The lines of the timeline that do not count who was there."""
    path = item / "timeline.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [line for line in lines if json.loads(line)["kind"] != "presence"]


def frames_in(directory: Path) -> list[bytes]:
    """The ADTS frames of an item's original, in order."""
    return frames_of(Item(directory).original().read_bytes())
