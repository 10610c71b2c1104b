"""Which login holds: the settings name several places, and the first that has one counts."""

from __future__ import annotations

from dataclasses import dataclass

from hydrophone.errors import SettingsError
from hydrophone.model import UserId
from hydrophone.settings import Settings, environment_name
from hydrophone.xweb.login import Login
from hydrophone.xweb.secrets import SecretFile, SystemKeyring, load_cookies_file, login_from_browser


@dataclass(frozen=True, slots=True)
class FoundLogin:
    """A login, where it is from in words, and what was odd on the way."""

    login: Login
    source: str
    problems: tuple[str, ...] = ()


def secret_file(settings: Settings) -> SecretFile:
    """The private file that holds the saved login and the newest ct0 of every other."""
    return SecretFile(settings.secrets_path)


def find_login(settings: Settings) -> FoundLogin | None:
    """The login that holds, with the newest ct0 we know; None visits as a guest.

    The order: `auth_token` from the environment, `cookies`, `cookies_from_browser`, the saved login (keyring first,
    if `keyring` is set). A sandbox never sees the saved login.

    Raises:
        SettingsError: a place that was named has no usable login; the next one is not tried behind the user's back.
        DiskError: the private file cannot be read.
    """
    # A saved login is one to the real X; a sandbox has no business with it.
    found = _named(settings) or (_saved(settings) if settings.provider == "x" else None)
    if found is None:
        return None
    login = secret_file(settings).with_newest_ct0(found.login)
    if settings.own_account_id and login.user_id is None:
        login.user_id = UserId(settings.own_account_id)
    return FoundLogin(login, found.source, found.problems)


def _named(settings: Settings) -> FoundLogin | None:
    if settings.auth_token is not None:
        ct0 = settings.ct0.get_secret_value() if settings.ct0 is not None else None
        return FoundLogin(Login(settings.auth_token.get_secret_value(), ct0), environment_name("auth_token"))
    if settings.ct0 is not None:
        raise SettingsError(
            f"{environment_name('ct0')} is set, {environment_name('auth_token')} is not",
            setting="auth_token",
            advice="Set both, or neither.",
        )
    if settings.cookies is not None:
        login, problems = load_cookies_file(settings.cookies)
        return FoundLogin(login, str(settings.cookies), problems)
    if settings.cookies_from_browser is not None:
        return FoundLogin(browser_login(settings.cookies_from_browser), settings.cookies_from_browser)
    return None


def _saved(settings: Settings) -> FoundLogin | None:
    if settings.keyring:
        login = SystemKeyring().load()
        if login is not None:
            return FoundLogin(login, "keyring")
    login = secret_file(settings).load()
    return FoundLogin(login, str(settings.secrets_path)) if login is not None else None


def browser_login(text: str) -> Login:
    """The login in a browser's own store; `text` is ``BROWSER`` or ``BROWSER:PROFILE``."""
    browser, _, profile = text.partition(":")
    return login_from_browser(browser.strip(), profile=profile.strip() or None)
