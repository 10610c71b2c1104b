"""Work that the user may cut short: once to finish what is there, twice to leave at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from hydrophone.errors import AbortedError, HydrophoneError
from hydrophone.recorder.clock import Clock
from hydrophone.recorder.options import StopSignal

T = TypeVar("T")


async def unless_aborted(work: Awaitable[T], stop: StopSignal) -> T:
    """The result of the work.

    Raises:
        AbortedError: the user said stop twice; the work has been cancelled and has ended.
    """
    task = asyncio.ensure_future(work)
    if await _first(task, stop.aborting()):
        return _unwrap(task)
    raise AbortedError("stopped at once", advice="what was fetched is on disk; run the same command to go on")


async def unless_stopped(work: Awaitable[None], stop: StopSignal) -> bool:
    """Do the work. False when the user said stop before it had ended; it has been cancelled then."""
    task = asyncio.ensure_future(work)
    if await _first(task, stop.finishing()):
        task.result()
        return True
    return False


async def stopped_within(seconds: float, stop: StopSignal, clock: Clock) -> bool:
    """Wait so many seconds of the clock. True as soon as the user says stop."""
    try:
        # Not `wait_for`, which until Python 3.12 forgets that it was cancelled if the word comes in the same moment.
        async with asyncio.timeout(clock.real(seconds)):
            await stop.finishing()
    except TimeoutError:
        return False
    return True


async def _first(task: asyncio.Future[T], signal: Awaitable[None]) -> bool:
    """True when the task has ended, False when the signal came first. Neither goes on afterwards."""
    both: list[asyncio.Future[Any]] = [task, asyncio.ensure_future(signal)]
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        return task.done()
    finally:
        for one in both:
            one.cancel()
        await asyncio.gather(*both, return_exceptions=True)


def _unwrap(task: asyncio.Future[T]) -> T:
    """The task's result; a group of one error (from the workers) is opened, so that callers see the typed error."""
    try:
        return task.result()
    except BaseExceptionGroup as group:
        typed = group.subgroup(HydrophoneError)
        if typed is not None:
            first: BaseException = typed
            while isinstance(first, BaseExceptionGroup):
                first = first.exceptions[0]
            raise first from group
        raise
