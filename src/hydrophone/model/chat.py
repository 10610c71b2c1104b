"""What the chat of a Space or broadcast carries: captions, reactions, microphones going on and off, the stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hydrophone.model.ids import PeriscopeUserId, UserId

_NO_PERISCOPE_ID = PeriscopeUserId("")
_NO_USER_ID = UserId("")


class ChatKind(StrEnum):
    """What a message is. `UNKNOWN` is readable and of a type nobody has described; `UNREADABLE` is not even that."""

    CAPTION = "caption"
    TEXT = "text"
    REACTION = "reaction"
    SUPER_HEART = "super heart"
    JOIN = "join"
    LEAVE = "leave"
    ROSTER = "roster"
    PRESENCE = "presence"
    STAGE = "stage"
    SHARED = "shared"
    PINNED = "pinned post"
    INVITED = "invited followers"
    PROMPT = "prompt"
    LOCATION = "location"
    SCREENSHOT = "screenshot"
    STARTED = "started"
    ENDED = "ended"
    REPLAY_UPLOADED = "replay uploaded"
    TIMESTAMP = "timestamp"
    BLOCKED = "viewer blocked"
    BANNED = "banned"
    HIDDEN = "message hidden"
    SENTENCE = "sentence"
    SYSTEM = "system text"
    MODERATOR_MUTE = "moderator mutes"
    MODERATOR_UNMUTE = "moderator unmutes"
    TYPING = "typing"
    CALL_REQUEST = "asks to join the call"
    UNKNOWN = "unknown"
    UNREADABLE = "unreadable"


class StageAction(StrEnum):
    """What happened on the stage, or what somebody asked for."""

    ASKED_TO_SPEAK = "asked to speak"
    WITHDREW = "withdrew the request"
    CANCELED_COUNTDOWN = "canceled the countdown"
    LEFT_STAGE = "left the stage"
    VIEWERS_INVITED = "viewers invited"
    CALL_IN_SWITCHED = "call-in switched"
    COUNTDOWN = "countdown"
    HOST_CANCELED_COUNTDOWN = "host canceled the countdown"
    SPEAKER = "is a speaker"
    REMOVED_FROM_STAGE = "removed from the stage"
    PUPPET = "puppet motion"
    ACCEPTED = "accepted"
    BROADCASTING_ENABLED = "broadcasting enabled"
    INVITED = "invited"
    REMOVED = "removed from the Space"
    MUTED = "microphone off"
    UNMUTED = "microphone on"
    MUTED_ALL = "everyone muted"
    MUTE_LIFTED = "mute lifted"
    MADE_HOST = "made a co-host"
    NO_HOST = "co-host no more"
    HOST_AUDIO = "co-host's audio is on"
    HAND_RAISED = "hand raised"
    HAND_LOWERED = "hand lowered"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatPerson:
    """Somebody as the chat names them. Texts are empty and `index` is None where it did not say."""

    periscope_id: PeriscopeUserId = _NO_PERISCOPE_ID
    user_id: UserId = _NO_USER_ID
    handle: str = ""
    name: str = ""
    avatar_url: str = field(default="", repr=False)
    index: int | None = None

    @property
    def key(self) -> str:
        """What tells people apart: the Periscope id, else the X id, else the handle; "" for nobody."""
        return self.periscope_id or self.user_id or (f"@{self.handle}" if self.handle else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One message, decoded. The raw line stays the truth.

    Attributes:
        identity: uuid, else signature, else a digest: the same message from socket, history and replay has one.
        code: the number of its type or, for `STAGE`, of its event; None where it had none.
        sent_ns: nanoseconds since 1970 by the server's clock: the order of arrival. Borrowed from the message before
            it where it had none, None where there was none to borrow from.
        unix_us: the instant in the *audio* that it belongs to, in microseconds since 1970.
        is_approximate: `unix_us` was only guessed from the time of arrival.
        subject: whom it is about, where that is not the sender: who speaks in a caption, whose microphone it is.
        text: what was said or written; the emoji of a reaction or a raised hand.
        is_final: the finished form of a caption.
        people: further persons whom it is about: the occupants of a roster, those who were made co-hosts.
        on_stage: of a stage event: who is on stage with it, where it says so.
        target: the uuid of the message that is hidden or judged.
        occupancy: of a presence: how many are there, and (`total`) ever were.
        facts: other fields that are known by name, numbers and texts only.
    """

    kind: ChatKind
    identity: str = ""
    code: int | None = None
    room: str = ""
    sent_ns: int | None = None
    unix_us: int | None = None
    is_approximate: bool = False
    sender: ChatPerson | None = None
    subject: ChatPerson | None = None
    text: str = ""
    is_final: bool = False
    action: StageAction | None = None
    people: tuple[ChatPerson, ...] = ()
    on_stage: tuple[ChatPerson, ...] = ()
    target: str = ""
    occupancy: int | None = None
    total: int | None = None
    language: str = ""
    facts: Mapping[str, str | int | float | bool] = field(default_factory=dict)

    @property
    def person(self) -> ChatPerson | None:
        """Whom it is about: the subject, else the sender."""
        return self.subject or self.sender
