"""The six endpoints of Spaces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hydrophone.sandbox.api2.gate import Answering, Endpoint, Said, Visit
from hydrophone.sandbox.api2.objects import Writer
from hydrophone.sandbox.api2.paging import cut, read_page
from hydrophone.sandbox.api2.parameters import SPACE_ID, USER_ID
from hydrophone.sandbox.api2.problems import NOT_OWNER
from hydrophone.sandbox.api2.records import Record, all_records, space_record
from hydrophone.sandbox.api2.vocabulary import CURRENT, LEGACY

_SPACE_PARAMS = ("space.fields", "space.expansions", "user.fields", "topic.fields")
_POST_PARAMS = (
    "tweet.fields",
    "post.fields",
    "post.expansions",
    "media.fields",
    "poll.fields",
    "user.fields",
    "place.fields",
)
_BUYER_PARAMS = ("user.fields", "user.expansions", "tweet.fields", "post.fields")


def _space_writer(visit: Visit) -> tuple[Writer, tuple[str, ...]]:
    """A writer, and the Space fields that were asked for."""
    fields = visit.asking.names("space.fields")
    writer = Writer(
        visit.stage,
        visit.tongue,
        visit.asking.dialect,
        user_fields=visit.asking.names("user.fields"),
        topic_fields=visit.asking.names("topic.fields"),
        expansions=visit.asking.names("space.expansions"),
        suspended=tuple(visit.switches["suspended"]),
        failing=tuple(visit.switches["failing_fields"]),
    )
    return writer, fields


def _one(visit: Visit) -> Answering:
    visit.asking.check_names(("id",), _SPACE_PARAMS)
    space_id = visit.asking.matching("id", visit.exchange.group("id"), SPACE_ID)
    writer, fields = _space_writer(visit)

    def finish() -> Said:
        record = space_record(visit.world, space_id)
        if record is None and visit.switches["not_found"] == "404":
            return visit.tongue.missing("space", "id", space_id)
        if record is None:
            writer.errors.append(visit.tongue.not_found("space", "id", space_id))
        return writer.envelope(writer.space(record, fields) if record else None)

    return finish


def _many(visit: Visit) -> Answering:
    visit.asking.check_names((), ("ids", *_SPACE_PARAMS))
    ids = visit.asking.ids("ids", SPACE_ID)
    writer, fields = _space_writer(visit)

    def finish() -> Said:
        data = []
        for space_id in ids:
            record = space_record(visit.world, space_id)
            if record is None:
                writer.errors.append(visit.tongue.not_found("space", "ids", space_id))
            else:
                data.append(writer.space(record, fields))
        return writer.envelope(data)

    return finish


def _listed(records: Sequence[Record]) -> list[Record]:
    """Live before scheduled, what has begun (else was announced) last comes first; nothing else."""
    newest = sorted(records, key=lambda record: str(record.get("started_at", record["created_at"])), reverse=True)
    return [r for state in ("live", "scheduled") for r in newest if r["state"] == state]


def _by_creators(visit: Visit) -> Answering:
    visit.asking.check_names((), ("user_ids", *_SPACE_PARAMS))
    ids = visit.asking.ids("user_ids", USER_ID)
    writer, fields = _space_writer(visit)

    def finish() -> Said:
        wanted = set(ids)
        found = _listed([one for one in all_records(visit.world) if one.get("creator_id") in wanted])
        data = [writer.space(record, fields) for record in found]
        return writer.envelope(data, meta={"result_count": len(data)})

    return finish


def _search(visit: Visit) -> Answering:
    visit.asking.check_names((), ("query", "state", "max_results", *_SPACE_PARAMS))
    query = visit.asking.text("query", 2048).casefold()
    state = visit.asking.choice("state", ("live", "scheduled", "all"), "all")
    most = visit.asking.number("max_results", 1, 100, 100)
    writer, fields = _space_writer(visit)

    def finish() -> Said:
        hits = [one for one in all_records(visit.world) if query in str(one.get("title", "")).casefold()]
        found = [one for one in _listed(hits) if state in ("all", one["state"])][:most]
        data = [writer.space(record, fields) for record in found]
        return writer.envelope(data, meta={"result_count": len(data)})

    return finish


def _post_names(visit: Visit) -> tuple[str, ...]:
    return visit.asking.names("post.fields" if visit.asking.dialect == CURRENT else "tweet.fields")


def _buyers(visit: Visit) -> Answering:
    visit.asking.check_names(("id",), ("max_results", "pagination_token", *_BUYER_PARAMS))
    space_id = visit.asking.matching("id", visit.exchange.group("id"), SPACE_ID)
    page = read_page(visit, "buyers", space_id)
    writer = Writer(
        visit.stage,
        visit.tongue,
        visit.asking.dialect,
        user_fields=visit.asking.names("user.fields"),
        post_fields=_post_names(visit),
        expansions=visit.asking.names("user.expansions"),
    )

    def finish() -> Said:
        record = space_record(visit.world, space_id)
        if record is None:
            writer.errors.append(visit.tongue.not_found("space", "id", space_id))
            return writer.envelope(None)
        if record["creator_id"] != visit.caller.user_id:
            return visit.tongue.forbidden(NOT_OWNER)
        accounts = [account for one in record.get("buyer_ids", ()) if (account := visit.stage.user(one)) is not None]
        shown, meta = cut(visit, page, accounts)
        return writer.envelope([writer.user(account, is_main=True) for account in shown], meta=meta)

    return finish


def _posts(visit: Visit) -> Answering:
    paged = () if visit.asking.mode == LEGACY else ("pagination_token",)
    visit.asking.check_names(("id",), ("max_results", *paged, *_POST_PARAMS))
    space_id = visit.asking.matching("id", visit.exchange.group("id"), SPACE_ID)
    page = read_page(visit, "tweets", space_id)
    for name in ("media.fields", "poll.fields", "place.fields"):
        visit.asking.names(name)
    writer = Writer(
        visit.stage,
        visit.tongue,
        visit.asking.dialect,
        user_fields=visit.asking.names("user.fields"),
        post_fields=_post_names(visit),
        expansions=visit.asking.names("post.expansions"),
        suspended=tuple(visit.switches["suspended"]),
    )

    def finish() -> Said:
        record = space_record(visit.world, space_id)
        if record is None or record["state"] in ("ended", "canceled"):
            writer.errors.append(visit.tongue.not_found("space", "id", space_id))
            return writer.envelope(None)
        ids = visit.stage.posts_in(space_id, visit.now)
        posts = [post for one in ids if (post := visit.stage.post(one)) is not None]
        shown, meta = cut(visit, page, posts)
        if visit.asking.mode == LEGACY:
            meta = {"result_count": meta["result_count"]}
        return writer.envelope([writer.post(post, is_main=True) for post in shown], meta=meta)

    return finish


def _endpoint(name: str, path: str, prepare: Any, charges: str, **rest: Any) -> Endpoint:
    return Endpoint(name=name, method="GET", path=path, prepare=prepare, charges=charges, **rest)


ENDPOINTS = (
    _endpoint("creators", r"/2/spaces/by/creator_ids", _by_creators, "space"),
    _endpoint("search", r"/2/spaces/search", _search, "space"),
    _endpoint("spaces", r"/2/spaces", _many, "space"),
    _endpoint("buyers", r"/2/spaces/(?P<id>[^/]+)/buyers", _buyers, "user", takes="user"),
    _endpoint("space posts", r"/2/spaces/(?P<id>[^/]+)/tweets", _posts, "post"),
    _endpoint("space", r"/2/spaces/(?P<id>[^/]+)", _one, "space"),
)
