"""Runs Hydrophone's command line under a sampler, and writes down which stacks of which thread used CPU time.

Usage: ``python sampled.py OUT COMMAND [ARGUMENT …]``. The system interrupts the main thread after every few
milliseconds of CPU time (its own tick, usually four); what each thread has used since the last time is booked on where
it stands. Imports are included, waiting is not; C functions count for the line that called them. Other threads than the
main one are seen where they let go of the interpreter, so that their functions are known less exactly than their sums.

SIGUSR1 forgets all until then, the next one stops looking: so that a stretch of a long run can be had alone.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from types import FrameType

EVERY_SECONDS = 0.001
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
        self._is_marked = False

    def start(self) -> None:
        signal.signal(signal.SIGPROF, self._look)
        signal.signal(signal.SIGUSR1, self._mark)
        signal.setitimer(signal.ITIMER_PROF, EVERY_SECONDS, EVERY_SECONDS)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _mark(self, number: int, frame: FrameType | None) -> None:
        if self._is_marked:
            self.stop()
        else:
            self._look(number, frame)
            self.used.clear()
        self._is_marked = True

    def _look(self, _number: int, frame: FrameType | None) -> None:
        own = threading.get_ident()
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        for ident, other in sys._current_frames().items():
            try:
                now = time.clock_gettime(time.pthread_getcpuclockid(ident))
            except OSError:  # the thread has ended meanwhile
                continue
            delta = now - self._before.get(ident, 0.0)
            self._before[ident] = now
            if delta > 0.0:
                name = names.get(ident, "another").split("-")[0].split("_")[0]
                self.used[name, stack_of(frame if ident == own else other)] += delta


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
        "exit_code": code,
        "stacks": [[seconds, thread, stack] for (thread, stack), seconds in sampler.used.items()],
    }
    Path(out).write_text(json.dumps(facts), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
