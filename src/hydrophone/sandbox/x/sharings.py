"""Posts pinned in a Space while it runs.

A scene's `extra["sharings"]` is a list of `{"at": scene seconds, "text": …}`, with `handle`, `post_id` and `until`
(scene seconds) where they matter; a deleted one lingers for some seconds, as on the service.

Source: web endpoint reference, "sharings".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from hydrophone.sandbox.scene import Person, Scene
from hydrophone.sandbox.x.addresses import Addresses
from hydrophone.sandbox.x.ids import snowflake
from hydrophone.sandbox.x.posts import Post, post_result
from hydrophone.sandbox.x.users import user_record

LINGER_SECONDS = 5.0


def sharings(
    scene: Scene, now: datetime, shape: str, addresses: Addresses, added: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """What a record says under `sharings`; `added` are those pinned by way of the API."""
    origin_at = scene.started_at or scene.created_at
    items = []
    for facts in (*scene.extra.get("sharings", ()), *added):
        shared_at = origin_at + timedelta(seconds=float(facts["at"]))
        until = facts.get("until")
        gone_at = origin_at + timedelta(seconds=float(until) + LINGER_SECONDS) if until is not None else None
        if now < shared_at or (gone_at is not None and now >= gone_at):
            continue
        items.append(_item(facts, shared_at, scene, now, shape, addresses))
    return {"items": items, "slice_info": {}}


def sharing_id(scene: Scene, facts: Mapping[str, Any]) -> str:
    """The id under which a sharing can be deleted."""
    shared_at = (scene.started_at or scene.created_at) + timedelta(seconds=float(facts["at"]))
    return snowflake(shared_at, "sharing", scene.id, facts.get("text", ""), facts.get("post_id", ""))


def _item(
    facts: Mapping[str, Any], shared_at: datetime, scene: Scene, now: datetime, shape: str, addresses: Addresses
) -> dict[str, Any]:
    author = scene.person(str(facts.get("handle", ""))) or scene.creator
    written_at = shared_at - timedelta(seconds=35)
    post = Post(
        id=str(facts.get("post_id") or snowflake(written_at, "shared", scene.id, facts.get("text", ""))),
        author=author,
        scene=scene,
        posted_at=written_at,
        text=str(facts.get("text", "")),
    )
    shared_ms = round(shared_at.timestamp() * 1000)
    return {
        "sharing_id": sharing_id(scene, facts),
        "created_at_ms": shared_ms,
        "updated_at_ms": shared_ms,
        "user_results": {"result": user_record(_sharer(scene, author), shape, addresses)},
        "shared_item": {
            "__typename": "AudioSpaceSharedTweet",
            "tweet_results": {"result": post_result(post, shape, addresses, now)},
        },
    }


def _sharer(scene: Scene, author: Person) -> Person:
    return author if author.role in ("creator", "host") else scene.creator
