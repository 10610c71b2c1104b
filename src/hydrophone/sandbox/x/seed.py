"""The one example of the earliest description, which the sandbox serves as it was printed there, byte for byte."""

from __future__ import annotations

import json
from typing import Any

from hydrophone.sandbox.serving import Answer
from hydrophone.sandbox.x.answers import JSON

SPACE_ID = "1vOxwdyYrlqKB"
MEDIA_KEY = "28_2013482329990144000"

_RECORD: dict[str, Any] = {
    "data": {
        "audioSpace": {
            "metadata": {
                "rest_id": SPACE_ID,
                "state": "Ended",
                "title": "Space Title",
                "media_key": MEDIA_KEY,
                "created_at": 1737549600000,
                "started_at": 1737549600000,
                "ended_at": 1737556800000,
                "is_space_available_for_replay": True,
                "total_replay_watched": 1234,
                "total_live_listeners": 5678,
                "creator_results": {"result": {"legacy": {"screen_name": "username", "name": "Display Name"}}},
            },
            "participants": {"total": 100, "admins": [], "speakers": []},
        }
    }
}
_LOCATION = (
    "https://prod-ec-us-east-1.video.pscp.tv/Transcoding/v1/hls/xxx/non_transcode/us-east-1/"
    "periscope-replay-direct-prod-us-east-1-public/audio-space/playlist_xxx.m3u8?type=replay"
)
_STATUS: dict[str, Any] = {
    "source": {
        "location": _LOCATION,
        "noRedirectPlaybackUrl": "...",
        "status": "ENDED",
        "streamType": "HLS",
    },
    "sessionId": "...",
    "chatToken": "...",
}


def seed_record() -> Answer:
    """The record, verbatim."""
    return _verbatim(_RECORD)


def seed_status(location: str | None = None) -> Answer:
    """The stream status, verbatim; for a program on loopback with the `location` that it can reach."""
    if location is None:
        return _verbatim(_STATUS)
    return _verbatim(_STATUS | {"source": _STATUS["source"] | {"location": location}})


def _verbatim(document: dict[str, Any]) -> Answer:
    body = json.dumps(document, indent=1, ensure_ascii=False).encode()
    return Answer(200, (("content-type", JSON),), body)
