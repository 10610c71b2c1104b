"""All that the chat and the levels say about a recording, gathered in one pass.

`TranscriptBuilder` digests messages in order of arrival, without doubles. What comes out is the transcript, the events
in order, open microphones, roles, and who was there. Unfinished captions leave nothing behind; so memory grows with
what is said and done, not with the number of messages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hydrophone.captions.aligning import TurnIndex, confirm_speakers
from hydrophone.captions.directory import Directory, see_record
from hydrophone.captions.merging import CueMerger, MergeTotals, Place
from hydrophone.captions.stage import MicrophoneSpan, RoleSpan, StageEvent, microphone_spans, role_spans
from hydrophone.model import (
    ChatKind,
    ChatMessage,
    ChatPerson,
    Cue,
    MissingStretch,
    Participant,
    PeriscopeUserId,
    SpeakerSource,
    Transcript,
    Turn,
    User,
    WordSource,
)

#: Socket and history tell of the same arrival, one signed and one not; nobody joins twice within this time.
SAME_ARRIVAL_SECONDS = 10.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUIET = (ChatKind.CAPTION, ChatKind.TYPING, ChatKind.UNREADABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEvent:
    """Something that happened, other than speech.

    `person` is whom it is about, `by` who did it where that is somebody else; both are keys of the account's people.
    `at` is the instant in the audio.
    """

    seconds: float
    at: datetime | None
    kind: str
    person: str = ""
    by: str = ""
    text: str = ""
    is_approximate: bool = False
    facts: Mapping[str, str | int | float | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What is known about a recording beside its audio. `directory` knows everybody whose key appears anywhere."""

    transcript: Transcript
    events: tuple[TimelineEvent, ...]
    microphones: tuple[MicrophoneSpan, ...]
    roles: tuple[RoleSpan, ...]
    directory: Directory
    counts: Mapping[str, int]  #: messages by kind
    merging: MergeTotals
    host: str = ""  #: the creator's key, where it is known

    def reactions(self) -> list[tuple[float, str]]:
        """Position and emoji of each reaction; a heart that says nothing is a heart."""
        kinds = (ChatKind.REACTION.value, ChatKind.SUPER_HEART.value)
        return [(event.seconds, event.text or "❤") for event in self.events if event.kind in kinds]


