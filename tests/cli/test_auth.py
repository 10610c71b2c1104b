"""The login: saved, shown and forgotten, and never seen where it must not be."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import pytest

from cli.conftest import Typed
from hydrophone.errors import SettingsError
from hydrophone.logins import find_login
from hydrophone.settings import Settings

TOKEN = "canarytoken0123456789"
CT0 = "canaryct00123456789"

COOKIES = (
    "# Netscape HTTP Cookie File\n"
    f"#HttpOnly_.x.com\tTRUE\t/\tTRUE\t4102444800\tauth_token\tfile{TOKEN}\n"
    f".x.com\tTRUE\t/\tTRUE\t4102444800\tct0\tfile{CT0}\n"
    ".x.com\tTRUE\t/\tTRUE\t4102444800\ttwid\tu%3D42\n"
)


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{TOKEN}\n{CT0}\n"))


@pytest.fixture
def cookies(tmp_path: Path) -> Path:
    path = tmp_path / "cookies.txt"
    path.write_text(COOKIES)
    path.chmod(0o600)
    return path


def secrets_of(settings: Settings) -> tuple[str, str]:
    found = find_login(settings)
    assert found is not None
    return found.login.secret_values()


def test_login_saves_what_is_typed_in_a_private_file_and_shows_none_of_it(typed: Typed, piped: None) -> None:
    answer = typed("auth", "login")
    path = Settings.load().secrets_path
    assert answer.code == 0
    assert secrets_of(Settings.load()) == (TOKEN, CT0)
    assert os.name != "posix" or path.stat().st_mode & 0o777 == 0o600
    assert TOKEN not in answer.out + answer.err
    shown = typed("auth", "status")
    assert str(path) in shown.out
    assert TOKEN not in shown.out


def test_typed_values_are_hidden_on_a_terminal(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("getpass.getpass", lambda prompt: asked.append(prompt) or TOKEN)
    assert typed("auth", "login").code == 0
    assert asked == ["auth_token: ", "ct0: "]


def test_login_takes_a_cookies_file(typed: Typed, cookies: Path) -> None:
    assert typed("auth", "login", "--from-cookies", str(cookies)).code == 0
    status = json.loads(typed("auth", "status", "--json").out)
    assert status["signed_in"] is True
    assert status["user_id"] == "42"


def test_logout_forgets(typed: Typed, piped: None) -> None:
    typed("auth", "login")
    assert "forgotten" in typed("auth", "logout").out
    assert "not signed in" in typed("auth", "status").out
    assert "no saved login" in typed("auth", "logout").out


def test_an_empty_value_is_refused(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    assert typed("auth", "login").code == 5


def test_a_value_that_is_no_cookie_is_refused_and_not_repeated(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("bad;canary value\nx\n"))
    answer = typed("auth", "login")
    assert answer.code == 2
    assert "canary" not in answer.err


def test_no_flag_takes_a_secret(typed: Typed) -> None:
    text = typed("auth", "login", "--help").out
    assert "--auth-token" not in text
    assert "--ct0" not in text


def test_environment_beats_cookies_beats_the_saved_login(
    typed: Typed, piped: None, cookies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed("auth", "login")
    assert secrets_of(Settings.load(cookies=cookies)) == ("file" + TOKEN, "file" + CT0)
    monkeypatch.setenv("HYDROPHONE_AUTH_TOKEN", "env" + TOKEN)
    monkeypatch.setenv("HYDROPHONE_CT0", "env" + CT0)
    assert secrets_of(Settings.load(cookies=cookies)) == ("env" + TOKEN, "env" + CT0)


def test_ct0_alone_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDROPHONE_CT0", CT0)
    with pytest.raises(SettingsError, match="HYDROPHONE_AUTH_TOKEN"):
        find_login(Settings.load())


def test_a_named_cookies_file_without_a_login_is_an_error_even_if_one_is_saved(
    typed: Typed, piped: None, tmp_path: Path
) -> None:
    typed("auth", "login")
    empty = tmp_path / "empty.txt"
    empty.write_text("# Netscape HTTP Cookie File\n")
    with pytest.raises(SettingsError):
        find_login(Settings.load(cookies=empty))


def test_a_sandbox_never_sees_the_saved_login(typed: Typed, piped: None, cookies: Path) -> None:
    typed("auth", "login")
    assert find_login(Settings.load(provider="sandbox")) is None
    assert secrets_of(Settings.load(provider="sandbox", cookies=cookies))[0] == "file" + TOKEN


def test_the_own_account_can_be_named(typed: Typed, piped: None) -> None:
    typed("auth", "login")
    found = find_login(Settings.load(own_account_id="99"))
    assert found is not None
    assert found.login.user_id == "99"
