"""What a scene is: who, when, which stream, what is odd about it. Frozen values; state follows from scene and instant.

Two measures of time. *Scene seconds* are wall time since `started_at`; instants of the record, upsets, frozen lists and
audience use them. *Positions* are seconds of media since its first frame; turns, mutes and who is on stage use them.
They part when the host is away: the wall goes on, the media waits.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, Self

SAFE_LETTERS = "abdegjklmnopqrvwxyzABDEGJKLMNOPQRVWXYZ"  # ids of the service never use the other letters


class Kind(StrEnum):
    """What is behind the media key."""

    AUDIO = "audio"  #: an audio Space
    VIDEO_SPACE = "video-space"  #: a Space record whose stream is video
    BROADCAST = "broadcast"  #: a video broadcast; not a Space


class State(StrEnum):
    """The states as the web API spells them."""

    NOT_STARTED = "NotStarted"
    PRE_PUBLISHED = "PrePublished"
    RUNNING = "Running"
    ENDED = "Ended"
    TIMED_OUT = "TimedOut"
    CANCELED = "Canceled"


def invented_number(*words: object) -> int:
    """64 bits that depend on nothing but the words."""
    return int.from_bytes(hashlib.blake2b("/".join(map(str, words)).encode(), digest_size=8).digest(), "big")


def invented_id(*words: object) -> str:
    """13 characters in the narrow form of the service's ids."""
    number = invented_number("id", *words)
    letters = []
    for _ in range(12):
        number, rest = divmod(number, len(SAFE_LETTERS))
        letters.append(SAFE_LETTERS[rest])
    letters[10] = "GJKx"[invented_number("tail", *words) % 4]
    return "1" + "".join(letters)


