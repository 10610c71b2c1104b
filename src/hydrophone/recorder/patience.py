"""Waiting for a disk that takes nothing: somebody makes room, plugs it in again, mounts it anew."""

from __future__ import annotations

import errno
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from hydrophone.errors import DiskError
from hydrophone.recorder.clock import Clock
from hydrophone.recorder.options import StopSignal
from hydrophone.recorder.stopping import stopped_within

T = TypeVar("T")
TRY_AGAIN_SECONDS = 2.0

#: What passes, by somebody's help or by itself. A hardware error or a path that is too long does not.
PASSING = frozenset(
    getattr(errno, name)
    for name in (
        "ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "ENOENT", "ENODEV", "ENXIO", "ESTALE", "ENOTCONN", "EHOSTDOWN",
        "ETIMEDOUT", "EBUSY", "EMFILE", "ENFILE", "ENOMEM",
    )
    if hasattr(errno, name)
)  # fmt: skip


class Teller(Protocol):
    """Whoever is told of a pause and of its end."""

    def paused(self, error: DiskError) -> None: ...

    def resumed(self) -> None: ...


async def with_patience(work: Callable[[], Awaitable[T]], tell: Teller, stop: StopSignal, clock: Clock) -> T:
    """The result of `work`, which is done again for as long as the disk takes nothing.

    Raises:
        DiskError: it will not pass, or the user said stop.
    """
    is_paused = False
    while True:
        try:
            result = await work()
        except DiskError as error:
            if error.errno not in PASSING or stop.is_finishing:
                raise
            if not is_paused:
                tell.paused(error)
                is_paused = True
            await stopped_within(TRY_AGAIN_SECONDS, stop, clock)
        else:
            if is_paused:
                tell.resumed()
            return result
