"""Exit codes: one table from what went wrong to the number that a script sees."""

from __future__ import annotations

from enum import IntEnum

from hydrophone import errors


class Exit(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    INTERNAL = 1
    USAGE = 2
    GAPS = 3
    NOT_FOUND = 4
    REFUSED = 5
    RATE_LIMITED = 6
    CHANGED = 7
    UNREACHABLE = 8
    DISK = 9
    ABORTED = 130

    @property
    def meaning(self) -> str:
        """One line for people."""
        return _MEANINGS[self]


_MEANINGS = {
    Exit.DONE: "done; a recording is complete",
    Exit.INTERNAL: "a mistake in Hydrophone itself; please report it",
    Exit.USAGE: "what was typed or set cannot be used",
    Exit.GAPS: "finished, but something is missing, damaged or was stopped; everything missing is named",
    Exit.NOT_FOUND: "there is no such thing, or nothing to record (no replay, canceled, not started)",
    Exit.REFUSED: "not signed in, or refused by the service",
    Exit.RATE_LIMITED: "the service's rate limit is used up; the message says until when",
    Exit.CHANGED: "the service answers in a way that this version does not understand",
    Exit.UNREACHABLE: "no answer from the service, or it is out of order; try again later",
    Exit.DISK: "the archive could not be written or read",
    Exit.ABORTED: "aborted by a second Ctrl-C; a re-run continues",
}

#: The nearest class in an error's own line of ancestors counts.
CODES: dict[type[BaseException], Exit] = {
    errors.HydrophoneError: Exit.INTERNAL,
    errors.LinkError: Exit.USAGE,
    errors.SettingsError: Exit.USAGE,
    errors.RemoteError: Exit.CHANGED,
    errors.NotFoundError: Exit.NOT_FOUND,
    errors.NotSignedInError: Exit.REFUSED,
    errors.RefusedError: Exit.REFUSED,
    errors.RateLimitedError: Exit.RATE_LIMITED,
    errors.FaultyServiceError: Exit.UNREACHABLE,
    errors.UnreachableError: Exit.UNREACHABLE,
    errors.UnsafeAddressError: Exit.CHANGED,
    errors.TooLargeError: Exit.CHANGED,
    errors.WireError: Exit.CHANGED,
    errors.PlaylistError: Exit.CHANGED,
    errors.MediaError: Exit.CHANGED,
    errors.RecordingError: Exit.GAPS,
    errors.NoReplayError: Exit.NOT_FOUND,
    errors.NotStartedError: Exit.NOT_FOUND,
    errors.CanceledError: Exit.NOT_FOUND,
    errors.StalledError: Exit.UNREACHABLE,
    errors.AbortedError: Exit.ABORTED,
    errors.ArchiveError: Exit.DISK,
    KeyboardInterrupt: Exit.ABORTED,
    OSError: Exit.DISK,
}


def code_of(error: BaseException) -> Exit:
    """The exit code for an error; `Exit.INTERNAL` for what nobody foresaw."""
    return next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), Exit.INTERNAL)
