"""Video broadcasts of the token's own account, and their chat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydrophone.sandbox.api2.gate import Answering, Endpoint, Said, Visit
from hydrophone.sandbox.api2.objects import Object, Writer, without_empties
from hydrophone.sandbox.api2.paging import cut, read_page
from hydrophone.sandbox.api2.parameters import SPACE_ID, USER_ID
from hydrophone.sandbox.x.ids import snowflake

_READ, _WRITE = ("broadcast.read",), ("broadcast.read", "broadcast.write")
_DEFAULT = ("id", "state", "title")


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


def _check_body(visit: Visit, *known: str) -> None:
    for name in sorted(set(visit.body) - set(known)):
        visit.asking.complain(name, f"The field [{name}] is not one of [{','.join(known)}]")


def _say(visit: Visit) -> Answering:
    _check_body(visit, "text", "reply_to")
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
        message["reply_to"] = str(visit.body.get("reply_to", ""))
        visit.stage.chat.append(message)
        return {"data": {"success": True, "timestamp": number}}

    return finish


def _mute(visit: Visit) -> Answering:
    _check_body(visit, "user_id", "end_at_ms", "message_id")
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
    _endpoint("GET", _ID, _one, _READ),
    _endpoint("GET", _ID + "/chat", _chat, _READ),
    _endpoint("POST", _ID + "/chat", _say, _WRITE),
    _endpoint("POST", _ID + "/chat/mutes", _mute, _WRITE),
    _endpoint("DELETE", _ID + r"/chat/mutes/(?P<user_id>[^/]+)", _unmute, _WRITE),
    _endpoint("DELETE", _ID + r"/chat/(?P<message_id>[^/]+)", _unsay, _WRITE),
)
