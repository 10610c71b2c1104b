"""One precedence: flags, environment, TOML file, defaults."""

from __future__ import annotations

import json
import sys
from itertools import product
from pathlib import Path

import pytest

from cli.conftest import Typed
from hydrophone.errors import SettingsError
from hydrophone.settings import Settings, default_config_path, environment_name

CANARY = "canary0123456789abcdef"


def write_config(text: str) -> Path:
    path = default_config_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("flag", "variable", "file"), list(product([None, 1], [None, 2], [None, 3])))
def test_flags_beat_environment_beats_file_beats_default(
    monkeypatch: pytest.MonkeyPatch, flag: int | None, variable: int | None, file: int | None
) -> None:
    path = write_config(f"connections = {file}" if file else "")
    if variable:
        monkeypatch.setenv("HYDROPHONE_CONNECTIONS", str(variable))

    settings = Settings.load(connections=flag)

    assert settings.connections == (flag or variable or file or 16)
    source = "flag" if flag else "HYDROPHONE_CONNECTIONS" if variable else str(path) if file else "default"
    assert settings.sources["connections"] == source


def test_a_false_or_empty_flag_still_beats_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDROPHONE_WAIT", "true")
    assert Settings.load().wait is True
    assert Settings.load(wait=False).wait is False


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDROPHONE_CONNECTIONS", "")
    assert Settings.load().connections == 16


def test_values_of_each_kind_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HYDROPHONE_ARCHIVE", "~/Spaces")
    monkeypatch.setenv("HYDROPHONE_SYNC_SECONDS", "0.5")
    monkeypatch.setenv("HYDROPHONE_ENDPOINTS", '{"x": "http://127.0.0.1:8000/"}')
    monkeypatch.setenv("HYDROPHONE_AUTH_TOKEN", CANARY)
    settings = Settings.load()
    assert settings.archive == tmp_path / "Spaces"
    assert settings.sync_seconds == 0.5
    assert settings.endpoints == {"x": "http://127.0.0.1:8000"}
    assert settings.auth_token is not None
    assert settings.auth_token.get_secret_value() == CANARY


def test_naming_a_sandbox_means_talking_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDROPHONE_SANDBOX", "http://127.0.0.1:9000")
    assert Settings.load().provider == "sandbox"
    assert Settings.load(provider="x").provider == "x"


def test_a_named_file_replaces_the_usual_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_config("connections = 3")
    named = tmp_path / "mine.toml"
    named.write_text('wait = true\n[endpoints]\nx = "http://127.0.0.1:1"\n')
    settings = Settings.load(config=named)
    assert (settings.connections, settings.wait) == (16, True)
    assert settings.endpoints == {"x": "http://127.0.0.1:1"}
    monkeypatch.setenv("HYDROPHONE_CONFIG", str(named))
    assert Settings.load().wait is True


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no file"):
        Settings.load(config=tmp_path / "none.toml")


def test_an_unknown_key_is_an_error_that_names_key_file_and_neighbour() -> None:
    path = write_config("conections = 4")
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    assert "conections" in caught.value.message
    assert str(path) in caught.value.message
    assert "connections" in caught.value.advice
    assert caught.value.setting == "conections"


@pytest.mark.parametrize("key", ["auth_token", "ct0"])
def test_a_secret_in_the_file_is_refused_and_not_shown(key: str) -> None:
    write_config(f'{key} = "{CANARY}"')
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    assert CANARY not in f"{caught.value.message} {caught.value.advice}"
    assert environment_name(key) in caught.value.advice


def test_a_file_that_is_no_toml_is_an_error() -> None:
    write_config("connections = = 3")
    with pytest.raises(SettingsError, match=r"config\.toml"):
        Settings.load()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"connections": 0}, "--connections"),
        ({"connections": "many"}, "--connections"),
        ({"provider": "y"}, "--provider"),
        ({"proxy": "ftp://host"}, "--proxy"),
        ({"endpoints": {"x": "file:///etc"}}, "endpoints"),
    ],
)
def test_a_wrong_value_is_an_error_that_names_its_source(flags: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        Settings.load(**flags)


def test_a_wrong_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDROPHONE_PROXY", f"ftp://user:{CANARY}@host")
    with pytest.raises(SettingsError) as caught:
        Settings.load()
    assert CANARY not in str(caught.value)
    assert "HYDROPHONE_PROXY" in caught.value.message


def test_config_shows_values_and_sources_and_no_secret(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_config("wait = true")
    monkeypatch.setenv("HYDROPHONE_CT0", CANARY)
    monkeypatch.setenv("HYDROPHONE_PROXY", f"http://user:{CANARY}@proxy.example:3128")
    answer = typed("config", "-P", "here")
    assert answer.code == 0
    rows = {line.split()[0]: line.split() for line in answer.out.splitlines() if len(line.split()) == 3}
    assert rows["archive"] == ["archive", "here", "flag"]
    assert rows["wait"] == ["wait", "true", str(path)]
    assert rows["ct0"] == ["ct0", "(set)", "HYDROPHONE_CT0"]
    assert rows["proxy"][1] == "http://…@proxy.example:3128"

    as_json = typed("config", "--json").out
    assert json.loads(as_json)["wait"] == {"value": True, "source": str(path)}
    assert CANARY not in answer.out + answer.err + as_json


def test_settings_hide_secrets_in_their_repr() -> None:
    assert CANARY not in repr(Settings.load(auth_token=CANARY, ct0=CANARY, proxy=f"http://a:{CANARY}@h"))


@pytest.mark.skipif(sys.platform == "win32", reason="home directories differ")
def test_defaults_follow_the_platform(tmp_path: Path) -> None:
    settings = Settings.load()
    assert settings.state_dir == tmp_path / "state/hydrophone"
    assert settings.archive.name == "Hydrophone"
