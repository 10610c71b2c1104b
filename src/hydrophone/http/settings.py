"""The knobs of the port, with defaults that suit an unattended recorder."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hydrophone.http.messages import HostKind

#: Python-like agents meet a gatekeeper before the service (seen: 403, HTML, cf-ray).
USER_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"
)

#: Host and port in, addresses out; raises OSError where there are none.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """How to talk to the network.

    `proxy` goes for everything but loopback; None asks the environment (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY)
    and "" means none at all. `ca_file` adds authorities to those of the system. `backoff_seconds` is doubled with each
    try up to `max_backoff_seconds`, and the wait is drawn between zero and that. Nothing
    at all for `stall_seconds`, or a body slower than `min_bytes_per_second` after `rate_grace_seconds`, is no answer.
    """

    user_agent: str = USER_AGENT
    proxy: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    api_connections: int = 32
    cdn_connections: int = 1024
    avatar_connections: int = 16
    user_connections: int = 8
    connect_seconds: float = 10.0
    stall_seconds: float = 15.0
    keepalive_seconds: float = 30.0
    dns_cache_seconds: int = 60
    min_bytes_per_second: int = 512
    rate_grace_seconds: float = 10.0
    max_header_bytes: int = 64 * 1024
    backoff_seconds: float = 0.5
    max_backoff_seconds: float = 20.0
    max_retry_after_seconds: float = 30.0
    max_budget_wait_seconds: float = 5.0
    resolve: Resolve | None = field(default=None, repr=False)

    def connections(self, kind: HostKind) -> int:
        """How many requests of this kind may be under way at once."""
        return {
            HostKind.API: self.api_connections,
            HostKind.CDN: self.cdn_connections,
            HostKind.AVATAR: self.avatar_connections,
            HostKind.USER: self.user_connections,
        }[kind]
