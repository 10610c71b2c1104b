"""Playlists fetched and handed to the plan: the live window, the snapshot from the beginning, the replay.

All of them name the same segments; the plan unites them by number. A playlist's end tag, its silence or its 404 is a
hint about the playlist and says nothing about the Space.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hydrophone.archive import Take
from hydrophone.errors import HydrophoneError, PlaylistError
from hydrophone.hls import (
    MediaPlaylist,
    MultivariantPlaylist,
    Step,
    WindowReader,
    choose_variant,
    fresh_segments,
    master_url,
    original_url,
    parse_address,
    snapshot_written_at,
    video_fallback_master_url,
)
from hydrophone.http import Endpoints, HostKind, Reply, Request
from hydrophone.model import MediaKind, Segment
from hydrophone.recorder.clock import Clock
from hydrophone.recorder.door import Sender
from hydrophone.recorder.epochs import EpochMap
from hydrophone.recorder.options import Patience
from hydrophone.recorder.plan import Plan

MAX_PLAYLIST_BYTES = 8 * 1024 * 1024
AT_ONCE_BYTES = 32 * 1024  #: a longer playlist is parsed in a thread
AT_ONCE_ENTRIES = 4096  #: of a longer one so many are offered before others get their turn: some 30 ms
MAX_DEPTH = 3  #: multivariant playlists that lead to one another
SEALED_MARK = "tw_"  #: begins the names of encrypted playlists
PLAYLIST_HEADERS = {"accept": "*/*", "accept-encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no playlist to be had at this moment. `status` is None when there was no answer at all."""

    status: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Listed:
    """What one look at a whole playlist brought. `written_at` is None where the name does not tell."""

    entries: int
    new: int
    is_ended: bool
    written_at: datetime | None  #: from the playlist's own name


