"""An engine that records nothing: it tells the events it was given, waits where it is told to, and remembers calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hydrophone.app import options_of
from hydrophone.model import (
    Broadcast,
    Coverage,
    Gap,
    GapCause,
    Known,
    MergedSpace,
    Source,
    Space,
    SpaceState,
    User,
    merge_space,
)
from hydrophone.recorder.events import (
    Event,
    Finishing,
    Mode,
    Notice,
    Outcome,
    Progress,
    Resolved,
    Result,
    Started,
    Waiting,
)
from hydrophone.recorder.options import StopSignal

AT = datetime(2026, 3, 14, 18, 0, tzinfo=UTC)
KEY = "1vOxwdyYrlqKB"
GAP = Gap(epoch=0, first=10, last=11, begin_seconds=30.0, end_seconds=36.0, cause=GapCause.NOT_FOUND, attempts=5)


def outcome(result: Result = Result.COMPLETE, *, gaps: int = 0, error: Exception | None = None) -> Outcome:
    """The end of an invented recording."""
    coverage = Coverage(
        segments=40 - 2 * gaps, expected=40, seconds=120.0 - 6 * gaps, missing_seconds=6.0 * gaps, gaps=(GAP,) * gaps
    )
    return Outcome(
        key=KEY,
        link="https://x.com/i/spaces/" + KEY,
        result=result,
        title="Tides",
        directory=Path("archive/tides"),
        media=Path("archive/tides/audio.m4a"),
        coverage=coverage,
        duration_seconds=120.0,
        elapsed_seconds=2.0,
        error=error,
    )


def space() -> Space:
    """An invented Space."""
    return Space(
        id=KEY,
        state=SpaceState.ENDED,
        title="Tides \x1b[31mand\x1b[0m \u202eeddies",
        creator=User(id="7", handle="mira", name="Mira"),
        started_at=AT,
        listeners=1234,
        raw={"secret": "kept out"},
    )


def story(end: Outcome) -> list[Event]:
    """The events of a recording from the beginning to `end`."""
    return [
        Resolved(key=KEY, link=end.link, title="Tides [red]", creator="mira", state=SpaceState.LIVE, started_at=AT),
        Waiting(key=KEY, until=AT, reason="scheduled"),
        Started(key=KEY, mode=Mode.LIVE, directory=Path("archive/tides"), resumed_segments=3),
        *(progress(n) for n in (1, 20, 40)),
        Notice(key=KEY, level="warning", text="the CDN \x1b]0;title\x07 is slow"),
        Finishing(key=KEY, step="audio"),
        end,
    ]


def progress(segments: int, mode: Mode = Mode.REPLAY) -> Progress:
    """Where an invented recording stands."""
    return Progress(
        key=KEY,
        mode=mode,
        segments=segments,
        expected=40,
        size_bytes=36_000 * segments,
        seconds=3.0 * segments,
        missing=1,
        elapsed_seconds=0.5,
        listeners=123,
    )


@dataclass
class FakeEngine:
    """Stands in for `AsyncHydrophone`."""

    events: Sequence[Event] = ()
    error: BaseException | None = None
    runs_until_told: bool = False
    ignores_finish: bool = False
    settings: Any = None
    calls: list[tuple[Any, ...]] = field(default_factory=list)

    def __call__(self, settings: Any) -> Self:
        self.settings = settings
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.calls.append(("closed",))

    async def record(
        self,
        links: Sequence[str],
        *,
        on_event: Callable[[Event], None],
        stop: StopSignal,
    ) -> list[Outcome]:
        self.calls.append(("record", tuple(links), options_of(self.settings)))
        if self.error:
            raise self.error
        if self.runs_until_told:
            return await self._until_told(on_event, stop)
        for event in self.events:
            on_event(event)
        return [event for event in self.events if isinstance(event, Outcome)]

    async def _until_told(self, on_event: Callable[[Event], None], stop: StopSignal) -> list[Outcome]:
        on_event(story(outcome())[2])
        await asyncio.wait_for(stop.aborting() if self.ignores_finish else stop.finishing(), 30)
        end = outcome(Result.STOPPED, gaps=1)
        on_event(end)
        return [end]

    async def info_with_origins(
        self,
        link: str,
        *,
        all_sources: bool = False,
        with_names: bool = False,
        on_notice: Callable[[str], None] | None = None,
    ) -> MergedSpace | Broadcast:
        self.calls.append(("info", link))
        if self.error:
            raise self.error
        return merge_space([Known(space(), Source.WEB, AT)])
