"""Every way in which the API says no, or "not quite": problem objects, older shapes, and the typed errors they mean.

A problem beside data is a value and never costs the data. Where a type's URI points is not compared, only its last
segment: the service has moved its problems from one host to another. Reading one never fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hydrophone.errors import (
    BlockedError,
    FaultyServiceError,
    HydrophoneError,
    InvalidRequestError,
    NotFoundError,
    NotSignedInError,
    OutOfCreditsError,
    RateLimitedError,
    RefusedError,
    RemoteError,
    WireError,
)
from hydrophone.http.messages import Reply
from hydrophone.http.reading import Node, clean_text, read_document

_MAX_PROBLEMS = 500
_MAX_TEXT = 300
#: Account ids stand in some texts; they must reach no log.
_LONG_NUMBER = re.compile(r"\d{12,}")
_NOT_FOUND = frozenset(("resource-not-found", "resource-unavailable"))
_CREDITS = frozenset(("credits", "credits-depleted"))
_MISSING_FIELD = frozenset(("not-authorized-for-field", "field-unauthorized", "field-hydration-failure"))

_SIGN_IN_AGAIN = "Check the token: `hydrophone auth status --api`; get a new one with `hydrophone auth login --api`."
_MONEY_ADVICE = "Buy credits in the developer console, or go on without the API: the other sources cost nothing."
_KIND_ADVICE = "This needs the other kind of token: `hydrophone auth login --api` keeps an app's and a user's."
_LEVEL_ADVICE = "Give the app access in the developer console (a paid plan or credits, and a project)."
_WAIT_ADVICE = "Nothing is wrong on your side. Try again in some minutes."
_UPDATE_ADVICE = "The service has changed. Update Hydrophone; if that does not help, report this message."


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One problem object. `kind` is the last segment of its type, ``""`` where that is ``about:blank`` or missing."""

    kind: str = ""
    title: str = ""
    detail: str = ""
    status: int | None = None
    code: int | None = None
    resource_type: str = ""
    resource_id: str = ""
    parameter: str = ""
    value: str = ""
    field_name: str = ""
    reason: str = ""
    messages: tuple[str, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_not_found(self) -> bool:
        return self.kind in _NOT_FOUND

    @property
    def is_about_field(self) -> bool:
        """Only a field is missing; the thing itself is there."""
        return self.kind in _MISSING_FIELD

    @property
    def text(self) -> str:
        """One short line for people."""
        said = self.messages[0] if self.messages else self.detail or self.title or self.kind or "an unnamed problem"
        return presentable(said)


def read_problem(node: Node) -> Problem:
    """A problem out of an object of any of the known shapes; what is missing stays empty."""
    listed = [item for item in _some(node.at("errors")) if item.is_object()]
    messages = tuple(filter(None, (clean_text(item.at("message").text() or "") for item in listed)))
    return Problem(
        kind=_kind(node.at("type").text() or ""),
        title=node.first("title", "error").text() or "",
        detail=node.first("detail", "error_description", "message").text() or "",
        status=node.at("status").integer(),
        code=next((code for item in (node, *listed) if (code := item.at("code").integer()) is not None), None),
        resource_type=node.at("resource_type").text() or "",
        resource_id=node.at("resource_id").text() or "",
        parameter=node.at("parameter").text() or "",
        value=node.at("value").text() or "",
        field_name=node.at("field").text() or "",
        reason=node.first("reason", "connection_issue", "disconnect_type", "error").text() or "",
        messages=messages,
        raw=node.mapping(),
    )


def read_problems(errors: Node) -> tuple[Problem, ...]:
    """Those that stand beside data."""
    return tuple(read_problem(item) for item in _some(errors) if item.is_object())


def _some(node: Node) -> Iterator[Node]:
    for index, item in enumerate(node.items()):
        if index >= _MAX_PROBLEMS:
            return
        yield item


def _kind(uri: str) -> str:
    return "" if uri == "about:blank" else uri.rstrip("/").rpartition("/")[2][:80]


def presentable(text: str) -> str:
    """One short line without control characters and without long numbers."""
    line = "".join(character if character.isprintable() else " " for character in text[: 2 * _MAX_TEXT])
    return _LONG_NUMBER.sub("…", " ".join(line.split()))[:_MAX_TEXT]


# ---------------------------------------------------------------- from a reply to an error


def refusal_error(reply: Reply, *, endpoint: str, now: datetime) -> HydrophoneError | None:
    """The error that a reply means; None for a success."""
    if 200 <= reply.status < 300:
        if reply.body.lstrip()[:1] == b"<":
            return _blocked(reply.status, endpoint)
        return None
    problem = _problem_of(reply)
    if reply.status in (403, 503) and reply.body.lstrip()[:1] == b"<" and "cf-ray" in reply.headers:
        return _blocked(reply.status, endpoint)
    if reply.status == 429 and problem.kind not in _CREDITS | {"usage-capped"} and problem.title != "UsageCapExceeded":
        return _rate_limited(reply, problem, endpoint=endpoint, now=now)
    return problem_error(problem, status=reply.status, endpoint=endpoint)


def _problem_of(reply: Reply) -> Problem:
    try:
        node = read_document(reply, "") if reply.body.strip() else Node({})
        return read_problem(node if node.is_object() else Node({}))
    except WireError:
        return Problem()


def problem_error(problem: Problem, *, status: int, endpoint: str) -> HydrophoneError:
    """The error for a problem that stands alone: nothing came beside it."""
    facts: dict[str, Any] = {"status": status, "code": problem.code, "endpoint": endpoint}
    said = f" ({problem.text})" if problem != Problem() else ""
    if status == 402 or problem.kind in _CREDITS:
        return OutOfCreditsError(f"the account has no credits left{said}", advice=_MONEY_ADVICE, **facts)
    if problem.kind == "usage-capped" or problem.title == "UsageCapExceeded":
        return OutOfCreditsError(
            f"the month's allowance is used up{said}", advice="Wait for the next month, or raise the plan.", **facts
        )
    if problem.is_not_found:
        return NotFoundError(
            f"there is no such {presentable(problem.resource_type) or 'thing'}{said}", advice=_CHECK, **facts
        )
    if problem.kind == "invalid-request" or status == 400:
        return InvalidRequestError(
            f"the service calls the request wrong{said}",
            messages=tuple(presentable(message) for message in problem.messages),
            advice="Correct what it complains about; Hydrophone does not send it again as it is.",
            **facts,
        )
    if status == 401 or problem.code in (32, 89):
        return NotSignedInError(f"the service does not accept the token{said}", advice=_SIGN_IN_AGAIN, **facts)
    if problem.kind == "unsupported-authentication":
        return RefusedError(f"the wrong kind of token for {endpoint}{said}", advice=_KIND_ADVICE, **facts)
    if problem.kind == "client-forbidden" or problem.reason == "client-not-enrolled":
        return RefusedError(f"the app has no access to this{said}", advice=_LEVEL_ADVICE, **facts)
    return _error_by_status(status, said, facts)


_CHECK = "Check the link, id or name; what has ended disappears from the API."


def _error_by_status(status: int, said: str, facts: Mapping[str, Any]) -> HydrophoneError:
    if status == 404 and not said:
        # The service describes what it cannot find; without a word, it is the path that does not exist.
        where = str(facts["endpoint"])
        return WireError(f"{where}: this part of the API is not there", endpoint=where, advice=_UPDATE_ADVICE)
    if status == 404:
        return NotFoundError(f"there is no such thing{said}", advice=_CHECK, **facts)
    if status in (403, 409) or 200 <= status < 300:
        advice = "Sign in as the account that owns it, with every scope: `hydrophone auth login --api`."
        return RefusedError(f"the service refuses this{said}", advice=advice, **facts)
    if status >= 500:
        return FaultyServiceError(f"the service is broken: HTTP {status}{said}", advice=_WAIT_ADVICE, **facts)
    return RemoteError(f"unexpected HTTP {status}{said}", advice=_UPDATE_ADVICE, **facts)


def _blocked(status: int, endpoint: str) -> BlockedError:
    return BlockedError(
        "a page came where the API answers: a gatekeeper or a notice of maintenance",
        status=status,
        endpoint=endpoint,
        advice="Wait some minutes; Hydrophone solves no challenges.",
    )


def _rate_limited(reply: Reply, problem: Problem, *, endpoint: str, now: datetime) -> RateLimitedError:
    remaining = _number(reply, "x-rate-limit-remaining")
    reset = _number(reply, "x-rate-limit-reset")
    wait = 60.0
    if problem.kind == "streaming-connection":
        what = f"too many streams are open ({presentable(problem.reason) or problem.text})"
    elif remaining:
        what, wait = f"asked {endpoint} too fast", 2.0
    else:
        what = f"the budget of {endpoint} is used up"
        if reset is not None and 0.0 < reset - now.timestamp() <= 960.0:
            wait = reset - now.timestamp() + 1.0
    retry_at = now + timedelta(seconds=wait)
    return RateLimitedError(
        what,
        retry_at=retry_at,
        code=problem.code,
        endpoint=endpoint,
        advice=f"Asking is allowed again at {retry_at:%H:%M:%S} UTC; Hydrophone waits by itself.",
    )


def _number(reply: Reply, name: str) -> int | None:
    text = reply.headers.get(name, "").strip()
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None
