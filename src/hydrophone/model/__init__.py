"""The words of the house: frozen values that know no wire, no disk and no clock."""

from hydrophone.model.broadcast import Broadcast
from hydrophone.model.caption import (
    Cue,
    HeardWord,
    MissingStretch,
    Speaker,
    SpeakerSource,
    Transcript,
    Turn,
    Word,
    WordSource,
)
from hydrophone.model.chat import ChatKind, ChatMessage, ChatPerson, StageAction
from hydrophone.model.ids import BroadcastId, EventId, MediaKey, PeriscopeUserId, PostId, SpaceId, UserId
from hydrophone.model.people import Participant, Role, User
from hydrophone.model.post import Post
from hydrophone.model.provenance import Known, MergedSpace, Origin, Source, merge_space
from hydrophone.model.recording import AudienceSample, Coverage, Gap, GapCause
from hydrophone.model.refs import (
    BroadcastRef,
    EventRef,
    MediaKeyRef,
    PeriscopeBroadcastRef,
    PeriscopeChannelRef,
    PeriscopeUserRef,
    PlaylistRef,
    PostRef,
    ProfileRef,
    Ref,
    ShortLinkRef,
    SpaceRef,
)
from hydrophone.model.segment import Segment, SegmentKey
from hydrophone.model.sighting import Sighting, SightingKind
from hydrophone.model.space import Space, SpaceState
from hydrophone.model.stream import MediaKind, Stream, StreamCookies

__all__ = [
    "AudienceSample",
    "Broadcast",
    "BroadcastId",
    "BroadcastRef",
    "ChatKind",
    "ChatMessage",
    "ChatPerson",
    "Coverage",
    "Cue",
    "EventId",
    "EventRef",
    "Gap",
    "GapCause",
    "HeardWord",
    "Known",
    "MediaKey",
    "MediaKeyRef",
    "MediaKind",
    "MergedSpace",
    "MissingStretch",
    "Origin",
    "Participant",
    "PeriscopeBroadcastRef",
    "PeriscopeChannelRef",
    "PeriscopeUserId",
    "PeriscopeUserRef",
    "PlaylistRef",
    "Post",
    "PostId",
    "PostRef",
    "ProfileRef",
    "Ref",
    "Role",
    "Segment",
    "SegmentKey",
    "ShortLinkRef",
    "Sighting",
    "SightingKind",
    "Source",
    "Space",
    "SpaceId",
    "SpaceRef",
    "SpaceState",
    "Speaker",
    "SpeakerSource",
    "StageAction",
    "Stream",
    "StreamCookies",
    "Transcript",
    "Turn",
    "User",
    "UserId",
    "Word",
    "WordSource",
    "merge_space",
]
