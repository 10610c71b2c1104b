"""What a scene says about the chat of its Space, in the table ``extra.chat``; every key with its resting value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydrophone.sandbox.scene import Kind, Scene

DAY_SECONDS = 86_400.0

#: Keys of ``extra.chat``.
DEFAULTS: Mapping[str, Any] = {
    "young_seconds": 60.0,  #: after the start, the history answers 404 for so long
    "retention_seconds": 30 * DAY_SECONDS,  #: after the end, the history answers 503 from then on
    "room_id": "text",  #: number | absent
    "answer": "full",  #: minimal: address and token alone; of a replay without the second pair
    "repeats": True,  #: the message at a page boundary comes twice
    "ntp": "number",  #: text | float | nonsense | absent | mixed: how the clock of the audio is spelt
    "reaction_seconds": 17.0,  #: between reactions; 0: none
    "hostile": False,  #: broken and strange messages among the others
    "drops": (),  #: scene seconds at which open sockets are cut off
}


def chat_fact(scene: Scene, key: str) -> Any:
    """One of them, or its resting value. Raises ValueError for a key that nobody reads."""
    told: Mapping[str, Any] = scene.extra.get("chat", {})
    unknown = sorted(set(told) - set(DEFAULTS))
    if unknown:
        raise ValueError(f"scene {scene.name!r}: extra.chat has no {', '.join(unknown)}")
    return told.get(key, DEFAULTS[key])


def is_space(scene: Scene) -> bool:
    return scene.kind is not Kind.BROADCAST
