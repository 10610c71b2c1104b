"""The service's numbers and what they mean. Source: chat reference, "Messages, codes, instants"."""

from __future__ import annotations

from hydrophone.model import ChatKind, StageAction

#: Outer `kind` of a message.
CHAT, CONTROL, AUTH = 1, 2, 3

#: `body.type` of chat messages. Numbers that are missing here are kept raw, as unknown.
KIND_BY_TYPE: dict[int, ChatKind] = {
    1: ChatKind.TEXT,
    2: ChatKind.REACTION,
    3: ChatKind.JOIN,
    4: ChatKind.LOCATION,
    5: ChatKind.ENDED,
    6: ChatKind.INVITED,
    7: ChatKind.STARTED,
    8: ChatKind.REPLAY_UPLOADED,
    9: ChatKind.TIMESTAMP,
    10: ChatKind.PROMPT,
    11: ChatKind.PROMPT,
    12: ChatKind.BLOCKED,
    13: ChatKind.SHARED,
    14: ChatKind.BLOCKED,
    15: ChatKind.SHARED,
    16: ChatKind.SCREENSHOT,
    29: ChatKind.SENTENCE,
    33: ChatKind.SYSTEM,
    36: ChatKind.SUPER_HEART,
    37: ChatKind.SUPER_HEART,
    39: ChatKind.HIDDEN,
    40: ChatKind.STAGE,
    41: ChatKind.MODERATOR_MUTE,
    42: ChatKind.MODERATOR_UNMUTE,
    44: ChatKind.TYPING,
    45: ChatKind.CAPTION,
    46: ChatKind.PINNED,
    47: ChatKind.CALL_REQUEST,
    201: ChatKind.CAPTION,
}
STAGE_TYPE = 40

#: `payload.kind` of control messages.
KIND_BY_CONTROL: dict[int, ChatKind] = {
    1: ChatKind.JOIN,
    2: ChatKind.LEAVE,
    3: ChatKind.ROSTER,
    4: ChatKind.PRESENCE,
    8: ChatKind.BANNED,
}

#: `guestBroadcastingEvent` of stage events.
ACTION_BY_EVENT: dict[int, StageAction] = dict(
    zip(
        range(1, 25),
        (
            StageAction.ASKED_TO_SPEAK,
            StageAction.WITHDREW,
            StageAction.CANCELED_COUNTDOWN,
            StageAction.LEFT_STAGE,
            StageAction.VIEWERS_INVITED,
            StageAction.CALL_IN_SWITCHED,
            StageAction.COUNTDOWN,
            StageAction.HOST_CANCELED_COUNTDOWN,
            StageAction.SPEAKER,
            StageAction.REMOVED_FROM_STAGE,
            StageAction.PUPPET,
            StageAction.ACCEPTED,
            StageAction.BROADCASTING_ENABLED,
            StageAction.INVITED,
            StageAction.REMOVED,
            StageAction.MUTED,
            StageAction.UNMUTED,
            StageAction.MUTED_ALL,
            StageAction.MUTE_LIFTED,
            StageAction.MADE_HOST,
            StageAction.NO_HOST,
            StageAction.HOST_AUDIO,
            StageAction.HAND_RAISED,
            StageAction.HAND_LOWERED,
        ),
        strict=True,
    )
)

#: Further fields of a body that are known by name. Only plain values are taken over.
KNOWN_FACTS = (
    "blockedMessageUUID",
    "broadcasterBlockedMessageBody",
    "broadcasterBlockedRemoteID",
    "broadcasterBlockedUsername",
    "broadcast_id",
    "callInsEnabled",
    "countdownEndNTPTimestamp",
    "gift_amount",
    "gift_style",
    "gift_tier",
    "initials",
    "invited_count",
    "is_private_message",
    "jury_duration_sec",
    "lat",
    "lng",
    "message_body",
    "muted_username",
    "report_type",
    "reporter",
    "sentence_duration_sec",
    "sentence_type",
    "sparkle_id",
    "timestampPlaybackOffset",
    "unmuted_username",
    "verdict",
    "viewerBlockedMessage",
    "viewerBlockedUserId",
    "viewerBlockedUsername",
    "wasGuestBanned",
    "following",
    "unlimited",
)
