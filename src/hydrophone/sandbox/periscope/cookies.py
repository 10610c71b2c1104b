"""The three CloudFront cookies that protect a replay of 2015 to 2017: made for an answer, checked by the CDN."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from hydrophone.sandbox.periscope.asking import Asked
from hydrophone.sandbox.periscope.thumbnails import KEY_PAIR
from hydrophone.sandbox.periscope.words import cloudfront, instant_text, seal
from hydrophone.sandbox.scene import Scene


def cookie_list(asked: Asked, scene: Scene) -> list[dict[str, Any]]:
    """The cookies as Go writes them."""
    lifetime = timedelta(seconds=float(asked.switches["cookie_lifetime_seconds"]))
    expires_at = asked.world.now() + lifetime
    policy = _policy(f"{asked.places.replay}/{scene.stream_key}*", expires_at)
    values = {
        "CloudFront-Policy": cloudfront(policy),
        "CloudFront-Signature": _signature(policy),
        "CloudFront-Key-Pair-Id": KEY_PAIR,
    }
    domain = ".periscope.tv" if asked.places.is_real else "127.0.0.1"
    return [_cookie(name, value, scene, domain, expires_at) for name, value in values.items()]


def _cookie(name: str, value: str, scene: Scene, domain: str, expires_at: datetime) -> dict[str, Any]:
    return {
        "Name": name,
        "Value": value,
        "Path": f"/{scene.stream_key}",
        "Domain": domain,
        "Expires": instant_text(expires_at, "cookie", in_pacific=True),
        "RawExpires": "",
        "MaxAge": 0,
        "Secure": False,
        "HttpOnly": False,
        "Raw": "",
        "Unparsed": None,
    }


def _policy(resource: str, expires_at: datetime) -> bytes:
    condition = {"DateLessThan": {"AWS:EpochTime": int(expires_at.timestamp())}}
    statement = {"Statement": [{"Resource": resource, "Condition": condition}]}
    return json.dumps(statement, separators=(",", ":")).encode()


def _signature(policy: bytes) -> str:
    return cloudfront((seal(policy) * 8)[:256])


def are_good(cookies: Mapping[str, str], stream_key: str, now: datetime) -> bool:
    """Whether these cookies open this stream now."""
    try:
        policy = base64.b64decode(cookies["CloudFront-Policy"].translate(str.maketrans("-_~", "+=/")), validate=True)
        statement = json.loads(policy)["Statement"][0]
        expires = int(statement["Condition"]["DateLessThan"]["AWS:EpochTime"])
        is_ours = hmac.compare_digest(cookies["CloudFront-Signature"], _signature(policy))
        is_pair = cookies["CloudFront-Key-Pair-Id"] == KEY_PAIR
    except (KeyError, ValueError, TypeError, IndexError):
        return False
    is_here = str(statement.get("Resource", "")).endswith(f"/{stream_key}*")
    return is_ours and is_pair and is_here and now.timestamp() < expires
