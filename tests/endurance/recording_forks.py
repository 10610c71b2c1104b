"""A program that records in forks of itself, each with one fault at one of its system calls; and the way to ask it.

Everything is imported once, so that a recording costs a fifth of a second instead of a whole one: that is what makes
hundreds of points possible. A fork runs the engine as the command does, and the sync interval is short, so that there
are many boundaries. Run as a program it reads a job in each line of its input and answers in any order.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import gc
import importlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from endurance.system_calls import CHANGING, KILL, Call, Verdict, Watcher, install
from hydrophone.cli.demonstration import environment
from hydrophone.testing.box import SandboxBox

HANG_SECONDS = 120.0
KILLED, SHORT = "SIGKILL", "short write"
#: The file system takes nothing more, and forgets what was not synced; the process dies with it.
POWER_CUT = "power cut"
_SHUT_DOWN, _WITHOUT_FLUSHING_THE_LOG = 0x8004587D, struct.pack("I", 2)


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens at the `at`-th of the calls of these kinds, and then at `every` so-many-th. Nothing at the 0-th.

    `what` is the name of an error number, or one of the three above.
    """

    what: str = KILLED
    at: int = 0
    every: int = 1_000_000
    kinds: tuple[str, ...] = tuple(sorted(CHANGING))


#: Nobody looks at its calls.
UNDISTURBED = Fault(kinds=())
NO_OTHER: Mapping[str, Any] = {}
#: What the sandbox must allow: hundreds of recordings, each with a guest pass of its own, are asked for in a minute.
UNLIMITED = {"guest": 1_000_000, "guest/activate": 1_000_000}


@dataclass(frozen=True, slots=True)
class Answer:
    """How one recording in a fork ended. `struck` are the calls that the fault was put into."""

    status: int  #: negative: ended by that signal
    calls: int
    struck: list[str] = field(default_factory=list)
    gaps: int = 0
    resumed: int = 0  #: segments that were on the disk at its start
    error: str = ""
    trace: list[str] = field(default_factory=list, repr=False)
    #: (epoch, sequence) of each segment that the process held to be on the disk, as it told while it lived
    acknowledged: list[list[int]] = field(default_factory=list, repr=False)

    @property
    def was_killed(self) -> bool:
        return self.status == -signal.SIGKILL


class Forks:
    """Asks the program. Any number of recordings at once, from any thread."""

    def __init__(self, box: SandboxBox, process: subprocess.Popen[str], below: Path) -> None:
        self._box = box
        self._process = process
        self._below = below
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[Answer]] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def record(
        self, scene: str, folder: Path, fault: Fault = UNDISTURBED, *, patience: Mapping[str, Any] = NO_OTHER
    ) -> Answer:
        """One recording of a scene into a folder, to its end or to its kill. `patience` differs in these from usual."""
        with self._lock:
            number = len(self._waiting)
            future = self._waiting[number] = Future()
            job = {"number": number, "link": self._box.link(scene), "folder": str(folder), "below": str(self._below)}
            assert self._process.stdin
            self._process.stdin.write(json.dumps(job | {"fault": asdict(fault), "patience": dict(patience)}) + "\n")
            self._process.stdin.flush()
        return future.result(HANG_SECONDS + 30)

    def _read(self) -> None:
        for line in self._process.stdout or ():
            answer = json.loads(line)
            self._waiting[answer.pop("number")].set_result(Answer(**answer))


