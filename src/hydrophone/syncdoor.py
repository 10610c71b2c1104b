"""The door for code that is not async: `Hydrophone`, which asks an `AsyncHydrophone` on a thread of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from hydrophone.app import AsyncHydrophone, StreamUrls
from hydrophone.archive import VerifyReport
from hydrophone.http.loopthread import LoopThread
from hydrophone.model import Broadcast, MergedSpace, Sighting, Space
from hydrophone.recorder.events import Event, Outcome
from hydrophone.recorder.options import RecordOptions
from hydrophone.settings import Settings

if TYPE_CHECKING:
    from hydrophone.checkup import Finding
    from hydrophone.discovering import ApiBudget, Found


class Hydrophone:
    """`AsyncHydrophone` for synchronous code. Use it with ``with``; it may be used inside a running event loop."""

    def __init__(self, settings: Settings | None = None, **overrides: Any) -> None:
        self._engine = AsyncHydrophone(settings, **overrides)
        self._thread = LoopThread("hydrophone")

    @property
    def settings(self) -> Settings:
        return self._engine.settings

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def record(
        self,
        links: str | Sequence[str],
        *,
        options: RecordOptions | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> list[Outcome]:
        """See `AsyncHydrophone.record`. Events arrive on another thread; Ctrl-C finishes what is there."""
        return self._thread.run(self._engine.record(links, options=options, on_event=on_event))

    def info(
        self,
        link: str,
        *,
        all_sources: bool = False,
        with_names: bool = False,
        on_notice: Callable[[str], None] | None = None,
    ) -> Space | Broadcast:
        """See `AsyncHydrophone.info`."""
        asked = self._engine.info(link, all_sources=all_sources, with_names=with_names, on_notice=on_notice)
        return self._thread.run(asked)

    def info_with_origins(
        self,
        link: str,
        *,
        all_sources: bool = False,
        with_names: bool = False,
        on_notice: Callable[[str], None] | None = None,
    ) -> MergedSpace | Broadcast:
        """See `AsyncHydrophone.info_with_origins`."""
        asked = self._engine.info_with_origins(
            link, all_sources=all_sources, with_names=with_names, on_notice=on_notice
        )
        return self._thread.run(asked)

    def find_spaces(
        self,
        *phrases: str,
        state: str = "all",
        language: str | None = None,
        min_listeners: int = 0,
        with_names: bool = False,
        on_notice: Callable[[str], None] | None = None,
    ) -> Found:
        """See `AsyncHydrophone.find_spaces`."""
        found = self._engine.find_spaces(
            *phrases,
            state=state,
            language=language,
            min_listeners=min_listeners,
            with_names=with_names,
            on_notice=on_notice,
        )
        return self._thread.run(found)

    def spaces_by_creators(
        self,
        *creators: str,
        state: str = "all",
        language: str | None = None,
        min_listeners: int = 0,
        with_names: bool = False,
        on_notice: Callable[[str], None] | None = None,
    ) -> Found:
        """See `AsyncHydrophone.spaces_by_creators`."""
        found = self._engine.spaces_by_creators(
            *creators,
            state=state,
            language=language,
            min_listeners=min_listeners,
            with_names=with_names,
            on_notice=on_notice,
        )
        return self._thread.run(found)

    def follow(self, *creators: str, on_notice: Callable[[str], None] | None = None) -> Iterator[Sighting]:
        """See `AsyncHydrophone.follow`; break off to end it."""
        news = self._engine.follow(*creators, on_notice=on_notice)
        try:
            while True:
                try:
                    yield self._thread.run(_next(news))
                except StopAsyncIteration:
                    return
        finally:
            self._thread.run(_end(news))

    def budget(self) -> ApiBudget:
        """See `AsyncHydrophone.budget`."""
        return self._thread.run(self._engine.budget())

    def stream(self, link: str) -> StreamUrls:
        """See `AsyncHydrophone.stream`."""
        return self._thread.run(self._engine.stream(link))

    def verify(self, path: Path | str, *, deep: bool = False) -> VerifyReport:
        """See `AsyncHydrophone.verify`."""
        return self._thread.run(self._engine.verify(path, deep=deep))

    def repair(self, path: Path | str, *, on_event: Callable[[Event], None] | None = None) -> Outcome:
        """See `AsyncHydrophone.repair`."""
        return self._thread.run(self._engine.repair(path, on_event=on_event))

    def doctor(self) -> list[Finding]:
        """See `AsyncHydrophone.doctor`."""
        return self._thread.run(self._engine.doctor())

    def close(self) -> None:
        """Close all connections and end the thread."""
        self._thread.close(self._engine.close())


async def _next(news: AsyncGenerator[Sighting, None]) -> Sighting:
    return await anext(news)


async def _end(news: AsyncGenerator[Sighting, None]) -> None:
    await news.aclose()
