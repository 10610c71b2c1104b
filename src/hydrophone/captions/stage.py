"""Whose microphone was open, and who was what on the stage, from when to when.

An open microphone is not speech; but where neither captions nor levels exist, it is the best hint of who speaks.

Source: chat reference, "Stage events" and "Microphones and stage".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from hydrophone.model import ChatKind, ChatMessage, Role, SpeakerSource, StageAction, Turn

_OPENS = StageAction.UNMUTED
_CLOSES = (StageAction.MUTED, StageAction.LEFT_STAGE, StageAction.REMOVED_FROM_STAGE, StageAction.REMOVED)
_ENTERS = (StageAction.SPEAKER, StageAction.HOST_AUDIO)
_LEAVES = (StageAction.LEFT_STAGE, StageAction.REMOVED_FROM_STAGE, StageAction.REMOVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class MicrophoneSpan:
    """An open microphone. `closed_by` is None where it was still open at the end."""

    person: str
    begin_seconds: float
    end_seconds: float
    closed_by: StageAction | None = None

    def as_turn(self) -> Turn:
        """As a hint of who speaks."""
        return Turn(
            speaker=self.person,
            begin_seconds=self.begin_seconds,
            end_seconds=self.end_seconds,
            source=SpeakerSource.MICROPHONES,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSpan:
    """What a person was, from when to when."""

    person: str
    role: Role
    begin_seconds: float
    end_seconds: float


@dataclass(frozen=True, slots=True)
class StageEvent:
    """One event, placed. `people` are those named beside the subject (who was made a co-host)."""

    seconds: float
    action: StageAction
    subject: str
    actor: str
    people: tuple[str, ...] = ()


class _Microphone(Enum):
    UNKNOWN = 0  #: nothing was said about it yet: it may be open since its owner came
    OPEN = 1
    CLOSED = 2


def microphone_spans(
    events: list[StageEvent], *, host: str = "", begin_seconds: float = 0.0, end_seconds: float
) -> list[MicrophoneSpan]:
    """Who could be heard, in order of beginning.

    Args:
        events: in any order; they are ordered by the audio's clock here.
        host: whose microphone "mute all" leaves alone, beside that of whoever does it.
        begin_seconds: when the chat began, for microphones that were open before anybody said so.
    """
    spans: list[MicrophoneSpan] = []
    states: dict[str, _Microphone] = {}
    since: dict[str, float] = {}

    def close(person: str, seconds: float, by: StageAction | None) -> None:
        state = states.get(person, _Microphone.UNKNOWN)
        # Off without on: open since its owner came on stage. Leaving without on: it never was.
        if state is _Microphone.OPEN or (state is _Microphone.UNKNOWN and by is StageAction.MUTED):
            begin = since.get(person, begin_seconds)
            spans.append(MicrophoneSpan(person=person, begin_seconds=begin, end_seconds=seconds, closed_by=by))
        states[person] = _Microphone.CLOSED

    for event in sorted(events, key=lambda event: event.seconds):
        person = event.subject
        if event.action is _OPENS and person:
            if states.get(person) is not _Microphone.OPEN:
                states[person], since[person] = _Microphone.OPEN, event.seconds
        elif event.action in _CLOSES and person:
            close(person, event.seconds, event.action)
        elif event.action in _ENTERS and person:
            if states.get(person) is not _Microphone.OPEN:
                states[person], since[person] = _Microphone.UNKNOWN, event.seconds
        elif event.action is StageAction.MUTED_ALL:
            for other in [one for one, state in states.items() if state is _Microphone.OPEN]:
                if other not in (host, event.actor):
                    close(other, event.seconds, event.action)
    for person, state in states.items():
        if state is _Microphone.OPEN:
            close(person, max(end_seconds, since[person]), None)
    return sorted(spans, key=lambda span: (span.begin_seconds, span.end_seconds))


def role_spans(events: list[StageEvent], *, end_seconds: float) -> list[RoleSpan]:
    """Who was speaker or co-host, in order of beginning. Those who were so before the chat began are not in it."""
    spans: list[RoleSpan] = []
    open_since: dict[tuple[str, Role], float] = {}

    def end(person: str, role: Role, seconds: float) -> None:
        begin = open_since.pop((person, role), None)
        if begin is not None:
            spans.append(RoleSpan(person=person, role=role, begin_seconds=begin, end_seconds=max(begin, seconds)))

    for event in sorted(events, key=lambda event: event.seconds):
        if event.action is StageAction.SPEAKER and event.subject:
            open_since.setdefault((event.subject, Role.SPEAKER), event.seconds)
        elif event.action in (StageAction.MADE_HOST, StageAction.HOST_AUDIO):
            for person in event.people if event.action is StageAction.MADE_HOST else (event.subject,):
                if person:
                    open_since.setdefault((person, Role.HOST), event.seconds)
        elif event.action is StageAction.NO_HOST:
            for person in event.people or (event.actor,):
                end(person, Role.HOST, event.seconds)
        elif event.action in _LEAVES:
            end(event.subject, Role.SPEAKER, event.seconds)
            end(event.subject, Role.HOST, event.seconds)
    for person, role in list(open_since):
        end(person, role, end_seconds)
    return sorted(spans, key=lambda span: (span.begin_seconds, span.end_seconds))


def is_stage_event(message: ChatMessage) -> bool:
    return message.kind is ChatKind.STAGE and message.action is not None
