"""Broadcasts and users as the API writes them, in both generations.

What the record says follows from scene and clock. ``extra.periscope`` may take keys away (`without`) and overrule
values (`record`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hydrophone.sandbox.periscope.asking import Asked
from hydrophone.sandbox.periscope.facts import fact, is_2016
from hydrophone.sandbox.periscope.thumbnails import cover_urls
from hydrophone.sandbox.periscope.words import instant_text
from hydrophone.sandbox.scene import Person, Scene, State, invented_number
from hydrophone.sandbox.x.ids import snowflake

STATES = {
    State.NOT_STARTED: "NOT_STARTED",
    State.PRE_PUBLISHED: "PUBLISHED",
    State.RUNNING: "RUNNING",
    State.ENDED: "ENDED",
    State.TIMED_OUT: "TIMED_OUT",
    State.CANCELED: "ENDED",
}
PING_SECONDS = 5.0


def state_of(asked: Asked, scene: Scene) -> str:
    return STATES[scene.state_at(asked.world.now())]


def is_over(state: str) -> bool:
    return state in ("ENDED", "TIMED_OUT")


def broadcast_record(asked: Asked, scene: Scene, *, in_list: bool = False) -> dict[str, Any]:
    """One broadcast; lists also count the audience."""
    old, creator, state = is_2016(scene), scene.creator, state_of(asked, scene)
    record: dict[str, Any] = {
        "class_name": "Broadcast",
        "id": scene.id,
        "created_at": _time(scene, scene.created_at, "created"),
        "updated_at": _time(scene, _updated_at(asked, scene, state), "updated"),
        "user_id": creator.periscope_id,
        "user_display_name": creator.name,
        "username": creator.handle,
    }
    if not old:
        record["twitter_id"] = creator.user_id
    record |= {
        "twitter_username": _twitter_name(scene, creator),
        "profile_image_url": _picture(asked, creator, "_reasonably_small"),
        "state": state,
        "is_locked": bool(fact(scene, "private")),
        "friend_chat": False,
    }
    if not old:
        record["private_chat"] = bool(fact(scene, "private"))
    record["language"] = scene.language
    if not old:
        record["version"] = 1 + int(scene.position_at(asked.world.now()) / PING_SECONDS)
    record |= _times(asked, scene, state) | {"has_moderation": True}
    record |= {} if old else {"enabled_sparkles": True}
    record |= _look(scene) | cover_urls(asked, scene, state)
    record |= _rest(scene, state, old=old)
    if in_list:
        record |= _audience(asked, scene, state)
    record |= fact(scene, "record")
    return {key: value for key, value in record.items() if key not in fact(scene, "without")}


def _time(scene: Scene, instant: datetime | None, *salt: object) -> str:
    return instant_text(instant, scene.id, *salt, in_pacific=is_2016(scene))


def last_sign_at(asked: Asked, scene: Scene) -> datetime:
    """The last ping: some seconds ago while it runs, some before the true end."""
    now = asked.world.now()
    started_at = scene.started_at or now
    if scene.ended_at is None or now < scene.ended_at:
        since = (now - started_at).total_seconds()
        return started_at + timedelta(seconds=max(0.0, since - since % PING_SECONDS))
    silent = 87.0 if scene.outcome is State.TIMED_OUT else 8.6
    return max(started_at, scene.ended_at - timedelta(seconds=silent))


def _updated_at(asked: Asked, scene: Scene, state: str) -> datetime:
    if scene.started_at is None or asked.world.now() < scene.started_at:
        return scene.created_at + timedelta(seconds=0.7)
    if is_over(state) and scene.ended_at is not None:
        return scene.ended_at + timedelta(seconds=0.7)
    return last_sign_at(asked, scene)


def _times(asked: Asked, scene: Scene, state: str) -> dict[str, Any]:
    times: dict[str, Any] = {}
    if scene.scheduled_at is not None:
        times["scheduled_start"] = _time(scene, scene.scheduled_at, "scheduled")
    if scene.started_at is None or asked.world.now() < scene.started_at:
        return times
    times["start"] = _time(scene, scene.started_at, "start")
    times["ping"] = _time(scene, last_sign_at(asked, scene), "ping")
    if state == "ENDED":
        times["end"] = _time(scene, scene.ended_at, "end")
    came_back = fact(scene, "came_back")
    if state == "TIMED_OUT":
        times["timedout"] = _time(scene, scene.ended_at, "timedout")
    elif came_back is not None:
        # Seen in captures: the instant of the first time-out stays, before `ping` and `end`.
        times["timedout"] = _time(scene, scene.started_at + timedelta(seconds=float(came_back)), "timedout")
    return times


def camera_rotation(scene: Scene) -> int:
    pairs = fact(scene, "rotation")
    return int(pairs[0][1]) if pairs else 0


def _look(scene: Scene) -> dict[str, Any]:
    largest = max(scene.variants, key=lambda v: v.kbps)
    return {
        "has_location": False,
        "city": "",
        "country": "",
        "country_state": "",
        "iso_code": "",
        "ip_lat": 0,
        "ip_lng": 0,
        "width": largest.width,
        "height": largest.height,
        "camera_rotation": camera_rotation(scene),
    }


def _rest(scene: Scene, state: str, *, old: bool) -> dict[str, Any]:
    has_replay = scene.has_replay and state != "NOT_STARTED"
    rest: dict[str, Any] = {"status": scene.title or ""}
    if fact(scene, "tags"):
        rest["tags"] = list(fact(scene, "tags"))
    if old:
        rest |= {"available_for_replay": has_replay, "highlight_available": has_replay, "featured": False}
        return rest | {"expiration": -1, "tweet_id": snowflake(scene.created_at, "tweet", scene.id)}
    rest |= {
        "content_type": "video",
        "broadcast_source": fact(scene, "source"),
        "available_for_replay": has_replay,
        "expiration": -1,
    }
    if state != "NOT_STARTED":
        rest["tweet_id"] = snowflake(scene.created_at, "tweet", scene.id)
    rest["media_key"] = scene.media_key
    return rest | ({"is_high_latency": True} if fact(scene, "source") == "producer" else {})


def _audience(asked: Asked, scene: Scene, state: str) -> dict[str, Any]:
    seen = scene.audience_at(asked.world.now())
    is_live = state == "RUNNING"
    web = seen.listeners // 5 if is_live else 0
    watching = seen.listeners - web if is_live else 0
    counts = {"n_total_watching": watching + web, "n_watching": watching, "n_web_watching": web}
    return counts | ({} if is_live else {"n_total_watched": seen.total or seen.listeners})


# ---------------------------------------------------------------- people


def user_record(asked: Asked, person: Person, *, in_pacific: bool = False) -> dict[str, Any]:
    """One user, as anybody may see them."""
    number = invented_number("user", person.handle)
    joined_at = datetime.fromisoformat("2015-05-02T09:14:33.348269+00:00") + timedelta(seconds=number % 40_000_000)
    description, twitter_name = _profile_of(asked, person)
    sizes = (("_reasonably_small", 128), ("_200x200", 200), ("_400x400", 400))
    return {
        "class_name": "User",
        "id": person.periscope_id,
        "created_at": instant_text(joined_at, person.handle, in_pacific=in_pacific),
        "is_beta_user": False,
        "is_employee": False,
        "is_twitter_verified": person.is_verified,
        "twitter_screen_name": twitter_name,
        "username": person.handle,
        "display_name": person.name,
        "description": description,
        "profile_image_urls": [
            {
                "url": _picture(asked, person, suffix).replace("https://", "http://"),
                "ssl_url": _picture(asked, person, suffix),
                "width": size,
                "height": size,
            }
            for suffix, size in sizes
        ],
        "twitter_id": person.user_id,
        "initials": "",
        "n_followers": person.followers,
        "n_following": number % 400,
        "n_hearts": number % 90_000,
    }


def private_user(asked: Asked, person: Person) -> dict[str, Any]:
    """The same as calls with a cookie show it."""
    own = sum(scene.creator.periscope_id == person.periscope_id for scene in asked.world.scenes)
    flags = ("is_following", "is_muted", "is_blocked", "is_facebook_friend", "is_twitter_friend")
    more = {"updated_at": instant_text(asked.world.now()), "n_broadcasts": own}
    return user_record(asked, person) | more | dict.fromkeys(flags, False)


def flat_user(asked: Asked, person: Person) -> dict[str, Any]:
    """The same as the Producer API shows it."""
    whole = user_record(asked, person)
    return {
        "id": whole["id"],
        "username": whole["username"],
        "twitter_id": whole["twitter_id"],
        "twitter_username": whole["twitter_screen_name"],
        "description": whole["description"],
        "display_name": whole["display_name"],
        "profile_image_urls": whole["profile_image_urls"],
    }


def _profile_of(asked: Asked, person: Person) -> tuple[str, str]:
    for scene in asked.world.scenes:
        if scene.creator.periscope_id == person.periscope_id and fact(scene, "description"):
            return str(fact(scene, "description")), _twitter_name(scene, person)
    own = next((s for s in asked.world.scenes if s.creator.periscope_id == person.periscope_id), None)
    return "", _twitter_name(own, person) if own else person.handle.replace("-", "_")


def _twitter_name(scene: Scene, person: Person) -> str:
    return str(fact(scene, "twitter_username")) or person.handle.replace("-", "_")


def _picture(asked: Asked, person: Person, suffix: str) -> str:
    return asked.places.picture(person.avatar_url.replace("_normal", suffix))
