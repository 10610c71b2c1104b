"""What opens the API, and the only place that decides where it may go: the API hosts, over TLS, and nowhere else."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from urllib.parse import quote, urlsplit

from hydrophone.errors import SettingsError
from hydrophone.http.messages import Reply
from hydrophone.model import UserId

API_HOSTS = frozenset(("api.x.com", "api.twitter.com"))
APP_PREFIX = "app-"
USER_PREFIX = "user-"
_TOKEN = re.compile(r"[A-Za-z0-9._~+/%=:-]{8,4096}")

#: Decides about further origins, those of a sandbox on loopback.
IsApi = Callable[[str], bool]


class Scope(StrEnum):
    """What a user may be asked to consent to."""

    TWEET_READ = "tweet.read"
    USERS_READ = "users.read"
    SPACE_READ = "space.read"
    OFFLINE_ACCESS = "offline.access"
    BROADCAST_READ = "broadcast.read"
    BROADCAST_WRITE = "broadcast.write"


SPACES_SCOPES = (Scope.SPACE_READ, Scope.TWEET_READ, Scope.USERS_READ)
DEFAULT_SCOPES = (Scope.TWEET_READ, Scope.USERS_READ, Scope.SPACE_READ, Scope.OFFLINE_ACCESS)


def is_api_url(url: str) -> bool:
    """True for https URLs of the API hosts on the usual port."""
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
    return hashlib.blake2b("\0".join(secret).encode(), digest_size=8, person=b"hydrophone-xapi").hexdigest()


def checked_token(name: str, value: str) -> str:
    """The token, if it can travel in a header. It is used exactly as given: its %2B and %3D belong to it."""
    token = value.strip().removeprefix("Bearer ").strip()
    if not _TOKEN.fullmatch(token):
        raise SettingsError(
            f"the {name} is no token", setting=name, advice=f"Copy the {name} whole, without quotes or blanks."
        )
    return token


@dataclass(frozen=True, slots=True)
class UserTokens:
    """What a user's consent has given. `refresh` is None without the scope offline.access."""

    access: str = field(repr=False)
    refresh: str | None = field(repr=False)
    expires_at: datetime
    scopes: frozenset[str]
    user_id: UserId | None = None


class ApiCredential:
    """What all credentials of the API share: where they may go."""

    def __init__(self, is_api: IsApi | None = None) -> None:
        self._is_api = is_api

    def allows(self, url: str) -> bool:
        return is_api_url(url) or (self._is_api is not None and self._is_api(url))

    def adopt(self, reply: Reply) -> bool:
        return False


class AppBearer(ApiCredential):
    """The token of an app on its own."""

    def __init__(self, token: str, *, is_api: IsApi | None = None) -> None:
        super().__init__(is_api)
        self._token = checked_token("app bearer", token)

    def __repr__(self) -> str:
        return f"AppBearer({self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        return APP_PREFIX + fingerprint(self._token)

    def headers(self, method: str, url: str) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self._token}"}


class UserBearer(ApiCredential):
    """The token of a user; it changes every two hours, and the budgets go with the user, not with the token."""

    def __init__(self, tokens: UserTokens, *, is_api: IsApi | None = None) -> None:
        super().__init__(is_api)
        self._tokens = tokens
        checked_token("access token", tokens.access)
        self._name = fingerprint(tokens.user_id or tokens.access)

    def __repr__(self) -> str:
        return f"UserBearer({self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        return USER_PREFIX + self._name

    @property
    def tokens(self) -> UserTokens:
        return self._tokens

    def use(self, tokens: UserTokens) -> None:
        """Go on with newer tokens of the same user."""
        checked_token("access token", tokens.access)
        self._tokens = tokens

    def headers(self, method: str, url: str) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self._tokens.access}"}


class BasicCredential(ApiCredential):
    """A name and a secret of an app, for the token endpoints only.

    Args:
        encode: percent-encode both first, as the endpoint of the app's own token wants it.
    """

    def __init__(self, name: str, secret: str, *, encode: bool = False, is_api: IsApi | None = None) -> None:
        super().__init__(is_api)
        # A newline that was copied along is the usual cause of "missing valid authorization header".
        name, secret = name.strip(), secret.strip()
        if encode:
            name, secret = quote(name, safe=""), quote(secret, safe="")
        self._pair = base64.b64encode(f"{name}:{secret}".encode()).decode()

    def __repr__(self) -> str:
        return "BasicCredential()"

    @property
    def fingerprint(self) -> str:
        return "basic-" + fingerprint(self._pair)

    def headers(self, method: str, url: str) -> Mapping[str, str]:
        return {"authorization": f"Basic {self._pair}"}
