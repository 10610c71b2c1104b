"""Which services there are, where they live, and which hosts belong to which kind of request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from yarl import URL

from hydrophone.errors import SettingsError, UnsafeAddressError
from hydrophone.http.messages import HostKind, Request
from hydrophone.http.policy import Origin, host_problem, origin_of, parse_url

_PRODUCTION = {
    "x": "https://x.com",
    "api": "https://api.x.com",
    "twitter": "https://twitter.com",
    "abs": "https://abs.twimg.com",
    "avatar": "https://pbs.twimg.com",
    "syndication": "https://cdn.syndication.twimg.com",
    "tco": "https://t.co",
    "proxsee": "https://proxsee-cf.pscp.tv",
    "guest": "https://guest-cf.pscp.tv",
    "signer": "https://signer.pscp.tv",
    "periscope": "https://api.periscope.tv",
    "pscp": "https://www.periscope.tv",
    "channels": "https://channels.periscope.tv",
    "producer": "https://api.pscp.tv",
    "cdn": "",
}

#: Where the cookies of x.com may go: exact names, so that no look-alike and no CDN below the same domain fits.
_X_HOSTS = frozenset(
    prefix + domain for domain in ("x.com", "twitter.com") for prefix in ("", "api.", "mobile.", "www.", "m.")
)
#: Answer like an API and never see a cookie of x.com. Regions come and go, so there is no closed list of them.
_SERVICE_HOSTS = re.compile(
    r"(?:proxsee|proxsee-cf|guest|guest-cf|signer|api|api-ws|channels|www)\.pscp\.tv"
    r"|(?:api|channels|www|signer)\.periscope\.tv|periscope\.tv|pscp\.tv"
    r"|(?:prod-chatman-ancillary|chatman-replay|gw-prod-hydra)-[a-z0-9-]+\.pscp\.tv"
)
_CDN_HOSTS = re.compile(
    r"(?:[a-z0-9-]+\.)+video\.(?:pscp|periscope)\.tv"
    r"|(?:canary|prod)-video-[a-z0-9-]+\.pscp\.tv"
    r"|(?:replay|tn)\.periscope\.tv|video\.twitter\.com"
)
_AVATAR_HOSTS = re.compile(r"(?:pbs|abs|cdn\.syndication)\.twimg\.com|t\.co|prod-profile\.pscp\.tv|tn\.periscope\.tv")

#: For which kinds of request an explicitly given base is meant. A user may name any of them.
_KINDS_OF_SERVICE = {
    "cdn": (HostKind.CDN, HostKind.USER),
    "abs": (HostKind.AVATAR, HostKind.USER),
    "avatar": (HostKind.AVATAR, HostKind.USER),
    "syndication": (HostKind.AVATAR, HostKind.USER),
    "tco": (HostKind.AVATAR, HostKind.USER),
}
_X_SERVICES = ("x", "api", "twitter")
#: Where a session of Periscope may go, and where the keys of its encrypted broadcasts are.
_PERISCOPE_HOSTS = frozenset(("api.periscope.tv", "proxsee.pscp.tv", "proxsee-cf.pscp.tv"))
_PERISCOPE_SERVICES = ("periscope", "proxsee")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Base URL of each service by name, and the host tables that follow from them.

    `is_closed` is true for a sandbox: then only the given origins exist, and nothing can leave for the real service.
    A given origin is told apart by its port and is exempt from the check for private addresses.
    """

    bases: Mapping[str, str]
    is_closed: bool = False
    _origins: Mapping[Origin, frozenset[HostKind]] = field(init=False, repr=False, compare=False)
    _credential_origins: frozenset[Origin] = field(init=False, repr=False, compare=False)
    _periscope_origins: frozenset[Origin] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        origins: dict[Origin, frozenset[HostKind]] = {}
        for service, base in self.bases.items():
            if not base or base == _PRODUCTION.get(service):
                continue
            kinds = _KINDS_OF_SERVICE.get(service, (HostKind.API, HostKind.USER))
            origin = origin_of(_base_url(service, base))
            origins[origin] = origins.get(origin, frozenset()) | frozenset(kinds)
        object.__setattr__(self, "_origins", origins)
        object.__setattr__(self, "_credential_origins", self._origins_of(_X_SERVICES))
        object.__setattr__(self, "_periscope_origins", self._origins_of(_PERISCOPE_SERVICES))

    def _origins_of(self, services: tuple[str, ...]) -> frozenset[Origin]:
        given = {service: base for service in services if (base := self.bases.get(service))}
        return frozenset(origin_of(_base_url(service, base)) for service, base in given.items())

    @classmethod
    def production(cls) -> Endpoints:
        """The real hosts."""
        return cls(bases=_PRODUCTION)

    @classmethod
    def sandbox(cls, bases: Mapping[str, str]) -> Endpoints:
        """Only these origins, by the names that `production` has; `api` and `twitter` default to `x`."""
        filled = dict(bases)
        if "x" in filled:
            filled.setdefault("api", filled["x"])
            filled.setdefault("twitter", filled["x"])
        return cls(bases=filled, is_closed=True)

    @property
    def given_origins(self) -> frozenset[Origin]:
        """The origins that somebody configured, and that may therefore be on a private address."""
        return frozenset(self._origins)

    def url_for(self, request: Request) -> str:
        """The absolute URL of a request, parameters appended.

        Raises:
            SettingsError: a path, and no base URL for its service.
        """
        target = request.target
        if target.startswith("/"):
            base = self.bases.get(request.service, "")
            if not base:
                raise SettingsError(
                    f"there is no base URL for the service {request.service!r}", setting=f"bases.{request.service}"
                )
            target = base.rstrip("/") + target
        if request.params:
            joint = "&" if "?" in target else "?"
            target += joint + urlencode(request.params, quote_via=quote, safe="")
        return target

    def kind_allows(self, kind: HostKind, url: str) -> bool:
        """May a request of this kind go to this URL? Names are judged again when they are resolved."""
        try:
            return self.origin_allowed(kind, origin_of(parse_url(url)))
        except UnsafeAddressError:
            return False

    def origin_allowed(self, kind: HostKind, origin: Origin) -> bool:
        """The same for an origin that is parsed already."""
        if kind in self._origins.get(origin, ()):
            return True
        if self.is_closed:
            return False
        if kind is HostKind.USER:
            return host_problem(origin.host) is None
        if origin.scheme != "https" or origin.port != 443:
            return False
        if kind is HostKind.API:
            return origin.host in _X_HOSTS or _SERVICE_HOSTS.fullmatch(origin.host) is not None
        table = _CDN_HOSTS if kind is HostKind.CDN else _AVATAR_HOSTS
        return table.fullmatch(origin.host) is not None

    def is_api(self, url: str) -> bool:
        """May cookies and tokens of x.com go to this URL?"""
        return self._belongs(url, self._credential_origins, _X_HOSTS)

    def is_periscope_api(self, url: str) -> bool:
        """May a session of Periscope go to this URL?"""
        return self._belongs(url, self._periscope_origins, _PERISCOPE_HOSTS)

    def has_keys(self, url: str) -> bool:
        """May the key of an encrypted stream be asked for here? Each credential decides itself if it goes along."""
        return self.is_api(url) or self.is_periscope_api(url)

    def _belongs(self, url: str, given: frozenset[Origin], hosts: frozenset[str]) -> bool:
        try:
            origin = origin_of(parse_url(url))
        except UnsafeAddressError:
            return False
        if origin in given:
            return True
        return not self.is_closed and origin.scheme == "https" and origin.port == 443 and origin.host in hosts


def _base_url(service: str, base: str) -> URL:
    try:
        return parse_url(base)
    except UnsafeAddressError as error:
        raise SettingsError(
            f"the base URL of {service!r} cannot be used: {error.message}", setting=f"bases.{service}"
        ) from error
