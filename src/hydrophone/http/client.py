"""The sync door: the async client on a private event-loop thread, so that it also works inside a running loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from hydrophone.http.budgets import Budgets
from hydrophone.http.driver import AsyncClient
from hydrophone.http.endpoints import Endpoints
from hydrophone.http.messages import Call, Question, Reply, Request
from hydrophone.http.settings import HttpSettings

T = TypeVar("T")


class Client:
    """Ask calls and questions, and wait for the answer. May be shared by threads; `close` it, or use `with`."""

    def __init__(
        self,
        endpoints: Endpoints | None = None,
        *,
        settings: HttpSettings | None = None,
        budgets: Budgets | None = None,
    ) -> None:
        self._async = AsyncClient(endpoints, settings=settings, budgets=budgets)
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, question: Call[T] | Question[T]) -> T:
        """The answer to a call or a question; raises what reading it raises, and what `send` raises."""
        return self._run(self._async.ask(question))

    def send(self, request: Request) -> Reply:
        """One reply, whatever its status. Raises as `AsyncClient.send` does."""
        return self._run(self._async.send(request))

    def close(self) -> None:
        """Close the connections and end the thread. Twice is as good as once."""
        with self._lock:
            self._is_closed = True
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._end(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    async def _end(self) -> None:
        """Nobody may wait for ever on a loop that has stopped, so what is still asked is canceled first."""
        asked = asyncio.all_tasks() - {asyncio.current_task()}
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        await self._async.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            loop = self._started_loop()
            if threading.current_thread() is self._thread:
                raise RuntimeError("the sync client was called from its own event loop; use AsyncClient there")
        except RuntimeError:
            work.close()
            raise
        future = asyncio.run_coroutine_threadsafe(work, loop)
        try:
            return future.result()
        except BaseException:
            # Ctrl-C in the calling thread must not leave the request running.
            future.cancel()
            raise

    def _started_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._is_closed:
                raise RuntimeError("the client is closed")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="hydrophone-http", daemon=True)
                self._thread.start()
            return self._loop
