"""Broadcasts that are planned: made, replaced, called off, published by hand or by the clock, alone or in series."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hydrophone.sandbox.api2.gate import Answering, Created, Endpoint, Said, Visit
from hydrophone.sandbox.api2.objects import Object, without_empties
from hydrophone.sandbox.api2.paging import cut, read_page
from hydrophone.sandbox.api2.parameters import SPACE_ID
from hydrophone.sandbox.clock import to_us
from hydrophone.sandbox.scene import invented_id
from hydrophone.sandbox.x.ids import snowflake

_READ, _WRITE = ("broadcast.read",), ("broadcast.read", "broadcast.write")
_TIMES = ("scheduled_start_ms", "scheduled_end_ms")
_BOTH = (
    "title",
    "description",
    "locale",
    "available_for_replay",
    "chat_option",
    "is_locked",
    "manual_publish",
    "thumbnail_media_id",
)
_ONLY_NEW = ("telecast_id", "recurrence")
_ONLY_CHANGED = ("source_id", "roll_forward")
#: What an answer tells; whether it is locked, and how a series goes on, is not among it.
_TOLD = {*_TIMES, *_BOTH} - {"is_locked"} | {
    "broadcast_id",
    "recurring_schedule_id",
    "scheduled_broadcast_id",
    "source_id",
    "state",
    "telecast_id",
}
_NUMBERS = frozenset((*_TIMES, "scheduled_broadcast_id", "chat_option", "thumbnail_media_id", "telecast_id"))
_FLAGS = frozenset(("available_for_replay", "is_locked", "manual_publish", "roll_forward"))
_DIGITS = re.compile(r"[0-9]{1,19}")
_PERIODS = {"Daily": timedelta(days=1), "Weekly": timedelta(weeks=1)}


# ---------------------------------------------------------------- what is planned, as the clock stands


def _now_ms(visit: Visit) -> int:
    return visit.world.clock.now_us() // 1000


def _shift(one: dict[str, Any]) -> bool:
    """Move the head of a series on by one; False when nothing comes after it."""
    series = one.get("recurrence") or {}
    left = int(series.get("repeats", 0))
    if left < 1:
        return False
    step = round(_PERIODS[series["frequency"]].total_seconds() * 1000)
    for name in _TIMES:
        one[name] = str(int(one[name]) + step)
    one["recurrence"] = {**series, "repeats": str(left - 1)}
    one["state"] = "Scheduled"
    return True


def _settle(one: dict[str, Any], now_ms: int) -> None:
    """What the clock has made of it: it publishes itself at its time, unless that is left to its owner, and ends."""
    while True:
        start, end = (int(one[name]) for name in _TIMES)
        if one["state"] == "Scheduled" and not one.get("manual_publish") and now_ms >= start:
            one["state"] = "Running"
        if one["state"] != "Running" or now_ms < end:
            return
        if not _shift(one):
            one["state"] = "Ended"
            return


def _own(visit: Visit) -> list[dict[str, Any]]:
    own = [one for one in visit.stage.scheduled.values() if one["owner_id"] == visit.caller.user_id]
    for one in own:
        _settle(one, _now_ms(visit))
    return own


def _wanted(visit: Visit) -> dict[str, Any] | None:
    return next((one for one in _own(visit) if one["broadcast_id"] == visit.exchange.group("id")), None)


def _told(one: Mapping[str, Any]) -> Object:
    return without_empties({name: value for name, value in one.items() if name in _TOLD})


def _nothing(visit: Visit) -> Said:
    return {"errors": [visit.tongue.not_found("broadcast", "id", visit.exchange.group("id"))]}


# ---------------------------------------------------------------- reading


def _list(visit: Visit) -> Answering:
    visit.asking.check_names((), ("max_results", "pagination_token", "oldest_start_time", "newest_start_time"))
    page = read_page(visit, "scheduled", visit.caller.user_id)
    oldest, newest = _instant(visit, "oldest_start_time"), _instant(visit, "newest_start_time")

    def finish() -> Said:
        among = [
            one
            for one in sorted(_own(visit), key=lambda one: int(one["scheduled_start_ms"]))
            if (oldest is None or int(one["scheduled_start_ms"]) >= oldest)
            and (newest is None or int(one["scheduled_start_ms"]) <= newest)
        ]
        shown, _ = cut(visit, page, among)
        return {"data": [_told(one) for one in shown]} if shown else {}

    return finish


def _instant(visit: Visit, name: str) -> int | None:
    """Milliseconds, from milliseconds or from ISO 8601."""
    text = visit.asking.given.get(name)
    if text is None:
        return None
    if _DIGITS.fullmatch(text):
        return int(text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        visit.asking.complain(name, f"The `{name}` query parameter value [{text}] is not a valid date", text)
        return None
    return to_us(at if at.tzinfo else at.replace(tzinfo=UTC)) // 1000


def _get(visit: Visit) -> Answering:
    visit.asking.check_names(("id",), ())
    visit.asking.matching("id", visit.exchange.group("id"), SPACE_ID)

    def finish() -> Said:
        found = _wanted(visit)
        return {"data": _told(found)} if found else _nothing(visit)

    return finish


# ---------------------------------------------------------------- changing


def _check(visit: Visit, needed: tuple[str, ...], optional: tuple[str, ...]) -> None:
    told = visit.body
    for name in needed:
        if not told.get(name):
            visit.asking.complain(name, f"The `{name}` field is required")
    for name, value in told.items():
        text = str(value)
        if name not in (*needed, *optional):
            visit.asking.complain(name, f"The field [{name}] is not known")
        elif name in _NUMBERS and not (isinstance(value, str) and _DIGITS.fullmatch(text)) and value:
            visit.asking.complain(name, f"The `{name}` field value [{text}] does not match ^[0-9]{{1,19}}$", text)
        elif name in _FLAGS and not isinstance(value, bool):
            visit.asking.complain(name, f"The `{name}` field value [{text}] is not a valid Boolean", text)
    series = told.get("recurrence")
    if series is not None and not _is_series(series):
        visit.asking.complain("recurrence", "The `recurrence` field needs [frequency,repeats] and nothing else")


def _is_series(told: Any) -> bool:
    if not isinstance(told, Mapping) or set(told) != {"frequency", "repeats"}:
        return False
    return told["frequency"] in _PERIODS and _DIGITS.fullmatch(str(told["repeats"])) is not None


def _create(visit: Visit) -> Answering:
    _check(visit, ("source_id", *_TIMES), (*_BOTH, *_ONLY_NEW))

    def finish() -> Said:
        number = snowflake(visit.now, "scheduled", len(visit.stage.scheduled))
        made = {
            **visit.body,
            "owner_id": visit.caller.user_id,
            "broadcast_id": invented_id("scheduled", number),
            "scheduled_broadcast_id": number,
            "state": "Scheduled",
        }
        if "recurrence" in made:
            made["recurring_schedule_id"] = snowflake(visit.now, "series", number)
        visit.stage.scheduled[made["broadcast_id"]] = made
        return Created({"data": _told(made)})

    return finish


def _replace(visit: Visit) -> Answering:
    """Everything that is not sent again is dropped; the series and the ingest stay."""
    _check(visit, ("scheduled_broadcast_id", *_TIMES), (*_BOTH, *_ONLY_CHANGED))

    def finish() -> Said:
        found = _wanted(visit)
        if found is None or found["scheduled_broadcast_id"] != str(visit.body["scheduled_broadcast_id"]):
            return _nothing(visit)
        stays = ("owner_id", "broadcast_id", "state", "source_id", "recurrence", "recurring_schedule_id")
        kept = {name: found[name] for name in stays if name in found}
        told = {name: value for name, value in visit.body.items() if name != "roll_forward"}
        made = visit.stage.scheduled[found["broadcast_id"]] = {**kept, **told}
        if visit.body.get("roll_forward"):
            _shift(made)
        return {"data": _told(made)}

    return finish


def _drop(visit: Visit) -> Answering:
    visit.asking.check_names(("id",), ("roll_forward",))
    of_one = visit.asking.choice("roll_forward", ("true", "false"), "false") == "true"

    def finish() -> Said:
        found = _wanted(visit)
        if found is None:
            return _nothing(visit)
        if not (of_one and _shift(found)):
            del visit.stage.scheduled[found["broadcast_id"]]
        return {"data": {"deleted": True}}

    return finish


def _go_live(visit: Visit) -> Answering:
    def finish() -> Said:
        found = _wanted(visit)
        if found is None:
            return _nothing(visit)
        if not found.get("manual_publish"):
            told = {"parameters": {"id": [found["broadcast_id"]]}}
            return visit.tongue.invalid([{**told, "message": "The scheduled broadcast is not set to manual publish"}])
        found["state"] = "Running"
        return {"data": _told(found)}

    return finish


def _endpoint(method: str, path: str, prepare: Any, scopes: tuple[str, ...]) -> Endpoint:
    path = "/2/broadcasts/scheduled" + path
    return Endpoint(name="broadcasts", method=method, path=path, prepare=prepare, takes="user", scopes=scopes)


_ID = r"/(?P<id>[^/]+)"
ENDPOINTS = (
    _endpoint("GET", "", _list, _READ),
    _endpoint("POST", "", _create, _WRITE),
    _endpoint("GET", _ID, _get, _READ),
    _endpoint("PUT", _ID, _replace, _WRITE),
    _endpoint("DELETE", _ID, _drop, _WRITE),
    _endpoint("POST", _ID + "/live", _go_live, _WRITE),
)
