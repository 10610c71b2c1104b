"""What to tell a user when Periscope does not know a thing any more: why, and what can still be had."""

from __future__ import annotations

from hydrophone.errors import NotFoundError
from hydrophone.model import BroadcastId

CLOSED = "Periscope closed on 31 March 2021."
EXPORT_ADVICE = (
    "If it was yours, the export of your data from X may still hold it: `hydrophone import periscope-export FILE`."
)
NO_PERISCOPE_PAGE = (
    "This is no Periscope page any more: Periscope closed on 31 March 2021 and its addresses lead elsewhere."
)


def may_be_on_x(broadcast_id: str) -> bool:
    """Whether X can know a broadcast: ids of 13 characters moved there, decimal ones of 2015 never did."""
    return len(broadcast_id) == 13


def closed_error(broadcast_id: BroadcastId | str, *, asked_x: bool) -> NotFoundError:
    """The last word about a broadcast that is to be found nowhere.

    Args:
        asked_x: X was asked and does not have it either. Without that, the message claims nothing about X.
    """
    message = f"{CLOSED[:-1]} and its API no longer knows the broadcast {broadcast_id}"
    if not may_be_on_x(broadcast_id):
        message += "; ids of this kind never moved to X"
    elif asked_x:
        message += "; X does not have it either"
    return NotFoundError(message, endpoint="accessVideoPublic", advice=EXPORT_ADVICE)
