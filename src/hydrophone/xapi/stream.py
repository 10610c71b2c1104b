"""The activity stream: read as it comes, reconnected with patience, each event once.

Nothing tells what was missed while the stream was down, so a new connection is reported: then look for yourself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random

from hydrophone.errors import (
    BlockedError,
    HydrophoneError,
    NotSignedInError,
    OutOfCreditsError,
    RateLimitedError,
    RefusedError,
    TooLargeError,
    UnreachableError,
    WireError,
)
from hydrophone.http.driver import AsyncClient
from hydrophone.http.lines import open_lines
from hydrophone.http.messages import Request
from hydrophone.xapi import limits
from hydrophone.xapi.asking import Asked, request_of
from hydrophone.xapi.checks import check_range
from hydrophone.xapi.events import ActivityEvent, Seen, read_pushed
from hydrophone.xapi.problems import Problem, refusal_error
from hydrophone.xapi.session import ApiSession, Auth

SILENCE_SECONDS = 25.0  #: a heartbeat comes at least every 20
_NETWORK_STEP_SECONDS = 0.25
_NETWORK_MOST_SECONDS = 16.0
_STATUS_FIRST_SECONDS = 5.0
_STATUS_MOST_SECONDS = 320.0
_LIMIT_FIRST_SECONDS = 60.0
_LIMIT_MOST_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Connected:
    """The stream is open. `is_again`: it was before, and what happened meanwhile is unknown."""

    at: datetime
    is_again: bool


@dataclass(frozen=True, slots=True)
class Lost:
    """The stream is down, and will be opened again after so many seconds."""

    at: datetime
    reason: str
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class Arrived:
    """A new event; `at` is when it came, since most carry no time."""

    at: datetime
    event: ActivityEvent


@dataclass(frozen=True, slots=True)
class Noted:
    """The service says something about the stream itself, mostly just before it closes it."""

    at: datetime
    problem: Problem


StreamNews = Connected | Lost | Arrived | Noted


class Patience:
    """How long to wait before the next connection: a pure count of what went wrong in a row."""

    def __init__(self, rng: Random | None = None) -> None:
        self._rng = rng or Random()
        self._network = self._status = self._limits = 0

    def opened(self) -> None:
        """The stream has brought something: all is well again."""
        self._network = self._status = self._limits = 0

    def after(self, error: HydrophoneError | None, now: datetime) -> float:
        """Seconds to wait after a connection ended; None is an end without any error."""
        if isinstance(error, RateLimitedError):
            self._limits += 1
            told = (error.retry_at - now).total_seconds()
            doubled = min(_LIMIT_FIRST_SECONDS * 2.0 ** min(self._limits - 1, 20), _LIMIT_MOST_SECONDS)
            return max(doubled, min(told, _LIMIT_MOST_SECONDS)) + self._rng.uniform(0.0, 1.0)
        if error is None or isinstance(error, UnreachableError | TooLargeError):
            self._network += 1
            return min(_NETWORK_STEP_SECONDS * (self._network - 1), _NETWORK_MOST_SECONDS)
        self._status += 1
        return min(_STATUS_FIRST_SECONDS * 2.0 ** min(self._status - 1, 20), _STATUS_MOST_SECONDS)


def stream_request(
    session: ApiSession,
    *,
    backfill_minutes: int = 0,
    start_at: datetime | None = None,
    end_at: datetime | None = None,
) -> Request:
    """The request that opens the stream.

    Raises:
        NotSignedInError: there is no app's token; a user's is refused here.
        OutOfCreditsError: the service has said so lately.
    """
    session.check_money()
    check_range("backfill_minutes", backfill_minutes, 0, 5)
    params = {"backfill_minutes": str(backfill_minutes)} if backfill_minutes else {}
    for name, at in (("start_time", start_at), ("end_time", end_at)):
        if at is not None:
            params[name] = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    asked = Asked(endpoint=limits.STREAM, path="/2/activity/stream", auth=Auth.APP)
    return request_of(asked, params, session.credential(Auth.APP, endpoint=limits.STREAM))


async def read_stream(
    client: AsyncClient,
    session: ApiSession,
    *,
    backfill_minutes: int = 0,
    silence_seconds: float = SILENCE_SECONDS,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    rng: Random | None = None,
    seen: Seen | None = None,
) -> AsyncIterator[StreamNews]:
    """Everything that comes, for as long as it is iterated. Take it fast and work elsewhere: slow readers are cut off.

    Raises:
        NotSignedInError, RefusedError: there will never be a stream with this token.
        OutOfCreditsError: no money, no events.
    """
    patience = Patience(rng)
    known = seen if seen is not None else Seen()
    was_open = False
    while True:
        error: HydrophoneError | None = None
        try:
            request = stream_request(session, backfill_minutes=backfill_minutes)
            async with open_lines(client, request, silence_seconds=silence_seconds) as lines:
                refusal = refusal_error(lines.reply, endpoint=limits.STREAM, now=session.now())
                if refusal is not None:
                    raise refusal
                yield Connected(session.now(), was_open)
                was_open = True
                async for line in lines:
                    patience.opened()
                    for news in _news(session, line, known):
                        yield news
        except BlockedError as caught:
            error = caught
        except (NotSignedInError, RefusedError) as fatal:
            if isinstance(fatal, OutOfCreditsError):
                session.note_broke(fatal)
            raise
        except HydrophoneError as caught:
            error = caught
        wait = patience.after(error, session.now())
        yield Lost(session.now(), error.message if error else "the service ended the stream", wait)
        await sleep(wait)


def _news(session: ApiSession, line: bytes, known: Seen) -> list[StreamNews]:
    now = session.now()
    try:
        pushed = read_pushed(line)
    except WireError as error:
        # One line that nobody can read is no reason to lose the next.
        return [Noted(now, Problem(kind="unreadable", title="Unreadable", detail=error.message))]
    new = [event for event in pushed.events if known.is_new(event)]
    if new:
        session.charge_at([event.resource for event in new], now)
    return [*(Arrived(now, event) for event in new), *(Noted(now, problem) for problem in pushed.problems)]
