"""Finding, looking up and following Spaces over whatever source can answer, the cheapest first."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from hydrophone.errors import HydrophoneError, NotFoundError, NotSignedInError, SettingsError
from hydrophone.http import HostKind, Request
from hydrophone.links import parse_link
from hydrophone.model import ProfileRef, Sighting, Space, SpaceRef, SpaceState, UserId
from hydrophone.watch.following import Sources, follow
from hydrophone.wiring import Parts
from hydrophone.xapi import finding, spaces
from hydrophone.xapi.credentials import AppBearer
from hydrophone.xapi.ledger import Spending
from hydrophone.xapi.limits import declare_limits
from hydrophone.xapi.session import ApiSession
from hydrophone.xapi.usage import Credits, credits_left
from hydrophone.xapi.users import user_ids
from hydrophone.xweb.fleets import spaces_of_users
from hydrophone.xweb.people import user_by_handle
from hydrophone.xweb.searching import SearchFilter, hydrate, search_spaces

T = TypeVar("T")
Tell = Callable[[str], None]
STATES = ("live", "scheduled", "ended", "all")
_NAMES = {"api": "the X API", "web": "x.com"}
_MOST_HYDRATED = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search has brought. `source` is ``"web"`` or ``"api"``, `cost` is in US dollars.

    `is_cut_off`: there may be more, which other words would find. `problems` are names that nobody has, and the like.
    """

    spaces: tuple[Space, ...]
    source: str
    cost: Decimal = Decimal(0)
    is_cut_off: bool = False
    problems: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Space]:
        return iter(self.spaces)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiBudget:
    """What the API has cost, and what is left. `credits` is None where the service does not say."""

    today: Spending
    days: tuple[Spending, ...]
    remaining: Decimal | None
    credits: Credits | None


def _ignore(line: str) -> None:
    """Nobody wants to know."""


