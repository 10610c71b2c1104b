"""The data store inside a page: session tokens, caches of users and broadcasts, and the keys a browser computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydrophone.sandbox.periscope.asking import Asked
from hydrophone.sandbox.periscope.records import broadcast_record, is_over, last_sign_at, state_of, user_record
from hydrophone.sandbox.periscope.sessions import LENGTHS, Sessions
from hydrophone.sandbox.scene import Person, Scene

BROWSER_ONLY = [
    "/.well-known",
    "/about",
    "/assets",
    "/content",
    "/embed",
    "/help",
    "/i",
    "/partners",
    "/press",
    "/privacy",
    "/tos",
    "/v",
    "/vipprogram",
    "/android-attribution",
    "/ios-attribution",
]
DAY_SECONDS = 86_400


def store_2016(asked: Asked, person: Person) -> dict[str, Any]:
    """September 2016 to 2018: `Tracking` names the user, caches of broadcasts are empty."""
    return {
        "Auth": {"cookie": None, "user": None},
        "Blocked": {},
        "Broadcast": _nothing_failed(),
        "BroadcastCache": {"broadcasts": {}, "tokens": {}},
        "Client": {"dimensions": None, "layout": "DESKTOP", "tabHidden": False, "locale": "en"},
        "PeriscopeEnv": _environment("www.periscope.tv"),
        "routing": {},
        "SessionToken": _both_tokens(asked, person),
        "Settings": {"hasSetMuted": False, "muted": False, "teaching": {}},
        "Tracking": _linked(
            asked, "tracking", {"type": "periscope/USER_BROADCAST_HISTORY_REQUEST"}, person.periscope_id
        ),
        "UserBroadcastHistory": {"broadcastIds": None, "failed": [], "pending": [], "error": None},
        "UserBroadcastHistoryCache": {"histories": {}},
        "UserCache": _user_cache(asked, person, is_young=False),
        "Video": {"volume": 1},
    }


def store_2019(asked: Asked, person: Person, shown: Sequence[Scene]) -> dict[str, Any]:
    """2019 to 2021: no `Tracking`, but the last broadcasts. A broadcast's page holds exactly one."""
    now_ms = asked.now_us // 1000
    history: dict[str, Any] = {"failed": [], "pending": [], "error": None}
    ids = [scene.id for scene in shown]
    return {
        "routing": {},
        "Auth": {"cookie": None, "user": None},
        "Blocked": {},
        "Broadcast": _nothing_failed(),
        "BroadcastCache": {"broadcasts": {scene.id: _cached(asked, scene) for scene in shown}},
        "Client": {"dimensions": None, "layout": "DESKTOP", "tabHidden": False, "locale": "en"},
        "PeriscopeEnv": {"name": "prod", "internal": False} | _environment("www.pscp.tv"),
        "ServiceToken": {"channels": {"token": None, "pending": False, "failed": False}},
        "SessionToken": _both_tokens(asked, person),
        "Settings": {
            "hasSetMuted": False,
            "muted": False,
            "teaching": {},
            "hello": {"warning_phrases": [], "browser_only_deep_url_paths": BROWSER_ONLY},
        },
        "UserBroadcastHistory": _linked(asked, "history", history, person.periscope_id),
        "UserBroadcastHistoryCache": {"histories": {person.periscope_id: {"broadcastIds": ids, "timestamp": now_ms}}},
        "UserCache": _user_cache(asked, person, is_young=True),
        "Video": {"volume": 1},
    }


def mid_2016_store(asked: Asked, person: Person, scene: Scene | None) -> dict[str, Any]:
    """Spring and summer of 2016: tokens without the level ``public``."""
    store: dict[str, Any] = {"SessionToken": _tokens(asked, person, is_public=True)}
    if scene is not None:
        store["UserBroadcast"] = {"broadcast": broadcast_record(asked, scene)}
    store["User"] = {"user": user_record(asked, person, in_pacific=True)}
    if scene is None:
        store["UserCache"] = _user_cache(asked, person, is_young=False)
    return store


def meta_page_data(asked: Asked, person: Person, scene: Scene | None) -> tuple[str, dict[str, Any]]:
    """For a page of 2015: its session token, and what it says of a broadcast."""
    expires_us = asked.now_us + round(float(asked.switches["token_lifetime_seconds"]) * 1_000_000)
    session = asked.world.room(Sessions).issue("broadcastHistory", person.periscope_id, expires_us, is_public=True)
    if scene is None:
        return session, {}
    seen = scene.audience_at(asked.world.now())
    return session, {
        "broadcast": broadcast_record(asked, scene),
        "user": user_record(asked, person, in_pacific=True),
        "n_watching": seen.listeners,
        "n_watched": seen.total,
    }


# ---------------------------------------------------------------- parts


def _nothing_failed() -> dict[str, Any]:
    error = {"isNotFound": False, "isServerError": False, "isUnavailable": False}
    return {"forceUpdate": False, "failed": [], "pending": [], "error": error}


