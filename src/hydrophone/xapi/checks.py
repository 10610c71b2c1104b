"""Ids, words and numbers held against the documented rules before a request is spent on them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from hydrophone.errors import SettingsError
from hydrophone.model import BroadcastId, SpaceId, UserId

BATCH = 100  #: ids in one request
MAX_QUERY = 2048
_SPACE_ID = re.compile(r"[a-zA-Z0-9]{1,13}")
_NUMBER = re.compile(r"[0-9]{1,19}")
_HANDLE = re.compile(r"[A-Za-z0-9_]{1,15}")

S = TypeVar("S", bound=str)


def check_space_id(text: str) -> SpaceId:
    """The id, if it can be one. One malformed id would spoil a whole request."""
    if not _SPACE_ID.fullmatch(text):
        raise SettingsError(
            f"{text[:40]!r} is no id of a Space", setting="id", advice="An id has up to 13 letters and digits."
        )
    return SpaceId(text)


def check_broadcast_id(text: str) -> BroadcastId:
    if not _SPACE_ID.fullmatch(text):
        raise SettingsError(
            f"{text[:40]!r} is no id of a broadcast", setting="id", advice="An id has up to 13 letters and digits."
        )
    return BroadcastId(text)


def check_user_id(text: str) -> UserId:
    return UserId(check_number(text, "user id"))


def check_number(text: str, what: str) -> str:
    """An id of digits."""
    if not _NUMBER.fullmatch(text):
        raise SettingsError(f"{text[:40]!r} is no {what}", setting=what, advice="It has 1 to 19 digits.")
    return text


def check_handle(text: str) -> str:
    """A user name without its @."""
    handle = text.strip().removeprefix("@")
    if not _HANDLE.fullmatch(handle):
        raise SettingsError(
            f"{text[:40]!r} is no user name", setting="username", advice="A name has up to 15 of A-Z, 0-9 and _."
        )
    return handle


def check_query(text: str) -> str:
    query = text.strip()
    if not 1 <= len(query) <= MAX_QUERY:
        raise SettingsError(
            "the words to search for are missing" if not query else f"the query has more than {MAX_QUERY} characters",
            setting="query",
            advice="Give some words of the title; there are no operators.",
        )
    return query


def check_range(name: str, number: int, lowest: int, highest: int) -> int:
    if not lowest <= number <= highest:
        raise SettingsError(
            f"{name} is {number}, not between {lowest} and {highest}",
            setting=name,
            advice=f"Give a number from {lowest} to {highest}.",
        )
    return number


def check_text(name: str, text: str, longest: int) -> str:
    if not 1 <= len(text) <= longest:
        raise SettingsError(
            f"{name} has {len(text)} characters, not 1 to {longest}", setting=name, advice="Shorten it, or fill it in."
        )
    return text


def batches(ids: Iterable[S], size: int = BATCH) -> Iterator[tuple[S, ...]]:
    """Groups small enough for one request, in the caller's order, each id once."""
    unique: Sequence[S] = tuple(dict.fromkeys(ids))
    for start in range(0, len(unique), size):
        yield tuple(unique[start : start + size])


def milliseconds(at: datetime) -> str:
    """An instant as the string of digits that broadcasts want."""
    return str(round(at.astimezone(UTC).timestamp() * 1000))
