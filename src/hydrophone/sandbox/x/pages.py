"""What a browser would get: the home page, the detour over the migration form, profiles, short links, keyless posts.

Source: web endpoint reference, "Discovering a query id", "URLs", "From a tweet to a Space" and "Users".
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Awaitable
from urllib.parse import parse_qsl, quote

from hydrophone.sandbox.scene import Kind, State
from hydrophone.sandbox.serving import Answer, Exchange
from hydrophone.sandbox.world import World
from hydrophone.sandbox.x.answers import NAMED, empty_answer, html_answer, json_answer
from hydrophone.sandbox.x.discovery import MIGRATE_DATA, MIGRATE_TOKEN, home_page, migrate_form, redirect_page, script
from hydrophone.sandbox.x.gate import addresses_for, say
from hydrophone.sandbox.x.pictures import avatar, thumbnail
from hydrophone.sandbox.x.posts import find_link, find_post, flat_post
from hydrophone.sandbox.x.switches import read_switches
from hydrophone.sandbox.x.thumbnails import thumbnail_answer

_UNSAFE = "https://twitter.com/safety/unsafe_link_warning?unsafe_link="
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def answer_home(world: World, exchange: Exchange) -> Awaitable[None] | None:
    switches, addresses = read_switches(world), addresses_for(world, exchange)
    if switches["needs_browser"] and "Mozilla" not in exchange.header("user-agent"):
        return say(world, exchange, NAMED["403_cloudflare"])
    if switches["home_redirect"] != "no":
        return say(world, exchange, html_answer(redirect_page(addresses)))
    return say(world, exchange, html_answer(_home(world, exchange)))


def answer_migrate(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """The second step of the detour: the page itself, or a form that must be sent first."""
    if exchange.method == "POST":
        fields = dict(parse_qsl(exchange.body.decode("latin-1")))
        is_right = fields.get("tok") == MIGRATE_TOKEN and fields.get("data") == MIGRATE_DATA
        return say(world, exchange, html_answer(_home(world, exchange)) if is_right else empty_answer(400))
    if exchange.params.get("tok") != MIGRATE_TOKEN:
        return say(world, exchange, empty_answer(400))
    is_form = read_switches(world)["home_redirect"] == "form"
    return say(world, exchange, html_answer(migrate_form() if is_form else _home(world, exchange)))


def answer_profile(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """A profile page. It betrays a running Space to anybody, as object literals in a script."""
    person = world.person(handle=exchange.group("handle"))
    if person is None:
        return say(world, exchange, html_answer("<!doctype html><html><body>Nothing to see here</body></html>", 404))
    now = world.now()
    live = "".join(
        f'audio_space_by_rest_id:$R[{number}]={{rest_id:"{scene.id}",metadata:$R[{number + 1}]={{state:"Running"}},'
        f'rest_id:"{scene.id}"}},'
        for number, scene in enumerate(world.scenes_of(person.user_id))
        if scene.state_at(now) is State.RUNNING and scene.kind is not Kind.BROADCAST
    )
    page = (
        f"<!doctype html><html><head><title>{html.escape(person.name)} (@{person.handle}) / X</title></head>"
        f"<body><script>$R[0]={{{live}}}</script></body></html>"
    )
    return say(world, exchange, html_answer(page))


def answer_shell(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """Any other page: the same empty shell that the service sends before its scripts run."""
    return say(world, exchange, html_answer(_home(world, exchange)))


def answer_script(world: World, exchange: Exchange) -> Awaitable[None] | None:
    text = script(exchange.path, read_switches(world))
    if text is None:
        return say(world, exchange, empty_answer(404))
    return say(world, exchange, Answer(200, (("content-type", "application/javascript"),), text.encode()))


def answer_icon(world: World, exchange: Exchange) -> Awaitable[None] | None:
    kind, data = avatar(exchange.group("name"))
    return say(world, exchange, Answer(200, (("content-type", kind),), data))


def answer_picture(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """An avatar, or a banner where the name has no extension."""
    name = exchange.path.rsplit("/", 1)[-1]
    if "." not in name:
        banner = thumbnail(exchange.path, 1500, 500)
        return say(world, exchange, Answer(200, (("content-type", "image/jpeg"),), banner))
    kind, data = avatar(name)
    return say(world, exchange, Answer(200, (("content-type", kind), ("cache-control", "max-age=604800")), data))


def answer_thumbnail(world: World, exchange: Exchange) -> Awaitable[None] | None:
    token = exchange.params.get("token", "")
    return say(world, exchange, thumbnail_answer(exchange.group("size"), exchange.group("key"), token))


def answer_short_link(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """t.co: a plain redirect for programs, a page that moves on by itself for browsers."""
    link = find_link(world, exchange.group("code"))
    if link is None:
        return say(world, exchange, empty_answer(404))
    if read_switches(world)["unsafe_links"]:
        link = _UNSAFE + link
    if "Mozilla" not in exchange.header("user-agent"):
        return say(world, exchange, Answer(301, (("location", link),), b""))
    shown = html.escape(link)
    page = (
        f'<head><noscript><META http-equiv="refresh" content="0;URL={shown}"></noscript><title>{shown}</title></head>'
        f'<script>window.opener = null; location.replace("{quote(link, safe=":/?=&")}")</script>'
    )
    return say(world, exchange, html_answer(page))


def answer_syndication(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """GET cdn.syndication.twimg.com/tweet-result?id=…&token=…: one post, no login."""
    post_id, token = exchange.params.get("id", ""), exchange.params.get("token", "")
    post = find_post(world, post_id)
    must_fit = read_switches(world)["syndication_tokens"] == "checked"
    if post is None or not token or (must_fit and token != syndication_token(post_id)):
        return say(world, exchange, empty_answer(404))
    if post.wrapper in ("tombstone", "unavailable"):
        return say(world, exchange, json_answer({}))
    return say(world, exchange, json_answer(flat_post(post, addresses_for(world, exchange), world.now())))


def syndication_token(post_id: str) -> str:
    """The token that a page's script makes of an id: id / 1e15 * π in base 36, without zeros and point."""
    return re.sub(r"(0+|\.)", "", base36(int(post_id) / 1e15 * math.pi))


def base36(value: float) -> str:
    """A number as JavaScript writes it with radix 36: as many digits as tell the double apart from its neighbours."""
    whole, fraction = int(value), value - int(value)
    delta = max(0.5 * (math.nextafter(value, math.inf) - value), 5e-324)
    digits: list[int] = []
    while fraction >= delta:
        fraction, delta = fraction * 36, delta * 36
        digits.append(int(fraction))
        fraction -= digits[-1]
        if (fraction > 0.5 or (fraction == 0.5 and digits[-1] & 1)) and fraction + delta > 1:
            whole += _round_up(digits)
            break
    text = "".join(_DIGITS[digit] for digit in digits)
    return f"{_whole36(whole)}.{text}" if text else _whole36(whole)


def _round_up(digits: list[int]) -> int:
    """Add one to the last digit; what is carried out of the fraction is returned."""
    while digits:
        if digits[-1] + 1 < 36:
            digits[-1] += 1
            return 0
        digits.pop()
    return 1


def _whole36(value: int) -> str:
    text = ""
    while value:
        value, digit = divmod(value, 36)
        text = _DIGITS[digit] + text
    return text or "0"


def _home(world: World, exchange: Exchange) -> str:
    is_signed_in = bool(exchange.cookies.get("auth_token"))
    return home_page(read_switches(world), addresses_for(world, exchange), is_signed_in=is_signed_in)
