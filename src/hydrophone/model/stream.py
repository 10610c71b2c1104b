"""Where the media of a Space or a broadcast is to be had."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from hydrophone.model.ids import MediaKey


class MediaKind(StrEnum):
    AUDIO = "audio"
    VIDEO = "video"


class StreamCookies(Protocol):
    """What a CDN wants with every request for one stream. It belongs to the stream and to nobody's login."""

    def header(self, url: str) -> str | None:
        """What the `Cookie` header of a request to this URL must be; None where these cookies may not go."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """The answer of the stream status call.

    `url` is a secret: whoever has it can listen. `chat_token` and `lifecycle_token` name the signed-in account.
    `status_text` is kept as it came and decides nothing. `cookies` are None for all but signed replays.
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
    cookies: StreamCookies | None = field(default=None, repr=False, compare=False)
