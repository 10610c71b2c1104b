"""Netscape `cookies.txt` files, as browsers' extensions export them: a total reader that keeps only what we need.

Text in, values out; reading the file is the business of `secrets`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import unquote

from hydrophone.errors import SettingsError
from hydrophone.model import UserId
from hydrophone.xweb.login import Login

MAX_CHARACTERS = 2 * 1024 * 1024
_MAX_PROBLEMS = 20
_WANTED = frozenset({"auth_token", "ct0", "twid"})
#: Cookies of the new domain go before those of the old one.
_DOMAINS = ("x.com", "twitter.com")
_MAX_LINES = 5_000
_MENTION = re.compile(r"(?:x|twitter)\.com[\t ]", re.IGNORECASE)
#: A line about one of our domains. Exporters mark cookies that scripts may not see by a prefix like a comment. Other
#: sites' lines are not even looked at: such files hold the logins of a whole life.
_OUR_LINE = re.compile(r"(?:#httponly_)?(\.?(?:www\.)?(?:x|twitter)\.com[\t ].{0,8000})", re.IGNORECASE)
_USER_ID = re.compile(r"u=([0-9]{1,20})")


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie of x.com or twitter.com. `expires_at_seconds` is Unix time, None for a session cookie."""

    domain: str
    name: str
    value: str = field(repr=False)
    expires_at_seconds: float | None = None

    def is_expired(self, now_seconds: float) -> bool:
        return self.expires_at_seconds is not None and self.expires_at_seconds <= now_seconds


@dataclass(frozen=True, slots=True)
class CookieFile:
    """The cookies of X in a file; `problems` names lines (counted from 1) that made no sense."""

    cookies: tuple[Cookie, ...]
    problems: tuple[str, ...] = ()

    def value(self, name: str, *, domain: str) -> Cookie | None:
        return next((cookie for cookie in self.cookies if cookie.name == name and cookie.domain == domain), None)


def parse_cookies(text: str) -> CookieFile:
    """The cookies of x.com and twitter.com in a `cookies.txt`; never fails, other sites' cookies are not kept."""
    cookies: dict[tuple[str, str], Cookie] = {}
    problems: list[str] = []
    if len(text) > MAX_CHARACTERS:
        text = text[:MAX_CHARACTERS]
        problems.append(f"only the first {MAX_CHARACTERS} characters were read")
    for number, line in _candidate_lines(text.removeprefix("\ufeff")):
        match = _OUR_LINE.match(line)
        cookie = _parse_line(match[1]) if match else None
        if isinstance(cookie, Cookie):
            if cookie.name in _WANTED:
                cookies[cookie.domain, cookie.name] = cookie
        elif cookie is not None and len(problems) < _MAX_PROBLEMS:
            problems.append(f"line {number}: {cookie}")
    return CookieFile(tuple(cookies.values()), tuple(problems))


def _candidate_lines(text: str) -> Iterator[tuple[int, str]]:
    """Numbers and texts of the lines that mention a domain of ours, found without looking at each of the others."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    end, number = 0, 1
    for hit in islice(_MENTION.finditer(text), _MAX_LINES):
        if hit.start() < end:
            continue
        start = text.rfind("\n", end, hit.start()) + 1 or end
        number += text.count("\n", end, start)
        end = text.find("\n", hit.end())
        end = len(text) if end < 0 else end
        yield number, text[start:end]


def _parse_line(line: str) -> Cookie | str:
    """A cookie, or what is wrong with the line."""
    fields = line.split("\t")
    if len(fields) == 6:  # an empty value, with its tab eaten by an editor
        fields.append("")
    if len(fields) != 7:
        return f"{len(fields)} columns in place of 7, separated by tabs"
    domain, _, _, _, expires, name, value = fields
    if not name.strip():
        return "a cookie without a name"
    if not re.fullmatch(r"-?[0-9]{0,15}(?:\.[0-9]{0,9})?", expires.strip()):
        return "the time of expiry is no number"
    seconds = float(expires) if re.search(r"[0-9]", expires) else 0.0
    domain = domain.strip().lower().lstrip(".").removeprefix("www.")
    return Cookie(domain, name.strip(), value.strip().strip('"'), seconds if seconds > 0 else None)


def login_from_cookies(file: CookieFile, *, now_seconds: float, source: str = "cookies") -> Login:
    """The login in a set of cookies.

    Raises:
        SettingsError: there is none, or it has expired.
    """
    expired = False
    for domain in _DOMAINS:
        token = file.value("auth_token", domain=domain)
        if token is None or not token.value:
            continue
        if token.is_expired(now_seconds):
            expired = True
            continue
        ct0 = file.value("ct0", domain=domain)
        twid = file.value("twid", domain=domain)
        # An expired or absent ct0 is no loss: the service hands out a new one.
        fresh = ct0.value if ct0 is not None and not ct0.is_expired(now_seconds) else None
        return Login(token.value, fresh or None, user_id=read_user_id(twid.value) if twid else None)
    what = "the auth_token cookie has expired" if expired else "there is no auth_token cookie of x.com in it"
    raise SettingsError(
        f"{source}: {what}",
        setting="cookies",
        advice="Sign in to x.com in a browser, then export its cookies again.",
    )


def read_user_id(twid: str) -> UserId | None:
    """The account's own id, which the browser keeps as ``u=<id>``, often encoded and in quotes."""
    match = _USER_ID.search(unquote(twid[:200]))
    return UserId(match[1]) if match else None
