"""From what was typed to something that can be recorded: follow short links, posts, profiles and event pages."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from hydrophone.errors import HydrophoneError, LinkError, NotFoundError, NotSignedInError
from hydrophone.hls import is_audio_space
from hydrophone.http import AsyncClient
from hydrophone.links import parse_link
from hydrophone.model import (
    BroadcastId,
    BroadcastRef,
    EventRef,
    MediaKeyRef,
    MediaKind,
    PeriscopeBroadcastRef,
    PeriscopeChannelRef,
    PeriscopeUserRef,
    PlaylistRef,
    PostRef,
    ProfileRef,
    Ref,
    ShortLinkRef,
    SpaceId,
    SpaceRef,
)
from hydrophone.periscope.session import PeriscopeSession
from hydrophone.recorder.sources import BroadcastSource, MediaKeySource, PlaylistSource, Source, SpaceSource
from hydrophone.xweb.broadcasts import broadcasts_by_ids, event_broadcast
from hydrophone.xweb.fleets import spaces_of_users
from hydrophone.xweb.people import user_by_handle
from hydrophone.xweb.posts import post_target, short_link_target
from hydrophone.xweb.session import WebSession

if TYPE_CHECKING:
    from hydrophone.recorder.periscope_source import PeriscopeFinder

MAX_STEPS = 5  #: links that lead to links


class Resolver:
    """Find out what a link leads to."""

    def __init__(
        self,
        client: AsyncClient,
        session: WebSession,
        now: Callable[[], datetime],
        periscope: PeriscopeSession | None = None,
    ) -> None:
        self._client = client
        self._session = session
        self._now = now
        self._periscope_session = periscope or PeriscopeSession(now=now)

    @cached_property
    def _periscope(self) -> PeriscopeFinder:
        from hydrophone.recorder.periscope_source import PeriscopeFinder  # few links lead there

        return PeriscopeFinder(self._client, self._periscope_session, self._session)

    async def resolve(self, link: str) -> Source:
        """The source behind `link`.

        Raises:
            LinkError: it is no link that we know, or leads in a circle.
            NotFoundError: it leads to nothing that can be recorded (an account that is not live, a post without card).
        """
        ref = parse_link(link)
        for _ in range(MAX_STEPS):
            source = await self._source(ref)
            if source is not None:
                return source
            ref = await self._follow(ref)
        raise LinkError(f"{link!r} leads from link to link", text=link)

    async def _source(self, ref: Ref) -> Source | None:
        match ref:
            case SpaceRef():
                return await self._space_or_broadcast(ref)
            case BroadcastRef():
                return await self._broadcast_or_space(ref)
            case PlaylistRef(url):
                key = hashlib.sha256(url.encode(errors="replace")).hexdigest()[:13]
                kind = MediaKind.AUDIO if is_audio_space(url) else MediaKind.VIDEO
                return PlaylistSource(ref, key=key, kind=kind, opened_at=self._now())
            case MediaKeyRef():
                return MediaKeySource(self._client, self._session, ref, opened_at=self._now())
            case PeriscopeBroadcastRef():
                found = await self._periscope.source(ref)
                return await self._broadcast_or_space(found) if isinstance(found, BroadcastRef) else found
            case _:
                return None

    async def _space_or_broadcast(self, ref: SpaceRef) -> Source:
        """A bare id is taken for a Space. Guests are told nothing about Spaces, but about broadcasts they are."""
        space = SpaceSource(self._client, self._session, ref)
        broadcast_id = BroadcastId(ref.id)
        # What goes wrong here goes wrong once more when the Space is looked at, by one who knows what to do then.
        with contextlib.suppress(HydrophoneError):
            try:
                await space.check()
            except (NotFoundError, NotSignedInError):
                found = await self._client.ask(broadcasts_by_ids(self._session, [broadcast_id]))
                if found.get(broadcast_id) is not None:
                    return BroadcastSource(self._client, self._session, BroadcastRef(broadcast_id))
        return space

    async def _broadcast_or_space(self, ref: BroadcastRef) -> Source:
        """Spaces and broadcasts share one namespace, and the share link of a Space has the form of a broadcast's."""
        found = await self._client.ask(broadcasts_by_ids(self._session, [ref.id]))
        broadcast = found.get(BroadcastId(ref.id))
        if broadcast is not None and broadcast.width:
            return BroadcastSource(self._client, self._session, ref)
        space = SpaceSource(self._client, self._session, SpaceRef(SpaceId(ref.id)))
        if broadcast is None:
            return space
        try:
            await space.check()
        except NotFoundError:
            return BroadcastSource(self._client, self._session, ref)
        return space

    async def _follow(self, ref: Ref) -> Ref:
        match ref:
            case ShortLinkRef(code):
                return parse_link(await self._client.ask(short_link_target(code)))
            case PostRef(post_id):
                return await self._client.ask(post_target(self._session, post_id))
            case EventRef(event_id):
                return await self._client.ask(event_broadcast(self._session, event_id))
            case ProfileRef(handle):
                return await self._live_space_of(handle)
            case PeriscopeUserRef():
                return await self._periscope.broadcast_of_user(ref)
            case PeriscopeChannelRef():
                return await self._periscope.broadcast_of_channel(ref)
            case _:
                raise LinkError("this leads to nothing that can be recorded")

    async def _live_space_of(self, handle: str) -> Ref:
        user = await self._client.ask(user_by_handle(self._session, handle))
        spaces = await self._client.ask(spaces_of_users(self._session, [user.id]))
        for space in spaces.spaces.values():
            return SpaceRef(space.id)
        raise NotFoundError(
            f"@{handle} is not in a live Space now", advice="give the link of the Space, or try again while it is live"
        )
