"""Share tokens: the part of an old Periscope link that names a broadcast, who shared it, and until when.

A token is base64url of four bytes of expiry, an ASCII payload, and a MAC of 32 bytes whose key nobody knows. The cookie
`sid` has the same envelope with JSON inside.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from hydrophone.links.periscope_ids import is_broadcast_id, is_user_id
from hydrophone.model import BroadcastId, PeriscopeUserId

_MAC_BYTES = 32
_EXPIRY_BYTES = 4
_TOKEN = re.compile(r"[A-Za-z0-9_-]{50,400}={0,2}")
_LIFE_YEARS = 10


@dataclass(frozen=True, slots=True)
class ShareToken:
    """What a share token says. `shared_by` is often not the broadcaster."""

    broadcast_id: BroadcastId
    shared_by: PeriscopeUserId
    expires_at: datetime

    @property
    def made_at(self) -> datetime:
        """When it was shared: ten calendar years before it expires, to the second."""
        try:
            return self.expires_at.replace(year=self.expires_at.year - _LIFE_YEARS)
        except ValueError:  # 29 February
            return self.expires_at.replace(year=self.expires_at.year - _LIFE_YEARS, month=3, day=1)


def read_share_token(token: str) -> ShareToken | None:
    """What a share token says, None for anything that is no whole one."""
    opened = _open(token)
    if opened is None:
        return None
    expires_at, payload = opened
    parts = payload.split("|") if payload.isascii() else []
    if len(parts) != 2 or not is_user_id(parts[0]) or not is_broadcast_id(parts[1]):
        return None
    # What is left of a cut token ends too early, and the first letter of a newer id would pass for a decimal one.
    if parts[1] == "1":
        return None
    return ShareToken(BroadcastId(parts[1]), PeriscopeUserId(parts[0]), expires_at)


def read_token_owner(sid: str) -> PeriscopeUserId | None:
    """The user that a `sid` cookie belongs to, None where it does not say."""
    opened = _open(sid)
    try:
        content = json.loads(opened[1]) if opened else None
    except (ValueError, RecursionError):
        return None
    owner = content.get("UserId") if isinstance(content, dict) else None
    return PeriscopeUserId(owner) if isinstance(owner, str) and is_user_id(owner) else None


def _open(token: str) -> tuple[datetime, str] | None:
    """Expiry and payload of the envelope."""
    if not _TOKEN.fullmatch(token):
        return None
    bare = token.rstrip("=")
    try:
        data = base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
        payload = data[_EXPIRY_BYTES:-_MAC_BYTES].decode("utf-8")
    except ValueError:
        return None
    if not payload:
        return None
    return datetime.fromtimestamp(int.from_bytes(data[:_EXPIRY_BYTES], "big"), UTC), payload
