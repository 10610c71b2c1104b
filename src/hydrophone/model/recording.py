"""What a recording holds and what it lacks."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class GapCause(StrEnum):
    """Why numbers are missing."""

    NOT_FOUND = "not found"  #: the CDN answered 404 (or 403, 410) to every attempt
    DAMAGED = "damaged"  #: only short or foreign bytes ever came
    UNREACHABLE = "unreachable"  #: no answer within the deadline
    NEVER_LISTED = "never listed"  #: slid out of the window, and no snapshot or replay names it
    REFUSED = "refused"  #: the entry pointed somewhere it must not
    SEALED = "sealed"  #: encrypted, and the key was not to be had
    STOPPED = "stopped"  #: we were told to stop before it was fetched


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A run of segments that are missing: `first` to `last` inclusive, within one epoch.

    `begin_seconds` and `end_seconds` are positions in the finished recording, where silence of that length stands in.
    `is_partial`: the segment is held, but it is shorter than promised, or sealed.
    """

    epoch: int
    first: int
    last: int
    begin_seconds: float
    end_seconds: float
    cause: GapCause
    attempts: int
    is_partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of what the service offered is held.

    `segments` and `expected` count segments; `seconds` is the media held, `missing_seconds` what the gaps stand for.
    """

    segments: int
    expected: int
    seconds: float
    missing_seconds: float
    gaps: tuple[Gap, ...] = ()

    @property
    def is_complete(self) -> bool:
        return self.segments == self.expected and not self.gaps

    @property
    def share(self) -> float:
        """Held seconds over offered seconds, 0 to 1; 1 for an empty recording without gaps."""
        whole = self.seconds + self.missing_seconds
        return self.seconds / whole if whole else float(not self.gaps)

    def as_json(self) -> dict[str, Any]:
        """Coverage and every gap with its cause, as it stands in ``space.json`` and in ``--json``."""
        return {
            "is_complete": self.is_complete,
            "share": round(self.share, 6) if self.is_complete else min(round(self.share, 6), 0.999999),
            "segments": self.segments,
            "expected": self.expected,
            "seconds": round(self.seconds, 6),
            "missing_seconds": round(self.missing_seconds, 6),
            "gaps": [{**asdict(gap), "cause": gap.cause.value} for gap in self.gaps],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceSample:
    """How many were there at one moment."""

    at: datetime
    listeners: int | None
    participants: int | None
    speakers: int | None
