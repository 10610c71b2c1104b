"""Following creators over the best source there is: the activity stream, else sweeps of the API, else web fleets.

Whoever iterates sees one kind of event and is told once, in one line, when another source takes over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import datetime

from hydrophone.errors import (
    BlockedError,
    HydrophoneError,
    NotSignedInError,
    OutOfCreditsError,
    RateLimitedError,
    RefusedError,
    SpendCapError,
    WireError,
)
from hydrophone.http import AsyncClient
from hydrophone.model import Sighting, UserId
from hydrophone.watch.rounds import Rounds
from hydrophone.xapi.events import EventType
from hydrophone.xapi.following import Follower, FollowPace, follow_creators
from hydrophone.xapi.session import ApiSession
from hydrophone.xapi.stream import Arrived, Connected, Lost, read_stream
from hydrophone.xapi.subscriptions import subscribe, subscriptions
from hydrophone.xweb.fleets import spaces_of_users
from hydrophone.xweb.session import WebSession

#: Beside a stream, sweeps only find what it has not told.
BESIDE_STREAM = FollowPace(period_seconds=300.0)
_FATAL = (NotSignedInError, RefusedError, OutOfCreditsError, SpendCapError)
_SHORTEST_ROUND_SECONDS = 15.0
_BACKOFF_SECONDS = 60.0

Sleep = Callable[[float], Awaitable[None]]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What may be asked. None where there is no token, or no login."""

    client: AsyncClient
    now: Callable[[], datetime]
    api: ApiSession | None = None
    web: WebSession | None = None
    sleep: Sleep = asyncio.sleep
    use_stream: bool = True
    pace: FollowPace | None = None


async def follow(
    sources: Sources, creators: Sequence[UserId], *, tell: Tell = lambda _: None
) -> AsyncGenerator[Sighting, None]:
    """Everything that happens to the Spaces of these accounts, for as long as it is iterated.

    Raises:
        NotSignedInError: there is neither a token nor a login.
        SpendCapError, OutOfCreditsError, RefusedError: the API can go on no more, and there is no login.
    """
    api = sources.api
    if api is not None and (api.app is not None or api.user is not None):
        try:
            async with aclosing(_over_api(sources, api, creators, tell)) as news:
                async for sighting in news:
                    yield sighting
        except _FATAL as error:
            if sources.web is None or sources.web.login is None:
                raise
            tell(f"the X API can go on no more ({error.message}); x.com is asked instead")
    if sources.web is None or sources.web.login is None:
        raise NotSignedInError(
            "following needs a token of the X API or a login",
            endpoint="follow",
            advice="`hydrophone auth login --api` or `hydrophone auth login`.",
        )
    async with aclosing(_over_fleets(sources, sources.web, creators, tell)) as news:
        async for sighting in news:
            yield sighting


# ---------------------------------------------------------------- the API: stream and sweeps together


async def _over_api(
    sources: Sources, api: ApiSession, creators: Sequence[UserId], tell: Tell
) -> AsyncGenerator[Sighting, None]:
    has_stream = False
    if sources.use_stream and api.app is not None:
        try:
            await _subscribe(sources, api, creators)
            has_stream = True
        except (OutOfCreditsError, SpendCapError):
            raise
        except HydrophoneError as error:
            tell(f"the activity stream is not to be had ({error.message}); creators are swept instead")
    pace = BESIDE_STREAM if has_stream and sources.pace is None else sources.pace
    follower = Follower(creators, pace=pace, remaining=api.ledger.remaining)
    news: asyncio.Queue[Sighting | BaseException] = asyncio.Queue(maxsize=1000)
    tasks = [asyncio.create_task(_sweep(sources, api, creators, follower, news, tell))]
    if has_stream:
        tasks.append(asyncio.create_task(_listen(sources, api, follower, news, tell)))
    try:
        while True:
            one = await news.get()
            if isinstance(one, BaseException):
                raise one
            yield one
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError, HydrophoneError):
                await task


async def _subscribe(sources: Sources, api: ApiSession, creators: Sequence[UserId]) -> None:
    """A subscription for each creator's starts and ends; those that are there already cost no request."""
    known = await sources.client.ask(subscriptions(api))
    have = {(one.event_type, one.user_id) for one in known.items}
    for creator in creators:
        for kind in (EventType.SPACES_START, EventType.SPACES_END):
            if (kind.value, creator) not in have:
                await sources.client.ask(subscribe(api, kind, creator))


async def _sweep(
    sources: Sources,
    api: ApiSession,
    creators: Sequence[UserId],
    follower: Follower,
    news: asyncio.Queue[Sighting | BaseException],
    tell: Tell,
) -> None:
    has_login = sources.web is not None and sources.web.login is not None

    def on_trouble(reason: str) -> None:
        if reason and has_login:
            api.check_money()  # an empty account is no reason to wait where x.com can be asked
        tell(f"following is held up: {reason}" if reason else "following goes on")

    try:
        swept = follow_creators(
            sources.client, api, creators, follower=follower, sleep=sources.sleep, on_trouble=on_trouble
        )
        async for sighting in swept:
            await news.put(sighting)
    except HydrophoneError as error:
        await news.put(error)


async def _listen(
    sources: Sources,
    api: ApiSession,
    follower: Follower,
    news: asyncio.Queue[Sighting | BaseException],
    tell: Tell,
) -> None:
    """The stream; sweeps go on whatever becomes of it. A new connection hurries them: nothing tells what was missed."""
    is_lost = False
    try:
        async for one in read_stream(sources.client, api, sleep=sources.sleep):
            if isinstance(one, Connected):
                if is_lost:
                    tell("the activity stream is back")
                is_lost = False
                follower.hurry()
            elif isinstance(one, Lost):
                if not is_lost:
                    tell(f"the activity stream is down ({one.reason}); creators are swept meanwhile")
                is_lost = True
                follower.hurry()
            elif isinstance(one, Arrived):
                sighting = one.event.sighting(one.at)
                if sighting is not None and (new := follower.told(sighting)) is not None:
                    await news.put(new)
    except HydrophoneError as error:
        tell(f"the activity stream is not to be had ({error.message}); creators are swept instead")


# ---------------------------------------------------------------- the web


async def _over_fleets(
    sources: Sources, web: WebSession, creators: Sequence[UserId], tell: Tell
) -> AsyncGenerator[Sighting, None]:
    rounds, is_troubled = Rounds(), False
    while True:
        wait = _BACKOFF_SECONDS
        try:
            seen = await sources.client.ask(spaces_of_users(web, creators))
        except (NotSignedInError, BlockedError, WireError):
            raise
        except HydrophoneError as error:
            if not is_troubled:
                tell(f"following is held up: {error.message}")
            is_troubled = True
            if isinstance(error, RateLimitedError):
                wait = max(wait, (error.retry_at - sources.now()).total_seconds())
        else:
            if is_troubled:
                tell("following goes on")
            is_troubled = False
            wait = max(_SHORTEST_ROUND_SECONDS, seen.refresh_seconds)
            for sighting in rounds.saw(sources.now(), seen.spaces):
                yield sighting
        await sources.sleep(wait)
