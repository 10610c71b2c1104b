"""What a lookout reports, whether it was told by an event stream, by a sweep over creators or by the web's fleets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hydrophone.model.ids import SpaceId, UserId
from hydrophone.model.space import Space


class SightingKind(StrEnum):
    SCHEDULED = "scheduled"
    LIVE = "live"
    CHANGED = "changed"  #: another title or another time
    ENDED = "ended"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """Something has happened to a Space.

    `at` is when we noticed, not when it happened. `source` names the teller, e.g. ``"api sweep"``. `space` is None
    where the teller said no more than the id (an event), `creator_id` where it did not say whose Space it is.
    """

    kind: SightingKind
    space_id: SpaceId
    at: datetime
    source: str
    space: Space | None = None
    creator_id: UserId | None = None
