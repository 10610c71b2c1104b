"""Every way in which Periscope says no, as the typed error that tells what to do next.

A failure may come in disguise, as a success whose body says ``"success": false``; error bodies are objects of three
kinds, plain text, HTML or nothing. Reading one never fails.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

from hydrophone.errors import (
    BlockedError,
    FaultyServiceError,
    HydrophoneError,
    NotFoundError,
    NotSignedInError,
    RateLimitedError,
    RefusedError,
    WireError,
)
from hydrophone.http.messages import Reply
from hydrophone.http.reading import Node, clean_text, read_document
from hydrophone.periscope.closing import CLOSED, EXPORT_ADVICE

NOT_FOUND = "not found"
_FIRST_PAUSE_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 3600.0
_SECONDS = re.compile(r"[0-9]{1,9}")
_SHOWN = 200
#: Tokens of this service begin with their version and go on with base64url; none of them belongs into a message.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{40,}={0,2}|eyJ[A-Za-z0-9_.-]{10,}")


class NotPeriscopeError(WireError):
    """Something else than Periscope answers at its address by now: a page where an answer of the API should be."""


def read_answer(reply: Reply, endpoint: str, *, now: datetime) -> Node:
    """The body of a success, an object or a list.

    Raises:
        RemoteError: any refusal, by its kind; a failure in disguise is a `FaultyServiceError`, or "not found".
        NotPeriscopeError: a success that is a page.
        WireError: a success that is no JSON.
    """
    error = refusal_error(reply, endpoint, now=now)
    if error is not None:
        raise error
    if _is_page(reply):
        raise NotPeriscopeError(
            f"{endpoint}: a page answers in place of the API. {CLOSED}", endpoint=endpoint, advice=EXPORT_ADVICE
        )
    root = read_document(reply, endpoint)
    disguised = disguised_error(root.value, endpoint)
    if disguised is not None:
        raise disguised
    return root


def disguised_error(content: Any, endpoint: str) -> NotFoundError | FaultyServiceError | None:
    """The failure that a success speaks of, None where it speaks of none."""
    if not isinstance(content, dict) or content.get("success") is not False:
        return None
    said = message_in(content)
    if said.lower() == NOT_FOUND:
        return NotFoundError(
            "there is no such thing", status=200, endpoint=endpoint, advice="Check the link or the id."
        )
    words = f" ({said})" if said else ""
    return FaultyServiceError(
        f"the service failed without saying why{words}", status=200, endpoint=endpoint, advice="Try again in a while."
    )


def refusal_error(reply: Reply, endpoint: str, *, now: datetime) -> HydrophoneError | None:
    """The error that the status of a reply means; None for a success."""
    status = reply.status
    if 200 <= status < 300:
        return None
    said = read_message(reply)
    words = f" ({said})" if said else ""
    facts: dict[str, Any] = {"status": status, "endpoint": endpoint}
    if status == 400:
        advice = "Check the id; it may be of a form that this call never took."
        return RefusedError(f"the service does not accept the question{words}", advice=advice, **facts)
    if status == 401:
        advice = "The session is over, or was of another user. Periscope gives no new ones: it closed in 2021."
        return NotSignedInError(f"the session is not accepted{words}", advice=advice, **facts)
    if status == 403:
        kind = BlockedError if _is_page(reply) else RefusedError
        return kind(f"the service refuses this{words}", **facts)
    if status == 404:
        message = f"Periscope knows no such thing{words}. {CLOSED}"
        return NotFoundError(message, advice="Check the link or the id. " + EXPORT_ADVICE, **facts)
    if status == 410:
        return NotFoundError(f"it is over and gone{words}", advice=EXPORT_ADVICE, **facts)
    if status == 429:
        retry_at = now + timedelta(seconds=pause_seconds(reply))
        return RateLimitedError(f"{endpoint}: too many questions", retry_at=retry_at, endpoint=endpoint)
    if 400 <= status < 500:
        return RefusedError(f"the service refuses this{words}", **facts)
    if status >= 500:
        advice = "Nothing is wrong on your side. Try again in some minutes."
        return FaultyServiceError(f"the service is broken: HTTP {status}{words}", advice=advice, **facts)
    return WireError(f"{endpoint}: unexpected HTTP {status}", endpoint=endpoint, advice=CLOSED)


def pause_seconds(reply: Reply, refusals_in_a_row: int = 1) -> float:
    """How long to be silent after a 429: what the service asks for, else a minute, doubling, at most an hour."""
    asked = reply.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(asked):
        return min(max(float(asked), 1.0), _LONGEST_PAUSE_SECONDS)
    return min(_FIRST_PAUSE_SECONDS * 2.0 ** min(max(refusals_in_a_row - 1, 0), 10), _LONGEST_PAUSE_SECONDS)


def read_message(reply: Reply) -> str:
    """What a body says to people: `msg`, else `error.message`, else the first of `errors`, else its first words."""
    if _is_page(reply):
        return ""
    try:
        content = json.loads(reply.body)
    except (ValueError, RecursionError):
        return presentable(reply.body[:1000].decode("utf-8", "replace"))
    return message_in(content)


def message_in(content: Any) -> str:
    """The same for a body that has been read as JSON."""
    if not isinstance(content, dict):
        return ""
    error, errors = content.get("error"), content.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    for said in (
        content.get("msg"),
        error.get("message") if isinstance(error, dict) else error,
        first.get("error") if isinstance(first, dict) else first,
    ):
        if isinstance(said, str) and said:
            return presentable(said)
    return ""


def presentable(text: str) -> str:
    """One short line without control characters and without tokens."""
    line = "".join(character if character.isprintable() else " " for character in clean_text(text[:2000]))
    return _TOKEN.sub("…", " ".join(line.split()))[:_SHOWN]


def _is_page(reply: Reply) -> bool:
    return reply.body.lstrip()[:1] == b"<" or "text/html" in reply.headers.get("content-type", "").lower()
