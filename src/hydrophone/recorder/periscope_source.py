"""Broadcasts under Periscope links: what Periscope itself still answers, then X's record, then why there is nothing.

Source: Periscope reference, "Order of resolving".
"""

from __future__ import annotations

import time

from hydrophone.errors import HydrophoneError, NotFoundError, UnreachableError, UnsafeAddressError, WireError
from hydrophone.http import AsyncClient, Question
from hydrophone.links import build_link
from hydrophone.model import (
    Broadcast,
    BroadcastId,
    BroadcastRef,
    MediaKey,
    PeriscopeBroadcastRef,
    PeriscopeChannelRef,
    PeriscopeUserRef,
    SpaceState,
    Stream,
)
from hydrophone.periscope.broadcasts import broadcasts_by_ids as broadcasts_on_periscope
from hydrophone.periscope.channels import ChannelBroadcasts, channel_broadcasts, channels, channels_token, top_channels
from hydrophone.periscope.closing import CLOSED, EXPORT_ADVICE, closed_error, may_be_on_x
from hydrophone.periscope.resolving import look_at_video, nothing_to_see
from hydrophone.periscope.session import PeriscopeSession
from hydrophone.periscope.users import page_at, user_broadcasts
from hydrophone.periscope.videos import VideoAccess, private_replay_url, redirect_target
from hydrophone.recorder.sources import Look, look_of_broadcast
from hydrophone.xweb.broadcasts import broadcasts_by_ids
from hydrophone.xweb.session import WebSession

FRESH_SECONDS = 2.0  #: an answer is used twice within this time: once for the state, once for the address
PRIVATE_REPLAY = "/replayPlaylist.m3u8"
#: What Periscope says, or does not, when it is time to ask X.
_NOT_HERE = (NotFoundError, UnreachableError, UnsafeAddressError, WireError)


class PeriscopeSource:
    """A broadcast that Periscope knows."""

    has_states = True

    def __init__(self, client: AsyncClient, session: PeriscopeSession, ref: PeriscopeBroadcastRef) -> None:
        self._client = client
        self._session = session
        self.ref = ref
        self.key = str(ref.id)
        self.link = build_link(PeriscopeBroadcastRef(ref.id))
        self._fresh: tuple[float, VideoAccess] | None = None

    async def check(self) -> None:
        """Look already now; the next look is answered from this one. Raises as `look` does."""
        self._fresh = (time.monotonic(), await self._ask())

    async def broadcast(self) -> Broadcast:
        """The record as it is now."""
        access = await self._access()
        if access.broadcast is None:
            raise WireError("the answer about the video holds no broadcast", path="broadcast", endpoint="accessVideo")
        return access.broadcast

    async def look(self) -> Look:
        return look_of_broadcast(await self.broadcast(), self.link)

    async def stream(self, media_key: MediaKey | None) -> Stream | None:
        """Where it is to be seen.

        Raises:
            NotSignedInError: it is private.
            NoReplayError: it is over, and nothing is offered.
        """
        access = await self._access()
        url = access.playlist_url
        if url is not None:
            return access.stream(at=await self._behind(url))
        broadcast = access.broadcast
        if broadcast is not None and (broadcast.is_private or broadcast.state.is_over):
            raise nothing_to_see(access, self.ref.id)
        return None

    def ask_stream(self, media_key: MediaKey | None) -> Question[Stream | None]:
        """The same as one question, for whoever needs no more of it than a fresh chat token."""
        return (yield from look_at_video(self._session, self.ref.id)).stream()

    async def whole_url(self) -> str | None:
        """The partial replay of a running broadcast, and the replay of one that has ended."""
        try:
            access = await self._client.ask(look_at_video(self._session, self.ref.id, partial_replay=True))
            replay = access.urls.get("replay_url")
            return await self._behind(replay) if replay else None
        except HydrophoneError:
            return None

    async def _access(self) -> VideoAccess:
        fresh, self._fresh = self._fresh, None
        if fresh is not None and time.monotonic() - fresh[0] < FRESH_SECONDS:
            return fresh[1]
        access = await self._ask()
        self._fresh = (time.monotonic(), access)
        return access

    async def _ask(self) -> VideoAccess:
        return await self._client.ask(look_at_video(self._session, self.ref.id))

    async def _behind(self, url: str) -> str | None:
        """The playlist itself, where the address is one of the API that leads there. No cookie goes on with it."""
        if not self._client.endpoints.is_periscope_api(url):
            return url
        if PRIVATE_REPLAY in url and self._session.login is not None:
            return await self._client.ask(private_replay_url(self._session, self.ref.id))
        return await self._client.ask(redirect_target(self._session, url))


