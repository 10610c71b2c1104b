"""Which sources can be asked, in which order, and the one line that says when another had to take over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeVar

from hydrophone.errors import HydrophoneError, NotSignedInError, SettingsError
from hydrophone.http import HostKind, Request
from hydrophone.model import Space, User, UserId
from hydrophone.noted import NOTED_NAME, Noted
from hydrophone.wiring import Parts, StateFile
from hydrophone.xapi.credentials import AppBearer
from hydrophone.xapi.limits import declare_limits
from hydrophone.xapi.session import ApiSession
from hydrophone.xapi.users import user_ids
from hydrophone.xweb.people import user_by_handle

T = TypeVar("T")
Tell = Callable[[str], None]
Way = Callable[[], Awaitable[T]]
NAMES = {"api": "the X API", "web": "x.com", "local": "the archive"}


class NoSourceError(NotSignedInError):
    """This source was never an option: nobody has given a token or a login for it."""


class Reach:
    """The sources of one engine.

    Args:
        tell: gets one clear line whenever the source that was asked first has to be replaced by the next.
    """

    def __init__(self, parts: Parts, tell: Tell | None = None) -> None:
        self.parts = parts
        self.tell = tell or _ignore
        self.noted = Noted(StateFile(parts.state_dir / NOTED_NAME))

    @property
    def order(self) -> list[str]:
        """The sources that may be asked, the first to ask first."""
        return list(dict.fromkeys(name.strip() for name in self.parts.settings.ask_order.split(",")))

    async def first(self, ways: Mapping[str, Way[T]]) -> T:
        """The answer of the first source that has one.

        Raises:
            SettingsError: none of the sources that may be asked knows this question.
            HydrophoneError: what the first of them said, where none has an answer.
        """
        refused: list[tuple[str, HydrophoneError]] = []
        for name in self.order:
            if name not in ways:
                continue
            try:
                found = await ways[name]()
            except SettingsError:
                raise
            except HydrophoneError as error:
                refused.append((name, error))
                continue
            told = [(one, why) for one, why in refused if not isinstance(why, NoSourceError)]
            if told:
                first, why = told[0]
                self.tell(f"{NAMES[first]} did not answer ({why.message}); {NAMES[name]} did")
            return found
        if not refused:
            able = ", ".join(ways)
            raise SettingsError(
                f"ask_order names no source that can answer this ({able})",
                setting="ask_order",
                advice="For example: --ask-order web,api,local",
            )
        raise next((error for _, error in refused if not isinstance(error, NoSourceError)), refused[0][1])

    async def api(self, *, needed: bool = True) -> ApiSession:
        """The session of the API. In a sandbox that has its own token, that one opens it.

        Raises:
            NotSignedInError: it is needed, and there is no token.
        """
        api = self.parts.api
        if api.app is None and api.user is None and self.parts.settings.provider == "sandbox":
            await self._take_sandbox_token(api)
        if needed and api.app is None and api.user is None:
            raise NoSourceError(
                "there is no token of the X API",
                endpoint="xapi",
                advice="Set HYDROPHONE_API_BEARER, or run `hydrophone auth login --api`.",
            )
        declare_limits(self.parts.client.budgets)
        for handle, user_id in self.noted.handles(self.parts.clock.now()):
            api.remember_user(handle, user_id)
        return api

    async def _take_sandbox_token(self, api: ApiSession) -> None:
        control = self.parts.settings.sandbox
        if control is None:
            return
        url = control.rstrip("/") + "/api2/tokens"
        try:
            reply = await self.parts.client.send(Request("GET", url, service="control", kind=HostKind.API))
            token = reply.json()["app"]
        except (HydrophoneError, KeyError, TypeError):
            return
        api.app = AppBearer(str(token), is_api=self.parts.is_api)

    def need_login(self) -> None:
        """
        Raises:
            NotSignedInError: there is no login to X.
        """
        if self.parts.login is None:
            raise NoSourceError(
                "there is no login to X",
                endpoint="web",
                advice="Set HYDROPHONE_API_BEARER for the X API, or run `hydrophone auth login`.",
            )

    async def ids(self, creators: Iterable[str]) -> list[UserId]:
        """Ids of accounts; a name costs nothing on x.com and $0.010 over the API, once."""
        names = list(creators)

        async def over_api() -> list[UserId]:
            api = await self.api()
            found, missing = await self.parts.client.ask(user_ids(api, names))
            for error in missing:
                self.tell(error.message)
            if missing and not found:
                raise missing[0]
            self.note()
            return found

        async def over_web() -> list[UserId]:
            found = []
            for name in names:
                if name.isascii() and name.isdigit():
                    found.append(UserId(name))
                    continue
                user = await self.parts.client.ask(user_by_handle(self.parts.session, name.removeprefix("@")))
                self.note(users=[user])
                found.append(user.id)
            return found

        return await self.first({"api": over_api, "web": over_web})

    def note(self, *, users: Iterable[User] = (), spaces: Iterable[Space] = ()) -> None:
        """Remember who and what was named, for later runs; a full disk costs no answer."""
        now = self.parts.clock.now()
        self.noted.note(now, users=[*self._newly_named(), *users], spaces=spaces)
        self.noted.save(now)

    def _newly_named(self) -> Iterable[User]:
        for handle, user_id in self.parts.api.known_users.items():
            known = self.noted.user(user_id)
            if known is None or (known.handle or "").lower() != handle:
                yield User(id=user_id, handle=handle)


def _ignore(line: str) -> None:
    """Nobody wants to know."""
