"""What a broadcast tells whoever watches it. `target` is a target's label, which never holds the stream key."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Sent(StrEnum):
    """How it ended for one target."""

    COMPLETE = "complete"
    GAPS = "sent with gaps"  #: the target was away or too slow for a while
    STOPPED = "stopped"  #: the user said stop
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The source is understood. `audio` and `video` are ``copy``, ``encode``, ``still`` or ``none``."""

    source: str
    audio: str
    video: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A target takes the stream, for the first time or again (`reconnects` > 0)."""

    target: str
    reconnects: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A target cannot be reached or went away; the next try is in `retry_seconds`."""

    target: str
    reason: str
    retry_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The service shows the broadcast to the public from now on."""

    target: str
    broadcast_id: str
    share_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """Where one target stands, about once a second.

    `seconds` of media were sent, `missed_seconds` were not because the target was away or too slow; `bitrate_bps` is of
    the last few seconds.
    """

    target: str
    is_connected: bool
    seconds: float
    size_bytes: int
    bitrate_bps: float
    reconnects: int
    missed_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something a person should know; the broadcast goes on."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOutcome:
    """The end for one target. `error` is set when `result` is FAILED."""

    target: str
    result: Sent
    seconds: float = 0.0
    size_bytes: int = 0
    missed_seconds: float = 0.0
    reconnects: int = 0
    share_url: str = ""
    error: Exception | None = None


BroadcastEvent = Opened | Connected | Lost | Published | Sending | Notice | TargetOutcome
