"""Timelines of posts as GraphQL writes them: entries, and cursors that lead to the next page.

Source: web endpoint reference, "From a tweet to a Space".
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hydrophone.sandbox.scene import Person
from hydrophone.sandbox.world import World
from hydrophone.sandbox.x.addresses import Addresses
from hydrophone.sandbox.x.posts import Post, post_result, posts_of

_PAGE = 20


def user_timeline(
    world: World,
    person: Person,
    variables: Mapping[str, Any],
    *,
    shape: str,
    addresses: Addresses,
    limit: int | None = None,
) -> dict[str, Any]:
    """One page of somebody's posts, newest first. `limit` is how many there seem to be at all."""
    now = world.now()
    posts = [
        post
        for scene in world.scenes
        for post in posts_of(scene)
        if post.author.user_id == person.user_id and post.posted_at <= now
    ]
    posts.sort(key=lambda post: int(post.id), reverse=True)
    posts = posts[:limit]
    begin = _read_cursor(variables.get("cursor"))
    count = variables.get("count")
    size = min(count, _PAGE) if isinstance(count, int) and count > 0 else _PAGE
    page = posts[begin : begin + size]
    entries = [_entry(post, shape, addresses, now) for post in page]
    entries.append(_cursor_entry("Top", max(begin - size, 0)))
    entries.append(_cursor_entry("Bottom", begin + len(page)))
    first = [{"type": "TimelineClearCache"}] if begin == 0 else []
    return {
        "instructions": [*first, {"type": "TimelineAddEntries", "entries": entries}],
        "metadata": {"scribeConfig": {"page": "profileBest"}},
    }


def conversation(post: Post, *, shape: str, addresses: Addresses, now: datetime) -> list[dict[str, Any]]:
    """The instructions around one post: the post, and a module with nobody's answers."""
    module = {
        "entryId": f"conversationthread-{int(post.id) + 9}",
        "sortIndex": "1",
        "content": {"entryType": "TimelineTimelineModule", "__typename": "TimelineTimelineModule", "items": []},
    }
    entries = [_entry(post, shape, addresses, now), module, _cursor_entry("Bottom", 1)]
    return [
        {"type": "TimelineAddEntries", "entries": entries},
        {"type": "TimelineTerminateTimeline", "direction": "Top"},
    ]


def _entry(post: Post, shape: str, addresses: Addresses, now: datetime) -> dict[str, Any]:
    item = {
        "itemType": "TimelineTweet",
        "__typename": "TimelineTweet",
        "tweet_results": {"result": post_result(post, shape, addresses, now)},
        "tweetDisplayType": "Tweet",
    }
    content = {
        "entryType": "TimelineTimelineItem",
        "__typename": "TimelineTimelineItem",
        "itemContent": item,
    }
    return {"entryId": f"tweet-{post.id}", "sortIndex": post.id, "content": content}


def _cursor_entry(kind: str, begin: int) -> dict[str, Any]:
    content = {
        "entryType": "TimelineTimelineCursor",
        "__typename": "TimelineTimelineCursor",
        "value": base64.urlsafe_b64encode(f"posts from {begin:020d}".encode()).decode(),
        "cursorType": kind,
    }
    number = 1 if kind == "Top" else 2
    return {"entryId": f"cursor-{kind.lower()}-{number}", "sortIndex": str(number), "content": content}


def _read_cursor(value: Any) -> int:
    try:
        return int(base64.urlsafe_b64decode(str(value)).decode().removeprefix("posts from "))
    except ValueError:
        return 0
