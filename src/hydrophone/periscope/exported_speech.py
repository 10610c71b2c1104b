"""Who spoke in a Space, each time from when to when, as the export of its host's data lists it.

The form is reconstructed: the fields may be called otherwise, an end may be missing, and somebody may be listed with
nothing but an id.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from hydrophone.errors import WireError
from hydrophone.http.reading import Node, node_of
from hydrophone.model import Space, UserId

_MOST = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedSpeech:
    """One time that somebody spoke. `ended_at` is None where it was not over when the export was made."""

    user_id: UserId
    began_at: datetime
    ended_at: datetime | None = None


def speech_of(space: Space) -> list[ExportedSpeech]:
    """All times that the export's record of a Space names, in order; those without a beginning are left out. Pure."""
    try:
        record = node_of(space.raw or {}, "spaces-metadata")
    except WireError:
        return []
    found = set(_each(record))
    return sorted(found, key=lambda one: (one.began_at, one.user_id, one.ended_at or one.began_at))[:_MOST]


def _each(record: Node) -> Iterator[ExportedSpeech]:
    for speaker in record.at("speakers").items():
        user_id = speaker.first("userId", "id").some_text()
        if not user_id:
            continue
        # One element may hold one time, or all of them in a list of its own.
        for span in list(speaker.first("spans", "times", "sessions").items()) or [speaker]:
            began_at = span.first("startedAt", "start", "startTime").instant()
            ended_at = span.first("endedAt", "end", "endTime").instant()
            if began_at is not None and (ended_at is None or ended_at > began_at):
                yield ExportedSpeech(user_id=UserId(user_id), began_at=began_at, ended_at=ended_at)
