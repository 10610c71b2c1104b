"""`doctor`: what works and what does not, one finding for each check, each with what to do about it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from hydrophone.errors import HydrophoneError, NotFoundError, NotSignedInError
from hydrophone.http import HostKind, Request
from hydrophone.model import BroadcastId, SpaceId
from hydrophone.wiring import Parts
from hydrophone.xweb.broadcasts import broadcasts_by_ids
from hydrophone.xweb.guest import activate_guest
from hydrophone.xweb.people import user_by_handle
from hydrophone.xweb.spaces import space_by_id

SPACE_BYTES_PER_HOUR = 100_000_000  #: original and packaged file of an audio Space, with room to spare
LOW_HOURS = 24
CLOCK_SLACK = timedelta(seconds=30)
UNLIKELY_ID = (
    "1000000000000"  #: well-formed and nobody's: asking for it shows whether the question itself is understood
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check. `ok` is None where it could not be made or does not apply."""

    provider: str
    check: str
    ok: bool | None
    text: str
    advice: str = ""


async def examine(parts: Parts) -> list[Finding]:
    """Make all checks, one after the other."""
    return [finding async for finding in _checks(parts)]


async def _checks(parts: Parts) -> AsyncIterator[Finding]:
    yield _disk(parts.settings.archive)
    yield _login(parts)
    provider = parts.settings.provider
    clock = await _clock(parts)
    yield clock
    if clock.ok is None:
        return
    yield await _guest(parts)
    yield await _broadcasts(parts)
    yield await _space(parts)
    yield await _user(parts)
    for state in parts.client.budgets.snapshot():
        if state.remaining is not None and not state.remaining:
            yield Finding(provider=provider, check="budget", ok=None, text=f"{state.endpoint}: used up for now")


def _disk(archive: Path) -> Finding:
    folder = next((path for path in (archive, *archive.parents) if path.is_dir()), None)
    if folder is None:
        return Finding(
            provider="disk", check="archive", ok=False, text=f"{archive}: no such folder", advice="set --paths"
        )
    free = shutil.disk_usage(folder).free
    hours = free // SPACE_BYTES_PER_HOUR
    return Finding(
        provider="disk",
        check="archive",
        ok=hours >= LOW_HOURS,
        text=f"{archive}: room for about {hours} hours of audio",
        advice="" if hours >= LOW_HOURS else "make room, or put the archive elsewhere with --paths",
    )


def _login(parts: Parts) -> Finding:
    provider = parts.settings.provider
    if parts.login is None:
        return Finding(
            provider=provider,
            check="login",
            ok=None,
            text="not signed in; most Spaces need a login",
            advice="run `hydrophone auth login`, or use --cookies",
        )
    age = _cookie_age(parts)
    problems = "; ".join(parts.login.problems)
    return Finding(
        provider=provider,
        check="login",
        ok=not problems,
        text=f"from {parts.login.source}{age}" + (f"; {problems}" if problems else ""),
        advice="export the cookies anew" if problems else "",
    )


def _cookie_age(parts: Parts) -> str:
    cookies = parts.settings.cookies
    if cookies is None or not cookies.is_file():
        return ""
    days = (datetime.now(UTC) - datetime.fromtimestamp(cookies.stat().st_mtime, UTC)).days
    return f", {days} days old"


async def _clock(parts: Parts) -> Finding:
    """The service's Date header against our clock; also shows whether the service can be reached at all."""
    provider = parts.settings.provider
    request = Request("POST", "/1.1/guest/activate.json", service="api", kind=HostKind.API, endpoint="", attempts=1)
    try:
        reply = await parts.client.send(request)
    except HydrophoneError as error:
        return Finding(provider=provider, check="service", ok=None, text=error.message, advice=error.advice)
    try:
        drift = parsedate_to_datetime(reply.headers["date"]) - parts.clock.now()
    except (KeyError, ValueError, TypeError):
        return Finding(provider=provider, check="clock", ok=True, text="the service answers; it names no time")
    ok = abs(drift) < CLOCK_SLACK * max(1.0, parts.clock.speed)
    return Finding(
        provider=provider,
        check="clock",
        ok=ok,
        text=f"off by {abs(drift.total_seconds()):.0f} s",
        advice="" if ok else "set this computer's clock; schedules and rate limits depend on it",
    )


async def _guest(parts: Parts) -> Finding:
    try:
        await parts.client.ask(activate_guest(parts.session))
    except HydrophoneError as error:
        return _failure(parts, "guest token", error)
    return Finding(provider=parts.settings.provider, check="guest token", ok=True, text="given")


async def _broadcasts(parts: Parts) -> Finding:
    try:
        await parts.client.ask(broadcasts_by_ids(parts.session, [BroadcastId(UNLIKELY_ID)]))
    except NotFoundError:
        pass
    except HydrophoneError as error:
        return _failure(parts, "broadcasts/show", error)
    return Finding(provider=parts.settings.provider, check="broadcasts/show", ok=True, text="answers")


async def _space(parts: Parts) -> Finding:
    """Ask for a Space that does not exist: only a query id that the service still knows can answer "not found"."""
    check = "AudioSpaceById"
    try:
        await parts.client.ask(space_by_id(parts.session, SpaceId(UNLIKELY_ID)))
    except NotFoundError:
        pass
    except NotSignedInError:
        # A guest is told the same of a Space that is missing and of one that is hidden from guests.
        text = "tells guests nothing" if parts.login is None else "the login is not accepted"
        is_ok = None if parts.login is None else False
        return Finding(provider=parts.settings.provider, check=check, ok=is_ok, text=text)
    except HydrophoneError as error:
        return _failure(parts, check, error)
    good = parts.session.last_good.get(check)
    first = next(iter(parts.session.forms(parts.session.operation(check))), None)
    stale = f"; the shipped ids before {good} are stale" if good and first and first.query_id != good else ""
    return Finding(provider=parts.settings.provider, check=check, ok=True, text=f"answers{stale}")


async def _user(parts: Parts) -> Finding:
    check = "UserByScreenName"
    try:
        await parts.client.ask(user_by_handle(parts.session, "x"))
    except NotFoundError:
        pass
    except HydrophoneError as error:
        return _failure(parts, check, error)
    return Finding(provider=parts.settings.provider, check=check, ok=True, text="answers")


def _failure(parts: Parts, check: str, error: HydrophoneError) -> Finding:
    return Finding(provider=parts.settings.provider, check=check, ok=False, text=error.message, advice=error.advice)
