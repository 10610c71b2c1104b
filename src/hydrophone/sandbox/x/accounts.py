"""Who asks: bearer, cookies and csrf, guest tokens. What the sandbox remembers of accounts and guests.

Source: web endpoint reference, "Authentication".
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote

from hydrophone.sandbox.hosts import service_of_host
from hydrophone.sandbox.scene import Person, invented_number
from hydrophone.sandbox.serving import Answer, Exchange
from hydrophone.sandbox.world import World
from hydrophone.sandbox.x.answers import NAMED, with_headers
from hydrophone.sandbox.x.ids import snowflake

WEB_BEARER = "AAAAAAAAAAAAAAAAAAAAANRILgAAAAAAnNwIzUejRCOuH5E6I8xnZz4puTs=1Zv7ttfk8LF81IUq16cHjhLTvJu4FA33AGWWjCpTnA"
LEGACY_BEARER = (
    "AAAAAAAAAAAAAAAAAAAAAIK1zgAAAAAA2tUWuhGZ2JceoId5GwYWU5GspY4=Uq7gzFoCZs1QfwGoVdvSac3IniczZEYXIcDyumCauIXpcAPorE"
)
#: A garbled copy of the web bearer stands in an early description; programs written from it must work here.
SEED_BEARER_TAIL = "CgYR9Wk5bLLMNhyFz4=sIHxcAabN8Z2cIUpYBUSsYGqNFtEGV1VTJFhD4ij8EV2YikPq3"

OWNER = Person(
    handle="deck_hand",
    name="Deck Hand",
    user_id="1705000000000000005",
    periscope_id="tw-1705000000000000005",
    index=524_288_005,
    session_id="111f1555-d88d-4fa0-8603-b979772c0f8b",
    role="listener",
    avatar_url="https://pbs.twimg.com/profile_images/1705000000000000015/dHand005_normal.jpg",
)

_ACCOUNT_TROUBLE = {
    "revoked": "401_32",
    "invalid": "401_89",
    "expired": "403_empty",
    "locked": "403_326",
    "suspended": "403_64",
    "access_control": "403_access_control",
    "blocked": "403_cloudflare",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody who may ask. `person` is None for a guest; `key` tells budgets apart; `headers` go with the answer."""

    key: str = field(repr=False)
    person: Person | None = None
    is_throttled: bool = False
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def is_guest(self) -> bool:
        return self.person is None


class Accounts:
    """What the service remembers: guest tokens, the ct0 values it gave out, reminders, pinned posts."""

    def __init__(self) -> None:
        self.guest_tokens: dict[str, int] = {}
        self.ct0s: dict[str, deque[str]] = {}
        self.reminders: set[tuple[str, str]] = set()
        self.sharings: dict[str, list[dict[str, Any]]] = {}

    def issue_guest_token(self, world: World) -> str:
        token = snowflake(world.now(), "guest", len(self.guest_tokens))
        self.guest_tokens[token] = world.clock.now_us()
        return token

    def known_ct0s(self, auth_token: str) -> deque[str]:
        """The newest values that still count; requests under way may hold older ones."""
        return self.ct0s.setdefault(auth_token, deque(maxlen=8))

    def issue_ct0(self, auth_token: str) -> str:
        value = secrets.token_hex(80)
        self.known_ct0s(auth_token).append(value)
        return value


def find_caller(world: World, exchange: Exchange, switches: Mapping[str, Any]) -> Caller | Answer:
    """Who asks, or the refusal."""
    if not has_bearer(exchange):
        return NAMED["401_32"]
    auth_token = exchange.cookies.get("auth_token", "")
    if auth_token:
        return _signed_in(world, exchange, switches, auth_token)
    token = exchange.header("x-guest-token")
    return _guest(world, switches, token) if token else NAMED["401_32"]


def has_bearer(exchange: Exchange) -> bool:
    kind, _, value = exchange.header("authorization").partition(" ")
    token = unquote(value.strip())
    return kind.lower() == "bearer" and (
        token in (WEB_BEARER, LEGACY_BEARER) or token.endswith(SEED_BEARER_TAIL) or token == SEED_BEARER_TAIL
    )


def owner(switches: Mapping[str, Any]) -> Person:
    """The account behind the cookies."""
    facts = dict(switches["owner"])
    if not facts:
        return OWNER
    return Person.invent(facts.pop("handle", OWNER.handle), facts.pop("name", ""), role="listener", voice=0, **facts)


def csrf_cookie(exchange: Exchange, value: str) -> tuple[str, str]:
    """The header that hands out a new ct0. On loopback it names no domain, else a browser's jar would drop it."""
    host = exchange.host.split(":")[0]
    if service_of_host(host) is None:
        return ("set-cookie", f"ct0={value}; Max-Age=21600; Path=/; SameSite=Lax")
    domain = ".twitter.com" if host.endswith("twitter.com") else ".x.com"
    expires = format_datetime(datetime.now(UTC) + timedelta(hours=6), usegmt=True)
    rest = f"Max-Age=21600; Expires={expires}; Path=/; Domain={domain}; Secure; SameSite=Lax"
    return ("set-cookie", f"ct0={value}; {rest}")


def _signed_in(world: World, exchange: Exchange, switches: Mapping[str, Any], auth_token: str) -> Caller | Answer:
    accounts = world.room(Accounts)
    refusal = _check_csrf(world, exchange, switches, auth_token, accounts)
    if refusal is not None:
        return refusal
    state = switches["accounts"].get(auth_token, switches["account"])
    if state in _ACCOUNT_TROUBLE:
        return NAMED[_ACCOUNT_TROUBLE[state]]
    headers: tuple[tuple[str, str], ...] = ()
    if switches["csrf"] == "rotate":
        headers = (csrf_cookie(exchange, accounts.issue_ct0(auth_token)),)
    return Caller(
        key=f"account/{invented_number(auth_token)}",
        person=owner(switches),
        is_throttled=state == "throttled",
        headers=headers,
    )


def _check_csrf(
    world: World, exchange: Exchange, switches: Mapping[str, Any], auth_token: str, accounts: Accounts
) -> Answer | None:
    cookie, header = exchange.cookies.get("ct0", ""), exchange.header("x-csrf-token")
    mode = switches["csrf"]
    if mode == "dead":
        return NAMED["403_353"]
    is_equal = bool(cookie) and cookie == header
    known = accounts.known_ct0s(auth_token)
    if mode in ("renew", "rotate"):
        if mode == "rotate" and not known and is_equal:
            known.append(cookie)
        is_equal = is_equal and cookie in known
    if is_equal and mode != "endless":
        return None
    if mode == "without":
        return NAMED["403_353"]
    fresh = csrf_cookie(exchange, accounts.issue_ct0(auth_token))
    return with_headers(NAMED["403_353_with_new_ct0"], fresh)


def _guest(world: World, switches: Mapping[str, Any], token: str) -> Caller | Answer:
    issued_us = world.room(Accounts).guest_tokens.get(token)
    if issued_us is None or switches["guest"] == "refused":
        return NAMED["403_239"]
    if world.clock.now_us() - issued_us > switches["guest_lifetime_seconds"] * 1_000_000:
        return NAMED["403_239"]
    return Caller(key=f"guest/{token}")
