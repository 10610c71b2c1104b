"""The channels service: groups of broadcasts by topic, for those who traded a service token."""

from __future__ import annotations

from typing import Any

from hydrophone.sandbox.periscope.answers import NAMED, said
from hydrophone.sandbox.periscope.asking import Asked
from hydrophone.sandbox.periscope.facts import broadcasts, fact
from hydrophone.sandbox.periscope.records import state_of
from hydrophone.sandbox.periscope.words import NOT_SET, instant_text
from hydrophone.sandbox.scene import Scene, invented_number
from hydrophone.sandbox.serving import Answer
from hydrophone.sandbox.x.tokens import is_ours


def _is_welcome(asked: Asked) -> bool:
    token = asked.exchange.header("authorization")
    return token.count(".") == 2 and is_ours(token)


def _channels(asked: Asked) -> dict[str, list[Scene]]:
    found: dict[str, list[Scene]] = {}
    for scene in broadcasts(asked.world):
        if fact(scene, "channel"):
            found.setdefault(str(fact(scene, "channel")), []).append(scene)
    return found


def channel_id(slug: str) -> str:
    """An unsigned number of 64 bits, beyond what 63 hold, as text."""
    return str(invented_number("channel", slug) | 1 << 63)


def _channel(asked: Asked, slug: str, scenes: list[Scene]) -> dict[str, Any]:
    live, replay = _counts(asked, scenes)
    return {
        "CID": channel_id(slug),
        "Name": slug.replace("-", " ").capitalize(),
        "Description": f"#{slug.replace('-', '')} from everywhere",
        "UniversalLocales": None,
        "NLive": live,
        "NReplay": replay,
        "Featured": False,
        "PublicTag": f"#{slug.replace('-', '')}",
        "Slug": slug,
        "ThumbnailURLs": None,
        "CreatedAt": NOT_SET,
        "LastActivity": instant_text(asked.world.now(), slug),
        "Type": 0,
        "OwnerId": "",
        "NMember": 0,
    }


def _counts(asked: Asked, scenes: list[Scene]) -> tuple[int, int]:
    live = sum(state_of(asked, scene) == "RUNNING" for scene in scenes)
    return live, len(scenes) - live


def _listed(scenes: list[Scene]) -> list[dict[str, Any]]:
    return [{"BID": scene.id, "Featured": False} for scene in scenes]


def answer_top(asked: Asked) -> Answer:
    """GET /v1/top/channels/broadcasts."""
    if not _is_welcome(asked):
        return NAMED["401"]
    rows = [
        {"Channel": _channel(asked, slug, scenes), "Broadcasts": _listed(scenes)}
        for slug, scenes in _channels(asked).items()
    ]
    return said({"ChannelBroadcasts": rows})


def answer_all(asked: Asked) -> Answer:
    """GET /v1/channels, and those of a user."""
    if not _is_welcome(asked):
        return NAMED["401"]
    return said({"Channels": [_channel(asked, slug, scenes) for slug, scenes in _channels(asked).items()]})


def answer_one(asked: Asked) -> Answer:
    """GET /v1/channels/<CID>/broadcasts."""
    if not _is_welcome(asked):
        return NAMED["401"]
    wanted = asked.exchange.group("cid")
    for slug, scenes in _channels(asked).items():
        if channel_id(slug) == wanted:
            live, replay = _counts(asked, scenes)
            return said({"Broadcasts": _listed(scenes), "NLive": live, "NReplay": replay})
    return NAMED["404"]


def answer_nothing(asked: Asked) -> Answer:
    """Members and invitations: there are none."""
    return said({"Members": [], "PendingInvites": []}) if _is_welcome(asked) else NAMED["401"]
