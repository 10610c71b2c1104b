"""The cards that lead from a post to a Space, a broadcast, an old Periscope broadcast or an event page.

Source: web endpoint reference, "From a tweet to a Space".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hydrophone.sandbox.scene import Scene, State
from hydrophone.sandbox.x.addresses import Addresses
from hydrophone.sandbox.x.ids import event_id
from hydrophone.sandbox.x.thumbnails import thumbnail_url

CARD_NAMES = {
    "audiospace": "3691233323:audiospace",
    "broadcast": "745291183405076480:broadcast",
    "periscope_broadcast": "3691233323:periscope_broadcast",
    "live_event": "745291183405076480:live_event",
}
_STATES = {
    State.NOT_STARTED: "NOT_STARTED",
    State.PRE_PUBLISHED: "NOT_STARTED",
    State.RUNNING: "LIVE",
    State.ENDED: "ENDED",
    State.TIMED_OUT: "TIMED_OUT",
    State.CANCELED: "ENDED",
}


def bindings(card: str, scene: Scene, card_url: str, addresses: Addresses, now: datetime) -> list[dict[str, Any]]:
    """The `binding_values` of a card, as GraphQL writes them: a list."""
    facts = _FACTS[card](scene, addresses, now)
    values = [_text(key, value) for key, value in facts.items()]
    if card in ("broadcast", "periscope_broadcast"):
        key = "broadcast_thumbnail_original" if card == "broadcast" else "full_size_thumbnail_url"
        url = thumbnail_url(scene, addresses, now, width=0)
        values.append(_image(key, url) if card == "broadcast" else _text(key, url))
    return [*values, _text("card_url", card_url)]


def _audiospace(scene: Scene, addresses: Addresses, now: datetime) -> Mapping[str, str]:
    return {"id": scene.id, "narrow_cast_space_type": "0"}


def _broadcast(scene: Scene, addresses: Addresses, now: datetime) -> Mapping[str, str]:
    creator, largest = scene.creator, max(scene.variants, key=lambda variant: variant.width)
    return {
        "broadcast_url": f"https://x.com/i/broadcasts/{scene.id}",
        "broadcast_id": scene.id,
        "broadcast_title": scene.title or "",
        "broadcast_state": _STATES[scene.state_at(now)],
        "broadcast_source": "Producer",
        "broadcast_media_key": scene.media_key,
        "broadcaster_username": creator.handle,
        "broadcaster_display_name": creator.name,
        "broadcaster_twitter_id": creator.user_id,
        "broadcast_width": str(largest.width),
        "broadcast_height": str(largest.height),
    }


def _periscope_broadcast(scene: Scene, addresses: Addresses, now: datetime) -> Mapping[str, str]:
    return {
        "id": scene.id,
        "url": f"https://www.pscp.tv/{scene.creator.handle}/{scene.id}",
        "title": scene.title or "",
        "broadcast_state": _STATES[scene.state_at(now)],
        "total_participants": str(scene.audience_at(now).listeners),
    }


def _live_event(scene: Scene, addresses: Addresses, now: datetime) -> Mapping[str, str]:
    return {
        "event_id": event_id(scene),
        "event_title": str(scene.extra.get("event_title", scene.title or "")),
    }


_FACTS = {
    "audiospace": _audiospace,
    "broadcast": _broadcast,
    "periscope_broadcast": _periscope_broadcast,
    "live_event": _live_event,
}


def _text(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"string_value": value, "type": "STRING"}}


def _image(key: str, url: str) -> dict[str, Any]:
    return {"key": key, "value": {"image_value": {"url": url, "width": 1280, "height": 720}, "type": "IMAGE"}}
