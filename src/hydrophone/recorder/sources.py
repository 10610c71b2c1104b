"""Where a recording learns what it is about: one small port, and the kinds of things that can be recorded.

The recorder asks a source two questions only: *what is the state now* and *where is the stream*. Everything else it
learns from playlists and segments.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from hydrophone.errors import NotFoundError
from hydrophone.http import AsyncClient, Question
from hydrophone.links import build_link
from hydrophone.model import (
    Broadcast,
    BroadcastId,
    BroadcastRef,
    MediaKey,
    MediaKeyRef,
    MediaKind,
    Participant,
    PlaylistRef,
    Space,
    SpaceRef,
    SpaceState,
    Stream,
    User,
)
from hydrophone.xweb.broadcasts import broadcasts_by_ids
from hydrophone.xweb.session import WebSession
from hydrophone.xweb.spaces import space_by_id
from hydrophone.xweb.streams import stream_by_media_key

SPACE_RECORD = "AudioSpaceById"
BROADCAST_RECORD = "broadcasts/show"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is being recorded, as it is at this moment, whichever kind it is of."""

    key: str
    link: str
    state: SpaceState
    title: str
    creator: User | None = None
    media_key: MediaKey | None = None
    scheduled_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    created_at: datetime | None = None
    has_replay: bool | None = None
    language: str | None = None
    listeners: int | None = None
    participant_count: int | None = None
    participants: tuple[Participant, ...] = ()
    cover_url: str | None = None
    rotation_degrees: int | None = None  #: how the camera was held, as the record says
    warnings: tuple[str, ...] = ()
    raw: Mapping[str, Any] | None = None


class Source(Protocol):
    """The thing to be recorded."""

    @property
    def key(self) -> str:
        """A stable id that names the item, e.g. the Space id."""
        ...

    @property
    def link(self) -> str:
        """The canonical link, for tags and manifests."""
        ...

    @property
    def has_states(self) -> bool:
        """False where nothing but the playlist itself can tell that it has ended."""
        ...

    async def look(self) -> Look:
        """Ask for the state. Raises what the service's readers raise."""
        ...

    async def stream(self, media_key: MediaKey | None) -> Stream | None:
        """Ask where the media is; None when the service offers none now."""
        ...


@runtime_checkable
class HasWholeList(Protocol):
    """A source that is asked where everything from the first second is listed while it is still live."""

    async def whole_url(self) -> str | None: ...


@runtime_checkable
class HasStatusCall(Protocol):
    """A source whose stream, and with it a fresh chat token, one question brings."""

    def ask_stream(self, media_key: MediaKey | None) -> Question[Stream | None]: ...


@runtime_checkable
class HasBroadcast(Protocol):
    """A source that knows its broadcast."""

    async def broadcast(self) -> Broadcast: ...


@runtime_checkable
class HasBudget(Protocol):
    """A source whose record has a rate budget of its service: the endpoint and who asks, and by whom it is shared."""

    @property
    def budget(self) -> tuple[str, str]: ...

    @property
    def budget_owner(self) -> Hashable: ...


class SpaceSource:
    """A Space by its id."""

    has_states = True
    __match_args__ = ("ref",)

    def __init__(self, client: AsyncClient, session: WebSession, ref: SpaceRef) -> None:
        self._client = client
        self._session = session
        self.ref = ref
        self.key = str(ref.id)
        self.link = build_link(ref)
        self._first: Look | None = None
        self.budget_owner = (SPACE_RECORD, id(session))

    @property
    def budget(self) -> tuple[str, str]:
        return SPACE_RECORD, self._session.fingerprint

    async def look(self) -> Look:
        first, self._first = self._first, None
        return first or look_of_space(await self._client.ask(space_by_id(self._session, self.ref.id)), self.link)

    async def check(self) -> None:
        """Look already now; the next `look` is answered from this one. Raises as `look` does."""
        self._first = await self.look()

    async def stream(self, media_key: MediaKey | None) -> Stream | None:
        return await _stream(self._client, self._session, media_key)

    def ask_stream(self, media_key: MediaKey | None) -> Question[Stream | None]:
        return _ask_stream(self._session, media_key)


