"""What a visitor of x.com remembers between questions: who it is, what worked last, and what must not be asked now.

Questions consult and change a `WebSession`; it asks nothing itself. Only `save` and the constructor touch the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from hydrophone.errors import (
    AccountLockedError,
    BlockedError,
    HydrophoneError,
    NotSignedInError,
    RemoteError,
    SettingsError,
)
from hydrophone.model import UserId
from hydrophone.xweb.constants import USER_AGENT, WEB_BEARER
from hydrophone.xweb.login import GuestPass, Login
from hydrophone.xweb.operations import Operation, QueryForm, shipped_operations
from hydrophone.xweb.reading import Node
from hydrophone.xweb.transaction import TransactionIds

GUEST_LIFETIME = timedelta(minutes=45)  # reuse for 30 to 60 minutes is polite; it dies after about three hours
SIGNATURE_PAUSE = timedelta(minutes=5)
DISCOVERY_PAUSE = timedelta(hours=1)
STALE_PAUSE = timedelta(minutes=5)
TRANSACTION_LIFETIME = timedelta(hours=3)
BLOCKED_PAUSE = timedelta(minutes=5)
DEAD_LOGIN_PAUSE = timedelta(minutes=10)
STATE_KEY = "xweb"


class StateStore(Protocol):
    """Keeps small JSON values between runs. It must be private to the user: guest tokens are in it."""

    def get(self, key: str) -> Any:
        """The value, or None."""
        ...

    def put(self, key: str, value: Any) -> None:
        """Keep a value. A store that cannot write says so elsewhere: questions go on without it."""
        ...


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing is asked at the moment. `until` is None where only the user can end it."""

    error: RemoteError
    until: datetime | None


