"""Video broadcasts of the token's own account: what is on, what is scheduled, and the chat."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hydrophone.sandbox.api2.gate import Answering, Created, Endpoint, Said, Visit
from hydrophone.sandbox.api2.objects import Object, Writer, without_empties
from hydrophone.sandbox.api2.paging import cut, read_page
from hydrophone.sandbox.api2.parameters import SPACE_ID, USER_ID
from hydrophone.sandbox.scene import invented_id
from hydrophone.sandbox.x.ids import snowflake

_READ, _WRITE = ("broadcast.read",), ("broadcast.read", "broadcast.write")
_DEFAULT = ("id", "state", "title")
_OPTIONAL = [
    "title",
    "description",
    "locale",
    "available_for_replay",
    "chat_option",
    "is_locked",
    "manual_publish",
    "telecast_id",
    "thumbnail_media_id",
    "recurrence",
]
_NEEDED = ("source_id", "scheduled_start_ms", "scheduled_end_ms")
_DIGITS = re.compile(r"\d{1,19}")


def _shown(one: Mapping[str, Any], fields: tuple[str, ...]) -> Object:
    wanted = {*(fields or _DEFAULT), "id"}
    return without_empties({name: one[name] for name in sorted(wanted) if name in one})


def _own(visit: Visit, wanted: str) -> dict[str, Any] | None:
    return next((one for one in visit.stage.broadcasts_of(visit.caller.user_id) if one["id"] == wanted), None)


# ---------------------------------------------------------------- what is on


def _list(visit: Visit) -> Answering:
    visit.asking.check_names((), ("ids", "max_results", "pagination_token", "broadcast.fields"))
    fields = visit.asking.names("broadcast.fields")
    ids = visit.asking.ids("ids", SPACE_ID, needed=False)
    if ids and ("max_results" in visit.asking.given or "pagination_token" in visit.asking.given):
        visit.asking.complain("ids", "The `ids` query parameter can not be combined with paging", ",".join(ids))
    page = read_page(visit, "broadcasts", visit.caller.user_id)

    def finish() -> Said:
        own = visit.stage.broadcasts_of(visit.caller.user_id)
        body: Object = {}
        if ids:
            found = {one["id"]: one for one in own}
            shown: list[dict[str, Any]] = [found[one] for one in ids if one in found]
            missing = [visit.tongue.not_found("broadcast", "ids", one) for one in ids if one not in found]
            meta: Object = {"result_count": len(shown)}
            if missing:
                body["errors"] = missing
        else:
            shown, meta = cut(visit, page, own)
        if shown:
            body["data"] = [_shown(one, fields) for one in shown]
        return body | {"meta": meta}

    return finish


def _one(visit: Visit) -> Answering:
    visit.asking.check_names(("id",), ("broadcast.fields",))
    fields = visit.asking.names("broadcast.fields")
    wanted = visit.asking.matching("id", visit.exchange.group("id"), SPACE_ID)

    def finish() -> Said:
        found = _own(visit, wanted)
        if found is None:
            return {"errors": [visit.tongue.not_found("broadcast", "id", wanted)]}
        return {"data": _shown(found, fields)}

    return finish


# ---------------------------------------------------------------- what is scheduled


def _told(one: Mapping[str, Any]) -> Object:
    return without_empties({name: value for name, value in one.items() if name not in ("owner_id", "recurrence")})


def _scheduled(visit: Visit) -> Answering:
    names = ("max_results", "pagination_token", "oldest_start_time", "newest_start_time")
    visit.asking.check_names((), names)
    page = read_page(visit, "scheduled", visit.caller.user_id)

    def finish() -> Said:
        own = [one for one in visit.stage.scheduled.values() if one["owner_id"] == visit.caller.user_id]
        shown, _ = cut(visit, page, own)
        return {"data": [_told(one) for one in shown]} if shown else {}

    return finish


def _check_plan(visit: Visit, needed: tuple[str, ...], optional: tuple[str, ...]) -> None:
    told = visit.body
    for name in needed:
        if not _DIGITS.fullmatch(str(told.get(name, ""))) and not (name == "source_id" and told.get(name)):
            visit.asking.complain(name, f"The `{name}` field is required")
    for name in sorted(set(told) - {*needed, *optional}):
        visit.asking.complain(name, f"The field [{name}] is not known")


def _create(visit: Visit) -> Answering:
    _check_plan(visit, _NEEDED, tuple(_OPTIONAL))

    def finish() -> Said:
        number = snowflake(visit.now, "scheduled", len(visit.stage.scheduled))
        made = {
            **visit.body,
            "owner_id": visit.caller.user_id,
            "broadcast_id": invented_id("scheduled", number),
            "scheduled_broadcast_id": number,
            "state": "Scheduled",
        }
        visit.stage.scheduled[made["broadcast_id"]] = made
        return Created({"data": _told(made)})

    return finish


def _plan(visit: Visit) -> dict[str, Any] | None:
    found = visit.stage.scheduled.get(visit.exchange.group("id"))
    return found if found is not None and found["owner_id"] == visit.caller.user_id else None


def _no_plan(visit: Visit) -> Said:
    return {"errors": [visit.tongue.not_found("broadcast", "id", visit.exchange.group("id"))]}


def _get_plan(visit: Visit) -> Answering:
    visit.asking.matching("id", visit.exchange.group("id"), SPACE_ID)

    def finish() -> Said:
        found = _plan(visit)
        return {"data": _told(found)} if found else _no_plan(visit)

    return finish


def _replace_plan(visit: Visit) -> Answering:
    """Everything that is not sent again is dropped."""
    needed = ("scheduled_broadcast_id", "scheduled_start_ms", "scheduled_end_ms")
    _check_plan(visit, needed, (*_OPTIONAL, "source_id", "roll_forward"))

    def finish() -> Said:
        found = _plan(visit)
        if found is None or found["scheduled_broadcast_id"] != str(visit.body["scheduled_broadcast_id"]):
            return _no_plan(visit)
        kept = {
            name: found[name] for name in ("owner_id", "broadcast_id", "scheduled_broadcast_id", "state", "source_id")
        }
        told = {name: value for name, value in visit.body.items() if name != "roll_forward"}
        visit.stage.scheduled[found["broadcast_id"]] = {**kept, **told}
        return {"data": _told(visit.stage.scheduled[found["broadcast_id"]])}

    return finish


def _drop_plan(visit: Visit) -> Answering:
    visit.asking.check_names(("id",), ("roll_forward",))

    def finish() -> Said:
        found = _plan(visit)
        if found is None:
            return _no_plan(visit)
        del visit.stage.scheduled[found["broadcast_id"]]
        return {"data": {"deleted": True}}

    return finish


def _go_live(visit: Visit) -> Answering:
    def finish() -> Said:
        found = _plan(visit)
        if found is None:
            return _no_plan(visit)
        if not found.get("manual_publish"):
            told = {"parameters": {"id": [found["broadcast_id"]]}}
            return visit.tongue.invalid([{**told, "message": "The scheduled broadcast is not set to manual publish"}])
        found["state"] = "Running"
        return {"data": _told(found)}

    return finish


# ---------------------------------------------------------------- chat


def _chat(visit: Visit) -> Answering:
    names = ("max_results", "pagination_token", "broadcast_chat_message.fields", "chat.expansions", "user.fields")
    visit.asking.check_names(("id",), names)
    wanted = visit.exchange.group("id")
    page = read_page(visit, "chat", wanted, most=200, default=100)
    fields = visit.asking.names("broadcast_chat_message.fields") or ("id", "text")
    writer = Writer(visit.stage, visit.tongue, visit.asking.dialect, user_fields=visit.asking.names("user.fields"))
    has_authors = "author_id" in visit.asking.names("chat.expansions")

    def finish() -> Said:
        said = [one for one in visit.stage.chat if one["broadcast_id"] == wanted and not _is_muted(visit, one)]
        shown, meta = cut(visit, page, sorted(said, key=lambda one: -int(one["id"])))
        for one in shown if has_authors else ():
            account = visit.stage.user(one["author_id"])
            if account is not None:
                writer.users[one["author_id"]] = writer.user(account)
        names = {*fields, "id", *(("author_id",) if has_authors else ())}
        data = [without_empties({k: v for k, v in one.items() if k in names}) for one in shown]
        return writer.envelope(data, meta=meta)

    return finish


def _is_muted(visit: Visit, message: Mapping[str, Any]) -> bool:
    return (message["broadcast_id"], message["author_id"]) in visit.stage.muted


def _say(visit: Visit) -> Answering:
    text = str(visit.body.get("text", ""))
    if not 1 <= len(text) <= 140:
        visit.asking.complain("text", "The length of the `text` field is not between 1 and 140")
    wanted = visit.exchange.group("id")

    def finish() -> Said:
        account = visit.stage.user(visit.caller.user_id) or {"name": "", "username": ""}
        number = str(visit.world.clock.now_us() * 1000)
        message = {"id": snowflake(visit.now, "chat", number), "broadcast_id": wanted, "text": text}
        message |= {"author_id": visit.caller.user_id, "created_at_ms": number[:-6]}
        message |= {"author_name": account["name"], "author_username": account["username"]}
        visit.stage.chat.append(message)
        return {"data": {"success": True, "timestamp": number}}

    return finish


def _mute(visit: Visit) -> Answering:
    who = visit.asking.matching("user_id", str(visit.body.get("user_id", "")), USER_ID)

    def finish() -> Said:
        visit.stage.muted.add((visit.exchange.group("id"), who))
        return {"data": {"muted": True}}

    return finish


def _unmute(visit: Visit) -> Answering:
    def finish() -> Said:
        visit.stage.muted.discard((visit.exchange.group("id"), visit.exchange.group("user_id")))
        return {"data": {"muted": False}}

    return finish


def _unsay(visit: Visit) -> Answering:
    def finish() -> Said:
        wanted = visit.exchange.group("message_id")
        before = len(visit.stage.chat)
        visit.stage.chat = [one for one in visit.stage.chat if one["id"] != wanted]
        return {"data": {"deleted": len(visit.stage.chat) < before}}

    return finish


def _endpoint(method: str, path: str, prepare: Any, scopes: tuple[str, ...]) -> Endpoint:
    path = "/2/broadcasts" + path
    return Endpoint(name="broadcasts", method=method, path=path, prepare=prepare, takes="user", scopes=scopes)


_ID = r"/(?P<id>[^/]+)"
ENDPOINTS = (
    _endpoint("GET", "", _list, _READ),
    _endpoint("GET", "/scheduled", _scheduled, _READ),
    _endpoint("POST", "/scheduled", _create, _WRITE),
    _endpoint("GET", "/scheduled" + _ID, _get_plan, _READ),
    _endpoint("PUT", "/scheduled" + _ID, _replace_plan, _WRITE),
    _endpoint("DELETE", "/scheduled" + _ID, _drop_plan, _WRITE),
    _endpoint("POST", "/scheduled" + _ID + "/live", _go_live, _WRITE),
    _endpoint("GET", _ID, _one, _READ),
    _endpoint("GET", _ID + "/chat", _chat, _READ),
    _endpoint("POST", _ID + "/chat", _say, _WRITE),
    _endpoint("POST", _ID + "/chat/mutes", _mute, _WRITE),
    _endpoint("DELETE", _ID + r"/chat/mutes/(?P<user_id>[^/]+)", _unmute, _WRITE),
    _endpoint("DELETE", _ID + r"/chat/(?P<message_id>[^/]+)", _unsay, _WRITE),
)
