"""Waiting for a disk that takes nothing: told once, ended by the disk or by the user."""

from __future__ import annotations

import errno

import pytest

from hydrophone.errors import DiskError
from hydrophone.recorder.clock import Clock
from hydrophone.recorder.options import StopSignal
from hydrophone.recorder.patience import with_patience

QUICK = Clock(speed=1000.0)


class Teller:
    def __init__(self) -> None:
        self.told: list[str] = []

    def paused(self, error: DiskError) -> None:
        self.told.append(error.message)

    def resumed(self) -> None:
        self.told.append("back")


def failing(*numbers: int) -> list[DiskError]:
    return [DiskError(f"failure {number}", errno=number) for number in numbers]


async def test_work_is_done_again_until_the_disk_takes_it_and_told_once() -> None:
    tell, failures = Teller(), failing(errno.ENOSPC, errno.EROFS, errno.ENOENT)

    async def work() -> str:
        if failures:
            raise failures.pop(0)
        return "done"

    assert await with_patience(work, tell, StopSignal(), QUICK) == "done"
    assert tell.told == [f"failure {errno.ENOSPC}", "back"]


async def test_what_does_not_pass_is_not_waited_for() -> None:
    tell = Teller()

    async def work() -> None:
        raise failing(errno.EIO)[0]

    with pytest.raises(DiskError):
        await with_patience(work, tell, StopSignal(), QUICK)
    assert tell.told == []


async def test_user_who_says_stop_does_not_wait() -> None:
    tell, stop = Teller(), StopSignal()

    async def work() -> None:
        stop.finish()
        raise failing(errno.ENOSPC)[0]

    with pytest.raises(DiskError):
        await with_patience(work, tell, stop, Clock())
