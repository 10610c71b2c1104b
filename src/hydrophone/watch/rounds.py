"""What has changed between two looks at the live Spaces of some accounts. Pure: it asks nothing and has no clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from hydrophone.model import Sighting, SightingKind, Space, SpaceId

_MISSES = 2
_SOURCE = "web fleets"


class Rounds:
    """Compares rounds. A Space that is missing once may be a hiccup; missing twice, it has ended."""

    def __init__(self) -> None:
        self._live: dict[SpaceId, Space] = {}
        self._misses: dict[SpaceId, int] = {}

    def saw(self, now: datetime, spaces: Mapping[SpaceId, Space]) -> tuple[Sighting, ...]:
        """Digest one round: what began, what has another title, what is over."""
        news: list[Sighting] = []
        for space_id, space in spaces.items():
            before = self._live.get(space_id)
            if before is None:
                news.append(_sighting(SightingKind.LIVE, space, now))
            elif before.title != space.title:
                news.append(_sighting(SightingKind.CHANGED, space, now))
            self._live[space_id] = space
            self._misses.pop(space_id, None)
        for space_id in [one for one in self._live if one not in spaces]:
            self._misses[space_id] = self._misses.get(space_id, 0) + 1
            if self._misses[space_id] >= _MISSES:
                news.append(_sighting(SightingKind.ENDED, self._live.pop(space_id), now))
                del self._misses[space_id]
        return tuple(news)


def _sighting(kind: SightingKind, space: Space, now: datetime) -> Sighting:
    creator = space.creator.id if space.creator else None
    return Sighting(kind=kind, space_id=space.id, at=now, source=_SOURCE, space=space, creator_id=creator)
