"""What tests/journeys/test_foreign_api_clients.py runs in a process of its own: other people's clients, unmodified.

They know nothing of a sandbox: the environment leads them through its proxy and lets them trust its certificate.
Prints one JSON object. Arguments: which client, the app's bearer, a user's token.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

SPACE, BUYERS_OF, GONE = "1hydroPhoneXZ", "1memberShopQZ", "1goneWithTide"
MARA, BREAKWATER = "1701000000000000001", "1706000000000000006"


def by_tweepy(app: str, user: str) -> dict[str, Any]:
    import tweepy

    client, own = tweepy.Client(app), tweepy.Client(user)
    one = client.get_space(
        SPACE, space_fields=["title", "participant_count"], expansions=["creator_id"], user_fields=["verified"]
    )
    many = client.get_spaces(ids=[SPACE, GONE])
    found = client.search_spaces("harbour", state="live", space_fields=["title"])
    by_creators = client.get_spaces(user_ids=[MARA, BREAKWATER])
    buyers = own.get_space_buyers(BUYERS_OF, user_fields=["created_at"])
    posts = client.get_space_tweets(SPACE, tweet_fields=["author_id", "created_at"])
    return _told(one, many, found, by_creators, buyers, posts, _refusals_of_tweepy(tweepy, client, own))


def _refusals_of_tweepy(tweepy: Any, client: Any, own: Any) -> list[str]:
    refused = []
    for ask in (
        lambda: client.get_space_buyers(BUYERS_OF),
        lambda: client.get_space("x" * 14),
        lambda: tweepy.Client("no-such-token-at-all").get_space(SPACE),
    ):
        try:
            ask()
        except tweepy.TweepyException as error:
            refused.append(type(error).__name__)
    return refused


async def by_tweepy_async(app: str, user: str) -> dict[str, Any]:
    from tweepy.asynchronous import AsyncClient

    client, own = AsyncClient(app), AsyncClient(user)
    # aiohttp listens to the environment only when it is told to; this is the way tweepy's users have for a proxy.
    import aiohttp

    session = aiohttp.ClientSession(trust_env=True)
    client.session = own.session = session
    try:
        one = await client.get_space(
            SPACE, space_fields=["title", "participant_count"], expansions=["creator_id"], user_fields=["verified"]
        )
        many = await client.get_spaces(ids=[SPACE, GONE])
        found = await client.search_spaces("harbour", state="live", space_fields=["title"])
        by_creators = await client.get_spaces(user_ids=[MARA, BREAKWATER])
        buyers = await own.get_space_buyers(BUYERS_OF, user_fields=["created_at"])
        posts = await client.get_space_tweets(SPACE, tweet_fields=["author_id", "created_at"])
    finally:
        await session.close()
    return _told(one, many, found, by_creators, buyers, posts, [])


def _told(
    one: Any, many: Any, found: Any, by_creators: Any, buyers: Any, posts: Any, refused: list[str]
) -> dict[str, Any]:
    return {
        "title": one.data.title,
        "participants": one.data.participant_count,
        "creator": one.includes["users"][0].username,
        "known": [space.id for space in many.data],
        "unknown": [error["value"] for error in many.errors],
        "found": [space.title for space in found.data],
        "by_creators": sorted(space.id for space in by_creators.data),
        "buyers": [user.username for user in buyers.data],
        "posts": [post.author_id for post in posts.data],
        "refused": refused,
    }


def by_xdk(app: str, user: str) -> dict[str, Any]:
    from xdk import Client

    client, own = Client(bearer_token=app), Client(access_token=user)
    one = client.spaces.get_by_id(
        SPACE, space_fields=["title", "participant_count"], expansions=["creator_id"], user_fields=["verified"]
    )
    many = client.spaces.get_by_ids([SPACE, GONE])
    found = client.spaces.search("harbour", state="live", space_fields=["title"])
    by_creators = client.spaces.get_by_creator_ids([MARA, BREAKWATER])
    buyers = next(iter(own.spaces.get_buyers(BUYERS_OF, user_fields=["created_at"])))
    posts = next(iter(client.spaces.get_posts(SPACE, post_fields=["created_at"], expansions=["author_id"])))
    return {
        "title": _get(one.data, "title"),
        "participants": _get(one.data, "participant_count"),
        "creator": _get(_get(one.includes, "users")[0], "username"),
        "known": [_get(space, "id") for space in many.data],
        "unknown": [_get(error, "value") for error in many.errors],
        "found": [_get(space, "title") for space in found.data],
        "by_creators": sorted(_get(space, "id") for space in by_creators.data),
        "buyers": [_get(person, "username") for person in buyers.data],
        "posts": [int(_get(post, "author_id")) for post in posts.data],
        "refused": [],
    }


def _get(value: Any, name: str) -> Any:
    return value[name] if isinstance(value, dict) else getattr(value, name)


def main() -> None:
    which, app, user = sys.argv[1:]
    if which == "tweepy-async":
        told = asyncio.run(by_tweepy_async(app, user))
    else:
        told = {"tweepy": by_tweepy, "xdk": by_xdk}[which](app, user)
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