class WebSession:
    """The memory of one visitor: a login, or a guest.

    Args:
        login: None visits as a guest.
        is_api: origins that count as the API beside the real hosts (a sandbox on loopback).
        now: the clock.
        transaction_ids: a provider of one's own; None makes one from the home page when the service wants ids.
    """

    def __init__(
        self,
        *,
        login: Login | None = None,
        store: StateStore | None = None,
        is_api: Callable[[str], bool] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        bearer: str = WEB_BEARER,
        user_agent: str = USER_AGENT,
        transaction_ids: TransactionIds | None = None,
        operations: Mapping[str, Operation] | None = None,
    ) -> None:
        self.now = now
        self.bearer = bearer
        self.user_agent = user_agent
        self.is_api = is_api
        self.login = login
        self.guest: GuestPass | None = None
        self.guest_made_at: datetime | None = None
        self.transaction_ids = transaction_ids
        self.transaction_made_at: datetime | None = None
        self.own_user_ids: set[UserId] = set()
        self.last_good: dict[str, str] = {}
        self.learned_features: dict[str, set[str]] = {}
        self.discovered: dict[str, QueryForm] = {}
        self.discovered_at: datetime | None = None
        self._operations = operations if operations is not None else shipped_operations()
        self._signature_tried_at: datetime | None = None
        self._has_news = False
        self._stale: dict[tuple[str, str], datetime] = {}
        self._login_trouble: Trouble | None = None
        self._blocked: Trouble | None = None
        self._store = store
        if login is not None:
            self.use_login(login)
        if store is not None:
            self._restore(Node(store.get(STATE_KEY), STATE_KEY))

    # ------------------------------------------------------------ who we are

    @property
    def signed_in(self) -> bool:
        return self.login is not None

    @property
    def fingerprint(self) -> str:
        """Under which rate budgets are kept for whoever asks now; empty for a guest without a pass."""
        visitor = self.login or self.fresh_guest()
        return visitor.fingerprint if visitor is not None else ""

    def use_login(self, login: Login | None) -> None:
        """Go on with another login, or as a guest (None). Trouble of the old one is forgotten."""
        self.login = login
        self._login_trouble = None
        if login is None:
            return
        if login.is_api is None:
            login.is_api = self.is_api
        if login.user_id is not None:
            self.own_user_ids.add(login.user_id)

    def fresh_guest(self) -> GuestPass | None:
        """The guest pass, if it is young enough to be used."""
        if self.guest is None or self.guest_made_at is None:
            return None
        age = self.now() - self.guest_made_at
        return self.guest if timedelta() <= age < GUEST_LIFETIME else None

    def keep_guest(self, token: str) -> GuestPass:
        try:
            self.guest = GuestPass(token, bearer=self.bearer, is_api=self.is_api)
        except SettingsError as error:
            raise NotSignedInError("the service gave a guest token that cannot be used") from error
        self.guest_made_at = self.now()
        self.save()
        return self.guest

    def drop_guest(self, guest: GuestPass) -> None:
        """Forget this pass; a newer one, made meanwhile by another question, stays."""
        if self.guest is guest:
            self.guest = self.guest_made_at = None

    # ------------------------------------------------------------ trouble

    @property
    def trouble(self) -> RemoteError | None:
        """Why nothing is asked at the moment, None when all is well."""
        for trouble in (self._login_trouble if self.signed_in else None, self._blocked):
            if trouble is not None and (trouble.until is None or self.now() < trouble.until):
                return trouble.error
        return None

    def check(self) -> None:
        """Raise the error that forbids asking now, if there is one; it says that nothing was asked."""
        error = self.trouble
        if isinstance(error, RemoteError):
            raise type(error)(
                f"not asked, since the last answer was: {error.message}",
                status=error.status,
                code=error.code,
                endpoint=error.endpoint,
                advice=error.advice,
            )

    def note(self, error: HydrophoneError) -> None:
        """Remember an error after which one must not go on asking."""
        if isinstance(error, AccountLockedError):
            self._login_trouble = Trouble(error, None)
        elif isinstance(error, BlockedError):
            self._blocked = Trouble(error, self.now() + BLOCKED_PAUSE)
        elif isinstance(error, NotSignedInError) and self.signed_in:
            # One look after a while, since services have called good logins bad; never a loop.
            self._login_trouble = Trouble(error, self.now() + DEAD_LOGIN_PAUSE)

    def clear_trouble(self) -> None:
        """The user has looked after the account: ask again."""
        self._login_trouble = self._blocked = None

    # ------------------------------------------------------------ GraphQL

    def operation(self, name: str) -> Operation:
        return self._operations[name]

    def operation_names(self) -> frozenset[str]:
        return frozenset(self._operations)

    def forms(self, operation: Operation) -> Iterator[QueryForm]:
        """The forms to try, best first, without those that were refused a moment ago."""
        shipped = {form.query_id: form for form in operation.forms}
        candidates = dict(shipped)
        if (found := self.discovered.get(operation.name)) is not None:
            candidates[found.query_id] = found
        last_good = self.last_good.get(operation.name)
        order = sorted(candidates, key=lambda query_id: query_id != last_good)
        for query_id in order:
            stale_at = self._stale.get((operation.name, query_id))
            if stale_at is None or self.now() - stale_at >= STALE_PAUSE:
                yield candidates[query_id]

    def mark_good(self, operation: str, query_id: str) -> None:
        self._stale.pop((operation, query_id), None)
        if self.last_good.get(operation) != query_id or self._has_news:
            self.last_good[operation] = query_id
            self.save()

    def mark_stale(self, operation: str, query_id: str) -> None:
        self._stale[operation, query_id] = self.now()

    def learn_features(self, query_id: str, names: set[str]) -> None:
        self.learned_features.setdefault(query_id, set()).update(names)
        self._has_news = True

    def may_discover(self) -> bool:
        return self.discovered_at is None or self.now() - self.discovered_at >= DISCOVERY_PAUSE

    def keep_discovered(self, found: Mapping[str, QueryForm]) -> None:
        self.discovered.update(found)
        for name, form in found.items():
            self._stale.pop((name, form.query_id), None)
        self.save()

    # ------------------------------------------------------------ transaction ids

    def transaction_id(self, method: str, path: str) -> str | None:
        """An id for one request, None while the service has not asked for any."""
        if self.transaction_ids is None:
            return None
        made_at = self.transaction_made_at
        if made_at is not None and self.now() - made_at >= TRANSACTION_LIFETIME:
            self.transaction_ids = None
            return None
        return self.transaction_ids.make(method, path, int(self.now().timestamp()))

    def may_learn_transaction_ids(self) -> bool:
        """Whether a new maker of ids may be fetched now; never when the user brought one. Counts as a try."""
        tried_at = self._signature_tried_at
        if self.transaction_ids is not None and self.transaction_made_at is None:
            return False
        if tried_at is not None and timedelta() <= self.now() - tried_at < SIGNATURE_PAUSE:
            return False
        self._signature_tried_at = self.now()
        return True

    def keep_transaction_ids(self, maker: TransactionIds) -> None:
        self.transaction_ids = maker
        self.transaction_made_at = self.now()

    # ------------------------------------------------------------ between runs

    def save(self) -> None:
        """Put what is worth keeping into the store."""
        self._has_news = False
        if self._store is None:
            return
        state: dict[str, Any] = {
            "schema": 1,
            "last_good": dict(self.last_good),
            "features": {query_id: sorted(names) for query_id, names in self.learned_features.items()},
            "discovered_at": self.discovered_at.isoformat() if self.discovered_at else None,
            "discovered": {
                name: {"id": form.query_id, "features": dict(form.features), "toggles": dict(form.field_toggles)}
                for name, form in self.discovered.items()
            },
        }
        if self.guest is not None and self.guest_made_at is not None:
            state["guest"] = {"token": self.guest.token, "made_at": self.guest_made_at.isoformat()}
        self._store.put(STATE_KEY, state)

    def _restore(self, state: Node) -> None:
        """Take over what `save` left, as far as it makes sense; a damaged state is no state."""
        if state.at("schema").integer() != 1:
            return
        self.last_good = {name: node.text() or "" for name, node in state.at("last_good").members()}
        self.learned_features = {
            query_id: {name for item in node.items() if (name := item.some_text())}
            for query_id, node in state.at("features").members()
        }
        self.discovered_at = _not_after(state.at("discovered_at").instant(), self.now())
        for name, node in state.at("discovered").members():
            if name in self._operations and (query_id := node.at("id").some_text()):
                self.discovered[name] = QueryForm(query_id, _flags(node.at("features")), _flags(node.at("toggles")))
        made_at = _not_after(state.at("guest", "made_at").instant(), self.now())
        token = state.at("guest", "token").some_text()
        if token and made_at is not None:
            try:
                self.guest = GuestPass(token, bearer=self.bearer, is_api=self.is_api)
                self.guest_made_at = made_at
            except SettingsError:
                self.guest = None


def _flags(node: Node) -> dict[str, bool]:
    return {name: value for name, item in node.members() if (value := item.flag()) is not None}


def _not_after(instant: datetime | None, now: datetime) -> datetime | None:
    """None for an instant in the future: the clock was wrong once, and must not forbid anything for years."""
    return instant if instant is not None and instant <= now else None
