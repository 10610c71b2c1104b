"""Who asks: tokens of apps and users, what they may, and how long they live."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hydrophone.sandbox.api2.stage import APP_BEARER, stage_of
from hydrophone.sandbox.scene import invented_number
from hydrophone.sandbox.serving import Exchange
from hydrophone.sandbox.world import World
from hydrophone.sandbox.x.accounts import OWNER

ACCESS_SECONDS = 7200
ALL_SCOPES = ("tweet.read", "users.read", "space.read", "offline.access", "broadcast.read", "broadcast.write")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a valid token. `key` tells rate windows apart; a user's is the same for all their tokens."""

    kind: str  #: app | user
    key: str
    user_id: str = ""
    scopes: frozenset[str] = frozenset()


@dataclass(slots=True)
class Grant:
    """What one consent gave. A renewal replaces both tokens; the old refresh token is dead."""

    user_id: str
    client_id: str
    scopes: tuple[str, ...]
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: datetime


class Tokens:
    """All tokens of a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.number = 0
        self.app_bearer = APP_BEARER
        self._grants: list[Grant] = []

    def adopt(self) -> None:
        """Take over the tokens of the stage, in place of all there were."""
        self._grants.clear()
        self.app_bearer = APP_BEARER
        stage = stage_of(self._world)
        for told in stage.tokens.values():
            if told["kind"] == "app":
                self.app_bearer = told["token"]
                continue
            issued_at = datetime.fromisoformat(told["issued_at"])
            self._grants.append(
                Grant(
                    user_id=told["user_id"],
                    client_id=stage.app["client_id"],
                    scopes=tuple(told["scopes"]),
                    access=told["token"],
                    refresh=told.get("refresh_token", ""),
                    expires_at=issued_at + timedelta(seconds=told["expires_in"]),
                )
            )

    def made(self, kind: str) -> str:
        """A new token of the service's shape: `at` access, `rt` refresh, `ac` code."""
        self.number += 1
        number = invented_number("token", kind, self.number) << 64 | invented_number("tail", kind, self.number)
        number = number << 128 | invented_number("body", kind, self.number) << 64 | invented_number("end", self.number)
        letters = []
        for _ in range(45):
            number, rest = divmod(number, len(_LETTERS))
            letters.append(_LETTERS[rest])
        issued = round(self._world.now().timestamp() * 1000)
        raw = f"{''.join(letters)}:{issued}:1:1:{kind}:1"
        return base64.urlsafe_b64encode(raw.encode()).rstrip(b"=").decode()

    def grant(self, user_id: str, scopes: Iterable[str], *, client_id: str = "") -> Grant:
        """Consent: new tokens for a user."""
        wanted = tuple(dict.fromkeys(scopes))
        made = Grant(
            user_id=user_id,
            client_id=client_id or stage_of(self._world).app["client_id"],
            scopes=wanted,
            access=self.made("at"),
            refresh=self.made("rt") if "offline.access" in wanted else "",
            expires_at=self._world.now() + timedelta(seconds=ACCESS_SECONDS),
        )
        self._grants.append(made)
        return made

    def renewed(self, refresh: str, client_id: str) -> Grant | None:
        """New tokens for a refresh token, which is dead from now on."""
        found = next((one for one in self._grants if refresh and one.refresh == refresh), None)
        if found is None or found.client_id != client_id:
            return None
        self._grants.remove(found)
        return self.grant(found.user_id, found.scopes, client_id=client_id)

    def revoke(self, token: str) -> None:
        self._grants = [one for one in self._grants if token not in (one.access, one.refresh)]

    def caller(self, token: str) -> Caller | None:
        """Whose token it is; None for one that is unknown, revoked or expired."""
        if token and token == self.app_bearer:
            return Caller("app", "app")
        found = next((one for one in self._grants if one.access == token), None)
        if found is None or self._world.now() >= found.expires_at:
            return None
        return Caller("user", f"user/{found.user_id}", found.user_id, frozenset(found.scopes))


def tokens_of(world: World) -> Tokens:
    def make() -> Tokens:
        made = Tokens(world)
        made.adopt()
        return made

    return world.room(Tokens, make)


def find_caller(world: World, exchange: Exchange) -> Caller | None:
    """Whoever the Authorization header names."""
    kind, _, value = exchange.header("authorization").partition(" ")
    return tokens_of(world).caller(value.strip()) if kind.lower() == "bearer" else None


def consenting_user(switch: Any) -> str:
    return str(switch) or OWNER.user_id
