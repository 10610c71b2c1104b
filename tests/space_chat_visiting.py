"""Raw visits to the chat of a Space: the status call for its token, access, history."""

from __future__ import annotations

import json
from typing import Any

from hydrophone.sandbox.x.accounts import WEB_BEARER
from hydrophone.testing import SandboxBox
from sandbox.periscope_asking import Said, Socket, ask

CT0 = "c" * 32
CLIENT = {"x-periscope-user-agent": "Twitter/m5", "x-attempt": "1", "x-idempotence": "0123456789abcdef0123"}


def chat_token(box: SandboxBox, name: str) -> str:
    """What the status call says to a signed-in account."""
    key = box.control.show(name)["media_key"]
    said = ask(
        f"{box.bases['x']}/i/api/1.1/live_video_stream/status/{key}",
        authorization=f"Bearer {WEB_BEARER}",
        cookie=f"auth_token={'b' * 40}; ct0={CT0}",
        **{"x-csrf-token": CT0},
    )
    assert said.status == 200, said
    return str(said.json["chatToken"])


def access(box: SandboxBox, token: str, **headers: str) -> Said:
    return ask(
        f"{box.bases['proxsee']}/api/v2/accessChatPublic", "POST", {"chat_token": token}, **{**CLIENT, **headers}
    )


def entered(box: SandboxBox, name: str) -> dict[str, Any]:
    """The access answer for a Space."""
    said = access(box, chat_token(box, name))
    assert said.status == 200, said
    granted: dict[str, Any] = said.json
    return granted


def history(granted: dict[str, Any], **body: Any) -> Said:
    told = {"access_token": granted["access_token"], "cursor": "", "limit": 1000, "since": None, "quick_get": True}
    return ask(f"{granted['endpoint']}/chatapi/v1/history", "POST", told | body)


def open_socket(granted: dict[str, Any], *, token: str = "", room: str = "") -> Socket:
    """A socket with its two opening frames sent."""
    socket = Socket(f"{granted['endpoint']}/chatapi/v1/chatnow", Origin="https://x.com")
    if socket.status == 101:
        auth = json.dumps({"access_token": token or granted["access_token"]})
        socket.send(json.dumps({"payload": auth, "kind": 3}))
        join = json.dumps({"body": json.dumps({"room": room or str(granted["room_id"])}), "kind": 1})
        socket.send(json.dumps({"payload": join, "kind": 2}))
    return socket


def body_of(message: Any) -> Any:
    return json.loads(json.loads(message["payload"])["body"])
