"""The Producer API: to broadcast with an encoder of one's own, from region to delete.

It closed in 2021. Publishing is public and acts in the user's name, so nothing here does it by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from hydrophone.http.messages import Question
from hydrophone.http.reading import Node
from hydrophone.links import is_broadcast_id
from hydrophone.model import BroadcastId, SpaceState
from hydrophone.periscope.asking import expect_success
from hydrophone.periscope.producer_login import ProducerLogin, ask_producer, producer_request
from hydrophone.periscope.records import PeriscopeUser, read_state, read_user
from hydrophone.periscope.session import PeriscopeSession

_REGION = re.compile(r"[a-zA-Z]{2}-[a-zA-Z0-9-]{1,40}-[0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSettings:
    """What the service recommends to send."""

    video_codec: str | None = None
    video_bitrate_bps: int | None = None
    frame_rate: float | None = None
    keyframe_interval_seconds: float | None = None
    width: int | None = None
    height: int | None = None
    audio_codec: str | None = None
    audio_rate: int | None = None
    audio_bitrate_bps: int | None = None
    audio_channels: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestTarget:
    """Where an encoder sends to: the address is a base and a key, and the key is a secret."""

    stream_key: str = field(repr=False)
    rtmp_url: str | None = None
    rtmps_url: str | None = None
    name: str | None = None
    recommended: EncoderSettings = EncoderSettings()

    def address(self, *, secure: bool = True) -> str:
        """The whole address for an encoder; a secret. Falls back to what there is."""
        bases = (self.rtmps_url, self.rtmp_url) if secure else (self.rtmp_url, self.rtmps_url)
        base = next((base for base in bases if base), "")
        return f"{base.rstrip('/')}/{self.stream_key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProducedBroadcast:
    """A broadcast of one's own. `ingest` and the playlist are only told when it is created."""

    id: BroadcastId
    state: SpaceState
    state_text: str = ""
    title: str = ""
    share_url: str | None = None
    playlist_url: str | None = field(default=None, repr=False)
    ingest: IngestTarget | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


# ---------------------------------------------------------------- broadcasts


def own_user(session: PeriscopeSession, login: ProducerLogin) -> Question[PeriscopeUser]:
    return read_user((yield from ask_producer(session, "GET", "/v1/me", login=login)))


def nearest_region(session: PeriscopeSession, login: ProducerLogin) -> Question[str]:
    """The region to send to. The service answers by way of redirects.

    Raises:
        WireError: what came is no region.
    """
    root = yield from ask_producer(session, "GET", "/v1/region", login=login)
    region = root.at("region").need_text()
    if not _REGION.fullmatch(region):
        raise root.at("region").wrong("a region")
    return region


def create_broadcast(
    session: PeriscopeSession, login: ProducerLogin, region: str, *, low_latency: bool = True, is_360: bool = False
) -> Question[ProducedBroadcast]:
    """A broadcast to send to; nobody sees it yet. It may be an earlier one that was never published."""
    body = {"region": region, "is_360": is_360, "is_low_latency": low_latency}
    root = yield from ask_producer(session, "POST", "/v1/broadcast/create", body, login=login)
    return read_created(root)


def publish_broadcast(
    session: PeriscopeSession,
    login: ProducerLogin,
    broadcast_id: BroadcastId,
    title: str,
    *,
    posts_to_x: bool = False,
    locale: str = "en_US",
    super_hearts: bool = False,
) -> Question[ProducedBroadcast]:
    """Let everybody see it: a public act in the user's name. The service's own default posts it to X; ours does not."""
    body = {
        "broadcast_id": broadcast_id,
        "title": title,
        "should_not_tweet": not posts_to_x,
        "locale": locale,
        "enable_super_hearts": super_hearts,
    }
    root = yield from ask_producer(session, "POST", "/v1/broadcast/publish", body, login=login)
    return read_produced(root.at("broadcast"))


def stop_broadcast(session: PeriscopeSession, login: ProducerLogin, broadcast_id: BroadcastId) -> Question[None]:
    reply = yield producer_request("POST", "/v1/broadcast/stop", {"broadcast_id": broadcast_id}, login)
    expect_success(session, reply, "broadcast/stop")


def delete_broadcast(session: PeriscopeSession, login: ProducerLogin, broadcast_id: BroadcastId) -> Question[None]:
    """Delete a broadcast with its replay, for ever."""
    reply = yield producer_request("POST", "/v1/broadcast/delete", {"broadcast_id": broadcast_id}, login)
    expect_success(session, reply, "broadcast/delete")


def look_up_broadcast(
    session: PeriscopeSession, login: ProducerLogin, broadcast_id: BroadcastId
) -> Question[ProducedBroadcast]:
    """A broadcast of one's own as it is now; not found once it is deleted."""
    root = yield from ask_producer(session, "GET", "/v1/broadcast", params={"id": broadcast_id}, login=login)
    return read_produced(root)


def read_created(root: Node) -> ProducedBroadcast:
    """The answer to a creation, with where to send to.

    Raises:
        WireError: there is no broadcast, or nowhere to send to.
    """
    produced = read_produced(root.need_object().at("broadcast"))
    encoder = root.at("encoder").need_object()
    ingest = IngestTarget(
        stream_key=encoder.at("stream_key").need_text(),
        rtmp_url=_rtmp(encoder.at("rtmp_url")),
        rtmps_url=_rtmp(encoder.at("rtmps_url")),
        name=encoder.at("display_name").some_text(),
        recommended=_read_recommended(encoder.at("recommended_configuration")),
    )
    if not (ingest.rtmp_url or ingest.rtmps_url):
        raise encoder.at("rtmps_url").wrong("an address to send to")
    return replace(
        produced,
        share_url=root.at("share_url").some_text(),
        playlist_url=root.first("video_access.https_hls_url", "video_access.hls_url").some_text(),
        ingest=ingest,
        raw=root.mapping(),
    )


def read_produced(record: Node) -> ProducedBroadcast:
    """A broadcast as this API tells it; states are in lower case here."""
    broadcast_id = record.need_object().at("id").need_text()
    if not is_broadcast_id(broadcast_id):
        raise record.at("id").wrong("the id of a broadcast")
    state, state_text = read_state(record.at("state"))
    return ProducedBroadcast(
        id=BroadcastId(broadcast_id),
        state=state,
        state_text=state_text,
        title=record.at("title").text() or "",
        raw=record.mapping(),
    )


def _read_recommended(record: Node) -> EncoderSettings:
    video_kbps, audio_kbps = record.at("video_bitrate").count(), record.at("audio_bitrate").count()
    frame_rate, interval = record.at("framerate").count(), record.at("keyframe_interval").count()
    return EncoderSettings(
        video_codec=record.at("video_codec").some_text(),
        video_bitrate_bps=video_kbps * 1000 if video_kbps is not None else None,
        frame_rate=float(frame_rate) if frame_rate is not None else None,
        keyframe_interval_seconds=float(interval) if interval is not None else None,
        width=record.at("width").count(),
        height=record.at("height").count(),
        audio_codec=record.at("audio_codec").some_text(),
        audio_rate=record.at("audio_sampling_rate").count(),
        audio_bitrate_bps=audio_kbps * 1000 if audio_kbps is not None else None,
        audio_channels=record.at("audio_num_channels").count(),
    )


def _rtmp(node: Node) -> str | None:
    url = node.some_text()
    if url is None or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        return url if parts.scheme in ("rtmp", "rtmps") and parts.hostname else None
    except ValueError:
        return None