class TranscriptBuilder:
    """Digest messages, then `finish`.

    Args:
        place: where in the recording a message belongs.
        people: whom the record names; the first `Participant` or `User` for an id wins.
        host: who the creator is: levels and "mute all" do not say.
        room: messages of other rooms are counted and passed over; "" takes all.
    """

    def __init__(
        self,
        place: Place,
        *,
        people: Iterable[Participant | User] = (),
        host: ChatPerson | None = None,
        room: str = "",
    ) -> None:
        self.directory = Directory()
        self._place = place
        self._room = room
        if host is not None:
            self.directory.see(host)
        see_record(self.directory, people)
        self._host = host
        self._merger = CueMerger(place, name_speaker=self._speaker_of)
        self._cues: list[Cue] = []
        self._events: list[TimelineEvent] = []
        self._stage: list[StageEvent] = []
        self._counts: Counter[str] = Counter()
        self._last_arrival: dict[tuple[str, str], float] = {}
        self._begin: float | None = None

    def see(self, message: ChatMessage) -> Cue | None:
        """Digest one message; the cue that it finishes, if it does."""
        if self._room and message.room and message.room != self._room:
            self._counts["other room"] += 1
            return None
        self._counts[message.kind.value] += 1
        if message.kind is ChatKind.CAPTION:
            cue = self._merger.see(message)
            if cue is not None:
                self._cues.append(cue)
            return cue
        self._learn(message)
        if message.kind not in _QUIET:
            self._note(message)
        return None

    @property
    def has_cues(self) -> bool:
        """Has anybody said anything yet?"""
        return bool(self._cues or self._merger.open_cues())

    def open_cues(self) -> list[Cue]:
        """What is being said at the moment, for a live view."""
        return self._merger.open_cues()

    def finish(
        self,
        *,
        seconds: float,
        turns: Iterable[Turn] = (),
        gaps: Iterable[MissingStretch] = (),
        title: str = "",
        link: str = "",
        language: str = "",
        notes: Iterable[str] = (),
    ) -> Account:
        """The account of the whole recording.

        Args:
            seconds: its length, silence included.
            turns: who is heard, by the levels; speakers are Periscope ids. Where there are none and no captions
                either, open microphones stand in.
        """
        cues = [*self._cues, *self._merger.finish()]
        host = self.directory.key_of(self._host) if self._host else ""
        begin = min(0.0, self._begin or 0.0)
        stage = [self._resolved(event) for event in self._stage]
        microphones = microphone_spans(stage, host=host, begin_seconds=begin, end_seconds=seconds)
        heard = [replace(turn, speaker=self.directory.key_of(_by_periscope_id(turn.speaker))) for turn in turns]
        if not heard and not cues:
            heard = [span.as_turn() for span in microphones]
        cues = [replace(cue, speaker=self.directory.resolve(cue.speaker)) for cue in cues]
        by_level = [turn for turn in heard if turn.source is SpeakerSource.LEVELS]
        cues = confirm_speakers(sorted(cues, key=lambda cue: (cue.begin_seconds, cue.end_seconds)), TurnIndex(by_level))
        keys = dict.fromkeys([cue.speaker for cue in cues] + [turn.speaker for turn in heard])
        transcript = Transcript(
            title=title,
            link=link,
            language=language,
            seconds=seconds,
            word_source=WordSource.SERVICE if cues else WordSource.NONE,
            speakers=tuple(self.directory.speaker(key) for key in keys if key),
            cues=tuple(cues),
            turns=tuple(heard),
            gaps=tuple(gaps),
            notes=tuple(notes),
        )
        events = [
            replace(event, person=self.directory.resolve(event.person), by=self.directory.resolve(event.by))
            for event in sorted(self._events, key=lambda event: event.seconds)
        ]
        return Account(
            transcript=transcript,
            events=tuple(events),
            microphones=tuple(microphones),
            roles=tuple(role_spans(stage, end_seconds=seconds)),
            directory=self.directory,
            counts=dict(self._counts),
            merging=self._merger.totals,
            host=host,
        )

    # ------------------------------------------------------------------ pieces

    def _speaker_of(self, message: ChatMessage) -> str:
        return self.directory.see(message.person) if message.person else ""

    def _learn(self, message: ChatMessage) -> None:
        for person in (message.sender, message.subject, *message.people, *message.on_stage):
            if person is not None:
                self.directory.see(person)

    def _note(self, message: ChatMessage) -> None:
        at = self._place(message)
        if at is None:
            return
        self._begin = at.seconds if self._begin is None else min(self._begin, at.seconds)
        by = self._key(message.sender)
        subject = self._key(message.subject)
        if message.kind is ChatKind.STAGE and message.action is not None:
            people = tuple(self._key(person) for person in message.people)
            self._stage.append(StageEvent(at.seconds, message.action, subject, by, people))
            for person in people or (subject or by,):
                self._add(message, at.seconds, message.action.value, person, by, at.is_approximate)
            return
        person = subject or by
        if message.kind in (ChatKind.JOIN, ChatKind.LEAVE):
            key = (message.kind.value, person)
            last = self._last_arrival.get(key)
            self._last_arrival[key] = at.seconds
            if last is not None and abs(at.seconds - last) < SAME_ARRIVAL_SECONDS:
                return
        self._add(message, at.seconds, message.kind.value, person, by, at.is_approximate)

    def _add(self, message: ChatMessage, seconds: float, kind: str, person: str, by: str, is_approximate: bool) -> None:
        facts = dict(message.facts)
        if message.occupancy is not None:
            facts["occupancy"] = message.occupancy
        if message.total is not None:
            facts["total"] = message.total
        if message.target:
            facts["target"] = message.target
        if message.code is not None and message.kind in (ChatKind.UNKNOWN, ChatKind.STAGE, ChatKind.PROMPT):
            facts["code"] = message.code
        self._events.append(
            TimelineEvent(
                seconds=seconds,
                at=_instant(message.unix_us),
                kind=kind,
                person=person,
                by="" if by == person else by,
                text=message.text,
                is_approximate=is_approximate or message.is_approximate,
                facts=facts,
            )
        )

    def _key(self, person: ChatPerson | None) -> str:
        return self.directory.key_of(person) if person is not None else ""

    def _resolved(self, event: StageEvent) -> StageEvent:
        resolve = self.directory.resolve
        return StageEvent(
            event.seconds,
            event.action,
            resolve(event.subject),
            resolve(event.actor),
            tuple(resolve(person) for person in event.people),
        )


def _by_periscope_id(key: str) -> ChatPerson:
    if key.startswith("@"):
        return ChatPerson(handle=key[1:])
    return ChatPerson(periscope_id=PeriscopeUserId(key))


def _instant(unix_us: int | None) -> datetime | None:
    if unix_us is None:
        return None
    try:
        return _EPOCH + timedelta(microseconds=unix_us)
    except OverflowError:
        return None
