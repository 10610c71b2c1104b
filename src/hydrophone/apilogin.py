"""What opens the X API, gathered: the app's bearer from the environment, everything else from the private file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from hydrophone.settings import Settings
from hydrophone.xapi.credentials import AppBearer, IsApi, UserBearer
from hydrophone.xapi.ledger import SpendLedger
from hydrophone.xapi.ledgerfile import LedgerFile
from hydrophone.xapi.oauth import OAuthApp
from hydrophone.xapi.session import ApiSession
from hydrophone.xapi.tokenfile import TokenFile


def token_file(state_dir: Path) -> TokenFile:
    """Where tokens are kept between two runs."""
    return TokenFile(state_dir / "api.json")


def api_session(settings: Settings, state_dir: Path, *, is_api: IsApi, now: Callable[[], datetime]) -> ApiSession:
    """The memory of the API's client, with whatever tokens there are; it may have none.

    Raises:
        SettingsError: a token cannot be one, or others may read the file.
    """
    store = token_file(state_dir)
    kept = store.load()
    bearer = settings.api_bearer.get_secret_value() if settings.api_bearer else kept.app_bearer
    oauth = None
    if kept.client_id and kept.redirect_uri:
        oauth = OAuthApp(kept.client_id, kept.redirect_uri, kept.client_secret, is_api)
    ledger = SpendLedger(
        LedgerFile(state_dir / "spend.jsonl"),
        max_cost=settings.max_cost,
        max_cost_per_day=settings.max_cost_per_day,
    )
    return ApiSession(
        app=AppBearer(bearer, is_api=is_api) if bearer else None,
        user=UserBearer(kept.user, is_api=is_api) if kept.user else None,
        oauth=oauth,
        tokens=store,
        ledger=ledger,
        now=now,
    )