class BroadcastSource:
    """A video broadcast by its id."""

    has_states = True
    __match_args__ = ("ref",)

    def __init__(self, client: AsyncClient, session: WebSession, ref: BroadcastRef) -> None:
        self._client = client
        self._session = session
        self.ref = ref
        self.key = str(ref.id)
        self.link = build_link(ref)
        self.budget_owner = (BROADCAST_RECORD, id(session))

    @property
    def budget(self) -> tuple[str, str]:
        return BROADCAST_RECORD, self._session.fingerprint

    async def look(self) -> Look:
        found = await self._client.ask(broadcasts_by_ids(self._session, [self.ref.id]))
        broadcast = found.get(BroadcastId(self.ref.id))
        if broadcast is None:
            raise NotFoundError(f"there is no broadcast {self.ref.id}", endpoint=BROADCAST_RECORD)
        return look_of_broadcast(broadcast, self.link)

    async def stream(self, media_key: MediaKey | None) -> Stream | None:
        return await _stream(self._client, self._session, media_key)

    def ask_stream(self, media_key: MediaKey | None) -> Question[Stream | None]:
        return _ask_stream(self._session, media_key)


class PlaylistSource:
    """A playlist URL without any metadata; only its own tags tell what it is and when it ends."""

    has_states = False

    def __init__(self, ref: PlaylistRef, *, key: str, kind: MediaKind, opened_at: datetime) -> None:
        self.ref = ref
        self._kind = kind
        self._opened_at = opened_at
        self.key = key
        self.link = ""  # the URL is the only protection of the audio: it is not written anywhere

    async def look(self) -> Look:
        return Look(
            key=self.key, link="", state=SpaceState.UNKNOWN, title=f"Playlist {self.key}", created_at=self._opened_at
        )

    async def stream(self, media_key: MediaKey | None) -> Stream | None:
        return Stream(url=self.ref.url, kind=self._kind)


class MediaKeySource:
    """A stream by its media key, without any record: it can be fetched and has no state."""

    has_states = False

    def __init__(self, client: AsyncClient, session: WebSession, ref: MediaKeyRef, *, opened_at: datetime) -> None:
        self._client = client
        self._session = session
        self.ref = ref
        self._opened_at = opened_at
        self.key = str(ref.key)
        self.link = ""

    async def look(self) -> Look:
        return Look(
            key=self.key,
            link="",
            state=SpaceState.UNKNOWN,
            title=f"Stream {self.key}",
            media_key=self.ref.key,
            created_at=self._opened_at,
        )

    async def stream(self, media_key: MediaKey | None) -> Stream | None:
        return await _stream(self._client, self._session, self.ref.key)

    def ask_stream(self, media_key: MediaKey | None) -> Question[Stream | None]:
        return _ask_stream(self._session, self.ref.key)


def unknown_look(source: Source) -> Look:
    """What can be said of something whose record is not to be had."""
    return Look(key=source.key, link=source.link, state=SpaceState.UNKNOWN, title=f"Recording {source.key}")


def look_of_space(space: Space, link: str) -> Look:
    return Look(
        key=str(space.id),
        link=link,
        state=space.state,
        title=space.display_title,
        creator=space.creator,
        media_key=space.media_key,
        scheduled_at=space.scheduled_at,
        started_at=space.started_at,
        ended_at=space.ended_at,
        created_at=space.created_at,
        has_replay=space.has_replay,
        language=space.language,
        listeners=space.listeners,
        participant_count=space.participant_count,
        participants=space.participants,
        cover_url=space.creator.avatar_url if space.creator else None,
        warnings=space.warnings,
        raw=space.raw,
    )


def look_of_broadcast(broadcast: Broadcast, link: str) -> Look:
    return Look(
        key=str(broadcast.id),
        link=link,
        state=broadcast.state,
        title=broadcast.title or f"Broadcast {broadcast.id}",
        creator=broadcast.broadcaster,
        media_key=broadcast.media_key,
        scheduled_at=broadcast.scheduled_at,
        started_at=broadcast.started_at,
        ended_at=broadcast.ended_at,
        created_at=broadcast.created_at,
        has_replay=broadcast.has_replay,
        language=broadcast.language,
        listeners=broadcast.viewers,
        cover_url=broadcast.thumbnail_url or (broadcast.broadcaster.avatar_url if broadcast.broadcaster else None),
        rotation_degrees=broadcast.rotation_degrees,
        raw=broadcast.raw,
    )


async def _stream(client: AsyncClient, session: WebSession, media_key: MediaKey | None) -> Stream | None:
    return await client.ask(_ask_stream(session, media_key))


def _ask_stream(session: WebSession, media_key: MediaKey | None) -> Question[Stream | None]:
    if media_key is None:
        return None
    try:
        return (yield from stream_by_media_key(session, media_key))
    except NotFoundError:
        return None
