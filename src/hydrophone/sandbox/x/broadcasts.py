"""Video broadcasts as REST 1.1 gives them, and the event pages that lead to them.

A scene's `extra` may hold `broadcast` (values that overrule), `in_broadcasts_show` (a Space that this call knows too),
`event_id`, `event_title`, and `has_event_posts` (the event is a list of posts).

Source: web endpoint reference, "broadcasts/show.json" and "live_event timeline".
"""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Any

from hydrophone.sandbox.scene import Kind, Scene, State
from hydrophone.sandbox.serving import Answer, Exchange
from hydrophone.sandbox.world import World
from hydrophone.sandbox.x.addresses import Addresses
from hydrophone.sandbox.x.answers import NAMED, json_answer
from hydrophone.sandbox.x.gate import Asked, answer_api
from hydrophone.sandbox.x.ids import event_id
from hydrophone.sandbox.x.posts import flat_post, posts_of
from hydrophone.sandbox.x.records import running_count, updated_at
from hydrophone.sandbox.x.thumbnails import thumbnail_url

STATES = {
    State.NOT_STARTED: "NOT_STARTED",
    State.PRE_PUBLISHED: "NOT_STARTED",
    State.RUNNING: "RUNNING",
    State.ENDED: "ENDED",
    State.TIMED_OUT: "TIMED_OUT",
    State.CANCELED: "ENDED",
}


def answer_broadcasts(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """GET …/1.1/broadcasts/show.json?ids=…"""
    return answer_api(world, exchange, "broadcasts/show", _show, for_guests=True)


def answer_event(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """GET …/1.1/live_event/1/{event id}/timeline.json"""
    return answer_api(world, exchange, "live_event", _event, for_guests=True)


def broadcast_record(scene: Scene, addresses: Addresses, now: datetime) -> dict[str, Any]:
    """One broadcast. Numbers are text, all but the few that are not."""
    state, creator = scene.state_at(now), scene.creator
    largest = max(scene.variants, key=lambda variant: variant.width)
    record: dict[str, Any] = {
        "id": scene.id,
        "broadcast_id": scene.id,
        "media_key": scene.media_key,
        "media_id": scene.media_key.partition("_")[2],
        "created_at_ms": _ms(scene.created_at),
        "updated_at_ms": _ms(updated_at(scene, now)),
        "language": scene.language,
        "image_url": thumbnail_url(scene, addresses, now, width=0),
        "image_url_small": thumbnail_url(scene, addresses, now, width=128),
        "image_url_medium": thumbnail_url(scene, addresses, now, width=360),
        "status": scene.title or "",
        "broadcast_source": "livecms",
        "available_for_replay": scene.has_replay,
        "user_id": creator.periscope_id,
        "twitter_user_id": creator.user_id,
        "user_display_name": creator.name,
        "username": creator.handle,
        "twitter_username": creator.handle,
        "profile_image_url": addresses.picture(creator.avatar_url).replace("_normal.", "_reasonably_small."),
        "state": STATES[state],
        "is_locked": False,
        "friend_chat": False,
        "has_moderation": True,
        "height": largest.height,
        "width": largest.width,
        "camera_rotation": 0,
        "has_location": False,
        "lat": 0.0,
        "lng": 0.0,
        "total_watching": str(scene.audience_at(now).listeners if state is State.RUNNING else 0),
        "total_watched": str(running_count(scene, now)),
        "private_chat": False,
        "is_high_latency": True,
        "version": 1167,
    }
    record |= _instants(scene, state, now)
    return record | dict(scene.extra.get("broadcast", {}))


def _instants(scene: Scene, state: State, now: datetime) -> dict[str, str]:
    instants = {}
    if scene.scheduled_at is not None:
        instants["scheduled_start_ms"] = _ms(scene.scheduled_at)
    if scene.started_at is not None and now >= scene.started_at:
        last = min(now, scene.ended_at) if scene.ended_at else now
        instants |= {"start_ms": _ms(scene.started_at), "ping_ms": _ms(last - timedelta(milliseconds=240))}
        if state in (State.ENDED, State.TIMED_OUT):
            instants["end_ms"] = _ms(last)
    return instants


def _ms(instant: datetime) -> str:
    return str(round(instant.timestamp() * 1000))


def _show(asked: Asked) -> Answer:
    wanted = [name for name in asked.exchange.params.get("ids", "").split(",") if name]
    if not wanted or len(wanted) > 100:
        return NAMED["404_34"]
    now = asked.world.now()

    def record(broadcast_id: str) -> dict[str, Any] | None:
        scene = asked.world.scene(broadcast_id)
        if scene is None or scene.extra.get("is_deleted"):
            return None
        if scene.kind is not Kind.BROADCAST and not scene.extra.get("in_broadcasts_show"):
            return None
        return broadcast_record(scene, asked.addresses, now)

    return json_answer({"broadcasts": {name: record(name) for name in wanted}, "events": {}})


def _event(asked: Asked) -> Answer:
    wanted = asked.exchange.group("event_id")
    scenes = [scene for scene in asked.world.scenes if event_id(scene) == wanted]
    if not scenes:
        return NAMED["404_34"]
    now, first = asked.world.now(), scenes[0]
    posts = [post for scene in scenes if scene.extra.get("has_event_posts") for post in posts_of(scene) if post.card]
    creator = first.creator
    objects = {
        "tweets": {post.id: flat_post(post, asked.addresses, now) for post in posts},
        "users": {creator.user_id: {"id_str": creator.user_id, "screen_name": creator.handle, "name": creator.name}},
        "live_events": {wanted: {"id": wanted, "title": str(first.extra.get("event_title", first.title or ""))}},
        "broadcasts": {
            scene.id: {
                "id": scene.id,
                "broadcast_id": scene.id,
                "media_key": scene.media_key,
                "state": STATES[scene.state_at(now)],
            }
            for scene in scenes
        },
    }
    return json_answer({"timeline": {"id": f"LiveEvent-{wanted}", "instructions": []}, "twitter_objects": objects})
