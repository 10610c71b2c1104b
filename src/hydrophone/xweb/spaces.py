"""The record of a Space, from the web query and from the Android query, and one from both."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import fields, replace
from typing import Any

from hydrophone.errors import HydrophoneError, NotFoundError, NotSignedInError, RefusedError
from hydrophone.http.messages import Question
from hydrophone.model import MediaKey, Space, SpaceId, SpaceState
from hydrophone.xweb.graphql import Answer, ask_graphql
from hydrophone.xweb.people import read_user
from hydrophone.xweb.reading import Node
from hydrophone.xweb.refusals import SIGN_IN, error_by_code
from hydrophone.xweb.roster import read_participants, without_own
from hydrophone.xweb.session import WebSession

_STATES = {
    "notstarted": SpaceState.SCHEDULED,
    "prepublished": SpaceState.SCHEDULED,
    "scheduled": SpaceState.SCHEDULED,
    "running": SpaceState.LIVE,
    "live": SpaceState.LIVE,
    "ended": SpaceState.ENDED,
    "timedout": SpaceState.TIMED_OUT,
    "canceled": SpaceState.CANCELED,
    "cancelled": SpaceState.CANCELED,
}
_SPACE_ID = re.compile(r"[0-9A-Za-z_]{1,64}")
_MEDIA_KEY = re.compile(r"[0-9]{1,6}_[0-9]{1,24}")


def space_by_id(session: WebSession, space_id: SpaceId, *, thorough: bool = False) -> Question[Space]:
    """The Space with this id.

    Args:
        thorough: ask the Android query too (signed in only), which knows language and captions. Costs a second
            request, whose failure is no failure of the whole.

    Raises:
        NotFoundError: there is no such Space.
        NotSignedInError: asked as a guest, who cannot tell a missing Space from one that needs a login.
        WireError: the record has no shape that we know; the message names the path.

    Source: web endpoint reference, "AudioSpaceById".
    """
    variables = {"id": space_id, "isMetatagsQuery": False, "withReplays": True, "withListeners": True}
    answer = yield from ask_graphql(session, "AudioSpaceById", variables)
    record = answer.data.at("audioSpace")
    if not answer.data.has("audioSpace"):
        raise record.wrong("an object")
    space = read_space(record, answer, signed_in=session.signed_in, own_ids=session.own_user_ids)
    if not (thorough and session.signed_in):
        return space
    try:
        other = yield from space_by_rest_id(session, space_id)
    except (NotFoundError, NotSignedInError, RefusedError):
        return space
    except HydrophoneError as error:
        return replace(space, warnings=(*space.warnings, f"AudiospaceByRestId: {error.message}"))
    return merge_spaces(space, other)


def space_by_rest_id(session: WebSession, space_id: SpaceId) -> Question[Space]:
    """The same by the query of the Android client; needs a login."""
    answer = yield from ask_graphql(session, "AudiospaceByRestId", {"audio_space_id": space_id})
    record = answer.data.at("audio_space_by_rest_id")
    if not answer.data.has("audio_space_by_rest_id"):
        raise record.wrong("an object")
    return read_space(record, answer, signed_in=session.signed_in, own_ids=session.own_user_ids)


def read_space(record: Node, answer: Answer, *, signed_in: bool, own_ids: Collection[str] = ()) -> Space:
    """A Space from either query's record. A record without an id means that there is no such Space to be seen."""
    if record.value is not None:
        record.need_object()
    metadata = record.at("metadata")
    if metadata.value is not None:
        metadata.need_object()
    space_id = metadata.first("rest_id", "broadcast_id").text()
    if not space_id:
        raise _absent(record, answer, signed_in)
    if not _SPACE_ID.fullmatch(space_id):
        raise metadata.at("rest_id").wrong("the id of a Space")
    creator = read_user(metadata.at("creator_results", "result"))
    warnings = list(answer.warnings)
    media_key = read_media_key(metadata.at("media_key"), warnings)
    replay_start = metadata.at("replay_start_time").count()
    state, state_text = read_state(metadata.at("state"))
    roster = record.at("participants")
    return Space(
        id=SpaceId(space_id),
        state=state,
        state_text=state_text,
        title=metadata.at("title").text() or "",
        creator=creator,
        media_key=media_key,
        created_at=metadata.at("created_at").instant(),
        updated_at=metadata.at("updated_at").instant(),
        scheduled_at=metadata.at("scheduled_start").instant(),
        started_at=metadata.first("started_at", "start").instant(),
        ended_at=metadata.at("ended_at").instant(),
        canceled_at=metadata.at("canceled_at").instant(),
        has_replay=metadata.at("is_space_available_for_replay").flag(),
        has_captions=metadata.at("enable_server_audio_transcription").flag(),
        replay_start_seconds=replay_start / 1000 if replay_start is not None else None,
        listeners=metadata.at("total_live_listeners").count(),
        replay_viewers=metadata.at("total_replay_watched").count(),
        participant_count=_first_count(roster.at("total"), metadata.at("total_participating")),
        participants=read_participants(roster, creator, own_ids),
        language=metadata.at("language").some_text(),
        topics=tuple(read_topics(metadata.at("topics"))),
        warnings=tuple(warnings),
        raw=without_own(record.mapping(), own_ids),
    )


def _absent(record: Node, answer: Answer, signed_in: bool) -> HydrophoneError:
    endpoint = record.endpoint
    if answer.errors.codes or answer.errors.messages:
        error = error_by_code(answer.errors, status=200, endpoint=endpoint)
        if error is not None:
            return error
    if signed_in:
        return NotFoundError(
            "there is no such Space, or this login may not see it",
            status=200,
            endpoint=endpoint,
            advice="Check the id; the Space may have been deleted by its host.",
        )
    return NotSignedInError(
        "no such Space, or a login is needed to see it: a guest is told nothing",
        status=200,
        endpoint=endpoint,
        advice=SIGN_IN,
    )


def read_state(node: Node) -> tuple[SpaceState, str]:
    """Our state, and the service's own spelling."""
    text = node.text() or ""
    return _STATES.get(text.replace("_", "").lower(), SpaceState.UNKNOWN), text


def read_media_key(node: Node, warnings: list[str]) -> MediaKey | None:
    """The handle to the stream. It becomes part of a path, so other text is refused with a warning."""
    text = node.some_text()
    if text is None:
        return None
    if _MEDIA_KEY.fullmatch(text):
        return MediaKey(text)
    warnings.append("the media key has a form that we do not know")
    return None


def read_topics(topics: Node) -> list[str]:
    """Names of topics, in either of two nestings."""
    return [name for topic in topics.items() if (name := topic.first("topic.name", "name").some_text())]


def _first_count(*nodes: Node) -> int | None:
    return next((count for node in nodes if (count := node.count()) is not None), None)


def merge_spaces(first: Space, second: Space) -> Space:
    """One Space from two records of it: `first` wins where both know something."""
    changes: dict[str, Any] = {}
    for field in fields(Space):
        if field.name in ("id", "raw", "warnings", "state", "state_text"):
            continue
        mine, other = getattr(first, field.name), getattr(second, field.name)
        if mine in (None, "", ()) and other not in (None, "", ()):
            changes[field.name] = other
    if first.state is SpaceState.UNKNOWN and second.state is not SpaceState.UNKNOWN:
        changes.update(state=second.state)
    warnings = tuple(dict.fromkeys((*first.warnings, *second.warnings)))
    return replace(first, **changes, warnings=warnings, raw={**first.raw, "by_rest_id": dict(second.raw)})
