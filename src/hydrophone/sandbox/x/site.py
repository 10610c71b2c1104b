"""Every address of the X side and who answers there. `x.com/i/api/…` and `api.x.com/…` answer alike."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from hydrophone.sandbox.fault_effects import EFFECTS, Effect
from hydrophone.sandbox.serving import Answer, Exchange, Route
from hydrophone.sandbox.world import World
from hydrophone.sandbox.x import broadcasts, fleets, graphql, pages, status, thumbnails
from hydrophone.sandbox.x.accounts import Accounts, csrf_cookie, has_bearer
from hydrophone.sandbox.x.answers import NAMED, json_answer, with_headers
from hydrophone.sandbox.x.gate import say
from hydrophone.sandbox.x.limits import spend_activation
from hydrophone.sandbox.x.switches import read_switches, turn_switches

_Handler = Callable[[World, Exchange], Awaitable[None] | None]
_API = r"(?:/i/api)?"
_NAME = r"(?!i/|home$)(?P<handle>[A-Za-z0-9_]{1,15})"


def routes(world: World) -> list[Route]:
    """All routes; also makes the fault kind `answer` known, which says a named refusal."""
    EFFECTS.setdefault("answer", Effect(_say_named))
    table: tuple[tuple[str, str, str, _Handler], ...] = (
        ("x", "*", graphql.PATH, graphql.answer_graphql),
        ("x", "POST", _API + r"/1\.1/guest/activate\.json", answer_activation),
        ("x", "GET", _API + r"/1\.1/live_video_stream/status/(?P<media_key>[^/]+)", status.answer_status),
        ("x", "GET", _API + r"/1\.1/broadcasts/show\.json", broadcasts.answer_broadcasts),
        ("x", "GET", _API + r"/1\.1/live_event/1/(?P<event_id>\d+)/timeline\.json", broadcasts.answer_event),
        ("x", "GET", _API + r"/fleets/v1/avatar_content", fleets.answer_avatar_content),
        ("x", "GET", _API + r"/fleets/v1/fleetline", fleets.answer_fleetline),
        ("x", "GET", r"(?:/i/api/1\.1|/1\.1|/i)/live_video_stream/key", status.answer_key),
        ("x", "GET", r"/1\.1/live_video_stream/geoblocked/.+", status.answer_geoblocked),
        ("x", "GET", r"/(?:home)?", pages.answer_home),
        ("x", "*", r"/x/migrate", pages.answer_migrate),
        ("x", "GET", rf"/{_NAME}/?", pages.answer_profile),
        (
            "x",
            "GET",
            r"/(?:i/(?:spaces|broadcasts|events|web)/.+|safety/.+|[^/]+/status(?:es)?/.+)",
            pages.answer_shell,
        ),
        ("abs", "GET", r"/icons/(?P<name>[\w.-]+)", pages.answer_icon),
        ("abs", "GET", r"/.+\.js", pages.answer_script),
        ("avatar", "GET", r"/profile_(?:images|banners)/.+", pages.answer_picture),
        ("syndication", "GET", r"/tweet-result", pages.answer_syndication),
        ("tco", "GET", r"/(?P<code>\w+)", pages.answer_short_link),
        ("cdn", "GET", thumbnails.PATH, pages.answer_thumbnail),
        ("control", "GET", r"/x/switches", answer_switches),
        ("control", "POST", r"/x/switches", answer_switches),
    )
    return [Route(service, method, path, partial(handler, world)) for service, method, path, handler in table]


def answer_activation(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """POST …/1.1/guest/activate.json: a guest token for anybody with the bearer."""
    switches = read_switches(world)
    if not has_bearer(exchange):
        return say(world, exchange, NAMED["401_32"])
    budget = spend_activation(world, exchange, switches)
    if budget.is_spent or switches["guest"] == "no_activation":
        return say(world, exchange, with_headers(NAMED["429_rest_88"], *budget.headers(switches["limit_reset"])))
    token = world.room(Accounts).issue_guest_token(world)
    return say(world, exchange, json_answer({"guest_token": token}, headers=budget.headers()))


def answer_switches(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """Read or turn the switches; `after_seconds` beside them is scene time from now on."""
    if exchange.method == "POST":
        changes = exchange.json()
        if not isinstance(changes, dict):
            return exchange.reply_json({"error": "a mapping of switches is wanted"}, 400)
        after_seconds = float(changes.pop("after_seconds", 0))
        try:
            turn_switches(world, changes, after_seconds=after_seconds)
        except ValueError as problem:
            return exchange.reply_json({"error": str(problem)}, 400)
    return exchange.reply(200, (("content-type", "application/json"),), json.dumps(read_switches(world), default=list))


async def _say_named(exchange: Exchange, answer: Answer | None, params: Mapping[str, Any]) -> None:
    """`name`: which refusal. The limits that the real answer carried stay with those that would have them."""
    name = str(params.get("name", ""))
    if name not in NAMED:
        exchange.send(Answer(500, (("x-sandbox-problem", "1"),), f"no such answer: {name}".encode()))
        return
    real = {key: value for key, value in (answer.headers if answer else ()) if key.startswith("x-rate-limit-")}
    if name in ("429_absent", "429_errors_is_an_object", "429_html", "403_cloudflare", "503_cloudflare"):
        real = {}
    elif name in ("429_graphql", "429_rest_88") and real:
        real["x-rate-limit-remaining"] = "0"
    named = with_headers(NAMED[name], *real.items())
    if name == "403_353_with_new_ct0":
        named = with_headers(named, csrf_cookie(exchange, secrets.token_hex(80)))
    exchange.send(named)
