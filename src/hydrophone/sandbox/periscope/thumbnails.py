"""Thumbnails of both generations: signed addresses, the pictures behind them, the list that goes with a replay."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable
from typing import Any

from hydrophone.sandbox.periscope.asking import Asked, Places, say
from hydrophone.sandbox.periscope.facts import fact, is_2016
from hydrophone.sandbox.periscope.words import cloudfront, seal
from hydrophone.sandbox.playlists import transcode_token
from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.serving import Answer, Exchange
from hydrophone.sandbox.world import World
from hydrophone.sandbox.x.pictures import thumbnail
from hydrophone.sandbox.x.tokens import is_ours, sign

KEY_PAIR = "APKAJHYDROPHONESBOX7"
TEN_YEARS = 315_360_000
DAY_SECONDS = 86_400
STREAM = r"(?P<key>[A-Za-z0-9_-]{86}(?:==)?)"
OLD_PATH = rf"/{STREAM}/chunk_(?P<number>\d+)(?P<small>_thumb_128)?\.jpg"
PATH = (
    r"/Transcoding/v1/replay_thumbnail/(?P<region>[a-z0-9-]+)/periscope-replay-direct-prod-[a-z0-9-]+-public/"
    rf"(?P<size>[\w-]+)/{STREAM}/chunk_(?P<ns>\d+)_(?P<number>\d+)_a\.jpg"
)


def cover_urls(asked: Asked, scene: Scene, state: str) -> dict[str, str]:
    """The image keys of a broadcast record."""
    if is_2016(scene):
        cover = cover_chunk(asked.world, scene)
        return {
            "image_url": old_url(asked.places, asked.world, scene, cover),
            "image_url_small": old_url(asked.places, asked.world, scene, cover, small=True),
        }
    make = live_url if state == "RUNNING" else _cover_url
    return {
        "image_url": make(asked, scene, 0),
        "image_url_small": make(asked, scene, 128),
        "image_url_medium": make(asked, scene, 360),
    }


def cover_chunk(world: World, scene: Scene) -> int:
    count = scene.segment_count or world.timeline(scene.id).count_at(world.clock.now_us())
    return max(0, count * 2 // 3)


def live_url(asked: Asked, scene: Scene, width: int) -> str:
    """The thumbnail that follows a running broadcast."""
    granted = int(asked.world.now().timestamp())
    return (
        f"{asked.places.cdn(scene.region)}/Transcoding/v1/live_thumbnail/{scene.region}/{_size(width)}/"
        f"{scene.stream_key}/latest.jpg?{_grant(scene, granted)}&ts={granted // 2}"
    )


def _cover_url(asked: Asked, scene: Scene, width: int) -> str:
    return replay_url(asked, scene, cover_chunk(asked.world, scene), width)


def replay_url(asked: Asked, scene: Scene, number: int, width: int) -> str:
    """A thumbnail of a replay."""
    region, timeline = scene.region, asked.world.timeline(scene.id)
    written_ns = timeline.piece(number).written_ns if scene.started_at else 0
    return (
        f"{asked.places.cdn(region)}/Transcoding/v1/replay_thumbnail/{region}/"
        f"periscope-replay-direct-prod-{region}-public/{_size(width)}/{scene.stream_key}/"
        f"chunk_{written_ns}_{number}_a.jpg?{_grant(scene, int(asked.world.now().timestamp()))}"
    )


def _size(width: int) -> str:
    return base64.urlsafe_b64encode(f'{{"d":{width}}}'.encode()).decode().rstrip("=")


def _grant(scene: Scene, granted: int) -> str:
    token = sign(
        {
            "AllowedProtocols": ["thumb"],
            "BroadcastId": scene.id,
            "GrantType": "read",
            "GrantedAt": granted,
            "GrantedTo": "PUBLIC",
            "StreamName": scene.stream_key,
            "exp": granted + 172_800,
        }
    )
    digest = transcode_token(token).rpartition(".")[2]
    return f"token={token}&service=proxsee&digest={digest}"


def old_url(places: Places, world: World, scene: Scene, number: int, *, small: bool = False) -> str:
    """A thumbnail of 2016: an address signed for ten years."""
    ended_at = scene.ended_at or world.now()
    # A scene of 2016 is shown more than ten years later; its pictures are to be seen all the same.
    day = int(world.now().timestamp()) // DAY_SECONDS
    expires = max(int(ended_at.timestamp()) + TEN_YEARS, (day + 2) * DAY_SECONDS)
    path = f"/{scene.stream_key}/chunk_{number}{'_thumb_128' if small else ''}.jpg"
    return (
        f"{places.thumbnails}{path}?Expires={expires}&Signature={_old_signature(path, expires)}&Key-Pair-Id={KEY_PAIR}"
    )


def _old_signature(path: str, expires: int) -> str:
    return cloudfront((seal(f"{path}|{expires}".encode()) * 8)[:256])


def thumbnail_list(asked: Asked, scene: Scene) -> dict[str, Any]:
    """The thumbnails of a replay: the cover first, then one in so many seconds, some without their time."""
    step = max(1, round(float(fact(scene, "thumbnail_seconds")) / scene.segment_seconds))
    count = scene.segment_count or asked.world.timeline(scene.id).count_at(asked.now_us)
    cover = cover_chunk(asked.world, scene)
    chunks = [_chunk(asked, scene, cover, None)]
    for place, number in enumerate(range(0, count, step)):
        # The first real one never has a time, and now and then another one lacks it.
        seconds = None if place in (0, 5) else float(number * scene.segment_seconds)
        chunks.append(_chunk(asked, scene, number, seconds))
    return {"chunks": chunks}


def _chunk(asked: Asked, scene: Scene, number: int, seconds: float | None) -> dict[str, Any]:
    if is_2016(scene):
        url = old_url(asked.places, asked.world, scene, number, small=True)
    else:
        url = replay_url(asked, scene, number, 128)
    chunk: dict[str, Any] = {"chunk": number, "tn": url}
    if seconds is not None:
        chunk["time"] = seconds
    return chunk | {"rotation": rotation_at(scene, number * scene.segment_seconds)}


def rotation_at(scene: Scene, position: float) -> int:
    """How the camera was held, in degrees."""
    degrees = 0
    for index, (begin, value) in enumerate(fact(scene, "rotation")):
        if index == 0 or float(begin) <= position:
            degrees = int(value)
    return degrees


# ---------------------------------------------------------------- the pictures


def answer_old(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """GET tn.periscope.tv/<stream>/chunk_<k>.jpg, signed."""
    params, small = exchange.params, bool(exchange.group("small"))
    expires = params.get("Expires", "")
    is_good = expires.isdigit() and params.get("Signature") == _old_signature(exchange.path, int(expires))
    if not is_good or params.get("Key-Pair-Id") != KEY_PAIR or int(expires) < world.now().timestamp():
        return say(world, exchange, Answer(403, (("content-type", "application/xml"),), b"<Error/>"))
    return _picture(world, exchange, 128 if small else 320)


def answer_picture(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """GET …/replay_thumbnail/…, with a token of 48 hours."""
    token = exchange.params.get("token", "")
    if not is_ours(token) or _claims(token).get("exp", 0) < world.now().timestamp():
        return say(world, exchange, Answer(403, (), b""))
    size: Any = exchange.group("size")
    try:
        width = int(json.loads(base64.urlsafe_b64decode(size + "=" * (-len(size) % 4)))["d"]) or 320
    except (ValueError, KeyError, TypeError):
        return say(world, exchange, Answer(404, (), b""))
    return _picture(world, exchange, min(width, 1280))


def _claims(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return claims


def _picture(world: World, exchange: Exchange, width: int) -> Awaitable[None] | None:
    scene = world.scene_by_stream_key(exchange.group("key"))
    if scene is None:
        return say(world, exchange, Answer(404, (), b""))
    full_width, full_height = _full_size(scene)
    body = thumbnail(f"{scene.stream_key}/{exchange.group('number')}", width, max(8, width * full_height // full_width))
    return say(world, exchange, Answer(200, (("content-type", "image/jpeg"),), body))


def _full_size(scene: Scene) -> tuple[int, int]:
    largest = max(scene.variants, key=lambda v: v.kbps)
    return largest.width, largest.height
