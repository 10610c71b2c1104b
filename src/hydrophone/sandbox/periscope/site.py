"""Every address of the Periscope side and who answers there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from hydrophone.sandbox.cdn import SHELF_MAKERS, send_file, shelf_of
from hydrophone.sandbox.fault_effects import EFFECTS, Effect
from hydrophone.sandbox.periscope import (
    access,
    channels,
    chat_rooms,
    devices,
    pages,
    private_calls,
    producer,
    public_calls,
    publishing,
    thumbnails,
)
from hydrophone.sandbox.periscope.answers import NAMED, say_named
from hydrophone.sandbox.periscope.asking import Asked, Work, asked_of, say
from hydrophone.sandbox.periscope.cookies import are_good
from hydrophone.sandbox.periscope.devices import refused
from hydrophone.sandbox.periscope.facts import fact, person_by
from hydrophone.sandbox.periscope.private_calls import behind_cookie, for_members
from hydrophone.sandbox.periscope.pushes import PushedShelf
from hydrophone.sandbox.periscope.sessions import sid_of
from hydrophone.sandbox.periscope.shelf import PeriscopeShelf
from hydrophone.sandbox.periscope.switches import read_switches, turn_switches
from hydrophone.sandbox.periscope.words import share_token
from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.serving import Answer, Exchange, Route
from hydrophone.sandbox.world import World

API = r"/api/v2/(?P<call>[\w./-]+?)/?"
LHLS = r"/Transcoding/v1/lhls/(?P<key>[^/]+)/non_transcode/(?P<region>[^/]+)/(?P<bucket>[^/]+)/(?P<name>[^/]+)"
DEFAULT_SESSION_SECONDS = 90 * 86_400

PUBLIC: Mapping[str, Work] = {
    "accessVideoPublic": access.answer_access,
    "getAccessPublic": access.answer_access,
    "getBroadcastPublic": public_calls.get_broadcast,
    "getBroadcastsPublic": public_calls.get_broadcasts,
    "_getBroadcastsCardsPublic": public_calls.get_cards,
    "getUserPublic": public_calls.get_user,
    "getUserBroadcastsPublic": public_calls.get_history,
    "accessChatPublic": chat_rooms.answer_access,
    "publicReplayThumbnailPlaylist": public_calls.get_thumbnails,
    "startPublic": public_calls.start_view,
    "pingPublic": public_calls.keep_view,
    "stopPublic": public_calls.keep_view,
    "replayViewedPublic": public_calls.start_view,
    "pingReplayViewedPublic": public_calls.keep_view,
    "endReplayViewedPublic": public_calls.keep_view,
    "broadcastSearchPublic": public_calls.search,
    "_getRankedFeedPublic": public_calls.list_ranked,
    "getCategoriesFeedPublic": public_calls.list_feed,
    "authorizeTokenPublic": public_calls.authorize_token,
    "markAbusePublic": public_calls.succeed,
    "blockPublic": public_calls.succeed,
    "getBroadcastIdForShareToken": public_calls.find_by_share_token,
    "hlsEncryptionKey": public_calls.answer_key,
    "replayPlaylist.m3u8": access.answer_redirector,
    "guestReplayPlaylist.m3u8": access.answer_redirector,
    "loginTwitter": private_calls.sign_in,
    "loginTwitterToken": private_calls.sign_in,
    "accessVideo": access.answer_private_access,
    "accessChat": chat_rooms.answer_write_access,
    "createBroadcast": publishing.create,
    "publishBroadcast": publishing.publish,
    "pingBroadcast": publishing.keep_alive,
    "endBroadcast": publishing.end,
    "replayUploaded": publishing.keep_alive,
    "deleteBroadcast": publishing.delete,
}
PRIVATE: Mapping[str, Work] = {
    name: for_members(work)
    for name, work in {
        "authorizeToken": private_calls.authorize,
        "user": private_calls.show_user,
        "userBroadcasts": private_calls.list_own,
        "getBroadcasts": private_calls.list_named,
        "accessChannel": private_calls.open_channel,
        "replayThumbnailPlaylist": private_calls.list_thumbnails,
        "getBroadcastViewers": private_calls.show_viewers,
        "getBroadcastShareURL": private_calls.share,
        "broadcastSummary": private_calls.summarize,
        "broadcastMeta": private_calls.summarize,
        "playbackMeta": private_calls.summarize,
        "userSearch": private_calls.search_people,
        "suggestedPeople": private_calls.list_nobody,
        "followers": private_calls.list_nobody,
        "following": private_calls.list_nobody,
        "mutualFollows": private_calls.list_nobody,
        "block/users": private_calls.list_nobody,
        "follow": private_calls.follow,
        "unfollow": private_calls.follow,
    }.items()
}
#: Calls that do for members what a public call does.
MEMBERS_TOO: Mapping[str, Work] = {
    name: behind_cookie(work)
    for name, work in {
        "startWatching": public_calls.start_view,
        "replayViewed": public_calls.start_view,
        "pingWatching": public_calls.keep_view,
        "stopWatching": public_calls.keep_view,
        "pingReplayViewed": public_calls.keep_view,
        "endReplayViewed": public_calls.keep_view,
        "broadcastSearch": public_calls.search,
        **{
            f"{name}BroadcastFeed": public_calls.list_feed
            for name in ("following", "featured", "ranked", "global", "live", "mapGeo")
        },
    }.items()
}
CALLS: Mapping[str, Work] = {**PUBLIC, **PRIVATE, **MEMBERS_TOO}

PRODUCER: tuple[tuple[str, str, Work], ...] = (
    ("POST", "/device_code/create", devices.create_code),
    ("POST", "/device_code/check", devices.check_code),
    ("POST", "/oauth/token", devices.exchange_token),
    ("GET", "/me", producer.show_me),
    ("GET", "/region", producer.show_region),
    ("POST", "/broadcast/create", producer.create),
    ("POST", "/broadcast/publish", producer.publish),
    ("POST", "/broadcast/stop", producer.stop),
    ("POST", "/broadcast/delete", producer.delete),
    ("GET", "/broadcast", producer.show),
)
CHANNELS: tuple[tuple[str, Work], ...] = (
    (r"/v1/top/channels/broadcasts", channels.answer_top),
    (r"/v1/channels", channels.answer_all),
    (r"/v1/users/[^/]+/channels", channels.answer_all),
    (r"/v1/channels/(?P<cid>\d+)/broadcasts", channels.answer_one),
    (r"/v1/(?:users/[^/]+/pending-invites|channels/\d+/members/[^/]+)", channels.answer_nothing),
)
Handler = Callable[[World, Exchange], Awaitable[None] | None]


def routes(world: World) -> list[Route]:
    """All routes; also makes its kind of fault and its shelves known."""
    EFFECTS.setdefault("periscope-answer", Effect(say_named, needs_answer=False))
    SHELF_MAKERS.setdefault("periscope", make_shelf)
    table: list[tuple[str, str, str, Handler]] = [
        (service, method, API, answer_call) for service in ("periscope", "proxsee") for method in ("GET", "POST")
    ]
    table += [("producer", method, f"/v1{path}", _answering(work, is_producer=True)) for method, path, work in PRODUCER]
    table += [("channels", "GET", path, _answering(work)) for path, work in CHANNELS]
    table += [
        ("producer", "GET", "/v1/chat/connect", producer.answer_chat),
        ("chat", "POST", "(?:/replay)?/chatapi/v1/history", chat_rooms.answer_history),
        ("chat", "GET", "(?:/replay)?/chatapi/v1/chatnow", chat_rooms.answer_socket),
        ("pscp", "*", "/device", devices.answer_device_page),
        ("pscp", "GET", "/oauth", devices.answer_oauth_page),
        ("pscp", "GET", "/.*", pages.answer_page),
        ("cdn", "GET", thumbnails.OLD_PATH, thumbnails.answer_old),
        ("cdn", "GET", thumbnails.PATH, thumbnails.answer_picture),
        ("cdn", "GET", rf"/{thumbnails.STREAM}/(?P<name>[\w.-]+)", answer_old_file),
        ("cdn", "GET", LHLS, answer_lhls),
        ("cdn", "PUT", r"/uploads/(?P<key>[^/]+)/(?P<name>[^/]+)", answer_upload),
        ("control", "GET", "/periscope/switches", answer_switches),
        ("control", "POST", "/periscope/switches", answer_switches),
        ("control", "GET", "/periscope/published", _answering(producer.published)),
        ("control", "GET", "/periscope/views", answer_views),
        ("control", "POST", "/periscope/session", answer_session),
        ("control", "POST", "/periscope/share", answer_share),
        ("control", "GET", "/periscope/broadcasts/(?P<id>[^/]+)", pages.answer_show_record),
    ]
    return [Route(service, method, path, partial(handler, world)) for service, method, path, handler in table]


def make_shelf(world: World, scene: Scene) -> PeriscopeShelf | PushedShelf:
    return PushedShelf(world, scene) if fact(scene, "pushed") else PeriscopeShelf(world, scene)


# ---------------------------------------------------------------- calls


def answer_call(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """One call of the web API, by GET with a query or by POST with a body."""
    asked = asked_of(world, exchange)
    if asked.switches["closed"] != "no":
        return say(world, exchange, NAMED["404"])
    work = CALLS.get(exchange.group("call"))
    return say(world, exchange, NAMED["404_html"]) if work is None else _answer(asked, work)


def _answering(work: Work, *, is_producer: bool = False) -> Handler:
    def handler(world: World, exchange: Exchange) -> Awaitable[None] | None:
        asked = asked_of(world, exchange)
        if is_producer and asked.switches["producer"] == "closed":
            return say(world, exchange, refused(410, "The Producer API has been retired."))
        return _answer(asked, work)

    return handler


def _answer(asked: Asked, work: Work) -> Awaitable[None] | None:
    answer = work(asked)
    if isinstance(answer, Answer):
        return say(asked.world, asked.exchange, answer)
    return _answer_later(asked, answer)


async def _answer_later(asked: Asked, answer: Awaitable[Answer]) -> None:
    pending = say(asked.world, asked.exchange, await answer)
    if pending is not None:
        await pending


# ---------------------------------------------------------------- files


def answer_old_file(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """replay.periscope.tv: lists and segments, for those with the three cookies."""
    scene = world.scene_by_stream_key(exchange.group("key"))
    if not are_good(exchange.cookies, exchange.group("key"), world.now()):
        denied = b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>MissingKey</Code></Error>'
        return say(world, exchange, Answer(403, (("content-type", "application/xml"),), denied))
    shelf = shelf_of(world, scene) if scene is not None else None
    if not isinstance(shelf, PeriscopeShelf):
        return exchange.reply(404)
    return send_file(exchange, shelf.find_old(exchange.group("name"), world.clock.now_us()))


def answer_lhls(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """The low-latency lists: here they are the same as all others."""
    scene = world.scene_by_stream_key(exchange.group("key"))
    if scene is None or "periscope" not in scene.extra:
        return exchange.reply(404)
    x_base = "https://twitter.com" if exchange.via_proxy else ""
    found = shelf_of(world, scene).find(
        exchange.group("name"),
        token="",
        is_audio=False,
        params=exchange.params,
        now_us=world.clock.now_us(),
        x_base=x_base,
    )
    return send_file(exchange, found)


def answer_upload(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """Where apps put thumbnails and replays; nothing is kept."""
    known = world.scene_by_stream_key(exchange.group("key")) is not None
    return exchange.reply(200 if known and exchange.body else 403)


# ---------------------------------------------------------------- the control room


def answer_switches(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """Read or turn the switches."""
    if exchange.method == "POST":
        changes: Any = exchange.json()
        if not isinstance(changes, dict):
            return exchange.reply_json({"error": "a mapping of switches is wanted"}, 400)
        try:
            turn_switches(world, changes)
        except ValueError as problem:
            return exchange.reply_json({"error": str(problem)}, 400)
    return exchange.reply_json(read_switches(world))


def answer_views(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """How many views were counted."""
    return exchange.reply_json({"count": world.room(public_calls.Views).count})


def answer_session(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """``{"user": handle, "seconds": 3600}``: a cookie ``sid`` for somebody, without signing in."""
    told: Any = exchange.json() or {}
    person = person_by(world, handle=str(told.get("user", "")))
    if person is None:
        return exchange.reply_json({"error": "nobody of that name"}, 404)
    seconds = float(told.get("seconds", DEFAULT_SESSION_SECONDS))
    return exchange.reply_json(
        {"sid": sid_of(person, int(world.now().timestamp() + seconds)), "uid": person.periscope_id}
    )


def answer_share(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """``{"user": handle, "broadcast": id}``: a share token with the real envelope."""
    told: Any = exchange.json() or {}
    person = person_by(world, handle=str(told.get("user", "")))
    if person is None:
        return exchange.reply_json({"error": "nobody of that name"}, 404)
    return exchange.reply_json({"token": share_token(person.periscope_id, str(told.get("broadcast", "")), world.now())})
