"""One request to the API with everything that must surround it: the token and its renewal, the cap on spend, the meter,
names that the service refuses, and what a no means. Every question goes through `ask`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hydrophone.errors import InvalidRequestError, NotSignedInError, OutOfCreditsError, WireError
from hydrophone.http.messages import NO_PARAMS, Question, Reply, Request
from hydrophone.http.reading import Node, read_json
from hydrophone.xapi.answers import count_resources
from hydrophone.xapi.constants import DEADLINE_SECONDS, MAX_BYTES, READ_ATTEMPTS, own_headers
from hydrophone.xapi.credentials import SPACES_SCOPES, Scope, UserBearer, UserTokens
from hydrophone.xapi.ledger import ZERO
from hydrophone.xapi.names import Dialect
from hydrophone.xapi.oauth import refresh_tokens
from hydrophone.xapi.prices import Kind
from hydrophone.xapi.problems import refusal_error
from hydrophone.xapi.session import ApiSession, Auth

_LOSER_WAIT_SECONDS = 2.0
_MOST_RENEWALS = 4
_REFUSED_VALUE = re.compile(r"The `([a-z_.]{1,60})` query parameter value \[[^]]*\] is not one of \[([^]]{1,20000})\]")
_REFUSED_PARAMETER = re.compile(r"[Tt]he query parameter \[(tweet\.fields|post\.fields)\] is not one of")


class OtherDialectError(InvalidRequestError):
    """The service does not know this parameter: it wants to be asked in the other dialect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a question asks for. `needs` is the most that the answer may cost; `body` is sent as JSON."""

    endpoint: str
    path: str
    params: Mapping[str, str] = field(default_factory=lambda: NO_PARAMS)
    method: str = "GET"
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    auth: Auth = Auth.EITHER
    scopes: tuple[Scope, ...] = SPACES_SCOPES
    needs: Decimal = ZERO
    is_free: bool = False  #: works without credits


def ask(session: ApiSession, asked: Asked) -> Question[tuple[Node, Reply]]:
    """The JSON object of a success, and the reply it came in.

    Raises:
        RemoteError: every refusal, by its kind.
        SpendCapError: the answer could cost more than the cap allows; nothing was sent.
    """
    if not asked.is_free:
        session.check_money()
        session.ledger.check(asked.needs, session.now(), endpoint=asked.endpoint)
    healed = False
    while True:
        params = _accepted_params(session, asked)
        reply = yield from _send(session, asked, params)
        lists = _listed_names(reply) if reply.status == 400 and not healed else {}
        if not lists:
            break
        session.learn_accepted(asked.endpoint, lists)
        healed = True
    error = refusal_error(reply, endpoint=asked.endpoint, now=session.now())
    if isinstance(error, OutOfCreditsError):
        session.note_broke(error)
    if isinstance(error, InvalidRequestError) and any(map(_REFUSED_PARAMETER.match, _messages(reply))):
        raise OtherDialectError(error.message, messages=error.messages, endpoint=asked.endpoint, advice=error.advice)
    if error is not None:
        raise error
    return read_json(reply, asked.endpoint), reply


def ask_in_either(session: ApiSession, asked: Callable[[Dialect], Asked], kind: Kind) -> Question[Node]:
    """Ask in the session's dialect, and in the other one if the service knows only that; then go on in it."""
    try:
        root, reply = yield from ask(session, asked(session.dialect))
    except OtherDialectError:
        session.dialect = Dialect.CURRENT if session.dialect is Dialect.LEGACY else Dialect.LEGACY
        root, reply = yield from ask(session, asked(session.dialect))
    session.charge(count_resources(root, kind), reply)
    return root


