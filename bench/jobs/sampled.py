"""Runs Hydrophone's command line under a sampler, and writes down which stacks of which thread used CPU time.

Usage: ``python sampled.py OUT COMMAND [ARGUMENT …]``. A thread looks at all others many times a second; the CPU time
that each has used since the last look is booked on where it stands. Imports are included, time spent waiting is not.
C functions count for the line that called them.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import FrameType

EVERY_SECONDS = 0.0007
Stack = tuple[tuple[str, str, int], ...]


def stack_of(frame: FrameType | None) -> Stack:
    """The stack from the outside in: file, function, line."""
    found = []
    while frame is not None:
        code = frame.f_code
        found.append((code.co_filename, code.co_qualname, frame.f_lineno))
        frame = frame.f_back
    return tuple(reversed(found))


class Sampler:
    """Looks until it is told to stop; `used` then holds seconds of CPU by thread name and stack."""

    def __init__(self) -> None:
        self.used: dict[tuple[str, Stack], float] = defaultdict(float)
        self._before: dict[int, float] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    def start(self) -> None:
        sys.setswitchinterval(0.0005)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        own = threading.get_ident()
        while not self._stop.wait(EVERY_SECONDS):
            names = {thread.ident: thread.name for thread in threading.enumerate()}
            for ident, frame in sys._current_frames().items():
                if ident == own:
                    continue
                try:
                    now = time.clock_gettime(time.pthread_getcpuclockid(ident))
                except OSError:  # the thread has ended meanwhile
                    continue
                delta = now - self._before.get(ident, 0.0)
                self._before[ident] = now
                if delta > 0.0:
                    self.used[names.get(ident, "another").split("-")[0].split("_")[0], stack_of(frame)] += delta


def main() -> int:
    out, arguments = sys.argv[1], sys.argv[2:]
    began, cpu = time.perf_counter(), time.process_time()
    sampler = Sampler()
    sampler.start()
    from hydrophone.cli import run

    code = run(arguments)
    sampler.stop()
    facts = {
        "wall_seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - cpu,
        "sampler_seconds": 0.0,
        "exit_code": code,
        "stacks": [[seconds, thread, stack] for (thread, stack), seconds in sampler.used.items()],
    }
    Path(out).write_text(json.dumps(facts), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
