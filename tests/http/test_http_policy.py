"""The rules about where a request may go, as plain values."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hydrophone.errors import SettingsError, UnsafeAddressError
from hydrophone.http import Endpoints, HostKind, Request
from hydrophone.http.policy import (
    address_of,
    address_problem,
    follow_redirect,
    host_problem,
    literal_address,
    parse_url,
    plain_parts,
)

PRODUCTION = Endpoints.production()
KEY = "https://prod-fastly-ap-northeast-1.video.pscp.tv/Transcoding/v1/hls/KEY/non_transcode/a.m3u8"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "fec0::1",
        "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::",
        "2001::1", "2001:db8::1", "fe80::1%eth0", "nonsense",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_has_a_problem(address: str) -> None:
    assert address_problem(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "104.244.42.1", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
)
def test_a_public_address_has_no_problem(address: str) -> None:
    assert address_problem(address) is None


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "017700000001",
        "127.0.0.1.",
        "0x7f.1",
    ],
)
def test_every_spelling_of_loopback_is_recognised(host: str) -> None:
    assert literal_address(host) == ipaddress.IPv4Address("127.0.0.1")
    assert host_problem(host)
    assert not PRODUCTION.kind_allows(HostKind.USER, f"http://{host}/")


@pytest.mark.parametrize("host", ["256.256.256.256", "1.2.3.4.5", "08.0.0.1", "0xzz.1.1.1.9", "99999999999", "1..2"])
def test_a_number_that_fits_no_spelling_is_refused(host: str) -> None:
    assert not PRODUCTION.kind_allows(HostKind.USER, f"http://{host}/")


@pytest.mark.parametrize("host", ["localhost", "a.localhost", "LOCALHOST", "printer.local", "metadata.google.internal"])
def test_a_local_name_is_refused_before_it_is_resolved(host: str) -> None:
    assert not PRODUCTION.kind_allows(HostKind.USER, f"http://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "data:text/plain,x", "concat:a|b", "ftp://x.com/", "//x.com/a", "x.com", "", "https://",
        "https://user@x.com/", "https://x.com:pass@evil.example/", "https://x.com\\@evil.example/",
        "https://x.com/\r\nHost: evil", "https://x.com/a\\b", "https://[::1", "https://x.com:99999/", "https://x com/",
        "https://xn--x.com%2eevil.example/", "https://" + "a" * 64 + ".example/", "https://a..example/",
        "https://" + "a." * 127 + "example/", "https://caf\u00e9.example/", "javascript:alert(1)", "https://x.com\t.evil.example/",
    ],
)  # fmt: skip
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    assert not any(PRODUCTION.kind_allows(kind, url) for kind in HostKind)
    assert not PRODUCTION.is_api(url)


@given(st.text(max_size=60))
def test_parsing_any_text_gives_a_url_or_the_one_error(text: str) -> None:
    for candidate in (text, "https://" + text, "https://x.com/" + text):
        try:
            url = parse_url(candidate)
        except UnsafeAddressError:
            continue
        assert url.scheme in ("http", "https")
        assert url.raw_host


@given(st.text(alphabet="htps:/x.com@\\#?[]%12:a ", max_size=40))
@example("://x.com/a?#b")
@example("://x.com:012/a")
@example("://x.com/a/../b?c")
def test_a_plain_address_is_read_as_any_other(text: str) -> None:
    parts = plain_parts("http" + text)
    if parts is not None:
        try:
            expected = address_of(parse_url("http" + text))
        except UnsafeAddressError:
            return
        base, target = parts
        assert base + target == expected.text
        assert target == expected.target
        assert address_of(parse_url(base + "/")).origin == expected.origin


def test_percent_escapes_are_sent_as_they_came() -> None:
    assert str(parse_url("https://x.com/a%2Fb%20c?q=%7B%22a%22%7D&r=a+b")) == (
        "https://x.com/a%2Fb%20c?q=%7B%22a%22%7D&r=a+b"
    )
    assert str(parse_url("https://x.com/caf\u00e9 b")) == "https://x.com/caf%C3%A9%20b"


@pytest.mark.parametrize(
    "host", ["x.com", "api.x.com", "twitter.com", "api.twitter.com", "mobile.twitter.com", "m.x.com"]
)
def test_the_hosts_of_the_web_api_may_see_credentials(host: str) -> None:
    assert PRODUCTION.is_api(f"https://{host}/i/api/graphql")
    assert PRODUCTION.kind_allows(HostKind.API, f"https://{host}/")
    assert not PRODUCTION.is_api(f"http://{host}/")
    assert not PRODUCTION.is_api(f"https://{host}:8443/")


@pytest.mark.parametrize(
    "url",
    [
        "https://proxsee-cf.pscp.tv/api/v2/x", "https://guest-cf.pscp.tv/", "https://signer.pscp.tv/region", KEY,
        "https://abs.twimg.com/a.js", "https://pbs.twimg.com/a.jpg", "https://t.co/a", "https://video.twitter.com/a",
        "https://notx.com/", "https://x.com.evil.example/", "https://evil.example/x.com", "https://pay.x.com/",
        "https://cdn.syndication.twimg.com/", "https://prod-chatman-ancillary-us-east-1.pscp.tv/",
    ],
)  # fmt: skip
def test_no_other_host_may_see_credentials(url: str) -> None:
    assert not PRODUCTION.is_api(url)


def test_each_kind_has_its_own_hosts() -> None:
    expected = {
        KEY: {HostKind.CDN},
        "https://prod-ec-us-east-1.video.pscp.tv/a": {HostKind.CDN},
        "https://a.video.periscope.tv/a": {HostKind.CDN},
        "https://canary-video-us-east-1.pscp.tv/a": {HostKind.CDN},
        "https://video.twitter.com/a": {HostKind.CDN},
        "https://proxsee.pscp.tv/a": {HostKind.API},
        "https://chatman-replay-us-east-1.pscp.tv/a": {HostKind.API},
        "https://pbs.twimg.com/a": {HostKind.AVATAR},
        "https://t.co/a": {HostKind.AVATAR},
        "https://evil.video.pscp.tv.example/a": set(),
        "https://video.pscp.tv.evil/a": set(),
    }
    for url, kinds in expected.items():
        found = {kind for kind in HostKind if PRODUCTION.kind_allows(kind, url)}
        assert found == kinds | {HostKind.USER}, url


def test_production_wants_https_for_everything_but_what_the_user_typed() -> None:
    plain = KEY.replace("https", "http")
    assert [kind for kind in HostKind if PRODUCTION.kind_allows(kind, plain)] == [HostKind.USER]


def test_a_sandbox_is_told_apart_by_port_and_lets_nothing_out() -> None:
    box = Endpoints.sandbox(
        {"x": "http://127.0.0.1:1001", "cdn": "http://127.0.0.1:1002", "proxsee": "http://127.0.0.1:1003"}
    )

    assert box.is_api("http://127.0.0.1:1001/a")
    assert not box.is_api("http://127.0.0.1:1002/a")
    assert not box.is_api("http://127.0.0.1:1003/a")
    assert not box.is_api("https://x.com/")
    assert box.kind_allows(HostKind.API, "http://127.0.0.1:1003/a")
    assert box.kind_allows(HostKind.CDN, "http://127.0.0.1:1002/a")
    assert not box.kind_allows(HostKind.CDN, "http://127.0.0.1:1001/a")
    assert not box.kind_allows(HostKind.CDN, "https://127.0.0.1:1002/a")
    assert not box.kind_allows(HostKind.USER, "https://example.com/")
    assert box.kind_allows(HostKind.USER, "http://127.0.0.1:1001/")


def test_a_target_is_resolved_against_its_service() -> None:
    box = Endpoints.sandbox({"x": "http://127.0.0.1:1/"})

    assert box.url_for(Request("GET", "/i/a", {"q": "a b/&"}, service="api")) == "http://127.0.0.1:1/i/a?q=a%20b%2F%26"
    assert box.url_for(Request("GET", "https://x.com/a?b=1", {"c": "2"})) == "https://x.com/a?b=1&c=2"
    with pytest.raises(SettingsError):
        PRODUCTION.url_for(Request("GET", "/a", service="cdn"))


def test_a_redirect_is_joined_checked_and_never_goes_down_to_http() -> None:
    here = parse_url("https://x.com/a/b?c=1")
    assert str(follow_redirect(here, "../d%2F?e#frag")) == "https://x.com/d%2F?e"
    assert str(follow_redirect(here, "//twitter.com/")) == "https://twitter.com/"
    for location in (
        "http://x.com/",
        "file:///etc/passwd",
        "https://a@x.com/",
        "/\\evil.example",
        "https://x.com/\x00",
    ):
        with pytest.raises(UnsafeAddressError):
            follow_redirect(here, location)
