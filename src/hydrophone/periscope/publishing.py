"""To broadcast as the phone apps did: create, send, publish, ping, end. Nobody is given a session for it any more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hydrophone.http.messages import Question
from hydrophone.http.reading import Node
from hydrophone.model import Broadcast, BroadcastId
from hydrophone.periscope.asking import ask_private
from hydrophone.periscope.records import read_broadcast
from hydrophone.periscope.session import PeriscopeSession

PING_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AppIngest:
    """A broadcast that was created, and where the phone sends it to. Addresses and credential are secrets."""

    broadcast: Broadcast
    rtmp_url: str = field(repr=False)
    rtmps_url: str | None = field(default=None, repr=False)
    thumbnail_upload_url: str | None = field(default=None, repr=False)
    replay_upload_url: str | None = field(default=None, repr=False)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


def create_app_broadcast(
    session: PeriscopeSession,
    region: str,
    *,
    width: int = 320,
    height: int = 568,
    latitude: float = 0.0,
    longitude: float = 0.0,
) -> Question[AppIngest]:
    """A broadcast to send to; nobody sees it yet."""
    fields = {"lat": latitude, "lng": longitude, "width": width, "height": height, "region": region}
    return read_app_ingest((yield from ask_private(session, "createBroadcast", fields)))


def read_app_ingest(root: Node) -> AppIngest:
    """Where to send to: ``rtmp://host:port/application?t=credential/stream_name``."""
    host = root.need_object().at("host").need_text()
    application = root.at("application").need_text()
    tail = f"/{application}?t={root.at('credential').need_text()}/{root.at('stream_name').need_text()}"
    port, secure_port = root.at("port").count() or 80, root.at("private_port").count()
    return AppIngest(
        broadcast=read_broadcast(root.at("broadcast")),
        rtmp_url=f"rtmp://{host}:{port}{tail}",
        rtmps_url=f"rtmps://{host}:{secure_port}{tail}" if secure_port else None,
        thumbnail_upload_url=root.at("thumbnail_upload_url").some_text(),
        replay_upload_url=root.at("upload_url").some_text(),
        raw=root.mapping(),
    )


def publish_app_broadcast(
    session: PeriscopeSession,
    broadcast_id: BroadcastId,
    title: str,
    *,
    friends_only_chat: bool = False,
    invited: tuple[str, ...] = (),
    locale: str = "en",
) -> Question[None]:
    """Let others see it: a public act in the user's name, unless `invited` names the only ones who may."""
    fields: dict[str, Any] = {
        "broadcast_id": broadcast_id,
        "status": title,
        "friend_chat": friends_only_chat,
        "has_location": False,
        "locale": locale,
        "lock": list(invited) or None,
    }
    yield from ask_private(session, "publishBroadcast", fields)


def ping_app_broadcast(session: PeriscopeSession, broadcast_id: BroadcastId) -> Question[None]:
    """Say that it goes on; every `PING_SECONDS`, or the service takes it for timed out."""
    yield from ask_private(session, "pingBroadcast", {"broadcast_id": broadcast_id})


def end_app_broadcast(session: PeriscopeSession, broadcast_id: BroadcastId) -> Question[Broadcast]:
    root = yield from ask_private(session, "endBroadcast", {"broadcast_id": broadcast_id})
    return read_broadcast(root.at("broadcast"))


def delete_app_broadcast(
    session: PeriscopeSession, broadcast_id: BroadcastId, *, replay_only: bool = False
) -> Question[None]:
    """Delete a broadcast, or only its replay, for ever."""
    endpoint = "deleteReplay" if replay_only else "deleteBroadcast"
    yield from ask_private(session, endpoint, {"broadcast_id": broadcast_id})
