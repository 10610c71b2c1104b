"""The CDN: routes, what is common to all answers, and what the status call must name."""

from __future__ import annotations

import gzip
import re
from collections.abc import Awaitable, Callable
from importlib.resources import files

from hydrophone.sandbox.cdn_audio import AudioShelf
from hydrophone.sandbox.cdn_video import VideoShelf, video_key
from hydrophone.sandbox.pictures import VideoMaker
from hydrophone.sandbox.playlists import stream_root
from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.segments import SegmentMaker
from hydrophone.sandbox.serving import Exchange, Route
from hydrophone.sandbox.shelf import Found, PlaylistFile
from hydrophone.sandbox.world import World

__all__ = ["live_stream_url", "replay_stream_url", "routes", "shelf_of", "stream_url", "video_key", "warm_up"]

FILE_PATH = (
    r"/Transcoding/v1/hls/(?P<key>[^/]+)/(?P<kind>non_transcode|transcode)/(?P<region>[^/]+)/(?P<bucket>[^/]+)/"
    r"(?:(?P<token>[^/]+\.[^/]+\.[^/]+)/)?(?P<audio>audio-space/)?(?P<name>[^/]+)"
)
OWN_ORIGINS = ("https://x.com", "https://twitter.com")
SEED_FRAMES = {"chunk_00001.aac": (0, 281), "chunk_00002.aac": (281, 562), "chunk_00003.aac": (562, 773)}
ERROR_404 = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code></Error>\n'


#: Who makes the shelf of a scene whose `extra` has that key. Filled by the modules that have such scenes.
SHELF_MAKERS: dict[str, Callable[[World, Scene], AudioShelf | VideoShelf]] = {}


class Shelves:
    """The shelf of each loaded scene, made when it is first asked for."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._made: dict[str, AudioShelf | VideoShelf] = {}

    def of(self, scene: Scene) -> AudioShelf | VideoShelf:
        shelf = self._made.get(scene.id)
        if shelf is None or shelf.scene is not scene:
            shelf = self._made[scene.id] = self._make(scene)
        return shelf

    def _make(self, scene: Scene) -> AudioShelf | VideoShelf:
        own = next((make for key, make in SHELF_MAKERS.items() if key in scene.extra), None)
        if own is not None:
            return own(self._world, scene)
        kind = VideoShelf if scene.is_video else AudioShelf
        return kind(scene, self._world.timeline(scene.id), self._world.ledger)


def routes(world: World) -> list[Route]:
    """Everything under ``/Transcoding``."""

    def answer(exchange: Exchange) -> Awaitable[None] | None:
        return serve_file(world, exchange)

    return [Route("cdn", "GET", FILE_PATH, answer)]


def serve_file(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """One playlist or segment."""
    origin = exchange.header("origin")
    if origin and origin not in OWN_ORIGINS:
        return exchange.reply(403, {"content-type": "text/plain"}, "Forbidden")
    scene = world.scene_by_stream_key(exchange.group("key"))
    if scene is None:
        is_malformed = not re.fullmatch(r"[A-Za-z0-9_-]{40,120}", exchange.group("key"))
        return exchange.reply(403 if is_malformed else 404)
    if scene.is_seed:
        found = seed_file(scene, exchange.group("name"))
    else:
        found = shelf_of(world, scene).find(
            exchange.group("name"),
            token=exchange.group("token"),
            is_audio=bool(exchange.group("audio")),
            params=exchange.params,
            now_us=world.clock.now_us(),
            x_base=key_base(world, exchange),
        )
    return send_file(exchange, found)


def send_file(exchange: Exchange, found: Found) -> Awaitable[None] | None:
    """A file as the CDN sends it: with the edge's headers, lists compressed for those who ask for it."""
    edge = [("x-served-by", "cache-fra-sandbox1-FRA"), ("x-cache", "HIT"), ("age", "0")]
    if isinstance(found, int):
        body = ERROR_404 if found == 404 else b""
        return exchange.reply(found, [("content-type", "application/xml"), *edge], body)
    headers = [("content-type", found.content_type), ("cache-control", found.cache_control), *edge]
    body = found.body
    if isinstance(found, PlaylistFile) and "gzip" in exchange.header("accept-encoding") and len(body) > 512:
        headers.append(("content-encoding", "gzip"))
        body = gzip.compress(body, compresslevel=1, mtime=0)
    return exchange.reply(200, headers, body)


