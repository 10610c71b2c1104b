"""What a recording tells its listener: progress a few times a second, and notices, which go into the journal too."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from hydrophone.errors import DiskError, HydrophoneError
from hydrophone.recorder.download import Failure, Media
from hydrophone.recorder.events import Event, Finishing, Mode, Notice, Progress, Started
from hydrophone.recorder.opening import Work
from hydrophone.recorder.plan import Job

PROGRESS_SECONDS = 0.25


class Reporter:
    """Tells. It is the fetcher's `Tally` too.

    Args:
        emit: gets every event; must not block.
    """

    def __init__(self, key: str, emit: Callable[[Event], None]) -> None:
        self.key = key
        self.emit = emit
        self.mode = Mode.REPLAY
        self.listeners: int | None = None
        self._work: Work | None = None
        self._began = time.monotonic()
        self._shown = 0.0
        self._pauses = 0

    @property
    def elapsed_seconds(self) -> float:
        return time.monotonic() - self._began

    def started(self, work: Work, mode: Mode) -> None:
        self._work = work
        self.mode = mode
        self._began = time.monotonic()
        self.emit(Started(key=self.key, mode=mode, directory=work.take.directory, resumed_segments=work.resumed))

    def finishing(self, step: str) -> None:
        """From here on nothing goes into the journal: the manifest holds its digest."""
        self._work = None
        self.emit(Finishing(key=self.key, step=step))

    def notice(self, level: str, text: str) -> None:
        self.emit(Notice(key=self.key, level=level, text=text))
        if self._work is not None:
            with contextlib.suppress(HydrophoneError):
                self._work.take.note("notice", level=level, text=text)

    def stored(self, job: Job, media: Media) -> None:
        """A segment is in the take."""
        self._progress()

    def failed(self, job: Job, failure: Failure) -> None:
        """An attempt gave nothing."""
        self._progress()

    def paused(self, error: DiskError) -> None:
        """The disk takes nothing more. Told once, however many wait for it."""
        self._pauses += 1
        if self._pauses == 1:
            self.notice("warning", f"{error.message}; paused, and going on when the disk does")

    def resumed(self) -> None:
        """The disk is back for one that waited."""
        self._pauses -= 1
        if self._pauses == 0:
            self.notice("info", "the disk is back; going on")

    def _progress(self) -> None:
        now = time.monotonic()
        if now - self._shown < PROGRESS_SECONDS or self._work is None:
            return
        self._shown = now
        plan, index = self._work.plan, self._work.take.index
        self.emit(
            Progress(
                key=self.key,
                mode=self.mode,
                segments=index.total_segments,
                expected=plan.expected,
                size_bytes=index.total_bytes,
                seconds=index.total_seconds,
                missing=max(0, plan.expected - index.total_segments - plan.queued),
                elapsed_seconds=now - self._began,
                listeners=self.listeners,
            )
        )
