"""Every way in which the service says no, as the typed error that tells what to do next.

Error bodies come as lists, objects, plain text, HTML or nothing; reading one never fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hydrophone.errors import (
    AccountLockedError,
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

FEATURE_MISSING = 336
CSRF_MISMATCH = 353
BAD_GUEST_TOKEN = 239

SIGN_IN = "Sign in: `hydrophone auth login`, or give --cookies FILE or --cookies-from-browser NAME."
_SIGN_IN_AGAIN = "The login no longer works. Sign in to x.com in a browser, then run `hydrophone auth login` again."
_UNLOCK = "Open x.com in a browser with this account and do what it asks; then run `hydrophone auth login` again."
_WAIT_AND_RETRY = "Nothing is wrong on your side. Try again in some minutes."
_UPDATE = "The service has changed. Update Hydrophone; `hydrophone doctor` shows which calls still work."

_DEAD_LOGIN = frozenset({32, 89})
_ACCOUNT_TROUBLE = frozenset({64, 326})
_TROUBLE_WORDS = ("temporarily locked", "denied by access control")
_NOT_ALLOWED = frozenset({37, 179, 200, 220})
_NO_SUCH_THING = frozenset({34, 144, 214})
_OVERLOAD = frozenset({-1, 29, 130, 131})
_PASSWORD_LOGIN = frozenset({366, 399})
_RATE_LIMITED = 88
#: The service names the asking account in some messages ("User (uid: 17...)"); that must reach no log and no archive.
_LONG_NUMBER = re.compile(r"\d{6,}")
_MAX_ERRORS = 50


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an error body says. `codes` and `messages` keep the order of the body; both may be empty."""

    codes: tuple[int, ...] = ()
    messages: tuple[str, ...] = ()
    is_html: bool = False
    is_empty: bool = False

    def says(self, *words: str) -> bool:
        return any(word in message.lower() for message in self.messages for word in words)

    def has(self, codes: frozenset[int]) -> bool:
        return any(code in codes for code in self.codes)

    @property
    def summary(self) -> str:
        return self.messages[0] if self.messages else ""


def read_refusal(reply: Reply) -> Refusal:
    """What the body of a reply says about errors; total."""
    body = reply.body.strip()
    if not body:
        return Refusal(is_empty=True)
    if body[:1] == b"<" or "text/html" in reply.headers.get("content-type", "").lower():
        return Refusal(is_html=True)
    try:
        content = reply.json()
    except WireError:
        return Refusal(messages=(_presentable(body[:1000].decode("utf-8", "replace")),))
    return read_errors(content)


def read_errors(content: Any) -> Refusal:
    """The same for a body that has been read as JSON."""
    codes: list[int] = []
    messages: list[str] = []
    for error in _errors_in(content):
        if isinstance(error, str):
            messages.append(_presentable(error))
            continue
        extensions = error.get("extensions")
        code = _code(error.get("code"))
        if code is None and isinstance(extensions, dict):
            code = _code(extensions.get("code"))
        if code is not None:
            codes.append(code)
        message = error.get("message")
        if isinstance(message, str) and message:
            messages.append(_presentable(message))
    return Refusal(tuple(codes), tuple(messages))


def _errors_in(content: Any) -> Iterator[dict[str, Any] | str]:
    if not isinstance(content, dict):
        return
    for key in ("errors", "error", "msg"):
        found = content.get(key)
        elements = found[:_MAX_ERRORS] if isinstance(found, list) else [found]
        for element in elements:
            if isinstance(element, dict) or (isinstance(element, str) and element):
                yield element


def _code(value: Any) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,6}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**6 else None


def _presentable(message: str) -> str:
    """One short line without control characters and without long numbers."""
    line = "".join(character if character.isprintable() else " " for character in message[:400])
    return _LONG_NUMBER.sub("…", " ".join(line.split()))[:300]


# ---------------------------------------------------------------- from a reply to an error


def refusal_error(reply: Reply, *, endpoint: str, signed_in: bool, now: datetime) -> HydrophoneError | None:
    """The error that a reply means, whatever the endpoint; None for a success, and for an unexplained 404.

    What a 404 without a body means depends on what was asked; so does a body with errors beside data (status 200).
    """
    status = reply.status
    if 200 <= status < 300:
        # The API speaks JSON only; a page in its place comes from a gatekeeper or a maintenance notice.
        return _blocked(status, endpoint) if reply.body.lstrip()[:1] == b"<" else None
    refusal = read_refusal(reply)
    if status == 404 and not refusal.codes:
        return None
    if status in (403, 503) and (refusal.is_html or ("cf-ray" in reply.headers and not refusal.codes)):
        return _blocked(status, endpoint)
    if status == 429:
        return _rate_limited(reply, refusal, endpoint=endpoint, signed_in=signed_in, now=now)
    known = error_by_code(refusal, status=status, endpoint=endpoint)
    return known or _error_by_status(status, refusal, endpoint=endpoint, signed_in=signed_in)


def leftover_error(reply: Reply, *, endpoint: str, signed_in: bool) -> HydrophoneError | None:
    """The plain meaning of a reply that is no success, for a question that has no better one (an empty 404 too)."""
    if 200 <= reply.status < 300:
        return None
    refusal = read_refusal(reply)
    known = error_by_code(refusal, status=reply.status, endpoint=endpoint)
    return known or _error_by_status(reply.status, refusal, endpoint=endpoint, signed_in=signed_in)


