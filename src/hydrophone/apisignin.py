"""Signing in to the X API: the app's bearer kept, or a user's consent through the browser and back to loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from hydrophone.apilogin import token_file
from hydrophone.errors import HydrophoneError
from hydrophone.model import User
from hydrophone.noted import NOTED_NAME
from hydrophone.wiring import DEFAULT_REDIRECT, Parts
from hydrophone.xapi.credentials import DEFAULT_SCOPES, AppBearer, UserBearer, UserTokens, checked_token
from hydrophone.xapi.loopback import listen
from hydrophone.xapi.oauth import (
    AUTHORIZE_URL,
    OAuthApp,
    authorize_url,
    exchange_code,
    new_consent,
    read_callback,
    revoke_token,
    with_user,
)
from hydrophone.xapi.users import own_user


def keep_app_bearer(parts: Parts, bearer: str) -> str:
    """Keep the token of an app for later runs; its fingerprint.

    Raises:
        SettingsError: it is no token.
    """
    token = checked_token("app bearer", bearer)
    store = token_file(parts.state_dir)
    store.save(replace(store.load(), app_bearer=token))
    parts.api.app = AppBearer(token, is_api=parts.is_api)
    return parts.api.app.fingerprint


async def sign_in(
    parts: Parts,
    client_id: str,
    client_secret: str | None,
    *,
    redirect_uri: str = DEFAULT_REDIRECT,
    scopes: Iterable[str] = DEFAULT_SCOPES,
    open_page: Callable[[str], None],
    wait_seconds: float = 300.0,
) -> User:
    """Have a user consent, and keep the tokens; who it was.

    Args:
        client_secret: None for a public client.
        open_page: shows the page of consent to the user.

    Raises:
        RefusedError: the user said no.
        UnreachableError: the browser did not come back in time.
        SettingsError: the app's id, secret or redirect is wrong.
    """
    app = OAuthApp(client_id.strip(), redirect_uri, client_secret, parts.is_api)
    consent = new_consent(scopes)
    page = AUTHORIZE_URL
    if parts.settings.provider == "sandbox":
        page = parts.client.endpoints.bases["x"] + "/i/oauth2/authorize"
    async with listen(redirect_uri) as callback:
        open_page(authorize_url(app, consent, page=page))
        code = read_callback(await callback.wait(wait_seconds), consent)
    tokens = await parts.client.ask(exchange_code(app, consent, code, now=parts.api.now))
    store = token_file(parts.state_dir)
    kept = replace(
        store.load(), client_id=app.client_id, client_secret=client_secret, redirect_uri=redirect_uri, user=tokens
    )
    # On disk before the first use: a crash must not lose what the user has consented to.
    store.save(kept)
    parts.api.oauth = app
    parts.api.user = UserBearer(tokens, is_api=parts.is_api)
    user = await parts.client.ask(own_user(parts.api))
    store.save_user(with_user(_newest(store.load_user(), tokens), user.id))
    return user


def _newest(kept: UserTokens | None, first: UserTokens) -> UserTokens:
    return kept or first


async def sign_out(parts: Parts) -> bool:
    """Forget all tokens of the API, after giving the user's back, and the names that it has told.

    True when there were tokens. One that stands in the environment stays there.
    """
    store = token_file(parts.state_dir)
    kept = store.load()
    if kept.user is not None and parts.api.oauth is not None:
        for token in (kept.user.refresh, kept.user.access):
            if token is not None:
                try:
                    await parts.client.ask(revoke_token(parts.api.oauth, token))
                except HydrophoneError:
                    continue  # it expires by itself
    store.delete()
    # No recording: names that the API has told.
    (parts.state_dir / NOTED_NAME).unlink(missing_ok=True)  # nosemgrep: files-deleted-only-by-their-writers
    parts.api.app = parts.api.user = None
    return kept.user is not None or kept.app_bearer is not None
