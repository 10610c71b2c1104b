"""What the service pushes, by stream or webhook: readers that take anything, and one type for every kind of event."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from hydrophone.errors import WireError
from hydrophone.http.messages import Reply
from hydrophone.http.reading import Node, read_json
from hydrophone.model import BroadcastId, Sighting, SightingKind, SpaceId, User, UserId
from hydrophone.xapi.answers import read_user
from hydrophone.xapi.prices import Kind, Resource
from hydrophone.xapi.problems import Problem, read_problems

_MOST_REMEMBERED = 10_000
_SPACE_ID = re.compile(r"[a-zA-Z0-9]{1,13}")


class EventType(StrEnum):
    """The kinds of event that Hydrophone asks for; others may come and are kept by name."""

    SPACES_START = "spaces.start"
    SPACES_END = "spaces.end"
    BROADCAST_START = "broadcast.start"
    BROADCAST_END = "broadcast.end"
    BROADCAST_CHAT = "broadcast.chat"
    OAUTH_REVOKE = "oauth.revoke"


#: Before March 2026 names looked like SpacesStart.
_OLD_NAMES = {value.value.replace(".", ""): value.value for value in EventType}
_PRICED = ("spaces.",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityEvent:
    """One event.

    `uuid` is the decimal text of a signed number and may be negative; the same event may come twice. Events about
    Spaces carry neither a time nor a title. `subject` is the id of the Space or broadcast.
    """

    uuid: str
    type: str
    subject: str | None = None
    user_id: UserId | None = None  #: whom the subscription is about
    user: User | None = None
    at: datetime | None = None  #: where the service says so (broadcasts)
    title: str | None = None
    tag: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def space_id(self) -> SpaceId | None:
        return SpaceId(self.subject) if self.subject and self.type.startswith("spaces.") else None

    @property
    def broadcast_id(self) -> BroadcastId | None:
        return BroadcastId(self.subject) if self.subject and self.type.startswith("broadcast.") else None

    @property
    def resource(self) -> Resource:
        """What the meter counts: prices of events about broadcasts are not published."""
        kind = Kind.EVENT if self.type.startswith(_PRICED) else Kind.UNPRICED
        return Resource(kind, f"{self.type}:{self.uuid}")

    def sighting(self, at: datetime) -> Sighting | None:
        """What has happened to a Space, None where it is about something else. `at` is when the event arrived."""
        kinds = {EventType.SPACES_START: SightingKind.LIVE, EventType.SPACES_END: SightingKind.ENDED}
        kind = next((kind for name, kind in kinds.items() if name == self.type), None)
        if kind is None or self.space_id is None:
            return None
        creator = self.user_id or (self.user.id if self.user else None)
        return Sighting(kind=kind, space_id=self.space_id, at=at, source="api events", creator_id=creator)


@dataclass(frozen=True, slots=True)
class Pushed:
    """What one line of the stream or one delivery holds."""

    events: tuple[ActivityEvent, ...] = ()
    problems: tuple[Problem, ...] = ()


def event_type(name: str) -> str:
    """The name as it is said today."""
    return _OLD_NAMES.get(name.lower(), name)


def read_pushed(body: bytes) -> Pushed:
    """One JSON object, with one event or several; a heartbeat is an empty one.

    Raises:
        WireError: it is no JSON object.
    """
    if not body.strip():
        return Pushed()
    root = read_json(Reply(200, body=body), "activity")
    data = root.at("data")
    nodes = [data] if data.is_object() else list(data.items())
    events = [event for node in nodes if (event := read_event(node)) is not None]
    return Pushed(tuple(events), read_problems(root.at("errors")))


def read_event(node: Node) -> ActivityEvent | None:
    """An event, None where there is no name of it. Without an id its content stands for it."""
    name = node.at("event_type").some_text()
    if name is None:
        return None
    payload = node.at("payload")
    subject = payload.first("broadcast_id", "space_id", "id").some_text()
    user_id = node.first("filter.user_id", "payload.user_id").some_text()
    who = payload.first("user.data", "author.data")
    try:
        user = read_user(who) if who.is_object() else None
    except WireError:
        user = None
    return ActivityEvent(
        uuid=node.at("event_uuid").some_text() or json.dumps(node.value, sort_keys=True)[:2000],
        type=event_type(name),
        subject=subject if subject and _SPACE_ID.fullmatch(subject) else None,
        user_id=UserId(user_id) if user_id else None,
        user=user,
        at=payload.first("event_timestamp_ms", "date_time").instant(),
        title=payload.at("title").some_text(),
        tag=node.at("tag").some_text(),
        payload=payload.mapping(),
    )


class Seen:
    """Which events have come before; the newest ten thousand are remembered."""

    def __init__(self, most: int = _MOST_REMEMBERED) -> None:
        self._most = most
        self._uuids: OrderedDict[tuple[str, str], None] = OrderedDict()

    def is_new(self, event: ActivityEvent) -> bool:
        """True the first time."""
        key = (event.type, event.uuid)
        if key in self._uuids:
            self._uuids.move_to_end(key)
            return False
        self._uuids[key] = None
        if len(self._uuids) > self._most:
            self._uuids.popitem(last=False)
        return True
