"""Credentials: what may be sent to the API hosts of x.com, and to nobody else.

A `Login` is a pair of cookies; the service changes one of them (ct0) whenever it likes, and we must follow. A
`GuestPass` is what somebody without an account has. Neither shows its secrets in a repr.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from hydrophone.errors import HydrophoneError, SettingsError
from hydrophone.http.messages import Reply
from hydrophone.model import UserId
from hydrophone.xweb.constants import API_HOSTS, PAGE_PATHS, WEB_BEARER

_COOKIE_VALUE = re.compile(r"[!#-+\--:<-\[\]-~]{1,1024}")  # RFC 6265: no blank, quote, comma, semicolon, backslash


def is_api_url(url: str) -> bool:
    """True for https URLs of the service's own API hosts on the usual port."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme == "https"
            and (parts.hostname or "") in API_HOSTS
            and parts.port in (None, 443)
            and "@" not in parts.netloc
        )
    except ValueError:
        return False


def fingerprint(*secret: str) -> str:
    """A short name from which the secret cannot be found again."""
    return hashlib.blake2b("\0".join(secret).encode(), digest_size=8, person=b"hydrophone-login").hexdigest()


class Login:
    """A signed-in account: `auth_token`, and the `ct0` that goes with it at the moment.

    Args:
        ct0: None invents one, which the service replaces with its first answer.
        user_id: the account's own id where a cookie tells it; used to leave the account out of what is archived.
        is_api: allows further origins, e.g. those of a sandbox on loopback.
        on_rotation: called with this login after every new ct0, to keep it.
    """

    def __init__(
        self,
        auth_token: str,
        ct0: str | None = None,
        *,
        user_id: UserId | None = None,
        bearer: str = WEB_BEARER,
        is_api: Callable[[str], bool] | None = None,
        on_rotation: Callable[[Login], None] | None = None,
    ) -> None:
        self._auth_token = _checked("auth_token", auth_token)
        self._ct0 = _checked("ct0", ct0) if ct0 else secrets.token_hex(16)
        self._bearer = _checked("bearer", bearer)
        self.is_api = is_api
        self.on_rotation = on_rotation
        self.user_id = user_id
        self.version = 0  #: counts the changes of ct0
        self.unsaved: HydrophoneError | None = None  #: why the newest ct0 could not be kept

    def __repr__(self) -> str:
        return f"Login({self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        return fingerprint(self._auth_token)

    def secret_values(self) -> tuple[str, str]:
        """`auth_token` and the present `ct0`, for a store of secrets only."""
        return self._auth_token, self._ct0

    def allows(self, url: str) -> bool:
        return is_api_url(url) or (self.is_api is not None and self.is_api(url))

    def headers(self, method: str, url: str) -> Mapping[str, str]:
        cookie = f"auth_token={self._auth_token}; ct0={self._ct0}"
        if urlsplit(url).path in PAGE_PATHS:
            return {"cookie": cookie}
        return {
            "authorization": f"Bearer {self._bearer}",
            "cookie": cookie,
            "x-csrf-token": self._ct0,
            "x-twitter-auth-type": "OAuth2Session",
        }

    def adopt(self, reply: Reply) -> bool:
        """Take over a ct0 that an API host has set. True when it differs from the one we had."""
        if not self.allows(reply.url or (reply.request.target if reply.request else "")):
            return False
        new = None
        for line in reply.headers.get_all("set-cookie"):
            pair, _, attributes = line.partition(";")
            name, _, value = pair.strip().partition("=")
            is_deletion = re.search(r"max-age\s*=\s*(?:-|0+(?:;|\s|$))", attributes, re.IGNORECASE)
            if name == "ct0" and _COOKIE_VALUE.fullmatch(value) and not is_deletion:
                new = value
        if new is None or new == self._ct0:
            return False
        self._ct0 = new
        self.version += 1
        if self.on_rotation is not None:
            try:
                self.on_rotation(self)
                self.unsaved = None
            except HydrophoneError as error:
                # The new ct0 works in this process; that the disk is full must not end a recording.
                self.unsaved = error
        return True


class GuestPass:
    """Access without an account. An empty token is the state before activation: only the bearer is sent."""

    version = 0

    def __init__(
        self, token: str = "", *, bearer: str = WEB_BEARER, is_api: Callable[[str], bool] | None = None
    ) -> None:
        self._token = _checked("guest token", token) if token else ""
        self._bearer = _checked("bearer", bearer)
        self._is_api = is_api

    def __repr__(self) -> str:
        return f"GuestPass({self.fingerprint})"

    @property
    def token(self) -> str:
        return self._token

    @property
    def fingerprint(self) -> str:
        return "guest-" + fingerprint("guest", self._token) if self._token else "guest"

    def allows(self, url: str) -> bool:
        return is_api_url(url) or (self._is_api is not None and self._is_api(url))

    def headers(self, method: str, url: str) -> Mapping[str, str]:
        if urlsplit(url).path in PAGE_PATHS:
            return {}
        headers = {"authorization": f"Bearer {self._bearer}"}
        if self._token:
            headers["x-guest-token"] = self._token
        return headers

    def adopt(self, reply: Reply) -> bool:
        return False


def _checked(name: str, value: str) -> str:
    """The value, if it can travel in a header without changing the request around it."""
    if not isinstance(value, str) or not _COOKIE_VALUE.fullmatch(value.strip()):
        raise SettingsError(
            f"the {name} is not a cookie value",
            setting=name,
            advice=f"Copy the value of {name} alone, without quotes, blanks or the name in front.",
        )
    return value.strip()
