"""Who is live right now: among given accounts (`avatar_content`), or among those that the login follows (`fleetline`).

Both need a login. A round over many accounts is one question per hundred of them; the caller sets the pace.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hydrophone.http.messages import Question
from hydrophone.model import (
    BroadcastId,
    Participant,
    PeriscopeUserId,
    Role,
    Space,
    SpaceId,
    User,
    UserId,
)
from hydrophone.xweb.asking import ask_json, require_login
from hydrophone.xweb.reading import Node
from hydrophone.xweb.roster import without_own
from hydrophone.xweb.session import WebSession
from hydrophone.xweb.spaces import read_media_key, read_state, read_topics

AVATAR_CONTENT = "fleets/avatar_content"
FLEETLINE = "fleets/fleetline"
BATCH = 100
DEFAULT_REFRESH_SECONDS = 30.0
_ID_CHARACTERS = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
_ROLES = {"ADMIN": Role.HOST, "HOST": Role.HOST, "SPEAKER": Role.SPEAKER, "LISTENER": Role.LISTENER}


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRound:
    """What one look around has shown.

    `people` says which of the accounts asked about (or followed) take part in which Space. `refresh_seconds` is how
    long the service wants us to wait before the next look.
    """

    spaces: Mapping[SpaceId, Space] = field(default_factory=dict)
    people: Mapping[SpaceId, tuple[UserId, ...]] = field(default_factory=dict)
    broadcasts: tuple[BroadcastId, ...] = ()
    refresh_seconds: float = DEFAULT_REFRESH_SECONDS


def batches_of_users(user_ids: Iterable[UserId]) -> Iterator[tuple[UserId, ...]]:
    """Groups small enough for one request, each account once; what is no user id is left out."""
    ids = [user_id for user_id in dict.fromkeys(user_ids) if user_id.isascii() and user_id.isdigit()]
    for start in range(0, len(ids), BATCH):
        yield tuple(ids[start : start + BATCH])


def spaces_of_users(session: WebSession, user_ids: Iterable[UserId]) -> Question[LiveRound]:
    """The live Spaces in which any of these accounts is host or speaker, each Space once."""
    require_login(session, AVATAR_CONTENT)
    seen: list[LiveRound] = []
    for batch in batches_of_users(user_ids):
        params = {"user_ids": ",".join(batch), "only_spaces": "true"}
        path = "/i/api/fleets/v1/avatar_content"
        root = yield from ask_json(session, AVATAR_CONTENT, path, service="x", params=params)
        seen.append(read_avatar_content(root, session.own_user_ids))
    return merge_rounds(seen)


def spaces_of_followed(session: WebSession) -> Question[LiveRound]:
    """The live Spaces in which any account that the login follows takes part: one request for all."""
    require_login(session, FLEETLINE)
    path = "/i/api/fleets/v1/fleetline"
    root = yield from ask_json(session, FLEETLINE, path, service="x", params={"only_spaces": "true"})
    return read_fleetline(root, session.own_user_ids)


def read_avatar_content(root: Node, own_ids: Collection[str] = ()) -> LiveRound:
    users = root.at("users").need_object()
    found = []
    for user_id, entry in users.members():
        contents = [entry.at("spaces", "live_content"), entry.at("live_content")]
        found.append(([UserId(user_id)], contents))
    return _read_round(root, found, own_ids)


def read_fleetline(root: Node, own_ids: Collection[str] = ()) -> LiveRound:
    threads = root.at("threads")
    if not isinstance(threads.value, list):
        raise threads.wrong("a list")
    found = []
    for thread in threads.items():
        names = thread.at("participants_str") if thread.at("participants_str").value else thread.at("participants")
        people = [UserId(text) for node in names.items() if (text := node.some_text())]
        found.append((people, [thread.at("live_content")]))
    return _read_round(root, found, own_ids)


def _read_round(
    root: Node, found: Iterable[tuple[list[UserId], Sequence[Node]]], own_ids: Collection[str]
) -> LiveRound:
    spaces: dict[SpaceId, Space] = {}
    people: dict[SpaceId, dict[UserId, None]] = {}
    broadcasts: dict[BroadcastId, None] = {}
    for users, contents in found:
        for content in contents:
            space = read_fleet_space(content.at("audiospace"), own_ids)
            if space is not None:
                spaces.setdefault(space.id, space)
                people.setdefault(space.id, {}).update(dict.fromkeys(users))
            video = content.at("livevideo").first("broadcast_id", "id").some_text()
            if video and _is_id(video):
                broadcasts[BroadcastId(video)] = None
    refresh = root.at("refresh_delay_secs").integer()
    return LiveRound(
        spaces=spaces,
        people={space_id: tuple(users) for space_id, users in people.items()},
        broadcasts=tuple(broadcasts),
        refresh_seconds=float(min(refresh, 3600)) if refresh is not None and refresh > 0 else DEFAULT_REFRESH_SECONDS,
    )


def merge_rounds(rounds: Sequence[LiveRound]) -> LiveRound:
    """One round from the answers of several batches."""
    spaces: dict[SpaceId, Space] = {}
    people: dict[SpaceId, tuple[UserId, ...]] = {}
    broadcasts: dict[BroadcastId, None] = {}
    for one in rounds:
        for space_id, space in one.spaces.items():
            spaces.setdefault(space_id, space)
            people[space_id] = (*people.get(space_id, ()), *one.people.get(space_id, ()))
        broadcasts.update(dict.fromkeys(one.broadcasts))
    refresh = max((one.refresh_seconds for one in rounds), default=DEFAULT_REFRESH_SECONDS)
    return LiveRound(spaces=spaces, people=people, broadcasts=tuple(broadcasts), refresh_seconds=refresh)


def read_fleet_space(record: Node, own_ids: Collection[str] = ()) -> Space | None:
    """A Space as the fleets know it, None where there is none. Instants have nine decimals here."""
    space_id = record.first("broadcast_id", "id").some_text()
    if space_id is None or not _is_id(space_id):
        return None
    state, state_text = read_state(record.at("state"))
    warnings: list[str] = []
    replay_start = record.at("replay_start_time").count()
    return Space(
        id=SpaceId(space_id),
        state=state,
        state_text=state_text,
        title=record.at("title").text() or "",
        creator=_read_creator(record),
        media_key=read_media_key(record.at("media_key"), warnings),
        created_at=record.at("created_at").instant(),
        updated_at=record.at("updated_at").instant(),
        scheduled_at=record.at("scheduled_start").instant(),
        started_at=record.at("start").instant(),
        ended_at=record.at("ended_at").instant(),
        canceled_at=record.at("canceled_at").instant(),
        has_replay=record.at("is_space_available_for_replay").flag(),
        has_captions=record.at("enable_server_audio_transcription").flag(),
        replay_start_seconds=replay_start / 1000 if replay_start is not None else None,
        listeners=record.at("total_live_listeners").count(),
        participant_count=record.at("total_participating").count(),
        participants=tuple(_read_people(record)),
        language=record.at("language").some_text(),
        topics=tuple(read_topics(record.at("topics"))),
        warnings=tuple(warnings),
        raw=without_own(record.mapping(), own_ids),
    )


def _is_id(text: str) -> bool:
    return 0 < len(text) <= 64 and _ID_CHARACTERS.issuperset(text)


def _read_creator(record: Node) -> User | None:
    user_id = record.at("creator_twitter_user_id").some_text()
    periscope_id = record.at("creator_user_id").some_text()
    if not (user_id or periscope_id):
        return None
    return User(id=UserId(user_id or ""), periscope_id=PeriscopeUserId(periscope_id) if periscope_id else None)


def _read_people(record: Node) -> Iterator[Participant]:
    """Hosts from the lists of ids, and those speakers whom the service names as a reason to show the Space."""
    creator = record.at("creator_twitter_user_id").some_text()
    seen: set[str] = set()
    hosts = (Participant(role=Role.HOST, user_id=UserId(i)) for i in _ids(record.at("admin_twitter_user_ids")))
    for person in (*hosts, *_read_social_proof(record)):
        if person.user_id is None or person.user_id in seen:
            continue
        seen.add(person.user_id)
        yield replace(person, role=Role.CREATOR) if person.user_id == creator else person


def _read_social_proof(record: Node) -> Iterator[Participant]:
    for proof in record.at("social_proof").items():
        user_id = proof.first("user_id_str", "user_id").some_text()
        role = _ROLES.get((proof.at("role").text() or "").upper())
        if user_id and role is not None and role is not Role.LISTENER:
            yield Participant(role=role, user_id=UserId(user_id))


def _ids(node: Node) -> Iterator[str]:
    for item in node.items():
        if text := item.some_text():
            yield text
