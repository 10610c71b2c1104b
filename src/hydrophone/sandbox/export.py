"""Writes what X gives a host who asks for their data: a ZIP file with the records of their Spaces, and the audio.

The audio is what the CDN serves, segment by segment, joined as it is: frames with all their tags, in files that are
called ``.ts`` and are none. Records are made of the scene alone; nothing says what a Space was called.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hydrophone.sandbox.scene import Kind, Person, Scene
from hydrophone.sandbox.segments import SegmentMaker
from hydrophone.sandbox.space_chat.clock import PositionClock
from hydrophone.sandbox.timeline import Timeline

#: What most accounts have: files that are there and empty.
EMPTY = (
    "periscope-account-information",
    "periscope-ban-information",
    "periscope-broadcast-metadata",
    "periscope-comments-made-by-user",
    "periscope-expired-broadcasts",
    "periscope-followers",
    "periscope-profile-description",
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MADE = (2026, 1, 1, 0, 0, 0)


def write_export(path: Path, scenes: Sequence[Scene], *, media: Sequence[str] | None = None, parts: int = 1) -> Path:
    """A ZIP file at `path` with these Spaces, all by the creator of the first one. Each must have an end.

    Args:
        media: ids of the Spaces whose audio is in it; None for all. X leaves out what it keeps no more.
        parts: in so many files each audio comes.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        _add(made, "Your archive.html", b"<!doctype html><title>Your archive</title>")
        _add(made, "data/README.txt", b"What is in here, file by file.\n")
        for name in EMPTY:
            _add(made, f"data/{name}.js", _assignment(name, []))
        _add(made, "data/spaces-metadata.js", _assignment("spaces-metadata", [_record(scene) for scene in scenes]))
        for scene in scenes:
            if media is None or scene.id in media:
                _add_audio(made, scene, parts)
        _add(made, "data/manifest.js", _manifest(scenes))
    return path


def _add_audio(made: zipfile.ZipFile, scene: Scene, parts: int) -> None:
    if scene.kind is not Kind.AUDIO or scene.origin_at is None or scene.segment_count is None:
        raise ValueError("an audio Space with an end, on the clock, is needed: scene.at(instant)")
    timeline, maker = Timeline(scene), SegmentMaker(scene)
    places = [place for place in range(scene.segment_count) if place not in scene.quirks.holes]
    size = -(-len(places) // parts)
    for part in range(parts):
        info = zipfile.ZipInfo(f"data/spaces_media/space-{scene.id}_{part}.ts", _MADE)
        with made.open(info, "w") as out:
            for place in places[part * size : (part + 1) * size]:
                out.write(maker.body(timeline.piece(place)))


def _add(made: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _MADE)
    info.compress_type = zipfile.ZIP_DEFLATED
    made.writestr(info, data)


def _assignment(name: str, value: Any) -> bytes:
    return f"window.YTD.{name.replace('-', '_')}.part0 = {json.dumps(value, indent=2)}".encode()


def _manifest(scenes: Sequence[Scene]) -> bytes:
    owner = scenes[0].creator
    topics = dict.fromkeys(EMPTY, 0) | {"spaces-metadata": len(scenes)}
    value = {
        "userInfo": {"accountId": owner.user_id, "userName": owner.handle, "displayName": owner.name},
        "archiveInfo": {
            "sizeBytes": "0",
            "generationDate": "2026-01-01T00:00:00.000Z",
            "isPartialArchive": False,
            "maxPartSizeBytes": "53687091200",
        },
        "dataTypes": {
            _camel(name): {
                "files": [
                    {
                        "fileName": f"data/{name}.js",
                        "globalName": f"YTD.{name.replace('-', '_')}.part0",
                        "count": str(count),
                    }
                ]
            }
            for name, count in topics.items()
        }
        | {"spacesMedia": {"mediaDirectory": "data/spaces_media"}},
    }
    return f"window.__THAR_CONFIG = {json.dumps(value, indent=2)}".encode()


def _record(scene: Scene) -> dict[str, Any]:
    if scene.started_at is None or scene.ended_at is None:
        raise ValueError("a scene with an end, on the clock, is needed: scene.at(instant)")
    hosts = [person.user_id for person in scene.people if person.role in ("creator", "host")]
    return {
        "spacesMetadata": {
            "id": scene.id,
            "creatorUserId": scene.creator.user_id,
            "hostUserIds": hosts,
            "speakers": list(_speakers(scene)),
            "createdAt": _text(scene.created_at),
            "endedAt": _text(scene.ended_at),
            "totalParticipating": 0,
            "totalParticipated": max((one.total or one.listeners for one in scene.audience), default=0),
            "invitedUserIds": [],
        }
    }


def _speakers(scene: Scene) -> Iterator[dict[str, str]]:
    """Everybody who was on stage, from coming to leaving, by the clock on the wall."""
    clock = PositionClock(scene, Timeline(scene))
    for person in scene.people:
        if person.role == "listener":
            continue
        yield {
            "userId": person.user_id,
            "startedAt": _text(_EPOCH + timedelta(microseconds=clock.wall_us(_came(person)))),
            "endedAt": _text(
                scene.ended_at
                if person.leaves is None
                else _EPOCH + timedelta(microseconds=clock.wall_us(person.leaves, before_seam=True))
            ),
        }


def _came(person: Person) -> float:
    return 0.0 if person.role == "creator" else person.comes


def _text(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else ""


def _camel(name: str) -> str:
    first, *rest = name.split("-")
    return first + "".join(word.capitalize() for word in rest)
