"""What a caller wants to know about things, as parameters of a request; names are checked before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass

from hydrophone.xapi.asking import query_names
from hydrophone.xapi.names import (
    ALL_SPACE_FIELDS,
    MEDIA_FIELDS,
    PLACE_FIELDS,
    POLL_FIELDS,
    POST_EXPANSIONS,
    POST_FIELDS,
    SPACE_EXPANSIONS,
    SPACE_FIELDS,
    TOPIC_FIELDS,
    USER_EXPANSIONS,
    USER_FIELDS,
    Dialect,
    checked_names,
    names_in,
)

#: How many accounts an expansion may bring for one Space, for estimates: what is usual, not a promise of the service.
_USERS_OF_EXPANSION = {"creator_id": 1, "host_ids": 3, "speaker_ids": 13, "invited_user_ids": 10, "topic_ids": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceWish:
    """What to ask about Spaces.

    All fields are free, so all are asked for. Each account that an expansion brings is paid for; so none is by default.
    """

    fields: tuple[str, ...] = ALL_SPACE_FIELDS
    expansions: tuple[str, ...] = ()
    user_fields: tuple[str, ...] = ()
    topic_fields: tuple[str, ...] = ()

    def params(self, dialect: Dialect) -> dict[str, str]:
        """
        Raises:
            SettingsError: a name that the API does not know.
        """
        return query_names(
            # Even the current service may take all: it tells us if not, and then we remember.
            space_fields=checked_names(SPACE_FIELDS, self.fields)
            if dialect is Dialect.LEGACY
            else names_in(dialect, SPACE_FIELDS, self.fields),
            expansions=names_in(dialect, SPACE_EXPANSIONS, self.expansions),
            user_fields=names_in(dialect, USER_FIELDS, self.user_fields),
            topic_fields=names_in(dialect, TOPIC_FIELDS, self.topic_fields),
        )

    @property
    def users_of_each(self) -> int:
        """How many accounts to expect for each Space."""
        return sum(_USERS_OF_EXPANSION.get(name, 0) for name in set(self.expansions))


@dataclass(frozen=True, slots=True, kw_only=True)
class UserWish:
    """What to ask about accounts, and about the posts that an expansion of them brings."""

    fields: tuple[str, ...] = ()
    expansions: tuple[str, ...] = ()
    post_fields: tuple[str, ...] = ()

    def params(self, dialect: Dialect) -> dict[str, str]:
        """
        Raises:
            SettingsError: a name that the API does not know.
        """
        return query_names(
            user_fields=names_in(dialect, USER_FIELDS, self.fields),
            expansions=names_in(dialect, USER_EXPANSIONS, self.expansions),
            **_posts(dialect, self.post_fields),
        )

    @property
    def posts_of_each(self) -> int:
        return len(set(self.expansions))


@dataclass(frozen=True, slots=True, kw_only=True)
class PostWish:
    """What to ask about posts. The author is a plain field in the legacy dialect, and a paid expansion in the other."""

    fields: tuple[str, ...] = ("created_at", "lang", "public_metrics")
    with_author: bool = True
    expansions: tuple[str, ...] = ()
    user_fields: tuple[str, ...] = ()
    media_fields: tuple[str, ...] = ()
    poll_fields: tuple[str, ...] = ()
    place_fields: tuple[str, ...] = ()

    def params(self, dialect: Dialect) -> dict[str, str]:
        """
        Raises:
            SettingsError: a name that the API does not know.
        """
        fields, expansions = self.fields, self.expansions
        if self.with_author and dialect is Dialect.LEGACY:
            fields = ("author_id", *fields)
        elif self.with_author:
            expansions = ("author_id", *expansions)
        return query_names(
            **_posts(dialect, fields),
            expansions=names_in(dialect, POST_EXPANSIONS, expansions),
            user_fields=names_in(dialect, USER_FIELDS, self.user_fields),
            media_fields=names_in(dialect, MEDIA_FIELDS, self.media_fields),
            poll_fields=names_in(dialect, POLL_FIELDS, self.poll_fields),
            place_fields=names_in(dialect, PLACE_FIELDS, self.place_fields),
        )

    def users_of_each(self, dialect: Dialect) -> int:
        return len(self.expansions) + (self.with_author and dialect is Dialect.CURRENT)


def _posts(dialect: Dialect, fields: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    name = "tweet_fields" if dialect is Dialect.LEGACY else "post_fields"
    return {name: names_in(dialect, POST_FIELDS, fields)}
