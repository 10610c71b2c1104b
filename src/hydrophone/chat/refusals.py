"""What a no of the chat service means."""

from __future__ import annotations

from datetime import datetime, timedelta

from hydrophone.errors import FaultyServiceError, NotFoundError, RateLimitedError, RefusedError, WireError
from hydrophone.http.messages import Reply
from hydrophone.http.retry import retry_after

_PAUSE = timedelta(seconds=60)
_LONGEST_PAUSE = timedelta(hours=1)


def raise_for_status(reply: Reply, endpoint: str, now: datetime) -> None:
    """Raise for every status but success.

    Raises:
        RefusedError: 400, 401, 403: the token has expired, or is for something else. `status` tells.
        NotFoundError: 404, 410.
        RateLimitedError: 429.
        FaultyServiceError: 5xx; 503 from a history means that this chat is gone.
        WireError: anything else.
    """
    status = reply.status
    if 200 <= status < 300:
        return
    if status in (404, 410):
        raise NotFoundError("there is no such chat, or not yet", status=status, endpoint=endpoint)
    if status in (400, 401, 403):
        raise RefusedError("the chat refuses our token", status=status, endpoint=endpoint)
    if status == 429:
        asked = retry_after(reply, now)
        pause = min(timedelta(seconds=asked), _LONGEST_PAUSE) if asked else _PAUSE
        raise RateLimitedError("the chat asks for a pause", retry_at=now + pause, endpoint=endpoint)
    if status >= 500:
        raise FaultyServiceError(f"the chat is broken: HTTP {status}", status=status, endpoint=endpoint)
    raise WireError(f"{endpoint}: unexpected HTTP {status}", endpoint=endpoint)
