"""How connections are made: names to checked addresses, TLS that is always verified, and the proxy in between."""

from __future__ import annotations

import asyncio
import socket
import ssl
import urllib.request
from collections.abc import Collection
from urllib.parse import urlsplit

from hydrophone.errors import SettingsError, UnsafeAddressError
from hydrophone.http.latetls import late_context
from hydrophone.http.policy import DEFAULT_PORTS, Origin, address_problem, literal_address
from hydrophone.http.settings import HttpSettings, Resolve


class GuardedResolver:
    """Resolve names, and refuse those that lead to an address which is not public.

    The connection is made to exactly the addresses that were judged, so a name that changes its mind between two
    questions gains nothing. `exempt` are the host and port pairs that somebody configured.
    """

    def __init__(self, exempt: Collection[tuple[str, int]], resolve: Resolve | None = None) -> None:
        self._exempt = frozenset(exempt)
        self._resolve = resolve or _ask_system

    async def resolve(self, host: str, port: int, family: int = socket.AF_UNSPEC) -> list[str]:
        """The addresses of a name, as numbers.

        Raises:
            OSError: there is none.
            UnsafeAddressError: one of them may not be asked.
        """
        found = [
            address
            for address in await self._resolve(host, port)
            if family in (socket.AF_UNSPEC, socket.AF_INET6 if ":" in address else socket.AF_INET)
        ]
        if not found:
            raise OSError(f"no address for {host}")
        if (host.lower(), port) not in self._exempt:
            for address in found:
                problem = address_problem(address)
                if problem is not None:
                    raise UnsafeAddressError(f"{host} leads to an address that is {problem}; refused", host=host)
        return found


async def _ask_system(host: str, port: int) -> list[str]:
    """What the system's resolver says, in a thread; addresses of links on this machine keep their zone."""
    found = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
    )
    numeric = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    # Only getnameinfo spells the zone of a link-local address.
    return list(
        dict.fromkeys(
            socket.getnameinfo(place, numeric)[0] if len(place) == 4 and place[3] else str(place[0])
            for _, _, _, _, place in found
        )
    )


def tls_context(settings: HttpSettings) -> ssl.SSLContext:
    """The system's authorities, plus those of `ca_file`. There is no setting that turns verifying off."""
    context = late_context()
    context.set_alpn_protocols(["http/1.1"])
    if settings.ca_file is not None:
        try:
            context.load_verify_locations(cafile=str(settings.ca_file))
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(
                f"the CA file cannot be read: {settings.ca_file}",
                setting="ca_file",
                advice="give a PEM file with one or more CA certificates",
            ) from error
    return context


class Proxies:
    """Which proxy, if any, lies between us and an origin. Reads the environment once."""

    def __init__(self, settings: HttpSettings) -> None:
        if settings.proxy is None:
            self._by_scheme = {
                scheme: _checked_proxy(url, setting=f"{scheme.upper()}_PROXY")
                for scheme, url in urllib.request.getproxies().items()
                if scheme in ("http", "https", "all") and url
            }
            self._reads_environment = True
        else:
            url = _checked_proxy(settings.proxy, setting="proxy") if settings.proxy else ""
            self._by_scheme = {"all": url} if url else {}
            self._reads_environment = False

    def proxy_for(self, origin: Origin) -> str | None:
        """The proxy's URL, with credentials where it has some; None to connect directly."""
        if not self._by_scheme or _is_loopback(origin.host):
            return None
        if self._reads_environment and urllib.request.proxy_bypass(f"{origin.host}:{origin.port}"):
            return None
        return self._by_scheme.get(origin.scheme) or self._by_scheme.get("all")

    def exempt(self) -> set[tuple[str, int]]:
        """Host and port of each proxy: somebody configured them, so they may be private."""
        found = set()
        for url in self._by_scheme.values():
            parts = urlsplit(url)
            found.add((parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]))
        return found


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = literal_address(host)
    return address is not None and address.is_loopback


def _checked_proxy(url: str, *, setting: str) -> str:
    text = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(text)
        is_usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
        parts = urlsplit("")
    if is_usable and parts.scheme in DEFAULT_PORTS:
        return text
    if parts.scheme.startswith("socks"):
        raise SettingsError(
            "SOCKS proxies are not spoken here",
            setting=setting,
            advice="put an HTTP proxy in front of it (privoxy, gost, ssh with an HTTP bridge) and give its http:// URL",
        )
    raise SettingsError(
        "this is not the URL of a proxy",
        setting=setting,
        advice="give http://HOST:PORT or http://USER:PASSWORD@HOST:PORT",
    )
