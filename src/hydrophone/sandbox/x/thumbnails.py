"""Thumbnails of broadcasts: URLs with a size and a token in them, and the pictures behind.

Source: web endpoint reference, "broadcasts/show.json".
"""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any

from hydrophone.sandbox.scene import Scene
from hydrophone.sandbox.serving import Answer
from hydrophone.sandbox.x.addresses import Addresses
from hydrophone.sandbox.x.answers import empty_answer
from hydrophone.sandbox.x.pictures import thumbnail
from hydrophone.sandbox.x.tokens import is_ours, sign

PATH = r"/Transcoding/v1/live_thumbnail/(?P<region>[a-z0-9-]+)/(?P<size>[\w-]+)/(?P<key>[\w-]+)/latest\.jpg"


def thumbnail_url(scene: Scene, addresses: Addresses, now: datetime, *, width: int) -> str:
    """Where the thumbnail of this width is; 0 is the original."""
    size = base64.urlsafe_b64encode(json.dumps({"d": width}, separators=(",", ":")).encode()).decode().rstrip("=")
    token = sign({"u": scene.id, "exp": int(now.timestamp()) + 86_400})
    return (
        f"{addresses.cdn(scene.region)}/Transcoding/v1/live_thumbnail/{scene.region}/{size}/{scene.stream_key}"
        f"/latest.jpg?token={token}&service=proxsee&digest={scene.stream_key[:43]}&ts={int(now.timestamp())}"
    )


def thumbnail_answer(size: str, key: str, token: str) -> Answer:
    """The picture, 403 without a token of ours."""
    if not is_ours(token):
        return empty_answer(403)
    try:
        wanted: Any = json.loads(base64.urlsafe_b64decode(size + "=" * (-len(size) % 4)))["d"]
    except (ValueError, KeyError, TypeError):
        return empty_answer(404)
    width = min(int(wanted) or 1280, 1280)
    return Answer(200, (("content-type", "image/jpeg"),), thumbnail(key, width, width * 9 // 16))
