"""Activation of a guest: the token that stands in for a login where the service allows it."""

from __future__ import annotations

from hydrophone.errors import BlockedError
from hydrophone.http.messages import Question, Request
from hydrophone.xweb.constants import api_headers
from hydrophone.xweb.login import GuestPass
from hydrophone.xweb.reading import read_json
from hydrophone.xweb.refusals import needs_login, refusal_error
from hydrophone.xweb.session import WebSession

ENDPOINT = "guest/activate"


def activate_guest(session: WebSession) -> Question[GuestPass]:
    """A new guest pass, kept in the session. Activation is limited per address, so use a pass while it is fresh.

    Raises:
        RateLimitedError: too many activations from this address.
        NotSignedInError: guests are not admitted (any more).
    """
    reply = yield Request(
        "POST",
        "/1.1/guest/activate.json",
        headers=api_headers("POST", user_agent=session.user_agent, same_origin=False),
        body=b"",
        service="api",
        credential=GuestPass(bearer=session.bearer, is_api=session.is_api),
        endpoint=ENDPOINT,
    )
    error = refusal_error(reply, endpoint=ENDPOINT, signed_in=False, now=session.now())
    if isinstance(error, BlockedError):
        session.note(error)
    if error is not None:
        raise error
    if reply.status != 200:
        raise needs_login(ENDPOINT, f"guests are not admitted: HTTP {reply.status}")
    return session.keep_guest(read_json(reply, ENDPOINT).at("guest_token").need_text())
