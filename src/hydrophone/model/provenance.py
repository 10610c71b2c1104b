"""One Space out of what several sources know, with the source of each field.

Sources differ in what they are good at: the official API counts people, the web API knows media and milliseconds, a
recording knows what was really heard. A field that a source does not know never hides one that another knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from hydrophone.model.people import Participant, Role, User
from hydrophone.model.space import Space, SpaceState

P = TypeVar("P", User, Participant)


class Source(StrEnum):
    """Who told us."""

    RECORDING = "recording"
    WEB = "web"
    API = "api"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Known:
    """What one source said at one instant."""

    space: Space
    source: Source
    at: datetime


@dataclass(frozen=True, slots=True)
class Origin:
    source: Source
    at: datetime


@dataclass(frozen=True, slots=True)
class MergedSpace:
    """A Space, and for each of its fields that has a value where it is from.

    `space.raw` maps each source to its newest record. Lists of people are united; their origin is the newest one.
    """

    space: Space
    origins: Mapping[str, Origin]


#: Whose word counts, best first, for what does not change: precision decides. All else: the newest word counts.
_BY_TRUST: dict[str, tuple[Source, ...]] = {
    "created_at": (Source.WEB, Source.API, Source.RECORDING, Source.EVENT),
    "started_at": (Source.WEB, Source.API, Source.RECORDING, Source.EVENT),
    # The API has no instant of the end that could be relied on, and what was heard last is no proof of it.
    "ended_at": (Source.WEB, Source.API, Source.RECORDING, Source.EVENT),
    "media_key": (Source.WEB, Source.RECORDING, Source.API, Source.EVENT),
    "topics": (Source.WEB, Source.API, Source.RECORDING, Source.EVENT),
}
_UNITED = frozenset(("id", "state", "state_text", "creator", "participants", "warnings", "raw"))
_RANK = {Role.CREATOR: 0, Role.HOST: 1, Role.SPEAKER: 2, Role.LISTENER: 3}


def merge_space(known: Sequence[Known]) -> MergedSpace:
    """One Space from all that is known of it.

    Raises:
        ValueError: nothing is known, or the ids differ; a mistake of the caller.
    """
    if not known or len({one.space.id for one in known}) != 1:
        raise ValueError("merging needs one or more views of one and the same Space")
    newest_first = sorted(known, key=lambda one: one.at, reverse=True)
    values: dict[str, Any] = {}
    origins: dict[str, Origin] = {"id": _origin(newest_first[0])}
    for field in fields(Space):
        if field.name not in _UNITED:
            teller = _teller(field.name, newest_first)
            if teller is not None:
                values[field.name] = getattr(teller.space, field.name)
                origins[field.name] = _origin(teller)
    stated = _state_teller(newest_first)
    if stated.space.state is not SpaceState.UNKNOWN:
        origins["state"] = _origin(stated)
    values["state"], values["state_text"] = stated.space.state, stated.space.state_text
    values["creator"] = _merge_creator(newest_first, origins)
    values["participants"] = _merge_people(newest_first, origins)
    values["warnings"] = tuple(dict.fromkeys(text for one in newest_first for text in one.space.warnings))
    values["raw"] = {one.source.value: one.space.raw for one in reversed(newest_first) if one.space.raw}
    return MergedSpace(Space(id=newest_first[0].space.id, **values), origins)


def _origin(known: Known) -> Origin:
    return Origin(known.source, known.at)


def _teller(name: str, newest_first: Sequence[Known]) -> Known | None:
    having = [one for one in newest_first if getattr(one.space, name) not in (None, "", ())]
    trusted = _BY_TRUST.get(name)
    if trusted is not None:
        # Stable: among words of equal trust the newest stays first.
        having.sort(key=lambda one: trusted.index(one.source))
    return having[0] if having else None


def _state_teller(newest_first: Sequence[Known]) -> Known:
    """The newest state; but what is over stays over, since an ended Space never comes back and caches lag."""
    for one in newest_first:
        if one.space.state.is_over and one.source is not Source.RECORDING:
            return one
    stated = [one for one in newest_first if one.space.state is not SpaceState.UNKNOWN]
    return stated[0] if stated else newest_first[0]


def _merge_creator(newest_first: Sequence[Known], origins: dict[str, Origin]) -> User | None:
    """The newest account, its gaps filled from the others if they mean the same one."""
    having = [one for one in newest_first if one.space.creator is not None]
    if not having:
        return None
    origins["creator"] = _origin(having[0])
    accounts = [one.space.creator for one in having if one.space.creator is not None]
    creator = accounts[0]
    for other in accounts[1:]:
        if creator.id == other.id or "" in (creator.id, other.id):
            creator = _filled(creator, other)
    return creator


def _filled(value: P, other: P) -> P:
    """The value with what it lacks taken from the other."""
    lacking = {
        field.name: getattr(other, field.name)
        for field in fields(value)
        if getattr(value, field.name) in (None, "") and getattr(other, field.name) not in (None, "")
    }
    return replace(value, **lacking) if lacking else value


def _merge_people(newest_first: Sequence[Known], origins: dict[str, Origin]) -> tuple[Participant, ...]:
    people: dict[str, Participant] = {}
    for one in newest_first:
        if one.space.participants:
            origins.setdefault("participants", _origin(one))
        for person in _identified(one.space.participants):
            key = str(person.user_id or person.periscope_id)
            known = people.get(key)
            people[key] = _joined(known, person) if known is not None else person
    return tuple(sorted(people.values(), key=lambda person: _RANK[person.role]))


def _identified(people: Iterable[Participant]) -> Iterable[Participant]:
    return (person for person in people if person.user_id or person.periscope_id)


def _joined(known: Participant, other: Participant) -> Participant:
    """The higher role counts: who is a speaker for one source and a listener for another has spoken."""
    role = min(known.role, other.role, key=_RANK.__getitem__)
    return _filled(replace(known, role=role), other)
