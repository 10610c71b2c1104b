"""The token endpoints and the page of consent: app tokens, authorization code with PKCE, renewal, revocation."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from hydrophone.sandbox.api2.callers import ALL_SCOPES, Grant, consenting_user, tokens_of
from hydrophone.sandbox.api2.stage import stage_of
from hydrophone.sandbox.api2.switches import read_switches
from hydrophone.sandbox.serving import Exchange
from hydrophone.sandbox.world import World

CODE_SECONDS = 30.0
_GRANTS = "Grant type should be one of [authorization_code, refresh_token]."
_NO_STORE = (("content-type", "application/json; charset=utf-8"), ("cache-control", "no-store"))


@dataclass(frozen=True, slots=True)
class Code:
    """One consent that has not been exchanged yet."""

    client_id: str
    redirect_uri: str
    challenge: str
    method: str
    scopes: tuple[str, ...]
    user_id: str
    at_us: int


class Codes:
    """Codes that were given out; each works once."""

    def __init__(self) -> None:
        self.open: dict[str, Code] = {}
        self.spent: set[str] = set()


def answer_authorize(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """The page where a user consents; here nobody has to press anything."""
    asked, switches, stage = exchange.params, read_switches(world), stage_of(world)
    apps = (stage.app, stage.public_app)
    app = next((one for one in apps if one["client_id"] == asked.get("client_id")), None)
    if app is None or asked.get("redirect_uri") not in _redirects(app) or asked.get("response_type") != "code":
        return exchange.reply(
            400, {"content-type": "text/html"}, "<p>Something went wrong. You weren't able to give access"
        )
    state = asked.get("state", "")
    if len(state) > 500 or not asked.get("code_challenge"):
        return exchange.reply(400, {"content-type": "text/html"}, "<p>Something went wrong.")
    back: dict[str, str] = {"state": state}
    if switches["consent"] == "denied":
        back = {"error": "access_denied", "state": state}
    else:
        scopes = tuple(one for one in asked.get("scope", "").split() if one in ALL_SCOPES)
        limited = tuple(switches["granted_scopes"])
        method = asked.get("code_challenge_method", "plain")
        granted = tuple(one for one in scopes if not limited or one in limited)
        user = consenting_user(switches["consent_user"])
        code = tokens_of(world).made("ac")
        made = Code(
            app["client_id"],
            asked["redirect_uri"],
            asked["code_challenge"],
            method,
            granted,
            user,
            world.clock.now_us(),
        )
        world.room(Codes).open[code] = made
        back["code"] = code
    return exchange.reply(302, {"location": f"{asked['redirect_uri']}?{urlencode(back)}"})


def _redirects(app: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(app["redirect_uri"].split())


def answer_user_token(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """POST /2/oauth2/token."""
    form = _form(exchange)
    problem = _client_problem(world, exchange, form)
    if problem is not None:
        return _bad(exchange, *problem)
    kind = form.get("grant_type")
    tokens = tokens_of(world)
    if kind == "refresh_token":
        grant = tokens.renewed(form.get("refresh_token", ""), form["client_id"])
        return _granted(exchange, grant) if grant else _bad(exchange, "Value passed for the token was invalid.")
    if kind != "authorization_code":
        return _bad(exchange, f"Value passed for the grant type was invalid. {_GRANTS}")
    code = _take_code(world, form)
    if code is None:
        return _bad(exchange, "Value passed for the authorization code was invalid.")
    return _granted(exchange, tokens.grant(code.user_id, code.scopes, client_id=code.client_id))


def _take_code(world: World, form: Mapping[str, str]) -> Code | None:
    """The consent that a code stands for, if everything about it fits."""
    room, value = world.room(Codes), form.get("code", "")
    found = room.open.pop(value, None) or _staged_code(world, room, value, form)
    if found is None or found.client_id != form["client_id"] or found.redirect_uri != form.get("redirect_uri"):
        return None
    if world.clock.now_us() - found.at_us > CODE_SECONDS * 1_000_000:
        return None
    verifier = form.get("code_verifier", "")
    if found.method.lower() == "s256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return found if hmac.compare_digest(verifier.encode(), found.challenge.encode()) else None


def _staged_code(world: World, room: Codes, value: str, form: Mapping[str, str]) -> Code | None:
    stage = stage_of(world)
    if not value or stage.pkce.get("code") != value or value in room.spent:
        return None
    room.spent.add(value)
    user = next((one["user_id"] for one in stage.tokens.values() if one["kind"] == "user"), "")
    limited = tuple(read_switches(world)["granted_scopes"])
    scopes = tuple(one for one in ALL_SCOPES[:4] if not limited or one in limited)
    return Code(
        form["client_id"],
        stage.app["redirect_uri"],
        stage.pkce["code_challenge"],
        stage.pkce["code_challenge_method"],
        scopes,
        user,
        world.clock.now_us(),
    )


def answer_revoke(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """POST /2/oauth2/revoke."""
    form = _form(exchange)
    problem = _client_problem(world, exchange, form)
    if problem is not None:
        return _bad(exchange, *problem)
    if not form.get("token"):
        return _bad(exchange, "Missing required parameter [token].")
    tokens_of(world).revoke(form["token"])
    return exchange.reply_json({"revoked": True}, 200, _NO_STORE)


def answer_app_token(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """POST /oauth2/token."""
    if not _is_app(world, exchange) or _form(exchange).get("grant_type") != "client_credentials":
        return _not_verified(exchange)
    body = {"token_type": "bearer", "access_token": tokens_of(world).app_bearer}
    return exchange.reply_json(body, 200, _NO_STORE)


def answer_invalidate(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """POST /oauth2/invalidate_token: the next request for a token yields another."""
    tokens, told = tokens_of(world), _form(exchange).get("access_token", "")
    if not _is_app(world, exchange) or unquote(told) != unquote(tokens.app_bearer):
        return _not_verified(exchange)
    dead = tokens.app_bearer
    tokens.app_bearer = "A" * 22 + tokens.made("at").replace("-", "").replace("_", "") + "%3D"
    return exchange.reply_json({"access_token": dead}, 200, _NO_STORE)


def _is_app(world: World, exchange: Exchange) -> bool:
    app = stage_of(world).app
    return tuple(map(unquote, _basic(exchange))) == (app["consumer_key"], app["consumer_secret"])


def _not_verified(exchange: Exchange) -> Awaitable[None] | None:
    told = {"code": 99, "label": "authenticity_token_error", "message": "Unable to verify your credentials"}
    return exchange.reply_json({"errors": [told]}, 403, _NO_STORE)


def _client_problem(world: World, exchange: Exchange, form: Mapping[str, str]) -> tuple[str, str, int] | None:
    """None when the app is known and has shown what it must; else what to say."""
    stage, client_id = stage_of(world), form.get("client_id")
    if not client_id:
        return "Missing required parameter [client_id].", "invalid_request", 400
    if client_id == stage.public_app["client_id"]:
        return None
    if client_id != stage.app["client_id"]:
        return "Value passed for the client id was invalid.", "invalid_client", 401
    if _basic(exchange) != (client_id, stage.app["client_secret"]):
        return "Missing valid authorization header", "unauthorized_client", 401
    return None


def _bad(exchange: Exchange, why: str, error: str = "invalid_request", status: int = 400) -> Awaitable[None] | None:
    return exchange.reply_json({"error": error, "error_description": why}, status, _NO_STORE)


def _granted(exchange: Exchange, grant: Grant) -> Awaitable[None] | None:
    body: dict[str, Any] = {
        "token_type": "bearer",
        "expires_in": 7200,
        "access_token": grant.access,
        "scope": " ".join(reversed(grant.scopes)),
    }
    if grant.refresh:
        body["refresh_token"] = grant.refresh
    return exchange.reply_json(body, 200, _NO_STORE)


def _form(exchange: Exchange) -> dict[str, str]:
    return dict(parse_qsl(exchange.body.decode("utf-8", "replace"), keep_blank_values=True))


def _basic(exchange: Exchange) -> tuple[str, str]:
    kind, _, value = exchange.header("authorization").partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return name, secret
