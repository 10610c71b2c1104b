"""The record of a Space as the two GraphQL queries give it, for any scene at any moment.

A scene's `extra` may hold, for this writer: `replay_start_ms`, `replay_watched`, `ended_at_as_number`,
`has_dependency_error`, `is_sparse` (the optional fields stay away), `topics`, `mentioned_user_ids`, `sharings` (see
`sharings`), `crowd` (so many invented listeners), `roster_lag_seconds`, `metadata` (values that overrule all others,
null among them), `metadata_without` (fields to leave out), and `space` (the same beside `metadata`).

Source: web endpoint reference, "The AudioSpace record".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hydrophone.sandbox.scene import Person, Scene, State
from hydrophone.sandbox.x.addresses import Addresses
from hydrophone.sandbox.x.sharings import sharings
from hydrophone.sandbox.x.users import own_listener, participant, user_record

_OVER = (State.ENDED, State.TIMED_OUT)
_REPLAY_FIELDS = ("replay_start_time", "is_space_available_for_replay", "total_replay_watched")
_OPTIONAL = {
    "content_type": "visual_audio",
    "is_muted": False,
    "no_incognito": False,
    "is_trending": False,
    "max_guest_sessions": 10,
    "max_admin_capacity": 3,
    "tweet_results": {},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Who looks at a scene, when, and what they asked to see. `viewer` is None for a guest."""

    now: datetime
    addresses: Addresses
    viewer: Person | None = None
    shape: str = "core"
    with_replays: bool = True
    with_listeners: bool = True
    is_own_listed: bool = True
    is_subscribed: bool = False
    subscribers: int = 12
    added_sharings: tuple[Mapping[str, Any], ...] = ()


def audio_space(scene: Scene, view: View) -> dict[str, Any]:
    """What `AudioSpaceById` puts under `data.audioSpace`."""
    record: dict[str, Any] = {
        "metadata": _metadata(scene, view),
        "is_subscribed": view.is_subscribed,
        "participants": participants(scene, view),
        "sharings": sharings(scene, view.now, view.shape, view.addresses, view.added_sharings),
    }
    return record | dict(scene.extra.get("space", {}))


def audio_space_by_rest_id(scene: Scene, view: View) -> dict[str, Any]:
    """What the Android query puts under `data.audio_space_by_rest_id`: other names, a few more facts."""
    metadata = _metadata(scene, view)
    metadata["broadcast_id"] = metadata.pop("rest_id", scene.id)
    if "started_at" in metadata:
        metadata["start"] = metadata.pop("started_at")
    if "ended_at" in metadata and isinstance(metadata["ended_at"], str):
        metadata["ended_at"] = int(metadata["ended_at"])
    people = participants(scene, view)
    metadata |= {
        "language": scene.language,
        "enable_server_audio_transcription": scene.has_captions,
        "total_participating": people["total"],
        "total_participated": max(people["total"], metadata.get("total_live_listeners") or 0) + 3,
        "tickets_sold": 0,
        "tickets_total": 0,
    }
    for group in ("admins", "speakers", "listeners"):
        for member in people[group]:
            member["user"] = {"rest_id": member["user_results"]["rest_id"]}
    return {
        "__typename": "AudioSpace",
        "rest_id": scene.id,
        "metadata": metadata,
        "participants": people,
        "is_subscribed": view.is_subscribed,
        "subscriber_count": view.subscribers,
    }


def participants(scene: Scene, view: View) -> dict[str, Any]:
    """The roster: hosts and speakers on stage now, a few listeners, and the service's own count."""
    state = scene.state_at(view.now)
    lagged = view.now - timedelta(seconds=float(scene.extra.get("roster_lag_seconds", 0)))
    position = scene.position_at(lagged)
    has_started = state in (State.RUNNING, *_OVER)
    stage = scene.on_stage(position) if has_started else (scene.creator,)

    def member(person: Person) -> dict[str, Any]:
        is_creator = person is scene.creator
        start_at = scene.created_at if is_creator else wall_clock(scene, person.comes)
        is_muted = state in _OVER or scene.is_muted(person.handle, position)
        return participant(person, view.addresses, start_ms=milliseconds(start_at), is_muted=is_muted)

    listeners = _listeners(scene, view, state) if has_started and view.with_listeners else []
    return {
        "total": scene.audience_at(view.now).listeners if state is State.RUNNING else 0,
        "admins": [member(person) for person in stage if person.role in ("creator", "host")],
        "speakers": [member(person) for person in stage if person.role == "speaker"],
        "listeners": listeners,
    }


