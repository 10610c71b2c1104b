"""One request to the API with everything that must surround it: the credential, its renewal, and what a no means.

Every endpoint goes through `ask_api`; so cookies are rotated, guests activated and dead accounts spared in one place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydrophone.errors import HydrophoneError
from hydrophone.http.messages import NO_PARAMS, Question, Reply, Request
from hydrophone.xweb.constants import API_MAX_BYTES, api_headers
from hydrophone.xweb.guest import activate_guest
from hydrophone.xweb.login import GuestPass, Login
from hydrophone.xweb.reading import Node, read_json
from hydrophone.xweb.refusals import (
    BAD_GUEST_TOKEN,
    CSRF_MISMATCH,
    leftover_error,
    needs_login,
    read_refusal,
    refusal_error,
)
from hydrophone.xweb.session import WebSession


def ask_api(
    session: WebSession,
    endpoint: str,
    path: str,
    *,
    service: str,
    method: str = "GET",
    params: Mapping[str, str] = NO_PARAMS,
    body: bytes | None = None,
    signs: bool = False,
) -> Question[Reply]:
    """A reply that is a success, or a 400, 404 or 422 whose meaning depends on the question.

    Args:
        signs: send a transaction id if the session can make one.

    Raises:
        RemoteError: every other refusal, by its kind. What forbids further asking is noted in the session.
    """
    session.check()
    renewed = False
    while True:
        credential = yield from _credential(session)
        headers = dict(api_headers(method, user_agent=session.user_agent, same_origin=service == "x"))
        if signs and (signature := session.transaction_id(method, path)) is not None:
            headers["x-client-transaction-id"] = signature
        version = credential.version
        reply = yield Request(
            method,
            path,
            params=params,
            headers=headers,
            body=body,
            service=service,
            credential=credential,
            endpoint=endpoint,
            max_bytes=API_MAX_BYTES,
        )
        credential.adopt(reply)
        if not renewed and reply.status == 403 and _is_renewed(session, reply, credential, version):
            renewed = True
            continue
        break
    if reply.status in (400, 422):
        return reply
    error = refusal_error(reply, endpoint=endpoint, signed_in=isinstance(credential, Login), now=session.now())
    if error is not None:
        if reply.status == 401 and isinstance(credential, GuestPass):
            session.drop_guest(credential)
        raise _noted(session, error, credential)
    return reply


def ask_json(
    session: WebSession, endpoint: str, path: str, *, service: str, params: Mapping[str, str] = NO_PARAMS
) -> Question[Node]:
    """The JSON object of a REST endpoint; every status but success is an error, an empty 404 "not found"."""
    reply = yield from ask_api(session, endpoint, path, service=service, params=params)
    raise_for_status(session, reply, endpoint)
    return read_json(reply, endpoint)


def raise_for_status(session: WebSession, reply: Reply, endpoint: str) -> None:
    """Raise for those replies that `ask_api` leaves to the question, in their plain meaning."""
    error = leftover_error(reply, endpoint=endpoint, signed_in=session.signed_in)
    if error is not None:
        raise error


def require_login(session: WebSession, endpoint: str) -> None:
    """Spare the service a request that no guest is ever answered."""
    if not session.signed_in:
        raise needs_login(endpoint, f"{endpoint} answers only to a login")


def _credential(session: WebSession) -> Question[Login | GuestPass]:
    if session.login is not None:
        return session.login
    guest = session.fresh_guest()
    if guest is not None:
        return guest
    return (yield from activate_guest(session))


def _is_renewed(session: WebSession, reply: Reply, credential: Login | GuestPass, version: int) -> bool:
    """Whether a 403 was about a stale ct0 or guest token for which there is a newer one now."""
    codes = read_refusal(reply).codes
    if isinstance(credential, Login):
        # Not "adopt said yes": another question of this session may have brought the new ct0 meanwhile.
        return CSRF_MISMATCH in codes and credential.version != version
    if BAD_GUEST_TOKEN in codes:
        session.drop_guest(credential)
        return True
    return False


def _noted(session: WebSession, error: HydrophoneError, credential: Any) -> HydrophoneError:
    if credential is session.login or isinstance(credential, GuestPass):
        session.note(error)
    return error
