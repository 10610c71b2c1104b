"""What outlives one question to Periscope: the login if there is one, the clock, and which hosts have proved dead."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from hydrophone.errors import HydrophoneError, NotSignedInError, SettingsError
from hydrophone.http.messages import Reply
from hydrophone.links import read_token_owner
from hydrophone.model import PeriscopeUserId

#: The hosts that a session of Periscope is for. Chat hosts and the CDN are not among them.
API_HOSTS = frozenset({"api.periscope.tv", "proxsee.pscp.tv", "proxsee-cf.pscp.tv", "www.periscope.tv", "www.pscp.tv"})
_COOKIE_VALUE = re.compile(r"[!#-+\--:<-\[\]-~]{1,2048}")  # RFC 6265: no blank, quote, comma, semicolon, backslash


class PeriscopeLogin:
    """A signed-in user of Periscope: the `sid` cookie, which names its owner and is all that the service asks for.

    Args:
        is_api: allows further origins, e.g. those of a sandbox on loopback.
    """

    def __init__(self, sid: str, *, is_api: Callable[[str], bool] | None = None) -> None:
        if not _COOKIE_VALUE.fullmatch(sid):
            raise SettingsError("the Periscope cookie sid has characters that no cookie has", setting="sid")
        self._sid = sid
        self.is_api = is_api
        self.user_id: PeriscopeUserId | None = read_token_owner(sid)

    def __repr__(self) -> str:
        return f"PeriscopeLogin({self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        return hashlib.blake2b(self._sid.encode(), digest_size=8, person=b"hydrophone-sid").hexdigest()

    def secret_value(self) -> str:
        """The cookie itself, for a store of secrets, and for the one call that wants it in its query."""
        return self._sid

    def allows(self, url: str) -> bool:
        return _is_api_url(url) or (self.is_api is not None and self.is_api(url))

    def headers(self, method: str, url: str) -> Mapping[str, str]:
        owner = f"; uid={self.user_id}" if self.user_id else ""
        return {"cookie": f"sid={self._sid}{owner}", "x-periscope-csrf": "Periscope"}

    def adopt(self, reply: Reply) -> bool:
        return False


class PeriscopeSession:
    """What the questions of one run share.

    Attributes:
        login: None for everybody today; the service gives no new ones.
        dead: why a service did not answer at all, by its name. A list of a thousand ids then costs one time-out.
    """

    def __init__(
        self, *, login: PeriscopeLogin | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.login = login
        self.now = now
        self.dead: dict[str, HydrophoneError] = {}

    def need_login(self, endpoint: str) -> PeriscopeLogin:
        if self.login is None:
            raise needs_login(endpoint)
        return self.login


def _is_api_url(url: str) -> bool:
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


def needs_login(endpoint: str) -> NotSignedInError:
    return NotSignedInError(
        "this needs a signed-in Periscope account, which no longer exists",
        endpoint=endpoint,
        advice="Only a `sid` cookie that was kept from before the closing could help.",
    )
