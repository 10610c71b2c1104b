"""Signing in to the Producer API: by a code that the user types on a page, or by OAuth in a browser.

The service closed in 2021 and gives no new tokens.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from hydrophone.errors import NotSignedInError, SettingsError
from hydrophone.http.messages import NO_PARAMS, Question, Reply, Request
from hydrophone.http.reading import Node
from hydrophone.periscope.records import PeriscopeUser, read_user
from hydrophone.periscope.refusals import read_answer
from hydrophone.periscope.session import PeriscopeSession

SERVICE = "producer"
HOSTS = frozenset({"api.pscp.tv", "api-ws.pscp.tv"})
OAUTH_PAGE = "https://www.periscope.tv/oauth"
_TOKEN = re.compile(r"[!-~]{1,4096}")
_LONGEST_LIFE_SECONDS = 10 * 366 * 86_400


class ProducerLogin:
    """The tokens of a user of the Producer API. As a credential it goes to its hosts only.

    Args:
        is_api: allows further origins, e.g. those of a sandbox on loopback.
    """

    def __init__(
        self,
        access_token: str,
        *,
        refresh_token: str = "",
        expires_at: datetime | None = None,
        user: PeriscopeUser | None = None,
        is_api: Callable[[str], bool] | None = None,
    ) -> None:
        if not _TOKEN.fullmatch(access_token):
            raise SettingsError("this is no access token", setting="access_token")
        self._access_token = access_token
        self._refresh_token = refresh_token
        self.expires_at = expires_at
        self.user = user
        self.is_api = is_api

    def __repr__(self) -> str:
        return f"ProducerLogin({self.user.username if self.user else 'unknown'})"

    @property
    def fingerprint(self) -> str:
        return f"producer:{self.user.id if self.user else ''}"

    def secret_values(self) -> tuple[str, str]:
        """Access token and refresh token, for a store of secrets only."""
        return self._access_token, self._refresh_token

    def allows(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            is_ours = parts.scheme == "https" and (parts.hostname or "") in HOSTS and parts.port in (None, 443)
        except ValueError:
            return False
        return (is_ours and "@" not in parts.netloc) or (self.is_api is not None and self.is_api(url))

    def headers(self, method: str, url: str) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self._access_token}"}

    def adopt(self, reply: Reply) -> bool:
        return False


class DeviceState(StrEnum):
    """How far the user has come with a device code."""

    PENDING = "authorization_pending"
    EXPIRED = "expired"
    NETWORK_CHANGED = "network_changed"  #: asked from another address than before: start over
    ASSOCIATED = "associated"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCode:
    """Show `user_code` and `page_url` to the user, then check every `interval_seconds` until `expires_at`."""

    user_code: str
    page_url: str
    interval_seconds: float
    expires_at: datetime
    device_code: str = field(repr=False)


# ---------------------------------------------------------------- signing in


def start_device_login(session: PeriscopeSession, client_id: str, *, scopes: str = "chat") -> Question[DeviceCode]:
    """A code for the user to type on a page. The service allows few of these per address: do not ask again at once.

    Args:
        scopes: separated by commas; ``chat`` allows to read the chat.
    """
    body = {"client_id": client_id, **({"scope": scopes} if scopes else {})}
    root = yield from ask_producer(session, "POST", "/v1/device_code/create", body)
    return read_device_code(root, session.now())


def read_device_code(root: Node, now: datetime) -> DeviceCode:
    life = root.need_object().at("expires_in").count() or 0
    return DeviceCode(
        user_code=root.at("user_code").need_text(),
        page_url=root.at("associate_url").some_text() or "https://www.periscope.tv/device",
        interval_seconds=float(min(max(root.at("interval").count() or 10, 1), 300)),
        expires_at=now + timedelta(seconds=min(life, _LONGEST_LIFE_SECONDS)),
        device_code=root.at("device_code").need_text(),
    )


def check_device_login(
    session: PeriscopeSession, client_id: str, code: DeviceCode
) -> Question[tuple[DeviceState, ProducerLogin | None]]:
    """How far the user has come; the login where all is done. Ask from the same address, at the interval of the code.

    Raises:
        WireError: a state that we do not know.
    """
    body = {"device_code": code.device_code, "client_id": client_id}
    root = yield from ask_producer(session, "POST", "/v1/device_code/check", body)
    return read_device_state(root, session.now())


def read_device_state(root: Node, now: datetime) -> tuple[DeviceState, ProducerLogin | None]:
    text = (root.need_object().at("state").text() or "").lower()
    if text not in set(DeviceState):
        raise root.at("state").wrong("a state of a device code")
    state = DeviceState(text)
    return state, read_login(root, now) if state is DeviceState.ASSOCIATED else None


def wait_for_device_login(session: PeriscopeSession, client_id: str, code: DeviceCode) -> Question[ProducerLogin]:
    """Check until the user is done.

    Raises:
        NotSignedInError: the code has expired, or we have moved to another address.
    """
    while session.now() < code.expires_at:
        body = {"device_code": code.device_code, "client_id": client_id}
        request = replace(producer_request("POST", "/v1/device_code/check", body), wait_seconds=code.interval_seconds)
        reply = yield request
        root = read_answer(reply, request.endpoint, now=session.now())
        state, login = read_device_state(root, session.now())
        if login is not None:
            return login
        if state is not DeviceState.PENDING:
            break
    raise NotSignedInError(
        "the code was not confirmed", endpoint="device_code/check", advice="Ask for a new code and type it in time."
    )


def exchange_code(
    session: PeriscopeSession, code: str, *, client_id: str, client_secret: str, redirect_uri: str
) -> Question[ProducerLogin]:
    """The login for a code that came back with the redirect of `OAUTH_PAGE`."""
    body = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "client_id": client_id,
        "client_secret": client_secret,
    }
    root = yield from ask_producer(session, "POST", "/v1/oauth/token", body)
    return read_login(root, session.now())


def refresh_login(
    session: PeriscopeSession, login: ProducerLogin, *, client_id: str, client_secret: str
) -> Question[ProducerLogin]:
    """A new login for one that is about to expire."""
    body = {
        "grant_type": "refresh_token",
        "refresh_token": login.secret_values()[1],
        "client_id": client_id,
        "client_secret": client_secret,
    }
    root = yield from ask_producer(session, "POST", "/v1/oauth/token", body)
    return read_login(root, session.now(), is_api=login.is_api)


def read_login(root: Node, now: datetime, *, is_api: Callable[[str], bool] | None = None) -> ProducerLogin:
    """Tokens from an answer; their life comes as a number or as digits."""
    token = root.need_object().at("access_token").need_text()
    if not _TOKEN.fullmatch(token):
        raise root.at("access_token").wrong("a token")
    life = root.at("expires_in").count()
    user = root.at("user")
    return ProducerLogin(
        token,
        refresh_token=root.at("refresh_token").some_text() or "",
        expires_at=now + timedelta(seconds=min(life, _LONGEST_LIFE_SECONDS)) if life is not None else None,
        user=read_user(user) if user.first("id", "user_id").some_text() else None,
        is_api=is_api,
    )


# ---------------------------------------------------------------- requests of the whole API


def producer_request(
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    login: ProducerLogin | None = None,
    params: Mapping[str, str] = NO_PARAMS,
) -> Request:
    """One request of the Producer API, with a body or without, signed in or not."""
    return Request(
        method,
        path,
        params=params,
        headers={"accept": "application/json", "content-type": "application/json"},
        body=json.dumps(body).encode() if body is not None else None,
        service=SERVICE,
        credential=login,
        endpoint=path.removeprefix("/v1/"),
        attempts=3 if method == "GET" else 1,
        # Only the region is meant to be reached by redirects; a body with secrets is never carried on.
        max_redirects=5 if body is None else 0,
    )


def ask_producer(
    session: PeriscopeSession,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    login: ProducerLogin | None = None,
    params: Mapping[str, str] = NO_PARAMS,
) -> Question[Node]:
    """The answer to such a request. Raises what its status means; a body of text is shown as it is."""
    request = producer_request(method, path, body, login, params)
    reply = yield request
    return read_answer(reply, request.endpoint, now=session.now())
