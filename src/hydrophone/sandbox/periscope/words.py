"""How the service spells things: Go's JSON, instants of nine digits in two zones, ids, opaque strings, share tokens."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import struct
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hydrophone.sandbox.scene import SAFE_LETTERS, invented_number

NOT_SET = "0001-01-01T00:00:00Z"
_MAC_KEY = b"the sandbox seals with this; it opens nothing anywhere"
_ESCAPES = {"&": "\\u0026", "<": "\\u003c", ">": "\\u003e", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def go_json(value: Any) -> bytes:
    """JSON as Go writes it: three characters escaped for the sake of browsers, everything else as it is."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for plain, escaped in _ESCAPES.items():
        text = text.replace(plain, escaped)
    return text.encode("utf-8", "replace")


def instant_text(instant: datetime | None, *salt: object, in_pacific: bool = False) -> str:
    """RFC 3339 with nine digits, the last three invented; in Pacific time until 2017."""
    if instant is None:
        return NOT_SET
    nano = f"{instant.microsecond:06d}{invented_number('nano', instant, *salt) % 1000:03d}"
    if not in_pacific:
        return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{nano}Z"
    hours = pacific_hours(instant)
    shown = instant.astimezone(timezone(timedelta(hours=hours)))
    return f"{shown:%Y-%m-%dT%H:%M:%S}.{nano}-{-hours:02d}:00"


def pacific_hours(instant: datetime) -> int:
    """-7 in summer, -8 in winter: from the second Sunday of March to the first of November, at two in the morning."""
    year = instant.astimezone(UTC).year
    march = datetime(year, 3, 8, 10, tzinfo=UTC)
    november = datetime(year, 11, 1, 9, tzinfo=UTC)
    begins = march + timedelta(days=(6 - march.weekday()) % 7)
    ends = november + timedelta(days=(6 - november.weekday()) % 7)
    return -7 if begins <= instant < ends else -8


# ---------------------------------------------------------------- ids


def broadcast_id(*words: object) -> str:
    """A broadcast id by the rule of the service: characters 4 and 12 are of four letters only."""
    return _id("broadcast", "GJKx", *words)


def user_id(*words: object) -> str:
    return _id("user", "EKQj", *words)


def _id(kind: str, fourth: str, *words: object) -> str:
    letters = [SAFE_LETTERS[invented_number(kind, place, *words) % len(SAFE_LETTERS)] for place in range(12)]
    letters[2] = fourth[invented_number(kind, "fourth", *words) % 4]
    if kind == "broadcast":
        letters[10] = "GJKx"[invented_number(kind, "twelfth", *words) % 4]
    return "1" + "".join(letters)


# ---------------------------------------------------------------- opaque strings


def opaque(version: str, length: int) -> str:
    """A token that means nothing to its bearer: a version character, then base64url without padding."""
    return (version + base64.urlsafe_b64encode(secrets.token_bytes(length)).decode())[:length]


def steady(version: str, length: int, *words: object) -> str:
    """The same, but always the same for the same words."""
    raw = hashlib.shake_128("/".join(map(str, words)).encode()).digest(length)
    return (version + base64.urlsafe_b64encode(raw).decode())[:length]


def seal(payload: bytes) -> bytes:
    return hmac.new(_MAC_KEY, payload, hashlib.sha256).digest()


def envelope(payload: bytes, expires: int, *, padded: bool) -> str:
    """Expiry, payload and MAC in base64url: the form of share tokens and of the cookie ``sid``."""
    body = struct.pack(">I", expires) + payload
    text = base64.urlsafe_b64encode(body + seal(body)).decode()
    return text if padded else text.rstrip("=")


def open_envelope(token: str) -> tuple[int, bytes] | None:
    """Expiry and payload of an envelope that was sealed here, else None."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    if len(raw) < 37 or not hmac.compare_digest(seal(raw[:-32]), raw[-32:]):
        return None
    return struct.unpack(">I", raw[:4])[0], raw[4:-32]


def share_token(sharer: str, broadcast: str, shared_at: datetime) -> str:
    """The token of a shared link: ten calendar years of life, who shared it, what."""
    try:
        expires_at = shared_at.replace(year=shared_at.year + 10)
    except ValueError:  # shared on 29 February
        expires_at = shared_at.replace(year=shared_at.year + 10, month=3, day=1)
    return envelope(f"{sharer}|{broadcast}".encode(), int(expires_at.timestamp()), padded=False)


def cloudfront(data: bytes) -> str:
    """Base64 in the alphabet of CloudFront's cookies and signed URLs."""
    return base64.b64encode(data).decode().translate(str.maketrans("+=/", "-_~"))
