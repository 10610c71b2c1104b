"""The sync door: the async client on a private event-loop thread, so that it also works inside a running loop."""

from __future__ import annotations

from types import TracebackType
from typing import Self, TypeVar

from hydrophone.http.budgets import Budgets
from hydrophone.http.driver import AsyncClient
from hydrophone.http.endpoints import Endpoints
from hydrophone.http.loopthread import LoopThread
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
        self._thread = LoopThread("hydrophone-http")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, question: Call[T] | Question[T]) -> T:
        """The answer to a call or a question; raises what reading it raises, and what `send` raises."""
        return self._thread.run(self._async.ask(question))

    def send(self, request: Request) -> Reply:
        """One reply, whatever its status. Raises as `AsyncClient.send` does."""
        return self._thread.run(self._async.send(request))

    def close(self) -> None:
        """Close the connections and end the thread. Twice is as good as once."""
        self._thread.close(self._async.close())
