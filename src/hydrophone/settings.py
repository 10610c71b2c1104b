"""What can be set, in one table, with one precedence: flags, then environment, then the TOML file, then defaults.

`Settings.load` is the way in for the command line and for Python alike. Every field can be set as ``HYDROPHONE_NAME``
in the environment and, secrets excepted, as ``name = …`` in the TOML file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Self

from platformdirs import user_config_path, user_music_path, user_state_path

from hydrophone.errors import SettingsError
from hydrophone.fields import Field, FieldError, FieldInfo, SecretStr, Table

ENVIRONMENT_PREFIX = "HYDROPHONE_"
PROVIDERS = ("x", "sandbox")

_Home = Path  #: written as text, it may begin with ``~``


def _bases_are_urls(bases: dict[str, str]) -> dict[str, str]:
    for name, base in bases.items():
        if not base.startswith(("http://", "https://")):
            raise ValueError(f"the base of {name!r} must begin with http:// or https://")
    return {name: base.rstrip("/") for name, base in bases.items()}


class Settings(Table):
    """How Hydrophone behaves. Frozen; `sources` says where each value came from."""

    config: _Home | None = Field(None, description="The TOML file to read instead of the usual one.")
    archive: _Home = Field(
        default_factory=lambda: user_music_path() / "Hydrophone", description="Where recordings are kept."
    )
    state_dir: _Home = Field(
        default_factory=lambda: user_state_path("hydrophone", appauthor=False),
        description="Where the saved login, rate budgets and other notes between two runs are kept.",
    )
    cookies: _Home | None = Field(None, description="A Netscape cookies.txt that holds the login to X.")
    cookies_from_browser: str | None = Field(
        None, description="A browser to read the login from, e.g. `firefox` or `chrome:Profile 1` (extra `browser`)."
    )
    auth_token: SecretStr | None = Field(
        None, description="The cookie `auth_token` of the login to X; never in a file or a flag.", repr=False
    )
    ct0: SecretStr | None = Field(
        None, description="The cookie `ct0` that belongs to `auth_token`; never in a file or a flag.", repr=False
    )
    periscope_token: SecretStr | None = Field(
        None, description="An access token of Periscope's Producer API; never in a file or a flag.", repr=False
    )
    periscope_sid: SecretStr | None = Field(
        None,
        description="The cookie `sid` of a Periscope account, kept from before the closing; never in a file or a flag.",
        repr=False,
    )
    api_bearer: SecretStr | None = Field(
        None, description="The bearer of an app for the X API v2; never in a file or a flag.", repr=False
    )
    keyring: bool = Field(False, description="Keep the login in the system's keyring instead of a file.")
    own_account_id: str | None = Field(
        None, pattern=r"^\d+$", description="The X user id of the login; it is left out of what is stored."
    )
    provider: Literal["x", "sandbox"] = Field("x", description="Whom to talk to: the real X or a running sandbox.")
    sandbox: str | None = Field(
        None, pattern=r"^https?://", description="The control URL of a running sandbox; it names all other addresses."
    )
    endpoints: dict[str, str] = Field(
        default_factory=dict,
        description="Base URLs by service name, instead of the provider's own.",
        check=_bases_are_urls,
    )
    ask_order: str = Field(
        "web,api,local",
        pattern=r"^(web|api|local)(,(web|api|local)){0,2}$",
        description="Which source is asked first: `web` (x.com, free), `api` (the X API, costs credits) or `local` "
        "(your own recordings); the next takes over when one cannot answer, and what is not named is never asked.",
    )
    max_cost: Decimal | None = Field(None, ge=0, description="The most US dollars that one run may spend at the X API.")
    max_cost_per_day: Decimal | None = Field(
        None, ge=0, description="The most US dollars that all runs of a UTC day may spend at the X API."
    )
    proxy: str | None = Field(
        None,
        pattern=r"^(https?|socks5h?)://",
        description="A proxy for all traffic; without it `HTTPS_PROXY` and its kin count.",
        repr=False,  # may hold a password
    )
    ca_file: _Home | None = Field(None, description="Certificates to trust in addition to the system's (PEM).")
    connections: int = Field(16, ge=1, le=128, description="Segments fetched at once for one recording.")
    format: str = Field("best", min_length=1, description="The variant of a video: best, worst, audio, 720p, …")
    output: str | None = Field(None, description="A template for the item's folder below the archive.")
    wait: bool = Field(False, description="Wait for a Space that has not started yet.")
    live_edge: bool = Field(False, description="Record a live Space from now on instead of from its beginning.")
    transcript: bool = Field(True, description="Make transcripts of what is said; the chat is kept either way.")
    chapters: Literal["both", "turns", "gaps", "none"] = Field(
        "both",
        description="Where chapters of the packaged audio begin: where somebody begins to hold the floor (`turns`), "
        "where something is missing (`gaps`).",
    )
    lyrics: bool = Field(
        False, description="Put what is said into the packaged audio as lyrics, and beside it as an LRC file."
    )
    whisper_model: _Home | None = Field(
        None,
        description="A folder with weights for faster-whisper (extra `whisper`): it listens to recordings for which "
        "the service has no captions.",
    )
    whisper_language: str = Field(
        "", pattern=r"^[A-Za-z-]*$", description="The language it listens for; empty, that of the record, else a guess."
    )
    whisper_device: Literal["auto", "cpu", "cuda"] = Field("auto", description="What it computes on.")
    whisper_compute_type: str = Field(
        "default", min_length=1, description="Its numbers: `default` as in the weights, or `int8`, `float16`, …"
    )
    whisper_threads: int = Field(0, ge=0, le=1024, description="How many threads it takes; 0 is as many as cores.")
    poll_seconds: float = Field(
        60.0, ge=5, le=3600, description="How often state and audience of a live Space are asked for."
    )
    wait_poll_seconds: float | None = Field(
        None,
        ge=5,
        le=3600,
        description="How often a Space that has not started is asked for; unset, often only near its time.",
    )
    sync_seconds: float = Field(1.0, gt=0, le=60, description="How often what was fetched is forced onto the disk.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "warning", description="The least important log line that is shown."
    )

    @property
    def sources(self) -> Mapping[str, str]:
        """Where each value came from: ``"flag"``, ``"HYDROPHONE_…"``, the TOML file's path or ``"default"``."""
        told: Mapping[str, str] = self.__dict__.get("_sources", {})
        return {name: told.get(name, "default") for name in type(self).model_fields}

    @property
    def secrets_path(self) -> Path:
        """The private file in `state_dir` that holds the saved login."""
        return self.state_dir / "secrets.json"

    @classmethod
    def load(cls, **flags: Any) -> Self:
        """Settings from all sources. A flag that is None was not given.

        Raises:
            SettingsError: a value or a key is wrong; the message names it and where it stands.
        """
        given = {name: value for name, value in flags.items() if value is not None}
        layers = _Layers(cls, given)
        try:
            settings = cls(**layers.merged)
        except FieldError as error:
            raise _explained(error, layers.sources) from None
        settings.__dict__["_sources"] = dict(layers.sources)
        return settings