def invented_stream_key(*words: object) -> str:
    """86 characters of base64url: 64 bytes."""
    digest = hashlib.blake2b("/".join(map(str, ("key", *words))).encode(), digest_size=64).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody in the scene. `comes` and `leaves` are positions on the stage; a listener is never on it."""

    handle: str
    name: str
    user_id: str
    periscope_id: str
    index: int  #: participant index
    session_id: str  #: UUID of the stay on stage
    role: str = "speaker"  #: creator | host | speaker | listener
    voice: int = 1  #: 1, 2 or 3; 0 is the tape
    comes: float = 0.0
    leaves: float | None = None
    avatar_url: str = ""
    is_verified: bool = False
    is_protected: bool = False
    followers: int = 120

    @classmethod
    def invent(cls, handle: str, name: str = "", **rest: Any) -> Self:
        """A person whose ids follow from the handle. Any field can be given."""
        number = invented_number("person", handle)
        made: dict[str, Any] = {
            "user_id": str(1_700_000_000_000_000_000 + number % 90_000_000_000_000_000),
            "periscope_id": invented_id("periscope", handle),
            "index": number % 2_000_000_000 + 1,
            "session_id": str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{handle}.invalid")),
            "avatar_url": f"https://pbs.twimg.com/profile_images/{1_600_000_000 + number % 90_000_000}/"
            f"{handle[:8]}_normal.jpg",
        }
        return cls(handle=handle, name=name or handle.replace("_", " ").title(), **(made | rest))


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Somebody speaks, between two positions. Handle ``"tape"`` plays a tape on the creator's channel."""

    handle: str
    begin: float
    end: float
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """A microphone that is closed between two positions."""

    handle: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """After the position `begin` (moved on to the next cut) no media comes for `seconds` of wall time."""

    begin: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """From scene second `at` on: momentary `listeners`, and the running count `total` (0: like `listeners`)."""

    at: float
    listeners: int
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Flap:
    """The record shows `state` between two scene seconds, whatever is true."""

    begin: float
    end: float
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRule:
    """When the from-the-beginning playlist is written.

    After each `every` segments, `lag_seconds` late; `gone_seconds` after the end it answers 404, then it is complete.
    """

    every: int = 30
    lag_seconds: float = 6.0
    has_endlist: bool = False  #: while live
    gone_seconds: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TagStyle:
    """How the timed metadata is spelt."""

    plain_sizes: bool = False
    encoding: int = 3
    ntp_as_text: bool = False
    has_stream_name: bool = True
    short_levels: bool = False  #: one level less than people
    rotation: int | None = None  #: TKEY
    has_hydra: bool = True
    has_priv: bool = True
    bare: tuple[int, ...] = ()  #: places whose segments have no tag at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """From segment `at` on, the encoder sends this."""

    at: int = 0
    rate: int = 48_000
    channels: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span of scene seconds; `by` is what the quirk makes of it (segments of lag, for example)."""

    begin: float
    end: float
    by: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """What is odd about the playlists. Segment numbers here are places in the stream (0, 1, …), before any restart."""

    holes: tuple[int, ...] = ()  #: 404 for ever, absent from snapshot and replay, listed live
    late: Mapping[int, float] = field(default_factory=dict)  #: listed in time, but 404 for so many more seconds
    hidden: tuple[int, ...] = ()  #: never in the live window (it jumps over them)
    frozen: tuple[Span, ...] = ()  #: the live list stands still
    stale: tuple[Span, ...] = ()  #: every second answer comes from an edge that lags `by` segments
    false_endlist: tuple[Span, ...] = ()  #: ENDLIST in the live list
    dark: tuple[Span, ...] = ()  #: the live list answers 404 although all is well
    duplicates: tuple[int, ...] = ()  #: listed twice in a row
    discontinuities: tuple[int, ...] = ()  #: EXT-X-DISCONTINUITY before these
    restarts: tuple[int, ...] = ()  #: numbering begins at 0 again, with newer ns
    last_only_in_final: bool = False  #: the last segment is in no live list, and in the final one 60 s late
    window: int | None = None  #: how many segments the live list shows, in place of 4 (audio) and 5 (video)
    wide_master: bool = False  #: BANDWIDTH 500000 and 100x100 rather than 350000 and 8x8


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoVariant:
    """One quality of a video stream, encoded at this very size."""

    width: int
    height: int
    frame_rate: int = 30
    kbps: int = 600
    setting: str = "encoder_setting_320p30_10"


VIDEO_VARIANTS = (
    VideoVariant(width=1280, height=720, kbps=2750, setting="encoder_setting_720p30_10"),
    VideoVariant(width=568, height=320, kbps=600, setting="encoder_setting_320p30_10"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One Space or broadcast, complete. `World.load` puts it on the clock by filling `origin_at` where it is None.

    `seconds` is the length of the media, None for one that never ends. `upsets` are faults (see `faults`) whose
    `begin` and `end` are scene seconds. `extra` is for whoever needs more.
    """

    name: str = "scene"
    id: str
    title: str | None
    kind: Kind = Kind.AUDIO
    people: tuple[Person, ...]
    turns: tuple[Turn, ...] = ()
    mutes: tuple[Mute, ...] = ()
    aways: tuple[Away, ...] = ()
    audience: tuple[Audience, ...] = ()
    flaps: tuple[Flap, ...] = ()
    # seconds from the origin
    origin_at: datetime | None = None
    created: float = -1800.0
    scheduled: float | None = None
    opened: float | None = None  #: the green room
    started: float | None = 0.0  #: None: never
    canceled: float | None = None
    seconds: float | None = 300.0
    outcome: State = State.ENDED
    audio_lead_seconds: float = 1.15  #: from `started_at` to the first frame
    closing_seconds: float = 1.5  #: from the last frame to `ended_at`
    # the stream
    media_key: str = ""
    stream_key: str = ""
    region: str = "eu-central-1"
    has_replay: bool = True
    replay_lag_seconds: float = 0.0  #: the status call and the replay list answer 404 for so long after the end
    replay_segments: int | None = None  #: the replay list ends here
    snapshot: SnapshotRule = SnapshotRule()
    quirks: Quirks = Quirks()
    tags: TagStyle = TagStyle()
    formats: tuple[Format, ...] = (Format(),)
    variants: tuple[VideoVariant, ...] = VIDEO_VARIANTS
    is_encrypted: bool = False
    # the record
    guest_allowed: bool = True
    user_shape: str = "core"  #: core | legacy
    has_captions: bool = True
    language: str = "en"
    is_seed: bool = False  #: served verbatim
    upsets: tuple[Mapping[str, Any], ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    # ------------------------------------------------------------ builders for tests

    @classmethod
    def ended(cls, name: str = "ended", *, seconds: float = 60.0, ago: float = 600.0, **rest: Any) -> Self:
        """A Space that ended `ago` seconds before it was loaded."""
        return cls.live(name, seconds=seconds, since=seconds + 3.0 + ago, **rest)

    @classmethod
    def live(cls, name: str = "live", *, seconds: float | None = 3600.0, since: float = 30.0, **rest: Any) -> Self:
        """A Space that began `since` seconds before it was loaded. Any field can be given."""
        people = rest.pop("people", None) or sample_people()
        made: dict[str, Any] = {
            "name": name,
            "id": invented_id("space", name),
            "title": f"The {name} room",
            "people": people,
            "turns": taking_turns(people, seconds or 86_400.0),
            "seconds": seconds,
            "started": -since,
            "created": -since - 1800.0,
            "audience": (Audience(at=0, listeners=12), Audience(at=60, listeners=37, total=52)),
        }
        return cls(**(made | rest))

    def at(self, origin_at: datetime) -> Self:
        """The same scene on the clock. Derived keys are filled in. An origin that the scene has itself stays."""
        origin = self.origin_at or origin_at.astimezone(UTC).replace(microsecond=origin_at.microsecond // 1000 * 1000)
        created_ms = round((origin + timedelta(seconds=self.created)).timestamp() * 1000)
        snowflake = (created_ms + 27 - 1_288_834_974_657) << 22
        return replace(
            self,
            origin_at=origin,
            media_key=self.media_key or f"28_{snowflake | (invented_number(self.id) & 0x3FFFFF)}",
            stream_key=self.stream_key or invented_stream_key(self.id, self.name),
        )

    # ------------------------------------------------------------ people

    @property
    def creator(self) -> Person:
        return next((p for p in self.people if p.role == "creator"), self.people[0])

    def person(self, handle: str) -> Person | None:
        return next((p for p in self.people if p.handle == handle), None)

    def on_stage(self, position: float) -> tuple[Person, ...]:
        """Creator first, then co-hosts and speakers who are there at that position, in the order of the scene."""
        there = [
            p
            for p in self.people
            if p.role in ("host", "speaker") and p.comes <= position and (p.leaves is None or position < p.leaves)
        ]
        return (self.creator, *there)

    def is_muted(self, handle: str, position: float) -> bool:
        return any(m.handle == handle and m.begin <= position < m.end for m in self.mutes)

    # ------------------------------------------------------------ instants

    def _instant(self, offset: float | None) -> datetime | None:
        return None if offset is None or self.origin_at is None else self.origin_at + timedelta(seconds=offset)

    @property
    def created_at(self) -> datetime:
        return self._instant(self.created) or datetime.now(UTC)

    @property
    def scheduled_at(self) -> datetime | None:
        return self._instant(self.scheduled)

    @property
    def started_at(self) -> datetime | None:
        return self._instant(self.started)

    @property
    def canceled_at(self) -> datetime | None:
        return self._instant(self.canceled)

    @property
    def is_video(self) -> bool:
        return self.kind is not Kind.AUDIO

    @property
    def segment_seconds(self) -> int:
        return 2 if self.is_video else 3

    @property
    def segment_count(self) -> int | None:
        """How many segments there will ever be; None for a scene without end."""
        return None if self.seconds is None else max(1, round(self.seconds / self.segment_seconds))

    @property
    def ended_at(self) -> datetime | None:
        """When the record says that it ended; None for a scene that never does. May lie in the future."""
        count = self.segment_count
        if self.started is None or count is None:
            return None
        away = sum(a.seconds for a in self.aways)
        return self._instant(
            self.started + self.audio_lead_seconds + count * self.segment_seconds + away + self.closing_seconds
        )

    def state_at(self, now: datetime) -> State:
        """What the record says at `now`."""
        if self.started_at is not None and now >= self.started_at:
            since = (now - self.started_at).total_seconds()
            for flap in self.flaps:
                if flap.begin <= since < flap.end:
                    return flap.state
            return self.outcome if self.ended_at is not None and now >= self.ended_at else State.RUNNING
        if self.canceled_at is not None and now >= self.canceled_at:
            return State.CANCELED
        opened_at = self._instant(self.opened)
        return State.PRE_PUBLISHED if opened_at is not None and now >= opened_at else State.NOT_STARTED

    def position_at(self, now: datetime) -> float:
        """The position of the media at `now`, never below 0; it stands still while the host is away."""
        if self.started_at is None:
            return 0.0
        position = (now - self.started_at).total_seconds() - self.audio_lead_seconds
        for away in sorted(self.aways, key=lambda a: a.begin):
            if position > away.begin:
                position = max(away.begin, position - away.seconds)
        count = self.segment_count
        return max(0.0, position if count is None else min(position, float(count * self.segment_seconds)))

    def audience_at(self, now: datetime) -> Audience:
        since = (now - self.started_at).total_seconds() if self.started_at else -1.0
        known = [a for a in self.audience if a.at <= since]
        return known[-1] if known else Audience(at=0, listeners=0)


@lru_cache(maxsize=1)
def sample_people() -> tuple[Person, ...]:
    """A creator, a co-host and a guest with three voices, and two listeners."""
    return (
        Person.invent("lena_marsh", "Lena Marsh", role="creator", voice=1, is_verified=True, followers=4210),
        Person.invent("otto_reed", "Otto Reed", role="host", voice=2),
        Person.invent("mina_sandoval", "Mina Sandoval 🐚", role="speaker", voice=3, comes=9.0),
        Person.invent("bo_lindqvist", "Bo Lindqvist", role="listener", voice=0),
        Person.invent("harbour_watch", "Harbour Watch", role="listener", voice=0),
    )


@lru_cache(maxsize=64)  # thousands of scenes may hold the same conversation
def taking_turns(people: tuple[Person, ...], seconds: float) -> tuple[Turn, ...]:
    """A conversation: the people with a voice speak in turn for 4 to 11 seconds, now and then two at once."""
    voices = [p for p in people if p.role != "listener" and p.voice]
    turns: list[Turn] = []
    begin, number = 1.5, 0
    while begin < seconds and number < 20_000:
        chance = invented_number("turn", number)
        speaker = voices[(number + chance % 7 // 6) % len(voices)]
        end = begin + 4.0 + chance % 70 / 10
        if speaker.comes <= begin:
            turns.append(Turn(handle=speaker.handle, begin=round(begin, 1), end=round(min(end, seconds), 1)))
        begin = end + (chance >> 8) % 18 / 10 - 0.6
        number += 1
    return tuple(turns)
