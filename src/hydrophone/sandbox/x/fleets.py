"""Who is in a live Space right now: for a hundred users at once, and for all that an account follows.

Source: web endpoint reference, "fleets: avatar_content" and "fleets: fleetline".
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime
from typing import Any

from hydrophone.sandbox.scene import Kind, Person, Scene, State
from hydrophone.sandbox.serving import Answer, Exchange
from hydrophone.sandbox.world import World
from hydrophone.sandbox.x.answers import NAMED, json_answer
from hydrophone.sandbox.x.gate import Asked, answer_api
from hydrophone.sandbox.x.ids import snowflake
from hydrophone.sandbox.x.records import running_count, updated_at

MOST_USERS = 100


def answer_avatar_content(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """GET …/fleets/v1/avatar_content?user_ids=…&only_spaces=true"""
    return answer_api(world, exchange, "avatar_content", _avatar_content, for_guests=False)


def answer_fleetline(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """GET …/fleets/v1/fleetline?only_spaces=true"""
    return answer_api(world, exchange, "fleetline", _fleetline, for_guests=False)


def nine_decimals(instant: datetime) -> str:
    """ISO 8601 as this service writes it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


def _avatar_content(asked: Asked) -> Answer:
    wanted = [user_id for user_id in asked.exchange.params.get("user_ids", "").split(",") if user_id]
    if len(wanted) > MOST_USERS:
        return NAMED["400_too_many_user_ids"]
    now = asked.world.now()
    users: dict[str, Any] = {}
    for scene in _live(asked):
        for person in _on_stage(scene, now):
            if person.user_id in wanted and person.user_id not in users:
                users[person.user_id] = {
                    "spaces": {"live_content": _content(asked, scene, now, person)},
                    "participants": [_number(person.user_id)],
                }
    return json_answer({"users": users, "refresh_delay_secs": asked.switches["refresh_delay_seconds"]})


def _fleetline(asked: Asked) -> Answer:
    now, following = asked.world.now(), asked.switches["following"]
    threads = []
    for scene in _live(asked):
        people = _on_stage(scene, now)
        if following != "all" and not any(person.user_id in following for person in people):
            continue
        started_at = scene.started_at or scene.created_at
        threads.append(
            {
                "fully_read": False,
                "live_content": _content(asked, scene, now, scene.creator),
                "mentions": [],
                "mentions_str": [],
                "participants": [_number(person.user_id) for person in people],
                "participants_str": [person.user_id for person in people],
                "thread_id": snowflake(started_at, "thread", scene.id),
                "user_id": _number(scene.creator.user_id),
                "user_id_str": scene.creator.user_id,
            }
        )
    return json_answer({"threads": threads, "refresh_delay_secs": asked.switches["refresh_delay_seconds"]})


def _live(asked: Asked) -> list[Scene]:
    now, only_spaces = asked.world.now(), asked.exchange.params.get("only_spaces") == "true"
    return [
        scene
        for scene in asked.world.scenes
        if scene.state_at(now) is State.RUNNING
        and not scene.is_seed
        and not scene.extra.get("is_deleted")
        and not (only_spaces and scene.kind is Kind.BROADCAST)
    ]


def _on_stage(scene: Scene, now: datetime) -> tuple[Person, ...]:
    return scene.on_stage(scene.position_at(now))


def _content(asked: Asked, scene: Scene, now: datetime, person: Person) -> dict[str, Any]:
    if scene.kind is Kind.BROADCAST:
        facts = {"broadcast_id": scene.id, "id": scene.id, "media_key": scene.media_key, "state": "RUNNING"}
        return {"livevideo": facts | {"title": scene.title or "", "creator_twitter_user_id": scene.creator.user_id}}
    in_text = asked.switches["fleet_instants"] == "text"

    def write(instant: datetime) -> str | int:
        return nine_decimals(instant) if in_text else round(instant.timestamp() * 1000)

    instants: dict[str, Any] = {
        "created_at": write(scene.created_at),
        "updated_at": write(updated_at(scene, now)),
        "start": write(scene.started_at or scene.created_at),
    }
    if scene.scheduled_at is not None:
        instants["scheduled_start"] = write(scene.scheduled_at)
    return {"audiospace": dict(_facts(scene, now, person)) | instants | dict(scene.extra.get("fleet", {}))}


def _facts(scene: Scene, now: datetime, person: Person) -> Mapping[str, Any]:
    creator, stage = scene.creator, _on_stage(scene, now)
    admins = [member for member in stage if member.role in ("creator", "host")]
    listeners = scene.audience_at(now).listeners
    return {
        "broadcast_id": scene.id,
        "id": scene.id,
        "title": scene.title or "",
        "media_key": scene.media_key,
        "state": "RUNNING",
        "content_type": "visual_audio",
        "creator_user_id": creator.periscope_id,
        "creator_twitter_user_id": creator.user_id,
        "primary_admin_user_id": creator.periscope_id,
        "admin_user_ids": [member.periscope_id for member in admins],
        "admin_twitter_user_ids": [member.user_id for member in admins],
        "pending_admin_user_ids": [],
        "pending_admin_twitter_user_ids": [],
        "max_admin_capacity": 3,
        "max_guest_sessions": 10,
        "conversation_controls": 0,
        "language": scene.language,
        "is_locked": False,
        "is_employee_only": False,
        "is_muted": False,
        "is_space_creator_muted": scene.is_muted(creator.handle, scene.position_at(now)),
        "topics": [dict(topic) for topic in scene.extra.get("topics", ())],
        "enable_server_audio_transcription": scene.has_captions,
        "is_space_available_for_replay": scene.has_replay,
        "is_trending": False,
        "narrow_cast_space_type": 0,
        "disallow_join": False,
        "rsvp_count": 12,
        "num_tweets_with_space_link": 7,
        "total_live_listeners": running_count(scene, now),
        "total_participating": listeners,
        "total_participating_public": listeners,
        "total_participated": running_count(scene, now) + 3,
        "total_participated_public": running_count(scene, now) + 3,
        "social_proof": [
            {
                "user_id": _number(person.user_id),
                "user_id_str": person.user_id,
                "role": "ADMIN" if person in admins else "SPEAKER",
            }
        ],
    }


def _number(user_id: str) -> int | str:
    return int(user_id) if user_id.isdigit() else user_id
