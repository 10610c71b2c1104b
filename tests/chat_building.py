"""Chat messages as the service writes them, three layers deep, made by hand and not by the code under test."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parent / "samples" / "chat"
ROOM = "1hydroPhoneXZ"
ZERO_US = 1_772_564_403_400_000  #: the instant of the first sound of the sample scene
U = 2_208_988_800
_serial = count(1)


def user_id(who: str) -> str:
    """An X id of one's own for each name."""
    return f"17{int.from_bytes(who.encode()[-7:], 'big'):017}"


def load(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text("utf-8"))


def scene_messages() -> list[dict[str, Any]]:
    """The whole history of the sample scene, page after page, doubles at the borders included."""
    return [message for page in (1, 2, 3) for message in load(f"history.page{page}.json")["messages"]]


def ntp64(seconds: float) -> int:
    """The 64-bit NTP time of a position in the scene."""
    us = ZERO_US + round(seconds * 1e6) + U * 10**6
    return -(-(us << 32) // 10**6)


def sent(seconds: float) -> int:
    """Nanoseconds since 1970 of a position in the scene."""
    return (ZERO_US + round(seconds * 1e6)) * 1000


def wrap(body: dict[str, Any] | str, *, at: float | None, uuid: str | None = None, **payload: Any) -> dict[str, Any]:
    """A chat message around a body."""
    inner: dict[str, Any] = {"room": ROOM, "body": body if isinstance(body, str) else dump(body), "lang": ""}
    inner |= {"sender": payload.pop("sender", {"user_id": ""})}
    if at is not None:
        inner["timestamp"] = sent(at)
    if uuid is not None:
        inner["uuid"] = uuid
    return {"kind": 1, "payload": dump({**inner, **payload})}


def caption(
    who: str, text: str, at: float, *, final: bool = False, sent_at: float | None = None, **body: Any
) -> dict[str, Any]:
    """What the service's speech recogniser heard; `at` is where in the audio."""
    uuid = body.pop("uuid", f"caption-{next(_serial)}")
    content = {
        "body": text,
        "displayName": who.title(),
        "final": final,
        "ntpForBroadcasterFrame": ntp64(at),
        "ntpForLiveFrame": ntp64(at),
        "twitter_id": user_id(who),
        "type": 45,
        "user_id": f"1{who}",
        "username": who,
        "uuid": uuid,
        "v": 2,
    }
    sender = {"user_id": f"1{who}", "username": who, "display_name": who.title(), "twitter_id": user_id(who)}
    return wrap({**content, **body}, at=at - 0.2 if sent_at is None else sent_at, uuid=uuid, sender=sender)


def spoken(who: str, words: Iterable[tuple[str, float]], *, final: str, at: float) -> list[dict[str, Any]]:
    """A growing text, each word with the moment at which it was complete, and its finished form."""
    heard: list[str] = []
    messages = []
    for word, moment in words:
        heard.append(word)
        messages.append(caption(who, " ".join(heard), moment))
    return [*messages, caption(who, final, at, final=True)]


def stage(event: int, who: str, at: float, *, by: str = "", **body: Any) -> dict[str, Any]:
    """Something that happened on the stage."""
    uuid = f"stage-{next(_serial)}"
    content: dict[str, Any] = {"guestBroadcastingEvent": event, "type": 40, "uuid": uuid, "ntpForLiveFrame": ntp64(at)}
    if who:
        content |= {"guestRemoteID": f"1{who}", "guestUsername": who}
    actor = by or who
    sender = {"user_id": f"1{actor}", "username": actor, "display_name": actor.title()}
    return wrap({**content, **body}, at=at + 0.43, uuid=uuid, sender=sender)


def join(who: str, *, signature: str = "", leave: bool = False, **sender: Any) -> dict[str, Any]:
    """Somebody comes or goes; such a message has no time of its own."""
    payload = {
        "kind": 2 if leave else 1,
        "sender": {"user_id": f"1{who}", "username": who, "display_name": who.title(), **sender},
        "body": dump({"room": ROOM, "following": False, "unlimited": False}),
    }
    message = {"kind": 2, "payload": dump(payload)}
    return {**message, "signature": signature} if signature else message


def presence(now: int, ever: int) -> dict[str, Any]:
    body = dump({"room": ROOM, "occupancy": now, "total_participants": ever})
    return {"kind": 2, "payload": dump({"kind": 4, "sender": {"user_id": ""}, "body": body})}


def reaction(who: str, emoji: str, at: float) -> dict[str, Any]:
    uuid = f"reaction-{next(_serial)}"
    body = {"body": emoji, "type": 2, "uuid": uuid, "ntpForLiveFrame": ntp64(at)}
    return wrap(body, at=at + 0.2, uuid=uuid, sender={"user_id": f"1{who}", "username": who})


def dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
