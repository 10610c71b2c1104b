"""The calls that anybody may make: users, broadcasts, their history, thumbnails, views, searches."""

from __future__ import annotations

import re
from typing import Any

from hydrophone.sandbox.periscope.access import access_record, may_watch, replay_location
from hydrophone.sandbox.periscope.answers import NAMED, failed, said
from hydrophone.sandbox.periscope.asking import Asked
from hydrophone.sandbox.periscope.facts import broadcast_of, broadcasts, broadcasts_by, fact, person_by
from hydrophone.sandbox.periscope.records import broadcast_record, state_of, user_record
from hydrophone.sandbox.periscope.sessions import refuse_token, signed_in
from hydrophone.sandbox.periscope.shelf import key_of
from hydrophone.sandbox.periscope.thumbnails import thumbnail_list
from hydrophone.sandbox.periscope.words import opaque, open_envelope, steady
from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.serving import Answer
from hydrophone.sandbox.x.tokens import is_ours, sign

USER_ID = re.compile(r"[0-9]{1,12}|1[0-9A-Za-z]{12}")
DAY_SECONDS = 86_400
MOST = 100


def get_user(asked: Asked) -> Answer:
    """`getUserPublic` by `user_id` or `user_name`."""
    wanted_id, wanted_name = asked.text("user_id"), asked.text("user_name")
    if not wanted_id and not wanted_name:
        return NAMED["400"]
    if wanted_id and _is_malformed(asked, wanted_id):
        return NAMED["400"]
    person = person_by(asked.world, user_id=wanted_id, handle="" if wanted_id else wanted_name)
    return NAMED["404"] if person is None else said({"user": user_record(asked, person, in_pacific=_is_old(asked))})


def _is_malformed(asked: Asked, user_id: str) -> bool:
    return not (user_id.isdigit() if asked.switches["integer_user_ids"] else USER_ID.fullmatch(user_id))


def _is_old(asked: Asked) -> bool:
    return asked.switches["layout"] in ("2015", "mid2016", "2016")


def get_history(asked: Asked) -> Answer:
    """`getUserBroadcastsPublic`: with `all`, everything; without it the last day. Newest first."""
    user_id = asked.text("user_id")
    if not user_id or _is_malformed(asked, user_id):
        return NAMED["400"]
    refusal = refuse_token(asked, "broadcastHistory", user_id)
    if refusal is not None:
        return refusal
    if person_by(asked.world, user_id=user_id) is None:
        return NAMED["404"]
    found = [scene for scene in broadcasts_by(asked.world, user_id) if _is_public(asked, scene)]
    if asked.text("all").lower() != "true":
        now = asked.world.now()
        found = [s for s in found if s.started_at and (now - s.started_at).total_seconds() < DAY_SECONDS]
    return said(_page_of(asked, found))


def _is_public(asked: Asked, scene: Scene) -> bool:
    return not fact(scene, "private") and state_of(asked, scene) != "NOT_STARTED"


def _page_of(asked: Asked, found: list[Scene]) -> dict[str, Any]:
    size = int(asked.switches["history_page_size"])
    if not size:
        return {"broadcasts": [broadcast_record(asked, scene, in_list=True) for scene in found[:MOST]]}
    cursors = [steady("", 32, "history", place) for place in range(0, len(found) + size, size)]
    page = cursors.index(asked.text("cursor")) if asked.text("cursor") in cursors else 0
    end = (page + 1) * size
    cursor = cursors[page + 1] if end < len(found) else ""
    if asked.switches["history_cursor"] == "same":
        cursor = cursors[0]
    elif asked.switches["history_cursor"] == "circle" and not cursor:
        cursor = cursors[1 if len(cursors) > 1 else 0]
    shown = found[page * size : end]
    return {"broadcasts": [broadcast_record(asked, scene, in_list=True) for scene in shown], "cursor": cursor}


def get_broadcast(asked: Asked) -> Answer:
    """`getBroadcastPublic`: the record, its user, its audience."""
    if not asked.text("broadcast_id"):
        return NAMED["400"]
    scene = broadcast_of(asked.world, asked.text("broadcast_id"))
    if scene is None:
        return NAMED["404"]
    if fact(scene, "answer"):
        return NAMED[str(fact(scene, "answer"))]
    seen, is_live = scene.audience_at(asked.world.now()), state_of(asked, scene) == "RUNNING"
    return said(
        {
            "broadcast": broadcast_record(asked, scene),
            "user": user_record(asked, scene.creator),
            "n_watching": seen.listeners if is_live else 0,
            "n_watched": seen.total or seen.listeners,
        }
    )


def get_broadcasts(asked: Asked) -> Answer:
    """`getBroadcastsPublic`: a bare array, without those that nobody knows."""
    wanted = asked.names("broadcast_ids")
    if not wanted:
        return NAMED["400"]
    found = (broadcast_of(asked.world, name) for name in wanted)
    return said([broadcast_record(asked, scene, in_list=True) for scene in found if scene])


