"""What the export of somebody's data says about a Space beside its audio: who spoke from when to when.

It goes into the journal as it was read, and comes back as turns and roles once the clock of the audio is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hydrophone.archive import Take
from hydrophone.audio import MediaClock, read_stage
from hydrophone.captions.directory import Directory
from hydrophone.captions.stage import RoleSpan
from hydrophone.model import ChatPerson, Role, SpeakerSource, Turn, UserId
from hydrophone.periscope.exported_speech import ExportedSpeech
from hydrophone.recorder.sources import Look

SPOKE = "spoke"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: A clock in the audio that is further from the record than this is wrong, or the file is of another Space.
_BELIEVABLE = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """Somebody spoke, in positions of the recording."""

    user_id: UserId
    begin_seconds: float
    end_seconds: float


def note_speech(take: Take, speech: Iterable[ExportedSpeech]) -> None:
    """Put the times into the journal, once however often an import is begun again."""
    if next(iter(take.events(SPOKE)), None) is not None:
        return
    for one in speech:
        ended = {"ended_at": one.ended_at.isoformat()} if one.ended_at else {}
        take.note(SPOKE, user_id=one.user_id, began_at=one.began_at.isoformat(), **ended)


def spoken_of(
    facts: Iterable[Mapping[str, Any]], clock: MediaClock, started_at: datetime | None, seconds: float
) -> list[Spoken]:
    """The times of a journal, placed on the audio and cut to its length; what lies outside of it is left out.

    Without any clock in the audio, the recording is taken to begin at `started_at`.
    """
    found = []
    for fact in facts:
        try:
            began_at = datetime.fromisoformat(str(fact["began_at"]))
            ended_at = datetime.fromisoformat(str(fact["ended_at"])) if fact.get("ended_at") else None
        except (KeyError, ValueError):
            continue
        begin = _position(began_at, clock, started_at)
        end = _position(ended_at, clock, started_at) if ended_at else seconds
        if begin is not None and end is not None and end > 0 and begin < min(end, seconds):
            found.append(
                Spoken(
                    user_id=UserId(str(fact.get("user_id") or "")),
                    begin_seconds=max(0.0, begin),
                    end_seconds=min(end, seconds),
                )
            )
    return sorted(found, key=lambda one: (one.begin_seconds, one.end_seconds, one.user_id))


def spoken_turns(spoken: Iterable[Spoken]) -> list[Turn]:
    """As turns, for a recording whose audio has no levels: somebody was on stage, which is a hint of who speaks."""
    return [
        Turn(
            # The form that Spaces derive from an X id: who keeps the directory knows that it names the same person.
            speaker=f"tw-{one.user_id}",
            begin_seconds=one.begin_seconds,
            end_seconds=one.end_seconds,
            source=SpeakerSource.MICROPHONES,
        )
        for one in spoken
        if one.user_id
    ]


def spoken_roles(
    spoken: Iterable[Spoken], people: Sequence[Mapping[str, Any]], directory: Directory
) -> tuple[RoleSpan, ...]:
    """What each was while they spoke: what the record says they were."""
    known = {str(one.get("user_id")): Role((one.get("roles") or ["speaker"])[0]) for one in people}
    return tuple(
        RoleSpan(
            person=directory.key_of(ChatPerson(user_id=one.user_id)),
            role=known.get(one.user_id, Role.SPEAKER),
            begin_seconds=one.begin_seconds,
            end_seconds=one.end_seconds,
        )
        for one in spoken
        if one.user_id
    )


def audio_began_at(head: bytes, look: Look) -> datetime | None:
    """When the audio begins by its own clock; what the record says where it has none, or one beyond belief. Pure.

    A Space may have been created long before it was opened, and the export tells only the former.
    """
    for sample in read_stage(head):
        if sample.unix_us is None:
            continue
        at = _EPOCH + timedelta(microseconds=sample.unix_us)
        told = look.started_at or look.created_at or look.ended_at
        last = look.ended_at or told
        if told is None or last is None or told - _BELIEVABLE <= at <= last + _BELIEVABLE:
            return at.replace(microsecond=at.microsecond // 1000 * 1000)
        break
    return look.started_at


def _position(at: datetime, clock: MediaClock, started_at: datetime | None) -> float | None:
    if len(clock):
        found = clock.position((at - _EPOCH) // timedelta(microseconds=1))
        if found is not None:
            return found.seconds
    return (at - started_at).total_seconds() if started_at else None