def default_config_path() -> Path:
    """The TOML file that is read when none is named; it need not exist."""
    return user_config_path("hydrophone", appauthor=False) / "config.toml"


def environment_name(field: str) -> str:
    return ENVIRONMENT_PREFIX + field.upper()


def is_secret(field: str) -> bool:
    """True for fields whose value must not be shown."""
    return field in ("auth_token", "ct0", "periscope_token", "periscope_sid", "api_bearer")


class _Layers:
    """The values of all sources, merged, and which source each came from."""

    def __init__(self, model: type[Settings], flags: Mapping[str, Any]) -> None:
        self.merged: dict[str, Any] = {}
        self.sources: dict[str, str] = {}
        environment = _from_environment(model.model_fields)
        named = flags.get("config") or environment.get("config")
        path = Path(named).expanduser() if named else default_config_path()
        self._add(_from_file(path, model.model_fields, must_exist=bool(named)), {"": str(path)})
        self._add(environment, {name: environment_name(name) for name in environment})
        self._add(flags, {"": "flag"})

    def _add(self, values: Mapping[str, Any], sources: Mapping[str, str]) -> None:
        for name, value in values.items():
            self.merged[name] = value
            self.sources[name] = sources.get(name) or sources[""]


def _from_environment(fields: Mapping[str, FieldInfo]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, info in fields.items():
        text = os.environ.get(environment_name(name), "")
        if not text:
            continue
        values[name] = _table(text, environment_name(name)) if info.annotation == dict[str, str] else text
    # Who names a sandbox in the environment wants to talk to it.
    if "sandbox" in values:
        values.setdefault("provider", "sandbox")
    return values


def _table(text: str, variable: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise SettingsError(
            f"{variable} must be a JSON object",
            setting=variable,
            advice=f'For example: {variable}=\'{{"x": "http://127.0.0.1:8000"}}\'',
        ) from None


def _from_file(path: Path, fields: Mapping[str, FieldInfo], *, must_exist: bool) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        if must_exist:
            raise SettingsError(f"there is no file {path}", setting="config") from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}", setting="config") from None
    import tomllib  # few have a file

    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} cannot be read: {error}", setting="config") from None
    for key in values:
        _check_key(key, path, fields)
    return values


def _check_key(key: str, path: Path, fields: Mapping[str, FieldInfo]) -> None:
    if is_secret(key):
        raise SettingsError(
            f"{path} must not hold {key}",
            setting=key,
            advice=f"Set {environment_name(key)}, or run `hydrophone auth login`.",
        )
    if key not in fields or key == "config":
        import difflib

        near = difflib.get_close_matches(key, [name for name in fields if name != "config"], n=1)
        raise SettingsError(
            f"{path} has an unknown key {key!r}",
            setting=key,
            advice=f"Did you mean {near[0]!r}?" if near else "`hydrophone config` lists the keys.",
        )


def _explained(error: FieldError, sources: Mapping[str, str]) -> SettingsError:
    name, reason = error.field, error.reason
    source = sources.get(name, "default")
    where = {"flag": "--" + name.replace("_", "-"), "default": name}.get(source, source)
    inside = f"{where}: {name}" if source not in ("flag", "default", environment_name(name)) else where
    return SettingsError(f"{inside}: {reason[:1].lower()}{reason[1:]}", setting=name, advice=_hint(name))


def _hint(name: str) -> str:
    info = Settings.model_fields.get(name)
    return info.description if info else ""
