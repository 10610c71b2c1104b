"""Where a request may go: pure rules about URLs, hosts and addresses.

A playlist, a redirect or a chat message may carry any text as an address. One parser (the transport's own) reads it, so
that the check and the connection can never disagree about which host is meant.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from yarl import URL

from hydrophone.errors import UnsafeAddressError

DEFAULT_PORTS = {"http": 80, "https": 443}

_PRINTABLE = re.compile(r"[!-~]+")
#: An address whose host nobody can read in two ways, and without a fragment.
_PLAIN = re.compile(r"(https?://[a-z0-9.-]+(?::[0-9]+)?)(/[!\"$-\[\]-~]*)")
#: Longer labels and names make the resolver raise errors of its own kind.
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?")
_NUMERIC_LABEL = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)\Z")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_LOCAL_NAMES = ("localhost", "local", "internal", "home.arpa", "localdomain")
_KEEP_IN_URL = "%/:?#[]@!$&'()*+,;=~-._"

#: What a caller's header may be called to follow a redirect to another origin. All else stays behind: what is no secret
#: today (`x-csrf-token`) tends to become one.
_PORTABLE_HEADERS = frozenset(
    ("accept", "accept-encoding", "accept-language", "if-modified-since", "if-none-match", "range", "user-agent")
)
#: Never accepted from a caller for a kind of host that gets no credentials.
_SECRET_HEADERS = frozenset(
    ("authorization", "cookie", "proxy-authorization", "x-csrf-token", "x-guest-token", "x-client-transaction-id")
)

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")


class Origin(NamedTuple):
    """Scheme, host and port: what two URLs share when they speak to the same server."""

    scheme: str
    host: str
    port: int


class Address(NamedTuple):
    """An address that has been read: as it is spelled, the path with its query, and the origin."""

    text: str
    target: str
    origin: Origin

    @property
    def url(self) -> URL:
        return URL(self.text, encoded=True)


def parse_url(text: str) -> URL:
    """The URL as the transport will send it: percent-escapes unchanged, other than printable ASCII escaped.

    Raises:
        UnsafeAddressError: not http(s), no host, a user name or control characters in it, or an odd host.
    """
    if not _PRINTABLE.fullmatch(text):
        if _CONTROLS.search(text):
            raise UnsafeAddressError("an address with control characters is not followed")
        text = quote(text.strip(), safe=_KEEP_IN_URL, errors="replace")
    try:
        url = URL(text, encoded=True)
        scheme, host, port = url.scheme, url.raw_host, url.port
    except ValueError:
        raise UnsafeAddressError("this is not an address") from None
    if scheme not in DEFAULT_PORTS:
        raise UnsafeAddressError(f"only http and https are followed, not {scheme[:20] or 'nothing'!r}")
    if not host or port is None:
        raise UnsafeAddressError("an address without a host is not followed")
    if url.raw_user is not None or url.raw_password is not None or "\\" in text:
        raise UnsafeAddressError("an address with a user name or a backslash in it is not followed", host=host)
    if ":" not in host and not _HOST.fullmatch(host.lower()):
        raise UnsafeAddressError("the host of this address is not a plain name", host=host[:80])
    return url


def origin_of(url: URL) -> Origin:
    """The origin, host in lower case, port always given."""
    host = url.raw_host or ""
    return Origin(url.scheme, host.lower(), url.port or DEFAULT_PORTS[url.scheme])


def address_of(url: URL) -> Address:
    """What is sent for a URL, and to whom."""
    return Address(str(url), url.raw_path_qs, origin_of(url))


def plain_parts(text: str) -> tuple[str, str] | None:
    """Base (scheme, host and port as they are written) and target of a plain address; None where it must be parsed.

    Two addresses with the same base have the same origin, so a recorder's next segment needs no second look.
    """
    match = _PLAIN.fullmatch(text)
    return (match[1], match[2]) if match else None


def literal_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host spells out, in any spelling a resolver would take; None for a name.

    `2130706433`, `0x7f.1`, `0177.0.0.1` and `127.1` all mean 127.0.0.1. A host that ends in a number but fits no
    spelling becomes 0.0.0.0, which nobody may ask.
    """
    if ":" in host:
        try:
            return ipaddress.IPv6Address(host.partition("%")[0])
        except ValueError:
            return ipaddress.IPv6Address(0)
    labels = host.lower().rstrip(".").split(".")
    if not _NUMERIC_LABEL.match(labels[-1]):
        return None
    try:
        numbers = [_number(label) for label in labels]
    except ValueError:
        return ipaddress.IPv4Address(0)
    *heads, last = numbers
    if len(numbers) > 4 or any(head > 255 for head in heads) or last >= 256 ** (5 - len(numbers)):
        return ipaddress.IPv4Address(0)
    value = last + sum(head << (8 * (3 - index)) for index, head in enumerate(heads))
    return ipaddress.IPv4Address(value)


def _number(label: str) -> int:
    if label.startswith("0x"):
        return int(label[2:] or "0", 16)
    if len(label) > 1 and label.startswith("0"):
        return int(label, 8)
    return int(label)


def address_problem(address: str | ipaddress.IPv4Address | ipaddress.IPv6Address) -> str | None:
    """Why this address is not a public one; None for a public one."""
    if isinstance(address, str):
        try:
            address = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return "not an address"
    if isinstance(address, ipaddress.IPv6Address):
        # An IPv4 address in IPv6 clothes is judged by what it leads to. 64:ff9b::/96 is how an IPv6-only network
        # reaches all of IPv4, so it cannot be refused as a whole.
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return address_problem(inner)
        if address.is_site_local or address in _NAT64_LOCAL or address.teredo is not None:
            return "private"
    for name in ("unspecified", "loopback", "link_local", "multicast", "private", "reserved"):
        if getattr(address, f"is_{name}"):
            return name.replace("_", "-")
    return None if address.is_global else "not public"


def host_problem(host: str) -> str | None:
    """Why this host, by its spelling alone, is not a public one; names are judged again when they are resolved."""
    literal = literal_address(host)
    if literal is not None:
        return address_problem(literal)
    name = host.lower().rstrip(".")
    if name in _LOCAL_NAMES or name.endswith(tuple("." + local for local in _LOCAL_NAMES)):
        return "a local name"
    return None


def follow_redirect(url: URL, location: str) -> URL:
    """The next hop.

    Raises:
        UnsafeAddressError: unreadable, or from https down to http.
    """
    if _CONTROLS.search(location) or "\\" in location:
        raise UnsafeAddressError("a redirect to a malformed address is not followed", host=url.raw_host or "")
    try:
        if not _PRINTABLE.fullmatch(location):
            location = quote(location.strip(), safe=_KEEP_IN_URL, errors="replace")
        target = parse_url(str(url.join(URL(location, encoded=True)).with_fragment(None)))
    except ValueError:
        raise UnsafeAddressError("a redirect to a malformed address is not followed", host=url.raw_host or "") from None
    if url.scheme == "https" and target.scheme != "https":
        raise UnsafeAddressError("a redirect from https down to http is not followed", host=target.raw_host or "")
    return target


def portable_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Those of a caller's headers that may go to another origin than the one they were meant for."""
    return {name: value for name, value in headers.items() if name.lower() in _PORTABLE_HEADERS}


def public_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """A caller's headers without anything that looks like a credential."""
    return {name: value for name, value in headers.items() if name.lower() not in _SECRET_HEADERS}
