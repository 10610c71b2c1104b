"""Video broadcasts by id, and what an event page leads to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hydrophone.errors import NotFoundError
from hydrophone.http.messages import Question
from hydrophone.model import (
    Broadcast,
    BroadcastId,
    BroadcastRef,
    EventId,
    PeriscopeUserId,
    Ref,
    User,
    UserId,
)
from hydrophone.xweb.asking import ask_json
from hydrophone.xweb.cards import read_post_target
from hydrophone.xweb.reading import Node
from hydrophone.xweb.session import WebSession
from hydrophone.xweb.spaces import read_media_key, read_state

SHOW = "broadcasts/show"
EVENT = "live_event/timeline"
BATCH = 100
_ID = re.compile(r"[0-9A-Za-z_]{1,64}")


def broadcasts_by_ids(
    session: WebSession, broadcast_ids: Sequence[BroadcastId]
) -> Question[dict[BroadcastId, Broadcast | None]]:
    """Broadcasts by id, None for those that are gone. Every id asked for is a key of the answer."""
    found: dict[BroadcastId, Broadcast | None] = dict.fromkeys(broadcast_ids)
    askable = [broadcast_id for broadcast_id in found if _ID.fullmatch(broadcast_id)]
    for batch in _batches(askable):
        params = {"ids": ",".join(batch), "include_events": "false"}
        service, prefix = ("x", "/i/api") if session.signed_in else ("api", "")
        root = yield from ask_json(session, SHOW, f"{prefix}/1.1/broadcasts/show.json", service=service, params=params)
        broadcasts = root.at("broadcasts").need_object()
        for broadcast_id in batch:
            found[broadcast_id] = read_broadcast(broadcasts.at(broadcast_id))
    return found


def _batches(ids: Sequence[BroadcastId]) -> Iterator[Sequence[BroadcastId]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


def read_broadcast(record: Node) -> Broadcast | None:
    """A broadcast, None for null. Its title is called `status`, and nearly all its numbers are text."""
    if record.value is None:
        return None
    record.need_object()
    broadcast_id = record.first("id", "broadcast_id").need_text()
    if not _ID.fullmatch(broadcast_id):
        raise record.at("id").wrong("the id of a broadcast")
    state, state_text = read_state(record.at("state"))
    return Broadcast(
        id=BroadcastId(broadcast_id),
        state=state,
        state_text=state_text,
        title=record.first("status", "title").text() or "",
        broadcaster=_read_broadcaster(record),
        media_key=read_media_key(record.at("media_key"), []),
        created_at=record.at("created_at_ms").instant(),
        updated_at=record.at("updated_at_ms").instant(),
        scheduled_at=record.at("scheduled_start_ms").instant(),
        started_at=record.at("start_ms").instant(),
        ended_at=record.at("end_ms").instant(),
        last_ping_at=record.at("ping_ms").instant(),
        has_replay=record.at("available_for_replay").flag(),
        viewers=record.at("total_watching").count(),
        viewers_total=record.at("total_watched").count(),
        width=record.at("width").count() or None,
        height=record.at("height").count() or None,
        language=record.at("language").some_text(),
        thumbnail_url=record.first("image_url", "image_url_medium", "image_url_small").some_text(),
        raw=record.mapping(),
    )


def _read_broadcaster(record: Node) -> User | None:
    # `user_id` is an id of Periscope, another namespace than `twitter_user_id`.
    user_id = record.at("twitter_user_id").some_text()
    handle = record.first("twitter_username", "username").some_text()
    periscope_id = record.at("user_id").some_text()
    name = record.at("user_display_name").some_text()
    if not (user_id or handle or periscope_id or name):
        return None
    return User(
        id=UserId(user_id or ""),
        handle=handle,
        name=name,
        avatar_url=record.at("profile_image_url").some_text(),
        periscope_id=PeriscopeUserId(periscope_id) if periscope_id else None,
    )


def event_broadcast(session: WebSession, event_id: EventId) -> Question[Ref]:
    """What an event page leads to: its broadcast, or the Space or broadcast of the first post that has one.

    Raises:
        NotFoundError: there is no such event, or nothing to record in it.
    """
    path = f"/1.1/live_event/1/{event_id}/timeline.json"
    root = yield from ask_json(session, EVENT, path, service="api")
    target = read_event(root)
    if target is None:
        raise NotFoundError(
            "the event page leads to no Space and no broadcast",
            endpoint=EVENT,
            advice="Give the link of the Space or broadcast itself.",
        )
    return target


def read_event(root: Node) -> Ref | None:
    """The target in a timeline: posts go before broadcasts, since an event with posts is a list of them."""
    objects = root.at("twitter_objects").need_object()
    for _, post in objects.at("tweets").members():
        target = read_post_target(post)
        if target is not None:
            return target
    for key, broadcast in objects.at("broadcasts").members():
        found = broadcast.first("id", "broadcast_id").some_text() or key
        if _ID.fullmatch(found):
            return BroadcastRef(BroadcastId(found))
    return None
