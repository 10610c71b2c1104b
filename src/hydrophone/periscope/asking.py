"""One request to Periscope's web API with everything that must surround it: headers, disguised failures, pauses.

Public calls are asked by GET as the web client did, private ones by POST with the session's cookie.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hydrophone.errors import FaultyServiceError
from hydrophone.http.messages import NO_PARAMS, Question, Reply, Request
from hydrophone.http.reading import Node
from hydrophone.periscope.refusals import disguised_error, read_answer, refusal_error
from hydrophone.periscope.session import PeriscopeSession

API = "periscope"  #: the name of the service in `Endpoints`
WEB = "pscp"  #: the pages
PREFIX = "/api/v2/"
TRIES = 5  #: the official client's, for failures in disguise
_PAUSE_SECONDS = 0.5
_MAX_BYTES = 16 * 1024 * 1024

HEADERS: Mapping[str, str] = {"accept": "application/json", "referer": "https://www.periscope.tv/"}


def ask_public(
    session: PeriscopeSession,
    endpoint: str,
    params: Mapping[str, str] = NO_PARAMS,
    *,
    deadline_seconds: float = 30.0,
    wait_seconds: float = 0.0,
) -> Question[Node]:
    """The answer of a public call.

    Raises:
        RemoteError: every refusal, by its kind.
        WireError: the answer is no JSON.
    """
    request = Request(
        "GET",
        PREFIX + endpoint,
        params=params,
        headers=HEADERS,
        service=API,
        endpoint=endpoint,
        deadline_seconds=deadline_seconds,
        wait_seconds=wait_seconds,
        max_bytes=_MAX_BYTES,
    )
    return (yield from ask_again(session, request))


def ask_private(session: PeriscopeSession, endpoint: str, fields: Mapping[str, Any] | None = None) -> Question[Node]:
    """The answer of a call that is for signed-in users.

    Any private call of the service can be asked with this one: feeds, followers, settings and so on. None fields are
    left out.

    Raises:
        NotSignedInError: the session has no login, or the service does not take it.
    """
    login = session.need_login(endpoint)
    body = {name: value for name, value in (fields or {}).items() if value is not None}
    request = Request(
        "POST",
        PREFIX + endpoint,
        headers={**HEADERS, "content-type": "application/json"},
        body=json.dumps(body, separators=(",", ":")).encode(),
        service=API,
        credential=login,
        endpoint=endpoint,
        max_bytes=_MAX_BYTES,
        max_redirects=0,
    )
    return (yield from ask_again(session, request))


def ask_again(session: PeriscopeSession, request: Request) -> Question[Node]:
    """The answer to a request, which is repeated with growing pauses while it fails in disguise."""
    tries = 1
    while True:
        pause = _PAUSE_SECONDS * (tries - 1)
        reply = yield replace(request, wait_seconds=pause) if pause else request
        try:
            return read_answer(reply, request.endpoint, now=session.now())
        except FaultyServiceError as error:
            # A 5xx has been repeated by the driver already.
            if error.status != 200 or tries >= TRIES:
                raise
        tries += 1


def expect_success(session: PeriscopeSession, reply: Reply, endpoint: str) -> None:
    """For answers whose body says nothing: raise what the status, or a failure in disguise, means."""
    error = refusal_error(reply, endpoint, now=session.now())
    if error is None and reply.body.strip()[:1] == b"{":
        try:
            error = disguised_error(json.loads(reply.body), endpoint)
        except (ValueError, RecursionError):
            return
    if error is not None:
        raise error
