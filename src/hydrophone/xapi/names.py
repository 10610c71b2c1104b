"""Every field and expansion of the API in both dialects, and the check of names before a request is spent.

A misspelt name costs a refused request, or worse: since 2026 it may be dropped without a word and still be billed. So
names are held against both dialects here, and carried over into the one that a request speaks.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from enum import StrEnum

from hydrophone.errors import SettingsError


class Dialect(StrEnum):
    """Which words a request uses. Answers follow it; they are read in either."""

    LEGACY = "legacy"  #: says tweet; the last description in it is of July 2026
    CURRENT = "current"  #: says post


SPACE_FIELDS = "space.fields"
USER_FIELDS = "user.fields"
TOPIC_FIELDS = "topic.fields"
TWEET_FIELDS = "tweet.fields"
POST_FIELDS = "post.fields"
MEDIA_FIELDS = "media.fields"
POLL_FIELDS = "poll.fields"
PLACE_FIELDS = "place.fields"
BROADCAST_FIELDS = "broadcast.fields"
CHAT_FIELDS = "broadcast_chat_message.fields"
USAGE_FIELDS = "usage.fields"
WEBHOOK_FIELDS = "webhook_config.fields"
SPACE_EXPANSIONS = "expansions of Spaces"
USER_EXPANSIONS = "expansions of users"
POST_EXPANSIONS = "expansions of posts"
CHAT_EXPANSIONS = "expansions of chat messages"

#: These five are plain fields in the legacy dialect, and come only by expansion in the current one.
SPACE_ID_FIELDS = ("creator_id", "host_ids", "invited_user_ids", "speaker_ids", "topic_ids")
_SPACE_PLAIN = (
    "created_at ended_at id is_ticketed lang participant_count scheduled_start started_at state subscriber_count title"
    " updated_at"
)
_USER_BOTH = (
    "confirmed_email connection_status created_at description entities id is_identity_verified location name parody"
    " profile_banner_url profile_image_url protected public_metrics receives_your_dm subscription subscription_type url"
    " username verified verified_followers_count verified_type withheld"
)
_POST_BOTH = (
    "article attachments card_uri community_id context_annotations conversation_id created_at display_text_range"
    " edit_controls entities geo id lang media_metadata non_public_metrics organic_metrics possibly_sensitive"
    " promoted_metrics public_metrics reply_settings scopes source text withheld"
)
_POST_EXPANSIONS_BOTH = (
    "article.cover_media article.media_entities attachments.media_keys attachments.media_source_tweet"
    " attachments.poll_ids author_id entities.mentions.username geo.place_id in_reply_to_user_id"
)


def _words(*texts: str) -> tuple[str, ...]:
    return tuple(sorted(" ".join(texts).split()))


def _alike(text: str) -> dict[Dialect, tuple[str, ...]]:
    return dict.fromkeys(Dialect, _words(text))


#: What may be named where, by dialect. Posts have one table for two parameters, `tweet.fields` and `post.fields`.
ACCEPTED: Mapping[str, Mapping[Dialect, tuple[str, ...]]] = {
    SPACE_FIELDS: {
        Dialect.LEGACY: _words(_SPACE_PLAIN, *SPACE_ID_FIELDS),
        Dialect.CURRENT: _words(_SPACE_PLAIN),
    },
    SPACE_EXPANSIONS: _alike(" ".join(SPACE_ID_FIELDS)),
    TOPIC_FIELDS: _alike("description id name"),
    USER_FIELDS: {
        Dialect.LEGACY: _words(_USER_BOTH, "affiliation most_recent_tweet_id pinned_tweet_id"),
        Dialect.CURRENT: _words(_USER_BOTH, "subscribes_to_you"),
    },
    USER_EXPANSIONS: {
        Dialect.LEGACY: _words("affiliation.user_id most_recent_tweet_id pinned_tweet_id"),
        Dialect.CURRENT: _words("affiliation most_recent_post_id pinned_post_id"),
    },
    POST_FIELDS: {
        Dialect.LEGACY: _words(
            _POST_BOTH, "author_id edit_history_tweet_ids in_reply_to_user_id note_tweet referenced_tweets"
        ),
        Dialect.CURRENT: _words(
            _POST_BOTH,
            "article_title matched_media_notes note_post note_request_suggestions paid_partnership",
            "suggested_source_links suggested_source_links_with_counts",
        ),
    },
    POST_EXPANSIONS: {
        Dialect.LEGACY: _words(
            _POST_EXPANSIONS_BOTH,
            "edit_history_tweet_ids entities.note.mentions.username referenced_tweets.id",
            "referenced_tweets.id.attachments.media_keys referenced_tweets.id.author_id",
        ),
        Dialect.CURRENT: _words(_POST_EXPANSIONS_BOTH, "edit_history_post_ids referenced_posts username"),
    },
    MEDIA_FIELDS: _alike(
        "alt_text duration_ms height media_key non_public_metrics organic_metrics preview_image_url promoted_metrics"
        " public_metrics type url variants width"
    ),
    POLL_FIELDS: _alike("duration_minutes end_datetime id options voting_status"),
    PLACE_FIELDS: _alike("contained_within country country_code full_name geo id name place_type"),
    BROADCAST_FIELDS: _alike(
        "available_for_replay broadcast_id chat_option created_at_ms end_ms height id image_url image_url_medium"
        " image_url_small is_high_latency language media_key scheduled_end_ms scheduled_start_ms share_url source_id"
        " start_ms state title total_watched total_watching tweet_id twitter_user_id updated_at_ms width"
    ),
    CHAT_FIELDS: _alike("author_name author_username broadcast_id created_at_ms id reply_to text"),
    CHAT_EXPANSIONS: _alike("author_id"),
    USAGE_FIELDS: _alike(
        "cap_reset_day daily_client_app_usage daily_project_usage project_cap project_id project_usage"
    ),
    WEBHOOK_FIELDS: _alike("created_at id url valid"),
}
ALL_SPACE_FIELDS = ACCEPTED[SPACE_FIELDS][Dialect.LEGACY]
ALL_BROADCAST_FIELDS = ACCEPTED[BROADCAST_FIELDS][Dialect.CURRENT]
ALL_CHAT_FIELDS = ACCEPTED[CHAT_FIELDS][Dialect.CURRENT]

#: The same thing in legacy and in current words.
_PAIRS = (
    ("note_tweet", "note_post"),
    ("most_recent_tweet_id", "most_recent_post_id"),
    ("pinned_tweet_id", "pinned_post_id"),
    ("affiliation.user_id", "affiliation"),
    ("edit_history_tweet_ids", "edit_history_post_ids"),
    ("referenced_tweets.id", "referenced_posts"),
    ("referenced_tweets", "referenced_posts"),
)


def checked_names(table: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names, each once, all of them known in one dialect or the other.

    Args:
        table: a key of `ACCEPTED`.

    Raises:
        SettingsError: a name that no dialect knows; it names the nearest that one knows.
    """
    known = {name for accepted in ACCEPTED[table].values() for name in accepted}
    found = dict.fromkeys(name.strip() for name in names)
    for name in found:
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
            raise SettingsError(
                f"{name[:60]!r} is none of the {table}",
                setting=name[:60],
                advice=f"Did you mean {near[0]!r}?" if near else "Known are: " + ", ".join(sorted(known)) + ".",
            )
    return tuple(found)


def names_in(dialect: Dialect, table: str, names: Iterable[str]) -> tuple[str, ...]:
    """Checked names in the words of a dialect.

    The id fields of a Space, which the current dialect has only as expansions, are left out there: an expansion costs
    money and must be asked for as such.

    Raises:
        SettingsError: a name is unknown, or the dialect has nothing like it.
    """
    accepted = ACCEPTED[table][dialect]
    said: dict[str, None] = {}
    for name in checked_names(table, names):
        word = name if name in accepted else _counterpart(dialect, name, accepted)
        if word is not None:
            said[word] = None
        elif not (table == SPACE_FIELDS and name in SPACE_ID_FIELDS):
            raise SettingsError(
                f"the {dialect} dialect has no {name!r} among the {table}",
                setting=name,
                advice="Leave it out, or ask in the other dialect.",
            )
    return tuple(said)


def _counterpart(dialect: Dialect, name: str, accepted: tuple[str, ...]) -> str | None:
    for legacy, current in _PAIRS:
        ours, theirs = (legacy, current) if dialect is Dialect.LEGACY else (current, legacy)
        if name == theirs and ours in accepted:
            return ours
    return None
