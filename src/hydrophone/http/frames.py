"""What arrives through a WebSocket."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

#: What a browser's API says when a connection ended without a word.
ABNORMAL = 1006


class FrameKind(Enum):
    MESSAGE = "message"  #: text, or bytes that a server sent in place of text
    PING = "ping"  #: answered already
    PONG = "pong"
    CLOSED = "closed"  #: nothing follows


@dataclass(frozen=True, slots=True)
class SocketFrame:
    """Something that arrived. `code` is the reason for closing: 1000 as agreed, 1006 without a word."""

    kind: FrameKind
    data: bytes = field(default=b"", repr=False)
    code: int | None = None
