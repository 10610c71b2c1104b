"""Every address of the API and who answers there, and the control room's addresses for this side."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from hydrophone.sandbox.api2 import broadcasts, oauth, scheduled, spaces, stream, subscriptions, users, webhooks
from hydrophone.sandbox.api2.callers import ALL_SCOPES, tokens_of
from hydrophone.sandbox.api2.gate import API_VERSION, Endpoint, answer, unknown_path
from hydrophone.sandbox.api2.meter import meter_of
from hydrophone.sandbox.api2.problems import NAMED, Tongue, body_bytes, named_refusal
from hydrophone.sandbox.api2.stage import stage_of
from hydrophone.sandbox.api2.switches import read_switches, turn_switches
from hydrophone.sandbox.fault_effects import EFFECTS, Effect
from hydrophone.sandbox.serving import Answer, Exchange, Route
from hydrophone.sandbox.world import World
from hydrophone.sandbox.x.accounts import OWNER

ENDPOINTS: tuple[Endpoint, ...] = (
    *spaces.ENDPOINTS,
    *users.ENDPOINTS,
    *subscriptions.ENDPOINTS,
    *stream.ENDPOINTS,
    *webhooks.ENDPOINTS,
    *scheduled.ENDPOINTS,
    *broadcasts.ENDPOINTS,
)


def routes(world: World) -> list[Route]:
    """All routes; also makes the fault kind `api2-answer` known, which says a named refusal."""
    EFFECTS.setdefault("api2-answer", Effect(_say_named))
    found = [Route("x", one.method, one.path, partial(answer, world, one)) for one in ENDPOINTS]
    plain: tuple[tuple[str, str, Callable[[World, Exchange], Awaitable[None] | None]], ...] = (
        ("GET", r"/i/oauth2/authorize", oauth.answer_authorize),
        ("POST", r"/2/oauth2/token", oauth.answer_user_token),
        ("POST", r"/2/oauth2/revoke", oauth.answer_revoke),
        ("POST", r"/oauth2/token", oauth.answer_app_token),
        ("POST", r"/oauth2/invalidate_token", oauth.answer_invalidate),
        ("GET", r"/2/openapi\.json", answer_description),
    )
    found += [Route("x", method, path, partial(handler, world)) for method, path, handler in plain]
    found.append(Route("x", "*", r"/2/.*|/(?:i/)?oauth2/.*", unknown_path))
    controls: tuple[tuple[str, str, Callable[[World, Exchange], Any]], ...] = (
        ("GET", r"/api2/switches", show_switches),
        ("POST", r"/api2/switches", turn),
        ("POST", r"/api2/stage", load_stage),
        ("POST", r"/api2/tokens", make_tokens),
        ("GET", r"/api2/tokens", show_tokens),
        ("GET", r"/api2/bill", show_bill),
        ("POST", r"/api2/balance", set_balance),
        ("GET", r"/api2/requests", show_requests),
    )
    found += [Route("control", method, path, _controlled(world, act)) for method, path, act in controls]
    return found


# ---------------------------------------------------------------- the description


def answer_description(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """GET /2/openapi.json: paths, methods and version; no token is needed."""
    mode = read_switches(world)["dialect"]
    paths: dict[str, dict[str, Any]] = {}
    for one in ENDPOINTS:
        path = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", one.path)
        paths.setdefault(path, {})[one.method.lower()] = {
            "operationId": f"{one.method.lower()} {one.name}",
            "responses": {"200": {"description": "The request has succeeded."}},
        }
    version = "2.145" if mode == "legacy" else API_VERSION
    return exchange.reply_json({"openapi": "3.0.0", "info": {"title": "X API v2", "version": version}, "paths": paths})


# ---------------------------------------------------------------- the control room


def _controlled(world: World, act: Callable[[World, Exchange], Any]) -> Callable[[Exchange], Awaitable[None] | None]:
    def handler(exchange: Exchange) -> Awaitable[None] | None:
        try:
            return exchange.reply_json(act(world, exchange))
        except (ValueError, KeyError, TypeError) as problem:
            return exchange.reply_json({"error": str(problem)}, 400)

    return handler


def _mapping(exchange: Exchange) -> Mapping[str, Any]:
    told = exchange.json()
    if not isinstance(told, Mapping):
        raise ValueError("a JSON object is needed")
    return told


def show_switches(world: World, exchange: Exchange) -> Any:
    return {name: list(v) if isinstance(v, tuple) else v for name, v in read_switches(world).items()}


def turn(world: World, exchange: Exchange) -> Any:
    turn_switches(world, _mapping(exchange))
    return show_switches(world, exchange)


def load_stage(world: World, exchange: Exchange) -> Any:
    """Facts in place of the present ones; its tokens in place of all others."""
    stage_of(world).load(_mapping(exchange))
    tokens_of(world).adopt()
    return {"spaces": len(stage_of(world).spaces), "users": len(stage_of(world).users)}


def make_tokens(world: World, exchange: Exchange) -> Any:
    """``{"user": handle or id, "scopes": [...]}``: tokens as if that account had consented."""
    told, stage = _mapping(exchange), stage_of(world)
    who = str(told.get("user", OWNER.user_id))
    account = stage.user(who) or stage.user_named(who)
    if account is None:
        raise ValueError(f"there is no account {who!r}")
    grant = tokens_of(world).grant(account["id"], told.get("scopes", ALL_SCOPES))
    return {
        "access_token": grant.access,
        "refresh_token": grant.refresh,
        "expires_at": grant.expires_at.isoformat(),
        "scopes": list(grant.scopes),
        "user_id": grant.user_id,
    }


def show_tokens(world: World, exchange: Exchange) -> Any:
    """What opens the API of this sandbox."""
    stage = stage_of(world)
    return {"app": tokens_of(world).app_bearer, "client": dict(stage.app), "public_client": dict(stage.public_app)}


def show_bill(world: World, exchange: Exchange) -> Any:
    return meter_of(world).bill()


def set_balance(world: World, exchange: Exchange) -> Any:
    """``{"balance": dollars}``: what is left from now on."""
    meter_of(world).balance = Decimal(str(_mapping(exchange)["balance"]))
    return meter_of(world).bill()


def show_requests(world: World, exchange: Exchange) -> Any:
    return {"requests": meter_of(world).requests}


# ---------------------------------------------------------------- faults


async def _say_named(exchange: Exchange, real: Answer | None, params: Mapping[str, Any]) -> None:
    """`name`: which refusal (see `problems.NAMED`). The rate headers of the real answer stay where they belong."""
    name, mode = str(params.get("name", "")), str(params.get("dialect", "auto"))
    if name not in NAMED:
        exchange.send(Answer(500, (("x-sandbox-problem", "1"),), f"no such answer: {name}".encode()))
        return
    refusal = named_refusal(name, Tongue(mode))
    kept = []
    for key, value in real.headers if real else ():
        if key == "content-type" or key == "content-encoding" or key == "content-disposition":
            continue
        if key.startswith("x-rate-limit-"):
            if not refusal.limited:
                continue
            if key == "x-rate-limit-remaining" and refusal.spent:
                value = "0"
            if key == "x-rate-limit-reset" and params.get("reset") == "past":
                value = str(int(value) - 86_400)
        kept.append((key, value))
    if refusal.content_type:
        kept.insert(0, ("content-type", refusal.content_type))
    exchange.send(Answer(refusal.status, tuple(kept), body_bytes(refusal)))