class Listing:
    """Load playlists of one recording and offer what they name to the plan.

    `from_edge`: nothing before the first live window is wanted. `find_whole` asks the service for the address of a list
    from the first second; None where that follows from the stream's own address.
    """

    def __init__(
        self,
        *,
        client: Sender,
        endpoints: Endpoints,
        clock: Clock,
        take: Take,
        plan: Plan,
        epochs: EpochMap,
        kind: MediaKind,
        wanted: str,
        patience: Patience,
        on_new: Callable[[], None],
        from_edge: bool = False,
        find_whole: Callable[[], Awaitable[str | None]] | None = None,
    ) -> None:
        self._client = client
        self._endpoints = endpoints
        self._clock = clock
        self._take = take
        self._plan = plan
        self._epochs = epochs
        self._kind = kind
        self._wanted = "audio" if kind is MediaKind.AUDIO else wanted
        self._deadline = clock.real(patience.playlist_deadline, at_least=2.0)
        self._on_new = on_new
        self._from_edge = from_edge
        self.newest_end: datetime | None = None  #: of all audio that any list has named, where they tell
        self._find_whole = find_whole
        self._boundaries = len(epochs.boundaries)
        self._unlisted = 0
        self._spans: dict[int, tuple[int, int]] = {}  # as journaled
        self._request: Request | None = None  # the last one; the same list is asked for every three seconds
        self._reader = WindowReader()
        self._window: tuple[Segment, ...] = ()  # offered last, with so many boundaries known
        self._window_boundaries = epochs.count

    async def load(self, url: str) -> MediaPlaylist | MultivariantPlaylist | Absent:
        """Fetch and parse one playlist, whichever it is."""
        if self._request is None or self._request.target != url:
            self._request = self._question(url)
        try:
            reply = await self._client.send(self._request)
        except HydrophoneError as error:
            return Absent(None, error.message)
        if reply.status != 200:
            return Absent(reply.status, f"status {reply.status}")
        if len(reply.body) > AT_ONCE_BYTES:
            # A hostile list takes seconds; nobody else shall wait for it.
            return await asyncio.to_thread(self._parse, reply, url, WindowReader())
        return self._parse(reply, url, self._reader)

    def _question(self, url: str) -> Request:
        return Request(
            "GET",
            url,
            headers=PLAYLIST_HEADERS,
            service="cdn",
            kind=HostKind.CDN,
            attempts=1,
            deadline_seconds=self._deadline,
            max_bytes=MAX_PLAYLIST_BYTES,
        )

    def _parse(self, reply: Reply, url: str, reader: WindowReader) -> MediaPlaylist | MultivariantPlaylist | Absent:
        try:
            return reader.read(
                reply.body, url=reply.url or url, check=self._may_fetch, check_key=self._endpoints.has_keys
            )
        except PlaylistError as error:
            return Absent(reply.status, error.message)

    def _may_fetch(self, url: str) -> bool:
        return self._endpoints.kind_allows(HostKind.CDN, url)

    async def media_playlist(self, url: str) -> MediaPlaylist | Absent:
        """The list of segments behind a stream's address, the unencrypted one if there are two."""
        plain = unsealed_url(url)
        if plain is not None:
            found = await self._follow_choices(plain)
            if isinstance(found, MediaPlaylist):
                return found
        return await self._follow_choices(url)

    async def _follow_choices(self, url: str) -> MediaPlaylist | Absent:
        """Follow choices down to a list of segments. Each address is visited once, at most three levels deep."""
        seen: set[str] = set()
        for _ in range(MAX_DEPTH):
            if url in seen:
                return Absent(None, "playlists that lead in a circle")
            seen.add(url)
            found = await self.load(url)
            if isinstance(found, (MediaPlaylist, Absent)):
                return found
            if not found.variants:
                return Absent(None, "a choice of playlists without any choice")
            url = self._variant_url(found)
            if not self._may_fetch(url):
                return Absent(None, "a variant that lies on a foreign host")
        return Absent(None, "playlists nested too deep")

    def _variant_url(self, playlist: MultivariantPlaylist) -> str:
        url = choose_variant(playlist, self._wanted).url
        # The snapshot exists under both bases; only the original one has segment names that can be fetched.
        return original_url(url) if self._kind is MediaKind.AUDIO else url

    async def from_playlist(self, url: str) -> Listed | Absent:
        """Offer everything that the playlist behind `url` names."""
        found = await self.media_playlist(url)
        return found if isinstance(found, Absent) else await self.absorb_gently(found)

    async def absorb_gently(self, playlist: MediaPlaylist) -> Listed:
        """Offer a whole playlist; a long one in pieces, between which others get their turn."""
        if len(playlist.segments) + len(playlist.refused) <= AT_ONCE_ENTRIES:
            return self.absorb(playlist)
        segments: list[tuple[int, Segment]] = []
        new = 0
        for place, piece in enumerate(self._epochs.assign_in_pieces(playlist.segments, AT_ONCE_ENTRIES)):
            new += self._plan.offer(piece)
            segments = piece
            if place:
                await asyncio.sleep(0)
        for first in range(0, len(playlist.refused), AT_ONCE_ENTRIES):
            self._plan.refuse(segments[-1][0] if segments else 0, playlist.refused[first : first + AT_ONCE_ENTRIES])
            await asyncio.sleep(0)
        return self._absorbed(playlist, new)

    async def from_snapshot(self, stream_url: str) -> Listed | Absent:
        """Offer everything from the first second that the newest snapshot names.

        The snapshot's name changes each time it is written, so the way always begins at its master.
        """
        if self._find_whole is not None:
            url = await self._find_whole()
        else:
            url = master_url(stream_url) or video_fallback_master_url(stream_url)
        if url is None:
            return Absent(None, "this stream has no snapshot")
        return await self.from_playlist(url)

    def is_doubtful(self, window: MediaPlaylist, started_at: datetime | None) -> bool:
        """Must a list of everything be read before this window, to know which epoch it belongs to? See `EpochMap`."""
        first = window.segments[0] if window.segments else None
        if first is None or self._epochs.follows_on(first):
            return False
        started_ns = None if started_at is None else int(started_at.timestamp()) * 1_000_000_000
        return self._epochs.is_doubtful(first, started_ns)

    def absorb(self, playlist: MediaPlaylist) -> Listed:
        """Offer a whole playlist."""
        segments = self._epochs.assign_all(playlist.segments)
        new = self._plan.offer(segments)
        if playlist.refused:
            self._plan.refuse(segments[-1][0] if segments else 0, playlist.refused)
        return self._absorbed(playlist, new)

    def _absorbed(self, playlist: MediaPlaylist, new: int) -> Listed:
        self._journal_epochs()
        self._journal_known()
        self._note_end(playlist)
        if new:
            self._on_new()
        return Listed(len(playlist.segments), new, playlist.is_ended, snapshot_written_at(playlist.url))

    def absorb_window(self, playlist: MediaPlaylist, step: Step) -> int:
        """Offer what the live window shows, ahead of everything else. Returns how many of it were new.

        Where names carry an instant of writing, that decides about epochs; else `step`, what the tracker makes of it.
        """
        fresh = self._fresh(playlist)
        named = [found for found in self._epochs.assign_all(fresh) if found[1].written_ns is not None]
        nameless = [found for found in zip(step.epochs, step.fetch, strict=True) if found[1].written_ns is None]
        window = [*named, *nameless]
        if self._from_edge and window:
            self._from_edge = False
            epoch, first = min((epoch, segment.sequence) for epoch, segment in window)
            self._plan.start_at(epoch, first)
            self._take.note("edge", epoch=epoch, first=first)
        new = self._plan.offer(window, is_urgent=True)
        if step.refused:
            self._plan.refuse(named[-1][0] if named else step.epoch, step.refused)
        self._journal_epochs()
        self._journal_holes()
        if fresh:
            self._note_end(playlist)
        if new:
            self._on_new()
        return new

    def _fresh(self, window: MediaPlaylist) -> tuple[Segment, ...]:
        """What the last window did not offer in just the same way."""
        before, boundaries = self._window, self._window_boundaries
        self._window, self._window_boundaries = window.segments, self._epochs.count
        # An epoch that was found meanwhile may take over what had been counted to the one before; and what was
        # refused is told with the epoch of what stands beside it.
        is_same_ground = boundaries == self._epochs.count and not window.refused
        return fresh_segments(window.segments, before) if is_same_ground else window.segments

    def _note_end(self, playlist: MediaPlaylist) -> None:
        last = playlist.segments[-1] if playlist.segments else None
        if last is None or last.program_date_time is None:
            return
        end = last.program_date_time + timedelta(seconds=last.duration_seconds or 0.0)
        if self.newest_end is None or end > self.newest_end:
            self.newest_end = end

    def _journal_holes(self) -> None:
        if self._plan.unlisted != self._unlisted:
            self._unlisted = self._plan.unlisted
            self._journal_known()

    def _journal_known(self) -> None:
        """What is known to exist must survive a crash, else it would be missing unnoticed."""
        for epoch in self._plan.epochs:
            span = self._plan.span(epoch)
            if span is not None and self._spans.get(epoch) != span:
                self._spans[epoch] = span
                self._take.note("known", epoch=epoch, first=span[0], last=span[1])

    def _journal_epochs(self) -> None:
        boundaries = self._epochs.boundaries
        for index in range(self._boundaries, len(boundaries)):
            self._take.note("epoch", epoch=index + 1, begins_ns=boundaries[index])
            self._plan.begin_at(index + 1, 0)
        self._boundaries = len(boundaries)


def unsealed_url(url: str) -> str | None:
    """Where the same stream is to be had unencrypted, as a rule; None for the address of an unencrypted one. Pure."""
    address = parse_address(url)
    if address is None or not address.name.startswith(SEALED_MARK):
        return None
    return replace(address, name=address.name.removeprefix(SEALED_MARK)).url
