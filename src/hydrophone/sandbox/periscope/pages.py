"""The pages of www.periscope.tv in their five layouts, with the data store that everybody reads.

Which layout is a switch (`layout`), and so are the ways in which a page can be of no use (`page`).
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Awaitable
from typing import Any

from hydrophone.sandbox.periscope.answers import HTML, moved, text
from hydrophone.sandbox.periscope.asking import Asked, asked_of, say
from hydrophone.sandbox.periscope.facts import broadcast_of, broadcasts, broadcasts_by, fact, is_known, person_by
from hydrophone.sandbox.periscope.records import broadcast_record, state_of
from hydrophone.sandbox.periscope.store import meta_page_data, mid_2016_store, store_2016, store_2019
from hydrophone.sandbox.periscope.words import go_json, open_envelope
from hydrophone.sandbox.scene import Person, Scene
from hydrophone.sandbox.serving import Answer, Exchange
from hydrophone.sandbox.world import World

RESERVED = frozenset(
    [
        ".well-known",
        "about",
        "assets",
        "content",
        "embed",
        "help",
        "i",
        "partners",
        "press",
        "privacy",
        "tos",
        "v",
        "vipprogram",
        "android-attribution",
        "ios-attribution",
        "w",
        "u",
        "account",
        "oauth",
        "channel",
        "channels",
        "search",
        "features",
        "couchmode",
        "device",
    ]
)
NOT_FOUND = (
    '<!doctype html><html><head><meta charset="utf-8"/><title>Periscope</title></head>'
    "<body><h1>Sorry, that page does not exist.</h1></body></html>"
)
WITHOUT_STORE = (
    '<!DOCTYPE html><html><head><meta charset="utf-8"><title>{name} (@{handle})</title></head>'
    '<body><div id="react-root"></div></body></html>'
)
ID = re.compile(r"1[0-9A-Za-z]{12}|[0-9]{1,12}")


def answer_page(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """Any page: a user by name or id, a broadcast by id, by name and id, or by share token."""
    asked = asked_of(world, exchange)
    return say(world, exchange, _page(asked))


def _page(asked: Asked) -> Answer:
    parts = [part for part in asked.exchange.path.split("/") if part]
    if asked.switches["closed"] == "all":
        return moved(f"{asked.places.x}/", 302)
    if len(parts) == 2 and parts[0] == "u":
        return _user_page(asked, person_by(asked.world, user_id=parts[1]))
    if len(parts) >= 2 and parts[0] == "w":
        return _broadcast_page(asked, _resolve(asked, parts[1]))
    if len(parts) == 2 and parts[0] == "channel":
        return _channel_page(asked, parts[1])
    if not parts or parts[0].lower() in RESERVED:
        return text(404 if parts else 200, NOT_FOUND, HTML)
    name = parts[0].removeprefix("@")
    if len(parts) >= 2 and ID.fullmatch(parts[1]):
        scene = _resolve(asked, parts[1])
        return _broadcast_page(asked, scene if scene and scene.creator.handle.lower() == name.lower() else None)
    return _user_page(asked, person_by(asked.world, handle=name))


def _resolve(asked: Asked, text_id: str) -> Scene | None:
    """A broadcast by id or share token."""
    opened = open_envelope(text_id)
    if opened is not None:
        text_id = opened[1].decode("ascii", "replace").partition("|")[2]
    return broadcast_of(asked.world, text_id)


# ---------------------------------------------------------------- the pages


def _user_page(asked: Asked, person: Person | None) -> Answer:
    if person is None:
        return text(404, NOT_FOUND, HTML)
    if asked.switches["page"] == "redirect":
        return moved(f"{asked.places.x}/{person.handle.replace('-', '_')}", 302)
    if asked.switches["page"] == "no_store":
        return text(200, WITHOUT_STORE.format(name=html.escape(person.name), handle=person.handle), HTML)
    layout = asked.switches["layout"]
    if layout == "2015":
        return text(200, _meta_page(asked, person, None), HTML)
    if layout == "mid2016":
        store = mid_2016_store(asked, person, None)
    elif layout == "2016":
        store = store_2016(asked, person)
    else:
        own = broadcasts_by(asked.world, person.periscope_id)
        shown = [scene for scene in own if not fact(scene, "private") and state_of(asked, scene) != "NOT_STARTED"]
        store = store_2019(asked, person, shown[:20])
    return _store_page(asked, store, f"{person.name} on Periscope", _canonical(asked, f"/{person.handle}"))


def _broadcast_page(asked: Asked, scene: Scene | None) -> Answer:
    if scene is None or not is_known(scene) or fact(scene, "private"):
        return text(404, NOT_FOUND, HTML)
    if asked.switches["page"] == "redirect":
        return moved(f"{asked.places.x}/i/broadcasts/{scene.id}", 302)
    if asked.switches["page"] == "no_store":
        name = html.escape(scene.creator.name)
        return text(200, WITHOUT_STORE.format(name=name, handle=scene.creator.handle), HTML)
    layout, creator = asked.switches["layout"], scene.creator
    if layout == "2015":
        return text(200, _meta_page(asked, creator, scene), HTML)
    if layout == "mid2016":
        store = mid_2016_store(asked, creator, scene)
    elif layout == "2016":
        store = store_2016(asked, creator)
    else:
        store = store_2019(asked, creator, [scene])
    head = f'<meta data-react-helmet="true" name="twitter:text:broadcaster_id" content="{creator.periscope_id}"/>'
    link = head + _canonical(asked, f"/{creator.handle}/{scene.id}")
    return _store_page(asked, store, f"{creator.name} on Periscope", link)


def _channel_page(asked: Asked, slug: str) -> Answer:
    """The page of a channel; what matters is that it has tokens, as every page has."""
    scene = next((one for one in broadcasts(asked.world) if fact(one, "channel") == slug), None)
    if scene is None:
        return text(404, NOT_FOUND, HTML)
    return _store_page(asked, store_2019(asked, scene.creator, []), f"{slug} on Periscope", "")


def _canonical(asked: Asked, path: str) -> str:
    return f'<link data-react-helmet="true" rel="canonical" href="{asked.places.www()}{path}"/>'


def _store_page(asked: Asked, store: dict[str, Any], title: str, head: str) -> Answer:
    escaped = html.escape(json.dumps(store, ensure_ascii=False, separators=(",", ":")), quote=True)
    if asked.switches["page"] == "twice":
        escaped = html.escape(escaped, quote=True)
    if asked.switches["page"] == "cut":
        escaped = escaped[: len(escaped) // 2]
    is_old = asked.switches["layout"] in ("2016", "mid2016")
    style = "height:100%;min-height:100%" + (";" if is_old else "")
    page = (
        f'<!doctype html>\n<html><head><title data-react-helmet="true">{html.escape(title)}</title>'
        f'<meta charset="utf-8"/>{"" if is_old else head}</head><body{"" if is_old else " class=" + chr(34) * 2}>'
        "<noscript>This page needs JavaScript.</noscript>"
        f'<div id="page-container" style="{style}" data-store="{escaped}">'
        '<div id="PageView" class="AppView"></div></div>'
        '<script src="https://assets.periscope.tv/univ/main-0000000000.js" charset="utf-8"></script></body></html>\n'
    )
    return text(200, page, HTML)


def _meta_page(asked: Asked, person: Person, scene: Scene | None) -> str:
    """The pages of 2015: every fact is a meta element of its own."""
    session, data = meta_page_data(asked, person, scene)
    metas = {
        "lang-code": "en",
        "api-status": "200",
        "api-host": asked.places.api,
        "api-session": session,
        "no-rotation": "false",
        "broadcast-data": go_json(data).decode() if scene else "",
        "broadcast-in-app": f"pscp://broadcast/{scene.id}" if scene else "",
        "token-id": scene.id if scene else "",
    }
    tags = "".join(f'<meta id="{key}" content="{html.escape(value)}">' for key, value in metas.items() if value)
    return (
        f'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>{html.escape(person.name)} on Periscope</title>'
        f'{tags}</head><body><div id="periscope-app"></div></body></html>\n'
    )


def answer_show_record(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """GET /periscope/broadcasts/{id} of the control room: the record as the API would write it now."""
    asked = asked_of(world, exchange)
    scene = world.scene(exchange.group("id"))
    return exchange.reply_json(broadcast_record(asked, scene) if scene else None, 200 if scene else 404)
