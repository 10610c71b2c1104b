"""Credits: a balance, a price list, each resource once per UTC day and kind, and the bill."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hydrophone.sandbox.api2.switches import read_switches
from hydrophone.sandbox.world import World

#: US dollars for one, by kind, as stated in August 2026. What is not named costs nothing.
PRICES: Mapping[str, Decimal] = {
    "space": Decimal("0.005"),
    "user": Decimal("0.010"),
    "post": Decimal("0.005"),
    "event": Decimal("0.005"),
}
_KIND_OF_INCLUDES = {"users": "user", "tweets": "post", "posts": "post"}


class Meter:
    """What was charged. `note_request` keeps the ledger of requests."""

    def __init__(self, balance: Decimal) -> None:
        self.balance = balance
        self.charged: dict[date, dict[tuple[str, str], Decimal]] = {}
        self.requests: list[dict[str, Any]] = []

    def charge(self, kind: str, ids: Iterable[str], at: datetime) -> Decimal:
        """Charge for what was not charged today; returns the cost."""
        today = self.charged.setdefault(at.date(), {})
        cost = Decimal(0)
        for one in ids:
            if (kind, one) not in today:
                today[kind, one] = PRICES.get(kind, Decimal(0))
                cost += today[kind, one]
        self.balance -= cost
        return cost

    def charge_answer(self, body: Mapping[str, Any], kind: str, at: datetime) -> Decimal:
        """Charge everything in `data` and `includes`."""
        data = body.get("data")
        objects = data if isinstance(data, list) else [data] if isinstance(data, dict) else []
        cost = (
            self.charge(kind, [str(one["id"]) for one in objects if "id" in one], at) if kind in PRICES else Decimal(0)
        )
        for name, included in body.get("includes", {}).items():
            kind_of = _KIND_OF_INCLUDES.get(name)
            if kind_of is not None:
                cost += self.charge(kind_of, [str(one["id"]) for one in included], at)
        return cost

    @property
    def total(self) -> Decimal:
        return sum((sum(day.values(), Decimal(0)) for day in self.charged.values()), Decimal(0))

    def bill(self) -> dict[str, Any]:
        """Sums by day and kind, as text, so that no cent is lost."""
        days = {}
        for day, charges in sorted(self.charged.items()):
            kinds: dict[str, Decimal] = {}
            for (kind, _), cost in charges.items():
                kinds[kind] = kinds.get(kind, Decimal(0)) + cost
            days[day.isoformat()] = {kind: str(cost) for kind, cost in sorted(kinds.items())}
        return {"days": days, "total": str(self.total), "balance": str(self.balance)}


def meter_of(world: World) -> Meter:
    return world.room(Meter, lambda: Meter(Decimal(str(read_switches(world)["balance"]))))
