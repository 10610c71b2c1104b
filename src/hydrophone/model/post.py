"""A post (tweet), as far as Spaces need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hydrophone.model.ids import PostId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post. `text` is whole and as its author wrote it, without the service's HTML escapes; links are ``t.co``."""

    id: PostId
    text: str = ""
    author_id: UserId | None = None
    created_at: datetime | None = None
    language: str | None = None
    reposts: int | None = None
    replies: int | None = None
    likes: int | None = None
    quotes: int | None = None
    views: int | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
