"""One storm: many live Spaces recorded at once by the production code, in virtual time, and what is left of it then.

The seven invariants:

1. each frame that was offered is in the archive once, and in order;
2. each absence is in the ledger of gaps, and nothing else is;
3. nothing is in the archive that was never offered;
4. credentials went to their hosts only;
5. budgets were kept: no request in an interval that was forbidden;
6. every recording came to an end, with the exit code that fits;
7. tasks, threads, file descriptors and locks are what they were before.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

import virtual_time
from endurance.sky import Air, Sky
from endurance.storming_weather import CALM_AFTER, Weather, draw_airs
from hydrophone.archive import StreamStore
from hydrophone.archive.durable import Disk
from hydrophone.cli.outcomes import code_of_outcome
from hydrophone.errors import DiskError
from hydrophone.http import AsyncClient, Budgets, Endpoints, HostKind, HttpSettings
from hydrophone.http.driver import _Lane
from hydrophone.http.sessions import ask_session
from hydrophone.http.transport import Asked, Limits, RawReply
from hydrophone.recorder.clock import Clock
from hydrophone.recorder.events import Outcome
from hydrophone.recorder.options import RecordOptions
from hydrophone.recorder.recorder import Recorder
from hydrophone.recorder.recording import Tools
from hydrophone.recorder.resolving import Resolver
from hydrophone.xweb.login import Login
from hydrophone.xweb.session import WebSession
from recorder.stage import ORIGIN

FLUSH_SECONDS = 5.0
LONGEST = 6 * 3600.0  #: after the end of the last Space, of virtual time
TOKEN, CT0 = "c" * 39 + "7", "d" * 159 + "3"


@dataclass
class Ridden:
    """How a storm went. `broken` names the invariants that did not hold, each in a sentence."""

    seed: int
    spaces: int
    hours: float
    broken: list[str] = field(default_factory=list)
    struck: dict[str, int] = field(default_factory=dict)
    segments: int = 0
    missing: int = 0
    requests: int = 0
    cpu_seconds: float = 0.0

    @property
    def faults(self) -> int:
        return sum(self.struck.values())


class _LoopSyncer:
    """Flushes takes as the syncer does, on the loop's own clock."""

    def __init__(self) -> None:
        self._dirty: set[Any] = set()
        self._loop = asyncio.get_running_loop()

    def mark(self, take: Any, size_bytes: int) -> None:
        if take not in self._dirty:
            self._dirty.add(take)
            try:
                self._loop = asyncio.get_running_loop()
            except RuntimeError:  # a thread that helps to finish, and is waited for
                self._loop.call_soon_threadsafe(self._loop.call_later, FLUSH_SECONDS, self._flush, take)
            else:
                self._loop.call_later(FLUSH_SECONDS, self._flush, take)

    def _flush(self, take: Any) -> None:
        self._dirty.discard(take)
        with contextlib.suppress(DiskError):
            take.flush()

    def request(self, take: Any) -> Future[None]:
        future: Future[None] = Future()
        try:
            take.flush()
            future.set_result(None)
        except DiskError as error:
            future.set_exception(error)
        return future


class _Client(AsyncClient):
    """The production client, whose lanes end in memory."""

    def __init__(self, sky: Sky, **how: Any) -> None:
        super().__init__(Endpoints.production(), **how)
        self._sky = sky

    def _new_lane(self, kind: HostKind) -> _Lane:
        lane = super()._new_lane(kind)
        transport: Any = _Transport(self._sky, self.settings)
        return replace(lane, transport=transport)


class _Transport:
    """Asks the sky, as a session of the library is asked."""

    def __init__(self, sky: Sky, settings: HttpSettings) -> None:
        self._sky: Any = sky
        self._settings = settings

    async def ask(self, asked: Asked, limits: Limits) -> RawReply:
        return await ask_session(self._sky, asked, limits, self._settings, None)

    def close(self) -> None:
        """Nothing is open."""