class Discovery:
    """The questions about Spaces that more than one source can answer.

    `tell` gets one clear line whenever the source that was asked first has to be replaced by the next.
    """

    def __init__(self, parts: Parts, tell: Tell | None = None) -> None:
        self._parts = parts
        self._tell = tell or _ignore

    # ------------------------------------------------------------ questions

    async def find(
        self, words: Sequence[str], *, state: str = "all", language: str | None = None, min_listeners: int = 0
    ) -> Found:
        """Spaces with one of the phrases in their title.

        Raises:
            NotSignedInError: there is neither a token of the API nor a login.
            SettingsError: no source can tell about that state.
        """
        _check_state(state)

        async def over_api() -> Found:
            api = await self._api()
            before = api.ledger.run.cost
            asked = finding.find_spaces(
                api, *words, state=spaces.SearchState(state), language=language, min_participants=min_listeners
            )
            answer = await self._parts.client.ask(asked)
            if answer.stopped_by is not None:
                self._tell(f"not everything was asked: {answer.stopped_by.message}")
            cost = api.ledger.run.cost - before
            return Found(spaces=answer.items, source="api", cost=cost, is_cut_off=answer.is_cut_off)

        async def over_web() -> Found:
            self._need_login()
            groups = {"live": (SearchFilter.LIVE,), "scheduled": (SearchFilter.UPCOMING,)}
            ids: dict[str, None] = {}
            for one in groups.get(state, (SearchFilter.LIVE, SearchFilter.UPCOMING)):
                for phrase in words:
                    asked = search_spaces(self._parts.session, phrase, among=one)
                    ids.update(dict.fromkeys(await self._parts.client.ask(asked)))
            wanted = list(ids)[:_MOST_HYDRATED]
            records = await self._parts.client.ask(hydrate(self._parts.session, wanted))  # type: ignore[arg-type]
            kept = _fitting(records, state, language, min_listeners)
            return Found(spaces=kept, source="web", is_cut_off=len(ids) > len(wanted))

        return await self._first({"api": over_api, "web": over_web})

    async def by_creators(self, creators: Sequence[str], *, state: str = "all", min_listeners: int = 0) -> Found:
        """The live and scheduled Spaces of these accounts, given as ids or ``@names``. x.com knows the live ones."""
        _check_state(state)

        async def over_api() -> Found:
            api = await self._api()
            before = api.ledger.run.cost
            answer = await self._parts.client.ask(finding.spaces_by_creators(api, creators))
            if answer.stopped_by is not None:
                self._tell(f"not everything was asked: {answer.stopped_by.message}")
            return Found(
                spaces=_fitting(answer.items, state, None, min_listeners),
                source="api",
                cost=api.ledger.run.cost - before,
                problems=tuple(problem.text for problem in answer.problems),
            )

        async def over_web() -> Found:
            self._need_login()
            if state == "scheduled":
                raise NotFoundError("x.com does not tell what is scheduled", advice="Give a token of the X API.")
            seen = await self._parts.client.ask(spaces_of_users(self._parts.session, await self._ids(creators)))
            kept = _fitting(seen.spaces.values(), state, None, min_listeners)
            return Found(spaces=kept, source="web")

        return await self._first({"api": over_api, "web": over_web})

    async def look_up(self, link: str, over_web: Callable[[], Awaitable[T]]) -> T | Space:
        """One thing by link: `over_web` is how x.com is asked about it; the API knows Spaces and creators."""

        async def over_api() -> Space:
            ref = parse_link(link)
            api = await self._api()
            if isinstance(ref, SpaceRef):
                return await self._parts.client.ask(spaces.space_by_id(api, ref.id))
            if isinstance(ref, ProfileRef):
                answer = await self._parts.client.ask(finding.spaces_by_creators(api, [f"@{ref.handle}"]))
                if answer.items:
                    return min(answer.items, key=lambda one: one.state is not SpaceState.LIVE)
            raise NotFoundError(f"the X API knows nothing of {link!r}")

        return await self._first({"api": over_api, "web": over_web})

    async def follow(self, creators: Sequence[str], *, use_stream: bool = True) -> AsyncGenerator[Sighting, None]:
        """Everything that happens to the Spaces of these accounts, for as long as it is iterated."""
        api = await self._api(needed=False)
        sources = Sources(
            client=self._parts.client,
            now=self._parts.clock.now,
            api=api,
            web=self._parts.session if self._parts.login else None,
            sleep=self._parts.clock.sleep,
            use_stream=use_stream,
        )
        async with aclosing(follow(sources, await self._ids(creators), tell=self._tell)) as news:
            async for sighting in news:
                yield sighting

    async def budget(self) -> ApiBudget:
        """What the API has cost on each day, what may still be spent, and the balance of the account."""
        api = await self._api(needed=False) or self._parts.api
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

    # ------------------------------------------------------------ sources

    async def _first(self, ways: dict[str, Callable[[], Awaitable[T]]]) -> T:
        """The answer of the first source that has one, in the order of the settings."""
        names = [name.strip() for name in self._parts.settings.ask_order.split(",")]
        refused: list[tuple[str, HydrophoneError]] = []
        for name in names:
            try:
                found = await ways[name]()
            except SettingsError:
                raise
            except HydrophoneError as error:
                refused.append((name, error))
                continue
            told = [(one, why) for one, why in refused if not isinstance(why, _NoSourceError)]
            if told:
                first, why = told[0]
                self._tell(f"{_NAMES[first]} did not answer ({why.message}); {_NAMES[name]} did")
            return found
        raise next((error for _, error in refused if not isinstance(error, _NoSourceError)), refused[0][1])

    async def _api(self, *, needed: bool = True) -> ApiSession:
        """The session of the API. In a sandbox that has its own token, that one opens it."""
        api = self._parts.api
        if api.app is None and api.user is None and self._parts.settings.provider == "sandbox":
            await self._take_sandbox_token(api)
        if needed and api.app is None and api.user is None:
            raise _NoSourceError(
                "there is no token of the X API",
                endpoint="xapi",
                advice="Set HYDROPHONE_API_BEARER, or run `hydrophone auth login --api`.",
            )
        declare_limits(self._parts.client.budgets)
        return api

    async def _take_sandbox_token(self, api: ApiSession) -> None:
        control = self._parts.settings.sandbox
        if control is None:
            return
        url = control.rstrip("/") + "/api2/tokens"
        try:
            reply = await self._parts.client.send(Request("GET", url, service="control", kind=HostKind.API))
            token = reply.json()["app"]
        except (HydrophoneError, KeyError, TypeError):
            return
        api.app = AppBearer(str(token), is_api=self._parts.is_api)

    def _need_login(self) -> None:
        if self._parts.login is None:
            raise _NoSourceError(
                "there is no login to X",
                endpoint="web",
                advice="Set HYDROPHONE_API_BEARER for the X API, or run `hydrophone auth login`.",
            )

    async def _ids(self, creators: Iterable[str]) -> list[UserId]:
        """Ids of accounts; a name costs nothing on x.com and $0.010 over the API."""
        names = list(creators)

        async def over_api() -> list[UserId]:
            found, missing = await self._parts.client.ask(user_ids(await self._api(), names))
            for error in missing:
                self._tell(error.message)
            if missing and not found:
                raise missing[0]
            return found

        async def over_web() -> list[UserId]:
            found = []
            for name in names:
                is_id = name.isascii() and name.isdigit()
                asked = user_by_handle(self._parts.session, name.removeprefix("@"))
                found.append(UserId(name) if is_id else (await self._parts.client.ask(asked)).id)
            return found

        return await self._first({"api": over_api, "web": over_web})


class _NoSourceError(NotSignedInError):
    """This source was never an option: nobody has given a token or a login for it."""


def _check_state(state: str) -> None:
    if state == "ended":
        raise SettingsError(
            "nobody finds Spaces that have ended: X forgets them",
            setting="--state",
            advice="Follow the creators (`--follow`), or look up a link with `hydrophone info`.",
        )
    if state not in STATES:
        raise SettingsError(f"{state!r} is none of {', '.join(STATES)}", setting="--state")


def _fitting(found: Iterable[Space], state: str, language: str | None, min_listeners: int) -> tuple[Space, ...]:
    wanted = {"live": (SpaceState.LIVE,), "scheduled": (SpaceState.SCHEDULED,)}
    states = wanted.get(state, (SpaceState.LIVE, SpaceState.SCHEDULED))
    return tuple(
        one
        for one in found
        if one.state in states
        and (language is None or (one.language or "").lower().split("-")[0] == language.lower())
        and (one.participant_count or one.listeners or 0) >= min_listeners
    )
