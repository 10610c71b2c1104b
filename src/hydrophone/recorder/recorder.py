"""Any number of recordings in one process, side by side; one that fails or stalls does not touch the others."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from hydrophone.errors import AbortedError, HydrophoneError
from hydrophone.recorder.caretaker import Caretaker
from hydrophone.recorder.events import Event, Outcome, Result
from hydrophone.recorder.options import RecordOptions, StopSignal
from hydrophone.recorder.recording import Recording, Tools
from hydrophone.recorder.resolving import Resolver


def _ignore(event: Event) -> None:
    """Nobody is listening."""


class Recorder:
    """Record links.

    Args:
        caretaker: looks after the process meanwhile; None where the loop does not live in real time.
    """

    def __init__(self, tools: Tools, resolver: Resolver, *, caretaker: Caretaker | None = None) -> None:
        self._tools = tools
        self._resolver = resolver
        self._caretaker = caretaker

    async def record(
        self,
        links: Sequence[str],
        options: RecordOptions,
        *,
        on_event: Callable[[Event], None] = _ignore,
        stop: StopSignal | None = None,
    ) -> list[Outcome]:
        """Record all of them at once and return how each went, in their order.

        A link that leads to a Space which is being recorded already gets the outcome of that recording.

        Raises:
            AbortedError: the user said stop twice.
        """
        stop = stop or StopSignal()
        with self._caretaker.watching() if self._caretaker else contextlib.nullcontext():
            outcomes = await self._record_all(links, options, on_event, stop)
        for outcome in outcomes:
            if isinstance(outcome.error, AbortedError):
                raise outcome.error
        return outcomes

    async def _record_all(
        self, links: Sequence[str], options: RecordOptions, on_event: Callable[[Event], None], stop: StopSignal
    ) -> list[Outcome]:
        running: dict[str, asyncio.Task[Outcome]] = {}
        async with asyncio.TaskGroup() as group:

            async def one(link: str) -> Outcome:
                try:
                    source = await self._resolver.resolve(link)
                except HydrophoneError as error:
                    outcome = Outcome(key=link, link=link, result=Result.FAILED, error=error)
                    on_event(outcome)
                    return outcome
                task = running.get(source.key)
                if task is None:
                    recording = Recording(source, self._tools, options, link=link, stop=stop, emit=on_event)
                    task = running[source.key] = group.create_task(self._run(recording, link, source.key))
                return await task

            tasks = [group.create_task(one(link)) for link in links]
        return [task.result() for task in tasks]

    @staticmethod
    async def _run(recording: Recording, link: str, key: str) -> Outcome:
        # An abort is every recording's own; raised here it would cancel the others before their files are closed.
        try:
            return await recording.run()
        except AbortedError as error:
            return Outcome(key=key, link=link, result=Result.STOPPED, error=error)
