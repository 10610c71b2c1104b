"""What the service itself says about consumption: posts read, and the balance of credits. Asking costs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from hydrophone.errors import WireError
from hydrophone.http.messages import Question
from hydrophone.http.reading import Node
from hydrophone.xapi import limits
from hydrophone.xapi.asking import Asked, ask, query_names
from hydrophone.xapi.checks import check_range
from hydrophone.xapi.names import USAGE_FIELDS, Dialect, names_in
from hydrophone.xapi.session import ApiSession, Auth

_ALL = ("cap_reset_day", "daily_client_app_usage", "daily_project_usage", "project_cap", "project_id", "project_usage")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostUsage:
    """Posts read in the present month, by all apps of the project; Spaces and users are not in it. May lag."""

    used: int | None = None
    cap: int | None = None
    reset_day: int | None = None  #: of the month
    days: Mapping[date, int] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credits:
    """The balance in US dollars; it may be a little below zero."""

    total: Decimal | None = None
    prepaid: Decimal | None = None
    free: Decimal | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


def post_usage(session: ApiSession, *, days: int = 7, fields: tuple[str, ...] = _ALL) -> Question[PostUsage]:
    check_range("days", days, 1, 90)
    params = {"days": str(days), **query_names(usage_fields=names_in(Dialect.CURRENT, USAGE_FIELDS, fields))}
    asked = Asked(endpoint=limits.USAGE, path="/2/usage/tweets", params=params, auth=Auth.APP, is_free=True)
    root, _ = yield from ask(session, asked)
    return read_post_usage(root.at("data"))


def read_post_usage(data: Node) -> PostUsage:
    """Numbers come as text; the days in one of two documented shapes."""
    project = data.at("daily_project_usage")
    days: dict[date, int] = {}
    for entry in (*project.at("usage").items(), *project.items()):
        at = entry.at("date").instant()
        whole = entry.at("usage").count()
        parts = [part.first("tweets_consumed", "usage").count() for part in entry.at("usage").items()]
        if at is not None and (whole is not None or parts):
            days[at.date()] = days.get(at.date(), 0) + (whole or 0) + sum(part or 0 for part in parts)
    return PostUsage(
        used=data.at("project_usage").count(),
        cap=data.at("project_cap").count(),
        reset_day=data.at("cap_reset_day").count(),
        days=days,
        raw=data.mapping(),
    )


def credits_left(session: ApiSession) -> Question[Credits | None]:
    """The balance; None where the service has none for this app: then it is not asked again by this session."""
    if not session.has_credits_endpoint:
        return None
    asked = Asked(endpoint=limits.CREDITS, path="/2/usage/credits", auth=Auth.APP, is_free=True)
    try:
        root, _ = yield from ask(session, asked)
    except WireError:
        # Some apps get an empty 404 here.
        session.has_credits_endpoint = False
        return None
    data = root.at("data")
    return Credits(
        total=_amount(data.at("total_balance")),
        prepaid=_amount(data.at("prepaid_balance")),
        free=_amount(data.at("free_balance")),
        raw=data.mapping(),
    )


def _amount(node: Node) -> Decimal | None:
    if isinstance(node.value, bool) or not isinstance(node.value, int | float | str):
        return None
    try:
        amount = Decimal(str(node.value)[:40])
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
