"""Which addresses go into answers: the real ones for programs behind the proxy, loopback for all others.

A program that reached us under a real host name must be sent on to real host names, which the proxy then catches. One
that talks to a base URL on loopback must be sent to loopback, since nothing would catch it elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

REAL = {
    "x": "https://x.com",
    "abs": "https://abs.twimg.com",
    "avatar": "https://pbs.twimg.com",
    "tco": "https://t.co",
    "syndication": "https://cdn.syndication.twimg.com",
}


@dataclass(frozen=True, slots=True)
class Addresses:
    """Base URLs by service name, without a slash at the end. Empty: the real ones."""

    bases: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_real(self) -> bool:
        return not self.bases

    def base(self, service: str) -> str:
        return self.bases.get(service) or REAL[service]

    def cdn(self, region: str) -> str:
        """Scheme and host of the CDN in one region."""
        return self.bases.get("cdn") or f"https://prod-fastly-{region}.video.pscp.tv"

    def picture(self, url: str) -> str:
        """A picture's URL, moved to loopback where that is needed."""
        if self.is_real or not url.startswith(REAL["avatar"]):
            return url
        return self.base("avatar") + urlsplit(url).path
