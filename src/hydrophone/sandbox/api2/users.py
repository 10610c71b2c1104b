"""Accounts by id, by name and by token; usage and credits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hydrophone.sandbox.api2.gate import Answering, Endpoint, Said, Visit
from hydrophone.sandbox.api2.meter import meter_of
from hydrophone.sandbox.api2.objects import Writer
from hydrophone.sandbox.api2.parameters import HANDLE, USER_ID
from hydrophone.sandbox.api2.problems import Refusal
from hydrophone.sandbox.api2.vocabulary import CURRENT

_PARAMS = ("user.fields", "user.expansions", "tweet.fields", "post.fields")
_SCOPES = ("tweet.read", "users.read")
_CAP = "3000000"


def _account(visit: Visit, parameter: str, value: str) -> Answering:
    writer = Writer(
        visit.stage,
        visit.tongue,
        visit.asking.dialect,
        user_fields=visit.asking.names("user.fields"),
        post_fields=visit.asking.names("post.fields" if visit.asking.dialect == CURRENT else "tweet.fields"),
        expansions=visit.asking.names("user.expansions"),
    )

    def finish() -> Said:
        find = visit.stage.user_named if parameter == "username" else visit.stage.user
        account = find(value)
        if account is None:
            writer.errors.append(visit.tongue.not_found("user", parameter, value))
        return writer.envelope(writer.user(account, is_main=True) if account else None)

    return finish


def _by_name(visit: Visit) -> Answering:
    visit.asking.check_names(("username",), _PARAMS)
    return _account(visit, "username", visit.asking.matching("username", visit.exchange.group("name"), HANDLE))


def _by_id(visit: Visit) -> Answering:
    visit.asking.check_names(("id",), _PARAMS)
    return _account(visit, "id", visit.asking.matching("id", visit.exchange.group("id"), USER_ID))


def _me(visit: Visit) -> Answering:
    visit.asking.check_names((), _PARAMS)
    return _account(visit, "id", visit.caller.user_id)


def _usage(visit: Visit) -> Answering:
    """Posts only; numbers are text."""
    visit.asking.check_names((), ("days", "usage.fields"))
    days = visit.asking.number("days", 1, 90, 7)
    wanted = visit.asking.names("usage.fields") or ("project_cap", "project_id", "project_usage", "cap_reset_day")

    def finish() -> Said:
        charged = meter_of(visit.world).charged
        posts = {day: sum(kind == "post" for kind, _ in keys) for day, keys in charged.items()}
        today = visit.now.date()
        spans = [today - timedelta(days=back) for back in reversed(range(days))]
        usage = [{"date": f"{day.isoformat()}T00:00:00.000Z", "usage": str(posts.get(day, 0))} for day in spans]
        project = visit.stage.app["project_id"]
        facts: dict[str, Any] = {
            "cap_reset_day": 12,
            "daily_client_app_usage": [
                {"client_app_id": visit.stage.app["app_id"], "usage": usage, "usage_result_count": len(usage)}
            ],
            "daily_project_usage": {"project_id": project, "usage": usage},
            "project_cap": _CAP,
            "project_id": project,
            "project_usage": str(sum(posts.values())),
        }
        return {"data": {name: facts[name] for name in wanted}}

    return finish


def _credits(visit: Visit) -> Answering:
    def finish() -> Said:
        if not visit.switches["has_credits_endpoint"]:
            return Refusal(404, None, "", limited=False)
        left = float(meter_of(visit.world).balance)
        return {"data": {"free_balance": 0, "prepaid_balance": left, "total_balance": left}}

    return finish


def _endpoint(name: str, path: str, prepare: Any, **rest: Any) -> Endpoint:
    return Endpoint(name=name, method="GET", path=path, prepare=prepare, **rest)


ENDPOINTS = (
    _endpoint("user by name", r"/2/users/by/username/(?P<name>[^/]+)", _by_name, scopes=_SCOPES, charges="user"),
    _endpoint("me", r"/2/users/me", _me, takes="user", scopes=_SCOPES, charges="user"),
    _endpoint("user", r"/2/users/(?P<id>[^/]+)", _by_id, scopes=_SCOPES, charges="user"),
    _endpoint("usage", r"/2/usage/tweets", _usage, takes="app", is_free=True),
    _endpoint("credits", r"/2/usage/credits", _credits, takes="app", is_free=True),
)