@contextlib.contextmanager
def forking(box: SandboxBox, below: Path) -> Iterator[Forks]:
    """The program, for as long as the block. Only calls on files below a folder are counted and struck."""
    below.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile() as no_authorities:
        env = environment(box, below) | {
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "SSL_CERT_FILE": no_authorities.name,  # all is on loopback; the system's take longer than the recording
            "SSL_CERT_DIR": str(below),
        }
        process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
        )
        try:
            yield Forks(box, process, below)
        finally:
            assert process.stdin
            process.stdin.close()  # then it ends when its last recording has
            try:
                process.wait(HANG_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            assert process.stdout
            process.stdout.close()


# ---------------------------------------------------------------- the program


async def _record(job: dict[str, Any], told: dict[str, Any]) -> int:
    from hydrophone.app import AsyncHydrophone, options_of
    from hydrophone.cli.outcomes import code_of_outcomes
    from hydrophone.recorder.events import Event, Started
    from hydrophone.settings import Settings

    folder = Path(job["folder"])
    settings = Settings.load(archive=folder, state_dir=folder / ".state", sync_seconds=0.02, connections=2)

    def listen(event: Event) -> None:
        if isinstance(event, Started):
            told["resumed"] = event.resumed_segments

    options = options_of(settings)
    options = replace(options, patience=replace(options.patience, **job["patience"]))
    async with AsyncHydrophone(settings) as engine:
        outcomes = await engine.record(job["link"], options=options, on_event=listen)
    coverage, error = outcomes[0].coverage, outcomes[0].error
    told |= {"gaps": len(coverage.gaps) if coverage else 0, "error": str(error or "")}
    return int(code_of_outcomes(outcomes))


def _tell_acknowledged(witness: int) -> None:
    """From now on, pass on the lines that the take believes to be on the disk."""
    from hydrophone.archive.batch import BatchWriter, Waiting

    acknowledge = BatchWriter._acknowledge

    def tell(writer: BatchWriter, batch: Sequence[Waiting], lines: Sequence[bytes]) -> None:
        acknowledge(writer, batch, lines)
        os.write(witness, b"".join(line for line in lines if b'"kind":"segment"' in line))

    BatchWriter._acknowledge = tell  # type: ignore[method-assign]


def _victim(job: dict[str, Any], channel: socket.socket, answers: int, witness: int) -> None:
    """The fork that records. Never returns."""
    from hydrophone.cli.exits import code_of

    kinds = Fault(**job["fault"]).kinds
    _tell_acknowledged(witness)
    if kinds:
        install(channel, kinds)
    channel.close()
    told: dict[str, Any] = {}
    try:
        code = asyncio.run(_record(job, told))
    except Exception as error:
        code = int(code_of(error))
        told["error"] = f"{type(error).__name__}: {error}"
    if job.get("lists_modules"):
        told["modules"] = [name for name in sys.modules if name not in _KNOWN]
    os.write(answers, json.dumps(told).encode())
    os._exit(code)


class _Striker:
    """Counts the calls of one fork and decides what becomes of them."""

    def __init__(self, fault: Fault) -> None:
        self.calls = 0
        self.struck: list[str] = []
        self.trace: list[str] = []
        self._fault = fault

    def decide(self, call: Call) -> Verdict:
        fault = self._fault
        if call.kind not in fault.kinds:
            return None
        self.calls += 1
        said = f"{call.kind} {Path(call.path).name}"
        if not fault.at:
            self.trace.append(said)
            return None
        if self.calls < fault.at or (self.calls - fault.at) % fault.every:
            return None
        verdict: Verdict = KILL if fault.what == KILLED else None
        if fault.what == SHORT:
            verdict = call.shorten() or None
        elif fault.what == POWER_CUT:
            _cut_power(call.path)
            verdict = KILL
        elif fault.what != KILLED:
            verdict = -getattr(errno, fault.what)
        if verdict is not None:
            self.struck.append(said)
        return verdict


def _cut_power(path: str) -> None:
    """For the file system that a path is on."""
    folder = next(parent for parent in Path(path).parents if parent.is_mount())
    fd = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(fd, _SHUT_DOWN, _WITHOUT_FLUSHING_THE_LOG)
    finally:
        os.close(fd)


def _supervise(job: dict[str, Any]) -> dict[str, Any]:
    """Fork a victim and watch it until it is gone."""
    ours, theirs = socket.socketpair()
    reader, writer = os.pipe()
    witness, told_to = os.pipe()
    striker = _Striker(Fault(**job["fault"]))
    victim = os.fork()
    if victim == 0:
        ours.close()
        os.close(reader)
        os.close(witness)
        _victim(job, theirs, writer, told_to)
    theirs.close()
    os.close(writer)
    os.close(told_to)
    end = os.pidfd_open(victim)
    until = time.monotonic() + HANG_SECONDS
    poll = select.poll()
    poll.register(end, select.POLLIN)
    watcher = None
    if job["fault"]["kinds"]:
        watcher = Watcher(ours, victim, Path(job["below"]), striker.decide)
        poll.register(watcher.fd, select.POLLIN)
    while end not in (ready := dict(poll.poll(1000))):
        if watcher is not None and watcher.fd in ready:
            watcher.answer_one()
        if time.monotonic() > until:
            os.kill(victim, signal.SIGABRT)
            until += HANG_SECONDS
    _, status = os.waitpid(victim, 0)
    with os.fdopen(reader, "rb") as pipe:
        told: dict[str, Any] = json.loads(pipe.read() or b"{}")
    with os.fdopen(witness, "rb") as pipe:
        lines = [json.loads(line) for line in pipe]
    told["acknowledged"] = [[line["epoch"], line["seq"]] for line in lines]
    answer = {"number": job["number"], "status": os.waitstatus_to_exitcode(status), "calls": striker.calls}
    return answer | {"struck": striker.struck, "trace": striker.trace} | told


def _fork_supervisor(job: dict[str, Any]) -> None:
    if os.fork() == 0:
        try:
            answer = _supervise(job)
        except BaseException as error:
            answer = {"number": job["number"], "status": 98, "calls": 0, "error": f"the supervisor failed: {error!r}"}
        modules = answer.pop("modules", [])
        if job.get("lists_modules"):
            os.write(job["lists_modules"], json.dumps(modules).encode())
        else:
            os.write(1, json.dumps(answer).encode() + b"\n")
        os._exit(0)


def _learn_modules(job: dict[str, Any]) -> None:
    """Import what a recording imports on its way: let a fork find out."""
    reader, writer = os.pipe()
    with tempfile.TemporaryDirectory() as folder:
        _fork_supervisor(
            job | {"folder": folder, "below": folder, "fault": asdict(UNDISTURBED), "lists_modules": writer}
        )
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            names = json.loads(pipe.read())
    for name in names:
        with contextlib.suppress(ImportError):  # some are made, not imported
            importlib.import_module(name)
    gc.collect()
    gc.disable()  # a collection in a fork would touch, and so copy, all that it shares
    gc.freeze()


_KNOWN: set[str] = set()


def main() -> None:
    _KNOWN.update(sys.modules)
    has_learned = False
    for line in sys.stdin:
        job = json.loads(line)
        if not has_learned:
            _learn_modules(job)
            has_learned = True
        _fork_supervisor(job)
        _reap(os.WNOHANG)
    _reap(0)


def _reap(how: int) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, how)[0]:
            pass


if __name__ == "__main__":
    main()
