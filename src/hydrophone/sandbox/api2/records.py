"""Spaces as this API knows them at an instant: those of the stage as they stand, those of scenes by their clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from hydrophone.sandbox.api2.stage import api_facts, stage_of
from hydrophone.sandbox.api2.switches import read_switches
from hydrophone.sandbox.scene import Kind, Scene, State, invented_number
from hydrophone.sandbox.world import World

_STATES = {
    State.NOT_STARTED: "scheduled",
    State.PRE_PUBLISHED: "scheduled",
    State.RUNNING: "live",
    State.ENDED: "ended",
    State.TIMED_OUT: "ended",
    State.CANCELED: "canceled",
}
_LANGUAGE_AFTER_SECONDS = 20.0
_UPDATED_EVERY_SECONDS = 30.0

Record = dict[str, Any]


def instant(at: datetime) -> str:
    """As this API writes them: whole seconds, with milliseconds all the same."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.000Z"


def space_record(world: World, space_id: str) -> Record | None:
    """Everything about one Space, by field; None when the API does not know it (yet, or any more)."""
    fixed = stage_of(world).spaces.get(space_id)
    if fixed is not None:
        return {name: value for name, value in fixed.items() if name not in ("key",)}
    scene = world.scene(space_id)
    return _of_scene(world, scene, read_switches(world)) if scene is not None else None


def all_records(world: World) -> Iterable[Record]:
    """All Spaces that the API knows now."""
    fixed, switches = stage_of(world).spaces, read_switches(world)
    records = [space_record(world, space_id) for space_id in fixed]
    records += [_of_scene(world, scene, switches) for scene in world.scenes if scene.id not in fixed]
    return (record for record in records if record is not None)


def _of_scene(world: World, scene: Scene, switches: Mapping[str, Any]) -> Record | None:
    if scene.kind is Kind.BROADCAST:
        return None
    now = world.now()
    state = _STATES[scene.state_at(now)]
    if scene.created_at > now or (state == "scheduled" and scene.scheduled_at is None):
        return None
    over_at = {"ended": scene.ended_at or now, "canceled": scene.canceled_at or now}.get(state)
    if over_at is not None:
        visible = float(switches[f"{state}_visible_seconds"])
        if now >= over_at + timedelta(seconds=visible):
            return None
    record: Record = {
        "id": scene.id,
        "state": state,
        "title": _title(scene, now),
        "created_at": instant(scene.created_at),
        "updated_at": instant(_updated_at(scene, now)),
        "creator_id": scene.creator.user_id,
        "is_ticketed": bool(api_facts(scene).get("is_ticketed", False)),
        "topic_ids": [topic["id"] for topic in api_facts(scene).get("topics", ())],
        "buyer_ids": list(api_facts(scene).get("buyers", ())),
    }
    if scene.scheduled_at is not None:
        record["scheduled_start"] = instant(scene.scheduled_at)
        record["subscriber_count"] = _subscribers(scene, now)
    if scene.started_at is not None and scene.started_at <= now:
        record["started_at"] = instant(scene.started_at)
        if (now - scene.started_at).total_seconds() >= _LANGUAGE_AFTER_SECONDS:
            record["lang"] = scene.language
    if state == "ended" and scene.ended_at is not None:
        record["ended_at"] = instant(scene.ended_at)
    return record | _people(scene, state, now)


def _people(scene: Scene, state: str, now: datetime) -> Record:
    """Who has been there so far. The creator is not counted among the speakers (seen in recordings)."""
    position = scene.position_at(now)
    guests = [person for person in scene.people if person.role in ("host", "speaker")]
    came = [person for person in guests if person.comes <= position] if state in ("live", "ended") else []
    spoke = {turn.handle for turn in scene.turns if turn.begin <= position} if state in ("live", "ended") else set()
    hosts = [person for person in came if person.role == "host"]
    invited = list(api_facts(scene).get("invited", ()))
    if state in ("scheduled", "live"):
        invited += [p.user_id for p in guests if p not in came and p.user_id not in invited]
    found: Record = {
        "host_ids": [scene.creator.user_id, *(person.user_id for person in hosts)],
        "speaker_ids": [person.user_id for person in came if person.handle in spoke],
        "invited_user_ids": invited,
    }
    if state == "live":
        found["participant_count"] = scene.audience_at(now).listeners + len(scene.on_stage(position))
    elif state == "scheduled":
        found["participant_count"] = 0
    return found


def _title(scene: Scene, now: datetime) -> str:
    if scene.started_at is None:
        return scene.title or ""
    since = (now - scene.started_at).total_seconds()
    said = [str(one["title"]) for one in api_facts(scene).get("titles", ()) if float(one["at"]) <= since]
    return said[-1] if said else scene.title or ""


def _updated_at(scene: Scene, now: datetime) -> datetime:
    if scene.ended_at is not None and now >= scene.ended_at:
        return scene.ended_at + timedelta(seconds=2)
    if scene.canceled_at is not None and now >= scene.canceled_at:
        return scene.canceled_at
    if scene.started_at is None or now < scene.started_at:
        return scene.created_at
    steps = (now - scene.started_at).total_seconds() // _UPDATED_EVERY_SECONDS
    return scene.started_at + timedelta(seconds=steps * _UPDATED_EVERY_SECONDS)


def _subscribers(scene: Scene, now: datetime) -> int:
    """Reminders come in evenly between the announcement and the start."""
    goal = int(api_facts(scene).get("subscribers", 5 + invented_number("subscribers", scene.id) % 60))
    if scene.scheduled_at is None or scene.scheduled_at <= scene.created_at:
        return goal
    share = (now - scene.created_at) / (scene.scheduled_at - scene.created_at)
    return int(goal * min(1.0, max(0.0, share)))
