"""The scripted service of the sister room with Periscope's samples, and sessions for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hydrophone.http.messages import Headers, Reply
from hydrophone.http.reading import Node, node_of
from hydrophone.periscope.session import PeriscopeLogin, PeriscopeSession
from xweb.talk import Clock, Talk, json_reply, text_reply

__all__ = ["SAMPLES", "Clock", "Talk", "anonymous", "answer", "json_reply", "node", "sample", "signed_in", "text_reply"]

SAMPLES = Path(__file__).parent.parent / "samples" / "periscope"


def sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_bytes())


def node(name: str) -> Node:
    return node_of(sample(name), name)


def answer(name: str, status: int = 200) -> Reply:
    kind = "text/html" if name.endswith(".html") else "application/json"
    return Reply(status, Headers([("content-type", kind)]), (SAMPLES / name).read_bytes())


def anonymous(clock: Clock | None = None) -> PeriscopeSession:
    return PeriscopeSession(now=clock or Clock())


def signed_in(clock: Clock | None = None) -> PeriscopeSession:
    return PeriscopeSession(login=PeriscopeLogin(sample("api/loginTwitter.json")["cookie"]), now=clock or Clock())
