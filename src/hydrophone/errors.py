"""The family tree of things that go wrong, shaped by what a caller can do about them.

Every class says when it is raised and carries what the caller needs as attributes. `advice` is one sentence that tells
a person what to do next; the command line prints it below the message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal


class HydrophoneError(Exception):
    """Anything that Hydrophone raises on purpose."""

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class LinkError(HydrophoneError):
    """What was typed is no link, id or name that we know. `text` is what was typed, shortened."""

    def __init__(self, message: str, *, text: str = "", advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.text = text


# ---------------------------------------------------------------- the answer was no


class RemoteError(HydrophoneError):
    """The service answered, and the answer was no.

    Attributes:
        status: HTTP status, None where the answer was no HTTP error.
        code: the service's own error code, e.g. 353.
        endpoint: the name of the endpoint that answered, e.g. ``"AudioSpaceById"``.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: int | None = None,
        endpoint: str = "",
        advice: str = "",
    ) -> None:
        super().__init__(message, advice=advice)
        self.status = status
        self.code = code
        self.endpoint = endpoint


class NotFoundError(RemoteError):
    """There is no such thing: never was, deleted, or not to be seen by this login."""


class NotSignedInError(RemoteError):
    """A login is needed, or the one we have is dead. Never retried with the same credentials."""


class RefusedError(RemoteError):
    """The service knows the thing and will not give it to us (protected, subscribers only, region)."""


class AccountLockedError(RefusedError):
    """The account is suspended, locked or throttled. It must not be used any more until its owner has looked."""


class BlockedError(RefusedError):
    """A gatekeeper before the service refused us (an HTML challenge). Never evaded: nothing is asked for minutes."""


class InvalidRequestError(RefusedError):
    """The service calls our request wrong; it is never sent again as it is. `messages` holds its complaints."""

    def __init__(
        self,
        message: str,
        *,
        messages: Sequence[str] = (),
        status: int | None = 400,
        code: int | None = None,
        endpoint: str = "",
        advice: str = "",
    ) -> None:
        super().__init__(message, status=status, code=code, endpoint=endpoint, advice=advice)
        self.messages = tuple(messages)


class OutOfCreditsError(RefusedError):
    """What the account has paid for is used up. No waiting helps, only money or the next month; never retried."""


class SpendCapError(OutOfCreditsError):
    """Our own cap on spend forbids the request; nothing was sent. Amounts are US dollars.

    Attributes:
        spent: what has been spent within the span that the cap is for.
        cap: the cap.
        needed: the most that the request could have cost.
    """

    def __init__(
        self, message: str, *, spent: Decimal, cap: Decimal, needed: Decimal, endpoint: str = "", advice: str = ""
    ) -> None:
        super().__init__(message, endpoint=endpoint, advice=advice)
        self.spent = spent
        self.cap = cap
        self.needed = needed


class RateLimitedError(RemoteError):
    """The budget is used up. `retry_at` is the aware UTC instant from which on asking is allowed again."""

    def __init__(
        self,
        message: str,
        *,
        retry_at: datetime,
        status: int | None = 429,
        code: int | None = None,
        endpoint: str = "",
        advice: str = "",
    ) -> None:
        super().__init__(message, status=status, code=code, endpoint=endpoint, advice=advice)
        self.retry_at = retry_at


class FaultyServiceError(RemoteError):
    """The service is overloaded or broken (5xx, LoadShed, time-out inside). Safe to try again later."""


class UnreachableError(HydrophoneError):
    """No answer at all: name, connection, TLS, or nothing within the deadline. Safe to try again. `host` says where."""

    def __init__(self, message: str, *, host: str = "", advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.host = host


class UnsafeAddressError(HydrophoneError):
    """An address that remote data must not lead us to (private, loopback, another scheme, a foreign host).

    `is_redirect`: the address that was asked for was good, and its answer led there; the next answer may not.
    """

    def __init__(self, message: str, *, host: str = "", advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.host = host
        self.is_redirect = False


class TooLargeError(HydrophoneError):
    """An answer exceeded its cap of bytes and was cut off. `limit_bytes` is the cap."""

    def __init__(self, message: str, *, limit_bytes: int, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.limit_bytes = limit_bytes


# ---------------------------------------------------------------- an answer we do not understand


class WireError(HydrophoneError):
    """An answer of a shape that we do not know: the service has changed.

    Attributes:
        path: where inside the answer, e.g. ``"data.audioSpace.metadata.state"``.
        endpoint: who answered.
        sample: a shortened, redacted piece of the answer.
    """

    def __init__(self, message: str, *, path: str = "", endpoint: str = "", sample: str = "", advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.path = path
        self.endpoint = endpoint
        self.sample = sample


class PlaylistError(HydrophoneError):
    """Not a playlist that we can follow. `line` counts from 1; 0 means the whole text."""

    def __init__(self, message: str, *, line: int = 0, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.line = line


class MediaError(HydrophoneError):
    """Bytes that are not the media they should be, or that a media library will not take."""


# ---------------------------------------------------------------- recording


class RecordingError(HydrophoneError):
    """A recording could not be made or went wrong; what was kept stays on disk."""


class NoReplayError(RecordingError):
    """The Space has ended and the service offers no replay."""


class NotStartedError(RecordingError):
    """The Space is scheduled and has not begun. `scheduled_at` is None where it is unknown."""

    def __init__(self, message: str, *, scheduled_at: datetime | None = None, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.scheduled_at = scheduled_at


class CanceledError(RecordingError):
    """The Space was canceled by its creator; there will never be anything to record."""


class StalledError(RecordingError):
    """Nothing has moved for longer than any promise allows."""


class AbortedError(RecordingError):
    """The user said stop, twice."""


# ---------------------------------------------------------------- archive and settings


class ArchiveError(HydrophoneError):
    """The archive on disk is not as it should be, or could not be written."""


class DiskError(ArchiveError):
    """The disk is full, read-only, gone or broken. `errno` is the system's number."""

    def __init__(self, message: str, *, errno: int = 0, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.errno = errno


class TakeInUseError(ArchiveError):
    """Another process records this very take."""


class DigestMismatchError(ArchiveError):
    """A file differs from the digest in its manifest. `differences` maps file name to what is wrong."""

    def __init__(self, message: str, *, differences: Mapping[str, str], advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.differences = dict(differences)


class NewerSchemaError(ArchiveError):
    """Written by a newer Hydrophone. `found` and `known` are schema numbers."""

    def __init__(self, message: str, *, found: int, known: int, advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.found = found
        self.known = known


class SettingsError(HydrophoneError):
    """What was asked for cannot be done. `setting` names the flag, variable or key."""

    def __init__(self, message: str, *, setting: str = "", advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.setting = setting
