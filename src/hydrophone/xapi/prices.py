"""What the service charges, as data with a date. Amounts are US dollars for each resource returned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

PRICES_STATED_ON = date(2026, 8, 7)


class Kind(StrEnum):
    """The kinds of the price list. The same account read as two kinds is charged twice."""

    SPACE = "space"
    USER = "user"
    POST = "post"
    EVENT = "event"
    UNPRICED = "unpriced"  #: broadcasts and topics: no price is published, so they count nothing


PRICES: Mapping[Kind, Decimal] = {
    Kind.SPACE: Decimal("0.005"),
    Kind.USER: Decimal("0.010"),
    Kind.POST: Decimal("0.005"),
    Kind.EVENT: Decimal("0.005"),
    Kind.UNPRICED: Decimal(0),
}


class Resource(NamedTuple):
    """Something that an answer returned, as the meter counts it."""

    kind: Kind
    id: str


def cost_of(resources: Iterable[Resource]) -> Decimal:
    """What these cost if none of them was paid for today."""
    return sum((PRICES[resource.kind] for resource in set(resources)), Decimal(0))


def estimate(*, spaces: int = 0, users: int = 0, posts: int = 0) -> Decimal:
    """The most that so many resources can cost."""
    return PRICES[Kind.SPACE] * spaces + PRICES[Kind.USER] * users + PRICES[Kind.POST] * posts
