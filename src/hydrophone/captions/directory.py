"""Who is who: the same person appears by Periscope id, X id, handle or only a name, and must be counted once.

Ids decide; a handle does only where there is no id, since anybody may take a handle over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from hydrophone.model import ChatPerson, Participant, PeriscopeUserId, Speaker, User, UserId

_MAX_SEEN = 4096
_OWN_FORM = "tw-"  #: a Periscope id that only repeats the X id: ``tw-<user id>``


class Directory:
    """Learn people from wherever they are named, and give each a key that stays.

    The key of a person is the first id under which they were seen. When two keys turn out to be one person, the older
    one stands for both; ask `key_of` again, or `resolve` a key that was handed out before.
    """

    def __init__(self) -> None:
        self._people: dict[str, ChatPerson] = {}
        self._key_by_id: dict[str, str] = {}
        self._key_by_handle: dict[str, str] = {}
        self._moved: dict[str, str] = {}
        # Exactly the same was said about them before: nothing is new, and until two are united the key is the same.
        self._seen: dict[ChatPerson, str] = {}

    def see(self, person: ChatPerson) -> str:
        """Learn what is new about a person; their key, "" for nobody."""
        key = self._seen.get(person)
        if key is None:
            key = self._learn(person)
            if len(self._seen) >= _MAX_SEEN:
                self._seen.clear()
            self._seen[person] = key
        return key

    def _learn(self, person: ChatPerson) -> str:
        ids = _ids(person)
        handle = person.handle.lower()
        if not ids and not handle:  # a bare name is nobody
            return ""
        keys = list(dict.fromkeys(self._key_by_id[one] for one in ids if one in self._key_by_id))
        if not ids and handle in self._key_by_handle:
            keys = [self.resolve(self._key_by_handle[handle])]
        key = keys[0] if keys else person.key
        known = self._people.get(key)
        self._people[key] = person if known is None else _merged(known, person)
        for other in keys[1:]:
            self._seen.clear()
            self._unite(key, other)
        for one in ids:
            self._key_by_id[one] = key
        if handle:
            self._key_by_handle.setdefault(handle, key)
        return key

    def key_of(self, person: ChatPerson) -> str:
        """The key of a person; that of somebody never seen is what `see` would give."""
        ids = _ids(person)
        for one in ids:
            if one in self._key_by_id:
                return self._key_by_id[one]
        handle = "" if ids else person.handle.lower()
        return self.resolve(self._key_by_handle.get(handle, person.key))

    def resolve(self, key: str) -> str:
        """The key that stands for a key by now."""
        while key in self._moved:
            key = self._moved[key]
        return key

    def __len__(self) -> int:
        return len(self._people)

    def __iter__(self) -> Iterator[tuple[str, ChatPerson]]:
        return iter(self._people.items())

    def person(self, key: str) -> ChatPerson | None:
        return self._people.get(self.resolve(key))

    def speaker(self, key: str) -> Speaker:
        """The speaker of this key, with everything that is known by now."""
        key = self.resolve(key)
        person = self._people.get(key) or ChatPerson()
        return Speaker(
            key=key,
            name=person.name,
            handle=person.handle,
            user_id=person.user_id,
            periscope_id=person.periscope_id,
        )

    def _unite(self, key: str, other: str) -> None:
        moved = self._people.pop(other, None)
        if moved is None:
            return
        self._people[key] = _merged(self._people[key], moved)
        self._moved[other] = key
        for one in _ids(moved):
            self._key_by_id[one] = key


def person_of_record(person: Participant | User) -> ChatPerson:
    """Somebody of the Space's record, as the chat would name them."""
    user_id = person.id if isinstance(person, User) else person.user_id
    return ChatPerson(
        periscope_id=person.periscope_id or PeriscopeUserId(""),
        user_id=user_id or UserId(""),
        handle=person.handle or "",
        name=person.name or "",
        avatar_url=person.avatar_url or "",
    )


def see_record(directory: Directory, people: Iterable[Participant | User]) -> None:
    """Learn everyone whom the record names."""
    for person in people:
        directory.see(person_of_record(person))


def _ids(person: ChatPerson) -> list[str]:
    """What names this person for certain, each with the kind of name in front."""
    own_form = person.periscope_id.startswith(_OWN_FORM)
    user_id = person.user_id or (person.periscope_id.removeprefix(_OWN_FORM) if own_form else "")
    ids = [f"p:{person.periscope_id}"] if person.periscope_id and not own_form else []
    return [*ids, f"x:{user_id}"] if user_id else ids


def _merged(known: ChatPerson, new: ChatPerson) -> ChatPerson:
    """What is known stays; what was empty is filled."""
    return replace(
        known,
        periscope_id=known.periscope_id or new.periscope_id,
        user_id=known.user_id or new.user_id,
        handle=known.handle or new.handle,
        name=known.name or new.name,
        avatar_url=known.avatar_url or new.avatar_url,
        index=new.index if known.index is None else known.index,
    )
