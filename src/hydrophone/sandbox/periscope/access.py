"""What `accessVideoPublic` and its relatives say: which addresses, which cookies, which tokens, in which state."""

from __future__ import annotations

import base64
import json
from typing import Any

from hydrophone.sandbox.cdn import live_stream_url, replay_stream_url
from hydrophone.sandbox.periscope.answers import NAMED, moved, said
from hydrophone.sandbox.periscope.asking import Asked
from hydrophone.sandbox.periscope.cookies import cookie_list
from hydrophone.sandbox.periscope.facts import broadcast_of, fact, is_2016
from hydrophone.sandbox.periscope.records import broadcast_record, is_over, state_of
from hydrophone.sandbox.periscope.sessions import signed_in
from hydrophone.sandbox.periscope.shelf import list_number
from hydrophone.sandbox.periscope.words import share_token, steady
from hydrophone.sandbox.scene import Person, Scene
from hydrophone.sandbox.serving import Answer
from hydrophone.sandbox.x.tokens import sign

BUFFERS = {
    "default_playback_buffer_length": 1,
    "min_playback_buffer_length": 2,
    "max_playback_buffer_length": 5,
}
DAY_SECONDS = 86_400


def folder(scene: Scene, protocol: str = "hls") -> str:
    """The path of a stream on the CDN since 2018, with its closing slash."""
    region = scene.region
    return (
        f"/Transcoding/v1/{protocol}/{scene.stream_key}/non_transcode/{region}/"
        f"periscope-replay-direct-prod-{region}-public/"
    )


def answer_access(asked: Asked) -> Answer:
    """`accessVideoPublic`: for anybody, so a private broadcast shows no address."""
    return _access(asked, viewer=None)


def answer_private_access(asked: Asked) -> Answer:
    """`accessVideo`: for somebody with a cookie."""
    viewer = signed_in(asked)
    return NAMED["401"] if viewer is None else _access(asked, viewer=viewer)


def may_watch(scene: Scene, viewer: Person | None) -> bool:
    """Whether somebody gets addresses and keys of this broadcast."""
    if not fact(scene, "private"):
        return True
    return viewer is not None and viewer.handle in (scene.creator.handle, *fact(scene, "viewers"))


def _access(asked: Asked, *, viewer: Person | None) -> Answer:
    wanted = asked.text("broadcast_id")
    if not wanted:
        return NAMED["400"]
    scene = broadcast_of(asked.world, wanted)
    if scene is None:
        return NAMED["404"]
    if fact(scene, "answer"):
        return NAMED[str(fact(scene, "answer"))]
    if asked.text("replay_redirect") == "true":
        location = replay_location(asked, scene)
        return NAMED["404"] if location is None or not may_watch(scene, viewer) else moved(location, 302)
    return said(access_record(asked, scene, viewer=viewer))


def access_record(asked: Asked, scene: Scene, *, viewer: Person | None) -> dict[str, Any]:
    """The answer for a broadcast that exists."""
    state = state_of(asked, scene)
    wants_partial = asked.text("latest_replay_playlist") == "true"
    is_quiet = asked.since_start(scene) < float(fact(scene, "quiet_seconds"))
    record: dict[str, Any] = {"session": ""}
    urls: dict[str, Any] = {}
    if not is_quiet and may_watch(scene, viewer):
        if is_over(state) or (state == "RUNNING" and wants_partial):
            urls = _replay_urls(asked, scene)
        elif state == "RUNNING":
            urls = _live_urls(asked, scene)
    is_sealed = bool(fact(scene, "private") and urls)
    record |= urls
    if not is_2016(scene):
        record |= {"hls_is_encrypted": is_sealed, "lhls_is_encrypted": is_sealed}
    shows_live = state in ("RUNNING", "NOT_STARTED", "PUBLISHED") and not wants_partial
    kind = "StreamTypeLowLatency" if viewer else "StreamTypeWeb"
    record["type"] = kind if shows_live else "StreamTypeReplay"
    if "hls_url" in urls:
        record |= BUFFERS
    if "replay_url" in urls and fact(scene, "replay") == "master":
        record["media_configuration"] = "Interleaved"
    record |= {
        "chat_token": chat_token(asked, scene, viewer, is_live=shows_live),
        "life_cycle_token": life_cycle_token(asked, scene, is_live=shows_live),
        "broadcast": broadcast_record(asked, scene),
        "share_url": share_url(asked, scene, viewer),
        "autoplay_view_threshold": 3,
    }
    record |= fact(scene, "access")
    return {key: value for key, value in record.items() if value is not None}


# ---------------------------------------------------------------- addresses


