"""`hydrophone config`: every setting, its value and where it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hydrophone.cli import screen
from hydrophone.cli.context import Common

if TYPE_CHECKING:
    from hydrophone.settings import Settings

_HIDDEN = "(set)"


def config(*, common: Common = Common()) -> int:  # noqa: B008  (frozen)
    """Show every setting with its value and where it came from.

    A flag counts more than the environment (HYDROPHONE_NAME), that more than
    the TOML file, and that more than the default. Secrets are never shown.

    For example:
      hydrophone config
      hydrophone config --config ./hydrophone.toml --json
      HYDROPHONE_CONNECTIONS=32 hydrophone config
    """
    from hydrophone.settings import default_config_path

    settings = common.settings()
    values = shown(settings)
    if common.as_json:
        screen.say_json({name: {"value": value, "source": settings.sources[name]} for name, value in values.items()})
        return 0
    path = settings.config or default_config_path()
    common.say(f"file: {path}{'' if path.exists() else ' (does not exist)'}", "")
    common.say(*screen.table((name, _text(value), settings.sources[name]) for name, value in values.items()))
    return 0


def shown(settings: Settings) -> dict[str, Any]:
    """All values by name, without secrets."""
    from hydrophone.settings import is_secret

    values: dict[str, Any] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        values[name] = _HIDDEN if is_secret(name) and value is not None else value
    values["proxy"] = _without_password(values["proxy"])
    return values


def _without_password(proxy: str | None) -> str | None:
    if proxy is None or "@" not in proxy:
        return proxy
    scheme, _, rest = proxy.partition("://")
    return f"{scheme}://…@{rest.rpartition('@')[2]}"


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" for key, item in value.items()) or "-"
    return screen.safe(str(value), 200)