class _Memory:
    """A store of the web session's state."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        return self._values.get(key)

    def put(self, key: str, value: Any) -> None:
        self._values[key] = value


def ride_out(seed: int, *, spaces: int, hours: float) -> Ridden:
    """Record all Spaces of a storm, and look at what is left. Equal arguments give equal storms, to the request."""
    began = time.process_time()
    dice = Random(f"{seed}/{spaces}/{hours}")
    airs = draw_airs(dice, spaces, hours * 3600)
    ridden = Ridden(seed, spaces, hours)
    before = _resources()
    with _folder() as folder:
        outcomes = virtual_time.run(_record(airs, dice, folder, ridden))
        for air, outcome in zip(airs, outcomes, strict=True):
            _judge(air, outcome, ridden)
        if any(CT0.encode() in body or TOKEN.encode() in body for body in _texts(folder)):
            ridden.broken.append("4: a credential is in the archive")
    after = _resources()
    if after != before:
        ridden.broken.append(f"7: threads and file descriptors were {before} and are {after}")
    ridden.cpu_seconds = time.process_time() - began
    return ridden


async def _record(airs: list[Air], dice: Random, folder: Path, ridden: Ridden) -> list[Outcome]:
    loop = asyncio.get_running_loop()
    start = loop.time()
    for air in airs:
        air.began = start - dice.choice((0.0, 5.0, 40.0, air.ends_at / 4))
    last = max(air.began + air.ends_at for air in airs) - start
    weather = Weather(dice, airs, api_calm_from=min(air.began - start + air.ends_at for air in airs))
    sky = Sky(airs, weather)
    clock = Clock(origin_at=ORIGIN)
    clock.now()
    budgets = Budgets(clock=lambda: clock.now().timestamp(), rng=Random(dice.random()))
    seeds = Random(dice.random())
    with (
        mock.patch("random.Random", lambda *args: Random(*(args or (seeds.random(),)))),
        mock.patch("hydrophone.recorder.live._RNG", Random(seeds.random())),
        _disk(weather, loop, start),
    ):
        client = _Client(sky, budgets=budgets, rng=Random(dice.random()), sleep=clock.sleep)
        session = WebSession(
            store=_Memory(), is_api=client.endpoints.is_api, now=clock.now, user_agent=client.settings.user_agent
        )
        login = Login(TOKEN, CT0)
        session.use_login(login)
        syncer: Any = _LoopSyncer()
        tools = Tools(
            client=client,
            clock=clock,
            streams=StreamStore(folder / "state" / "streams.jsonl"),
            credential=login,
            own_ids=session.own_user_ids,
            syncer=syncer,
        )
        recorder = Recorder(tools, Resolver(client, session, clock.now))
        options = RecordOptions(archive=folder / "archive", connections=dice.choice((1, 4, 16)))
        outcomes: list[Outcome] = []
        try:
            async with asyncio.timeout(last + LONGEST):
                outcomes = await recorder.record([f"https://x.com/i/spaces/{air.id}" for air in airs], options)
        except TimeoutError:
            raise AssertionError(f"6: a recording never came to its end ({reproduce(ridden)})") from None
        await client.close()
    await asyncio.sleep(FLUSH_SECONDS)
    tasks = [task.get_coro() for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    if tasks:
        ridden.broken.append(f"7: tasks are left over: {tasks[:3]}")
    if sky.leaks or sky.strangers:
        ridden.broken.append(f"4: credentials at {sky.leaks[:3]}, strangers asked: {sky.strangers[:3]}")
    if sky.impolite:
        ridden.broken.append(f"5: {len(sky.impolite)} requests too early, such as {sky.impolite[0]}")
    ridden.struck = weather.struck
    ridden.requests = sky.requests
    return outcomes


def _judge(air: Air, outcome: Outcome, ridden: Ridden) -> None:
    """Invariants 1, 2, 3 and 6 for one Space."""
    wanted = [number for number in range(air.segments) if number not in air.missing]
    ridden.segments += len(wanted)
    ridden.missing += len(air.missing)
    code = int(code_of_outcome(outcome))
    if outcome.directory is None or outcome.coverage is None:
        ridden.broken.append(f"6: {air.id} ended with {outcome.error!r}")
        return
    if code != (3 if air.missing else 0):
        ridden.broken.append(f"6: {air.id} ended with exit code {code}, and {len(air.missing)} segments are missing")
    told = [number for gap in outcome.coverage.gaps for number in range(gap.first, gap.last + 1)]
    causes = sorted({f"{gap.cause}, {gap.attempts} attempts" for gap in outcome.coverage.gaps})
    if told != sorted(air.missing):
        ridden.broken.append(f"2: {air.id} told of gaps {told[:5]} ({causes}), and there are {sorted(air.missing)[:5]}")
    kept = (outcome.directory / "original.aac").read_bytes()
    if kept != b"".join(map(air.body, wanted)):
        ridden.broken.append(_difference(air, kept, wanted))


def _difference(air: Air, kept: bytes, wanted: list[int]) -> str:
    lost = [number for number in wanted if air.body(number) not in kept]
    twice = [number for number in wanted if kept.count(air.body(number)) > 1]
    rest = kept
    for number in wanted:
        rest = rest.replace(air.body(number), b"")
    if rest:
        return f"3: {air.id} holds {len(rest)} bytes that nobody offered (lost {lost[:5]})"
    return f"1: {air.id} lost {lost[:5]}, has twice {twice[:5]}"


def reproduce(ridden: Ridden) -> str:
    """The one line that runs this storm again."""
    return (
        f"HYDROPHONE_STORM={ridden.seed}:{ridden.spaces}:{ridden.hours:g} "
        "python -m pytest tests/endurance/test_storms_whole.py -k one_storm"
    )


# ---------------------------------------------------------------- the ground


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """In memory where that is to be had: what a storm writes is read once and thrown away."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 << 30
    with tempfile.TemporaryDirectory(prefix="hydrophone-storm-", dir=memory if roomy else None) as name:
        yield Path(name)


@contextlib.contextmanager
def _disk(weather: Weather, loop: asyncio.AbstractEventLoop, start: float) -> Iterator[None]:
    """A disk that is full now and then, and never waits for its platter: that is tested elsewhere."""
    write = Disk.write

    def writing(self: Disk, fd: int, data: Any) -> int:
        if weather.is_full(loop.time() - start):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(self, fd, data)

    with (
        mock.patch("hydrophone.recorder.finishing.ThreadPoolExecutor", virtual_time.Inline),
        mock.patch.object(Disk, "write", writing),
        mock.patch("os.fsync", return_value=None),
        mock.patch("os.fdatasync", return_value=None, create=True),
    ):
        yield


def _resources() -> tuple[int, int]:
    """Threads, and open file descriptors where the system tells."""
    descriptors = Path("/proc/self/fd")
    return threading.active_count(), len(list(descriptors.iterdir())) if descriptors.is_dir() else 0


def _texts(folder: Path) -> Iterator[bytes]:
    for path in folder.rglob("*"):
        if path.suffix in (".json", ".jsonl", ".txt", ".vtt", ".srt", ".csv") and path.is_file():
            yield path.read_bytes()


__all__ = ["CALM_AFTER", "Ridden", "reproduce", "ride_out"]
