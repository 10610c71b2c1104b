"""Channels: collections of broadcasts by hashtag, on a service of their own with a token of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from hydrophone.http.messages import NO_PARAMS, Question, Request
from hydrophone.http.reading import Node
from hydrophone.links import is_broadcast_id
from hydrophone.model import BroadcastId
from hydrophone.periscope.asking import ask_again, ask_private, ask_public
from hydrophone.periscope.session import PeriscopeSession

SERVICE = "channels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel. `slug` is the last part of its address. Its id is a number too large for most readers of JSON."""

    id: str
    name: str = ""
    description: str = ""
    slug: str | None = None
    hashtag: str | None = None
    owner_id: str | None = None
    live: int | None = None
    replays: int | None = None
    members: int | None = None
    created_at: datetime | None = None
    last_activity_at: datetime | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelBroadcasts:
    """The broadcasts of a channel by id. `channel` is None where the answer does not repeat it."""

    channel: Channel | None = None
    broadcast_ids: tuple[BroadcastId, ...] = ()
    featured_ids: tuple[BroadcastId, ...] = ()
    live: int | None = None
    replays: int | None = None


def channels_token(session: PeriscopeSession, service_token: str) -> Question[str]:
    """What opens the channels to a visitor.

    Args:
        service_token: the third kind of session token, from any page.
    """
    params = {"service": SERVICE, "session_id": service_token}
    root = yield from ask_public(session, "authorizeTokenPublic", params)
    return root.at("authorization_token").need_text()


def own_authorization(session: PeriscopeSession, service: str = SERVICE) -> Question[str]:
    """The same for a signed-in user; `service` is ``channels``, ``notification`` or ``guest``."""
    root = yield from ask_private(session, "authorizeToken", {"service": service})
    return root.at("authorization_token").need_text()


def top_channels(session: PeriscopeSession, token: str, *, language: str = "en") -> Question[list[ChannelBroadcasts]]:
    """The channels of the front page, each with some broadcasts."""
    root = yield from _ask(session, token, "/v1/top/channels/broadcasts", {"languages": language})
    return [read_channel_broadcasts(item) for item in root.at("ChannelBroadcasts").items() if item.is_object()]


def channels(session: PeriscopeSession, token: str) -> Question[list[Channel]]:
    root = yield from _ask(session, token, "/v1/channels")
    return read_channels(root)


def channels_of_user(session: PeriscopeSession, token: str, user_id: str) -> Question[list[Channel]]:
    """The channels that a user has made or belongs to."""
    root = yield from _ask(session, token, f"/v1/users/{quote(user_id, safe='')}/channels")
    return read_channels(root)


def channel_broadcasts(session: PeriscopeSession, token: str, channel_id: str) -> Question[ChannelBroadcasts]:
    root = yield from _ask(session, token, f"/v1/channels/{quote(channel_id, safe='')}/broadcasts")
    return read_channel_broadcasts(root)


def read_channels(root: Node) -> list[Channel]:
    return [read_channel(item) for item in root.at("Channels").items() if item.at("CID").some_text()]


def read_channel(record: Node) -> Channel:
    return Channel(
        id=record.need_object().at("CID").need_text(),
        name=record.at("Name").text() or "",
        description=record.at("Description").text() or "",
        slug=record.at("Slug").some_text(),
        hashtag=record.at("PublicTag").some_text(),
        owner_id=record.at("OwnerId").some_text(),
        live=record.at("NLive").count(),
        replays=record.at("NReplay").count(),
        members=record.at("NMember").count(),
        created_at=record.at("CreatedAt").instant(),
        last_activity_at=record.at("LastActivity").instant(),
        raw=record.mapping(),
    )


def read_channel_broadcasts(record: Node) -> ChannelBroadcasts:
    channel = record.at("Channel")
    ids, featured = [], []
    for item in record.at("Broadcasts").items():
        broadcast_id = item.at("BID").text() or ""
        if is_broadcast_id(broadcast_id):
            ids.append(BroadcastId(broadcast_id))
            if item.at("Featured").flag():
                featured.append(BroadcastId(broadcast_id))
    return ChannelBroadcasts(
        channel=read_channel(channel) if channel.at("CID").some_text() else None,
        broadcast_ids=tuple(ids),
        featured_ids=tuple(featured),
        live=record.first("NLive", "Channel.NLive").count(),
        replays=record.first("NReplay", "Channel.NReplay").count(),
    )


def _ask(session: PeriscopeSession, token: str, path: str, params: Mapping[str, str] = NO_PARAMS) -> Question[Node]:
    request = Request(
        "GET",
        path,
        params=params,
        headers={"accept": "application/json", "authorization": token},
        service=SERVICE,
        endpoint=SERVICE,
        max_redirects=0,
    )
    root = yield from ask_again(session, request)
    return root.need_object()