def _send(session: ApiSession, asked: Asked, params: Mapping[str, str]) -> Question[Reply]:
    """The reply, with a token that was renewed in time, or once more when the service says that it is dead."""
    wait_seconds = 0.0
    for attempt in range(1, _MOST_RENEWALS + 1):
        credential = session.credential(asked.auth, asked.scopes, endpoint=asked.endpoint)
        if isinstance(credential, UserBearer) and session.is_renewal_due():
            yield from renew(session, credential.tokens)
        used = credential.tokens if isinstance(credential, UserBearer) else None
        reply = yield request_of(asked, params, credential, wait_seconds=wait_seconds)
        if reply.status != 401 or used is None or attempt == _MOST_RENEWALS:
            break
        is_renewed = yield from renew(session, used)
        if is_renewed is False:
            break
        # Somebody else is renewing it this very moment; a refused request costs nothing.
        wait_seconds = _LOSER_WAIT_SECONDS if is_renewed is None else 0.0
    return reply


def request_of(asked: Asked, params: Mapping[str, str], credential: Any, *, wait_seconds: float = 0.0) -> Request:
    """The request as it goes out."""
    headers = dict(own_headers())
    if asked.body is not None:
        headers["content-type"] = "application/json"
    return Request(
        asked.method,
        asked.path,
        params=params,
        headers=headers,
        body=json.dumps(asked.body, separators=(",", ":")).encode() if asked.body is not None else None,
        service="api",
        credential=credential,
        endpoint=asked.endpoint,
        # What changes something is sent once: a lost answer does not mean that nothing was done.
        attempts=READ_ATTEMPTS if asked.method == "GET" else 1,
        deadline_seconds=DEADLINE_SECONDS,
        max_bytes=MAX_BYTES,
        max_redirects=0,
        wait_seconds=wait_seconds,
    )


def renew(session: ApiSession, used: UserTokens) -> Question[bool | None]:
    """Get the user a token other than the used one.

    True when there is one, None while another task or process is at it, False when that is not possible.

    Raises:
        NotSignedInError: the user has to consent again.
        DiskError: the new tokens could not be kept; the old ones are dead.
    """
    if _take_newer(session, used):
        return True
    if session.oauth is None or used.refresh is None:
        return False
    release = session.try_lock()
    if release is None:
        return None
    try:
        # Between looking and locking, another process may have been faster.
        if _take_newer(session, used):
            return True
        try:
            tokens = yield from refresh_tokens(session.oauth, used, now=session.now).steps()
        except NotSignedInError:
            if _take_newer(session, used):
                return True
            raise
        if session.tokens is not None:
            session.tokens.save_user(tokens)
        if session.user is not None:
            session.user.use(tokens)
        return True
    finally:
        release()


def _take_newer(session: ApiSession, used: UserTokens) -> bool:
    """Go on with tokens that this or another process has got meanwhile."""
    user = session.user
    if user is not None and user.tokens.access != used.access:
        return True
    stored = session.stored_tokens()
    if user is None or stored is None or stored.access == used.access or stored.user_id != used.user_id:
        return False
    user.use(stored)
    return True


# ---------------------------------------------------------------- names that the service refuses


def _accepted_params(session: ApiSession, asked: Asked) -> dict[str, str]:
    """The parameters without the names that the service has refused before."""
    params: dict[str, str] = {}
    for name, value in asked.params.items():
        accepted = session.accepted.get((asked.endpoint, name))
        if accepted is not None:
            value = ",".join(one for one in value.split(",") if one in accepted)
        if value:
            params[name] = value
    return params


def _listed_names(reply: Reply) -> dict[str, frozenset[str]]:
    """What a 400 says that it would take, for lists of fields and expansions."""
    lists: dict[str, frozenset[str]] = {}
    for message in _messages(reply):
        match = _REFUSED_VALUE.match(message)
        if match and (match[1].endswith(".fields") or match[1] == "expansions"):
            lists[match[1]] = frozenset(match[2].replace(" ", "").split(","))
    return lists


def _messages(reply: Reply) -> list[str]:
    try:
        errors = read_json(reply, "").at("errors")
    except WireError:  # an unreadable body says nothing
        return []
    return [message for item in errors.items() if (message := item.at("message").text())]


def query_names(**lists: tuple[str, ...]) -> dict[str, str]:
    """Parameters out of lists of names; `space_fields` becomes ``space.fields``. An empty list is not sent."""
    return {name.replace("_fields", ".fields"): ",".join(names) for name, names in lists.items() if names}
