"""Subscriptions to events: made, listed, changed, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydrophone.sandbox.api2.activity import EVENT_TYPES
from hydrophone.sandbox.api2.gate import Answering, Endpoint, Said, Visit
from hydrophone.sandbox.api2.paging import cut, read_page
from hydrophone.sandbox.api2.parameters import USER_ID
from hydrophone.sandbox.api2.problems import APP_ONLY, USER_CONTEXT, Refusal
from hydrophone.sandbox.api2.records import instant
from hydrophone.sandbox.x.ids import snowflake

_PATH = "/2/activity/subscriptions"
_MOST = 1500


def _create(visit: Visit) -> Answering:
    told = visit.body
    kind, wanted = told.get("event_type"), told.get("filter")
    unknown = sorted(set(told) - {"event_type", "filter", "tag", "webhook_id"})
    for name in unknown:
        visit.asking.complain(name, f"The field [{name}] is not one of [event_type,filter,tag,webhook_id]")
    if kind not in EVENT_TYPES:
        visit.asking.complain(
            "event_type", f"The `event_type` field value [{kind}] is not one of [{','.join(EVENT_TYPES)}]"
        )
    if not isinstance(wanted, Mapping) or set(wanted) - {"user_id", "keyword", "direction"}:
        visit.asking.complain("filter", "The `filter` field is not one of [user_id,keyword,direction]")
        wanted = {}
    elif str(kind).startswith(("spaces.", "broadcast.")) and set(wanted) != {"user_id"}:
        visit.asking.complain("filter", "The `filter` field must hold [user_id] and nothing else")
    if "user_id" in wanted:
        visit.asking.matching("filter.user_id", str(wanted["user_id"]), USER_ID)
    _check_changes(visit)

    def finish() -> Said:
        if kind == "broadcast.chat" and visit.caller.kind == "app":
            return visit.tongue.wrong_kind(APP_ONLY, USER_CONTEXT)
        kept = visit.stage.subscriptions
        if any(one["event_type"] == kind and one["filter"] == wanted for one in kept.values()):
            return _duplicate(visit)
        if len(kept) >= _MOST:
            return visit.tongue.forbidden("Subscription limit exceeded")
        now = instant(visit.now)
        made = {
            "subscription_id": snowflake(visit.now, "subscription", kind, *wanted.values()),
            "event_type": kind,
            "filter": dict(wanted),
            "created_at": now,
            "updated_at": now,
            **{name: told[name] for name in ("tag", "webhook_id") if told.get(name)},
        }
        kept[made["subscription_id"]] = made
        shape = visit.switches["subscription_shape"]
        if shape == "flat":
            return {"data": made}
        if shape == "list":
            return {"data": [made], "meta": {"total_subscriptions": len(kept)}}
        return {"data": {"subscription": made}}

    return finish


def _duplicate(visit: Visit) -> Refusal:
    if visit.switches["duplicate_subscription"] == "409":
        return visit.tongue.conflict("A duplicate subscription exists for this event type and filter.")
    message = {"parameters": {"filter": []}, "message": "A duplicate subscription exists"}
    return visit.tongue.invalid([message])


def _check_changes(visit: Visit) -> None:
    tag, hook = visit.body.get("tag"), visit.body.get("webhook_id")
    if tag is not None and not 1 <= len(str(tag)) <= 200:
        visit.asking.complain("tag", "The length of the `tag` field is not between 1 and 200")
    if hook is not None and str(hook) not in visit.stage.webhooks:
        visit.asking.complain("webhook_id", f"The `webhook_id` field value [{hook}] is not a valid webhook")


def _list(visit: Visit) -> Answering:
    visit.asking.check_names((), ("max_results", "pagination_token"))
    page = read_page(visit, "subscriptions", "all", most=1000)

    def finish() -> Said:
        kept = list(visit.stage.subscriptions.values())
        shown, meta = cut(visit, page, kept)
        del meta["result_count"]
        return {"data": shown, "meta": {"total_subscriptions": len(kept), **meta}}

    return finish


def _update(visit: Visit) -> Answering:
    for name in sorted(set(visit.body) - {"tag", "webhook_id"}):
        visit.asking.complain(name, f"The field [{name}] is not one of [tag,webhook_id]")
    _check_changes(visit)
    wanted = visit.exchange.group("id")

    def finish() -> Said:
        kept = visit.stage.subscriptions
        if wanted not in kept:
            return visit.tongue.missing("subscription", "id", wanted)
        kept[wanted] = {**kept[wanted], **visit.body, "updated_at": instant(visit.now)}
        return {"data": {"subscription": kept[wanted], "total_subscriptions": len(kept)}}

    return finish


def _delete(visit: Visit) -> Answering:
    wanted = visit.exchange.group("id")

    def finish() -> Said:
        kept = visit.stage.subscriptions
        if kept.pop(wanted, None) is None:
            return visit.tongue.missing("subscription", "id", wanted)
        return {"data": {"deleted": True}, "meta": {"total_subscriptions": len(kept)}}

    return finish


def _delete_many(visit: Visit) -> Answering:
    visit.asking.check_names((), ("ids",))
    ids = visit.asking.ids("ids", USER_ID)

    def finish() -> Said:
        kept = visit.stage.subscriptions
        done = [one for one in ids if kept.pop(one, None) is not None]
        reason, message = "SubscriptionNotFound", "No subscription with this id."
        failed = [{"subscription_id": one, "reason": reason, "message": message} for one in ids if one not in done]
        body: dict[str, Any] = {"data": [{"subscription_id": one, "deleted": True} for one in done]}
        if failed:
            body["errors"] = failed
        return body | {"meta": {"total_subscriptions": len(kept)}}

    return finish


def _endpoint(method: str, path: str, prepare: Any, **rest: Any) -> Endpoint:
    return Endpoint(name="subscriptions", method=method, path=path, prepare=prepare, is_free=True, **rest)


ENDPOINTS = (
    _endpoint("POST", _PATH, _create, scopes=("tweet.read",)),
    _endpoint("GET", _PATH, _list, scopes=("tweet.read",)),
    _endpoint("DELETE", _PATH, _delete_many, takes="app"),
    _endpoint("PUT", _PATH + r"/(?P<id>[^/]+)", _update, takes="app"),
    _endpoint("DELETE", _PATH + r"/(?P<id>[^/]+)", _delete, takes="app"),
)