def wall_clock(scene: Scene, position: float) -> datetime:
    """The instant at which the media reaches a position, for a scene that starts."""
    away = sum(away.seconds for away in scene.aways if away.begin < position)
    started_at = scene.started_at or scene.created_at
    return started_at + timedelta(seconds=scene.audio_lead_seconds + position + away)


def milliseconds(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)


def updated_at(scene: Scene, now: datetime) -> datetime:
    """When the record last changed: every 30 seconds while it runs, else with its last change of state."""
    state = scene.state_at(now)
    if state in _OVER and scene.ended_at is not None:
        return min(now, scene.ended_at + timedelta(milliseconds=611))
    if state is State.CANCELED and scene.canceled_at is not None:
        return scene.canceled_at
    if scene.started_at is None or now < scene.started_at:
        return scene.created_at + timedelta(milliseconds=900)
    return scene.started_at + timedelta(seconds=(now - scene.started_at) // timedelta(seconds=30) * 30)


def running_count(scene: Scene, now: datetime) -> int:
    """How many ever listened live until `now`."""
    since = (now - scene.started_at).total_seconds() if scene.started_at else -1.0
    return max((max(step.total, step.listeners) for step in scene.audience if step.at <= since), default=0)


def _metadata(scene: Scene, view: View) -> dict[str, Any]:
    state = scene.state_at(view.now)
    fields: dict[str, Any] = {"rest_id": scene.id, "state": state.value}
    if scene.title is not None:
        fields["title"] = scene.title
    fields |= {"media_key": scene.media_key, "created_at": milliseconds(scene.created_at)}
    fields |= _instants(scene, view.now, state)
    fields |= {
        "updated_at": milliseconds(updated_at(scene, view.now)),
        "disallow_join": False,
        "narrow_cast_space_type": 0,
        "is_employee_only": False,
        "is_locked": False,
        "is_space_available_for_replay": scene.has_replay,
        "is_space_available_for_clipping": False,
        "conversation_controls": 0,
        "total_replay_watched": int(scene.extra.get("replay_watched", 155)) if state in _OVER else 0,
        "total_live_listeners": running_count(scene, view.now),
    }
    creator = scene.creator
    person = {} if creator.is_protected else user_record(creator, view.shape, view.addresses)
    fields["creator_results"] = {"result": person}
    if not scene.extra.get("is_sparse"):
        fields |= _OPTIONAL
    fields |= _subjects(scene)
    return _overruled(fields, scene, view)


def _instants(scene: Scene, now: datetime, state: State) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if scene.scheduled_at is not None:
        fields["scheduled_start"] = milliseconds(scene.scheduled_at)
    if scene.started_at is not None and now >= scene.started_at:
        fields["started_at"] = milliseconds(scene.started_at)
    if state in _OVER:
        # A state that flaps has an end although it goes on: the service then writes the present.
        ended_ms = milliseconds(min(now, scene.ended_at) if scene.ended_at else now)
        fields["ended_at"] = ended_ms if scene.extra.get("ended_at_as_number") else str(ended_ms)
    if scene.has_replay and state in (State.RUNNING, *_OVER):
        fields["replay_start_time"] = int(scene.extra.get("replay_start_ms", 0))
    return fields


def _subjects(scene: Scene) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if topics := scene.extra.get("topics"):
        fields["topics"] = [{"topic": dict(topic)} for topic in topics]
    if mentioned := scene.extra.get("mentioned_user_ids"):
        fields["mentioned_users"] = [{"rest_id": str(user_id)} for user_id in mentioned]
    return fields


def _overruled(fields: dict[str, Any], scene: Scene, view: View) -> dict[str, Any]:
    fields |= dict(scene.extra.get("metadata", {}))
    hidden = list(scene.extra.get("metadata_without", ()))
    if not view.with_replays:
        hidden += _REPLAY_FIELDS
    return {name: value for name, value in fields.items() if name not in hidden}


def _listeners(scene: Scene, view: View, state: State) -> list[dict[str, Any]]:
    """A sample of three in the old shape and while it runs; nowadays nobody but the account that asks."""
    shown: list[dict[str, Any]] = []
    if state is State.RUNNING:
        people = [p for p in scene.people if p.role == "listener"][:3] if view.shape == "legacy" else []
        people += [Person.invent(f"listener_{n}", role="listener") for n in range(int(scene.extra.get("crowd", 0)))]
        came_at = milliseconds(wall_clock(scene, 3.0))
        shown = [
            participant(person, view.addresses, start_ms=None if number else came_at, is_muted=False)
            for number, person in enumerate(people)
        ]
    if view.viewer is not None and view.is_own_listed:
        shown.append(own_listener(view.viewer, view.addresses))
    return shown
