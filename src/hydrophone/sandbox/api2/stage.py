"""Facts that no scene has: the app and its tokens, accounts, posts, topics, buyers, own broadcasts, hooks.

Without a stage the sandbox's own app and account are there, and everybody who takes part in a scene. A stage is a JSON
document (`POST /api2/stage`) with any of the keys `app`, `public_app`, `tokens`, `pkce`, `users`, `topics`, `spaces`,
`posts`, `posts_of_space`, `broadcasts`, `scheduled_broadcasts`, `broadcast_chat`, `webhooks`, `subscriptions`, `pages`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hydrophone.sandbox.scene import Kind, Person, Scene, invented_number
from hydrophone.sandbox.world import World
from hydrophone.sandbox.x.accounts import OWNER

#: What opens the sandbox when no stage says otherwise. None of it opens anything else.
APP: Mapping[str, str] = {
    "app_id": "38211047",
    "project_id": "1786985695279292908",
    "consumer_key": "hYdroPhoneSandboxKey0000A",
    "consumer_secret": "hYdroPhoneSandboxConsumerSecret00000000000000000000",
    "client_id": "aHlkcm9waG9uZVNhbmRib3gwMDE6MTpjaQ",
    "client_secret": "hYdroPhoneSandboxClientSecret_0000000000000000000",
    "redirect_uri": "http://127.0.0.1:8721/callback",
}
PUBLIC_APP: Mapping[str, str] = {
    "client_id": "aHlkcm9waG9uZVNhbmRib3gwMDI6MTpjaQ",
    "redirect_uri": "http://127.0.0.1:8721/callback",
}
APP_BEARER = (
    "AAAAAAAAAAAAAAAAAAAAAHydrophoneSandbox0000%2BNotARealBearerToken00%3D"
    "nMBU7zGSMXUWf6UxcX7DbTkWSY7ExlMhm3GQjTLUzF9FZLPW4u"
)
_LISTS = (
    "topics",
    "spaces",
    "posts",
    "broadcasts",
    "scheduled_broadcasts",
    "broadcast_chat",
    "webhooks",
    "subscriptions",
)


class Stage:
    """The facts in force; writing requests change them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.load({})

    def load(self, told: Mapping[str, Any]) -> None:
        """Take a stage in place of the present one."""
        facts = copy.deepcopy(dict(told))
        self.app: dict[str, str] = {**APP, **facts.get("app", {})}
        self.public_app: dict[str, str] = {**PUBLIC_APP, **facts.get("public_app", {})}
        self.tokens: dict[str, dict[str, Any]] = facts.get("tokens", {})
        self.pkce: dict[str, str] = facts.get("pkce", {})
        self.users: dict[str, dict[str, Any]] = {user["id"]: user for user in facts.get("users", ())}
        self.posts_of_space: dict[str, list[str]] = facts.get("posts_of_space", {})
        self.pages: dict[str, dict[str, str]] = facts.get("pages", {})
        lists: dict[str, list[dict[str, Any]]] = {name: list(facts.get(name, ())) for name in _LISTS}
        self.topics = {topic["id"]: topic for topic in lists["topics"]}
        self.spaces = {space["id"]: space for space in lists["spaces"]}
        self.posts = {post["id"]: post for post in lists["posts"]}
        self.broadcasts = {one["id"]: one for one in lists["broadcasts"]}
        self.scheduled = {one["broadcast_id"]: one for one in lists["scheduled_broadcasts"]}
        self.chat = lists["broadcast_chat"]
        self.webhooks = {hook["id"]: hook for hook in lists["webhooks"]}
        self.subscriptions = {one["subscription_id"]: one for one in lists["subscriptions"]}
        self.muted: set[tuple[str, str]] = set()

    # ------------------------------------------------------------ people and things

    def user(self, user_id: str) -> dict[str, Any] | None:
        """An account by id: of the stage, of a scene, or the sandbox's own."""
        if user_id in self.users:
            return self.users[user_id]
        person = OWNER if user_id == OWNER.user_id else self._world.person(user_id=user_id)
        return _account(person) if person else None

    def user_named(self, handle: str) -> dict[str, Any] | None:
        lower = handle.lower()
        found = next((user for user in self.users.values() if user["username"].lower() == lower), None)
        if found is not None:
            return found
        person = OWNER if lower == OWNER.handle else self._world.person(handle=handle)
        return _account(person) if person else None

    def topic(self, topic_id: str) -> dict[str, Any] | None:
        if topic_id in self.topics:
            return self.topics[topic_id]
        for scene in self._world.spaces:
            for topic in api_facts(scene).get("topics", ()):
                if topic["id"] == topic_id:
                    return dict(topic)
        return None

    def post(self, post_id: str) -> dict[str, Any] | None:
        if post_id in self.posts:
            return self.posts[post_id]
        for scene in self._world.spaces:
            for post in api_facts(scene).get("posts", ()):
                if post["id"] == post_id:
                    return dict(post)
        return None

    def posts_in(self, space_id: str, now: datetime) -> list[str]:
        """Ids of what was shared in a Space, newest first."""
        if space_id in self.posts_of_space:
            return self.posts_of_space[space_id]
        scene = self._world.scene(space_id)
        if scene is None or scene.started_at is None:
            return []
        since = (now - scene.started_at).total_seconds()
        shared = [post for post in api_facts(scene).get("posts", ()) if float(post.get("at", 0)) <= since]
        return [post["id"] for post in sorted(shared, key=lambda post: -float(post.get("at", 0)))]

    def broadcasts_of(self, user_id: str) -> list[dict[str, Any]]:
        """Own video broadcasts, of the stage and of the scenes."""
        kept = [one for one in self.broadcasts.values() if one["owner_id"] == user_id]
        now = self._world.now()
        scenes = [one for one in self._world.scenes if one.kind is Kind.BROADCAST and one.creator.user_id == user_id]
        return kept + [_broadcast(scene, now) for scene in scenes if scene.created_at <= now]


