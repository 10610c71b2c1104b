"""When to ask again, and after how long: pure functions of the attempt and a random number."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from random import Random

from hydrophone.errors import HydrophoneError, UnreachableError
from hydrophone.http.messages import HostKind, Reply

#: 501 and 505 will not change their mind.
_HOPELESS = frozenset((501, 505, 511))


class HopelessError(UnreachableError):
    """No answer, and none to be expected from trying again at once (certificates, redirect loops)."""

    @classmethod
    def of_tls(cls, host: str) -> HopelessError:
        return cls(
            f"{host} could not prove who it is (TLS)",
            host=host,
            advice="check the clock of this computer, and whether a proxy opens TLS (then give its CA file)",
        )


def plain_error(error: BaseException, host: str) -> HydrophoneError | None:
    """What the system says about a connection, in our words; None for what is to be raised as it is."""
    if isinstance(error, HydrophoneError):
        return None
    if isinstance(error, TimeoutError):
        return UnreachableError(f"{host} did not answer in time", host=host)
    if isinstance(error, ssl.SSLError):
        return HopelessError.of_tls(host)
    if isinstance(error, OSError):
        return UnreachableError(f"{host}: {error.strerror or 'the connection was lost'}", host=host)
    return None


def is_worth_retrying(reply: Reply, kind: HostKind) -> bool:
    """Is this reply a hiccup of the server? A 429 is one only where no budget is kept."""
    status = reply.status
    if status < 400:
        return False
    if status == 429:
        return kind is HostKind.CDN
    if status in (408, 425):
        return True
    # A gatekeeper's challenge comes as 503 with HTML. Asking again at once is what it is there to punish.
    if "cf-mitigated" in reply.headers or (kind is HostKind.API and _is_gatekeeper(reply)):
        return False
    return status >= 500 and status not in _HOPELESS


def _is_gatekeeper(reply: Reply) -> bool:
    return "cf-ray" in reply.headers and reply.headers.get("content-type", "").startswith("text/html")


def backoff(attempt: int, rng: Random, *, base_seconds: float, max_seconds: float) -> float:
    """Seconds to wait after the failed try number `attempt` (from 1): exponential, with full jitter."""
    ceiling = min(max_seconds, base_seconds * 2.0 ** min(attempt - 1, 30))
    return rng.uniform(0.0, ceiling)


def retry_after(reply: Reply, now: datetime) -> float | None:
    """Seconds that the server asks us to stay away; None where it says nothing that can be read."""
    text = reply.headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        from email.utils import parsedate_to_datetime  # seldom needed, and slow to import

        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - now).total_seconds())