def seed_file(scene: Scene, name: str) -> Found:
    """What the reference's own example names, verbatim; its three segments are plain ADTS."""
    from hydrophone.sandbox.shelf import SegmentFile

    if name == "playlist_xxx.m3u8":
        return PlaylistFile(package_data("seed.master.m3u8"), is_live=False)
    if re.fullmatch(r"chunk_playlist_(64|128)k\.m3u8", name):
        return PlaylistFile(package_data("seed.variant.m3u8"), is_live=False)
    if name in SEED_FRAMES:
        first, end = SEED_FRAMES[name]
        return SegmentFile(b"".join(SegmentMaker(scene).plain_frames(first, end)), "audio/aac")
    return 404


def package_data(name: str) -> bytes:
    return (files("hydrophone.sandbox") / "scenes" / name).read_bytes()


def key_base(world: World, exchange: Exchange) -> str:
    """The host that hands out video keys, as this client must be told it."""
    base = world.base("x", exchange)
    return "https://twitter.com" if base.startswith("https://") else base


# ---------------------------------------------------------------- for the status call


def stream_url(world: World, scene: Scene, exchange: Exchange | None = None) -> str | None:
    """What `source.location` must say now; None where the status call answers 404."""
    return live_stream_url(world, scene, exchange) or replay_stream_url(world, scene, exchange)


def live_stream_url(world: World, scene: Scene, exchange: Exchange | None = None) -> str | None:
    """The live list (audio) or live master (video), from publish to the end, also while the host is away."""
    timeline = world.timeline(scene.id)
    if not timeline.started_us <= world.clock.now_us() < timeline.ended_us:
        return None
    name = "dynamic_playlist.m3u8"
    if scene.is_video:
        name = f"{'tw_' if scene.is_encrypted else ''}master_dynamic_highlatency.m3u8"
    base = world.base("cdn", exchange, region=scene.region)
    return f"{base}{stream_root(scene, 'non_transcode')}{name}?type=live"


def replay_stream_url(world: World, scene: Scene, exchange: Exchange | None = None) -> str | None:
    """The replay list (audio) or replay master (video), once it is offered."""
    timeline = world.timeline(scene.id)
    now_us = world.clock.now_us()
    base = world.base("cdn", exchange, region=scene.region)
    if scene.is_seed:
        return f"{base}{stream_root(scene, 'non_transcode')}playlist_xxx.m3u8?type=replay"
    offered_us = timeline.ended_us + round(scene.replay_lag_seconds * 1_000_000)
    if not scene.has_replay or now_us < offered_us:
        return None
    number = timeline.snapshots(now_us)[-1].number
    name = f"playlist_{number}.m3u8"
    if scene.is_video:
        name = f"{'tw_' if scene.is_encrypted else ''}master_dynamic_{number}.m3u8"
    return f"{base}{stream_root(scene, 'non_transcode')}{name}?type=replay"


def warm_up(scene: Scene) -> None:
    """Encode what the scene needs and no cache has yet: some seconds once on a machine, milliseconds afterwards.

    To be called before the scene is put on the clock: while this runs, nothing is served.
    """
    if not scene.is_video:
        SegmentMaker(scene).warm_up()
        return
    for variant in scene.variants:
        VideoMaker(scene, variant).warm_up()


def shelf_of(world: World, scene: Scene) -> AudioShelf | VideoShelf:
    """Where the scene's files are."""
    return world.room(Shelves, lambda: Shelves(world)).of(scene)
