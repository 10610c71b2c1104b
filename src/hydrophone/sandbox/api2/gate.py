"""The way that every request takes: token, enrolment, kind of token, parameters, credits, rate, scope; then the answer.

An endpoint has two halves. `prepare` reads the parameters, so that all complaints come together before any money or
rate is looked at; what it returns is called when everything else has been checked.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

from hydrophone.sandbox.api2.callers import Caller, find_caller
from hydrophone.sandbox.api2.meter import Meter, meter_of
from hydrophone.sandbox.api2.objects import Object
from hydrophone.sandbox.api2.parameters import Asking
from hydrophone.sandbox.api2.problems import (
    APP_ONLY,
    JSON_TYPE,
    USER_CONTEXT,
    Refusal,
    Tongue,
    body_bytes,
)
from hydrophone.sandbox.api2.stage import Stage, stage_of
from hydrophone.sandbox.api2.switches import read_switches
from hydrophone.sandbox.api2.windows import Budget, spend
from hydrophone.sandbox.scene import invented_number
from hydrophone.sandbox.serving import Exchange
from hydrophone.sandbox.world import World

SPACES_SCOPES = ("space.read", "tweet.read", "users.read")
API_VERSION = "2.168"
MOST_REQUESTS = 200_000


@dataclass(frozen=True, slots=True)
class Created:
    """A body that is answered with 201."""

    body: Object


@dataclass(frozen=True, slots=True)
class TakenOver:
    """The endpoint writes its answer itself, after this head."""

    write: Callable[[tuple[tuple[str, str], ...]], Awaitable[None]]


Said = Object | Refusal | Created | TakenOver
Answering = Callable[[], Said | Awaitable[Said]]


@dataclass(slots=True)
class Visit:
    """One request with everything that must be known to answer it."""

    world: World
    exchange: Exchange
    switches: Mapping[str, Any]
    tongue: Tongue
    caller: Caller
    asking: Asking
    stage: Stage
    now: datetime

    @property
    def body(self) -> Mapping[str, Any]:
        told = self.exchange.json()
        return told if isinstance(told, Mapping) else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One address. `name` is its rate window, `charges` the kind that `data` is charged as."""

    name: str
    method: str
    path: str
    prepare: Callable[[Visit], Answering]
    takes: str = "either"  #: app | user
    scopes: tuple[str, ...] = SPACES_SCOPES
    charges: str = ""
    is_free: bool = False


def answer(world: World, endpoint: Endpoint, exchange: Exchange) -> Awaitable[None] | None:
    """Serve one request of an endpoint."""
    switches = read_switches(world)
    tongue = Tongue(str(switches["dialect"]), codes=switches["error_shape"] == "codes")
    caller = find_caller(world, exchange)
    if caller is None:
        return refuse(world, exchange, tongue.unauthorized(), None, switches, endpoint=endpoint.name)
    budget = spend(world, endpoint.name, caller, switches)
    asking = Asking.read(exchange.query, switches)
    visit = Visit(world, exchange, switches, tongue, caller, asking, stage_of(world), world.now())
    said = _checked(visit, endpoint, budget)
    if isinstance(said, Awaitable):
        return _later(visit, endpoint, budget, said)
    return _say(visit, endpoint, budget, said)


async def _later(visit: Visit, endpoint: Endpoint, budget: Budget, said: Awaitable[Said]) -> None:
    pending = _say(visit, endpoint, budget, await said)
    if pending is not None:
        await pending


def _checked(visit: Visit, endpoint: Endpoint, budget: Budget) -> Said | Awaitable[Said]:
    """Every check in the order of the service, then the answer."""
    tongue, caller, switches = visit.tongue, visit.caller, visit.switches
    if switches["app"] == "not-enrolled":
        return tongue.not_enrolled()
    if endpoint.takes == "user" and caller.kind == "app":
        return tongue.wrong_kind(APP_ONLY, USER_CONTEXT)
    if endpoint.takes == "app" and caller.kind == "user":
        return tongue.wrong_kind(USER_CONTEXT, APP_ONLY)
    finish = endpoint.prepare(visit)
    if visit.asking.complaints:
        return tongue.invalid(visit.asking.sorted_complaints)
    if not endpoint.is_free and meter_of(visit.world).balance <= 0:
        return tongue.no_credits()
    if switches["usage_capped"] and endpoint.charges == "post":
        return tongue.usage_capped()
    if budget.is_spent or budget.is_hasty:
        return tongue.too_many(spent=budget.is_spent)
    if caller.kind == "user" and not set(endpoint.scopes) <= caller.scopes:
        return tongue.forbidden()
    return finish()


