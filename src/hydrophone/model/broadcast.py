"""A Periscope or X video broadcast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hydrophone.model.ids import BroadcastId, MediaKey
from hydrophone.model.people import User
from hydrophone.model.space import SpaceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """A video broadcast. States are those of a Space. `broadcaster.id` is the X user id, ``""`` where it is unknown.

    `rotation_degrees` is how the camera was held when the record was made, 0 to 359 as the sensor said it.
    """

    id: BroadcastId
    state: SpaceState
    state_text: str = ""
    title: str = ""
    broadcaster: User | None = None
    media_key: MediaKey | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    scheduled_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    last_ping_at: datetime | None = None  #: the encoder's last sign of life
    has_replay: bool | None = None
    viewers: int | None = None
    viewers_total: int | None = None
    width: int | None = None
    height: int | None = None
    rotation_degrees: int | None = None
    is_private: bool | None = None
    language: str | None = None
    thumbnail_url: str | None = field(default=None, repr=False)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
