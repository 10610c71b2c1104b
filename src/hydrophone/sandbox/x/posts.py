"""Posts of a scene, and the cards on them through which a client finds the Space or broadcast.

Every scene has a post with its card (`extra["cards"]` for more kinds: ``audiospace``, ``broadcast``,
``periscope_broadcast``, ``live_event``) and an older one with nothing but a link. `extra["posts"]` adds more: mappings
with `text` and any of `id`, `handle`, `card`, `link`, `wrapper` (``visibility``, ``tombstone``, ``unavailable``,
``retweet``, ``quote``), `reason`, `minutes` (since the Space was created). `extra["chatter"]` adds so many plain posts.

Source: web endpoint reference, "From a tweet to a Space".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hydrophone.sandbox.scene import Kind, Person, Scene
from hydrophone.sandbox.world import World
from hydrophone.sandbox.x.addresses import Addresses
from hydrophone.sandbox.x.cards import CARD_NAMES, bindings
from hydrophone.sandbox.x.ids import event_id, scene_link, short_code, snowflake
from hydrophone.sandbox.x.users import user_record


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One post. `link` is where its t.co link leads, ``""`` for none; `card` the kind of its card."""

    id: str
    author: Person
    scene: Scene
    posted_at: datetime
    text: str
    link: str = ""
    card: str = ""
    wrapper: str = ""
    reason: str = "NsfwLoggedOut"

    @property
    def code(self) -> str:
        """The t.co code of its link."""
        return short_code(self.link)

    @property
    def full_text(self) -> str:
        return f"{self.text} https://t.co/{self.code}" if self.link else self.text


def posts_of(scene: Scene) -> tuple[Post, ...]:
    """All posts that belong to a scene, newest first."""
    return tuple(sorted(_posts(scene), key=lambda post: int(post.id), reverse=True))


def find_post(world: World, post_id: str) -> Post | None:
    return next((post for scene in world.scenes for post in posts_of(scene) if post.id == post_id), None)


def find_link(world: World, code: str) -> str | None:
    """Where a t.co code leads."""
    links = (post.link for scene in world.scenes for post in posts_of(scene) if post.link)
    return next((link for link in links if short_code(link) == code), None)


def post_result(post: Post, shape: str, addresses: Addresses, now: datetime) -> dict[str, Any]:
    """What GraphQL puts under `result`, wrapped as the post says."""
    if post.wrapper == "unavailable":
        return {"__typename": "TweetUnavailable", "reason": post.reason}
    if post.wrapper == "tombstone":
        text = {"rtl": False, "text": "This Post was deleted by the Post author.", "entities": []}
        return {"__typename": "TweetTombstone", "tombstone": {"__typename": "TextTombstone", "text": text}}
    plain = _plain_result(post, shape, addresses, now)
    if post.wrapper == "visibility":
        return {
            "__typename": "TweetWithVisibilityResults",
            "tweet": {name: value for name, value in plain.items() if name != "__typename"},
            "limitedActionResults": {"limited_actions": []},
        }
    if post.wrapper in ("retweet", "quote"):
        return _around(post, plain, shape, addresses, now)
    return plain


def flat_post(post: Post, addresses: Addresses, now: datetime) -> dict[str, Any]:
    """The keyless form: one level, and the bindings of the card as a map."""
    author = post.author
    record: dict[str, Any] = {
        "__typename": "Tweet",
        "lang": post.scene.language,
        "favorite_count": 12,
        "possibly_sensitive": False,
        "created_at": post.posted_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "display_text_range": [0, len(post.full_text)],
        "entities": _entities(post),
        "id_str": post.id,
        "text": post.full_text,
        "user": {
            "id_str": author.user_id,
            "name": author.name,
            "profile_image_url_https": addresses.picture(author.avatar_url),
            "screen_name": author.handle,
            "verified": False,
            "is_blue_verified": author.is_verified,
        },
        "mediaDetails": [],
        "conversation_count": 2,
        "isEdited": False,
        "isStaleEdit": False,
    }
    if post.card:
        values = bindings(post.card, post.scene, f"https://t.co/{post.code}", addresses, now)
        record["card"] = {
            "card_platform": {"platform": {"audience": {"name": "production"}}},
            "name": CARD_NAMES[post.card],
            "url": f"https://t.co/{post.code}",
            "binding_values": {value["key"]: value["value"] for value in values},
        }
    return record


