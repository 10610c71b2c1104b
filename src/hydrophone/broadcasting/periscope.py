"""Periscope's Producer API as a `Producer`."""

from __future__ import annotations

from hydrophone.broadcasting.producing import Ingest
from hydrophone.errors import HydrophoneError, WireError
from hydrophone.http import AsyncClient, HostKind, Request
from hydrophone.model import BroadcastId
from hydrophone.periscope.producer import create_broadcast, nearest_region, publish_broadcast, stop_broadcast
from hydrophone.periscope.producer_login import ProducerLogin
from hydrophone.periscope.session import PeriscopeSession

_MAX_PLAYLIST_BYTES = 1 << 20


class PeriscopeProducer:
    """Asks the service in the name of one login.

    Args:
        is_secure: push over TLS; only a sandbox has reason not to.
        posts_to_x: let the service write a post about the broadcast.
    """

    def __init__(
        self,
        client: AsyncClient,
        session: PeriscopeSession,
        login: ProducerLogin,
        *,
        is_secure: bool = True,
        posts_to_x: bool = False,
    ) -> None:
        self._client, self._session, self._login = client, session, login
        self._is_secure, self._posts_to_x = is_secure, posts_to_x
        self._playlists: dict[str, str] = {}

    async def create(self, title: str) -> Ingest:
        """A broadcast in the nearest region. The title is told when it is published."""
        region = await self._client.ask(nearest_region(self._session, self._login))
        made = await self._client.ask(create_broadcast(self._session, self._login, region))
        if made.ingest is None:
            raise WireError("a broadcast without an address to send to", endpoint="broadcast/create")
        if made.playlist_url:
            self._playlists[made.id] = made.playlist_url
        server, _, key = made.ingest.address(secure=self._is_secure).rpartition("/")
        return Ingest(broadcast_id=made.id, server=server, stream_key=key, share_url=made.share_url or "")

    async def is_receiving(self, ingest: Ingest) -> bool:
        """True when its playlist names a segment; also when the service has named no playlist to look at."""
        url = self._playlists.get(ingest.broadcast_id)
        if url is None:
            return True
        request = Request("GET", url, service="cdn", kind=HostKind.CDN, attempts=1, max_bytes=_MAX_PLAYLIST_BYTES)
        try:
            reply = await self._client.send(request)
        except HydrophoneError:
            return False
        return reply.status == 200 and (b"#EXTINF" in reply.body or b"#EXT-X-STREAM-INF" in reply.body)

    async def publish(self, ingest: Ingest, title: str) -> str:
        """Show it to everybody."""
        question = publish_broadcast(
            self._session, self._login, BroadcastId(ingest.broadcast_id), title, posts_to_x=self._posts_to_x
        )
        await self._client.ask(question)
        return ingest.share_url

    async def stop(self, ingest: Ingest) -> None:
        """End it."""
        await self._client.ask(stop_broadcast(self._session, self._login, BroadcastId(ingest.broadcast_id)))
