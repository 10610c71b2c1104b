"""The way of every API request: agent, transaction id, caller, budget; then its work; then its headers."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Any

from hydrophone.sandbox.serving import Answer, Exchange
from hydrophone.sandbox.world import World
from hydrophone.sandbox.x.accounts import Caller, find_caller
from hydrophone.sandbox.x.addresses import Addresses
from hydrophone.sandbox.x.answers import NAMED, with_headers
from hydrophone.sandbox.x.discovery import page_signer
from hydrophone.sandbox.x.limits import spend, too_many
from hydrophone.sandbox.x.switches import read_switches


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request that came through: who asks, in which world, under which switches."""

    world: World
    exchange: Exchange = field(repr=False)
    caller: Caller
    switches: Mapping[str, Any] = field(repr=False)
    addresses: Addresses


Work = Callable[[Asked], Answer]


def answer_api(
    world: World, exchange: Exchange, endpoint: str, work: Work, *, for_guests: bool, is_graphql: bool = False
) -> Awaitable[None] | None:
    """Answer one API request: `work` is only asked when nothing stands in its way."""
    switches = read_switches(world)
    refusal = _turned_away(world, exchange, endpoint, switches)
    if refusal is not None:
        return say(world, exchange, refusal)
    caller = find_caller(world, exchange, switches)
    if isinstance(caller, Answer):
        return say(world, exchange, caller)
    if caller.is_guest and not for_guests:
        return say(world, exchange, NAMED["403_220"])
    budget = spend(world, endpoint, caller, switches)
    limit_headers = budget.headers(switches["limit_reset"]) if switches["limit_headers"] else ()
    if budget.is_spent:
        answer = too_many(is_graphql, switches["limit_form"])
    elif caller.is_throttled:
        answer = NAMED["429_88_with_budget_left"]
    else:
        answer = work(
            Asked(
                world=world,
                exchange=exchange,
                caller=caller,
                switches=switches,
                addresses=addresses_for(world, exchange),
            )
        )
    more = limit_headers if answer.status != 200 else (*limit_headers, *caller.headers)
    return say(world, exchange, with_headers(answer, *more))


def say(world: World, exchange: Exchange, answer: Answer) -> Awaitable[None] | None:
    """Put an answer on its way, dated in scene time."""
    dated = with_headers(answer, ("date", format_datetime(world.now(), usegmt=True)))
    return exchange.reply(dated.status, dated.headers, dated.body)


def addresses_for(world: World, exchange: Exchange) -> Addresses:
    """Real addresses for those who came under a real name, else ours on loopback."""
    if exchange.via_proxy or world.service_of_host(exchange.host) is not None:
        return Addresses()
    return Addresses(world.bases)


def _turned_away(world: World, exchange: Exchange, endpoint: str, switches: Mapping[str, Any]) -> Answer | None:
    if switches["needs_browser"] and "Mozilla" not in exchange.header("user-agent"):
        return NAMED["403_cloudflare"]
    demand = str(switches["transaction_ids"])
    named = switches["transaction_for"]
    if demand == "off" or (named and endpoint not in named):
        return None
    signer = page_signer(int(switches["page_generation"]))
    path = exchange.target.partition("?")[0]
    nows = (time.time(), world.clock.now_us() / 1_000_000)
    if signer.accepts(exchange.header("x-client-transaction-id"), exchange.method, path, nows=nows):
        return None
    return NAMED["401_empty" if demand == "401" else "404_empty"]