def get_cards(asked: Asked) -> Answer:
    """`_getBroadcastsCardsPublic`: what a card in a post asks for every 20 s. Its replay is a redirector."""
    cards = []
    for name in asked.names("broadcast_ids"):
        scene = broadcast_of(asked.world, name)
        if scene is None:
            continue
        urls = access_record(asked, scene, viewer=None)
        is_live = "hls_url" in urls
        has_replay = not is_live and replay_location(asked, scene) is not None and not fact(scene, "private")
        redirector = f"{asked.places.api}/api/v2/getAccessPublic?broadcast_id={scene.id}&replay_redirect=true"
        cards.append(
            {
                "broadcast": broadcast_record(asked, scene),
                "video": {"hls_url": urls.get("hls_url", ""), "replay_url": redirector if has_replay else ""},
                "participants_count": scene.audience_at(asked.world.now()).total,
            }
        )
    return said({"Broadcasts": cards})


def get_thumbnails(asked: Asked) -> Answer:
    """`publicReplayThumbnailPlaylist`, with the token of the page of that user."""
    scene = broadcast_of(asked.world, asked.text("broadcast_id"))
    if scene is None:
        return NAMED["404"]
    refusal = refuse_token(asked, "thumbnailPlaylist", scene.creator.periscope_id)
    return said(thumbnail_list(asked, scene)) if refusal is None else refusal


def authorize_token(asked: Asked) -> Answer:
    """`authorizeTokenPublic`: a service token becomes a token for the channels service."""
    refusal = refuse_token(asked, "serviceToken", "")
    if refusal is not None:
        return refusal
    expires = int(asked.world.now().timestamp()) + 3600
    return said({"authorization_token": sign({"exp": expires, "perms": 1, "user_id": "web-7c1e2f40-sandbox"})})


def find_by_share_token(asked: Asked) -> Answer:
    """`getBroadcastIdForShareToken`: 400 for junk."""
    opened = open_envelope(asked.text("token"))
    parts = opened[1].decode("ascii", "replace").split("|") if opened else []
    return said({"broadcast_id": parts[1]}) if len(parts) == 2 else NAMED["400"]


def search(asked: Asked) -> Answer:
    """`broadcastSearchPublic` and `broadcastSearch`: a bare array; `include_replay` brings ended ones too."""
    words = asked.text("search").lower()
    if not words:
        return NAMED["400"]
    found = []
    for scene in broadcasts(asked.world):
        if words not in f"{scene.title} {scene.creator.handle} {scene.creator.name}".lower():
            continue
        if _is_public(asked, scene) and (
            state_of(asked, scene) == "RUNNING" or asked.text("include_replay").lower() == "true"
        ):
            more = {"sort_score": 1.5, "is_trusted": True}
            found.append(broadcast_record(asked, scene, in_list=True) | more)
    return said(found)


def list_feed(asked: Asked) -> Answer:
    """Every feed: what is running now."""
    running = [s for s in broadcasts(asked.world) if _is_public(asked, s) and state_of(asked, s) == "RUNNING"]
    return said([broadcast_record(asked, scene, in_list=True) for scene in running])


def list_ranked(asked: Asked) -> Answer:
    """`_getRankedFeedPublic`: ids alone."""
    return said([scene.id for scene in broadcasts(asked.world) if state_of(asked, scene) == "RUNNING"])


# ---------------------------------------------------------------- views


def start_view(asked: Asked) -> Answer:
    """`startPublic`, `replayViewedPublic` and their private twins: a session, and the view is counted."""
    if not is_ours(asked.text("life_cycle_token")):
        return NAMED["400"]
    asked.world.room(Views).count += 1
    return said({"session": opaque("1", 101)})


def keep_view(asked: Asked) -> Answer:
    """The pings and the stops."""
    return said({"success": True}) if asked.text("session") else NAMED["400"]


class Views:
    """How many views were counted: none, if a recorder behaves."""

    def __init__(self) -> None:
        self.count = 0


def succeed(asked: Asked) -> Answer:
    return said({"success": True})


def fail_softly(asked: Asked) -> Answer:
    """A failure in disguise, as `follow` answers for an unknown user."""
    return failed(200, "Not Found")


# ---------------------------------------------------------------- keys


def answer_key(asked: Asked) -> Answer:
    """`hlsEncryptionKey`: bytes for those who may watch; gone with the broadcast."""
    viewer = signed_in(asked)
    scene = asked.world.scene_by_stream_key(asked.text("stream_name"))
    if scene is None or fact(scene, "deleted"):
        return NAMED["404"]
    if viewer is None or not may_watch(scene, viewer):
        return NAMED["401"]
    if not fact(scene, "private"):
        return NAMED["404"]
    return Answer(200, (("content-type", "application/octet-stream"),), key_of(scene))
