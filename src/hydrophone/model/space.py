"""An X audio Space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from hydrophone.model.ids import MediaKey, SpaceId, UserId
from hydrophone.model.people import Participant, User


class SpaceState(StrEnum):
    """Our states; an endpoint's own spelling ends at its reader and is kept in `state_text`."""

    SCHEDULED = "scheduled"
    LIVE = "live"
    ENDED = "ended"
    TIMED_OUT = "timed out"
    CANCELED = "canceled"
    UNKNOWN = "unknown"

    @property
    def is_over(self) -> bool:
        """True when no more audio will come."""
        return self in (SpaceState.ENDED, SpaceState.TIMED_OUT, SpaceState.CANCELED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """An X audio Space, whichever endpoint told us about it.

    Instants are aware UTC. `started_at` is None while it is only scheduled, `ended_at` until it has ended. `has_replay`
    is what the service says; a hint, not a gate. `replay_start_seconds` is an offset into the recording. `participants`
    holds creator, hosts, speakers and the sample of listeners that the service names, without the own account.
    `warnings` are errors that came beside usable data. `raw` is the record as it came.
    """

    id: SpaceId
    state: SpaceState
    state_text: str = ""
    title: str = ""
    creator: User | None = None
    media_key: MediaKey | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    scheduled_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    canceled_at: datetime | None = None
    has_replay: bool | None = None
    has_captions: bool | None = None
    replay_start_seconds: float | None = None
    listeners: int | None = None  #: who ever listened live, a running count
    replay_viewers: int | None = None
    participant_count: int | None = None  #: the service's own count
    participants: tuple[Participant, ...] = ()
    subscriber_count: int | None = None  #: reminders set for a scheduled one, or tickets bought
    is_ticketed: bool | None = None
    invited: tuple[UserId, ...] = ()  #: asked to speak, whether or not they came
    language: str | None = None
    topics: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def display_title(self) -> str:
        """The title, or ``<host>'s Space`` as the service itself shows it."""
        if self.title:
            return self.title
        host = (self.creator.name or self.creator.handle) if self.creator else None
        return f"{host}'s Space" if host else f"Space {self.id}"
