"""What a link points at. `hydrophone.links` makes these from text and text from these."""

from __future__ import annotations

from dataclasses import dataclass, field

from hydrophone.model.ids import BroadcastId, EventId, MediaKey, PostId, SpaceId


@dataclass(frozen=True, slots=True)
class SpaceRef:
    """A Space; also what a bare id is taken for."""

    id: SpaceId


@dataclass(frozen=True, slots=True)
class BroadcastRef:
    """``/i/broadcasts/ID``: a video broadcast, or a Space under its share URL."""

    id: BroadcastId


@dataclass(frozen=True, slots=True)
class EventRef:
    id: EventId


@dataclass(frozen=True, slots=True)
class PostRef:
    """A post (tweet) that may carry a Space or a broadcast. `handle` is None where the link has none."""

    id: PostId
    handle: str | None = None


@dataclass(frozen=True, slots=True)
class ProfileRef:
    """An account by handle, without the ``@``."""

    handle: str


@dataclass(frozen=True, slots=True)
class ShortLinkRef:
    """A ``t.co`` link that must be asked where it leads."""

    code: str


@dataclass(frozen=True, slots=True)
class MediaKeyRef:
    key: MediaKey


@dataclass(frozen=True, slots=True)
class PlaylistRef:
    """A playlist or segment URL of the CDN (or any .m3u8): can be recorded without metadata. The URL is a secret."""

    url: str = field(repr=False)


Ref = SpaceRef | BroadcastRef | EventRef | PostRef | ProfileRef | ShortLinkRef | MediaKeyRef | PlaylistRef
