"""Three layers of JSON inside JSON become one `ChatMessage`. Nothing that anybody can send raises.

Any layer may be text already broken, an object already, or something else altogether; what cannot be read is kept as
`UNREADABLE` or `UNKNOWN`, so that totals stay true, and the raw line stays in the archive.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any, TypedDict

from hydrophone.chat.codes import (
    ACTION_BY_EVENT,
    CHAT,
    CONTROL,
    KIND_BY_CONTROL,
    KIND_BY_TYPE,
    KNOWN_FACTS,
    STAGE_TYPE,
)
from hydrophone.chat.instants import guess_audio_instant, read_audio_instant, read_nanoseconds, read_number
from hydrophone.http.reading import clean_text
from hydrophone.model import ChatKind, ChatMessage, ChatPerson, PeriscopeUserId, StageAction, UserId

MAX_LINE_BYTES = 1 << 20
MAX_PEOPLE = 1000
_MAX_NAME = 2048
_decode = json.JSONDecoder().raw_decode
_MODERATED = (ChatKind.HIDDEN, ChatKind.SENTENCE)


def load_layer(value: Any, limit: int = MAX_LINE_BYTES) -> Any:
    """One layer: JSON text as its value, anything else as it is. None for text that is no JSON, or too much of it."""
    if not isinstance(value, (str, bytes)):
        return value
    if len(value) > limit:
        return None
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    try:
        # Three layers for each of ten thousand messages: the parser is asked without its wrapping first.
        found, end = _decode(text)
        if end == len(text) or text[end:] == "\n":
            return found
    except (ValueError, RecursionError):
        pass
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def read_message(raw: object, *, near_ns: int | None = None) -> ChatMessage:
    """The message that a frame, an entry of a history page, or its text holds.

    Args:
        near_ns: when the message before it was sent, or when it arrived: control messages have no time of their own.
    """
    outer = load_layer(raw)
    if not isinstance(outer, dict):
        return ChatMessage(kind=ChatKind.UNREADABLE, identity=_digest(raw), sent_ns=near_ns)
    payload = load_layer(outer.get("payload"))
    if not isinstance(payload, dict):
        return ChatMessage(kind=ChatKind.UNREADABLE, identity=_identity(outer, {}, {}, near_ns), sent_ns=near_ns)
    body = load_layer(payload.get("body"))
    if not isinstance(body, dict):
        # Plain text in place of an object has been seen; without a type it is nobody's message.
        body = {}
    kind, code = _kind(outer, payload, body)
    # A body says when its sender pressed the key; the server's stamp comes first, and both before a neighbour's.
    sent_ns = read_nanoseconds(payload.get("timestamp")) or read_nanoseconds(body.get("timestamp")) or near_ns
    unix_us = read_audio_instant(body, sent_ns)
    is_approximate = unix_us is None
    if unix_us is None and sent_ns is not None:
        unix_us = guess_audio_instant(sent_ns, is_caption=kind is ChatKind.CAPTION)
    return ChatMessage(
        kind=kind,
        identity=_identity(outer, payload, body, near_ns),
        code=code,
        room=_text(payload.get("room")) or _text(body.get("room")),
        sent_ns=sent_ns,
        unix_us=unix_us,
        is_approximate=is_approximate,
        sender=_sender(payload.get("sender")),
        subject=_subject(kind, body),
        text=_message_text(kind, body),
        language=_text(payload.get("lang"))[:35],
        **_rarer(kind, code, body),
    )


def identify(raw: object, *, near_ns: int | None = None) -> tuple[str, int | None]:
    """`identity` and `sent_ns` of what `read_message` would give, for half the work where both stand in front."""
    outer = load_layer(raw)
    payload = load_layer(outer.get("payload")) if isinstance(outer, dict) else None
    if isinstance(payload, dict):
        uuid, sent_ns = _text(payload.get("uuid")), read_nanoseconds(payload.get("timestamp"))
        if uuid and sent_ns is not None:
            return uuid.lower(), sent_ns
    message = read_message(outer if isinstance(outer, dict) else raw, near_ns=near_ns)
    return message.identity, message.sent_ns


def read_live_chat_line(raw: object) -> ChatMessage | None:
    """The message of one line of the newline-delimited chat of video broadcasts; None for a blank (a keep-alive)."""
    if isinstance(raw, str | bytes) and not raw.strip():
        return None
    line = load_layer(raw)
    if not isinstance(line, dict) or "chatType" not in line:
        return ChatMessage(kind=ChatKind.UNREADABLE, identity=_digest(raw))
    stamp, code = _text(line.get("ts")), _whole(line.get("chatType"))
    kind = KIND_BY_TYPE.get(code or 0, ChatKind.UNKNOWN)
    said = _text(line.get("message"), limit=MAX_LINE_BYTES)
    sent_ns = read_nanoseconds(stamp)
    user_id = _text(line.get("userId"))
    return ChatMessage(
        kind=kind,
        identity=f"ts:{stamp}" if stamp else _digest(raw),
        code=code,
        sent_ns=sent_ns,
        unix_us=guess_audio_instant(sent_ns, is_caption=False) if sent_ns is not None else None,
        is_approximate=True,
        sender=ChatPerson(user_id=UserId(user_id)) if user_id else None,
        text="" if kind is ChatKind.HIDDEN else said,
        target=f"ts:{said}" if kind is ChatKind.HIDDEN else "",
    )


# ---------------------------------------------------------------- what it is


def _kind(outer: Mapping[str, Any], payload: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[ChatKind, int | None]:
    """Kind and number. Video histories of 2026 wrap chat as control messages of kind 1: a type in the body decides."""
    code = _whole(body.get("type"))
    outer_kind = _whole(outer.get("kind"))
    if code is None and outer_kind == CONTROL:
        control = _whole(payload.get("kind"))
        return KIND_BY_CONTROL.get(control or 0, ChatKind.UNKNOWN), control
    if code == STAGE_TYPE:
        return ChatKind.STAGE, _whole(body.get("guestBroadcastingEvent"))
    if outer_kind not in (CHAT, CONTROL):
        return ChatKind.UNKNOWN, outer_kind
    return KIND_BY_TYPE.get(-1 if code is None else code, ChatKind.UNKNOWN), code


def _identity(
    outer: Mapping[str, Any], payload: Mapping[str, Any], body: Mapping[str, Any], near_ns: int | None
) -> str:
    uuid = _text(payload.get("uuid")) or _text(body.get("uuid"))
    if uuid:
        return uuid.lower()  # Periscope's clients wrote them in either case
    signature = _text(outer.get("signature"))
    if signature:
        return f"sig:{signature}"
    sender = payload.get("sender")
    who = sender.get("user_id") if isinstance(sender, dict) else ""
    stamp = payload.get("timestamp") or body.get("timestamp") or near_ns
    what = body or payload.get("body") or outer.get("payload")
    return _digest((outer.get("kind"), payload.get("kind"), who, stamp, what))


def _digest(value: object) -> str:
    data = value if isinstance(value, bytes) else repr(value)[:MAX_LINE_BYTES].encode("utf-8", "replace")
    return "hash:" + blake2b(data, digest_size=12).hexdigest()


# ---------------------------------------------------------------- what only some kinds carry


class _Rarer(TypedDict, total=False):
    is_final: bool
    action: StageAction
    people: tuple[ChatPerson, ...]
    on_stage: tuple[ChatPerson, ...]
    target: str
    occupancy: int | None
    total: int | None
    facts: dict[str, str | int | float | bool]


def _rarer(kind: ChatKind, code: int | None, body: Mapping[str, Any]) -> _Rarer:
    if kind is ChatKind.CAPTION:  # most messages by far: whatever the others may carry is not looked for
        return {"is_final": _flag(body.get("final"), default=code == 201)}
    found: _Rarer = {"facts": _facts(body)}
    if kind is ChatKind.STAGE:
        found["action"] = ACTION_BY_EVENT.get(code or 0, StageAction.OTHER)
        found["people"] = _known(_person("", entry, "") for entry in _list(body.get("twitter_participant_ids")))
        found["on_stage"] = _known(map(_guest, _list(body.get("guestSessions"))))
    elif kind is ChatKind.ROSTER:
        found["people"] = _known(_sender(entry) for entry in _list(body.get("occupants")))
    elif kind is ChatKind.PRESENCE:
        found["occupancy"] = _count(body.get("occupancy"))
        found["total"] = _count(body.get("total_participants"))
    elif kind in _MODERATED:
        found["target"] = _text(body.get("message_uuid") or body.get("blockedMessageUUID"))
    return found


def _facts(body: Mapping[str, Any]) -> dict[str, str | int | float | bool]:
    found: dict[str, str | int | float | bool] = {}
    for name in KNOWN_FACTS:
        value = body.get(name)
        if isinstance(value, str):
            if value:
                found[name] = clean_text(value[:_MAX_NAME])
        elif isinstance(value, bool | int | float) and value:
            found[name] = value
    return found


# ---------------------------------------------------------------- who


def _sender(value: Any) -> ChatPerson | None:
    if not isinstance(value, dict):
        return None
    return _person(
        value.get("user_id"),
        value.get("twitter_id"),
        value.get("username"),
        value.get("display_name"),
        value.get("participant_index"),
        value.get("profile_image_url"),
    )


def _person(
    periscope_id: Any, user_id: Any, handle: Any, name: Any = "", index: Any = None, avatar_url: Any = ""
) -> ChatPerson | None:
    """Somebody; None where nothing says who."""
    try:
        return _known_person(periscope_id, user_id, handle, name, index, avatar_url)
    except TypeError:  # a list or an object in place of a text
        return _build_person(periscope_id, user_id, handle, name, index, avatar_url)


def _build_person(
    periscope_id: Any, user_id: Any, handle: Any, name: Any, index: Any, avatar_url: Any
) -> ChatPerson | None:
    person = ChatPerson(
        periscope_id=PeriscopeUserId(_text(periscope_id)),
        user_id=UserId(_text(user_id)),
        handle=_text(handle),
        name=_text(name),
        avatar_url=_text(avatar_url),
        index=_whole(index),
    )
    return person if person.key or person.name else None


# A dozen people write nearly all messages.
_known_person = lru_cache(maxsize=512, typed=True)(_build_person)


def _subject(kind: ChatKind, body: Mapping[str, Any]) -> ChatPerson | None:
    if kind is ChatKind.CAPTION:
        return _person(
            body.get("user_id"),
            body.get("twitter_id"),
            body.get("username"),
            body.get("displayName"),
            body.get("participant_index"),
        )
    if kind is ChatKind.STAGE:
        return _person(body.get("guestRemoteID"), "", body.get("guestUsername"), "", body.get("guestParticipantIndex"))
    return None


def _known(people: Iterable[ChatPerson | None]) -> tuple[ChatPerson, ...]:
    return tuple(person for person in people if person is not None)


def _guest(entry: Any) -> ChatPerson | None:
    if not isinstance(entry, dict):
        return None
    return _person(
        entry.get("guest_user_id"),
        entry.get("twitter_user_id"),
        entry.get("guest_username"),
        entry.get("guest_display_name"),
        entry.get("guest_participant_index"),
        entry.get("guest_avatar_url"),
    )


def _list(value: Any) -> list[Any]:
    return value[:MAX_PEOPLE] if isinstance(value, list) else []


# ---------------------------------------------------------------- plain values


def _message_text(kind: ChatKind, body: Mapping[str, Any]) -> str:
    return _text(body.get("emoji") if kind is ChatKind.STAGE else body.get("body"), limit=MAX_LINE_BYTES)


def _text(value: Any, limit: int = _MAX_NAME) -> str:
    """Text without lone halves of surrogate pairs, which no file takes; ids that came as numbers become text."""
    if value is None or value == "":
        return ""
    if isinstance(value, str):
        return value if len(value) <= limit and value.isascii() else clean_text(value[:limit])
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**64:
        return str(value)
    return ""


def _whole(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value < 2**63 else None
    return read_number(value)


def _count(value: Any) -> int | None:
    number = _whole(value)
    return number if number is not None and number < 2**31 else None


def _flag(value: Any, *, default: bool) -> bool:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value, default) if isinstance(value, str) else default
