"""Where the media of a Space or a broadcast is to be had."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from hydrophone.model.ids import MediaKey


class MediaKind(StrEnum):
    AUDIO = "audio"
    VIDEO = "video"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """The answer of the stream status call.

    `url` is a secret: whoever has it can listen. `chat_token` and `lifecycle_token` name the signed-in account.
    `status_text` is kept as it came and decides nothing.
    """

    url: str = field(repr=False)
    media_key: MediaKey | None = None
    kind: MediaKind = MediaKind.AUDIO
    is_geoblocked: bool = False
    status_text: str = ""
    session_id: str | None = field(default=None, repr=False)
    chat_token: str | None = field(default=None, repr=False)
    lifecycle_token: str | None = field(default=None, repr=False)
    share_url: str | None = None
