"""An event loop whose clock jumps to the next thing that is due: hours of waiting run through a test in no time.

Nothing that happens on it may depend on threads or sockets.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
START = 1000.0
MOST_TURNS = 1_000_000  #: of the loop without any time passing: then something goes round and round


class _JumpingSelector(selectors.SelectSelector):
    """Never waits: the time that it was to wait has passed at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise RuntimeError("everything waits for something that will never happen")
        self._turns = 0 if timeout > 0.0 else self._turns + 1
        if self._turns > MOST_TURNS:
            self._turns = 0
            raise RuntimeError("time stands still: something never waits")
        self.now += max(0.0, timeout)
        return []


class Inline(ThreadPoolExecutor):
    """Work that others do in threads is done at once: virtual time does not wait for threads."""

    def submit(self, work: Any, /, *args: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*args, **named))
        except BaseException as error:
            future.set_exception(error)
        return future


class VirtualLoop(asyncio.SelectorEventLoop):
    """Use it with `run`."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self.set_default_executor(Inline())

    def time(self) -> float:
        return self._jumping.now

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """There is nothing to wait for, and to wait for it takes a thread."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, run in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
