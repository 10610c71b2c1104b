"""What of an address or a header may be shown: in logs, messages and reprs.

The path of a playlist is a key: whoever has it can listen. So is a query, often. Hosts and the plain parts of a path
are enough to find a fault.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

HIDDEN = "…"
_LONG = 32
_SHOWN_HEADERS = frozenset(
    (
        "accept", "accept-encoding", "age", "cache-control", "cf-ray", "content-encoding", "content-length",
        "content-range", "content-type", "date", "range", "retry-after", "server", "user-agent", "x-cache",
        "x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset", "x-served-by",
    )
)  # fmt: skip
_NAME_WITH_EXTENSION = re.compile(r"[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9]{2,5}")


def redact_url(text: str) -> str:
    """Scheme, host, port and the harmless parts of the path; user name, query, fragment and keys become `…`."""
    rest, hash_sign, _ = text.partition("#")
    rest, question, _ = rest.partition("?")
    scheme, slashes, tail = rest.partition("://")
    if not slashes:
        scheme, tail = "", rest
    authority, slash, path = tail.partition("/")
    shown_host = authority.rpartition("@")
    host = f"{HIDDEN}@{shown_host[2]}" if shown_host[1] else authority
    parts = path.split("/")
    shown = "/".join(_part(part, parts[index - 1] if index else "") for index, part in enumerate(parts))
    return (
        scheme + slashes + host + slash + shown + (f"?{HIDDEN}" if question else "") + ("#" + HIDDEN) * bool(hash_sign)
    )


def _part(part: str, before: str) -> str:
    if before == "hls" and part:
        return HIDDEN
    if _NAME_WITH_EXTENSION.fullmatch(part) and not part.startswith("eyJ"):
        return part
    return HIDDEN if len(part) >= _LONG or part.startswith("eyJ") else part


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The same names; only values that are known to be harmless are shown."""
    return {name: value if name.lower() in _SHOWN_HEADERS else HIDDEN for name, value in headers.items()}
