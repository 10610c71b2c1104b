"""Logins on disk: cookies.txt of all kinds, a private file, browsers, the keyring."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.errors import DiskError, SettingsError
from hydrophone.model import UserId
from hydrophone.xweb.cookies import login_from_cookies, parse_cookies
from hydrophone.xweb.login import Login
from hydrophone.xweb.secrets import SecretFile, SystemKeyring, load_cookies_file, login_from_browser
from xweb.talk import AUTH_TOKEN, CT0

FUTURE, PAST, NOW = 1_900_000_000, 1_500_000_000, 1_772_564_403.0
posix_only = pytest.mark.skipif(os.name != "posix", reason="modes of files exist on POSIX only")


def line(name: str, value: str, *, domain: str = ".x.com", expires: object = FUTURE, prefix: str = "") -> str:
    return f"{prefix}{domain}\tTRUE\t/\tTRUE\t{expires}\t{name}\t{value}"


def login_in(*lines: str, newline: str = "\n") -> Login:
    return login_from_cookies(parse_cookies(newline.join(("# Netscape HTTP Cookie File", "", *lines))), now_seconds=NOW)


# ---------------------------------------------------------------- cookies.txt


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("domain", [".x.com", "x.com", ".twitter.com", "twitter.com", ".X.com"])
@pytest.mark.parametrize("prefix", ["", "#HttpOnly_"])
def test_logins_are_found_in_all_dialects(newline: str, domain: str, prefix: str) -> None:
    login = login_in(
        line("auth_token", AUTH_TOKEN, domain=domain, prefix=prefix), line("ct0", CT0, domain=domain), newline=newline
    )

    assert login.secret_values() == (AUTH_TOKEN, CT0)


def test_the_new_domain_goes_before_the_old_one_and_pairs_are_not_mixed() -> None:
    login = login_in(
        line("auth_token", "oldtoken", domain=".twitter.com"),
        line("ct0", "oldct0", domain=".twitter.com"),
        line("auth_token", AUTH_TOKEN),
        line("ct0", CT0),
    )
    assert login.secret_values() == (AUTH_TOKEN, CT0)


def test_an_expired_login_falls_back_to_the_other_domain_or_says_so() -> None:
    expired = line("auth_token", "oldtoken", expires=PAST)
    assert login_in(expired, line("auth_token", AUTH_TOKEN, domain=".twitter.com")).secret_values()[0] == AUTH_TOKEN
    with pytest.raises(SettingsError, match="expired"):
        login_in(expired)


def test_an_expired_ct0_is_left_behind() -> None:
    login = login_in(line("auth_token", AUTH_TOKEN, expires=0), line("ct0", CT0, expires=PAST))

    assert login.secret_values()[1] != CT0


@pytest.mark.parametrize("twid", ["u%3D1705000000000000005", '"u=1705000000000000005"'])
def test_the_own_id_is_read_from_its_cookie(twid: str) -> None:
    assert login_in(line("auth_token", AUTH_TOKEN), line("twid", twid)).user_id == UserId("1705000000000000005")


def test_other_sites_and_look_alikes_give_no_login() -> None:
    with pytest.raises(SettingsError, match="no auth_token"):
        login_in(
            line("auth_token", AUTH_TOKEN, domain=".evilx.com"),
            line("auth_token", AUTH_TOKEN, domain="x.com.evil.example"),
        )


def test_hostile_lines_are_skipped_and_named() -> None:
    broken = [".x.com nonsense", line("auth_token", AUTH_TOKEN, expires="soon"), line("ct0", CT0), line(" ", "\0")]
    parsed = parse_cookies("\r\n".join(["# comment", "", *broken, "\0\t" * 6]))

    assert [cookie.name for cookie in parsed.cookies] == ["ct0"]
    assert [problem.split(":")[0] for problem in parsed.problems] == ["line 3", "line 4", "line 6"]
    assert AUTH_TOKEN not in repr(parsed)
    assert CT0 not in repr(parsed)


@given(st.text() | st.lists(st.text(max_size=8), min_size=5, max_size=9).map("\t".join))
def test_any_text_can_be_read_as_cookies(text: str) -> None:
    for problem in parse_cookies(text).problems:
        assert len(problem) < 100


def test_a_huge_file_is_read_in_part() -> None:
    parsed = parse_cookies(".x.com\t\n" * 1_000_000)

    assert 2 <= len(parsed.problems) <= 21


def test_a_cookies_file_gives_login_and_problems(tmp_path: Path) -> None:
    path = tmp_path / "cookies.txt"
    path.write_bytes(b".x.com \xff\xfe junk\r\n" + line("auth_token", AUTH_TOKEN).encode() + b"\r\n")
    path.chmod(0o644)

    login, problems = load_cookies_file(path, now_seconds=NOW)

    assert login.secret_values()[0] == AUTH_TOKEN
    assert any("line 1" in problem for problem in problems)
    if os.name == "posix":
        assert any("chmod 600" in problem for problem in problems)


def test_a_missing_cookies_file_is_a_settings_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        load_cookies_file(tmp_path / "nothing.txt")
    with pytest.raises(SettingsError):
        load_cookies_file(tmp_path)


# ---------------------------------------------------------------- the private file


def test_a_kept_login_comes_back(tmp_path: Path) -> None:
    store = SecretFile(tmp_path / "config" / "secrets.json")
    assert store.load() is None

    store.save(Login(AUTH_TOKEN, CT0, user_id=UserId("77")))
    loaded = store.load()

    assert loaded is not None
    assert loaded.secret_values() == (AUTH_TOKEN, CT0)
    assert loaded.user_id == "77"
    assert [path.name for path in store.path.parent.iterdir()] == ["secrets.json"]
    store.delete()
    store.delete()
    assert store.load() is None


@posix_only
def test_the_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    store = SecretFile(tmp_path / "secrets.json")
    before = os.umask(0)
    try:
        store.save(Login(AUTH_TOKEN, CT0))
    finally:
        os.umask(before)

    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


@posix_only
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    store = SecretFile(tmp_path / "secrets.json")
    store.save(Login(AUTH_TOKEN, CT0))
    store.path.chmod(mode)

    with pytest.raises(SettingsError, match="others") as caught:
        store.load()
    assert "chmod 600" in caught.value.advice


@pytest.mark.parametrize("content", ["[]", "{", "5", "[" * 100_000, '{"login": 5}', '{"login": {"auth_token": 5}}'])
def test_a_damaged_file_is_no_crash(tmp_path: Path, content: str) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(content)
    path.chmod(0o600)
    try:
        SecretFile(path).load()
    except SettingsError as error:
        assert error.advice  # noqa: PT017


def test_rotations_are_kept_with_the_login_or_by_fingerprint(tmp_path: Path) -> None:
    store = SecretFile(tmp_path / "secrets.json")
    mine, foreign = Login(AUTH_TOKEN, CT0), Login("from-a-cookies-file", "old")
    store.save(mine)

    store.remember_rotation(Login(AUTH_TOKEN, "fresh"))
    store.remember_rotation(Login("from-a-cookies-file", "newer"))

    loaded = store.load()
    assert loaded is not None
    assert loaded.secret_values() == (AUTH_TOKEN, "fresh")
    assert store.with_newest_ct0(foreign).secret_values() == ("from-a-cookies-file", "newer")
    assert store.with_newest_ct0(Login("unknown", "x")).secret_values()[1] == "x"
    assert "from-a-cookies-file" not in store.path.read_text()


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SecretFile(tmp_path / "secrets.json")
    store.save(Login(AUTH_TOKEN, CT0))

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(DiskError) as caught:
        store.save(Login("other", "other"))
    monkeypatch.undo()

    assert caught.value.errno == 28
    loaded = store.load()
    assert loaded is not None
    assert loaded.secret_values() == (AUTH_TOKEN, CT0)
    assert len(list(tmp_path.iterdir())) == 1


# ---------------------------------------------------------------- browsers and keyrings


def browser_reader(monkeypatch: pytest.MonkeyPatch, jar: object) -> None:
    module = ModuleType("yt_dlp.cookies")
    module.SUPPORTED_BROWSERS = {"firefox"}  # type: ignore[attr-defined]

    def extract(browser: str, profile: str | None) -> object:
        if isinstance(jar, Exception):
            raise jar
        return jar

    module.extract_cookies_from_browser = extract  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "yt_dlp.cookies", module)


def test_a_browser_profile_gives_its_login(monkeypatch: pytest.MonkeyPatch) -> None:
    cookies = [("auth_token", AUTH_TOKEN), ("ct0", CT0), ("twid", "u%3D77")]
    browser_reader(monkeypatch, [SimpleNamespace(domain=".x.com", name=n, value=v, expires=FUTURE) for n, v in cookies])

    login = login_from_browser("Firefox", now_seconds=NOW)

    assert login.secret_values() == (AUTH_TOKEN, CT0)
    assert login.user_id == "77"


@pytest.mark.parametrize(
    ("browser", "jar"), [("netscape", []), ("firefox", []), ("firefox", FileNotFoundError("profile"))]
)
def test_browsers_without_a_login_are_settings_errors(
    monkeypatch: pytest.MonkeyPatch, browser: str, jar: object
) -> None:
    browser_reader(monkeypatch, jar)
    with pytest.raises(SettingsError) as caught:
        login_from_browser(browser)
    assert caught.value.advice


def test_missing_extras_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yt_dlp.cookies", None)
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(SettingsError) as browser:
        login_from_browser("firefox")
    assert "hydrophone[browser]" in browser.value.advice
    with pytest.raises(SettingsError) as keyring:
        SystemKeyring().load()
    assert "hydrophone[keyring]" in keyring.value.advice


def test_the_keyring_keeps_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[tuple[str, str], str] = {}
    module = ModuleType("keyring")
    module.get_password = lambda service, account: kept.get((service, account))  # type: ignore[attr-defined]
    module.set_password = lambda service, account, text: kept.__setitem__((service, account), text)  # type: ignore[attr-defined]
    module.delete_password = lambda service, account: kept.pop((service, account))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", module)
    store = SystemKeyring()

    assert store.load() is None
    store.save(Login(AUTH_TOKEN, CT0, user_id=UserId("77")))
    loaded = store.load()
    assert loaded is not None
    assert loaded.secret_values() == (AUTH_TOKEN, CT0)
    store.delete()
    store.delete()
    assert store.load() is None
