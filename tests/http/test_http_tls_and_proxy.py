"""TLS is verified or refused, and the proxy in between: both over real sockets."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import logging
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from hydrophone.errors import SettingsError, UnreachableError
from hydrophone.http import AsyncClient, Endpoints, HostKind, HttpSettings, Request
from hydrophone.http.connect import Proxies
from hydrophone.http.latetls import late_context
from hydrophone.http.policy import Origin
from raw_server import Exchange, serving


async def _fine(exchange: Exchange) -> None:
    await exchange.answer(b"fine")


def _server_side(authority: trustme.CA, name: str, *, not_after: dt.datetime | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, not_after=not_after).configure_cert(context)
    return context


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


async def test_an_extra_authority_is_trusted_when_it_is_given(authority: trustme.CA, ca_file: Path) -> None:
    async with serving(_fine, tls=_server_side(authority, "127.0.0.1")) as server:
        settings = HttpSettings(proxy="", ca_file=ca_file)
        async with AsyncClient(Endpoints.sandbox({"x": server.base}), settings=settings) as client:
            for _ in range(2):
                assert (await client.send(Request("GET", "/"))).body == b"fine"


async def test_a_self_signed_a_foreign_and_an_expired_certificate_are_refused(
    authority: trustme.CA, ca_file: Path
) -> None:
    long_ago = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    cases = [
        (_server_side(trustme.CA(), "127.0.0.1"), ca_file),
        (_server_side(authority, "127.0.0.1"), None),
        (_server_side(authority, "other.example"), ca_file),
        (_server_side(authority, "127.0.0.1", not_after=long_ago), ca_file),
    ]
    for tls, trusted in cases:
        async with serving(_fine, tls=tls) as server:
            settings = HttpSettings(proxy="", ca_file=trusted)
            endpoints = Endpoints.sandbox({"x": server.base})
            async with AsyncClient(endpoints, settings=settings) as client:
                with pytest.raises(UnreachableError, match="could not prove") as caught:
                    await client.send(Request("GET", "/", attempts=3))
        assert server.requests == []
        assert "CA file" in caught.value.advice


async def test_a_ca_file_that_cannot_be_read_is_a_settings_error(tmp_path: Path) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("nothing")
    for path in (bad, tmp_path / "missing.pem"):
        with pytest.raises(SettingsError) as caught:
            AsyncClient(settings=HttpSettings(ca_file=path))
        assert caught.value.setting == "ca_file"


async def _tunnel(exchange: Exchange, port: int) -> None:
    """Answer CONNECT, then carry bytes both ways."""
    await exchange.say(b"HTTP/1.1 200 Connected\r\n\r\n")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()

    tasks = [asyncio.create_task(carry(exchange.reader, writer)), asyncio.create_task(carry(reader, exchange.writer))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        writer.transport.abort()


async def test_https_goes_through_the_proxy_by_name_and_its_password_is_never_shown(
    authority: trustme.CA, ca_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(_fine, tls=_server_side(authority, "prod-fastly-a.video.pscp.tv")) as server:

        async def proxy_side(exchange: Exchange) -> None:
            await _tunnel(exchange, server.port)

        async with serving(proxy_side) as proxy:
            url = f"http://canary-user:canary-pass@127.0.0.1:{proxy.port}"
            settings = HttpSettings(proxy=url, ca_file=ca_file)
            async with AsyncClient(settings=settings) as client:
                request = Request("GET", "https://prod-fastly-a.video.pscp.tv/a.m3u8", kind=HostKind.CDN)
                assert (await client.send(request)).body == b"fine"

    assert proxy.requests[0].path == "prod-fastly-a.video.pscp.tv:443"
    expected = base64.b64encode(b"canary-user:canary-pass").decode()
    assert proxy.requests[0].header("proxy-authorization") == f"Basic {expected}"
    assert server.requests[0].header("proxy-authorization") is None
    assert "canary" not in caplog.text + repr(settings)


async def test_a_proxy_that_refuses_is_named_without_its_password() -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.answer(b"", 407)

    async with serving(refuse) as proxy:
        settings = HttpSettings(proxy=f"http://u:canary@127.0.0.1:{proxy.port}")
        async with AsyncClient(settings=settings) as client:
            with pytest.raises(UnreachableError, match="407") as caught:
                await client.send(Request("GET", "https://x.com/", attempts=3))
    error: BaseException | None = caught.value
    assert error is not None
    assert error.__cause__ is None
    assert error.__suppress_context__
    assert len(proxy.requests) == 1


async def test_an_unreachable_proxy_is_unreachable() -> None:
    async with serving(_fine) as proxy:
        pass
    async with AsyncClient(settings=HttpSettings(proxy=proxy.base)) as client:
        with pytest.raises(UnreachableError):
            await client.send(Request("GET", "https://x.com/", attempts=1))


async def test_plain_http_goes_through_the_proxy_too() -> None:
    async with serving(_fine) as proxy:
        box = Endpoints.sandbox({"x": "http://x.test"})
        async with AsyncClient(box, settings=HttpSettings(proxy=proxy.base)) as client:
            await client.send(Request("GET", "/path"))
    assert [exchange.target for exchange in proxy.requests] == ["http://x.test/path"]


def test_the_environment_says_which_proxy_and_for_whom_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    x = Origin("https", "x.com", 443)
    assert Proxies(HttpSettings()).proxy_for(x) is None

    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "pscp.tv,.example.org")
    found = Proxies(HttpSettings())
    assert found.proxy_for(x) == "http://proxy.example:3128"
    assert found.proxy_for(Origin("http", "x.com", 80)) is None
    assert found.proxy_for(Origin("https", "a.video.pscp.tv", 443)) is None
    assert found.proxy_for(Origin("https", "127.0.0.1", 8080)) is None
    assert found.exempt() == {("proxy.example", 3128)}
    assert Proxies(HttpSettings(proxy="")).proxy_for(x) is None
    assert Proxies(HttpSettings(proxy="http://other:1")).proxy_for(x) == "http://other:1"


@pytest.mark.parametrize(
    "url", ["socks5://canary:canary@h:1080", "socks5h://h", "ftp://h", "http://", "http://h:99999", "::"]
)
def test_a_proxy_that_cannot_be_used_is_told_at_once(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        AsyncClient(settings=HttpSettings(proxy=url))
    assert caught.value.setting == "proxy"
    assert caught.value.advice
    assert "canary" not in str(caught.value) + caught.value.advice


async def test_authorities_are_loaded_with_the_first_handshake_and_checked_then() -> None:
    context = late_context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.cert_store_stats()["x509_ca"] == 0

    context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="x.com")

    usual = ssl.create_default_context()
    assert context.cert_store_stats() == usual.cert_store_stats()
    assert (context.verify_flags, context.verify_mode) == (usual.verify_flags, usual.verify_mode)


def test_the_transport_itself_still_trusts_what_the_system_trusts() -> None:
    # Whoever uses it beside us in one process must not lose anything by our way of loading it. In a process of its own,
    # because here somebody may have loaded it before us.
    code = (
        "import ssl, hydrophone.http.sessions, aiohttp.connector; c = aiohttp.connector._SSL_CONTEXT_VERIFIED; "
        "c.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname='x.com'); "
        "print(c.cert_store_stats() == ssl.create_default_context().cert_store_stats(), "
        "type(c).__name__, type(ssl.create_default_context()).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["True", "LateContext", "SSLContext"]
