"""What a client of the API remembers between questions: its tokens, what it has learnt of the service, and its money.

Questions consult and change an `ApiSession`; it asks nothing itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Protocol

from hydrophone.errors import DiskError, NotSignedInError, OutOfCreditsError, RefusedError
from hydrophone.http.messages import Reply
from hydrophone.model import UserId
from hydrophone.xapi.credentials import AppBearer, Scope, UserBearer, UserTokens
from hydrophone.xapi.ledger import SpendLedger
from hydrophone.xapi.names import Dialect
from hydrophone.xapi.oauth import OAuthApp
from hydrophone.xapi.prices import Resource

log = logging.getLogger("hydrophone.xapi")

BROKE_PAUSE = timedelta(hours=1)  #: after a 402; accounts are recharged by people, or every five minutes at most
RENEW_EARLY = timedelta(seconds=60)
_MOST_NAMES = 100_000
_SIGN_IN = "Give a token: `hydrophone auth login --api`."


class Auth(StrEnum):
    """Which kind of token an endpoint takes."""

    EITHER = "either"
    APP = "app"
    USER = "user"


class TokenStore(Protocol):
    """Keeps a user's tokens, for all processes of a person."""

    def load_user(self) -> UserTokens | None: ...

    def save_user(self, tokens: UserTokens) -> None: ...

    def try_lock(self) -> Callable[[], None] | None:
        """The right to renew, and how to give it back; None while somebody else has it."""
        ...


class ApiSession:
    """The memory of one client.

    Args:
        app: the token of an app; preferred wherever both kinds are taken, since its pool is its own.
        user: the token of a user.
        oauth: the app that the user consented to; None cannot renew tokens.
        tokens: where renewed tokens are kept before they are used.
        ledger: None counts in memory, without a cap.
        dialect: what posts and users are asked for in; Spaces are read in both.
    """

    def __init__(
        self,
        *,
        app: AppBearer | None = None,
        user: UserBearer | None = None,
        oauth: OAuthApp | None = None,
        tokens: TokenStore | None = None,
        ledger: SpendLedger | None = None,
        dialect: Dialect = Dialect.LEGACY,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.app = app
        self.user = user
        self.oauth = oauth
        self.tokens = tokens
        self.ledger = ledger if ledger is not None else SpendLedger()
        self.dialect = dialect
        self.now = now
        self.accepted: dict[tuple[str, str], frozenset[str]] = {}  #: what a 400 listed, by endpoint and parameter
        self.ids_by_expansion_only = False  #: seen: id fields that were asked for did not come
        self.has_credits_endpoint = True
        self.unsaved: DiskError | None = None  #: why spend could not be kept on disk
        self._users: dict[str, UserId] = {}
        self._broke: OutOfCreditsError | None = None
        self._broke_until: datetime | None = None
        self._is_renewing = False

    # ------------------------------------------------------------ tokens

    def credential(self, auth: Auth, scopes: Iterable[Scope] = (), *, endpoint: str) -> AppBearer | UserBearer:
        """The token for an endpoint, so that no request is spent on a certain refusal.

        Raises:
            NotSignedInError: there is no token of the kind that it takes.
            RefusedError: the user has not consented to what it needs.
        """
        if auth is not Auth.USER and self.app is not None:
            return self.app
        if auth is not Auth.APP and self.user is not None:
            granted = self.user.tokens.scopes
            missing = [str(scope) for scope in scopes if granted and scope not in granted]
            if missing:
                raise RefusedError(
                    f"the sign-in lacks the scope {' '.join(missing)}",
                    endpoint=endpoint,
                    advice="Run `hydrophone auth login --api` again and agree to everything it asks for.",
                )
            return self.user
        wanted = {Auth.EITHER: "a token", Auth.APP: "an app's token", Auth.USER: "a user's sign-in"}[auth]
        raise NotSignedInError(f"{endpoint} needs {wanted}", endpoint=endpoint, advice=_SIGN_IN)

    def is_renewal_due(self) -> bool:
        user = self.user
        if user is None or user.tokens.refresh is None or self.oauth is None:
            return False
        return user.tokens.expires_at - self.now() < RENEW_EARLY

    def stored_tokens(self) -> UserTokens | None:
        return self.tokens.load_user() if self.tokens is not None else None

    def try_lock(self) -> Callable[[], None] | None:
        """The right to renew the user's tokens: one task, one process."""
        if self._is_renewing:
            return None
        release = self.tokens.try_lock() if self.tokens is not None else (lambda: None)
        if release is None:
            return None
        self._is_renewing = True

        def end() -> None:
            self._is_renewing = False
            release()

        return end

    # ------------------------------------------------------------ money

    def check_money(self) -> None:
        """
        Raises:
            OutOfCreditsError: the service has said so lately; it is not asked again for a while.
        """
        if self._broke is not None and self._broke_until is not None:
            if self.now() < self._broke_until:
                raise self._broke
            self._broke = self._broke_until = None

    def note_broke(self, error: OutOfCreditsError) -> None:
        self._broke, self._broke_until = error, self.now() + BROKE_PAUSE

    def resume_paid_work(self) -> None:
        """The account has been recharged: ask again at once."""
        self._broke = self._broke_until = None

    def charge(self, resources: Iterable[Resource], reply: Reply) -> None:
        """Count what an answer returned."""
        self.charge_at(resources, self.answered_at(reply))

    def charge_at(self, resources: Iterable[Resource], at: datetime) -> None:
        """Count what came at an instant. A full disk costs no answer; the count goes on in memory."""
        try:
            self.ledger.charge(resources, at)
            self.unsaved = None
        except DiskError as error:
            if self.unsaved is None:
                log.warning("what the API costs cannot be kept: %s", error.message)
            self.unsaved = error

    def answered_at(self, reply: Reply) -> datetime:
        """The service's own time of an answer; ours where it does not say. Its date ends in UTC, not in GMT."""
        try:
            at = parsedate_to_datetime(reply.headers.get("date", ""))
        except (ValueError, TypeError, OverflowError, IndexError):
            return self.now()
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        # Whole seconds, and a cache may have it from yesterday: only a clock that is plainly wrong is overruled.
        return at if abs(at - self.now()) > timedelta(seconds=5) else self.now()

    # ------------------------------------------------------------ what was learnt

    def learn_accepted(self, endpoint: str, lists: Mapping[str, frozenset[str]]) -> None:
        for parameter, names in lists.items():
            self.accepted[endpoint, parameter] = names

    def user_id_of(self, handle: str) -> UserId | None:
        """The id of a name that was asked for before: each question for a name costs money."""
        return self._users.get(handle.lower())

    @property
    def known_users(self) -> Mapping[str, UserId]:
        """Ids by name, in small letters."""
        return self._users

    def remember_user(self, handle: str, user_id: UserId) -> None:
        if len(self._users) < _MOST_NAMES:
            self._users[handle.lower()] = user_id