def error_by_code(refusal: Refusal, *, status: int | None, endpoint: str) -> HydrophoneError | None:
    """The error that codes and messages mean, None where they mean nothing to us."""
    code = refusal.codes[0] if refusal.codes else None
    facts: dict[str, Any] = {"status": status, "code": code, "endpoint": endpoint}
    said = f" ({refusal.summary})" if refusal.summary else ""
    if refusal.has(_ACCOUNT_TROUBLE) or refusal.says(*_TROUBLE_WORDS):
        return AccountLockedError(f"the account is suspended or locked{said}", advice=_UNLOCK, **facts)
    if refusal.has(_DEAD_LOGIN):
        return NotSignedInError(f"the service does not accept the login{said}", advice=_SIGN_IN_AGAIN, **facts)
    if CSRF_MISMATCH in refusal.codes:
        return NotSignedInError("the login is dead: its ct0 cookie is refused", advice=_SIGN_IN_AGAIN, **facts)
    if BAD_GUEST_TOKEN in refusal.codes:
        return NotSignedInError("the service refuses us as a guest", advice=SIGN_IN, **facts)
    if refusal.has(_PASSWORD_LOGIN) or refusal.says("loginflow is currently not accessible"):
        return NotSignedInError("signing in by password is closed to us", advice=SIGN_IN, **facts)
    if refusal.has(_NOT_ALLOWED) or refusal.says("not authorized"):
        advice = "Use an account that may see it (it may be protected, or for subscribers only)."
        return RefusedError(f"this login may not see it{said}", advice=advice, **facts)
    if refusal.has(_NO_SUCH_THING):
        return NotFoundError(f"there is no such thing{said}", advice="Check the link or the id.", **facts)
    if refusal.has(_OVERLOAD) or refusal.says("loadshed") or refusal.summary.lower().startswith("timeout"):
        return FaultyServiceError(f"the service is overloaded{said}", advice=_WAIT_AND_RETRY, **facts)
    if refusal.messages and all(message.startswith("Dependency") for message in refusal.messages):
        return FaultyServiceError(f"a part of the service is down{said}", advice=_WAIT_AND_RETRY, **facts)
    return None


def _error_by_status(status: int, refusal: Refusal, *, endpoint: str, signed_in: bool) -> HydrophoneError:
    code = refusal.codes[0] if refusal.codes else None
    facts: dict[str, Any] = {"status": status, "code": code, "endpoint": endpoint}
    said = f" ({refusal.summary})" if refusal.summary else ""
    if status == 401 or (status == 403 and not refusal.codes and not refusal.messages):
        if signed_in:
            return NotSignedInError(f"the login has expired or was revoked{said}", advice=_SIGN_IN_AGAIN, **facts)
        return NotSignedInError(f"a login is needed{said}", advice=SIGN_IN, **facts)
    if status == 403:
        return RefusedError(f"the service refuses this{said}", advice="Try another account.", **facts)
    if status in (404, 410, 422):
        return NotFoundError(f"there is no such thing{said}", advice="Check the link or the id.", **facts)
    if status >= 500:
        return FaultyServiceError(f"the service is broken: HTTP {status}{said}", advice=_WAIT_AND_RETRY, **facts)
    return WireError(f"{endpoint}: unexpected HTTP {status}{said}", endpoint=endpoint, advice=_UPDATE)


def drift_error(endpoint: str, what: str, *, sample: str = "") -> WireError:
    """The service has changed in a way that we could not heal."""
    return WireError(f"{endpoint}: {what}", endpoint=endpoint, sample=_presentable(sample), advice=_UPDATE)


def needs_login(endpoint: str, what: str = "this needs a login") -> NotSignedInError:
    return NotSignedInError(what, endpoint=endpoint, advice=SIGN_IN)


def _blocked(status: int, endpoint: str) -> BlockedError:
    return BlockedError(
        "a gatekeeper before the service turned us away",
        status=status,
        endpoint=endpoint,
        advice="Wait some minutes. If it stays so, open x.com in a browser; Hydrophone solves no challenges.",
    )


def _rate_limited(
    reply: Reply, refusal: Refusal, *, endpoint: str, signed_in: bool, now: datetime
) -> AccountLockedError | RateLimitedError:
    code = refusal.codes[0] if refusal.codes else None
    remaining = _header_number(reply, "x-rate-limit-remaining")
    if signed_in and _RATE_LIMITED in refusal.codes and remaining is not None and remaining > 0:
        return AccountLockedError(
            f"the account itself is throttled: refused with {remaining} requests left",
            status=429,
            code=code,
            endpoint=endpoint,
            advice=_UNLOCK,
        )
    retry_at = retry_instant(reply, now)
    return RateLimitedError(
        f"the budget of {endpoint or 'this call'} is used up",
        retry_at=retry_at,
        code=code,
        endpoint=endpoint,
        advice=f"Asking is allowed again at {retry_at.astimezone(UTC):%H:%M:%S} UTC; Hydrophone waits by itself.",
    )


def retry_instant(reply: Reply, now: datetime) -> datetime:
    """When to ask again after a 429: the reset named by the service, but never in the past nor beyond an hour."""
    reset = _header_number(reply, "x-rate-limit-reset")
    if reset is None or reset <= now.timestamp():
        return now + timedelta(seconds=60)
    return now + timedelta(seconds=min(reset - now.timestamp(), 3600.0))


def _header_number(reply: Reply, name: str) -> int | None:
    text = reply.headers.get(name, "").strip()
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None
