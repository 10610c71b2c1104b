"""What has been spent on each UTC day, and the cap that stops a request before it could exceed it.

The same resource of the same kind is charged once between 00:00 and 24:00 UTC. Everything in an answer is counted, also
what came by expansion; since it is not certain that the service charges all of it, the sum is an upper bound.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from hydrophone.errors import SpendCapError
from hydrophone.xapi.prices import PRICES, Kind, Resource

ZERO = Decimal(0)
MIDNIGHT_MARGIN = timedelta(seconds=60)
_RAISE_ADVICE = "Raise --max-cost, ask for less, or go on tomorrow: a day is counted from midnight UTC."


@dataclass(frozen=True, slots=True)
class Charge:
    """Resources that were paid for at one moment. `keys` are digests, so that a ledger names nobody."""

    at: datetime
    kind: Kind
    keys: tuple[str, ...]
    cost: Decimal

    @property
    def day(self) -> date:
        return self.at.astimezone(UTC).date()


class LedgerStore(Protocol):
    """Keeps charges; may be shared by processes."""

    def news(self) -> Iterable[Charge]:
        """What has been added since the last time, by whomever; everything at first."""
        ...

    def append(self, charges: Sequence[Charge]) -> None:
        """Keep charges durably. They are not news to this store."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """The sum of one day, or of one run where `day` is None."""

    day: date | None
    cost: Decimal
    resources: int


def resource_key(resource: Resource) -> str:
    """A short name of a resource, the same in every process."""
    text = f"{resource.kind}:{resource.id}".encode()
    return hashlib.blake2b(text, digest_size=9, person=b"hydrophone-cost").hexdigest()


class SpendLedger:
    """Charges of today, sums of all days.

    Args:
        max_cost: the cap on what this run may spend, None for none.
        max_cost_per_day: the cap on what a UTC day may cost, over all runs that share the store.
    """

    def __init__(
        self,
        store: LedgerStore | None = None,
        *,
        max_cost: Decimal | None = None,
        max_cost_per_day: Decimal | None = None,
    ) -> None:
        self.max_cost = max_cost
        self.max_cost_per_day = max_cost_per_day
        self._store = store
        self._day: date | None = None
        self._paid: set[Resource] = set()
        self._paid_keys: set[str] = set()  #: of today, by other runs
        self._days: dict[date, tuple[Decimal, int]] = {}
        self._run = (ZERO, 0)
        self._refresh()

    # ------------------------------------------------------------ before a request

    def remaining(self, at: datetime) -> Decimal | None:
        """How much may still be spent at this instant, None where there is no cap; never negative."""
        self._refresh()
        self._turn_to(at)
        rests = []
        if self.max_cost is not None:
            rests.append(self.max_cost - self._run[0])
        if self.max_cost_per_day is not None:
            # Just after midnight by our clock it may still be yesterday by the service's.
            days = {_day(at), _day(at - MIDNIGHT_MARGIN)}
            rests += [self.max_cost_per_day - self.cost_of_day(day) for day in days]
        return max(ZERO, min(rests)) if rests else None

    def check(self, needed: Decimal, at: datetime, *, endpoint: str = "") -> None:
        """Allow a request that may cost so much.

        Raises:
            SpendCapError: it could exceed a cap.
        """
        remaining = self.remaining(at)
        if remaining is None or needed <= remaining:
            return
        is_run = self.max_cost is not None and self.max_cost - self._run[0] < needed
        cap = self.max_cost if is_run and self.max_cost is not None else self.max_cost_per_day or ZERO
        spent = self._run[0] if is_run else cap - remaining
        span = "this run" if is_run else "today"
        raise SpendCapError(
            f"the request could cost ${needed}; {span} has spent ${spent} of ${cap}",
            spent=spent,
            cap=cap,
            needed=needed,
            endpoint=endpoint,
            advice=_RAISE_ADVICE,
        )

    def price_of_new(self, resources: Iterable[Resource], at: datetime) -> Decimal:
        """What these would cost now: nothing for what was paid for today."""
        self._turn_to(at)
        return sum((PRICES[one.kind] for one in set(resources) if not self._is_paid(one)), ZERO)

    # ------------------------------------------------------------ after an answer

    def charge(self, resources: Iterable[Resource], at: datetime) -> Decimal:
        """Count what an answer returned; the cost of what was new today.

        `at` is the service's time of the answer: around midnight it decides about the day.

        Raises:
            DiskError: it could not be kept; it is counted all the same.
        """
        self._refresh()
        self._turn_to(at)
        new: dict[Kind, list[Resource]] = {}
        for resource in resources:
            if not self._is_paid(resource):
                self._paid.add(resource)
                new.setdefault(resource.kind, []).append(resource)
        if not new:
            return ZERO
        charges = [
            Charge(at.astimezone(UTC), kind, tuple(map(resource_key, found)), PRICES[kind] * len(found))
            for kind, found in new.items()
        ]
        for one in charges:
            self._add(one)
        cost = sum((one.cost for one in charges), ZERO)
        self._run = (self._run[0] + cost, self._run[1] + sum(len(one.keys) for one in charges))
        if self._store is not None:
            self._store.append(charges)
        return cost

    # ------------------------------------------------------------ looking back

    def cost_of_day(self, day: date) -> Decimal:
        return self._days.get(day, (ZERO, 0))[0]

    @property
    def run(self) -> Spending:
        """What this run has spent."""
        return Spending(day=None, cost=self._run[0], resources=self._run[1])

    def days(self) -> list[Spending]:
        """All days that are known, the newest first."""
        self._refresh()
        return [
            Spending(day=day, cost=cost, resources=resources)
            for day, (cost, resources) in sorted(self._days.items(), reverse=True)
        ]

    def _is_paid(self, resource: Resource) -> bool:
        if resource in self._paid:
            return True
        return bool(self._paid_keys) and resource_key(resource) in self._paid_keys

    def _add(self, charge: Charge) -> None:
        cost, resources = self._days.get(charge.day, (ZERO, 0))
        self._days[charge.day] = (cost + charge.cost, resources + len(charge.keys))

    def _refresh(self) -> None:
        """Take over what other runs have spent."""
        if self._store is None:
            return
        for charge in self._store.news():
            self._add(charge)
            if self._day is None or charge.day > self._day:
                self._begin(charge.day)
            if charge.day == self._day:
                self._paid_keys.update(charge.keys)

    def _turn_to(self, at: datetime) -> None:
        """Forget what was paid for yesterday. A clock that goes back does not bring it back."""
        day = _day(at)
        if self._day is None or day > self._day:
            self._begin(day)

    def _begin(self, day: date) -> None:
        self._day = day
        self._paid.clear()
        self._paid_keys.clear()


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()