def stage_of(world: World) -> Stage:
    return world.room(Stage, lambda: Stage(world))


def api_facts(scene: Scene) -> Mapping[str, Any]:
    """What a scene tells this side alone (`extra["api2"]`).

    `titles` ([{at, title}], scene seconds), `subscribers`, `is_ticketed`, `buyers` (user ids), `invited` (user ids),
    `topics` ([{id, name, description}]), `posts` ([{id, at, created_at, text, lang, author_id, metrics}]),
    `updated_at`, `switches`.
    """
    found: Mapping[str, Any] = scene.extra.get("api2", {}) if scene.extra else {}
    return found


def _account(person: Person) -> dict[str, Any]:
    number = invented_number("account", person.user_id)
    return {
        "id": person.user_id,
        "name": person.name,
        "username": person.handle,
        "created_at": f"20{14 + number % 10}-0{1 + number % 9}-1{number % 10}T09:15:02.000Z",
        "description": "",
        "location": "",
        "protected": person.is_protected,
        "verified": person.is_verified,
        "verified_type": "blue" if person.is_verified else "none",
        "profile_image_url": person.avatar_url,
        "url": "",
        "metrics": {
            "followers_count": person.followers,
            "following_count": number % 500,
            "posts": number % 3000,
            "listed_count": number % 40,
            "like_count": number % 9000,
            "media_count": number % 300,
        },
        "pinned": None,
    }


def _broadcast(scene: Scene, now: datetime) -> dict[str, Any]:
    """A scene of the kind broadcast, as its owner sees it."""
    state = {"NotStarted": "NOT_STARTED", "PrePublished": "NOT_STARTED", "Running": "RUNNING"}
    audience = scene.audience_at(now)
    began, ended = scene.started_at, scene.ended_at
    facts: dict[str, Any] = {
        "owner_id": scene.creator.user_id,
        "id": scene.id,
        "broadcast_id": scene.id,
        "state": state.get(scene.state_at(now).value, "TIMED_OUT" if scene.state_at(now) == "TimedOut" else "ENDED"),
        "title": scene.title or "",
        "language": scene.language,
        "media_key": scene.media_key,
        "share_url": f"https://x.com/i/broadcasts/{scene.id}",
        "twitter_user_id": scene.creator.user_id,
        "available_for_replay": scene.has_replay,
        "is_high_latency": False,
        "chat_option": 2,
        "width": scene.variants[0].width,
        "height": scene.variants[0].height,
        "created_at_ms": _ms(scene.created_at),
        "updated_at_ms": _ms(now),
        "total_watched": str(max(audience.total, audience.listeners)),
        "total_watching": str(audience.listeners),
    }
    if began is not None and began <= now:
        facts["start_ms"] = _ms(began)
    if ended is not None and ended <= now:
        facts["end_ms"] = _ms(ended)
    if scene.scheduled_at is not None:
        facts["scheduled_start_ms"] = _ms(scene.scheduled_at)
    return facts


def _ms(at: datetime) -> str:
    return str(round(at.timestamp() * 1000))
