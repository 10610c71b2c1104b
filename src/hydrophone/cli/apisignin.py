"""`hydrophone auth … --api`: the app's bearer typed, or a user's consent through the browser; shown, and given back."""

from __future__ import annotations

import getpass
import sys
import webbrowser
from typing import TYPE_CHECKING

from hydrophone.cli import screen
from hydrophone.errors import NotSignedInError, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from hydrophone.app import AsyncHydrophone
    from hydrophone.cli.context import Common
    from hydrophone.model import User
    from hydrophone.settings import Settings


def sign_in_to_api(settings: Settings, common: Common, client_id: str | None, redirect_uri: str, *, opens: bool) -> int:
    """Ask for what is needed, sign in, and say where it is kept."""
    from hydrophone.cli.running import run

    place = _place(settings)
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


def show_api_tokens(settings: Settings, common: Common) -> int:
    """Which tokens there are and where they are from; asks nobody."""
    from hydrophone.apilogin import token_file
    from hydrophone.settings import environment_name
    from hydrophone.xapi.credentials import AppBearer

    kept = token_file(_place(settings).parent).load()
    given = settings.api_bearer.get_secret_value() if settings.api_bearer else None
    bearer = given or kept.app_bearer
    source = environment_name("api_bearer") if given else str(_place(settings))
    app = {"fingerprint": AppBearer(bearer, is_api=lambda _: False).fingerprint, "source": source} if bearer else None
    scopes = sorted(map(str, kept.user.scopes)) if kept.user else []
    user = {"user_id": kept.user.user_id, "scopes": scopes} if kept.user else None
    if common.as_json:
        screen.say_json({"app": app, "user": user})
    if app:
        common.say(f"app token {app['fingerprint']}, from {screen.safe(source, 500)}")
    if kept.user:
        common.say(f"signed in as user {screen.safe(kept.user.user_id or '?', 40)}: {' '.join(scopes)}")
    if not bearer and not kept.user:
        common.say("no token of the X API", "`hydrophone auth login --api` keeps one")
    return 0


def sign_out_of_api(settings: Settings, common: Common) -> int:
    """Give the user's tokens back to the service, and forget all."""
    from hydrophone.apilogin import token_file
    from hydrophone.cli.running import run

    async def leave(engine: AsyncHydrophone) -> bool:
        return await engine.sign_out_of_api()

    store = token_file(_place(settings).parent)
    try:
        store.load()
        had_one = run(settings, leave)
    except SettingsError:  # damaged or readable by others: all the more a reason to remove it
        store.delete()
        had_one = True
    if common.as_json:
        screen.say_json({"forgotten": had_one})
    common.say("forgotten" if had_one else "there was no saved token")
    if settings.api_bearer is not None:
        from hydrophone.settings import environment_name

        screen.warn(f"{environment_name('api_bearer')} is still set")
    return 0


def _place(settings: Settings) -> Path:
    """The private file with the tokens. A sandbox has its own."""
    return settings.state_dir / ("sandbox/api.json" if settings.provider == "sandbox" else "api.json")


def _typed(name: str) -> str:
    """One value, typed without echo, or a line from a pipe."""
    return (getpass.getpass(f"{name}: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
