"""What all commands share: the common flags, the settings made of them, and the engine that does the work."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter

from hydrophone.cli import screen

if TYPE_CHECKING:
    from hydrophone.app import AsyncHydrophone
    from hydrophone.settings import Settings

COMMON_OPTIONS = "Common options"

_COMMON = Group(COMMON_OPTIONS, sort_key=100)
_LEVELS = ("warning", "info", "debug")


@Parameter(name="*", group=_COMMON)
@dataclass(frozen=True, kw_only=True)
class Common:
    """The flags that every command knows."""

    paths: Annotated[Path | None, Parameter(name=("--paths", "-P"))] = None
    """Where recordings are kept (setting `archive`)."""
    cookies: Annotated[Path | None, Parameter(name="--cookies")] = None
    """A Netscape cookies.txt that holds the login to X."""
    cookies_from_browser: Annotated[str | None, Parameter(name="--cookies-from-browser")] = None
    """Read the login from a browser, e.g. firefox or "chrome:Profile 1"."""
    provider: Annotated[Literal["x", "sandbox"] | None, Parameter(name="--provider")] = None
    """Whom to talk to: x, or sandbox."""
    proxy: Annotated[str | None, Parameter(name="--proxy")] = None
    """A proxy for all traffic, e.g. http://127.0.0.1:3128 or socks5://127.0.0.1:1080."""
    ca_file: Annotated[Path | None, Parameter(name="--ca-file")] = None
    """Certificates to trust in addition to the system's (PEM)."""
    config: Annotated[Path | None, Parameter(name="--config")] = None
    """The TOML file with settings to read instead of the usual one."""
    as_json: Annotated[bool, Parameter(name="--json", show_default=False)] = False
    """Print JSON: one object, or one line per event."""
    quiet: Annotated[bool, Parameter(name=("--quiet", "-q"), show_default=False)] = False
    """Print nothing but errors."""
    verbose: Annotated[int, Parameter(name=("--verbose", "-v"), count=True, show_default=False)] = 0
    """Log more on stderr; twice for all there is."""

    def settings(self, **flags: Any) -> Settings:
        """The settings that hold for this command, and logging started accordingly.

        Raises:
            SettingsError: a value cannot be used; the message names it and its source.
        """
        from hydrophone.cli.logs import start_logging
        from hydrophone.settings import Settings

        shared = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in _NO_SETTINGS}
        level = _LEVELS[min(self.verbose, 2)] if self.verbose else None
        settings = Settings.load(archive=self.paths, log_level=level, **shared, **flags)
        start_logging(settings.log_level, as_json=self.as_json)
        return settings

    def say(self, *lines: str) -> None:
        """Answer for people, unless they asked for JSON or silence."""
        if not self.as_json and not self.quiet:
            for line in lines:
                screen.say(line)


_NO_SETTINGS = frozenset(("paths", "as_json", "quiet", "verbose"))


def _open_engine(settings: Settings) -> AsyncHydrophone:
    from hydrophone.app import AsyncHydrophone

    return AsyncHydrophone(settings)


#: Makes the engine from settings; tests put another one here.
open_engine: Callable[[Settings], AsyncHydrophone] = _open_engine
