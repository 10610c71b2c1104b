"""A Space as the API describes it, read in either dialect."""

from __future__ import annotations

from hydrophone.http.reading import Node
from hydrophone.model import Participant, Role, Space, SpaceId, SpaceState, User, UserId
from hydrophone.xapi.answers import Included

_STATES = {
    "live": SpaceState.LIVE,
    "scheduled": SpaceState.SCHEDULED,
    "ended": SpaceState.ENDED,
    "canceled": SpaceState.CANCELED,
}


def read_space(node: Node, included: Included | None = None) -> Space:
    """A Space as the API describes it. What it leaves out is unknown, which is not the same as empty.

    Raises:
        WireError: it has no id.
    """
    beside = included or Included()
    state_text = node.at("state").text() or ""
    return Space(
        id=SpaceId(node.at("id").need_text()),
        state=_STATES.get(state_text.lower(), SpaceState.UNKNOWN),
        state_text=state_text,
        title=node.at("title").text() or "",
        creator=_read_creator(node, beside),
        created_at=node.at("created_at").instant(),
        updated_at=node.at("updated_at").instant(),
        scheduled_at=node.at("scheduled_start").instant(),
        started_at=node.at("started_at").instant(),
        ended_at=node.at("ended_at").instant(),
        participant_count=node.at("participant_count").count(),
        subscriber_count=node.at("subscriber_count").count(),
        is_ticketed=node.at("is_ticketed").flag(),
        participants=_read_people(node, beside),
        invited=tuple(UserId(text) for text in _ids(node.at("invited_user_ids"))),
        language=node.at("lang").some_text(),
        topics=_read_topics(node, beside),
        raw=node.mapping(),
    )


def _read_creator(node: Node, included: Included) -> User | None:
    text = node.at("creator_id").some_text()
    if text is None:
        return None
    return included.users.get(UserId(text)) or User(id=UserId(text))


def _read_people(node: Node, included: Included) -> tuple[Participant, ...]:
    """Creator, hosts, speakers, each in the highest role: a co-host may stand among the speakers as well."""
    creator = node.at("creator_id").some_text()
    roles: dict[str, Role] = {creator: Role.CREATOR} if creator else {}
    for key, role in (("host_ids", Role.HOST), ("speaker_ids", Role.SPEAKER)):
        for text in _ids(node.at(key)):
            roles.setdefault(text, role)
    return tuple(_participant(UserId(text), role, included) for text, role in roles.items())


def _participant(user_id: UserId, role: Role, included: Included) -> Participant:
    user = included.users.get(user_id)
    if user is None:
        return Participant(role=role, user_id=user_id)
    return Participant(
        role=role,
        user_id=user_id,
        handle=user.handle,
        name=user.name,
        avatar_url=user.avatar_url,
        is_verified=bool(user.is_verified),
    )


def _read_topics(node: Node, included: Included) -> tuple[str, ...]:
    """Names of topics; those whose name did not come are left out, their ids are in `raw`."""
    known = (included.topics.get(text) for text in _ids(node.at("topic_ids")))
    named = [topic.name for topic in known if topic is not None and topic.name]
    embedded = [text for item in node.at("topics").items() if (text := item.at("name").some_text())]
    return tuple(dict.fromkeys([*named, *embedded]))


def _ids(node: Node) -> list[str]:
    return [text for item in node.items() if (text := item.some_text())]
