"""What a recording tells whoever watches it: a progress bar, a log, a JSON line.

Every event carries `key`, the id of the Space or broadcast it is about, so that many recordings can share one listener.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from hydrophone.model import Coverage, SpaceState


class Mode(StrEnum):
    """How the audio is being had."""

    REPLAY = "replay"
    LIVE = "live"


class Result(StrEnum):
    """How a recording ended."""

    COMPLETE = "complete"
    GAPS = "finished with gaps"
    STOPPED = "stopped"  #: the user said stop; what is there is finished, and a re-run continues
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The link has been understood and the service has told us what it is."""

    key: str
    link: str
    title: str
    creator: str | None  #: the handle, without the @
    state: SpaceState
    scheduled_at: datetime | None = None
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Nothing to fetch yet; the next look is at `until`. `reason` is a phrase for people."""

    key: str
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """Fetching begins, or continues after a restart (`resumed_segments` were already on disk)."""

    key: str
    mode: Mode
    directory: Path
    resumed_segments: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Sent a few times a second at most.

    `expected` is the number of segments known so far, `seconds` the media held, `elapsed_seconds` since `Started`.
    """

    key: str
    mode: Mode
    segments: int
    expected: int
    size_bytes: int
    seconds: float
    missing: int
    elapsed_seconds: float
    listeners: int | None = None

    @property
    def speed(self) -> float:
        """Media seconds per second of the clock."""
        return self.seconds / self.elapsed_seconds if self.elapsed_seconds > 0 else 0.0

    @property
    def eta_seconds(self) -> float | None:
        """Seconds to go for a replay; None while live or before the first segment."""
        if self.mode is Mode.LIVE or not self.segments or self.expected < self.segments:
            return None
        return self.elapsed_seconds * (self.expected - self.segments) / self.segments


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something a person should know; the recording goes on. `level` is ``"info"`` or ``"warning"``."""

    key: str
    level: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finishing:
    """All is fetched; `step` says what is being made (``"original"``, ``"audio"``, ``"manifest"`` …)."""

    key: str
    step: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of one recording. `error` is set when `result` is FAILED; `directory` is None when nothing was kept."""

    key: str
    link: str
    result: Result
    title: str = ""
    directory: Path | None = None
    media: Path | None = None
    coverage: Coverage | None = None
    duration_seconds: float = 0.0
    elapsed_seconds: float = 0.0
    error: Exception | None = None


Event = Resolved | Waiting | Started | Progress | Notice | Finishing | Outcome
