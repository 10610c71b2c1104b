"""Runs the engine for one command, and turns signals into its two steps of stopping."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from hydrophone.cli import context
from hydrophone.cli.exits import Exit

if TYPE_CHECKING:
    from hydrophone.app import AsyncHydrophone
    from hydrophone.settings import Settings

T = TypeVar("T")

#: SIGTERM promises an end within 10 s; this leaves two for the abort.
TERMINATE_SECONDS = 8.0

#: An abort takes moments. A thread that still hangs after this, in a system call on a dying disk, is left to itself.
ABORT_SECONDS = 1.5


class Stop(Protocol):
    """What signals pull: `hydrophone.recorder.options.StopSignal`."""

    def finish(self) -> None: ...
    def abort(self) -> None: ...


def run(settings: Settings, work: Callable[[AsyncHydrophone], Coroutine[Any, Any, T]]) -> T:
    """Open the engine, do the work, close the engine."""

    async def whole() -> T:
        async with context.open_engine(settings) as engine:
            return await work(engine)

    # What has been imported stays; the collector need not look through it again and again. What comes may go.
    gc.freeze()
    gc.set_threshold(700)
    try:
        return asyncio.run(whole())
    finally:
        _leaver.cancel()


class _Leaver:
    """Ends the process when an abort does not: asyncio waits for its threads, however long they hang.

    Nothing is lost by it: a recording can be killed at any moment.
    """

    def __init__(self) -> None:
        self._timer: threading.Timer | None = None

    def start(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(ABORT_SECONDS, os._exit, [Exit.ABORTED])
            self._timer.daemon = True
            self._timer.start()

    def cancel(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()


_leaver = _Leaver()


@contextmanager
def signals_to(stop: Stop, *, say: Callable[[str], None]) -> Iterator[None]:
    """Within the block, the first Ctrl-C calls `stop.finish()`, the second `stop.abort()`, the third ends at once.

    SIGTERM (and Ctrl-Break on Windows) finishes too, and aborts when that takes longer than `TERMINATE_SECONDS`. To be
    entered in the main thread, inside a running loop. One path for all systems: `loop.add_signal_handler` does not
    exist on Windows.
    """
    loop = asyncio.get_running_loop()
    pulls = 0

    def pull(number: int, _frame: object) -> None:
        nonlocal pulls
        pulls += 1
        if pulls > 2:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            raise KeyboardInterrupt
        loop.call_soon_threadsafe(react, pulls, number != signal.SIGINT)

    def react(pull_number: int, is_deadline_set: bool) -> None:
        if pull_number > 1:
            say("Aborting. What is on disk stays; a re-run continues.")
            abort()
            return
        say("Finishing what is there. Once more to abort.")
        stop.finish()
        if is_deadline_set:
            loop.call_later(TERMINATE_SECONDS, abort)

    def abort() -> None:
        stop.abort()
        _leaver.start()

    names = [name for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]
    before = {number: signal.signal(number, pull) for number in (getattr(signal, name) for name in names)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
