"""Who was there: listener counts and people, polled while live and written to the journal.

The record names only who is on stage *now*; everyone who ever was is known by accumulating.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import asdict
from datetime import datetime
from typing import Any

from hydrophone.archive import Take
from hydrophone.model import AudienceSample, Participant, Role
from hydrophone.recorder.sources import Look

ON_STAGE = (Role.CREATOR, Role.HOST, Role.SPEAKER)
_ORDER = {role.value: place for place, role in enumerate(Role)}


class AudienceLog:
    """Write what changed since the last look.

    Args:
        own_ids: ids of the signed-in account, as far as they are known by then; as a listener it is left out.
    """

    def __init__(self, take: Take, own_ids: Set[str] = frozenset()) -> None:
        self._take = take
        self._own_ids = own_ids
        self._roles: dict[str, Role] = {}

    def resume(self) -> None:
        """Read back who is known from an earlier run."""
        for fact in self._take.events("person"):
            self._roles[str(fact.get("person"))] = Role(fact.get("role", "listener"))

    def see(self, look: Look, at: datetime, *, is_live: bool) -> None:
        """Digest one look."""
        people = [person for person in look.participants if not self._is_own(person)]
        for person in people:
            self._see_person(person, at)
        if is_live:
            speakers = sum(person.role in ON_STAGE for person in people)
            self._take.note(
                "audience",
                at=at.isoformat(),
                listeners=look.listeners,
                participants=look.participant_count,
                speakers=speakers,
            )

    def _see_person(self, person: Participant, at: datetime) -> None:
        identity = self._identity(person)
        if not identity or self._roles.get(identity) is person.role:
            return
        self._roles[identity] = person.role
        facts = {name: value for name, value in asdict(person).items() if value is not None}
        if person.since_at is not None:
            facts["since_at"] = person.since_at.isoformat()
        self._take.note("person", person=identity, at=at.isoformat(), **facts)

    def _is_own(self, person: Participant) -> bool:
        return person.role is Role.LISTENER and person.user_id in self._own_ids

    @staticmethod
    def _identity(person: Participant) -> str:
        return str(person.user_id or person.periscope_id or person.handle or "")


def read_audience(facts: Iterable[Mapping[str, Any]]) -> Iterator[AudienceSample]:
    """The samples that a journal holds, in order. Lines that say nothing usable are passed over."""
    for fact in facts:
        try:
            at = datetime.fromisoformat(str(fact["at"]))
        except (KeyError, ValueError):
            continue
        yield AudienceSample(
            at=at,
            listeners=_count(fact.get("listeners")),
            participants=_count(fact.get("participants")),
            speakers=_count(fact.get("speakers")),
        )


def read_people(facts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Everyone whom a journal names, with each role once: creator, hosts, speakers, listeners, each as they came.

    The order does not depend on when somebody looked, so that a recorder that was killed tells the same.
    """
    people: dict[str, dict[str, Any]] = {}
    for fact in facts:
        identity = str(fact.get("person", ""))
        known = people.setdefault(identity, {"roles": []})
        for name in ("user_id", "periscope_id", "handle", "name", "avatar_url", "is_verified", "since_at"):
            if fact.get(name) is not None:
                known[name] = fact[name]
        role = fact.get("role")
        if role and role not in known["roles"]:
            known["roles"].append(role)
    return [people[identity] for identity in sorted(people, key=lambda identity: _rank(people[identity], identity))]


def _rank(person: Mapping[str, Any], identity: str) -> tuple[int, str, str]:
    highest = min((_ORDER.get(role, len(_ORDER)) for role in person["roles"]), default=len(_ORDER))
    return highest, str(person.get("since_at", "~")), identity


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
