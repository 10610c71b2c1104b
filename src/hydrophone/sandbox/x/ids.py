"""Numbers that the service gives out: snowflakes, event ids, t.co codes. They follow from what they belong to."""

from __future__ import annotations

from datetime import datetime

from hydrophone.sandbox.scene import Kind, Scene, invented_number

SNOWFLAKE_EPOCH_MS = 1_288_834_974_657
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def snowflake(instant: datetime, *words: object) -> str:
    """An id that was given out at `instant`."""
    milliseconds = round(instant.timestamp() * 1000) - SNOWFLAKE_EPOCH_MS
    return str(milliseconds << 22 | invented_number("snowflake", *words) & 0x3FFFFF)


def event_id(scene: Scene) -> str:
    """The id of the event page of a scene."""
    return str(scene.extra.get("event_id") or snowflake(scene.created_at, "event", scene.id))


def short_code(link: str) -> str:
    """The t.co code of a link."""
    number = invented_number("t.co", link)
    return "".join(_LETTERS[(number >> 6 * place) % 62] for place in range(10))


def scene_link(scene: Scene) -> str:
    """The public page of a scene."""
    return f"https://x.com/i/{'broadcasts' if scene.kind is Kind.BROADCAST else 'spaces'}/{scene.id}"
