"""Writes chat messages: JSON in JSON in JSON, with the clocks and the senders of Periscope's own kinds."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from hydrophone.sandbox.clock import from_us
from hydrophone.sandbox.periscope.facts import fact
from hydrophone.sandbox.periscope.words import steady
from hydrophone.sandbox.scene import Person, Scene, invented_number
from hydrophone.sandbox.tags import NTP_OFFSET_US

SERVER_LATE_US = 128_046  #: the server's stamp behind the sender's
TEXTS = (
    "hello from the ferry 🌊",
    "how cold is it",
    "say hi to Ribe & <everybody>",
    "what is that sound?",
    "the gull again!",
    "→ louder please",
)
#: Kinds whose bodies carry seconds in place of milliseconds.
IN_SECONDS = frozenset({6, 12, 13, 33, 36, 37})
WITHOUT_UUID = frozenset({36, 37})


class Message(tuple[int, Any]):
    """Nanoseconds of the server, and what goes over the wire."""

    __slots__ = ()

    @property
    def ns(self) -> int:
        return self[0]

    @property
    def wire(self) -> dict[str, Any]:
        wire: dict[str, Any] = self[1]
        return wire


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def ntp(unix_us: int) -> int:
    """32.32 fixed point since 1900: beyond what 63 bits hold."""
    return ((unix_us + NTP_OFFSET_US) << 32) // 1_000_000


def sender_of(person: Person, *, is_creator: bool, is_short: bool = False) -> dict[str, Any]:
    """Who wrote it; the broadcaster has no index."""
    if is_short:
        return {"user_id": person.periscope_id, "participant_index": person.index, "twitter_id": person.user_id}
    sender: dict[str, Any] = {
        "user_id": person.periscope_id,
        "username": person.handle,
        "display_name": person.name,
        "profile_image_url": person.avatar_url.replace("_normal", "_reasonably_small"),
    }
    if not is_creator:
        sender["participant_index"] = person.index
    return sender | {"locale": "en", "twitter_id": person.user_id, "lang": ["en"]}


def chat(scene: Scene, person: Person, at_us: int, body: Mapping[str, Any]) -> Message:
    """A message of kind 1. `body` must have a type; what it has itself wins over what is filled in."""
    kind = int(body["type"])
    is_creator = person.handle == scene.creator.handle
    number = invented_number("message", scene.id, at_us, kind)
    identity = str(uuid.UUID(int=number << 64 | invented_number(number), version=4))
    identity = identity.upper() if number % 2 else identity
    filled: dict[str, Any] = {
        "displayName": person.name,
        "ntpForBroadcasterFrame": ntp(at_us + 10_000),
        "ntpForLiveFrame": ntp(at_us),
        "remoteID": person.periscope_id,
        "timestamp": at_us // 1_000_000 if kind in IN_SECONDS else at_us // 1000,
        "username": person.handle,
        "v": 2,
    }
    filled |= {} if is_creator else {"participant_index": person.index}
    filled |= {} if kind in WITHOUT_UUID else {"uuid": identity}
    whole = dict(sorted((filled | dict(body)).items()))
    ns = (at_us + SERVER_LATE_US) * 1000 + number % 1000
    sender = sender_of(person, is_creator=is_creator, is_short=kind == 2)
    payload: dict[str, Any] = {
        "room": scene.id,
        "body": compact(whole),
        "lang": "en" if kind == 1 else "",
        "sender": {"user_id": "moderator"} if kind == 39 else sender,
        "timestamp": ns,
    }
    if "uuid" in whole:
        payload["uuid"] = whole["uuid"]
    return Message((ns, {"kind": 1, "payload": compact(payload), "signature": steady("3", 39, scene.id, ns)}))


def control(scene: Scene, person: Person | None, at_us: int, kind: int, body: Mapping[str, Any]) -> Message:
    """A message of kind 2: 1 join, 2 leave, 4 presence. Presence comes from nobody and is not signed."""
    is_presence = person is None
    sender = {"user_id": ""} if person is None else sender_of(person, is_creator=False)
    payload = {"kind": kind, "sender": sender, "body": compact({"room": scene.id, **body})}
    wire: dict[str, Any] = {"kind": 2, "payload": compact(payload)}
    ns = (at_us + SERVER_LATE_US) * 1000
    if not is_presence:
        wire["signature"] = steady("3", 39, scene.id, ns)
    return Message((ns, wire))


# ---------------------------------------------------------------- what a scene says


def messages_of(scene: Scene, zero_us: int) -> Iterator[Message]:
    """All messages of a scene in order, without the one that ends it; endless for an endless scene."""
    told = fact(scene, "chat")
    if told == "none":
        return
    if told == "invented":
        yield from _invented(scene, zero_us)
    elif told == "every_kind":
        yield from _every_kind(scene, zero_us)
    else:
        for position, body in told:
            at_us = zero_us + round(float(position) * 1_000_000)
            person = scene.person(str(body.get("username", ""))) or _listeners(scene)[0]
            yield chat(scene, person, at_us, {"type": 1, **body})


def ending(scene: Scene, ended_us: int) -> Message:
    return chat(scene, scene.creator, ended_us, {"type": 5})


def _listeners(scene: Scene) -> tuple[Person, ...]:
    return tuple(p for p in scene.people if p.role == "listener") or scene.people


def _invented(scene: Scene, zero_us: int) -> Iterator[Message]:
    people, step = _listeners(scene), float(fact(scene, "chat_seconds"))
    number, position = 0, 1.2
    while scene.seconds is None or position < scene.seconds:
        person = people[number % len(people)]
        at_us = zero_us + round(position * 1_000_000)
        if number < len(people):
            yield control(scene, person, at_us, 1, {"following": False, "unlimited": False})
            yield chat(scene, person, at_us + 1000, {"type": 3, "body": "joined"})
        elif number % 3 == 2:
            yield chat(scene, person, at_us, {"type": 2})
        else:
            yield chat(scene, person, at_us, {"type": 1, "body": TEXTS[number % len(TEXTS)]})
        number += 1
        position += step


def _every_kind(scene: Scene, zero_us: int) -> Iterator[Message]:
    """One of each kind that Periscope is known for, a payload that is no JSON included."""
    host, guests = scene.creator, _listeners(scene)
    first, second = guests[0], guests[-1]
    gift = {"gift_amount": 33, "gift_style": "sparkle", "gift_tier": 0, "sparkle_id": "gift_id_1"}
    at_us = zero_us + 1_200_000
    joined = {"following": False, "unlimited": False}
    yield control(scene, first, at_us, 1, joined)
    bad = chat(scene, second, at_us + 8_000_000, {"type": 1, "body": "buy my course"})
    blocked = {
        "broadcasterBlockedMessageBody": "buy my course",
        "broadcasterBlockedRemoteID": second.periscope_id,
        "broadcasterBlockedUsername": second.handle,
    }
    verdict = {
        "broadcast_id": scene.id,
        "message_body": "buy my course",
        "message_uuid": json.loads(bad.wire["payload"])["uuid"],
        "report_type": 1,
        "verdict": 3,
    }
    dated = f"{from_us(at_us):%Y-%m-%dT%H:%M:%S}.{at_us // 1000 % 1000:03d}+0000"
    yield chat(scene, first, at_us + 100_000, {"type": 3, "body": "joined", "programDateTime": dated})
    yield chat(scene, second, at_us + 1_000_000, {"type": 1, "body": TEXTS[0]})
    yield chat(scene, first, at_us + 2_000_000, {"type": 2})
    yield control(scene, None, at_us + 3_000_000, 4, {"occupancy": 61, "total_participants": 803})
    yield chat(scene, host, at_us + 4_000_000, {"type": 4, "lat": 55.328, "lng": 8.762, "heading": -1})
    invited = {"type": 6, "body": "*%s* invited followers", "invited_count": 12, "initials": ""}
    yield chat(scene, first, at_us + 6_000_000, invited)
    yield chat(scene, first, at_us + 7_000_000, {"type": 13, "programDateTime": "1970-01-01T09:00:03.402+0900"})
    yield bad
    yield chat(scene, host, at_us + 9_000_000, {"type": 39, **verdict})
    yield chat(scene, first, at_us + 10_000_000, {"type": 16})
    yield chat(scene, second, at_us + 11_000_000, {"type": 37, **gift})
    yield chat(scene, second, at_us + 11_400_000, {"type": 36, **gift})
    yield chat(scene, host, at_us + 12_000_000, {"type": 12, **blocked})
    nowhere = {"ntpForBroadcasterFrame": 0, "ntpForLiveFrame": 0}
    guest = {"guestBroadcastingEvent": 2, "guestChatMessageAPIVersion": 2, "isAudioOnlyEnabled": False}
    yield chat(scene, first, at_us + 13_000_000, {"type": 40, "callInsEnabled": False, **guest, **nowhere})
    yield chat(scene, first, at_us + 14_000_000, {"type": 44})
    rounded = {key: value // 1000 * 1000 for key, value in _clocks(at_us + 15_000_000).items()}
    young = {"room": scene.id, "sender": sender_of(second, is_creator=False), "eggmojiOverride": False}
    yield chat(scene, second, at_us + 15_000_000, {"type": 1, "body": TEXTS[1], **young, **rounded})
    yield chat(scene, host, at_us + 16_000_000, {"type": 9, "timestampPlaybackOffset": 7.402113914489746, **nowhere})
    yield chat(scene, host, at_us + 17_000_000, {"type": 33, "body": f"Follow *{host.name}* to catch the next one."})
    yield control(scene, first, at_us + 18_000_000, 2, {"following": False})
    yield Message(((at_us + 19_000_000) * 1000, {"kind": 2, "payload": "abc"}))


def _clocks(at_us: int) -> dict[str, int]:
    return {"ntpForBroadcasterFrame": ntp(at_us + 10_000), "ntpForLiveFrame": ntp(at_us)}