def _environment(host: str) -> dict[str, Any]:
    return {"protocol": "https", "host": host, "mobileScheme": "pscp", "canvasCorsSupported": True}


def _both_tokens(asked: Asked, person: Person) -> dict[str, Any]:
    # The second set is there for anonymous visitors as well, and of no use to them.
    return {
        "authed": _tokens(asked, person, is_public=False),
        "public": _tokens(asked, person, is_public=True),
    }


def _tokens(asked: Asked, person: Person, *, is_public: bool) -> dict[str, Any]:
    expires_us = asked.now_us + round(float(asked.switches["token_lifetime_seconds"]) * 1_000_000)
    sessions = asked.world.room(Sessions)
    return {
        kind: {
            "token": {"session_id": sessions.issue(kind, person.periscope_id, expires_us, is_public=is_public)},
            "expiry": expires_us // 1000,
        }
        for kind in LENGTHS
    }


def _linked(asked: Asked, link: str, value: dict[str, Any], user_id: str) -> dict[str, Any]:
    """The same with the user's id, unless a switch says that only another place has it."""
    return value if asked.switches["user_link"] not in ("", link) else value | {"userId": user_id}


def _user_cache(asked: Asked, person: Person, *, is_young: bool) -> dict[str, Any]:
    only = asked.switches["user_link"]
    host = "https://www.pscp.tv" if is_young else "https://www.periscope.tv"
    relative, user_id = f"/{person.handle}", person.periscope_id
    user = user_record(asked, person, in_pacific=not is_young)
    user |= {"twitterUserId": person.user_id} | ({"userId": user_id} if is_young else {})
    user |= {
        "isShellAccount": False,
        "displayName": person.name,
        "displayUsername": person.handle,
        "isVerified": person.is_verified,
        "twitterUrl": f"https://twitter.com/{user['twitter_screen_name']}",
    }
    computed = dict.fromkeys(("periscopeUrl", "url"), f"{host}{relative}")
    computed |= dict.fromkeys(("relativePeriscopeUrl", "relativeUrl"), relative)
    computed |= dict.fromkeys(("deepLinkUrl", "inAppUrl"), f"pscp://user/{person.handle}")
    if is_young:
        computed |= dict.fromkeys(("canonicalPeriscopeUrl", "canonicalUrl"), f"{host}{relative}")
        computed |= {
            "followUrl": f"{host}{relative}/follow",
            "deepLinkFollowUrl": f"pscp://user/{person.handle}/follow",
        }
    user |= computed | {"avatarUrl": user["profile_image_urls"][-1]["ssl_url"]}
    names = {person.handle.lower(): user_id} if only in ("", "usernames") else {}
    users = {user_id: {"timestamp": asked.now_us // 1000, "user": user}} if only in ("", "users") else {}
    return {"users": users, "usernames": names}


def _cached(asked: Asked, scene: Scene) -> dict[str, Any]:
    """A broadcast in the cache: the record, what the browser computed from it, and the record again."""
    raw = broadcast_record(asked, scene, in_list=True)
    state, now = state_of(asked, scene), asked.world.now()
    ended_at = scene.ended_at if is_over(state) and scene.ended_at else last_sign_at(asked, scene)
    duration = max(0.0, (ended_at - scene.started_at).total_seconds()) if scene.started_at else 0.0
    # The page's own end ignores `end` and is seconds too early; nobody should use it.
    shown_end = last_sign_at(asked, scene) if state != "TIMED_OUT" else ended_at
    path, named = f"/w/{scene.id}", f"/{scene.creator.handle}/{scene.id}"
    host = "https://www.pscp.tv"
    computed = {
        "broadcastHasUpdated": False,
        "isRunning": state == "RUNNING",
        "isUnavailable": is_over(state) and not raw.get("available_for_replay"),
        "isEnded": is_over(state),
        "interstitial": False,
        "endTime": f"{shown_end:%Y-%m-%dT%H:%M:%S}.{shown_end.microsecond // 1000:03d}Z",
        "duration": round(duration, 3),
        "formattedDuration": _clock_text(int(duration)),
        "hasLocation": "",
        "has360Video": False,
        "url": f"{host}{path}",
        "relativeUrl": path,
        "requestedUrl": f"{host}{path}",
        "canonicalUrl": f"{host}{named}",
        "urlWithUsername": f"{host}{named}",
        "relativeUrlWithUsername": named,
        "deepLinkUrl": f"pscp://broadcast/{scene.id}",
        "inAppUrl": f"pscp://broadcast/{scene.id}",
        "cardPlayerUrl": f"{host}{path}/card",
        "localThumbnailUrl": "",
        "locationDescription": "",
        "isWithin24Hours": (now - (scene.started_at or now)).total_seconds() < DAY_SECONDS,
    }
    return {"broadcast": {**raw, "data": dict(raw), **computed}, "timestamp": asked.now_us // 1000}


def _clock_text(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60:02d}:{rest % 60:02d}"
