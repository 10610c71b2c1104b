"""`hydrophone auth login --api`: the app's bearer typed, or a user's consent through the browser."""

from __future__ import annotations

import getpass
import sys
import webbrowser
from typing import TYPE_CHECKING

from hydrophone.cli import screen
from hydrophone.errors import NotSignedInError

if TYPE_CHECKING:
    from hydrophone.app import AsyncHydrophone
    from hydrophone.cli.context import Common
    from hydrophone.model import User
    from hydrophone.settings import Settings


def sign_in_to_api(settings: Settings, common: Common, client_id: str | None, redirect_uri: str, *, opens: bool) -> int:
    """Ask for what is needed, sign in, and say where it is kept."""
    from hydrophone.cli.running import run

    place = settings.state_dir / ("sandbox/api.json" if settings.provider == "sandbox" else "api.json")
    if client_id is None:
        bearer = _typed("app bearer")
        if not bearer:
            raise NotSignedInError("no bearer was given", advice="Copy it from the developer console, or --client-id.")

        async def keep(engine: AsyncHydrophone) -> str:
            return await engine.keep_api_bearer(bearer)

        name = run(settings, keep)
        if common.as_json:
            screen.say_json({"saved": str(place), "fingerprint": name})
        common.say(f"saved in {place}; `hydrophone budget` shows what it costs")
        return 0
    secret = _typed("client secret (empty for a public client)") or None

    def open_page(url: str) -> None:
        screen.warn(f"Agree on this page: {url}")
        if opens:
            webbrowser.open(url)

    async def consent(engine: AsyncHydrophone) -> User:
        return await engine.sign_in_to_api(client_id, secret, redirect_uri=redirect_uri, open_page=open_page)

    user = run(settings, consent)
    if common.as_json:
        screen.say_json({"saved": str(place), "user_id": user.id, "handle": user.handle})
    common.say(f"signed in as @{screen.safe(user.handle or user.id, 40)}; the tokens are in {place}")
    return 0


def _typed(name: str) -> str:
    """One value, typed without echo, or a line from a pipe."""
    return (getpass.getpass(f"{name}: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
