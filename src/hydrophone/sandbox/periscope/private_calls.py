"""The calls that need a cookie: signing in, watching private broadcasts, lists of people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hydrophone.sandbox.periscope.access import access_record, may_watch
from hydrophone.sandbox.periscope.answers import NAMED, failed, said
from hydrophone.sandbox.periscope.asking import Asked
from hydrophone.sandbox.periscope.chat_rooms import channel_fields
from hydrophone.sandbox.periscope.facts import broadcast_of, broadcasts, broadcasts_by, fact, person_by
from hydrophone.sandbox.periscope.records import broadcast_record, private_user, user_record
from hydrophone.sandbox.periscope.sessions import sid_of, signed_in
from hydrophone.sandbox.periscope.thumbnails import thumbnail_list
from hydrophone.sandbox.periscope.words import share_token
from hydrophone.sandbox.scene import Person
from hydrophone.sandbox.serving import Answer
from hydrophone.sandbox.x.tokens import is_ours, sign

SESSION_SECONDS = 90 * 86_400

PrivateWork = Callable[[Asked, Person], Answer]


def for_members(work: PrivateWork) -> Callable[[Asked], Answer]:
    """The same call, 401 for strangers."""

    def answer(asked: Asked) -> Answer:
        viewer = signed_in(asked)
        return NAMED["401"] if viewer is None else work(asked, viewer)

    return answer


def behind_cookie(work: Callable[[Asked], Answer]) -> Callable[[Asked], Answer]:
    """A call that anybody could make, for members only."""
    return for_members(lambda asked, viewer: work(asked))


def sign_in(asked: Asked) -> Answer:
    """`loginTwitter`, by the tokens of an X account, or `loginTwitterToken`, by a JWT of X."""
    has_pair = asked.text("session_key") and asked.text("session_secret")
    if not has_pair and not is_ours(asked.text("jwt")):
        return NAMED["400" if asked.text("direct") else "401"]
    named = asked.text("user_name")
    person = person_by(asked.world, handle=named) if named else first_creator(asked)
    if person is None:
        return NAMED["401"]
    expires_at = asked.world.now() + timedelta(seconds=SESSION_SECONDS)
    return said(
        {
            "cookie": sid_of(person, int(expires_at.timestamp())),
            "settings": {"auto_save_to_camera": False, "push_new_follower": False},
            "suggested_username": "",
            "user": private_user(asked, person),
            "type": "Twitter",
        }
    )


def first_creator(asked: Asked) -> Person | None:
    return next((scene.creator for scene in broadcasts(asked.world)), None)


def authorize(asked: Asked, viewer: Person) -> Answer:
    """`authorizeToken` for `channels`, `notification`, `guest`."""
    if asked.text("service") not in ("channels", "notification", "guest"):
        return NAMED["400"]
    expires = int(asked.world.now().timestamp()) + 3600
    return said({"authorization_token": sign({"exp": expires, "perms": 3, "user_id": viewer.periscope_id})})


def show_user(asked: Asked, viewer: Person) -> Answer:
    person = _named(asked)
    return NAMED["404"] if person is None else said({"user": private_user(asked, person)})


def _named(asked: Asked) -> Person | None:
    user_id = asked.text("user_id")
    return person_by(asked.world, user_id=user_id, handle="" if user_id else asked.text("username"))


def list_own(asked: Asked, viewer: Person) -> Answer:
    """`userBroadcasts`: a bare array, private ones for those who may watch them."""
    person = _named(asked)
    if person is None:
        return said([])
    own = broadcasts_by(asked.world, person.periscope_id)
    return said([broadcast_record(asked, scene, in_list=True) for scene in own if may_watch(scene, viewer)])


def list_named(asked: Asked, viewer: Person) -> Answer:
    """`getBroadcasts`: a bare array."""
    found = (broadcast_of(asked.world, name) for name in asked.names("broadcast_ids"))
    return said([broadcast_record(asked, scene, in_list=True) for scene in found if scene])


def open_channel(asked: Asked, viewer: Person) -> Answer:
    """`accessChannel`: video and chat in one answer, the way of 2015."""
    scene = broadcast_of(asked.world, asked.text("broadcast_id"))
    if scene is None:
        return NAMED["404"]
    record = access_record(asked, scene, viewer=viewer)
    return said({**record, **channel_fields(asked, scene, viewer)})


def show_viewers(asked: Asked, viewer: Person) -> Answer:
    scene = broadcast_of(asked.world, asked.text("broadcast_id"))
    if scene is None:
        return NAMED["404"]
    seen = scene.audience_at(asked.world.now())
    people = [user_record(asked, p) for p in scene.people if p.role == "listener"]
    is_over = scene.ended_at is not None and asked.world.now() >= scene.ended_at
    return said(
        {
            "live": [] if is_over else people,
            "replay": people if is_over else [],
            "n_watched": seen.total or seen.listeners,
            "n_web_watched": seen.listeners // 5,
            "n_replay_watched": len(people) if is_over else 0,
            "n_hearts": 9210,
            "n_replay_hearts": 344 if is_over else 0,
        }
    )


def share(asked: Asked, viewer: Person) -> Answer:
    """`getBroadcastShareURL`: with a share token, padded or not."""
    scene = broadcast_of(asked.world, asked.text("broadcast_id"))
    if scene is None:
        return NAMED["404"]
    token = share_token(viewer.periscope_id, scene.id, asked.world.now())
    return said({"url": f"https://www.periscope.tv/w/{token + '=' * (-len(token) % 4)}"})


def list_thumbnails(asked: Asked, viewer: Person) -> Answer:
    scene = broadcast_of(asked.world, asked.text("broadcast_id"))
    return NAMED["404"] if scene is None else said(thumbnail_list(asked, scene))


def search_people(asked: Asked, viewer: Person) -> Answer:
    """`userSearch`: one letter is not enough."""
    words = asked.text("search").lower()
    if len(words) < 2:
        return NAMED["400"]
    found: dict[str, Any] = {}
    for scene in broadcasts(asked.world):
        for person in scene.people:
            if words in f"{person.handle} {person.name}".lower():
                found[person.periscope_id] = private_user(asked, person)
    return said(list(found.values()))


def list_nobody(asked: Asked, viewer: Person) -> Answer:
    return said([])


def follow(asked: Asked, viewer: Person) -> Answer:
    return said({"success": True}) if _named(asked) else failed(200, "Not Found")


def summarize(asked: Asked, viewer: Person) -> Answer:
    scene = broadcast_of(asked.world, asked.text("broadcast_id"))
    if scene is None or fact(scene, "answer"):
        return NAMED["404"]
    return said({"broadcast": broadcast_record(asked, scene), "meta": {}})
