"""The ledger: days, de-duplication, caps, and a file that several runs share."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from hydrophone.errors import DiskError, SpendCapError
from hydrophone.http.messages import Headers, Reply
from hydrophone.model import SpaceId, UserId
from hydrophone.xapi.ledger import SpendLedger
from hydrophone.xapi.ledgerfile import LedgerFile
from hydrophone.xapi.prices import Kind, Resource, cost_of
from hydrophone.xapi.spaces import affordable_creators, spaces_by_creator_ids
from hydrophone.xapi.wanted import SpaceWish
from xapi.xapi_talk import NOW, Clock, Talk, json_reply, session

DAY = date(2026, 3, 3)
MIDNIGHT = datetime(2026, 3, 4, tzinfo=UTC)


def spaces(*names: str) -> list[Resource]:
    return [Resource(Kind.SPACE, name) for name in names]


def test_the_same_resource_is_charged_once_a_utc_day() -> None:
    ledger = SpendLedger()
    assert ledger.charge(spaces("a", "b", "a"), NOW) == Decimal("0.010")
    assert ledger.charge(spaces("a"), MIDNIGHT - timedelta(microseconds=1)) == 0
    assert ledger.charge(spaces("a"), MIDNIGHT) == Decimal("0.005")
    assert [(one.day, one.cost) for one in ledger.days()] == [
        (date(2026, 3, 4), Decimal("0.005")),
        (DAY, Decimal("0.010")),
    ]


def test_the_same_id_of_another_kind_is_another_charge() -> None:
    both = [Resource(Kind.SPACE, "1"), Resource(Kind.USER, "1"), Resource(Kind.UNPRICED, "1")]
    assert SpendLedger().charge(both, NOW) == cost_of(both) == Decimal("0.015")


def test_a_clock_that_goes_back_does_not_charge_twice() -> None:
    ledger = SpendLedger()
    ledger.charge(spaces("a"), MIDNIGHT)
    assert ledger.charge(spaces("a"), MIDNIGHT - timedelta(seconds=3)) == 0


def test_a_cap_of_a_day_is_fresh_the_next_day_and_one_of_a_run_is_not() -> None:
    ledger = SpendLedger(max_cost=Decimal("0.02"), max_cost_per_day=Decimal("0.01"))
    ledger.charge(spaces("a", "b"), NOW)
    with pytest.raises(SpendCapError, match="today"):
        ledger.check(Decimal("0.005"), NOW)
    with pytest.raises(SpendCapError, match="today"):
        ledger.check(Decimal("0.005"), MIDNIGHT + timedelta(seconds=59))
    ledger.check(Decimal("0.01"), MIDNIGHT + timedelta(seconds=60))
    ledger.charge(spaces("c", "d"), MIDNIGHT)
    with pytest.raises(SpendCapError, match="this run"):
        ledger.check(Decimal("0.005"), MIDNIGHT + timedelta(days=3))
    assert ledger.remaining(MIDNIGHT) == 0


def test_the_services_own_date_decides_about_the_day() -> None:
    ours = session(Clock(MIDNIGHT + timedelta(minutes=10)))
    early = Reply(200, Headers([("date", "Tue, 03 Mar 2026 23:59:59 UTC")]))
    ours.charge(spaces("a"), early)
    assert ours.ledger.cost_of_day(DAY) == Decimal("0.005")
    ours.charge(spaces("b"), Reply(200, Headers([("date", "nonsense")])))
    assert ours.ledger.cost_of_day(date(2026, 3, 4)) == Decimal("0.005")


# ---------------------------------------------------------------- on disk


def test_two_runs_share_a_ledger_and_pay_once(tmp_path: Path) -> None:
    path = tmp_path / "state" / "spend.jsonl"
    cap = Decimal("0.02")
    one, other = (SpendLedger(LedgerFile(path), max_cost_per_day=cap) for _ in range(2))

    one.charge(spaces("a", "b"), NOW)
    assert other.charge(spaces("a", "c"), NOW) == Decimal("0.005")
    assert one.charge(spaces("c"), NOW) == 0
    assert one.remaining(NOW) == other.remaining(NOW) == Decimal("0.005")
    assert one.run.cost == Decimal("0.010")

    third = SpendLedger(LedgerFile(path))
    assert third.cost_of_day(DAY) == Decimal("0.015")
    assert third.charge(spaces("a", "b", "c"), NOW) == 0
    assert b'"a"' not in path.read_bytes()


@pytest.mark.parametrize(
    "tail", [b'{"at":"2026-03-03T19', b"\x00\xff", b"[]\n{}\nnull\n", b'{"at":1,"kind":"space"}\n']
)
def test_a_torn_or_foreign_line_loses_nothing_else(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "spend.jsonl"
    SpendLedger(LedgerFile(path)).charge(spaces("a"), NOW)
    with path.open("ab") as file:
        file.write(tail)

    ledger = SpendLedger(LedgerFile(path))
    assert ledger.charge(spaces("a", "b"), NOW) == Decimal("0.005")
    assert SpendLedger(LedgerFile(path)).cost_of_day(DAY) == Decimal("0.010")


def test_a_ledger_that_cannot_be_written_costs_no_answer(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    ledger = SpendLedger(LedgerFile(blocked / "spend.jsonl"))
    with pytest.raises(DiskError):
        ledger.charge(spaces("a"), NOW)
    assert ledger.run.cost == Decimal("0.005")

    ours = session(ledger=ledger)
    ours.charge_at(spaces("b"), NOW)
    assert ours.unsaved is not None


# ---------------------------------------------------------------- sweeps within a cap


def test_fewer_creators_are_asked_about_as_the_rest_grows_small() -> None:
    assert affordable_creators(None) == 100
    assert affordable_creators(Decimal(5)) == 100
    assert affordable_creators(Decimal("0.25")) == 25
    assert affordable_creators(Decimal(0)) == 1
    assert affordable_creators(Decimal("0.25"), SpaceWish(expansions=("creator_id",))) == 8


def test_a_sweep_never_spends_more_than_its_cap() -> None:
    ours = session(max_cost="0.26")
    creators = [UserId(str(number)) for number in range(1, 201)]
    seen = iter(range(10_000))

    def answer(request: object) -> Reply:
        asked = request.params["user_ids"].split(",")  # type: ignore[attr-defined]
        # Every one of them is live, which is the worst that was reckoned with, halved.
        return json_reply({"data": [{"id": f"1Aa{next(seen)}", "state": "live"} for _ in asked]})

    talk = Talk(answer)
    result = talk.ask(spaces_by_creator_ids(ours, creators))

    assert isinstance(result.stopped_by, SpendCapError)
    assert Decimal("0.24") < ours.ledger.run.cost <= Decimal("0.26")
    assert len(result) == len({SpaceId(space.id) for space in result})
