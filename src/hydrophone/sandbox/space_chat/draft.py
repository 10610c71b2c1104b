"""A message that is going to be sent: its facts, and how to write them as JSON in JSON in JSON."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hydrophone.sandbox.clock import from_us
from hydrophone.sandbox.periscope.chat_messages import compact, ntp
from hydrophone.sandbox.periscope.words import steady
from hydrophone.sandbox.scene import Person, Scene, invented_number
from hydrophone.sandbox.space_chat.facts import chat_fact

STAMP_LATE_US = 6_200  #: the server's stamp behind the one in the body
NONSENSE = 3_000_000_000  #: what third-party hosts were seen to send
SPELLINGS = ("number", "text", "float", "nonsense", "absent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One message.

    Attributes:
        kind: of the outer layer: 1 chat, 2 control; 0 where `raw` has its own.
        audio_us: the instant in the audio; None where the message bears none.
        body: the innermost fields, without what every message has.
        sender: as it stands in the payload.
        control: the kind of a control message.
        by_browser: its clock is rounded to 2048 units, as a browser's numbers are.
    """

    scene: Scene
    arrives_us: int
    salt: int
    sender: Mapping[str, Any]
    body: Mapping[str, Any]
    kind: int = 1
    audio_us: int | None = None
    control: int = 0
    has_date: bool = False
    by_browser: bool = False
    by_server: bool = False
    raw: Mapping[str, Any] | None = None  #: written just so

    @property
    def identity(self) -> str:
        """The uuid."""
        low = invented_number("uuid", self.scene.id, self.salt)
        return str(uuid.UUID(int=self.salt << 64 | low, version=4))

    def write(self, ns: int) -> dict[str, Any]:
        """What goes over the wire."""
        if self.raw is not None:
            return dict(self.raw)
        signature = steady("3", 39, self.scene.id, self.salt)
        if self.kind == 2:
            inner = compact({"room": self.scene.id, **self.body})
            payload = compact({"kind": self.control, "sender": self.sender, "body": inner})
            return {"kind": 2, "payload": payload, "signature": signature}
        body: dict[str, Any] = {**self.body, **self._clocks(), "uuid": self.identity, "v": 2}
        if self.body["type"] != 40:
            body["timestamp"] = (ns // 1000 - STAMP_LATE_US) // 1000
        told = {
            "room": self.scene.id,
            "body": compact(dict(sorted(body.items()))),
            "lang": "",
            "sender": self.sender,
            "timestamp": ns,
            "uuid": self.identity,
        }
        return {"kind": 1, "payload": compact(told), "signature": signature}

    def _clocks(self) -> dict[str, Any]:
        if self.audio_us is None:
            return {}
        live = broadcaster = ntp(self.audio_us) + 1
        if self.by_browser:
            live = live // 2048 * 2048
            broadcaster = live + 2048 * (1 + self.salt % 9)
        elif self.by_server:
            broadcaster = live - 2131
        spelling = str(chat_fact(self.scene, "ntp"))
        if spelling == "mixed":
            spelling = SPELLINGS[self.salt % len(SPELLINGS)]
        shown: dict[str, Any] = {
            "ntpForBroadcasterFrame": _spelt(broadcaster, spelling),
            "ntpForLiveFrame": _spelt(live, spelling),
            "programDateTime": _date(self.audio_us) if self.has_date and spelling != "nonsense" else None,
        }
        return {name: value for name, value in shown.items() if value is not None}


def _spelt(value: int, spelling: str) -> int | str | float | None:
    spelt: dict[str, int | str | float | None] = {
        "number": value,
        "text": str(value),
        "float": float(value),
        "nonsense": NONSENSE,
        "absent": None,
    }
    return spelt[spelling]


def _date(unix_us: int) -> str:
    """The same instant as text, cut to milliseconds and without closing zeros."""
    at = from_us(unix_us)
    ms = f"{at.microsecond // 1000:03d}".rstrip("0")
    return f"{at:%Y-%m-%dT%H:%M:%S}{'.' if ms else ''}{ms}Z"


def sender_of_caption(person: Person) -> dict[str, Any]:
    return {**_named(person), "participant_index": person.index, "twitter_id": person.user_id}


def sender_of_action(person: Person, *, is_creator: bool) -> dict[str, Any]:
    index = {} if is_creator else {"participant_index": person.index}
    return {**_named(person), **index, "locale": "en", "twitter_id": person.user_id, "lang": ["en"]}


def sender_of_server_event(person: Person) -> dict[str, Any]:
    return {**_named(person), "twitter_id": person.user_id}


def _named(person: Person) -> dict[str, Any]:
    return {
        "user_id": person.periscope_id,
        "username": person.handle,
        "display_name": person.name,
        "profile_image_url": person.avatar_url.replace("_normal", "_reasonably_small"),
    }
