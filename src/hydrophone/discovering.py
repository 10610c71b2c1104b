"""Finding and following Spaces over whatever source can answer, the cheapest first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from decimal import Decimal

from hydrophone.errors import HydrophoneError, NotFoundError, SettingsError
from hydrophone.http import Question
from hydrophone.model import Known, Sighting, SightingKind, Space, SpaceId, SpaceState
from hydrophone.reaching import Reach, Tell
from hydrophone.recorder.recalling import recall_spaces
from hydrophone.watch.following import Sources, follow
from hydrophone.wiring import Parts
from hydrophone.xapi import finding, spaces
from hydrophone.xapi.answers import Answer
from hydrophone.xapi.ledger import Spending
from hydrophone.xapi.session import ApiSession
from hydrophone.xapi.usage import Credits, credits_left
from hydrophone.xapi.wanted import SpaceWish
from hydrophone.xweb.fleets import spaces_of_users
from hydrophone.xweb.searching import SearchFilter, hydrate, search_spaces

STATES = ("live", "scheduled", "ended", "all")
_WANTED = {
    "live": (SpaceState.LIVE,),
    "scheduled": (SpaceState.SCHEDULED,),
    "ended": (SpaceState.ENDED, SpaceState.TIMED_OUT),
    "all": (SpaceState.LIVE, SpaceState.SCHEDULED),
}
_FILTERS = {
    "live": (SearchFilter.LIVE,),
    "scheduled": (SearchFilter.UPCOMING,),
    # What ended a moment ago is still listed.
    "ended": (SearchFilter.TOP, SearchFilter.LIVE),
    "all": (SearchFilter.LIVE, SearchFilter.UPCOMING),
}
_STATE_OF = {
    SightingKind.LIVE: SpaceState.LIVE,
    SightingKind.SCHEDULED: SpaceState.SCHEDULED,
    SightingKind.CHANGED: SpaceState.UNKNOWN,
    SightingKind.ENDED: SpaceState.ENDED,
    SightingKind.CANCELED: SpaceState.CANCELED,
}
_MOST_HYDRATED = 40
_PLAIN, _WITH_CREATOR = SpaceWish(), SpaceWish(expansions=("creator_id",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search has brought. `cost` is in US dollars.

    `source` is ``"web"``, ``"api"``, ``"local"``, or several of them joined by a plus sign. `is_cut_off`: there may be
    more, which other words would find. `problems` are names that nobody has, and the like.
    """

    spaces: tuple[Space, ...]
    source: str
    cost: Decimal = Decimal(0)
    is_cut_off: bool = False
    problems: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Space]:
        return iter(self.spaces)

    def __len__(self) -> int:
        return len(self.spaces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sieve:
    """Which Spaces are wanted; for all sources alike, since none of them can sift by more than the state."""

    state: str = "all"
    language: str | None = None
    min_listeners: int = 0

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise SettingsError(f"{self.state!r} is none of {', '.join(STATES)}", setting="--state")

    @property
    def needs_records(self) -> bool:
        """x.com's list of who is live says neither language nor how many are there."""
        return self.language is not None or self.min_listeners > 0

    def keep(self, found: Iterable[Space]) -> tuple[Space, ...]:
        return tuple(filter(self._fits, found))

    def _fits(self, space: Space) -> bool:
        if space.state not in _WANTED[self.state]:
            return False
        if self.language is not None:
            said, wanted = (space.language or "").lower(), self.language.lower()
            if said != wanted and not said.startswith(wanted + "-"):
                return False
        return (space.participant_count or space.listeners or 0) >= self.min_listeners


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiBudget:
    """What the API has cost, and what is left. `credits` is None where the service does not say."""

    today: Spending
    days: tuple[Spending, ...]
    remaining: Decimal | None
    credits: Credits | None


class Discovery:
    """The questions about Spaces that more than one source can answer.

    `tell` gets one clear line whenever the source that was asked first has to be replaced by the next.
    """

    def __init__(self, parts: Parts, tell: Tell | None = None) -> None:
        self._parts = parts
        self._reach = Reach(parts, tell)
        self._tell = self._reach.tell

    # ------------------------------------------------------------ questions

    async def find(self, phrases: Sequence[str], sieve: Sieve, *, with_names: bool = False) -> Found:
        """Spaces with one of the phrases in their title.

        Raises:
            NotSignedInError: there is neither a token of the API nor a login.
        """

        async def over_api() -> Found:
            asked = await self._reach.api()
            state = spaces.SearchState(sieve.state)
            wish = _wish(with_names)
            return await self._over_api(asked, sieve, finding.find_spaces(asked, *phrases, state=state, wish=wish))

        async def over_web() -> Found:
            self._reach.need_login()
            ids: dict[SpaceId, None] = {}
            for one in _FILTERS[sieve.state]:
                for phrase in phrases:
                    asked = search_spaces(self._parts.session, phrase, among=one)
                    ids.update(dict.fromkeys(await self._parts.client.ask(asked)))
            wanted = list(ids)[:_MOST_HYDRATED]
            return self._found(sieve, await self._hydrate(sieve, wanted), "web", is_cut_off=len(ids) > len(wanted))

        if sieve.state != "ended":
            return await self._reach.first({"api": over_api, "web": over_web})
        words = [phrase.casefold() for phrase in phrases]
        return await self._ended(
            sieve, lambda one: any(word in one.title.casefold() for word in words), search=over_web
        )

    async def each(
        self, phrases: Sequence[str], sieve: Sieve, *, with_names: bool = False
    ) -> AsyncGenerator[Space, None]:
        """The same one by one, live ones first; who breaks off spares the requests that were not needed."""
        states = ("live", "scheduled") if sieve.state == "all" else (sieve.state,)
        seen: set[SpaceId] = set()
        for state in states:
            for phrase in phrases:
                for space in await self.find([phrase], replace(sieve, state=state), with_names=with_names):
                    if space.id not in seen:
                        seen.add(space.id)
                        yield space

    async def by_creators(self, creators: Sequence[str], sieve: Sieve, *, with_names: bool = False) -> Found:
        """The Spaces of these accounts, given as ids or ``@names``. x.com knows only those that are live."""

        async def over_api() -> Found:
            asked = await self._reach.api()
            return await self._over_api(
                asked, sieve, finding.spaces_by_creators(asked, creators, wish=_wish(with_names))
            )

        async def over_web() -> Found:
            self._reach.need_login()
            if sieve.state == "scheduled":
                raise NotFoundError("x.com does not tell what is scheduled", advice="Give a token of the X API.")
            asked = spaces_of_users(self._parts.session, await self._reach.ids(creators))
            seen = list((await self._parts.client.ask(asked)).spaces.values())
            if sieve.needs_records:
                seen = await self._hydrate(sieve, [one.id for one in seen])
            if sieve.state == "all":
                self._tell("x.com tells only what is live; what is scheduled takes a token of the X API")
            return self._found(sieve, seen, "web")

        if sieve.state != "ended":
            return await self._reach.first({"api": over_api, "web": over_web})
        names = {one.removeprefix("@").casefold() for one in creators}

        def is_theirs(space: Space) -> bool:
            creator = space.creator
            return creator is not None and bool(names & {creator.id, (creator.handle or "").casefold()})

        return await self._ended(sieve, is_theirs)

    async def follow(self, creators: Sequence[str], *, use_stream: bool = True) -> AsyncGenerator[Sighting, None]:
        """Everything that happens to the Spaces of these accounts, for as long as it is iterated."""
        order = self._reach.order
        api = await self._reach.api(needed=False) if "api" in order else None
        sources = Sources(
            client=self._parts.client,
            now=self._parts.clock.now,
            api=api,
            web=self._parts.session if self._parts.login and "web" in order else None,
            sleep=self._parts.clock.sleep,
            use_stream=use_stream,
        )
        async with aclosing(follow(sources, await self._reach.ids(creators), tell=self._tell)) as news:
            async for sighting in news:
                yield self._noted(sighting)

    def _noted(self, sighting: Sighting) -> Sighting:
        """News, with what is known of the Space where they told no more than its id; remembered for later runs."""
        seen = sighting.space
        if seen is None:
            told = self._reach.noted.space(sighting.space_id, creator_id=sighting.creator_id)
            seen = replace(told, state=_STATE_OF[sighting.kind])
        self._reach.note(spaces=[seen])
        return replace(sighting, space=self._reach.noted.named(seen))

    async def budget(self) -> ApiBudget:
        """What the API has cost on each day, what may still be spent, and the balance of the account."""
        api = await self._reach.api(needed=False)
        days = tuple(api.ledger.days())
        now = api.now()
        today = next((one for one in days if one.day == now.date()), None)
        balance = None
        if api.app is not None:
            try:
                balance = await self._parts.client.ask(credits_left(api))
            except HydrophoneError as error:
                self._tell(f"the balance is not known: {error.message}")
        return ApiBudget(
            today=today or Spending(day=now.date(), cost=Decimal(0), resources=0),
            days=days,
            remaining=api.ledger.remaining(now),
            credits=balance,
        )

    # ------------------------------------------------------------ answers

    async def _over_api(self, api: ApiSession, sieve: Sieve, question: Question[Answer[Space]]) -> Found:
        """What the API says, and what it has cost to hear it."""
        before = api.ledger.run.cost
        answer = await self._parts.client.ask(question)
        if answer.stopped_by is not None:
            self._tell(f"not everything was asked: {answer.stopped_by.message}")
        found = self._found(sieve, answer.items, "api", is_cut_off=answer.is_cut_off)
        problems = tuple(problem.text for problem in answer.problems)
        return replace(found, cost=api.ledger.run.cost - before, problems=problems)

    async def _hydrate(self, sieve: Sieve, ids: Sequence[SpaceId]) -> list[Space]:
        """The records of x.com behind ids; the language is only known to the query of another client."""
        return await self._parts.client.ask(hydrate(self._parts.session, ids, thorough=sieve.language is not None))

    def _found(self, sieve: Sieve, every: Iterable[Space], source: str, *, is_cut_off: bool = False) -> Found:
        seen = list(every)
        self._reach.note(spaces=seen)
        kept = tuple(self._reach.noted.named(one) for one in sieve.keep(seen))
        return Found(spaces=kept, source=source, is_cut_off=is_cut_off)

    async def _ended(
        self, sieve: Sieve, is_meant: Callable[[Space], bool], *, search: Callable[[], Awaitable[Found]] | None = None
    ) -> Found:
        """Spaces that are over. No source can search them, so all that could know one is asked.

        The archive has what was recorded; what earlier searches and follows have seen is looked up by its id, which
        answers for a while after the end; and x.com's search still lists what ended a moment ago.
        """
        found: dict[SpaceId, Space] = {}
        sources: list[str] = []
        parts: list[Found] = []
        if "local" in self._reach.order:
            recorded = await asyncio.to_thread(self._recall)
            sources.append("local")
            found |= {one.space.id: one.space for one in recorded if is_meant(one.space)}
        noted = [one for one in self._reach.noted.spaces(self._parts.clock.now()) if is_meant(one)]
        unknown = [one.id for one in noted if one.id not in found]
        if unknown:
            parts.append(await self._look_up(sieve, unknown))
        if search is not None and "web" in self._reach.order and self._parts.login is not None:
            parts.append(await search())
        for part in parts:
            sources += [part.source] if part.source not in sources else []
            found |= {one.id: one for one in part.spaces if one.id not in found}
        self._tell("no service can search what has ended: this is what was recorded, or seen by an earlier search")
        return Found(
            spaces=sieve.keep(found.values()),
            source="+".join(sources),
            cost=sum((part.cost for part in parts), Decimal(0)),
        )

    def _recall(self) -> list[Known]:
        return list(recall_spaces(self._parts.settings.archive))

    async def _look_up(self, sieve: Sieve, ids: Sequence[SpaceId]) -> Found:
        async def over_api() -> Found:
            asked = await self._reach.api()
            return await self._over_api(asked, sieve, spaces.spaces_by_ids(asked, ids))

        async def over_web() -> Found:
            return self._found(sieve, await self._hydrate(sieve, ids[:_MOST_HYDRATED]), "web")

        return await self._reach.first({"api": over_api, "web": over_web})


def _wish(with_names: bool) -> SpaceWish:
    """Names of creators cost $0.010 each over the API, so they come only on demand."""
    return _WITH_CREATOR if with_names else _PLAIN
