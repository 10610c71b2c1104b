"""The stream status call, and the key of an encrypted stream.

A scene's `extra` may hold `is_geoblocked`, `status_text` (in place of LIVE_PUBLIC), `status_without` (keys to leave
out) and `status` (values that overrule).

Source: web endpoint reference, "live_video_stream/status" and "AES-128" of the playlist reference.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from hydrophone.sandbox.cdn import stream_url, video_key
from hydrophone.sandbox.scene import Kind, Scene
from hydrophone.sandbox.serving import Answer, Exchange
from hydrophone.sandbox.world import World
from hydrophone.sandbox.x.answers import NAMED, empty_answer, json_answer
from hydrophone.sandbox.x.gate import Asked, answer_api, say
from hydrophone.sandbox.x.ids import snowflake
from hydrophone.sandbox.x.seed import MEDIA_KEY as SEED_MEDIA_KEY
from hydrophone.sandbox.x.seed import seed_status
from hydrophone.sandbox.x.switches import read_switches
from hydrophone.sandbox.x.tokens import chat_token, lifecycle_token


def answer_status(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """GET …/1.1/live_video_stream/status/{media key}: open to guests who know the key."""
    return answer_api(world, exchange, "live_video_stream/status", _status, for_guests=True)


def answer_key(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """GET …/i/live_video_stream/key?stream_name=…: sixteen bytes for those who are signed in. No bearer is needed."""
    scene = world.scene_by_stream_key(exchange.params.get("stream_name", ""))
    if not exchange.cookies.get("auth_token") or _is_account_dead(world, exchange):
        return say(world, exchange, empty_answer(401))
    if scene is None or not scene.is_encrypted:
        return say(world, exchange, empty_answer(404))
    return say(world, exchange, Answer(200, (("content-type", "application/octet-stream"),), video_key(scene)))


def _is_account_dead(world: World, exchange: Exchange) -> bool:
    switches = read_switches(world)
    state = switches["accounts"].get(exchange.cookies.get("auth_token", ""), switches["account"])
    return state in ("revoked", "invalid", "expired", "locked", "suspended")


def _status(asked: Asked) -> Answer:
    media_key = asked.exchange.group("media_key")
    scene = asked.world.scene_by_media_key(media_key)
    if scene.is_seed if scene else media_key == SEED_MEDIA_KEY:
        is_real = scene is None or asked.addresses.is_real
        return seed_status(None if is_real or scene is None else stream_url(asked.world, scene, asked.exchange))
    if scene is None or scene.extra.get("is_deleted"):
        return empty_answer(404)
    location = _location(asked, scene)
    if location is None:
        return empty_answer(404)
    document = _document(asked, scene, location) | dict(scene.extra.get("status", {}))
    hidden = scene.extra.get("status_without", ())
    return json_answer({name: value for name, value in document.items() if name not in hidden})


def _location(asked: Asked, scene: Scene) -> str | None:
    location = stream_url(asked.world, scene, asked.exchange)
    if location is None or not scene.extra.get("is_geoblocked"):
        return location
    host = "https://api.x.com" if asked.addresses.is_real else asked.addresses.base("x")
    return f"{host}/1.1/live_video_stream/geoblocked/{scene.media_key}.m3u8"


def _document(asked: Asked, scene: Scene, location: str) -> dict[str, Any]:
    now, viewer = asked.world.now(), asked.caller.person
    is_live = scene.ended_at is None or now < scene.ended_at
    issued, index = int(now.timestamp()), viewer.index if viewer else 0
    document: dict[str, Any] = {
        "source": {
            "location": location,
            "noRedirectPlaybackUrl": location,
            "status": str(scene.extra.get("status_text", "LIVE_PUBLIC")),
            "streamType": "HLS",
        },
        "sessionId": snowflake(now, "session", asked.caller.key),
        "chatToken": chat_token(
            broadcast_id=scene.id,
            viewer_id=viewer.user_id if viewer else "",
            participant_index=index,
            is_live=is_live,
            issued=issued,
        ),
        "lifecycleToken": lifecycle_token(
            broadcast_id=scene.id, participant_index=index, is_live=is_live, issued=issued
        ),
        "shareUrl": f"https://twitter.com/i/broadcasts/{scene.id}",
    }
    if is_live:
        is_space = scene.kind is not Kind.BROADCAST
        document["chatPermissionType"] = "StreamTypeLowLatency" if is_space else "StreamTypePublic"
    return document


def answer_geoblocked(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """The address that stands in place of a stream which this country must not see."""
    return say(world, exchange, NAMED["403_220"])
