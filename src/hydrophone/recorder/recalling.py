"""What the archive knows of Spaces: the record beside each recording, read back as one more source."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from hydrophone.archive.item import Item, find_item, find_items
from hydrophone.archive.journal import parse_line
from hydrophone.errors import HydrophoneError
from hydrophone.links import parse_link
from hydrophone.model import (
    Known,
    Participant,
    PeriscopeUserId,
    Role,
    Source,
    Space,
    SpaceId,
    SpaceRef,
    SpaceState,
    User,
    UserId,
)

V = TypeVar("V", bool, int, str)
_TAIL_BYTES = 1 << 20  #: the last line of a journal may be long


def recall_space(archive: Path, space_id: SpaceId) -> Known | None:
    """What the recording of a Space knows, None where there is none."""
    item = find_item(archive, space_id)
    return _read_item(item) if item is not None else None


def recall_spaces(archive: Path) -> Iterator[Known]:
    """The same for every Space in the archive; what cannot be read is passed over, `hydrophone verify` names it."""
    for item in find_items(archive):
        known = _read_item(item)
        if known is not None:
            yield known


def _read_item(item: Item) -> Known | None:
    try:
        facts = item.load_space()
        if not isinstance(parse_link(str(facts.get("link", ""))), SpaceRef):
            return None
        space = read_recorded(facts, _load_people(item))
        return Known(space, Source.RECORDING, _last_written_at(item))
    except (HydrophoneError, OSError, ValueError, TypeError, AttributeError, LookupError, OverflowError):
        # A file that somebody has edited is no reason to find nothing.
        return None


def read_recorded(facts: Mapping[str, Any], people: list[Any]) -> Space:
    """A Space out of its ``space.json`` and the list in its ``people.json``. Pure."""
    record = facts.get("record")
    return Space(
        id=SpaceId(str(facts["id"])),
        state=_state(facts.get("state")),
        state_text=str(facts.get("state") or ""),
        title=str(facts.get("title") or ""),
        creator=_read_user(facts.get("creator")),
        created_at=_instant(facts.get("created_at")),
        scheduled_at=_instant(facts.get("scheduled_at")),
        started_at=_instant(facts.get("started_at")),
        ended_at=_instant(facts.get("ended_at")),
        has_replay=_of(bool, facts.get("has_replay")),
        listeners=_of(int, facts.get("listeners")),
        language=_of(str, facts.get("language")),
        participants=tuple(_read_person(person) for person in people),
        raw=record if isinstance(record, Mapping) else {},
    )


def _of(kind: type[V], value: Any) -> V | None:
    """The value, None where it is of another kind; a flag is no number."""
    return value if type(value) is kind else None


def _state(text: Any) -> SpaceState:
    try:
        return SpaceState(text)
    except ValueError:
        return SpaceState.UNKNOWN


def _read_user(facts: Any) -> User | None:
    if not isinstance(facts, Mapping):
        return None
    known = {name: facts[name] for name in User.__dataclass_fields__ if facts.get(name) is not None}
    known["id"] = UserId(str(known.get("id", "")))
    known["created_at"] = _instant(known.get("created_at"))
    known |= {name: _of(str, known.get(name)) for name in ("handle", "name", "avatar_url")}
    return User(**known)


def _read_person(facts: Mapping[str, Any]) -> Participant:
    roles = [Role(text) for text in facts.get("roles", ()) if text in list(Role)]
    user_id, periscope_id = facts.get("user_id"), facts.get("periscope_id")
    return Participant(
        role=min(roles, key=list(Role).index, default=Role.LISTENER),
        user_id=UserId(str(user_id)) if user_id else None,
        periscope_id=PeriscopeUserId(str(periscope_id)) if periscope_id else None,
        handle=_of(str, facts.get("handle")),
        name=_of(str, facts.get("name")),
        avatar_url=_of(str, facts.get("avatar_url")),
        since_at=_instant(facts.get("since_at")),
        is_verified=bool(facts.get("is_verified")),
    )


def _load_people(item: Item) -> list[Any]:
    try:
        people = json.loads(item.people.read_bytes())["people"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []
    return [one for one in people if isinstance(one, dict)] if isinstance(people, list) else []


def _instant(text: Any) -> datetime | None:
    if not isinstance(text, str):
        return None
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _last_written_at(item: Item) -> datetime:
    """The instant of the journal's last line; it is of the same clock as everything else in the recording."""
    try:
        with item.journal.open("rb") as file:
            file.seek(max(0, item.journal.stat().st_size - _TAIL_BYTES))
            lines = file.read().splitlines()
    except OSError:
        lines = []
    for line in reversed(lines):
        facts = parse_line(line)
        at = _instant(facts.get("t")) if facts is not None else None
        if at is not None:
            return at
    return datetime.fromtimestamp(item.space.stat().st_mtime, UTC)
