"""Who looks after the process while it records: says when the event loop stood still, gives freed memory back.

All recordings of a process share one loop, so whatever holds it up holds up all of them, and its operator should know
what it was. And an allocator keeps what a burst has left behind: after fifty Spaces that ended in the same minute, 190
of 290 MB belonged to nobody. glibc returns them when it is asked to.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import functools
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

log = logging.getLogger("hydrophone.recorder")

BEAT_SECONDS = 1.0
LATE_SECONDS = 0.25  #: what the loop may be late by without a line in the log
ALARMING_SECONDS = 3.0  #: a segment, of the four that a live window has: from here on it is a warning
TELL_SECONDS = 60.0  #: between two such messages
TRIM_SECONDS = 30.0
LEAVE_SECONDS = 1.0  #: a trim that is under way is waited for, not longer
#: With the usual five milliseconds the loop waits so long after each of its system calls, while a thread is at work; a
#: turn with a hundred of them stood for half a second.
SWITCH_SECONDS = 0.0005


class Caretaker:
    """A thread beside the event loop for as long as something is recorded. Its own work is one timer a second."""

    def __init__(
        self,
        *,
        beat_seconds: float = BEAT_SECONDS,
        late_seconds: float = LATE_SECONDS,
        trim: Callable[[], None] | None = None,
        trim_seconds: float = TRIM_SECONDS,
    ) -> None:
        self.most_late = 0.0  #: seconds
        self._beat_seconds = beat_seconds
        self._late = late_seconds
        self._trim = trim or trim_memory
        self._trim_seconds = trim_seconds
        self._users = 0
        self._done = threading.Event()
        self._thread: threading.Thread | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._switch_seconds = 0.0  # between threads, before we came
        self._place = ""  # where the loop stands, while it does
        self._told = -TELL_SECONDS
        self._untold = 0

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the running loop; any number of times at once."""
        self._users += 1
        if self._users == 1:
            self._start()
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                self._stop()

    def _start(self) -> None:
        self._done = threading.Event()
        self._switch_seconds = sys.getswitchinterval()
        sys.setswitchinterval(min(self._switch_seconds, SWITCH_SECONDS))
        self._set_timer()
        arguments = (threading.get_ident(), self._done)
        self._thread = threading.Thread(target=self._work, args=arguments, name="hydrophone-caretaker", daemon=True)
        self._thread.start()

    def _stop(self) -> None:
        self._done.set()
        if self._thread is not None:
            self._thread.join(LEAVE_SECONDS)
            self._thread = None
        sys.setswitchinterval(self._switch_seconds)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # ------------------------------------------------------------ in the loop

    def _set_timer(self) -> None:
        self._due = time.monotonic() + self._beat_seconds
        self._timer = asyncio.get_running_loop().call_later(self._beat_seconds, self._beat)

    def _beat(self) -> None:
        now = time.monotonic()
        late = now - self._due
        place, self._place = self._place, ""
        self._set_timer()
        if late <= self._late:
            return
        self.most_late = max(self.most_late, late)
        if late < ALARMING_SECONDS and now - self._told < TELL_SECONDS:
            self._untold += 1
            return
        more = f", after {self._untold} times since the last message" if self._untold else ""
        self._told, self._untold = now, 0
        level = logging.WARNING if late >= ALARMING_SECONDS else logging.INFO
        log.log(level, "the event loop stood still for %.2f s%s%s", late, f", in {place}" if place else "", more)

    # ------------------------------------------------------------ in the thread

    def _work(self, loop_thread: int, done: threading.Event) -> None:
        trim_at = time.monotonic() + self._trim_seconds
        looked = 0.0
        while not done.wait(max(0.05, self._due + self._late - time.monotonic())):
            due = self._due
            # Once for each time that it stands still: the first look shows what it is in.
            if due != looked and time.monotonic() - due >= self._late:
                looked = due
                self._place = _place(sys._current_frames().get(loop_thread))
            if time.monotonic() >= trim_at:
                self._trim()
                trim_at = time.monotonic() + self._trim_seconds


def _place(frame: FrameType | None) -> str:
    """Where a thread is: the innermost function of ours, and what it has called."""
    innermost = None
    while frame is not None:
        name = f"{frame.f_globals.get('__name__', '?')}.{frame.f_code.co_name}"
        innermost = innermost or name
        if name.startswith("hydrophone."):
            return name if name == innermost else f"{name} ({innermost})"
        frame = frame.f_back
    return innermost or ""


def trim_memory() -> None:
    """Give memory that nobody uses back to the system, where the C library can (glibc). It takes some milliseconds."""
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@functools.cache
def _malloc_trim() -> Callable[[int], int] | None:
    if sys.platform != "linux":
        return None
    try:
        call = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None
    call.argtypes, call.restype = [ctypes.c_size_t], ctypes.c_int
    return call
