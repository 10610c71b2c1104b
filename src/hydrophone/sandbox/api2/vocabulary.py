"""The names that each dialect accepts, as the published descriptions list them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LEGACY, CURRENT, AUTO = "legacy", "current", "auto"

ID_FIELDS: Final = ("creator_id", "host_ids", "invited_user_ids", "speaker_ids", "topic_ids")
_SPACE_PLAIN = [
    "created_at",
    "ended_at",
    "id",
    "is_ticketed",
    "lang",
    "participant_count",
    "scheduled_start",
    "started_at",
    "state",
    "subscriber_count",
    "title",
    "updated_at",
]
_USER_BOTH = [
    "confirmed_email",
    "connection_status",
    "created_at",
    "description",
    "entities",
    "id",
    "is_identity_verified",
    "location",
    "name",
    "parody",
    "profile_banner_url",
    "profile_image_url",
    "protected",
    "public_metrics",
    "receives_your_dm",
    "subscription",
    "subscription_type",
    "url",
    "username",
    "verified",
    "verified_followers_count",
    "verified_type",
    "withheld",
]
_POST_BOTH = [
    "article",
    "attachments",
    "card_uri",
    "community_id",
    "context_annotations",
    "conversation_id",
    "created_at",
    "display_text_range",
    "edit_controls",
    "entities",
    "geo",
    "id",
    "lang",
    "media_metadata",
    "non_public_metrics",
    "organic_metrics",
    "possibly_sensitive",
    "promoted_metrics",
    "public_metrics",
    "reply_settings",
    "scopes",
    "source",
    "text",
    "withheld",
]
_POST_EXPANSIONS_BOTH = [
    "article.cover_media",
    "article.media_entities",
    "attachments.media_keys",
    "attachments.media_source_tweet",
    "attachments.poll_ids",
    "author_id",
    "entities.mentions.username",
    "geo.place_id",
    "in_reply_to_user_id",
]


def _names(*more: str, of: list[str]) -> tuple[str, ...]:
    return tuple(sorted({*of, *more}))


#: Parameter to accepted values, for each dialect. On the wire `user.expansions` and its kin are called `expansions`.
ACCEPTED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    LEGACY: {
        "space.fields": _names(*ID_FIELDS, of=_SPACE_PLAIN),
        "space.expansions": tuple(sorted(ID_FIELDS)),
        "topic.fields": ("description", "id", "name"),
        "user.fields": _names("affiliation", "most_recent_tweet_id", "pinned_tweet_id", of=_USER_BOTH),
        "user.expansions": ("affiliation.user_id", "most_recent_tweet_id", "pinned_tweet_id"),
        "tweet.fields": _names(
            "author_id",
            "edit_history_tweet_ids",
            "in_reply_to_user_id",
            "note_tweet",
            "referenced_tweets",
            of=_POST_BOTH,
        ),
        "post.expansions": _names(
            "edit_history_tweet_ids",
            "entities.note.mentions.username",
            "referenced_tweets.id",
            "referenced_tweets.id.attachments.media_keys",
            "referenced_tweets.id.author_id",
            of=_POST_EXPANSIONS_BOTH,
        ),
    },
    CURRENT: {
        "space.fields": tuple(sorted(_SPACE_PLAIN)),
        "space.expansions": tuple(sorted(ID_FIELDS)),
        "topic.fields": ("description", "id", "name"),
        "user.fields": _names("subscribes_to_you", of=_USER_BOTH),
        "user.expansions": ("affiliation", "most_recent_post_id", "pinned_post_id"),
        "post.fields": _names(
            "article_title",
            "matched_media_notes",
            "note_post",
            "note_request_suggestions",
            "paid_partnership",
            "suggested_source_links",
            "suggested_source_links_with_counts",
            of=_POST_BOTH,
        ),
        "post.expansions": _names("edit_history_post_ids", "referenced_posts", "username", of=_POST_EXPANSIONS_BOTH),
    },
}
MEDIA_FIELDS: Final = (
    "alt_text",
    "duration_ms",
    "height",
    "media_key",
    "non_public_metrics",
    "organic_metrics",
    "preview_image_url",
    "promoted_metrics",
    "public_metrics",
    "type",
    "url",
    "variants",
    "width",
)
POLL_FIELDS: Final = ("duration_minutes", "end_datetime", "id", "options", "voting_status")
PLACE_FIELDS: Final = ("contained_within", "country", "country_code", "full_name", "geo", "id", "name", "place_type")
BROADCAST_FIELDS: Final = tuple(
    sorted(
        [
            "available_for_replay",
            "broadcast_id",
            "chat_option",
            "created_at_ms",
            "end_ms",
            "height",
            "id",
            "image_url",
            "image_url_medium",
            "image_url_small",
            "is_high_latency",
            "language",
            "media_key",
            "scheduled_end_ms",
            "scheduled_start_ms",
            "share_url",
            "source_id",
            "start_ms",
            "state",
            "title",
            "total_watched",
            "total_watching",
            "tweet_id",
            "twitter_user_id",
            "updated_at_ms",
            "width",
        ]
    )
)
CHAT_FIELDS: Final = (
    "author_name",
    "author_username",
    "broadcast_id",
    "created_at_ms",
    "id",
    "reply_to",
    "text",
)
USAGE_FIELDS: Final = (
    "cap_reset_day",
    "daily_client_app_usage",
    "daily_project_usage",
    "project_cap",
    "project_id",
    "project_usage",
)
WEBHOOK_FIELDS: Final = ("created_at", "id", "url", "valid")


def accepted(dialect: str, mode: str, name: str) -> tuple[str, ...]:
    """What a parameter takes. In the mixed mode expansions are taken in either spelling."""
    own = ACCEPTED[dialect].get(name, ())
    if mode == AUTO and name.endswith("expansions"):
        return tuple(sorted({*own, *ACCEPTED[LEGACY].get(name, ()), *ACCEPTED[CURRENT].get(name, ())}))
    if mode == AUTO and name == "space.fields":
        return ACCEPTED[LEGACY][name]
    return own
