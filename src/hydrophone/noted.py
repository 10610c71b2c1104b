"""What earlier runs have learnt of Spaces and accounts, so that it need not be paid for twice.

The API names creators by their ids, and forgets a Space soon after its end. Whoever has been named once is known by
that name for a month; a Space that was found once can be asked about by its id when it is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from hydrophone.model import Participant, Space, SpaceId, SpaceState, User, UserId

NOTED_NAME = "noted.json"
KEPT = timedelta(days=30)  #: names change, and what people delete must not stay with us for ever
_MOST = 5_000


class Store(Protocol):
    """JSON values by name, kept between two runs; one that cannot write says so elsewhere."""

    def get(self, key: str) -> Any: ...

    def put(self, key: str, value: Any) -> None: ...


class Noted:
    """Accounts and Spaces that some answer has named before."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._users: dict[str, dict[str, Any]] = _rows(store.get("users"))
        self._spaces: dict[str, dict[str, Any]] = _rows(store.get("spaces"))
        self._is_changed = False

    def user(self, user_id: str | None) -> User | None:
        """Who this is, as far as some answer has said."""
        row = self._users.get(user_id or "")
        return User(id=UserId(str(user_id)), handle=row.get("handle"), name=row.get("name")) if row else None

    def handles(self, now: datetime) -> Iterator[tuple[str, UserId]]:
        """Names and the ids behind them."""
        for user_id, row in self._users.items():
            if row.get("handle") and now - _at(row) < KEPT:
                yield str(row["handle"]), UserId(user_id)

    def spaces(self, now: datetime) -> Iterator[Space]:
        """Spaces that were seen before. What has become of them is not known."""
        for space_id, row in self._spaces.items():
            if now - _at(row) < KEPT:
                yield self.space(SpaceId(space_id), creator_id=row.get("creator"))

    def space(self, space_id: SpaceId, *, creator_id: str | None = None) -> Space:
        """What is known of a Space of which somebody has said the id, and perhaps the creator's."""
        row = self._spaces.get(space_id, {})
        creator = UserId(str(creator_id or row.get("creator") or ""))
        return Space(
            id=space_id,
            state=SpaceState.UNKNOWN,
            title=str(row.get("title") or ""),
            creator=(self.user(creator) or User(id=creator)) if creator else None,
        )

    def named(self, space: Space) -> Space:
        """The same Space with the names of its people that are known."""
        creator = space.creator
        if creator is not None and creator.handle is None:
            known = self.user(creator.id)
            creator = replace(creator, handle=known.handle, name=creator.name or known.name) if known else creator
        return replace(space, creator=creator, participants=tuple(map(self._named_person, space.participants)))

    def _named_person(self, person: Participant) -> Participant:
        known = self.user(person.user_id) if person.handle is None else None
        return replace(person, handle=known.handle, name=person.name or known.name) if known else person

    def note(self, now: datetime, *, users: Iterable[User] = (), spaces: Iterable[Space] = ()) -> None:
        """Remember these for later runs; `save` writes it down."""
        at = now.astimezone(UTC).isoformat()
        for space in spaces:
            creator = space.creator
            self._keep(self._spaces, space.id, at, title=space.title, creator=creator.id if creator else None)
            if creator is not None:
                self._keep_user(creator, at)
        for user in users:
            self._keep_user(user, at)

    def _keep_user(self, user: User, at: str) -> None:
        if user.id and user.handle:
            self._keep(self._users, user.id, at, handle=user.handle, name=user.name)

    def _keep(self, rows: dict[str, dict[str, Any]], key: str, at: str, **facts: str | None) -> None:
        before = rows.pop(key, {})
        rows[key] = {**before, **{name: value for name, value in facts.items() if value}, "at": at}
        self._is_changed = True

    def save(self, now: datetime) -> None:
        """Write down what is new, and forget what is old."""
        if self._is_changed:
            self._store.put("users", _fresh(self._users, now))
            self._store.put("spaces", _fresh(self._spaces, now))
            self._is_changed = False


def _rows(value: Any) -> dict[str, dict[str, Any]]:
    """What was stored, as far as it is of a shape that we know."""
    if not isinstance(value, Mapping):
        return {}
    return {str(key): dict(row) for key, row in value.items() if isinstance(row, Mapping) and _has_time(row)}


def _has_time(row: Mapping[str, Any]) -> bool:
    try:
        return datetime.fromisoformat(str(row.get("at"))).tzinfo is not None
    except ValueError:
        return False


def _at(row: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(str(row["at"]))


def _fresh(rows: dict[str, dict[str, Any]], now: datetime) -> dict[str, dict[str, Any]]:
    young = [(key, row) for key, row in rows.items() if now - _at(row) < KEPT]
    return dict(young[-_MOST:])
