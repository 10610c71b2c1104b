"""Signing in to Periscope with an account of X, as its clients did. The service gives no new sessions any more."""

from __future__ import annotations

import json
from typing import Any

from hydrophone.http.messages import Question, Request
from hydrophone.http.reading import Node
from hydrophone.periscope.asking import API, HEADERS, PREFIX
from hydrophone.periscope.records import PeriscopeUser, read_user
from hydrophone.periscope.refusals import read_answer
from hydrophone.periscope.session import PeriscopeLogin, PeriscopeSession


def login_with_oauth(
    session: PeriscopeSession, session_key: str, session_secret: str
) -> Question[tuple[PeriscopeLogin, PeriscopeUser | None]]:
    """A session for an OAuth 1 token of X.

    Raises:
        NotSignedInError: the token is not accepted.
    """
    body = {"session_key": session_key, "session_secret": session_secret}
    return read_session((yield from _post(session, "loginTwitter", body)))


def login_with_jwt(
    session: PeriscopeSession, jwt: str, *, vendor_id: str = "", create_user: bool = False
) -> Question[tuple[PeriscopeLogin, PeriscopeUser | None]]:
    """A session for a token that X makes for this purpose."""
    body = {"jwt": jwt, "vendor_id": vendor_id, "create_user": create_user}
    return read_session((yield from _post(session, "loginTwitterToken", body)))


def read_session(root: Node) -> tuple[PeriscopeLogin, PeriscopeUser | None]:
    cookie = root.need_object().at("cookie").need_text()
    if not cookie.isascii() or any(character in cookie for character in ' ",;\\') or not cookie.isprintable():
        raise root.at("cookie").wrong("a cookie")
    user = root.at("user")
    return PeriscopeLogin(cookie), read_user(user) if user.first("id", "user_id").some_text() else None


def _post(session: PeriscopeSession, endpoint: str, body: dict[str, Any]) -> Question[Node]:
    reply = yield Request(
        "POST",
        PREFIX + endpoint,
        headers={**HEADERS, "content-type": "application/json"},
        body=json.dumps(body).encode(),
        service=API,
        endpoint=endpoint,
        attempts=1,
        max_redirects=0,
    )
    return read_answer(reply, endpoint, now=session.now())
