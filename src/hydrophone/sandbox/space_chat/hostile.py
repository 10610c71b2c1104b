"""Messages that no client may stumble over: broken layers, strange types, wild clocks, texts that want to be markup.

They come every half second in a Space whose ``extra.chat`` has ``hostile``. None changes what the people of the scene
said: captions among them have a speaker of their own, whom no record knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydrophone.sandbox.periscope.chat_messages import compact, ntp
from hydrophone.sandbox.scene import Person, Scene, invented_number
from hydrophone.sandbox.space_chat.clock import PositionClock
from hydrophone.sandbox.space_chat.draft import Draft, sender_of_caption

BEGIN, STEP = 2.0, 0.5
STRANGER = "nobody_knows"


def hostile_drafts(scene: Scene, clock: PositionClock) -> list[Draft]:
    """One of each, by time of arrival."""
    stranger = Person.invent(STRANGER, "<b>Nobody</b> & \u202egnp.exe")
    drafts = []
    for number, wire in enumerate(_cases(scene, clock, stranger)):
        drafts.append(
            Draft(
                scene=scene,
                arrives_us=clock.wall_us(BEGIN + number * STEP),
                salt=invented_number("hostile", scene.id, number),
                sender={},
                body={},
                kind=0,
                raw=wire,
            )
        )
    return drafts


def _cases(scene: Scene, clock: PositionClock, stranger: Person) -> list[Mapping[str, Any]]:
    at_us = clock.wall_us(BEGIN)
    ns, sender = at_us * 1000, sender_of_caption(stranger)
    live = ntp(clock.audio_us(BEGIN))

    def payload(body: Any, **more: Any) -> dict[str, Any]:
        told = {"room": scene.id, "body": body, "lang": "", "sender": sender, "timestamp": ns, **more}
        return {"kind": 1, "payload": compact(told)}

    def said(text: str, number: int, **more: Any) -> dict[str, Any]:
        identity = f"00000000-0000-4000-8000-{number:012d}"
        body = {"body": text, "final": True, "ntpForLiveFrame": live, "type": 45, "user_id": stranger.periscope_id}
        return payload(compact(body | {"uuid": identity, "v": 2} | more), uuid=identity)

    control = compact({"kind": 1, "sender": {}, "body": "[]"})
    return [
        {"kind": 1, "payload": "{oops"},
        {"kind": 1, "payload": {"room": scene.id}},
        {"kind": 1, "payload": None},
        {"kind": 7, "payload": "{}"},
        {"kind": 2, "payload": control},
        {"kind": 2, "payload": compact({"kind": 1, "body": compact({"type": 1, "body": "by the side door"})})},
        payload("just words"),
        payload("[1,2]"),
        payload(compact({"type": 99, "v": 2})),
        payload(compact({"type": 46, "v": 2})),
        payload(compact({"type": 40, "guestBroadcastingEvent": 77, "guestSessions": []})),
        payload(compact({"type": 40, "guestBroadcastingEvent": 16, "ntpForLiveFrame": 3_000_000_000})),
        payload(compact({"type": 1, "body": "no sender"}), sender=None),
        payload(compact({"type": 1, "body": "empty sender"}), sender={}),
        payload(compact({"type": 1, "body": "in milliseconds"}), timestamp=at_us // 1000),
        payload("[" * 3000 + "]" * 3000),
        said("<script>alert(1)</script> --> & \u202egnp.exe", 1),
        said("1\n\n2\n00:00:00.000 --> 00:00:09.000\nnot a cue", 2),
        said("bad \\ud83d half", 3),
        said("=HYPERLINK(1)", 4, ntpForLiveFrame=str(live)),
        said("another room", 5, room="1someOtherXYZ"),
    ]
