"""A TCP relay that makes a connection as slow as one over a distance: every byte arrives `delay` seconds later.

Byte-transparent, without a limit of bandwidth, for any number of connections. The set-up of a connection costs a round
trip too: the system answers a caller on loopback at once, so what the caller sends first is held back for that long.
(``tc netem`` does the same where it may be used; in most containers it may not.)

Usage: ``python relay.py DELAY HOST:PORT …`` prints one line of JSON with the ports it listens on, in that order, and
runs until it is told to stop.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import signal
import sys
from collections.abc import Callable
from itertools import count

MOST_AHEAD = 64 * 1024 * 1024  #: bytes that wait for a reader who does not read; then the sender is not read either


class Line:
    """Holds what is under way, for all connections: one heap and one timer, since thousands of timers cost more."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._number = count()
        self._timer: asyncio.TimerHandle | None = None

    def later(self, due: float, act: Callable[[], None]) -> None:
        """Do it at that moment of the loop's clock; things due at the same moment in the order of their coming."""
        heapq.heappush(self._heap, (due, next(self._number), act))
        if self._timer is None or due < self._timer.when():
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(due, self._deliver)

    def _deliver(self) -> None:
        heap, now = self._heap, self._loop.time()
        while heap and heap[0][0] <= now:
            heapq.heappop(heap)[2]()
        self._timer = self._loop.call_at(heap[0][0], self._deliver) if heap else None


class End(asyncio.Protocol):
    """One of the two ends of a relayed connection; `other` is the one that its bytes go to."""

    def __init__(self, line: Line, delay: float) -> None:
        self.line = line
        self.delay = delay
        self.other: End | None = None
        self.transport: asyncio.Transport | None = None
        self.not_before = 0.0
        self.early: list[bytes] = []  #: came before there was another end
        self.is_over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.set_write_buffer_limits(high=MOST_AHEAD)
        for data in self.early:
            transport.write(data)
        self.early.clear()

    def data_received(self, data: bytes) -> None:
        self._pass_on(lambda other: other.write(data))

    def eof_received(self) -> bool:
        self._pass_on(End.finish)
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self.is_over = True
        self._pass_on(End.leave)

    def pause_writing(self) -> None:
        if self.other is not None and self.other.transport is not None and not self.other.is_over:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and self.other.transport is not None and not self.other.is_over:
            self.other.transport.resume_reading()

    def _pass_on(self, act: Callable[[End], None]) -> None:
        other = self.other
        if other is not None:
            due = max(asyncio.get_running_loop().time(), self.not_before) + self.delay
            self.line.later(due, lambda: act(other))

    def write(self, data: bytes) -> None:
        if self.transport is None:
            self.early.append(data)
        elif not self.is_over:
            self.transport.write(data)

    def finish(self) -> None:
        if self.transport is not None and not self.is_over and self.transport.can_write_eof():
            self.transport.write_eof()

    def leave(self) -> None:
        if self.transport is not None and not self.is_over:
            self.transport.close()


class Caller(End):
    """The end towards whoever called."""

    def __init__(self, line: Line, delay: float, host: str, port: int) -> None:
        super().__init__(line, delay)
        self._target = host, port
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.not_before = asyncio.get_running_loop().time() + 2 * self.delay
        self.other = End(self.line, self.delay)
        self.other.other = self
        self._task = asyncio.ensure_future(self._connect(self.other))

    async def _connect(self, far: End) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: far, *self._target)
        except OSError:
            if self.transport is not None:
                self.transport.abort()
            return
        if self.is_over:
            far.leave()


async def relay(delay: float, targets: list[tuple[str, int]], host: str = "127.0.0.1") -> list[asyncio.Server]:
    """Listen on one free port for each target. `delay` is for one direction."""
    loop = asyncio.get_running_loop()
    line = Line(loop)

    async def listen(target: tuple[str, int]) -> asyncio.Server:
        return await loop.create_server(lambda: Caller(line, delay, *target), host, 0, backlog=4096)

    return [await listen(target) for target in targets]


async def _main() -> None:
    delay, *names = sys.argv[1:]
    targets = [(host, int(port)) for host, _, port in (name.rpartition(":") for name in names)]
    servers = await relay(float(delay), targets)
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


if __name__ == "__main__":
    asyncio.run(_main())
