"""Credentials go to the API hosts and nowhere else, and show themselves to nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.errors import DiskError, SettingsError
from hydrophone.http.messages import Headers, Reply
from hydrophone.xweb.constants import WEB_BEARER
from hydrophone.xweb.login import GuestPass, Login
from xweb.talk import AUTH_TOKEN, CT0

API = "https://x.com/i/api/1.1/a"


def setting_cookies(*lines: str, url: str = API) -> Reply:
    return Reply(200, Headers([("set-cookie", line) for line in lines]), b"", url)


@pytest.mark.parametrize("credential", [Login(AUTH_TOKEN, CT0), GuestPass("1500000000000000000")], ids=repr)
@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        (API, True),
        ("https://api.x.com/graphql/a/b", True),
        ("https://api.twitter.com/1.1/a", True),
        ("https://twitter.com/i/live_video_stream/key", True),
        ("https://mobile.twitter.com:443/", True),
        ("http://x.com/i/api/1.1/a", False),
        ("https://x.com:8443/", False),
        ("https://evil.x.com/", False),
        ("https://x.com.evil.example/", False),
        ("https://x.com@evil.example/", False),
        ("https://user@x.com/", False),
        ("https://video.twitter.com/a.aac", False),
        ("https://prod-fastly-eu-central-1.video.pscp.tv/a", False),
        ("https://proxsee-cf.pscp.tv/api/v2/x", False),
        ("https://abs.twimg.com/", False),
        ("https://t.co/a", False),
        ("http://127.0.0.1:8080/i/api", False),
        ("https://[::1", False),
        ("", False),
    ],
)
def test_credentials_go_to_the_api_hosts_only(credential: Login | GuestPass, url: str, allowed: bool) -> None:
    assert credential.allows(url) is allowed


def test_configured_origins_are_allowed_too() -> None:
    login = Login(AUTH_TOKEN, CT0, is_api=lambda url: url.startswith("http://127.0.0.1:8080/"))

    assert login.allows("http://127.0.0.1:8080/i/api")
    assert not login.allows("http://127.0.0.1:9090/i/api")


def test_api_requests_carry_cookie_and_csrf_header_and_pages_only_the_cookie() -> None:
    login = Login(AUTH_TOKEN, CT0)

    assert login.headers("GET", API) == {
        "authorization": f"Bearer {WEB_BEARER}",
        "cookie": f"auth_token={AUTH_TOKEN}; ct0={CT0}",
        "x-csrf-token": CT0,
        "x-twitter-auth-type": "OAuth2Session",
    }
    assert set(login.headers("GET", "https://x.com/")) == {"cookie"}
    assert GuestPass("15").headers("GET", "https://x.com/") == {}


def test_secrets_are_not_shown_and_fingerprints_lead_nowhere() -> None:
    login, visitor = Login(AUTH_TOKEN, CT0), GuestPass("1500000000000000000")

    for shown in (repr(login), str(login), login.fingerprint, repr(visitor), visitor.fingerprint):
        assert AUTH_TOKEN not in shown
        assert CT0 not in shown
        assert "1500000000000000000" not in shown
    assert login.fingerprint == Login(AUTH_TOKEN, "other").fingerprint
    assert login.fingerprint != Login("other", CT0).fingerprint


def test_without_ct0_one_is_invented() -> None:
    ct0 = Login(AUTH_TOKEN).secret_values()[1]

    assert len(ct0) == 32
    assert ct0 != Login(AUTH_TOKEN).secret_values()[1]


@pytest.mark.parametrize("bad", ["", "a b", "a;b", "a\r\nx: y", 'a"b', "é", "a,b", "x" * 2000, None])
def test_values_that_could_change_the_request_are_refused(bad: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Login(bad, CT0)
    assert caught.value.setting == "auth_token"


@pytest.mark.parametrize(
    "lines",
    [
        ["ct0=new123; Path=/; Domain=.x.com; Max-Age=21600"],
        ["guest_id=5; Path=/", "ct0=new123"],
        ["ct0=old9; Path=/", "ct0=new123; Path=/"],
        [" ct0=new123 ;Max-Age=60"],
    ],
)
def test_a_new_ct0_is_taken_over_and_passed_on(lines: list[str]) -> None:
    seen: list[Login] = []
    login = Login(AUTH_TOKEN, CT0, on_rotation=seen.append)

    assert login.adopt(setting_cookies(*[line.replace(" ;", ";") for line in lines])) is True
    assert login.secret_values() == (AUTH_TOKEN, "new123")
    assert seen == [login]
    assert login.adopt(setting_cookies("ct0=new123")) is False


@pytest.mark.parametrize(
    "line",
    [
        "ct0=; Path=/",
        "ct0=gone; Max-Age=0",
        "ct0=gone; max-age=-1; Path=/",
        "xct0=a",
        "ct0",
        "ct0=a b",
        "ct0=a\tb",
        "other=ct0=a",
    ],
)
def test_deleted_and_malformed_cookies_change_nothing(line: str) -> None:
    login = Login(AUTH_TOKEN, CT0)

    assert login.adopt(setting_cookies(line)) is False
    assert login.secret_values() == (AUTH_TOKEN, CT0)


def test_a_ct0_that_cannot_be_kept_is_used_all_the_same() -> None:
    def fail(_: Login) -> None:
        raise DiskError("full", errno=28)

    login = Login(AUTH_TOKEN, CT0, on_rotation=fail)

    assert login.adopt(setting_cookies("ct0=new123")) is True
    assert login.secret_values()[1] == "new123"
    assert isinstance(login.unsaved, DiskError)


def test_another_host_cannot_set_the_ct0() -> None:
    login = Login(AUTH_TOKEN, CT0)

    assert login.adopt(setting_cookies("ct0=evil", url="https://cdn.example/a")) is False


@given(st.lists(st.text(max_size=60), max_size=4))
def test_any_cookie_lines_leave_a_usable_login(lines: list[str]) -> None:
    login = Login(AUTH_TOKEN, CT0)
    login.adopt(setting_cookies(*lines, *("ct0=" + line for line in lines)))

    assert login.headers("GET", API)["cookie"].isascii()
