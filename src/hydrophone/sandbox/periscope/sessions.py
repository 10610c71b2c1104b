"""Who is who: session tokens that pages give out, the cookie ``sid`` of people who signed in."""

from __future__ import annotations

import base64
import json
import secrets
from collections import OrderedDict
from dataclasses import dataclass

from hydrophone.sandbox.periscope.answers import NAMED, failed
from hydrophone.sandbox.periscope.asking import Asked
from hydrophone.sandbox.periscope.facts import person_by
from hydrophone.sandbox.periscope.words import envelope, opaque, open_envelope
from hydrophone.sandbox.scene import Person
from hydrophone.sandbox.serving import Answer
from hydrophone.sandbox.world import World

#: Length of a session token for anonymous visitors, and of the useless one for those who are signed in.
LENGTHS = {"broadcastHistory": (113, 101), "thumbnailPlaylist": (121, 113), "serviceToken": (109, 101)}
MAX_TOKENS = 100_000


@dataclass(frozen=True, slots=True)
class Grant:
    """What a session token allows: `kind` of call, for one user's broadcasts, until an instant."""

    kind: str
    user_id: str
    expires_us: int
    is_public: bool


class Sessions:
    """All tokens that are out."""

    def __init__(self) -> None:
        self._grants: OrderedDict[str, Grant] = OrderedDict()

    def issue(self, kind: str, user_id: str, expires_us: int, *, is_public: bool) -> str:
        token = opaque("1", LENGTHS[kind][0 if is_public else 1])
        self._grants[token] = Grant(kind, user_id, expires_us, is_public)
        if len(self._grants) > MAX_TOKENS:
            self._grants.popitem(last=False)
        return token

    def find(self, token: str) -> Grant | None:
        return self._grants.get(token)


def refuse_token(asked: Asked, kind: str, user_id: str) -> Answer | None:
    """None when the token of the request is good for this call about this user (empty: any user)."""
    grant = asked.world.room(Sessions).find(asked.text("session_id"))
    if not asked.text("session_id"):
        return NAMED["400"]
    is_good = grant is not None and grant.is_public and grant.kind == kind and asked.now_us < grant.expires_us
    if is_good and grant is not None and user_id in ("", grant.user_id):
        return None
    how = str(asked.switches["stale_token"])
    return failed(200, "Unauthorized") if how == "success_false" else NAMED[how]


def sid_of(person: Person, expires: int) -> str:
    """A cookie ``sid`` for somebody: a secret that names its owner."""
    session = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    payload = {"UserId": person.periscope_id, "Session": session, "Version": 1}
    return envelope(json.dumps(payload, separators=(",", ":")).encode(), expires, padded=True)


def signed_in(asked: Asked) -> Person | None:
    """Who asks, by the cookie in the body, in the query, or in the header; None for strangers."""
    if asked.switches["sessions"] != "ok":
        return None
    has_header = asked.exchange.header("x-periscope-csrf") == "Periscope" or asked.exchange.method == "GET"
    sid = asked.text("cookie") or (asked.exchange.cookies.get("sid", "") if has_header else "")
    return owner_of(asked.world, sid)


def owner_of(world: World, sid: str) -> Person | None:
    opened = open_envelope(sid)
    if opened is None or world.now().timestamp() >= opened[0]:
        return None
    try:
        return person_by(world, user_id=str(json.loads(opened[1])["UserId"]))
    except (ValueError, KeyError, TypeError):
        return None