def _say(visit: Visit, endpoint: Endpoint, budget: Budget, said: Said) -> Awaitable[None] | None:
    if isinstance(said, Refusal):
        return refuse(visit.world, visit.exchange, said, budget, visit.switches, visit.caller, endpoint.name)
    head = _head(visit.world, visit.exchange, budget.headers())
    if isinstance(said, TakenOver):
        note(visit.world, visit.exchange, endpoint.name, visit.caller, 200, Decimal(0))
        return said.write(tuple(head))
    status, body = (201, said.body) if isinstance(said, Created) else (200, said)
    cost = meter_of(visit.world).charge_answer(body, endpoint.charges, visit.now)
    note(visit.world, visit.exchange, endpoint.name, visit.caller, status, cost)
    if visit.switches["empty_errors"] and "data" in body:
        body = {**body, "errors": []}
    head = [("content-type", JSON_TYPE), ("content-disposition", "attachment; filename=json.json"), *head]
    raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return send(visit.exchange, status, head, raw)


def refuse(
    world: World,
    exchange: Exchange,
    refusal: Refusal,
    budget: Budget | None,
    switches: Mapping[str, Any],
    caller: Caller | None = None,
    endpoint: str = "",
) -> Awaitable[None] | None:
    """Say no."""
    note(world, exchange, endpoint, caller, refusal.status, Decimal(0))
    rates: list[tuple[str, str]] = []
    mode = switches["limit_headers"] if refusal.status == 429 else "right"
    if budget is not None and refusal.limited and mode != "absent":
        rates = budget.headers(reset_shift=-86_400 if mode == "past" else 0, spent=refusal.spent)
    head = _head(world, exchange, rates)
    if refusal.status == 401:
        head = [pair for pair in head if pair[0] not in ("x-access-level", "api-version")]
    if refusal.content_type:
        head.insert(0, ("content-type", refusal.content_type))
    return send(exchange, refusal.status, head, body_bytes(refusal))


def _head(world: World, exchange: Exchange, rates: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers that every answer has. The date ends in UTC, and there are cookies that nobody should return."""
    now = world.now()
    number = invented_number("transaction", exchange.target, world.clock.now_us())
    return [
        ("date", format_datetime(now, usegmt=True).replace("GMT", "UTC")),
        ("api-version", API_VERSION),
        ("cache-control", "no-cache, no-store, max-age=0"),
        ("x-access-level", "read"),
        *rates,
        ("x-response-time", str(90 + number % 300)),
        ("x-transaction-id", f"{number:016x}"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "SAMEORIGIN"),
        ("x-xss-protection", "0"),
        ("strict-transport-security", "max-age=631138519"),
        ("set-cookie", f"guest_id=v1%3A{number % 10**18}; Max-Age=34214400; Path=/"),
        ("set-cookie", f'personalization_id="v1_{number:x}=="; Max-Age=34214400; Path=/'),
    ]


def send(exchange: Exchange, status: int, head: list[tuple[str, str]], raw: bytes) -> Awaitable[None] | None:
    """Put it on the wire, compressed for those who take that."""
    if raw and "gzip" in exchange.header("accept-encoding"):
        raw = gzip.compress(raw, compresslevel=1, mtime=0)
        head = [*head, ("content-encoding", "gzip")]
    return exchange.reply(status, head, raw)


def note(world: World, exchange: Exchange, endpoint: str, caller: Caller | None, status: int, cost: Decimal) -> None:
    """A line of the ledger."""
    meter: Meter = meter_of(world)
    if len(meter.requests) >= MOST_REQUESTS:
        return
    meter.requests.append(
        {
            "at": world.now().isoformat(),
            "endpoint": endpoint,
            "method": exchange.method,
            "path": exchange.path,
            "caller": caller.key if caller else "",
            "status": status,
            "cost": str(cost),
        }
    )


def unknown_path(exchange: Exchange) -> Awaitable[None] | None:
    """An empty 404 without content type."""
    return exchange.reply(404)
