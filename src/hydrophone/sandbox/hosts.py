"""Which service of the sandbox stands for which real host."""

from __future__ import annotations

import re
from functools import lru_cache

SERVICES = (
    "x",
    "cdn",
    "abs",
    "avatar",
    "syndication",
    "tco",
    "proxsee",
    "guest",
    "signer",
    "periscope",
    "pscp",
    "channels",
    "producer",
    "chat",
    "control",
)

_HOSTS: tuple[tuple[str, str], ...] = (
    (r"(?:(?:www|m|mobile|api)\.)?(?:x|twitter)\.com", "x"),
    (r"abs(?:-0)?\.twimg\.com", "abs"),
    (r"pbs\.twimg\.com", "avatar"),
    (r"cdn\.syndication\.twimg\.com", "syndication"),
    (r"t\.co", "tco"),
    (r"proxsee(?:-cf)?\.pscp\.tv", "proxsee"),
    (r"guest(?:-cf)?\.pscp\.tv", "guest"),
    (r"signer\.(?:pscp|periscope)\.tv", "signer"),
    (r"api\.periscope\.tv", "periscope"),
    (r"(?:www\.)?(?:periscope|pscp)\.tv", "pscp"),
    (r"channels\.(?:periscope|pscp)\.tv", "channels"),
    (r"api(?:-ws)?\.pscp\.tv", "producer"),
    (r"(?:prod-chatman-ancillary|chatman-replay)-[a-z0-9-]+\.pscp\.tv", "chat"),
    (r"(?:[\w.-]+\.)?video\.pscp\.tv|[\w.-]+\.video\.periscope\.tv|canary-video-[\w-]+\.pscp\.tv", "cdn"),
    (r"(?:replay|tn)\.periscope\.tv|prod-video-[a-z0-9-]+\.pscp\.tv|video\.twitter\.com", "cdn"),
)
_NAMES = {
    "x": "x.com",
    "abs": "abs.twimg.com",
    "avatar": "pbs.twimg.com",
    "syndication": "cdn.syndication.twimg.com",
    "tco": "t.co",
    "proxsee": "proxsee-cf.pscp.tv",
    "guest": "guest-cf.pscp.tv",
    "signer": "signer.pscp.tv",
    "periscope": "api.periscope.tv",
    "pscp": "www.periscope.tv",
    "channels": "channels.periscope.tv",
    "producer": "api.pscp.tv",
}


@lru_cache(maxsize=1024)
def service_of_host(host: str) -> str | None:
    """The service that impersonates `host` (a port is ignored), None for strangers."""
    bare = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    return next((service for pattern, service in _HOSTS if re.fullmatch(pattern, bare.lower())), None)


def host_of_service(service: str, region: str) -> str:
    """The real host that a service stands for."""
    regional = {"cdn": f"prod-fastly-{region}.video.pscp.tv", "chat": f"prod-chatman-ancillary-{region}.pscp.tv"}
    return regional.get(service) or _NAMES[service]
