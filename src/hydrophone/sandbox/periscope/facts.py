"""What a scene says about its Periscope side, in the table ``extra.periscope``; every key with its resting value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hydrophone.sandbox.scene import Kind, Person, Scene
from hydrophone.sandbox.world import World

#: Keys of ``extra.periscope``.
DEFAULTS: Mapping[str, Any] = {
    "listed": True,  #: false: this API has never heard of it (X may have)
    "generation": "2019",  #: 2016: CloudFront cookies, Pacific time, chunk_<k>.ts
    "replay": "media",  #: master | media: what the replay URL names; a user's phone gave media, producers master
    "redirector": False,  #: replay_url is an API address that redirects, whatever was asked
    "private": False,  #: locked: URLs only for `viewers`, AES-128, key with a cookie
    "viewers": (),  #: handles who may watch a private one, beside its creator
    "iv": "random",  #: sequence: the key line has no IV
    "key_bytes": 16,  #: the length of the key that is handed out
    "deleted": False,
    "quiet_seconds": 0.0,  #: after the start, answers have no URL for so long
    "not_playlist_seconds": 0.0,  #: after the start, the live address is no playlist for so long
    "closing": "endlist",  #: silence: what the live list does after the end
    "partial_replay": True,  #: a running broadcast has a partial replay
    "came_back": None,  #: position at which it had timed out before it went on
    "rotation": (),  #: [position, degrees] pairs for TKEY; the first is camera_rotation too
    "rotation_tags": True,
    "description": "",  #: of the creator
    "twitter_username": "",  #: of the creator, when it differs from the user name
    "without": (),  #: keys that the record lacks
    "record": {},  #: values that overrule the record's
    "access": {},  #: values that overrule the access answer's
    "answer": "",  #: the name of a refusal that every call about it gets
    "tags": (),
    "source": "periscope_ios_1.61",
    "chat": "invented",  #: invented | every_kind | none, or a list of [position, {body}]
    "chat_seconds": 7.0,  #: between invented messages
    "thumbnail_seconds": 10.0,
    "channel": "",  #: slug of the channel it is in
    "pushed": False,  #: its media came in by RTMP
    "switches": {},
}


def facts_of(scene: Scene) -> Mapping[str, Any]:
    """The table of a scene, as it stands in its file. Raises ValueError for a key that nobody reads."""
    told: Any = scene.extra.get("periscope", {})
    unknown = sorted(set(told) - set(DEFAULTS))
    if unknown:
        raise ValueError(f"scene {scene.name!r}: extra.periscope has no {', '.join(unknown)}")
    return told  # type: ignore[no-any-return]


def fact(scene: Scene, key: str) -> Any:
    """One of them, or its resting value."""
    return facts_of(scene).get(key, DEFAULTS[key])


def is_2016(scene: Scene) -> bool:
    return bool(fact(scene, "generation") == "2016")


def broadcast_of(world: World, broadcast_id: str) -> Scene | None:
    """A broadcast that the Periscope API knows."""
    scene = world.scene(broadcast_id)
    if scene is None or not is_known(scene):
        return None
    return scene


def is_known(scene: Scene) -> bool:
    return scene.kind is Kind.BROADCAST and bool(fact(scene, "listed")) and not fact(scene, "deleted")


def broadcasts(world: World) -> Iterator[Scene]:
    """All that the API knows."""
    return (scene for scene in world.scenes if is_known(scene))


def person_by(world: World, *, user_id: str = "", handle: str = "") -> Person | None:
    """Anybody of any broadcast, by Periscope id or by user name (any case)."""
    for scene in world.scenes:
        if scene.kind is not Kind.BROADCAST or not fact(scene, "listed"):
            continue
        for person in scene.people:
            if (user_id and person.periscope_id == user_id) or (handle and person.handle.lower() == handle.lower()):
                return person
    return None


def broadcasts_by(world: World, user_id: str) -> list[Scene]:
    """What a user broadcast, newest first."""
    own = [scene for scene in broadcasts(world) if scene.creator.periscope_id == user_id and scene.started_at]
    return sorted(own, key=lambda scene: scene.started_at or scene.created_at, reverse=True)
