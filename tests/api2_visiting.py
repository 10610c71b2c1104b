"""A sandbox whose official API is asked by hand, on the clock and with the facts of the samples' world or of scenes."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp

from hydrophone.sandbox.api2.callers import tokens_of
from hydrophone.sandbox.api2.meter import meter_of
from hydrophone.sandbox.api2.stage import stage_of
from hydrophone.sandbox.api2.switches import turn_switches
from hydrophone.sandbox.clock import SceneClock
from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.server import SandboxServer, build_world
from hydrophone.sandbox.world import World

SAMPLES = Path(__file__).parent / "samples" / "xapi"
STAGE: dict[str, Any] = json.loads((SAMPLES / "world.json").read_text())
NOW = datetime.fromisoformat(STAGE["now"])


@dataclass(frozen=True)
class Said:
    """One answer."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.raw) if self.raw else None
        except ValueError:
            return self.raw.decode("utf-8", "replace")


@dataclass
class Visitor:
    """Asks the API; `tokens` by the names of the samples."""

    world: World
    http: aiohttp.ClientSession
    tokens: dict[str, str]

    @property
    def base(self) -> str:
        return self.world.bases["x"]

    async def ask(
        self,
        target: str,
        *,
        auth: str = "app",
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
        told: Any = None,
    ) -> Said:
        sent = dict(headers or {})
        if auth != "none":
            sent["authorization"] = f"Bearer {self.tokens.get(auth, auth)}"
        if told is not None:
            data, sent["content-type"] = json.dumps(told).encode(), "application/json"
        from yarl import URL

        url = URL(self.base + target, encoded=True)
        async with self.http.request(method, url, headers=sent, data=data, allow_redirects=False) as reply:
            raw = await reply.read()
            names = {name.lower(): value for name, value in reply.headers.items()}
        return Said(reply.status, names, gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)

    def turn(self, **switches: Any) -> None:
        turn_switches(self.world, switches)

    def token(self, user: str, *scopes: str) -> str:
        from hydrophone.sandbox.api2.callers import ALL_SCOPES

        account = stage_of(self.world).user(user) or stage_of(self.world).user_named(user)
        assert account is not None
        return tokens_of(self.world).grant(account["id"], scopes or ALL_SCOPES).access

    @property
    def bill(self) -> Any:
        return meter_of(self.world).bill()


@asynccontextmanager
async def visiting_api(
    *scenes: Scene,
    stage: Mapping[str, Any] | None = None,
    now: datetime = NOW,
    speed: float = 1.0,
    **switches: Any,
) -> AsyncIterator[Visitor]:
    """A running world. Its clock stands still unless `speed` says otherwise by being other than 1."""
    clock = SceneClock(now, speed=speed)
    if speed == 1.0:
        clock.pause()
    world = build_world(World(clock))
    turn_switches(world, switches)
    if stage is not None:
        stage_of(world).load(stage)
        tokens_of(world).adopt()
    for scene in scenes:
        world.load(scene)
    tokens = {name: told["token"] for name, told in (stage or {}).get("tokens", {}).items()}
    tokens.setdefault("app", tokens_of(world).app_bearer)
    async with SandboxServer(world), aiohttp.ClientSession(auto_decompress=False) as http:
        yield Visitor(world, http, tokens)
