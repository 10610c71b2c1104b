"""Where logins are kept and found: a private file, a cookies.txt, a browser profile, the keyring of the system.

The only file of this room that touches the disk.
"""

from __future__ import annotations

import importlib
import json
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hydrophone.errors import SettingsError
from hydrophone.http.privatefile import PrivateFile
from hydrophone.model import UserId
from hydrophone.xweb.cookies import MAX_CHARACTERS, Cookie, CookieFile, login_from_cookies, parse_cookies
from hydrophone.xweb.login import Login
from hydrophone.xweb.reading import Node

_MAX_BYTES = 4 * MAX_CHARACTERS
_KEYRING_SERVICE = "hydrophone"


class SecretStore(Protocol):
    """Keeps one login, and the newest ct0 of logins that come from elsewhere."""

    def load(self) -> Login | None: ...

    def save(self, login: Login) -> None: ...

    def delete(self) -> None: ...


# ---------------------------------------------------------------- a private file


@dataclass(frozen=True, slots=True)
class SecretFile:
    """Logins in a JSON file that only its owner may read (mode 0600).

    Under `login` is the login that was given to us to keep; under `rotated` the newest ct0 of logins that live
    elsewhere, by fingerprint, since we never write into somebody's cookies.txt.
    """

    path: Path

    def load(self) -> Login | None:
        """The kept login, None if there is none.

        Raises:
            SettingsError: others may read the file, or it is damaged.
        """
        kept = self._read().at("login")
        token = kept.at("auth_token").some_text()
        if token is None:
            return None
        user_id = kept.at("user_id").some_text()
        return Login(token, kept.at("ct0").some_text(), user_id=UserId(user_id) if user_id else None)

    def save(self, login: Login) -> None:
        """Keep this login in place of the one before. Durable when this returns."""
        content = dict(self._read().mapping())
        auth_token, ct0 = login.secret_values()
        content["login"] = {"auth_token": auth_token, "ct0": ct0, "user_id": login.user_id}
        self._write(content)

    def delete(self) -> None:
        """Forget everything. Nothing happens if there is no file."""
        self._file.delete()

    def remember_rotation(self, login: Login) -> None:
        """Keep a new ct0, for use as `Login.on_rotation`: with the login if it is the kept one, else by fingerprint."""
        content = dict(self._read().mapping())
        auth_token, ct0 = login.secret_values()
        kept = content.get("login")
        if isinstance(kept, dict) and kept.get("auth_token") == auth_token:
            content["login"] = {**kept, "ct0": ct0}
        else:
            rotated = content.get("rotated")
            content["rotated"] = {**(rotated if isinstance(rotated, dict) else {}), login.fingerprint: ct0}
        self._write(content)

    def with_newest_ct0(self, login: Login) -> Login:
        """The login with the ct0 that the service gave us last, if we have ever been given one."""
        ct0 = self._read().at("rotated").at(login.fingerprint).some_text()
        if ct0 is None:
            return login
        return Login(login.secret_values()[0], ct0, user_id=login.user_id, is_api=login.is_api)

    def _read(self) -> Node:
        return Node(self._file.read(), "secrets")

    def _write(self, content: dict[str, Any]) -> None:
        self._file.write(content)

    @property
    def _file(self) -> PrivateFile:
        return PrivateFile(self.path, what="a login", remedy="Then run `hydrophone auth login` again.")


# ---------------------------------------------------------------- logins from elsewhere


def load_cookies_file(path: Path, *, now_seconds: float | None = None) -> tuple[Login, tuple[str, ...]]:
    """The login in a `cookies.txt`, and what was odd about the file.

    Raises:
        SettingsError: there is no such file, or no usable login in it.
    """
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            data = file.read(_MAX_BYTES)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SettingsError(
            f"{path}: {reason}", setting="cookies", advice="Give the path of an exported cookies.txt."
        ) from None
    parsed = parse_cookies(data.decode("utf-8", "replace"))
    login = login_from_cookies(
        parsed, now_seconds=time.time() if now_seconds is None else now_seconds, source=str(path)
    )
    problems = parsed.problems
    if os.name == "posix" and found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        problems = (*problems, f"others on this computer may read {path}; run: chmod 600 '{path}'")
    return login, problems


def login_from_browser(browser: str, *, profile: str | None = None, now_seconds: float | None = None) -> Login:
    """The login in a browser's own store of cookies.

    Raises:
        SettingsError: the reader of browser profiles is not installed, it does not know this browser, or nobody
            is signed in there.
    """
    try:
        reader = importlib.import_module("yt_dlp.cookies")
    except ImportError:
        raise SettingsError(
            "reading cookies from a browser needs an extra package",
            setting="cookies-from-browser",
            advice="Run: pip install 'hydrophone[browser]', or export a cookies.txt and give it with --cookies.",
        ) from None
    if browser.lower() not in reader.SUPPORTED_BROWSERS:
        raise SettingsError(
            f"cannot read cookies of {browser!r}",
            setting="cookies-from-browser",
            advice="Known are: " + ", ".join(sorted(reader.SUPPORTED_BROWSERS)) + ".",
        )
    try:
        jar = reader.extract_cookies_from_browser(browser.lower(), profile)
    except Exception as error:  # the reader meets any number of foreign databases and key stores
        raise SettingsError(
            f"the cookies of {browser} cannot be read ({type(error).__name__})",
            setting="cookies-from-browser",
            advice="Close the browser and try again, name its profile, or export a cookies.txt.",
        ) from None
    cookies = tuple(
        Cookie(cookie.domain.lstrip(".").lower(), cookie.name, cookie.value or "", cookie.expires or None)
        for cookie in jar
    )
    now = time.time() if now_seconds is None else now_seconds
    return login_from_cookies(CookieFile(cookies), now_seconds=now, source=browser)


@dataclass(frozen=True, slots=True)
class SystemKeyring:
    """A login in the keyring of the operating system (extra ``keyring``)."""

    account: str = "x.com"

    def load(self) -> Login | None:
        text = self._ask("get_password")
        if not text:
            return None
        try:
            kept = Node(json.loads(text))
        except (ValueError, RecursionError):
            return None
        token, user_id = kept.at("auth_token").some_text(), kept.at("user_id").some_text()
        if token is None:
            return None
        return Login(token, kept.at("ct0").some_text(), user_id=UserId(user_id) if user_id else None)

    def save(self, login: Login) -> None:
        auth_token, ct0 = login.secret_values()
        self._ask("set_password", json.dumps({"auth_token": auth_token, "ct0": ct0, "user_id": login.user_id}))

    def delete(self) -> None:
        if self._ask("get_password"):
            self._ask("delete_password")

    def _ask(self, action: str, *values: str) -> Any:
        try:
            keyring = importlib.import_module("keyring")
        except ImportError:
            raise SettingsError(
                "the keyring needs an extra package",
                setting="keyring",
                advice="Run: pip install 'hydrophone[keyring]', or keep the login in a file.",
            ) from None
        try:
            return getattr(keyring, action)(_KEYRING_SERVICE, self.account, *values)
        except Exception as error:  # backends raise whatever their system raises
            raise SettingsError(
                f"the keyring does not work here ({type(error).__name__})",
                setting="keyring",
                advice="Keep the login in a file instead.",
            ) from None
