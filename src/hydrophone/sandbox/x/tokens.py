"""The tokens that ride along with a stream: JSON web tokens with the claims the service puts in, really signed.

The signature only has to be of the right kind; nobody but the sandbox knows or checks its key.

Source: web endpoint reference, "live_video_stream/status".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

_KEY = b"the sandbox signs with this; it opens nothing anywhere"
_LIFETIME_SECONDS = 24 * 3600


def chat_token(*, broadcast_id: str, viewer_id: str, participant_index: int, is_live: bool, issued: int) -> str:
    """The token for the chat. It names the signed-in account; for a guest `viewer_id` is empty."""
    owner = base64.b64encode(f'{{"TwitterUserId": {viewer_id}}}'.encode()).decode() if viewer_id else ""
    return sign(
        {
            "exp": issued + _LIFETIME_SECONDS,
            "ambiguous_user_id": owner,
            "broadcast_id": broadcast_id,
            "low_latency": is_live and bool(viewer_id),
            "read_only": not is_live or not viewer_id,
            "participant_index": participant_index,
        }
    )


def lifecycle_token(*, broadcast_id: str, participant_index: int, is_live: bool, issued: int) -> str:
    """The token with which a player would report that it watches."""
    return sign(
        {
            "exp": issued + _LIFETIME_SECONDS,
            "broadcast_id": broadcast_id,
            "created": issued,
            "ignore": False,
            "participant_index": participant_index,
            "is_live": is_live,
            "is_highlights": False,
            "token_version": 1,
        }
    )


def sign(claims: dict[str, Any]) -> str:
    """`claims` as a JSON web token, HS256."""
    head = _part({"alg": "HS256", "typ": "JWT"})
    body = _part(claims)
    seal = hmac.new(_KEY, f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{_base64url(seal)}"


def is_ours(token: str) -> bool:
    """Whether this token was signed here."""
    head, _, rest = token.partition(".")
    body, _, seal = rest.partition(".")
    expected = hmac.new(_KEY, f"{head}.{body}".encode(), hashlib.sha256).digest()
    return hmac.compare_digest(seal, _base64url(expected))


def _part(value: dict[str, Any]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")
