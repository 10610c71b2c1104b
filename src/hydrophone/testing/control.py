"""The client of the sandbox's control room: plain calls over one HTTP connection each, no event loop needed."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.scenefile import scene_as_json


class ControlRoomError(Exception):
    """The control room said no; the message says why."""


class ControlRoom:
    """Loads scenes, turns the clock, injects faults, reads the ledgers of a running sandbox."""

    def __init__(self, base: str, *, timeout_seconds: float = 30.0) -> None:
        parts = urlsplit(base)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._timeout = timeout_seconds

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One call. Raises ControlRoomError unless the answer is 200."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        try:
            raw = None if body is None else json.dumps(body).encode()
            connection.request(method, path, raw, {"content-type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        value = json.loads(text) if text else None
        if answer.status != 200:
            raise ControlRoomError(f"{method} {path}: {answer.status} {value}")
        return value

    def is_healthy(self) -> bool:
        return bool(self.ask("GET", "/healthz")["ok"])

    def reset(self) -> None:
        """Forget scenes, faults, ledgers, budgets; the clock goes on."""
        self.ask("POST", "/reset", {})

    # ------------------------------------------------------------ scenes and the clock

    def load(
        self, scene: Scene | str | Mapping[str, Any], *, at: str | datetime | None = None, **overrides: Any
    ) -> dict[str, Any]:
        """Load a shipped scene by name, a `Scene`, or a mapping. Returns id, state, media key and stream URLs."""
        told: dict[str, Any] = {"overrides": overrides}
        if isinstance(scene, str):
            told["name"] = scene
        else:
            told["scene"] = scene_as_json(scene) if isinstance(scene, Scene) else dict(scene)
        if at is not None:
            told["at"] = at.isoformat() if isinstance(at, datetime) else at
        loaded: dict[str, Any] = self.ask("POST", "/scenes", told)
        return loaded

    def show(self, scene: str) -> dict[str, Any]:
        """What is known of a loaded scene, by name or id."""
        shown: dict[str, Any] = self.ask("GET", f"/scenes/{quote(scene)}")
        return shown

    def now(self) -> datetime:
        return datetime.fromisoformat(self.ask("GET", "/clock")["now"])

    def advance(self, seconds: float) -> None:
        """Jump forward by scene seconds."""
        self.ask("POST", "/clock", {"advance": seconds})

    def advance_to(self, instant: datetime) -> None:
        self.ask("POST", "/clock", {"to": instant.isoformat()})

    def set_speed(self, speed: float) -> None:
        self.ask("POST", "/clock", {"speed": speed})

    def pause(self) -> None:
        self.ask("POST", "/clock", {"paused": True})

    def resume(self) -> None:
        self.ask("POST", "/clock", {"paused": False})

    def switch(self, *, after_seconds: float = 0.0, **changes: Any) -> dict[str, Any]:
        """Turn switches of the X side (see `hydrophone.sandbox.x.switches`), now or so many scene seconds later.

        Returns all of them as they stand.
        """
        told = {**changes, "after_seconds": after_seconds}
        state: dict[str, Any] = self.ask("POST", "/x/switches", told)
        return state

    def proxy(self) -> tuple[str | None, str]:
        """The URL of the forward proxy, None when there is none, and the certificate (PEM) to trust."""
        shown = self.ask("GET", "/proxy")
        return shown["url"], shown["ca_pem"]

    # ------------------------------------------------------------ faults and ledgers

    def inject(self, fault: Mapping[str, Any] | None = None, **more: Any) -> str:
        """Put a fault in force (see `hydrophone.sandbox.faults`). Returns its id."""
        answer = self.ask("POST", "/faults", {**(fault or {}), **more})
        return str(answer["ids"][0])

    def faults(self) -> list[dict[str, Any]]:
        """The rules in force, with how often each struck."""
        found: list[dict[str, Any]] = self.ask("GET", "/faults")["faults"]
        return found

    def clear_faults(self) -> None:
        self.ask("DELETE", "/faults")

    def remove_fault(self, fault_id: str) -> None:
        self.ask("DELETE", f"/faults/{quote(fault_id)}")

    def ledger(self, space_id: str, *, with_digests: bool = True, variant: str = "") -> dict[str, Any]:
        """What was offered: every segment cut so far, with digests of its frames and when it was listed."""
        query = urlencode({"space": space_id, "digests": int(with_digests), "variant": variant})
        found: dict[str, Any] = self.ask("GET", f"/ledger?{query}")
        return found

    def requests(self, *, service: str = "", since: int = 0, containing: str = "") -> list[dict[str, Any]]:
        """What was asked, in order, with all headers. The control room's own requests are not among them."""
        query = urlencode({"service": service, "since": since, "containing": containing})
        found: list[dict[str, Any]] = self.ask("GET", f"/requests?{query}")["requests"]
        return found
