"""Who said what and when: words, cues, turns, and the transcript that holds them all.

Every time is a position in the finished recording, in seconds, silence in gaps included.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from hydrophone.model.ids import PeriscopeUserId, UserId

_NO_PERISCOPE_ID = PeriscopeUserId("")
_NO_USER_ID = UserId("")


class WordSource(StrEnum):
    """Where words come from."""

    SERVICE = "service"  #: the service's live captions
    WHISPER = "whisper"  #: a local speech recogniser
    NONE = "none"  #: nobody wrote words down; only turns are known


class SpeakerSource(StrEnum):
    """How we know who speaks, best first."""

    CAPTIONS = "captions"
    LEVELS = "levels"
    MICROPHONES = "microphones"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Word:
    """One word as it is written, with its time."""

    text: str
    begin_seconds: float
    end_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """Somebody who speaks. `key` names them within one transcript; absent texts are empty."""

    key: str
    name: str = ""
    handle: str = ""
    user_id: UserId = _NO_USER_ID
    periscope_id: PeriscopeUserId = _NO_PERISCOPE_ID

    @property
    def label(self) -> str:
        """What to call them: name, else handle, else key."""
        return self.name or (f"@{self.handle}" if self.handle else "") or self.key or "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """A stretch of speech by one person.

    Attributes:
        id: the uuid of the message that finished it; "" where there is none.
        speaker: the `Speaker.key`; "" where nobody knows.
        interims: how many unfinished captions led to it.
        first_interim_seconds: the earliest of these, None without any.
        is_final: False for what was never finished and ends with its last unfinished text.
        is_approximate: its times come from the arrival of messages, not from the clock of the audio.
        confidence: the share of the cue during which the levels agree that this person is heard, 0 to 1; None where
            there are no levels.
    """

    id: str = ""
    speaker: str = ""
    begin_seconds: float
    end_seconds: float
    text: str
    words: tuple[Word, ...] = ()
    interims: int = 0
    first_interim_seconds: float | None = None
    is_final: bool = True
    is_approximate: bool = False
    speaker_source: SpeakerSource = SpeakerSource.CAPTIONS
    confidence: float | None = None

    @property
    def seconds(self) -> float:
        return self.end_seconds - self.begin_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Somebody is heard, or has an open microphone, from here to there. Turns of different people may overlap."""

    speaker: str
    begin_seconds: float
    end_seconds: float
    source: SpeakerSource = SpeakerSource.LEVELS
    level: float | None = None  #: mean level, 0 to 100, where levels told

    @property
    def seconds(self) -> float:
        return self.end_seconds - self.begin_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingStretch:
    """A part of the recording that is silence because something was lost."""

    begin_seconds: float
    end_seconds: float
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardWord:
    """A word from a speech recogniser. `probability` is its own estimate, 0 to 1.

    `text` has the blank in front of it that its script puts there, or none.
    """

    text: str
    begin_seconds: float
    end_seconds: float
    probability: float | None = None
    ends_sentence: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """All cues of a recording in order of their beginning, and the turns from which speakers are known without words.

    `language` is a BCP 47 tag, "" where the record names none. `link` leads to the Space.
    """

    title: str = ""
    link: str = ""
    language: str = ""
    seconds: float = 0.0
    word_source: WordSource = WordSource.NONE
    speakers: tuple[Speaker, ...] = ()
    cues: tuple[Cue, ...] = ()
    turns: tuple[Turn, ...] = ()
    gaps: tuple[MissingStretch, ...] = ()
    notes: tuple[str, ...] = field(default=())  #: what a reader should know, e.g. that the host switched captions off

    def speaker(self, key: str) -> Speaker:
        """The speaker of this key; one without a name if nobody told us."""
        return next((one for one in self.speakers if one.key == key), Speaker(key=key))
