"""The two records that nearly every answer of Periscope is made of: a broadcast and a user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hydrophone.http.reading import Node
from hydrophone.links import is_broadcast_id
from hydrophone.model import Broadcast, BroadcastId, MediaKey, PeriscopeUserId, SpaceState, User, UserId

_STATES = {
    "notstarted": SpaceState.SCHEDULED,
    "published": SpaceState.LIVE,
    "running": SpaceState.LIVE,
    "timedout": SpaceState.TIMED_OUT,
    "ended": SpaceState.ENDED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriscopeUser:
    """An account of Periscope. Its name need not be the one on X: `x_handle` is that, `x_id` the id there.

    `avatar_urls` are sorted by size, the largest last.
    """

    id: PeriscopeUserId
    username: str | None = None
    display_name: str | None = None
    description: str | None = None
    x_id: UserId | None = None
    x_handle: str | None = None
    is_verified: bool | None = None
    created_at: datetime | None = None
    avatar_urls: tuple[str, ...] = ()
    followers: int | None = None
    following: int | None = None
    hearts: int | None = None
    broadcasts: int | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def as_user(self) -> User:
        """The same account in the words that X's accounts have; `id` is ``""`` where the X id is unknown."""
        return User(
            id=self.x_id or UserId(""),
            handle=self.username or self.x_handle,
            name=self.display_name,
            avatar_url=self.avatar_urls[-1] if self.avatar_urls else None,
            created_at=self.created_at,
            is_verified=self.is_verified,
            followers=self.followers,
            following=self.following,
            periscope_id=self.id,
        )


def read_state(node: Node) -> tuple[SpaceState, str]:
    """Our state and the service's own word; states are compared without case, unknown ones stay as text."""
    text = node.text() or ""
    return _STATES.get(text.replace("_", "").replace(" ", "").lower(), SpaceState.UNKNOWN), text


def read_broadcast(record: Node) -> Broadcast:
    """A broadcast, from an answer of any year, from a page, or from the Producer API.

    `ended_at` is the true end: a broadcast that had dropped out and came back has a time-out before its end.

    Raises:
        WireError: there is no id, or one that is none.
    """
    broadcast_id = record.need_object().first("id", "broadcast_id").need_text()
    if not is_broadcast_id(broadcast_id):
        raise record.at("id").wrong("the id of a broadcast")
    state, state_text = read_state(record.at("state"))
    media_key = record.at("media_key").some_text()
    return Broadcast(
        id=BroadcastId(broadcast_id),
        state=state,
        state_text=state_text,
        title=record.first("status", "title").text() or "",
        broadcaster=_read_broadcaster(record),
        media_key=MediaKey(media_key) if media_key else None,
        created_at=record.at("created_at").instant(),
        updated_at=record.at("updated_at").instant(),
        scheduled_at=record.at("scheduled_start").instant(),
        started_at=record.at("start").instant(),
        ended_at=read_end(record, state),
        last_ping_at=record.at("ping").instant(),
        has_replay=record.at("available_for_replay").flag(),
        viewers=record.first("n_total_watching", "n_watching").count(),
        viewers_total=record.first("n_total_watched", "n_watched").count(),
        width=record.at("width").count() or None,
        height=record.at("height").count() or None,
        rotation_degrees=_degrees(record.at("camera_rotation")),
        is_private=record.at("is_locked").flag(),
        language=record.at("language").some_text(),
        thumbnail_url=record.first("image_url", "image_url_medium", "image_url_small").some_text(),
        raw=record.mapping(),
    )


def read_broadcasts(records: Node) -> tuple[Broadcast, ...]:
    """Broadcasts from a list; what is none is left out, so that one odd record does not cost all others."""
    return tuple(
        read_broadcast(record)
        for record in records.items()
        if is_broadcast_id(record.first("id", "broadcast_id").text() or "")
    )


def read_end(record: Node, state: SpaceState) -> datetime | None:
    """When a broadcast that is over came to its end; None for one that is not."""
    if not state.is_over:
        return None
    ends = [record.at("end").instant()]
    if state is SpaceState.TIMED_OUT:
        ends.append(record.at("timedout").instant())
    ends += [record.at("ping").instant(), record.at("start").instant()]
    return next((end for end in ends if end is not None), None)


def rounded_rotation(degrees: float) -> int:
    """The quarter turn to show: 0, 90, 180 or 270. Sensors say 271 or 357; this is the official client's rounding."""
    return (int(degrees // 1) + 45) // 90 * 90 % 360


def read_user(record: Node) -> PeriscopeUser:
    """A user.

    Raises:
        WireError: there is no id.
    """
    user_id = record.need_object().first("id", "user_id").need_text()
    x_id = record.at("twitter_id").some_text()
    return PeriscopeUser(
        id=PeriscopeUserId(user_id),
        username=record.at("username").some_text(),
        display_name=record.at("display_name").some_text(),
        description=record.at("description").text(),
        x_id=UserId(x_id) if x_id else None,
        x_handle=record.first("twitter_screen_name", "twitter_username").some_text(),
        is_verified=record.at("is_twitter_verified").flag(),
        created_at=record.at("created_at").instant(),
        avatar_urls=_avatars(record.at("profile_image_urls")),
        followers=record.at("n_followers").count(),
        following=record.at("n_following").count(),
        hearts=record.at("n_hearts").count(),
        broadcasts=record.at("n_broadcasts").count(),
        raw=record.mapping(),
    )


def read_users(records: Node) -> tuple[PeriscopeUser, ...]:
    """Users from a list; what is none is left out."""
    return tuple(read_user(record) for record in records.items() if record.first("id", "user_id").some_text())


def _read_broadcaster(record: Node) -> User | None:
    periscope_id = record.at("user_id").some_text()
    x_id = record.at("twitter_id").some_text()
    handle = record.first("username", "twitter_username").some_text()
    name = record.at("user_display_name").some_text()
    if not (periscope_id or x_id or handle or name):
        return None
    return User(
        id=UserId(x_id or ""),
        handle=handle,
        name=name,
        avatar_url=record.at("profile_image_url").some_text(),
        periscope_id=PeriscopeUserId(periscope_id) if periscope_id else None,
    )


def _degrees(node: Node) -> int | None:
    degrees = node.integer()
    return degrees % 360 if degrees is not None else None


def _avatars(images: Node) -> tuple[str, ...]:
    sized = [
        (image.at("width").count() or 0, image.first("ssl_url", "url").some_text() or "") for image in images.items()
    ]
    return tuple(url for _, url in sorted(sized) if url)
