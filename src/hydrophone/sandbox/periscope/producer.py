"""The Producer API: who am I, which region, create, publish, stop, delete, and its own flat chat."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from typing import Any

from hydrophone.sandbox.periscope.access import folder
from hydrophone.sandbox.periscope.answers import moved, said
from hydrophone.sandbox.periscope.asking import Asked, asked_of
from hydrophone.sandbox.periscope.devices import bearer, refused
from hydrophone.sandbox.periscope.facts import broadcast_of
from hydrophone.sandbox.periscope.pushes import Push, pushes_of
from hydrophone.sandbox.periscope.records import flat_user, state_of
from hydrophone.sandbox.periscope.switches import read_switches
from hydrophone.sandbox.periscope.websocket import WebSocket, accept
from hydrophone.sandbox.periscope.words import steady
from hydrophone.sandbox.scene import Person, Scene, State
from hydrophone.sandbox.serving import Answer, Exchange
from hydrophone.sandbox.world import World

RECOMMENDED = {
    "video_codec": "h264",
    "video_bitrate": 2500,
    "framerate": 30,
    "keyframe_interval": 3,
    "width": 1280,
    "height": 720,
    "audio_codec": "aac",
    "audio_sampling_rate": 44_100,
    "audio_bitrate": 128,
    "audio_num_channels": 2,
}
_UNAUTHORIZED = refused(401, "The access token is invalid or has expired.")
_UNKNOWN = refused(404, "There is no such broadcast.")


def show_me(asked: Asked) -> Answer:
    """GET /me."""
    owner = bearer(asked)
    return _UNAUTHORIZED if owner is None else said(flat_user(asked, owner))


def show_region(asked: Asked) -> Answer:
    """GET /region: answered after so many redirects."""
    if bearer(asked) is None:
        return _UNAUTHORIZED
    hop = int(asked.text("hop") or 0)
    if hop < int(asked.switches["region_hops"]):
        return moved(f"/v1/region?hop={hop + 1}", 307)
    return said({"region": asked.switches["region"]})


def create(asked: Asked) -> Answer | Awaitable[Answer]:
    """POST /broadcast/create: an unpublished one is handed out again."""
    owner = bearer(asked)
    if owner is None:
        return _UNAUTHORIZED
    if not asked.text("region"):
        return refused(400, "region is required")
    return _created(asked, owner)


async def _created(asked: Asked, owner: Person) -> Answer:
    pushes = pushes_of(asked.world)
    push = pushes.unpublished(owner) or await pushes.create(owner, region=asked.text("region"))
    scene = push.scene
    url = f"{asked.places.cdn(scene.region)}{folder(scene)}dynamic_playlist.m3u8?type=live"
    return said(
        {
            "broadcast": {"id": scene.id, "state": "not_started", "title": ""},
            "video_access": {"hls_url": url, "https_hls_url": url},
            "share_url": f"https://www.pscp.tv/w/{scene.id}",
            "encoder": {
                "stream_key": push.stream_name,
                "rtmp_url": f"rtmp://127.0.0.1:{push.ports['rtmp']}/{push.app}",
                "rtmps_url": f"rtmps://127.0.0.1:{push.ports['rtmps']}/{push.app}",
                "display_name": "Sandbox Encoder",
                "recommended_configuration": RECOMMENDED,
            },
        }
    )


def _own(asked: Asked) -> Push | Answer:
    """The caller's broadcast, or why not."""
    owner = bearer(asked)
    if owner is None:
        return _UNAUTHORIZED
    push = pushes_of(asked.world).find(asked.text("broadcast_id"))
    if push is None or push.owner.periscope_id != owner.periscope_id or push.scene.extra["periscope"].get("deleted"):
        return _UNKNOWN
    return push


def publish(asked: Asked) -> Answer:
    """POST /broadcast/publish: public from here on; it writes a post on X unless told not to."""
    push = _own(asked)
    if isinstance(push, Answer):
        return push
    if push.state is not State.NOT_STARTED:
        return refused(400, "The broadcast was published before.")
    push.publish(asked.text("title"), posts=asked.text("should_not_tweet").lower() != "true")
    return said({"broadcast": _flat(asked, push.scene)})


