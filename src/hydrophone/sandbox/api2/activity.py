"""What happens to the Spaces and broadcasts of an account, as events: told once per subscription, at its moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hydrophone.sandbox.api2.stage import Stage, stage_of
from hydrophone.sandbox.clock import to_us
from hydrophone.sandbox.scene import Kind, Scene, State, invented_number
from hydrophone.sandbox.world import World

#: Event types that may be subscribed to, and whether a user's token is needed.
EVENT_TYPES: Mapping[str, bool] = {
    "spaces.start": False,
    "spaces.end": False,
    "broadcast.start": False,
    "broadcast.end": False,
    "broadcast.chat": True,
    "oauth.revoke": False,
    "profile.update.bio": False,
    "follow.follow": False,
    "post.create": False,
}


@dataclass(frozen=True, slots=True)
class Event:
    """One event of one subscription. `at_us` is scene time."""

    at_us: int
    uuid: str
    type: str
    body: Mapping[str, Any]
    webhook_id: str | None = None


def events_between(world: World, since_us: int, until_us: int) -> list[Event]:
    """What happened after `since_us`, up to and with `until_us`, in order."""
    stage = stage_of(world)
    found = [
        event
        for subscription in stage.subscriptions.values()
        for scene in world.scenes
        if (event := _event(stage, scene, subscription)) is not None and since_us < event.at_us <= until_us
    ]
    return sorted(found, key=lambda event: event.at_us)


def _event(stage: Stage, scene: Scene, subscription: Mapping[str, Any]) -> Event | None:
    family, _, moment = str(subscription["event_type"]).partition(".")
    wanted = "broadcast" if scene.kind is Kind.BROADCAST else "spaces"
    if family != wanted or subscription["filter"].get("user_id") != scene.creator.user_id:
        return None
    at = {"start": scene.started_at, "end": scene.ended_at}.get(moment)
    if at is None:
        return None
    number = invented_number("event", scene.id, subscription["subscription_id"], moment)
    uuid = str(number - (1 << 64) if number >> 63 else number)
    data: dict[str, Any] = {"event_uuid": uuid, "filter": dict(subscription["filter"])}
    data["event_type"] = subscription["event_type"]
    if "tag" in subscription:
        data["tag"] = subscription["tag"]
    data["payload"] = _payload(stage, scene, moment, at)
    return Event(to_us(at), uuid, str(subscription["event_type"]), {"data": data}, subscription.get("webhook_id"))


def _payload(stage: Stage, scene: Scene, moment: str, at: datetime) -> dict[str, Any]:
    account = stage.user(scene.creator.user_id)
    payload: dict[str, Any] = {"user": {"data": _person(account)} if account else {}, "broadcast_id": scene.id}
    if scene.kind is not Kind.BROADCAST:
        return payload | {"event_type": f"spaces_{moment}"}
    numbers = {"event_timestamp_ms": at, "created_timestamp_ms": scene.created_at, "updated_timestamp_ms": at}
    for name, instant in numbers.items():
        payload |= _twins({name: round(instant.timestamp() * 1000)})
    if moment == "end" and scene.started_at is not None:
        payload |= _twins({"duration_ms": round((at - scene.started_at).total_seconds() * 1000)})
    state = State.RUNNING.value if moment == "start" else scene.outcome.value
    return payload | {
        "title": scene.title or "",
        "broadcast_state": state,
        "language": scene.language,
        "thumbnail_url": f"https://thumbs.example/{scene.id}/large.jpg",
        "available_for_replay": scene.has_replay,
    }


def _twins(numbers: Mapping[str, int]) -> dict[str, Any]:
    """Every integer has a twin as text."""
    return {
        key: value for name, number in numbers.items() for key, value in ((name, number), (f"{name}_str", str(number)))
    }


def _person(account: Mapping[str, Any]) -> dict[str, Any]:
    """An account as events show it: empty text is there, keys are those of the legacy dialect."""
    metrics = account["metrics"]
    names = {"posts": "tweet_count"}
    return {
        **{name: account[name] for name in ("id", "name", "username", "created_at", "description", "url")},
        "profile_banner_url": "",
        **{name: account[name] for name in ("protected", "verified", "verified_type", "profile_image_url", "location")},
        "is_identity_verified": False,
        "public_metrics": _twins({names.get(name, name): value for name, value in metrics.items()}),
    }
