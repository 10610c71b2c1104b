"""Who was there and how much they said, for ``people.json``: roles over time, open microphones, talk time, reactions.

Joined to what the record said about people while the Space ran.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hydrophone.captions.account import Account
from hydrophone.captions.directory import Directory
from hydrophone.captions.talk import talk_times
from hydrophone.model import ChatKind, ChatPerson, PeriscopeUserId, Role, UserId

_PRESENCE = (ChatKind.JOIN.value, ChatKind.LEAVE.value)


def people_facts(known: Iterable[Mapping[str, Any]], account: Account) -> list[dict[str, Any]]:
    """Everybody, as they stand in ``people.json``: first those of the record in its order, then the others.

    Args:
        known: people as the journal of the recording lists them; their fields are kept.
    """
    directory = account.directory
    found: dict[str, dict[str, Any]] = {}
    for entry in known:
        key = directory.see(_person(entry)) or f"?{len(found)}"
        found[key] = {**entry, "roles": list(entry.get("roles", []))}
    # In whichever order messages came: the same people give the same file.
    for key, person in sorted(directory, key=lambda one: one[0]):
        entry = found.setdefault(key, {"roles": []})
        for name, value in _plain(person).items():
            entry.setdefault(name, value)
    _add_roles(found, account, directory)
    _add_talk(found, account)
    _add_presence(found, account)
    for key, entry in found.items():
        if not entry["roles"]:
            entry["roles"] = [_role(key, entry, account).value]
    return list(found.values())


def _role(key: str, entry: Mapping[str, Any], account: Account) -> Role:
    """What somebody was of whom no role is recorded."""
    if account.host and key == account.host:
        return Role.CREATOR
    return Role.SPEAKER if "talk" in entry or "microphone_seconds" in entry else Role.LISTENER


def _person(entry: Mapping[str, Any]) -> ChatPerson:
    return ChatPerson(
        periscope_id=PeriscopeUserId(str(entry.get("periscope_id") or "")),
        user_id=UserId(str(entry.get("user_id") or "")),
        handle=str(entry.get("handle") or ""),
        name=str(entry.get("name") or ""),
    )


def _plain(person: ChatPerson) -> dict[str, Any]:
    fields = {
        "user_id": person.user_id,
        "periscope_id": person.periscope_id,
        "handle": person.handle,
        "name": person.name,
        "avatar_url": person.avatar_url,
    }
    return {name: value for name, value in fields.items() if value}


def _add_roles(found: dict[str, dict[str, Any]], account: Account, directory: Directory) -> None:
    for span in account.roles:
        entry = found.get(directory.resolve(span.person))
        if entry is None:
            continue
        entry.setdefault("role_spans", []).append(
            {
                "role": span.role.value,
                "begin_seconds": round(span.begin_seconds, 3),
                "end_seconds": round(span.end_seconds, 3),
            }
        )
        if span.role.value not in entry["roles"]:
            entry["roles"].append(span.role.value)
    for microphone in account.microphones:
        entry = found.get(directory.resolve(microphone.person))
        if entry is not None:
            seconds = microphone.end_seconds - microphone.begin_seconds
            entry["microphone_seconds"] = round(entry.get("microphone_seconds", 0.0) + seconds, 3)


def _add_talk(found: dict[str, dict[str, Any]], account: Account) -> None:
    for talk in talk_times(account.transcript):
        entry = found.get(account.directory.resolve(talk.speaker))
        if entry is None:
            continue
        entry["talk"] = {
            "seconds": round(talk.seconds, 3),
            "share": round(talk.share, 4),
            "turns": talk.turns,
            "words": talk.words,
            "longest_turn_seconds": round(talk.longest_turn_seconds, 3),
            "first_seconds": round(talk.first_seconds, 3),
            "last_seconds": round(talk.last_seconds, 3),
        }


def _add_presence(found: dict[str, dict[str, Any]], account: Account) -> None:
    for event in account.events:
        entry = found.get(event.person)
        if entry is None:
            continue
        if event.kind in _PRESENCE and event.is_approximate:
            continue  # known from when a message reached whom: the timeline tells it, with a mark
        if event.kind in _PRESENCE:
            name = "joined_seconds" if event.kind == ChatKind.JOIN.value else "left_seconds"
            entry.setdefault(name, []).append(round(event.seconds, 3))
        elif event.kind in (ChatKind.REACTION.value, ChatKind.SUPER_HEART.value):
            entry["reactions"] = entry.get("reactions", 0) + 1
