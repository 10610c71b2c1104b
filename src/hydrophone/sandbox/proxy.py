"""A forward proxy with a certificate authority of its own: unmodified programs reach the sandbox under the real names.

It ends TLS itself and hands requests to the services in this process, so that ledger and faults apply. No byte ever
leaves the machine: a host that the sandbox does not impersonate is refused.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable
from functools import lru_cache, partial
from pathlib import Path

import trustme

from hydrophone.sandbox.hosts import service_of_host
from hydrophone.sandbox.serving import Exchange, Route
from hydrophone.sandbox.world import World

#: Hosts that are ours although no service answers there yet: a 404 from the sandbox rather than a refusal.
_OWN_DOMAINS = (".pscp.tv", ".periscope.tv")
UNSERVED = "unserved"


def routes(world: World) -> list[Route]:
    """CONNECT, and requests in absolute form."""
    return [
        Route("proxy", "CONNECT", ".*", partial(_open_tunnel, world)),
        Route("proxy", "*", ".*", partial(_forward, world)),
        Route("control", "GET", "/proxy", partial(_describe, world)),
    ]


def ca_pem() -> bytes:
    """The certificate to trust. It is made anew in each process, and its key never leaves the process."""
    return _authority().cert_pem.bytes()


def write_ca_file(path: Path) -> Path:
    """Put the certificate into a file, for `--cacert`, `SSL_CERT_FILE` and their like."""
    path.write_bytes(ca_pem())
    return path


def proxied_service(host: str) -> str | None:
    """The service that answers for a host behind the proxy, None for a stranger."""
    bare = host.partition(":")[0].lower()
    service = service_of_host(bare)
    if service is None and bare.endswith(_OWN_DOMAINS):
        return UNSERVED
    return service


@lru_cache(maxsize=1)
def _authority() -> trustme.CA:
    return trustme.CA(organization_name="Hydrophone sandbox")


@lru_cache(maxsize=256)
def _server_context(host: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    _authority().issue_cert(host).configure_cert(context)
    return context


async def _open_tunnel(world: World, exchange: Exchange) -> None:
    host, _, port = exchange.target.rpartition(":")
    service = proxied_service(host) if port == "443" else None
    if service is None:
        await _refuse(exchange, exchange.target)
        return
    context = _server_context(host.lower())
    exchange.write(b"HTTP/1.1 200 Connection established\r\n\r\n", status=200)
    exchange.finish()
    try:
        await exchange.connection.upgrade(context, service)
    except (ssl.SSLError, OSError):
        # The client does not trust us, or has gone. There is nobody left to tell.
        exchange.connection.close()


def _forward(world: World, exchange: Exchange) -> Awaitable[None] | None:
    service = proxied_service(exchange.host)
    if service is None or not exchange.target.startswith(("http://", "https://")):
        return _refuse(exchange, exchange.host)
    exchange.service, exchange.via_proxy = service, True
    return world.dispatch(exchange)


def _describe(world: World, exchange: Exchange) -> Awaitable[None] | None:
    """Where the proxy is and what to trust, for programs that started the sandbox as a process of its own."""
    return exchange.reply_json({"url": world.bases.get("proxy"), "ca_pem": ca_pem().decode("ascii")})


async def _refuse(exchange: Exchange, host: str) -> None:
    text = f"The sandbox does not impersonate {host}, and lets nothing out.\n"
    pending = exchange.reply(403, {"content-type": "text/plain"}, text)
    if pending is not None:
        await pending
