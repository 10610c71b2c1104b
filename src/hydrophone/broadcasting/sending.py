"""One target: a process that pushes, the queue before it, and coming back after every loss.

The process is `hydrophone.media.pushing`; why it is one stands there. A target that refuses, hangs or crawls costs the
others nothing: its queue drops, its process is ended, and it is tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hydrophone.broadcasting.backoff import Backoff
from hydrophone.broadcasting.events import BroadcastEvent, Connected, Lost, Sending, Sent, TargetOutcome
from hydrophone.broadcasting.feed import Setup
from hydrophone.broadcasting.tagqueue import TagQueue
from hydrophone.broadcasting.targets import Target
from hydrophone.errors import UnreachableError
from hydrophone.media.flv import Tag, build_tag
from hydrophone.media.pushing import Order

_RATE_WINDOW_SECONDS = 5.0
_PIPE_BYTES = 1 << 15
_QUIET_SECONDS = 1.0  #: the process reports a few times a second, and the last of it only when more comes


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long each kind of trouble is borne, in seconds."""

    lag: float = 6.0  #: of media that may wait for a slow target
    connect: float = 15.0
    stall: float = 10.0  #: of no progress while something is on its way
    drain: float = 10.0  #: at the end, for what is still on its way
    first_retry: float = 1.0
    last_retry: float = 30.0
    start: float = 5.0  #: the source waits so long for targets that have not answered yet
    patience: float = 60.0  #: when nobody at all can be reached at the beginning