async def stop(asked: Asked) -> Answer:
    """POST /broadcast/stop: answered when everything that the encoder had sent is in the replay."""
    push = _own(asked)
    if isinstance(push, Answer):
        return push
    await push.drain()
    if push.is_running or push.state is State.NOT_STARTED:
        push.stop()
    return said({})


def delete(asked: Asked) -> Answer:
    """POST /broadcast/delete."""
    push = _own(asked)
    if isinstance(push, Answer):
        return push
    push.delete()
    return said({})


def show(asked: Asked) -> Answer:
    """GET /broadcast?id=: flat."""
    if bearer(asked) is None:
        return _UNAUTHORIZED
    scene = broadcast_of(asked.world, asked.text("id"))
    return _UNKNOWN if scene is None else said(_flat(asked, scene))


def _flat(asked: Asked, scene: Scene) -> dict[str, Any]:
    return {"id": scene.id, "state": state_of(asked, scene).lower(), "title": scene.title or ""}


def published(asked: Asked) -> Answer:
    """GET /periscope/published of the control room: what was made public, and whether it wrote posts."""
    rows = [
        {"id": p.scene.id, "title": p.scene.title, "state": p.state.value, "has_posted": p.has_posted}
        for p in pushes_of(asked.world).all()
    ]
    return said({"broadcasts": rows})


# ---------------------------------------------------------------- chat


async def answer_chat(world: World, exchange: Exchange) -> None:
    """GET /chat/connect?broadcast_id=: one flat message per text frame."""
    asked = asked_of(world, exchange)
    scene = broadcast_of(world, asked.text("broadcast_id"))
    status = 401 if bearer(asked) is None else 404 if scene is None else 400
    socket = accept(exchange) if status == 400 else None
    if socket is None or scene is None:
        pending = exchange.reply(status)
        if pending is not None:
            await pending
        return
    try:
        await _talk(world, socket, scene)
    except ConnectionError:
        pass


async def _talk(world: World, socket: WebSocket, scene: Scene) -> None:
    for message in _flat_messages(scene):
        socket.send(json.dumps(message, ensure_ascii=False, separators=(",", ":")))
    counted_us = world.clock.now_us()
    while socket.is_open:
        frame = await socket.receive(0.05)
        if frame is not None:
            problem = {"id": steady("", 12, len(frame.data)), "type": "error", "description": "Invalid chat message"}
            socket.send(json.dumps(problem))
        now_us = world.clock.now_us()
        if now_us - counted_us >= float(read_switches(world)["presence_seconds"]) * 1_000_000:
            counted_us = now_us
            socket.send(json.dumps({"id": steady("", 12, now_us), "type": "viewer_count", "live": 3, "total": 5}))
        current = broadcast_of(world, scene.id)
        if current is None or current.state_at(world.now()) in (State.ENDED, State.TIMED_OUT):
            socket.close(1000)


def _flat_messages(scene: Scene) -> list[dict[str, Any]]:
    viewer = Person.invent("ines_okafor", "Ines Okafor 🌊", periscope_id="98733046")
    user = {
        "id": viewer.periscope_id,
        "twitter_id": viewer.user_id,
        "username": viewer.handle,
        "display_name": viewer.name,
        "profile_image_urls": [{"url": viewer.avatar_url}],
        "locale": "en",
        "languages": ["en"],
        "superfan": False,
    }
    short = {key: user[key] for key in ("id", "username", "display_name", "profile_image_urls")}
    kinds: list[dict[str, Any]] = [
        {"type": "viewer_count", "live": 34, "total": 139},
        {"type": "join", "user": user, "color": "#5CDCB1"},
        {"type": "chat", "text": "Hello", "user": user, "color": "#44eeff"},
        {"type": "heart", "user": user, "color": "#99CE62"},
        {"type": "screenshot", "user": user, "color": "#99CE62"},
        {"type": "share", "service": "twitter", "user": user, "color": "#5CDCB1"},
    ]
    numbered = [{"id": steady("", 12, scene.id, place), **kind} for place, kind in enumerate(kinds)]
    return [*numbered, {"type": "super_heart", "user": short, "color": "#5CDCB1", "amount": 111, "tier": 2}]
