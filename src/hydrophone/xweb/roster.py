"""Who is in a Space, and the one who must not be: the account that asks.

A signed-in account shows among the listeners of what it looks at. It is left out of the values and of the raw record,
so that an archive does not name its archivist.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from hydrophone.model import Participant, PeriscopeUserId, Role, User, UserId
from hydrophone.xweb.reading import Node

_MUTE_FLAGS = ("is_muted_by_admin", "is_muted_by_guest")
_NO_PERISCOPE_USER = "tw-"


def read_participants(roster: Node, creator: User | None, own_ids: Collection[str]) -> tuple[Participant, ...]:
    """Creator, hosts, speakers and the listeners that are named, in this order and without the own account."""
    hosts = [person for node in roster.at("admins").items() if (person := read_participant(node, Role.HOST))]
    speakers = [person for node in roster.at("speakers").items() if (person := read_participant(node, Role.SPEAKER))]
    listeners = [
        person
        for node in roster.at("listeners").items()
        if not is_own(node, own_ids) and (person := read_participant(node, Role.LISTENER))
    ]
    return (*_with_creator(hosts, creator), *speakers, *listeners)


def _with_creator(hosts: list[Participant], creator: User | None) -> list[Participant]:
    """Hosts with the creator marked: by id where we know it, else the first, as in all captures."""
    if not hosts:
        return hosts
    known = creator.id if creator is not None and creator.id else None
    index = next((i for i, host in enumerate(hosts) if known is not None and host.user_id == known), None)
    if index is None:
        if known is not None and all(host.user_id is not None for host in hosts):
            return hosts
        index = 0
    hosts[index] = replace(hosts[index], role=Role.CREATOR)
    return hosts


def read_participant(member: Node, role: Role) -> Participant | None:
    """One member, None where nothing tells who it is."""
    periscope_id = member.at("periscope_user_id").some_text()
    user_id = member_user_id(member)
    handle = member.at("twitter_screen_name").some_text()
    name = member.at("display_name").some_text()
    if not (periscope_id or user_id or handle or name):
        return None
    return Participant(
        role=role,
        user_id=UserId(user_id) if user_id else None,
        periscope_id=PeriscopeUserId(periscope_id) if periscope_id else None,
        handle=handle,
        name=name,
        avatar_url=member.at("avatar_url").some_text(),
        since_at=member.at("start").instant(),
        is_verified=bool(
            member.at("is_verified").flag() or member.at("user_results", "result", "is_blue_verified").flag()
        ),
        is_muted=any(member.at(flag).flag() for flag in _MUTE_FLAGS),
    )


def member_user_id(member: Node) -> str | None:
    """The X user id. It sits on the wrapper of the user, beside a stub without it."""
    found = member.first("user_results.rest_id", "user_results.result.rest_id", "user.rest_id").some_text()
    if found:
        return found
    periscope_id = member.at("periscope_user_id").some_text() or ""
    own_form = periscope_id.removeprefix(_NO_PERISCOPE_USER)
    return own_form if own_form != periscope_id and own_form.isascii() and own_form.isdigit() else None


def is_own(member: Node, own_ids: Collection[str]) -> bool:
    """Whether a listener is the account that asks: by its id, else by its mark (``tw-...`` and no time of arrival)."""
    if own_ids and member_user_id(member) in own_ids:
        return True
    record = member.mapping()
    periscope_id = record.get("periscope_user_id")
    if not isinstance(periscope_id, str) or not periscope_id.startswith(_NO_PERISCOPE_USER):
        return False
    return "start" not in record or not any(flag in record for flag in _MUTE_FLAGS)


def without_own(record: Mapping[str, Any], own_ids: Collection[str]) -> dict[str, Any]:
    """A record as it came, without the own account among the listeners and without tokens that name it."""
    cleaned = {key: value for key, value in record.items() if key not in ("chat", "chat_token", "chatToken")}
    participants = cleaned.get("participants")
    if isinstance(participants, dict):
        cleaned["participants"] = _filtered(participants, lambda node: not is_own(node, own_ids))
    return _filtered(cleaned, lambda node: not is_own(node, own_ids) and node.text() not in own_ids)


def _filtered(holder: Mapping[str, Any], keeps: Callable[[Node], bool]) -> dict[str, Any]:
    listeners = holder.get("listeners")
    if not isinstance(listeners, list):
        return dict(holder)
    return {**holder, "listeners": [member for member in listeners if keeps(Node(member))]}
