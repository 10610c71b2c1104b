"""From an id to video: what Periscope itself still answers, and when to go and ask X instead.

X is another room, so the caller asks it: `find_video` first; where that raises `NotFoundError`, `UnreachableError` or
`WireError` and `may_be_on_x` says so, X's record of the broadcast; then `closed_error`.
"""

from __future__ import annotations

from hydrophone.errors import (
    BlockedError,
    HydrophoneError,
    NoReplayError,
    NotSignedInError,
    NotStartedError,
    UnreachableError,
    UnsafeAddressError,
)
from hydrophone.http.messages import Question
from hydrophone.links import is_broadcast_id
from hydrophone.model import BroadcastId, SpaceState
from hydrophone.periscope.asking import API
from hydrophone.periscope.closing import EXPORT_ADVICE, closed_error, may_be_on_x
from hydrophone.periscope.refusals import NotPeriscopeError
from hydrophone.periscope.session import PeriscopeSession
from hydrophone.periscope.videos import VideoAccess, access_private_video, access_video

__all__ = ["closed_error", "find_video", "look_at_video", "may_be_on_x", "nothing_to_see"]

#: A broadcast that has just begun is known for some seconds before it can be seen.
PATIENCE_SECONDS = 30.0
STEP_SECONDS = 5.0
#: No answer of Periscope at all: the next id will fare no better.
_DEAD = (UnreachableError, UnsafeAddressError, BlockedError, NotPeriscopeError)


def find_video(session: PeriscopeSession, broadcast_id: BroadcastId) -> Question[VideoAccess]:
    """Where a broadcast is to be seen, live or as a replay; the answer always has a playlist.

    Raises:
        NotFoundError: Periscope does not know it (any more).
        NotStartedError: it has not begun.
        NoReplayError: it is over, and nothing is offered.
        NotSignedInError: it is private.
        UnreachableError: it runs, but is not to be seen yet; or there is no service at all any more.
        WireError: something else than Periscope answers there.
    """
    access = yield from look_at_video(session, broadcast_id)
    waited = 0.0
    while access.playlist_url is None and _may_come(access) and waited < PATIENCE_SECONDS:
        waited += STEP_SECONDS
        access = yield from look_at_video(session, broadcast_id, wait_seconds=STEP_SECONDS)
    if access.playlist_url is None:
        raise nothing_to_see(access, broadcast_id)
    return access


def look_at_video(
    session: PeriscopeSession,
    broadcast_id: BroadcastId,
    *,
    partial_replay: bool = False,
    wait_seconds: float = 0.0,
) -> Question[VideoAccess]:
    """The same, asked once and without judging whether there is anything to see.

    `partial_replay` asks for what a running broadcast can already be replayed from. A service that did not answer at
    all is not asked again in this session.
    """
    if not is_broadcast_id(broadcast_id):
        raise closed_error(broadcast_id, asked_x=False)
    if API in session.dead:
        raise session.dead[API]
    try:
        access = yield from access_video(
            session, broadcast_id, partial_replay=partial_replay, wait_seconds=wait_seconds
        )
    except _DEAD as error:
        session.dead[API] = error
        raise
    if access.playlist_url is None and session.login is not None and _is_private(access):
        return (yield from access_private_video(session, broadcast_id, partial_replay=partial_replay))
    return access


def _is_private(access: VideoAccess) -> bool:
    return bool(access.broadcast and access.broadcast.is_private)


def _may_come(access: VideoAccess) -> bool:
    return bool(access.broadcast and access.broadcast.state is SpaceState.LIVE) and not _is_private(access)


def nothing_to_see(access: VideoAccess, broadcast_id: BroadcastId) -> HydrophoneError:
    """Why an answer without any address has none."""
    broadcast = access.broadcast
    if broadcast is not None and broadcast.is_private:
        return NotSignedInError(
            "this broadcast is private: it needs a signed-in Periscope account, which no longer exists",
            endpoint="accessVideoPublic",
            advice=EXPORT_ADVICE,
        )
    if broadcast is not None and broadcast.state is SpaceState.SCHEDULED:
        return NotStartedError("the broadcast has not begun", scheduled_at=broadcast.scheduled_at)
    if broadcast is not None and broadcast.state.is_over:
        return NoReplayError("the broadcast has ended and there is no replay", advice=EXPORT_ADVICE)
    return UnreachableError(
        f"the broadcast {broadcast_id} runs, but its video is not to be had", advice="Try again in a minute."
    )
