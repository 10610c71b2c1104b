"""Accounts, and the parts that people play in a Space."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hydrophone.model.ids import PeriscopeUserId, UserId


class Role(StrEnum):
    """What a person is in a Space. The creator is the primary host."""

    CREATOR = "creator"
    HOST = "host"  #: a co-host
    SPEAKER = "speaker"
    LISTENER = "listener"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """An account, whichever endpoint told us about it. None means that the endpoint did not say."""

    id: UserId
    handle: str | None = None  #: without the ``@``
    name: str | None = None
    avatar_url: str | None = None
    created_at: datetime | None = None
    is_protected: bool | None = None
    is_verified: bool | None = None
    followers: int | None = None
    following: int | None = None
    posts: int | None = None
    periscope_id: PeriscopeUserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """One person in a Space at one moment.

    `user_id` is None where the service only gave the Periscope id. `since_at` is when the person came on stage.
    """

    role: Role
    user_id: UserId | None = None
    periscope_id: PeriscopeUserId | None = None
    handle: str | None = None
    name: str | None = None
    avatar_url: str | None = None
    since_at: datetime | None = None
    is_verified: bool = False
    is_muted: bool = False
