"""What a link points at. `hydrophone.links` makes these from text and text from these."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from hydrophone.model.ids import BroadcastId, EventId, MediaKey, PeriscopeUserId, PostId, SpaceId


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


@dataclass(frozen=True, slots=True)
class PeriscopeBroadcastRef:
    """A broadcast under a Periscope link. `username` and `channel` (a slug) are None where the link has none.

    A share link tells who shared it, who often is not the broadcaster, and until when it was meant to work. Neither
    says anything about the broadcast, so refs that differ in them only are equal.
    """

    id: BroadcastId
    username: str | None = None
    channel: str | None = None
    shared_by: PeriscopeUserId | None = field(default=None, compare=False)
    share_expires_at: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class PeriscopeUserRef:
    """A user of Periscope, by name or by id: one of the two is given."""

    username: str | None = None
    user_id: PeriscopeUserId | None = None


@dataclass(frozen=True, slots=True)
class PeriscopeChannelRef:
    """A channel of Periscope (a collection of broadcasts by hashtag), by the last part of its address."""

    slug: str


Ref = (
    SpaceRef
    | BroadcastRef
    | EventRef
    | PostRef
    | ProfileRef
    | ShortLinkRef
    | MediaKeyRef
    | PlaylistRef
    | PeriscopeBroadcastRef
    | PeriscopeUserRef
    | PeriscopeChannelRef
)
