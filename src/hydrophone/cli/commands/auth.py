"""`hydrophone auth`: save, show or forget the login to X.

Secrets are typed hidden or read from a file, never given as arguments, which every local user can see.
"""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from hydrophone.cli import screen
from hydrophone.cli.apisignin import show_api_tokens, sign_in_to_api, sign_out_of_api
from hydrophone.cli.context import Common
from hydrophone.errors import NotSignedInError, SettingsError

if TYPE_CHECKING:
    from hydrophone.settings import Settings
    from hydrophone.xweb.login import Login

auth = App(
    name="auth",
    help="""Save, show or forget the login to X.

    For example:
      hydrophone auth login
      hydrophone auth login --from-cookies cookies.txt
      hydrophone auth status
    """,
)


@auth.command
def login(
    *,
    from_cookies: Annotated[Path | None, Parameter(name="--from-cookies")] = None,
    from_browser: Annotated[str | None, Parameter(name="--from-browser")] = None,
    keyring: Annotated[bool | None, Parameter(name="--keyring")] = None,
    api: Annotated[bool, Parameter(name="--api")] = False,
    client_id: Annotated[str | None, Parameter(name="--client-id")] = None,
    redirect_uri: Annotated[str, Parameter(name="--redirect-uri")] = "http://127.0.0.1:8721/callback",
    no_browser: Annotated[bool, Parameter(name="--no-browser")] = False,
    common: Common = Common(),  # noqa: B008  (frozen)
) -> int:
    """Save a login for later runs.

    Asks for the values of the two cookies `auth_token` and `ct0` (your
    browser's developer tools show them under x.com) and does not show what
    you type. From a pipe, it reads them as two lines. The login is kept in a
    file that only you can read, or in the keyring.

    For example:
      hydrophone auth login
      hydrophone auth login --from-cookies cookies.txt
      hydrophone auth login --from-browser firefox
      hydrophone auth login --keyring
      hydrophone auth login --api
      hydrophone auth login --api --client-id aHlk…aQ

    Parameters
    ----------
    from_cookies
        Take the login from a Netscape cookies.txt.
    from_browser
        Take the login from a browser, e.g. firefox or "chrome:Profile 1" (extra `browser`).
    keyring
        Keep the login in the system's keyring (extra `keyring`); set `keyring = true` in the TOML file too.
    api
        Sign in to the X API instead: type the app's bearer, or with --client-id consent in the browser.
    client_id
        The OAuth 2.0 client id of your app; its secret is typed (empty for a public client).
    redirect_uri
        Where the browser comes back to; as it is registered for the app.
    no_browser
        Only print the address of the page, open nothing.
    """
    from hydrophone import logins
    from hydrophone.xweb.secrets import SystemKeyring

    settings = common.settings(keyring=keyring)
    if api:
        return sign_in_to_api(settings, common, client_id, redirect_uri, opens=not no_browser)
    found = _given(from_cookies, from_browser)
    if settings.keyring:
        SystemKeyring().save(found)
        place = "the keyring"
    else:
        logins.secret_file(settings).save(found)
        place = str(settings.secrets_path)
    if common.as_json:
        screen.say_json({"saved": place, "fingerprint": found.fingerprint, "user_id": found.user_id})
    common.say(f"saved in {place}; check it with `hydrophone doctor`")
    return 0


@auth.command
def status(
    *,
    api: Annotated[bool, Parameter(name="--api")] = False,
    common: Common = Common(),  # noqa: B008  (frozen)
) -> int:
    """Show which login holds and where it is from; asks nobody.

    For example:
      hydrophone auth status
      hydrophone auth status --json
      hydrophone auth status --api

    Parameters
    ----------
    api
        Show the tokens of the X API instead; no more of them than a fingerprint.
    """
    from hydrophone.logins import find_login

    if api:
        return show_api_tokens(common.settings(), common)
    found = find_login(common.settings())
    if common.as_json:
        facts = {"fingerprint": found.login.fingerprint, "user_id": found.login.user_id} if found else {}
        problems = list(found.problems) if found else []
        screen.say_json(
            {"signed_in": bool(found), "source": found.source if found else None, **facts, "problems": problems}
        )
    if found is None:
        common.say("not signed in: public things are asked for as a guest", "`hydrophone auth login` saves a login")
        return 0
    account = f", account {found.login.user_id}" if found.login.user_id else ""
    common.say(f"login {found.login.fingerprint}{account}, from {screen.safe(found.source, 500)}")
    for problem in found.problems:
        common.say(f"note: {screen.safe(problem)}")
    return 0


@auth.command
def logout(
    *,
    api: Annotated[bool, Parameter(name="--api")] = False,
    common: Common = Common(),  # noqa: B008  (frozen)
) -> int:
    """Forget the saved login. Sign out at x.com to make it worthless.

    For example:
      hydrophone auth logout
      hydrophone auth logout --api

    Parameters
    ----------
    api
        Forget the tokens of the X API instead: a user's are given back to the service first, an app's bearer is only
        forgotten.
    """
    from hydrophone import logins
    from hydrophone.xweb.secrets import SystemKeyring

    settings = common.settings()
    if api:
        return sign_out_of_api(settings, common)
    had_one = _had_login(settings)
    logins.secret_file(settings).delete()
    if settings.keyring:
        SystemKeyring().delete()
    if common.as_json:
        screen.say_json({"forgotten": had_one})
    common.say("forgotten" if had_one else "there was no saved login")
    return 0


def _had_login(settings: Settings) -> bool:
    from hydrophone import logins

    try:
        return logins.secret_file(settings).load() is not None or settings.keyring
    except SettingsError:  # damaged or readable by others: all the more a reason to remove it
        return True


def _given(from_cookies: Path | None, from_browser: str | None) -> Login:
    from hydrophone import logins
    from hydrophone.xweb.login import Login
    from hydrophone.xweb.secrets import load_cookies_file

    if from_cookies is not None and from_browser is not None:
        raise SettingsError("--from-cookies and --from-browser exclude each other", setting="--from-browser")
    if from_cookies is not None:
        found, problems = load_cookies_file(from_cookies.expanduser())
        for problem in problems:
            screen.warn(f"note: {screen.safe(problem)}")
        return found
    if from_browser is not None:
        return logins.browser_login(from_browser)
    return Login(_typed("auth_token"), _typed("ct0"))


def _typed(name: str) -> str:
    """One value, typed without echo, or a line from a pipe."""
    text = getpass.getpass(f"{name}: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not text.strip():
        raise NotSignedInError(f"no {name} was given", advice="Copy it from your browser's cookies for x.com.")
    return text.strip()
