"""To be counted as a viewer: start, ping every 30 seconds, stop. Recording needs none of this and never does it."""

from __future__ import annotations

from dataclasses import dataclass, field

from hydrophone.http.messages import Question
from hydrophone.periscope.asking import ask_public
from hydrophone.periscope.session import PeriscopeSession

PING_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Viewing:
    """One view that is under way."""

    is_live: bool
    session_id: str = field(repr=False)


def start_viewing(session: PeriscopeSession, lifecycle_token: str, *, is_live: bool) -> Question[Viewing]:
    """Be counted from now on.

    Args:
        lifecycle_token: from the answer that told where the video is.
    """
    endpoint = "startPublic" if is_live else "replayViewedPublic"
    root = yield from ask_public(session, endpoint, {"life_cycle_token": lifecycle_token})
    return Viewing(is_live, root.at("session").need_text())


def keep_viewing(session: PeriscopeSession, viewing: Viewing) -> Question[None]:
    """Say that we are still there; every `PING_SECONDS`."""
    endpoint = "pingPublic" if viewing.is_live else "pingReplayViewedPublic"
    yield from ask_public(session, endpoint, {"session": viewing.session_id})


def stop_viewing(session: PeriscopeSession, viewing: Viewing) -> Question[None]:
    endpoint = "stopPublic" if viewing.is_live else "endReplayViewedPublic"
    yield from ask_public(session, endpoint, {"session": viewing.session_id})
