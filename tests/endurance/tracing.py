"""The installed command under `strace`, which kills it or lies to it at a chosen system call.

A second instrument beside `system_calls`: slower, but it shares no line with what it checks, and what it disturbs is
the command as a user starts it. It counts the calls of each thread by itself, so a point is the n-th call of one name
by any thread, on the files of the item alone.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hydrophone.cli.demonstration import environment
from hydrophone.testing.box import SandboxBox

#: Whatever the recorder changes the disk with; those that are not called are never struck.
NAMES = ("fdatasync", "fsync", "rename", "writev", "write", "openat", "unlink", "mkdir", "ftruncate")


@dataclass(frozen=True)
class Point:
    """The `when`-th call of that name. `what` is ``signal=KILL`` or ``error=…``."""

    name: str
    when: int
    what: str


def why_not() -> str:
    """Why nothing can be traced here, empty where it can."""
    if sys.platform != "linux" or shutil.which("strace") is None:
        return "strace is not installed (`make test` does it as root on Debian)"
    tried = subprocess.run(
        ["strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "inject=getppid:error=EPERM", "true"],
        capture_output=True,
    )
    return f"strace may not trace here: {tried.stderr.decode().strip()[:120]}" if tried.returncode else ""


def points(what: str, count: int) -> Iterator[Point]:
    """The first calls of each name, then the second ones, and so on."""
    for number in range(count):
        yield Point(NAMES[number % len(NAMES)], number // len(NAMES) + 1, what)


def record_traced(box: SandboxBox, scene: str, folder: Path, item: Path, point: Point) -> tuple[int, str]:
    """Record with one disturbed call. The exit code (negative: ended by that signal), and what strace saw of it.

    Args:
        item: where the item will be; only calls on it and its files are disturbed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder.with_suffix(".strace")
    paths = [part for path in (item, *(item / name for name in _FILES)) for part in ("-P", str(path))]
    tracer = ["strace", "-f", "--seccomp-bpf", "-qq", "-o", str(log), *paths, "-e", f"trace={point.name}"]
    tracer += ["-e", f"inject={point.name}:{point.what}:when={point.when}"]
    command = [sys.executable, "-m", "hydrophone", "record", box.link(scene), "--json", "--paths", str(folder)]
    done = subprocess.run(
        [*tracer, *command], env=environment(box, folder), capture_output=True, text=True, timeout=120
    )
    seen = log.read_text(errors="replace")
    log.unlink()
    return done.returncode, "\n".join(line for line in seen.splitlines() if "INJECTED" in line or "SIGKILL" in line)


_FILES = (
    ".take",
    "journal.jsonl",
    ".take/media.log",
    "captions.jsonl",
    "original.aac",
    "audio.m4a",
    "space.json",
    "people.json",
    "timeline.jsonl",
    "transcript.json",
    "manifest-sha256.txt",
)
