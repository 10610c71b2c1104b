"""Accounts, posts, topics and Spaces with the fields that were asked for, and what their expansions bring."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hydrophone.sandbox.api2.problems import Tongue
from hydrophone.sandbox.api2.stage import Stage
from hydrophone.sandbox.api2.vocabulary import CURRENT, ID_FIELDS

Object = dict[str, Any]
#: Order in which the people of a Space are mentioned.
_MENTIONS = ("creator_id", "host_ids", "speaker_ids", "invited_user_ids")
_EMPTY: tuple[Any, ...] = (None, "", [], {})


def without_empties(found: Mapping[str, Any]) -> Object:
    """Absent means absent; False and 0 are values."""
    return {
        name: value
        for name, value in found.items()
        if not any(value is e or value == e for e in _EMPTY if value is not False)
    }


@dataclass(slots=True)
class Writer:
    """Writes objects of one answer, and gathers its `includes` and partial `errors`."""

    stage: Stage
    tongue: Tongue
    dialect: str
    user_fields: tuple[str, ...] = ()
    topic_fields: tuple[str, ...] = ()
    post_fields: tuple[str, ...] = ()
    expansions: tuple[str, ...] = ()
    suspended: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    users: dict[str, Object] = field(default_factory=dict)
    topics: dict[str, Object] = field(default_factory=dict)
    posts: dict[str, Object] = field(default_factory=dict)
    errors: list[Object] = field(default_factory=list)

    # ------------------------------------------------------------ writing

    def space(self, record: Mapping[str, Any], fields: Iterable[str]) -> Object:
        """A Space; its expansions fill the includes."""
        wanted = {"id", "state", *fields, *(name for name in self.expansions if name in ID_FIELDS)}
        for name in sorted(wanted & set(self.failing)):
            self.errors.append(self.tongue.not_loaded(name))
            wanted.discard(name)
        for name in _MENTIONS:
            if name in self.expansions and record.get(name):
                ids = [record[name]] if name == "creator_id" else record[name]
                self._include_users(ids, name)
        if "topic_ids" in self.expansions:
            for topic_id in record.get("topic_ids", ()):
                topic = self.stage.topic(topic_id)
                if topic is not None:
                    names = {"id", "name", *self.topic_fields}
                    self.topics[topic_id] = without_empties({k: v for k, v in topic.items() if k in names})
        return without_empties({name: record[name] for name in sorted(wanted) if name in record})

    def user(self, account: Mapping[str, Any], *, is_main: bool = False) -> Object:
        """An account. `is_main`: it is what was asked for, so that its expansions count."""
        is_current = self.dialect == CURRENT
        count = "post_count" if is_current else "tweet_count"
        metrics = account["metrics"]
        numbers = {
            "followers_count": metrics["followers_count"],
            "following_count": metrics["following_count"],
            count: metrics["posts"],
            "listed_count": metrics["listed_count"],
            "like_count": metrics["like_count"],
            "media_count": metrics["media_count"],
        }
        pin = "pinned_post_id" if is_current else "pinned_tweet_id"
        facts = {**account, "public_metrics": numbers, pin: account.get("pinned"), "is_identity_verified": False}
        facts |= {"parody": False, "subscription_type": "None" if account["verified_type"] == "none" else "Premium"}
        wanted = ["id", "name", "username", *self.user_fields]
        if is_main and {"pinned_tweet_id", "pinned_post_id"} & set(self.expansions):
            wanted.append(pin)
            post = self.stage.post(account["pinned"]) if account.get("pinned") else None
            if post is not None:
                self.posts[post["id"]] = self.post(post)
        return without_empties({name: facts[name] for name in dict.fromkeys(wanted) if name in facts})

    def post(self, post: Mapping[str, Any], *, is_main: bool = False) -> Object:
        is_current = self.dialect == CURRENT
        metrics = post.get("metrics", {})
        facts = {
            "id": post["id"],
            "text": post["text"].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
            "edit_history_post_ids" if is_current else "edit_history_tweet_ids": [post["id"]],
            "author_id": post["author_id"],
            "conversation_id": post["id"],
            "created_at": post["created_at"],
            "lang": post.get("lang"),
            "possibly_sensitive": False,
            "reply_settings": "everyone",
            "public_metrics": {
                "repost_count" if is_current else "retweet_count": metrics.get("reposts", 0),
                "reply_count": metrics.get("replies", 0),
                "like_count": metrics.get("likes", 0),
                "quote_count": metrics.get("quotes", 0),
                "bookmark_count": metrics.get("bookmarks", 0),
                "impression_count": metrics.get("impressions", 0),
            },
        }
        wanted = ["id", "text", *(() if is_current else ("edit_history_tweet_ids",))]
        if is_main:
            wanted += [name for name in ("author_id", "edit_history_post_ids") if name in self.expansions]
            if "author_id" in self.expansions:
                self._include_users([post["author_id"]], "author_id")
        wanted += self.post_fields
        return without_empties({name: facts[name] for name in dict.fromkeys(wanted) if name in facts})

    def _include_users(self, ids: Iterable[str], parameter: str) -> None:
        for user_id in ids:
            if user_id in self.users:
                continue
            if user_id in self.suspended:
                told = self.tongue.suspended(user_id, parameter)
                if told not in self.errors:
                    self.errors.append(told)
                continue
            account = self.stage.user(user_id)
            if account is not None:
                self.users[user_id] = self.user(account)

    # ------------------------------------------------------------ the envelope

    def envelope(self, data: Object | list[Object] | None, *, meta: Object | None = None) -> Object:
        """Parts that would be empty are absent."""
        posts = "posts" if self.dialect == CURRENT else "tweets"
        included = {"users": self.users, "topics": self.topics, posts: self.posts}
        body: Object = {}
        if data:
            body["data"] = data
        includes = {name: list(found.values()) for name, found in included.items() if found}
        if includes:
            body["includes"] = includes
        if self.errors:
            body["errors"] = self.errors
        if meta is not None:
            body["meta"] = meta
        return body