def _live_urls(asked: Asked, scene: Scene) -> dict[str, str]:
    if "periscope" not in scene.extra:  # a broadcast of X, which has another live list
        url = live_stream_url(asked.world, scene, asked.exchange)
        return {"hls_url": url, "https_hls_url": url} if url else {}
    cdn = asked.places.cdn(scene.region)
    live = f"{cdn}{folder(scene)}dynamic_playlist.m3u8?type=live"
    return {
        "hls_url": live,
        "lhls_url": f"{cdn}{folder(scene, 'lhls')}dynamic_lowlatency.m3u8",
        "lhlsweb_url": f"{cdn}{folder(scene, 'lhls')}dynamic_lhlsweb.m3u8",
        "https_hls_url": live,
    }


def _replay_urls(asked: Asked, scene: Scene) -> dict[str, Any]:
    location = replay_location(asked, scene)
    if location is None:
        return {}
    if fact(scene, "private"):
        api = asked.places.api
        return {"replay_url": f"{api}/api/v2/replayPlaylist.m3u8?broadcast_id={scene.id}"}
    if fact(scene, "redirector") or (asked.text("replay_redirect") != "false" and not is_2016(scene)):
        call = f"accessVideoPublic?broadcast_id={scene.id}&replay_redirect=true"
        return {"replay_url": f"{asked.places.api}/api/v2/{call}"}
    if is_2016(scene):
        return {"replay_url": location, "cookies": cookie_list(asked, scene)}
    return {"replay_url": location}


def replay_location(asked: Asked, scene: Scene) -> str | None:
    """Where the replay really is, complete or partial; None while there is none."""
    timeline = asked.world.timeline(scene.id)
    is_done = asked.now_us >= timeline.ended_us
    offered_us = timeline.ended_us + round(scene.replay_lag_seconds * 1_000_000)
    if not scene.has_replay or timeline.ended_us <= asked.now_us < offered_us:
        return None
    if not is_done and not fact(scene, "partial_replay"):
        return None
    if "periscope" not in scene.extra:
        return replay_stream_url(asked.world, scene, asked.exchange)
    snapshots = timeline.snapshots(asked.now_us)
    if not snapshots:
        return None
    number = list_number(snapshots[-1])
    if is_2016(scene):
        return f"{asked.places.replay}/{scene.stream_key}/playlist_{2**64 - number}.m3u8"
    name = f"playlist_{number}.m3u8"
    if is_done and fact(scene, "replay") == "master":
        name = f"master_dynamic_{number}.m3u8"
    return f"{asked.places.cdn(scene.region)}{folder(scene)}{name}?type=replay"


def answer_redirector(asked: Asked) -> Answer:
    """`replayPlaylist.m3u8`: the way to a private replay, by cookie."""
    scene = broadcast_of(asked.world, asked.text("broadcast_id"))
    viewer = signed_in(asked)
    if viewer is None:
        return NAMED["401"]
    location = replay_location(asked, scene) if scene is not None and may_watch(scene, viewer) else None
    return NAMED["404"] if location is None else moved(location)


# ---------------------------------------------------------------- tokens and links


def share_url(asked: Asked, scene: Scene, sharer: Person | None) -> str:
    """The link to hand on: a share token for a private one, the plain id for all others.

    Always with the real host: links are for people, and no reader of links knows a port on loopback.
    """
    www = f"https://www.{'periscope' if is_2016(scene) else 'pscp'}.tv"
    if sharer is None or not fact(scene, "private"):
        return f"{www}/w/{scene.id}"
    return f"{www}/w/{share_token(sharer.periscope_id, scene.id, asked.world.now())}"


def chat_token(asked: Asked, scene: Scene, viewer: Person | None, *, is_live: bool) -> str:
    """The token for `accessChatPublic`, good for a day."""
    claims: dict[str, Any] = {}
    if is_2016(scene):
        claims["user_id"] = viewer.periscope_id if viewer else _web_id(scene)
    else:
        owner = {"UserId": viewer.periscope_id} if viewer else {"PublicUserId": _web_id(scene)}
        text = json.dumps(owner, separators=(",", ":"))
        claims["ambiguous_user_id"] = base64.b64encode(text.encode()).decode()
    claims |= {
        "broadcast_id": scene.id,
        "exp": int(asked.world.now().timestamp()) + DAY_SECONDS,
        "low_latency": is_live,
        "participant_index": viewer.index if viewer else 0,
        "read_only": viewer is None,
    }
    return sign(claims)


def life_cycle_token(asked: Asked, scene: Scene, *, is_live: bool) -> str:
    """The token with which a player would say that it watches."""
    created = int(asked.world.now().timestamp())
    return sign(
        {
            "broadcast_id": scene.id,
            "created": created,
            "exp": created + DAY_SECONDS,
            "ignore": False,
            "is_highlights": False,
            "is_live": is_live,
            "participant_index": 0,
            "token_version": 1,
        }
    )


def _web_id(scene: Scene) -> str:
    """An anonymous viewer: the fourth group of the uuid begins with 5, 6 or 7."""
    raw = steady("", 64, "web", scene.id).encode().hex()
    return f"web-{raw[:8]}-{raw[8:12]}-4{raw[12:15]}-6{raw[16:19]}-{raw[20:32]}"