class PeriscopeFinder:
    """From links of Periscope to what they lead to."""

    def __init__(self, client: AsyncClient, session: PeriscopeSession, web: WebSession) -> None:
        self._client = client
        self._session = session
        self._web = web

    async def source(self, ref: PeriscopeBroadcastRef) -> PeriscopeSource | BroadcastRef:
        """The source at Periscope; where it does not know the broadcast (any more) and X does, what X calls it.

        Raises:
            NotFoundError: neither knows it; the message says what has become of Periscope.
            UnreachableError: neither answered.
            RemoteError: X will not tell a guest, or not now.
        """
        source = PeriscopeSource(self._client, self._session, ref)
        try:
            await source.check()
        except _NOT_HERE as error:
            return await self._on_x(ref.id, error)
        return source

    async def _on_x(self, broadcast_id: BroadcastId, problem: HydrophoneError) -> BroadcastRef:
        if not may_be_on_x(broadcast_id):
            raise closed_error(broadcast_id, asked_x=False) from problem
        found = await self._client.ask(broadcasts_by_ids(self._web, [broadcast_id]))
        if found.get(broadcast_id) is None:
            raise closed_error(broadcast_id, asked_x=True) from problem
        return BroadcastRef(broadcast_id)

    async def broadcast_of_user(self, ref: PeriscopeUserRef) -> PeriscopeBroadcastRef:
        """What somebody broadcasts now, else what they broadcast last and can still be seen."""
        name = f"@{ref.username}" if ref.username else f"the user {ref.user_id}"
        try:
            found = await self._client.ask(user_broadcasts(self._session, ref))
        except _NOT_HERE as error:
            raise _no_user(name, error) from error
        best = _best(found)
        if best is None:
            what = "nothing that can still be seen" if found else "no public broadcast"
            raise NotFoundError(f"{name} has {what} on Periscope", endpoint="getUserBroadcastsPublic")
        return PeriscopeBroadcastRef(best.id, username=ref.username)

    async def broadcast_of_channel(self, ref: PeriscopeChannelRef) -> PeriscopeBroadcastRef:
        """What is live in a channel, else the newest that can still be seen."""
        try:
            listed = await self._channel(ref.slug)
            found = await self._client.ask(broadcasts_on_periscope(self._session, listed.broadcast_ids))
        except _NOT_HERE as error:
            raise NotFoundError(
                f"{CLOSED[:-1]} and its channels with it; nothing is known of {ref.slug!r}", endpoint="channels"
            ) from error
        best = _best(tuple(broadcast for broadcast in found.values() if broadcast is not None))
        if best is None:
            raise NotFoundError(f"the channel {ref.slug!r} has nothing that can still be seen", endpoint="channels")
        return PeriscopeBroadcastRef(best.id)

    async def _channel(self, slug: str) -> ChannelBroadcasts:
        page = await self._client.ask(page_at(self._session, f"/channel/{slug}"))
        token = await self._client.ask(channels_token(self._session, page.tokens.service or ""))
        known = [one.channel for one in await self._client.ask(top_channels(self._session, token)) if one.channel]
        known += await self._client.ask(channels(self._session, token))
        for channel in known:
            if channel.slug == slug:
                return await self._client.ask(channel_broadcasts(self._session, token, channel.id))
        raise NotFoundError(f"there is no channel {slug!r}", endpoint="channels")


def _best(broadcasts: tuple[Broadcast, ...]) -> Broadcast | None:
    """The one that is live, else the first that can be replayed. The order is kept: newest first."""
    live = next((one for one in broadcasts if one.state is SpaceState.LIVE), None)
    return live or next((one for one in broadcasts if one.state.is_over and one.has_replay), None)


def _no_user(name: str, error: HydrophoneError) -> HydrophoneError:
    if isinstance(error, UnreachableError):
        return error
    return NotFoundError(
        f"{CLOSED[:-1]} and nothing is known of {name}; an account of X with the same name may be somebody else's",
        endpoint="page",
        advice=EXPORT_ADVICE,
    )