def _posts(scene: Scene) -> Iterator[Post]:
    creator, link = scene.creator, scene_link(scene)

    def post(minutes: float, text: str, **rest: Any) -> Post:
        posted_at = scene.created_at + timedelta(minutes=minutes)
        made: dict[str, Any] = {"id": snowflake(posted_at, scene.id, text), "author": creator, "posted_at": posted_at}
        return Post(**(made | {"scene": scene, "text": text} | rest))

    yield post(-90, "No card, only a link:", link=link)
    default = ["broadcast"] if scene.kind is Kind.BROADCAST else ["audiospace"]
    for number, card in enumerate(scene.extra.get("cards", default)):
        yield post(1 + number, f"{scene.title or 'A Space'}:", link=_card_link(card, scene), card=card)
    for number, facts in enumerate(scene.extra.get("posts", ())):
        rest = {name: facts[name] for name in ("id", "card", "link", "wrapper", "reason") if name in facts}
        if "handle" in facts:
            rest["author"] = scene.person(facts["handle"]) or Person.invent(facts["handle"])
        if "card" in rest:
            rest.setdefault("link", _card_link(rest["card"], scene))
        yield post(float(facts.get("minutes", 2 + number)), str(facts.get("text", "")), **rest)
    for number in range(scene.extra.get("chatter", 0)):
        yield post(-100 - number, f"Low water, day {number}.")


def _card_link(card: str, scene: Scene) -> str:
    if card == "live_event":
        return f"https://x.com/i/events/{event_id(scene)}"
    return f"https://x.com/i/{'spaces' if card == 'audiospace' else 'broadcasts'}/{scene.id}"


def _around(post: Post, inner: dict[str, Any], shape: str, addresses: Addresses, now: datetime) -> dict[str, Any]:
    other = Post(
        id=str(int(post.id) + 1),
        author=Person.invent("passer_by"),
        scene=post.scene,
        posted_at=post.posted_at,
        text=f"RT @{post.author.handle}: {post.text}" if post.wrapper == "retweet" else "Do not miss this",
    )
    outer = _plain_result(other, shape, addresses, now)
    outer["rest_id"] = outer["legacy"]["id_str"] = post.id
    if post.wrapper == "retweet":
        outer["legacy"]["retweeted_status_result"] = {"result": inner}
    else:
        outer["quoted_status_result"] = {"result": inner}
    return outer


def _plain_result(post: Post, shape: str, addresses: Addresses, now: datetime) -> dict[str, Any]:
    result: dict[str, Any] = {
        "__typename": "Tweet",
        "rest_id": post.id,
        "has_birdwatch_notes": False,
        "core": {"user_results": {"result": user_record(post.author, shape, addresses)}},
    }
    if post.card:
        card_url = f"https://t.co/{post.code}"
        result["card"] = {
            "rest_id": card_url,
            "legacy": {
                "binding_values": bindings(post.card, post.scene, card_url, addresses, now),
                "card_platform": {
                    "platform": {"audience": {"name": "production"}, "device": {"name": "Swift", "version": "12"}}
                },
                "name": CARD_NAMES[post.card],
                "url": card_url,
                "user_refs_results": [],
            },
        }
    editable_until = post.posted_at + timedelta(hours=1)
    return result | {
        "edit_control": {
            "edit_tweet_ids": [post.id],
            "editable_until_msecs": str(round(editable_until.timestamp() * 1000)),
            "is_edit_eligible": False,
            "edits_remaining": "5",
        },
        "is_translatable": False,
        "views": {"count": "2350", "state": "EnabledWithCount"},
        "source": '<a href="https://mobile.twitter.com" rel="nofollow">Twitter Web App</a>',
        "legacy": _legacy(post),
    }


def _legacy(post: Post) -> Mapping[str, Any]:
    return {
        "bookmark_count": 3,
        "bookmarked": False,
        "created_at": post.posted_at.astimezone(UTC).strftime("%a %b %d %H:%M:%S +0000 %Y"),
        "conversation_id_str": post.id,
        "display_text_range": [0, len(post.full_text)],
        "entities": _entities(post),
        "favorite_count": 12,
        "favorited": False,
        "full_text": post.full_text,
        "is_quote_status": post.wrapper == "quote",
        "lang": post.scene.language,
        "quote_count": 0,
        "reply_count": 2,
        "retweet_count": 4,
        "retweeted": False,
        "user_id_str": post.author.user_id,
        "id_str": post.id,
    }


def _entities(post: Post) -> dict[str, Any]:
    urls = []
    if post.link:
        begin = len(post.text) + 1
        display = post.link.removeprefix("https://")
        urls.append(
            {
                "display_url": display if len(display) <= 24 else display[:23] + "…",
                "expanded_url": post.link,
                "url": f"https://t.co/{post.code}",
                "indices": [begin, len(post.full_text)],
            }
        )
    return {"user_mentions": [], "urls": urls, "hashtags": [], "symbols": []}