class _ConnectionLostError(Exception):
    """This connection is over; `reason` is for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class _Counts:
    seconds: float = 0.0  #: of connections that have ended
    size_bytes: int = 0
    connections: int = 0
    at_ms: int = 0  #: of this connection, acknowledged
    at_bytes: int = 0
    recent: deque[tuple[float, int]] = field(default_factory=deque)


class Sender:
    """Keeps one target supplied. `run` in a task; `offer` never waits."""

    def __init__(
        self,
        target: Target,
        setup: Setup,
        *,
        limits: Limits,
        speed: float,
        emit: Callable[[BroadcastEvent], None],
        is_waited_for: bool = True,
        ca_file: str | None = None,
    ) -> None:
        """Prepare.

        Args:
            is_waited_for: the source begins when the target answers, so what is played before was missed.
        """
        self.target = target
        self.first_answer = asyncio.Event()  #: the first try has succeeded or failed
        self.connected = asyncio.Event()  #: it has taken the stream at least once
        self.is_connected = False
        self.is_over = False
        self.reason = ""  #: why the last connection came to nothing
        self._setup, self._limits, self._speed, self._emit = setup, limits, speed, emit
        self._ca_file = ca_file
        self._queue = TagQueue(round(limits.lag * speed * 1000), counts_start=is_waited_for)
        self._backoff = Backoff(first=limits.first_retry, most=limits.last_retry)
        self._something = asyncio.Event()
        self._ended = asyncio.Event()
        self._renewed = False
        self._end_ms = 0
        self._base_ms: int | None = None
        self._written_ms = 0
        self._is_delivered = False
        self._counts = _Counts()

    # ------------------------------------------------------------ the source's side

    def offer(self, tag: Tag) -> None:
        """Take a tag or let it go."""
        self._end_ms = max(self._end_ms, tag.at_ms)
        self._queue.put(tag)
        self._something.set()

    def renew(self, setup: Setup) -> None:
        """The stream's configuration has changed: it needs a new connection."""
        self._setup = setup
        self._renewed = True
        self._something.set()

    def end(self) -> None:
        """The source has ended: send what waits, then disconnect."""
        self._ended.set()
        self._something.set()

    # ------------------------------------------------------------ the target's side

    async def run(self) -> None:
        """Send until the source has ended."""
        while not self._is_delivered:
            began = time.monotonic()
            reconnects = self._counts.connections
            try:
                await self._connection()
            except _ConnectionLostError as lost:
                self.reason = lost.reason
            lasted = time.monotonic() - began if self._counts.connections > reconnects else 0.0
            self._account()
            self.first_answer.set()
            if self._ended.is_set():
                break
            if self._renewed:
                self._renewed = False
                continue
            wait = self._backoff.after(lasted)
            self._emit(Lost(target=self.target.label, reason=self.reason, retry_seconds=round(wait, 1)))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), wait)
        self._queue.close(self._end_ms)
        self.is_over = True

    def status(self) -> Sending:
        """Where it stands."""
        counts = self._counts
        return Sending(
            target=self.target.label,
            is_connected=self.is_connected,
            seconds=round(counts.seconds + counts.at_ms / 1000, 3),
            size_bytes=counts.size_bytes + counts.at_bytes,
            bitrate_bps=self._bitrate(),
            reconnects=max(0, counts.connections - 1),
            missed_seconds=self._queue.missed_ms / 1000,
        )

    def outcome(self, *, is_stopped: bool) -> TargetOutcome:
        """How it ended."""
        status = self.status()
        error: Exception | None = None
        if not self._counts.connections:
            result = Sent.FAILED
            error = UnreachableError(
                f"{self.target.label} could not be reached: {self.reason or 'no answer'}",
                advice="Check the address, the key and whether the server expects the stream now.",
            )
        elif is_stopped:
            result = Sent.STOPPED
        else:
            result = Sent.GAPS if status.missed_seconds else Sent.COMPLETE
        return TargetOutcome(
            target=status.target,
            result=result,
            seconds=status.seconds,
            size_bytes=status.size_bytes,
            missed_seconds=status.missed_seconds,
            reconnects=status.reconnects,
            error=error,
        )

    async def _connection(self) -> None:
        """One connection, from its first byte to the end of the source.

        Raises:
            _ConnectionLostError: it did not get that far.
        """
        process = await asyncio.create_subprocess_exec(
            # -P: a file in the current folder must not be taken for one of our modules.
            *(sys.executable, "-P", "-m", "hydrophone.media.pushing"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # It needs none of our settings, and some of them are secrets.
            env={name: value for name, value in os.environ.items() if not name.startswith("HYDROPHONE_")},
        )
        try:
            await self._connect(process)
            writing = asyncio.ensure_future(self._write(process))
            try:
                await self._hear(process, writing)
            finally:
                writing.cancel()
                await asyncio.gather(writing, return_exceptions=True)
        except OSError as error:
            raise _ConnectionLostError(error.strerror or type(error).__name__) from error
        finally:
            self.is_connected = False
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            await process.wait()

    async def _connect(self, process: asyncio.subprocess.Process) -> None:
        stdin = _pipe(process.stdin)
        order = Order(
            url=self.target.url,
            setup=self._setup.flv,
            connect_seconds=self._limits.connect,
            ca_file=self._ca_file,
        )
        stdin.write(order.line())
        facts = await self._first_report(process)
        if facts.get("state") != "connected":
            raise _ConnectionLostError(str(facts.get("reason") or "no answer"))
        counts = self._counts
        counts.connections += 1
        counts.recent.clear()
        self._queue.open()
        self.is_connected = True
        self.connected.set()
        self._emit(Connected(target=self.target.label, reconnects=counts.connections - 1))
        self.first_answer.set()

    async def _first_report(self, process: asyncio.subprocess.Process) -> dict[str, Any]:
        """What came of connecting; nothing when the source ended before, for then it is of no use."""
        report = asyncio.ensure_future(self._report(process))
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            # The process has a watch of its own; this one is for what comes before and after it.
            await asyncio.wait((report, ended), timeout=self._limits.connect + 5, return_when=asyncio.FIRST_COMPLETED)
            return report.result() if report.done() else {"state": "failed", "reason": "no answer"}
        finally:
            for task in (report, ended):
                task.cancel()
            await asyncio.gather(report, ended, return_exceptions=True)

    async def _write(self, process: asyncio.subprocess.Process) -> None:
        """Feed the process until the source has ended, then let it finish."""
        stdin = _pipe(process.stdin)
        stdin.transport.set_write_buffer_limits(high=_PIPE_BYTES)
        while not self._renewed:
            tag = self._queue.take()
            if tag is None:
                if self._ended.is_set():
                    break
                self._something.clear()
                await self._something.wait()
                continue
            if self._base_ms is None:
                self._base_ms = tag.at_ms
            # Every connection begins at 0: services take what it begins with for its beginning.
            moved = tag.moved(-self._base_ms)
            self._written_ms = max(self._written_ms, moved.at_ms)
            stdin.write(build_tag(moved))
            await stdin.drain()
        stdin.close()

    async def _hear(self, process: asyncio.subprocess.Process, writing: asyncio.Future[None]) -> None:
        """Follow the reports until everything is sent."""
        silent_since = time.monotonic()
        while True:
            try:
                facts = await asyncio.wait_for(self._report(process), 1.0)
            except TimeoutError:
                now = time.monotonic()
                on_its_way = (self._written_ms - self._counts.at_ms) / 1000 / self._speed
                if on_its_way < _QUIET_SECONDS and not writing.done():
                    silent_since = now  # the source pauses, so there is nothing to report
                if now - silent_since > (self._limits.drain if self._ended.is_set() else self._limits.stall):
                    raise _ConnectionLostError("it takes nothing any more") from None
                continue
            silent_since = time.monotonic()
            self._note(facts)
            if facts.get("state") == "sent":
                break
            if facts.get("state") != "sending":
                raise _ConnectionLostError(str(facts.get("reason") or "the connection was lost"))
        with contextlib.suppress(TimeoutError):
            # Saying goodbye may fail or hang; everything has been sent.
            await asyncio.wait_for(process.wait(), self._limits.drain)
        self._is_delivered = self._ended.is_set() and not self._renewed

    async def _report(self, process: asyncio.subprocess.Process) -> dict[str, Any]:
        if process.stdout is None:
            raise _ConnectionLostError("the sender has no output")
        line = await process.stdout.readline()
        try:
            facts = json.loads(line)
        except ValueError:
            facts = None
        return facts if isinstance(facts, dict) else {"state": "failed", "reason": "no answer, or cut off"}

    # ------------------------------------------------------------ counting

    def _note(self, facts: dict[str, Any]) -> None:
        counts = self._counts
        at_ms, at_bytes = facts.get("at_ms"), facts.get("bytes")
        if isinstance(at_ms, int) and isinstance(at_bytes, int):
            counts.at_ms, counts.at_bytes = at_ms, at_bytes
            now = time.monotonic()
            counts.recent.append((now, at_bytes))
            while now - counts.recent[0][0] > _RATE_WINDOW_SECONDS:
                counts.recent.popleft()

    def _bitrate(self) -> float:
        recent = self._counts.recent
        if not self.is_connected or len(recent) < 2 or recent[-1][0] <= recent[0][0]:
            return 0.0
        return round((recent[-1][1] - recent[0][1]) * 8 / (recent[-1][0] - recent[0][0]))

    def _account(self) -> None:
        """Close the books of a connection that has ended."""
        counts = self._counts
        if not self._is_delivered:
            self._queue.reset(None if self._base_ms is None else self._base_ms + counts.at_ms)
        counts.seconds += counts.at_ms / 1000
        counts.size_bytes += counts.at_bytes
        counts.at_ms = counts.at_bytes = self._written_ms = 0
        self._base_ms = None
        counts.recent.clear()


def _pipe(stream: asyncio.StreamWriter | None) -> asyncio.StreamWriter:
    if stream is None:
        raise _ConnectionLostError("the sender has no input")
    return stream
