"""What of the chat is kept, and how a kept line looks.

A line is written before anybody looks into its message: the message as it came, where from, and when. Left out are
messages that are known already, and what the archivist's own account did: its joins show up in every chat it reads.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from enum import StrEnum
from typing import Any

from hydrophone.chat.identities import IdentitySet
from hydrophone.chat.reading import identify, load_layer, read_message
from hydrophone.http.reading import clean_text
from hydrophone.model import ChatKind, ChatMessage, ChatPerson

MAX_MESSAGE_BYTES = 1 << 20
#: Of a message that is too long. Escaped, each character may become six.
_KEPT_CHARACTERS = 128 * 1024
_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
#: What a person on stage does is part of the recording, whoever records it.
_KEPT_OF_OWN = (ChatKind.CAPTION, ChatKind.STAGE)


class Via(StrEnum):
    """Where a message came from."""

    SOCKET = "socket"
    HISTORY = "history"
    REPLAY = "replay"


class ChatIntake:
    """Turn what arrives into lines for ``captions.jsonl``, each message once.

    Args:
        own_user_ids: X ids of the account that records. `own_index` may be set later, from the access answer.
    """

    def __init__(self, own_user_ids: Collection[str] = ()) -> None:
        self.own_user_ids = set(own_user_ids)
        self.own_index: int | None = None
        self.counts: Counter[str] = Counter()  #: kept messages by kind, and "known", "own"
        self.newest: ChatMessage | None = None  #: what was kept last
        self._known = IdentitySet()
        self._near: dict[Via, int] = {}

    def __len__(self) -> int:
        return len(self._known)

    def resume(self, line: bytes) -> None:
        """A line that was written by an earlier run."""
        self._known.add(identify_line(line)[0])

    def take(self, raw: object, via: Via, arrived_ns: int) -> bytes | None:
        """The line to write, line feed included; None for what is not kept.

        Args:
            raw: a frame's bytes or text, or an entry of a history page.
            arrived_ns: by our own clock.
        """
        if isinstance(raw, bytes | str) and len(raw) > MAX_MESSAGE_BYTES:
            return self._cut(raw, via, arrived_ns)
        value = load_layer(raw)
        if value is None and raw is not None:
            value = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
        # A history may be read days later: what has no time of its own must not depend on when that was.
        near_ns = self._near.get(via, arrived_ns if via is Via.SOCKET else None)
        message = read_message(value, near_ns=near_ns)
        if message.sent_ns is not None:
            self._near[via] = message.sent_ns
        if self._is_own(message):
            self.counts["own"] += 1
            return None
        if not self._known.add(message.identity):
            self.counts["known"] += 1
            return None
        self.counts[message.kind.value] += 1
        self.newest = message
        if message.kind is ChatKind.ROSTER and any(map(self._is_me, message.people)):
            value = self._without_me(value)
        return _line({"at": arrived_ns, "via": via.value, "near": near_ns, "message": value})

    def _cut(self, raw: bytes | str, via: Via, arrived_ns: int) -> bytes | None:
        head = raw[:_KEPT_CHARACTERS]
        text = head.decode("utf-8", "replace") if isinstance(head, bytes) else head
        facts = {"at": arrived_ns, "via": via.value, "is_cut": True, "size": len(raw), "message": text}
        line = _line(facts)
        if not self._known.add(read_line(line).identity):
            self.counts["known"] += 1
            return None
        self.counts[ChatKind.UNREADABLE.value] += 1
        return line

    # ------------------------------------------------------------------ the own account

    def _is_own(self, message: ChatMessage) -> bool:
        if message.kind in _KEPT_OF_OWN or message.sender is None:
            return False
        return self._is_me(message.sender)

    def _is_me(self, person: ChatPerson) -> bool:
        if person.user_id and person.user_id in self.own_user_ids:
            return True
        if person.periscope_id.removeprefix("tw-") in self.own_user_ids:
            return True
        return bool(person.index) and person.index == self.own_index

    def _without_me(self, value: Any) -> Any:
        """A roster without the own account."""
        payload = load_layer(value.get("payload"))
        body = load_layer(payload.get("body"))
        mine = {"user_id", "twitter_id", "participant_index"}
        own = {*self.own_user_ids, *(f"tw-{one}" for one in self.own_user_ids), str(self.own_index)}
        body["occupants"] = [
            one
            for one in body["occupants"]
            if not (isinstance(one, dict) and any(str(one.get(name)) in own for name in mine if one.get(name)))
        ]
        payload["body"] = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        return {**value, "payload": json.dumps(payload, ensure_ascii=False, separators=(",", ":"))}


def read_line(line: bytes) -> ChatMessage:
    """The message of a line that `ChatIntake.take` made; also of a bare message, as other tools keep them."""
    raw, near_ns = _unwrap(line)
    return read_message(raw, near_ns=near_ns)


def identify_line(line: bytes) -> tuple[str, int | None]:
    """Identity and time of sending of a line, for half the work."""
    raw, near_ns = _unwrap(line)
    return identify(raw, near_ns=near_ns)


def _unwrap(line: bytes) -> tuple[object, int | None]:
    value = load_layer(line, limit=8 * MAX_MESSAGE_BYTES)
    if isinstance(value, dict) and "message" in value and "payload" not in value:
        near = value.get("near", value.get("at"))
        return value["message"], near if isinstance(near, int) else None
    return line if value is None else value, None


def _line(facts: dict[str, Any]) -> bytes:
    text = _compact(facts)
    # Half a surrogate pair is no text; as an escape it is kept, and a reader of ours replaces it.
    return (text if text == clean_text(text) else json.dumps(facts, separators=(",", ":"))).encode() + b"\n"
