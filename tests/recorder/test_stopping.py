"""Stop once, stop twice."""

from __future__ import annotations

import asyncio

import pytest

import virtual_time
from hydrophone.errors import AbortedError, NoReplayError
from hydrophone.recorder.clock import Clock
from hydrophone.recorder.options import StopSignal
from hydrophone.recorder.stopping import stopped_within, unless_aborted, unless_stopped


async def later(seconds: float, signal: object) -> None:
    await asyncio.sleep(seconds)
    signal()  # type: ignore[operator]


def test_finishing_ends_the_work_and_aborting_is_more_than_finishing() -> None:
    stop = StopSignal()
    assert (stop.is_finishing, stop.is_aborting) == (False, False)
    stop.finish()
    assert (stop.is_finishing, stop.is_aborting) == (True, False)
    stop.abort()
    assert (stop.is_finishing, stop.is_aborting) == (True, True)


def test_work_that_ends_by_itself_is_done() -> None:
    async def main() -> bool:
        return await unless_stopped(asyncio.sleep(5.0), StopSignal())

    assert virtual_time.run(main()) is True


def test_work_is_cancelled_and_has_ended_when_the_user_says_stop() -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append(True)

    async def main() -> bool:
        stop = StopSignal()
        waiting = asyncio.ensure_future(later(2.0, stop.finish))
        result = await unless_stopped(work(), stop)
        await waiting
        return result

    assert virtual_time.run(main()) is False
    assert ended == [True]


def test_the_second_stop_aborts() -> None:
    async def main() -> None:
        stop = StopSignal()
        waiting = asyncio.ensure_future(later(2.0, stop.abort))
        try:
            await unless_aborted(asyncio.sleep(3600), stop)
        finally:
            await waiting

    with pytest.raises(AbortedError):
        virtual_time.run(main())


def test_an_error_of_a_worker_comes_out_of_its_group() -> None:
    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fails())
            await asyncio.sleep(3600)

    async def fails() -> None:
        raise NoReplayError("nothing there")

    with pytest.raises(NoReplayError):
        virtual_time.run(unless_aborted(work(), StopSignal()))


def test_a_mistake_of_ours_stays_a_group() -> None:
    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fails())

    async def fails() -> None:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):
        virtual_time.run(unless_aborted(work(), StopSignal()))


@pytest.mark.parametrize(("pause", "is_stopped"), [(1.0, False), (600.0, True)])
def test_waiting_ends_early_when_the_user_says_stop(pause: float, is_stopped: bool) -> None:
    async def main() -> bool:
        stop = StopSignal()
        waiting = asyncio.ensure_future(later(10.0, stop.finish))
        result = await stopped_within(pause, stop, Clock())
        await waiting
        return result

    assert virtual_time.run(main()) is is_stopped


def test_a_scaled_clock_waits_less_and_bounds_what_does_not_scale() -> None:
    async def main() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        clock = Clock(speed=10.0)
        began, here = clock.monotonic(), loop.time()
        await clock.sleep(30.0)
        return clock.monotonic() - began, loop.time() - here

    seconds, real = virtual_time.run(main())
    assert (seconds, real) == (pytest.approx(30.0), pytest.approx(3.0))
    assert Clock(speed=10.0).real(20.0, at_least=3.0) == 3.0
    assert Clock(speed=10.0).real(60.0, at_least=3.0) == 6.0
