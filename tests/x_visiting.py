"""A sandbox with scenes in it, and a visitor who speaks to its X side by hand, header by header."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from hydrophone.sandbox.clock import SceneClock
from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.server import SandboxServer, build_world
from hydrophone.sandbox.world import World
from hydrophone.sandbox.x.accounts import WEB_BEARER
from hydrophone.sandbox.x.operations import BY_NAME

SAMPLES = Path(__file__).parent / "samples" / "xweb"
CT0 = "a" * 160
COOKIES = {"cookie": f"auth_token={'b' * 40}; ct0={CT0}", "x-csrf-token": CT0}
BEARER = {"authorization": f"Bearer {WEB_BEARER}"}


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def shape(value: Any) -> Any:
    """Names and types without values; a list by the shape of its first element."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


@dataclass(frozen=True)
class Said:
    """One answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error_code(self) -> int:
        errors = self.json["errors"]
        return int((errors[0] if isinstance(errors, list) else errors)["code"])


@dataclass
class Visitor:
    world: World
    session: aiohttp.ClientSession
    login: Mapping[str, str] = field(default_factory=lambda: dict(COOKIES))

    async def ask(
        self, path: str, *, method: str = "GET", service: str = "x", body: bytes | None = None, **headers: str
    ) -> Said:
        """One request; header names are written with underscores."""
        made = {name.replace("_", "-"): value for name, value in headers.items()}
        url = self.world.bases[service] + path
        async with self.session.request(method, url, data=body, headers=made, allow_redirects=False) as reply:
            cookies = tuple(reply.headers.getall("set-cookie", ()))
            lower = {name.lower(): value for name, value in reply.headers.items()}
            return Said(reply.status, lower, await reply.read(), cookies)

    async def api(self, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str) -> Said:
        """One request with bearer and login."""
        made = {name.replace("-", "_"): value for name, value in {**BEARER, **self.login}.items()}
        return await self.ask(path, method=method, body=body, **{**made, **headers})

    async def graphql(
        self,
        name: str,
        variables: Mapping[str, Any],
        *,
        query_id: str = "",
        features: Mapping[str, bool] | None = None,
        method: str = "",
        prefix: str = "/i/api/graphql",
        **headers: str,
    ) -> Said:
        """One GraphQL question; without more words, with the first id and just the features that it needs."""
        operation = BY_NAME[name]
        chosen = query_id or next(iter(operation.query_ids))
        given = dict.fromkeys(operation.query_ids.get(chosen, ()), True) if features is None else dict(features)
        path, way = f"{prefix}/{chosen}/{name}", method or operation.method
        if way == "POST":
            document = {"variables": variables, "features": given, "queryId": chosen}
            body = json.dumps(document).encode()
            return await self.api(path, method="POST", body=body, content_type="application/json", **headers)
        query = aiohttp.FormData({"variables": json.dumps(variables), "features": json.dumps(given)})()
        return await self.api(f"{path}?{bytes(query._value).decode()}", **headers)

    async def space(self, space_id: str, **rest: Any) -> Said:
        variables = {"id": space_id, "isMetatagsQuery": False, "withReplays": True, "withListeners": True}
        return await self.graphql("AudioSpaceById", variables, **rest)

    async def become_guest(self) -> str:
        """Drop the login for a fresh guest token."""
        self.login = {}
        said = await self.ask("/1.1/guest/activate.json", method="POST", **BEARER)
        token = str(said.json["guest_token"])
        self.login = {"x-guest-token": token}
        return token

    async def turn(self, **switches: Any) -> None:
        said = await self.ask("/x/switches", method="POST", service="control", body=json.dumps(switches).encode())
        assert said.status == 200, said.body


@asynccontextmanager
async def visiting(*scenes: Scene, speed: float = 1.0, proxy: bool = False) -> AsyncIterator[Visitor]:
    """A sandbox with these scenes, its clock standing still."""
    clock = SceneClock(speed=speed)
    if speed == 1.0:
        clock.pause()
    world = build_world(World(clock))
    for scene in scenes:
        world.load(scene)
    async with SandboxServer(world, proxy=proxy), aiohttp.ClientSession() as session:
        yield Visitor(world, session)


def differences(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Where two shapes part, in words."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        found = [f"{path}.{name} only here" for name in ours.keys() - theirs.keys()]
        found += [f"{path}.{name} only there" for name in theirs.keys() - ours.keys()]
        shared = ours.keys() & theirs.keys()
        return sorted(found) + [
            row for name in shared for row in differences(ours[name], theirs[name], f"{path}.{name}")
        ]
    if isinstance(ours, list) and isinstance(theirs, list):
        if not ours or not theirs:
            return [] if ours == theirs else [f"{path} is empty on one side"]
        return differences(ours[0], theirs[0], f"{path}[]")
    return [] if ours == theirs else [f"{path}: {ours} here, {theirs} there"]
