"""Documented limits: they hold before any answer, pace requests, and read refusals with patience."""

from __future__ import annotations

from random import Random

import pytest

from hydrophone.http.budgets import Budgets
from hydrophone.http.messages import Headers, Reply
from hydrophone.http.rules import BudgetRule, refusal_seconds

NOW = 1_772_564_550.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def budgets(clock: Clock, rule: BudgetRule, *, reserve: int = 0) -> Budgets:
    made = Budgets(clock=clock, rng=Random(1), reserve=reserve, jitter_seconds=0.0)
    made.declare("find", rule, credential="app-")
    return made


def reply(status: int = 200, **headers: object) -> Reply:
    return Reply(status, Headers([(f"x-rate-limit-{name}", str(value)) for name, value in headers.items()]))


def test_a_documented_window_holds_before_any_answer_names_it() -> None:
    clock = Clock()
    ours = budgets(clock, BudgetRule(limit=3))
    assert [ours.take("find", "app-1") for _ in range(4)] == [0.0, 0.0, 0.0, 900.0]
    assert ours.take("find", "app-2") == 0.0
    assert [ours.take("find", "user-1") for _ in range(9)] == [0.0] * 9
    clock.now += 900.0
    assert ours.take("find", "app-1") == 0.0


def test_what_the_service_says_about_the_window_counts_more() -> None:
    clock = Clock()
    ours = budgets(clock, BudgetRule(limit=300))
    assert ours.take("find", "app-1") == 0.0
    ours.give_back("find", "app-1", reply(limit=300, remaining=1, reset=NOW + 120))
    assert ours.take("find", "app-1") == 0.0
    assert ours.take("find", "app-1") == pytest.approx(120.0)


def test_requests_are_paced() -> None:
    clock = Clock()
    ours = budgets(clock, BudgetRule(limit=300, interval_seconds=1.5))
    assert ours.take("find", "app-1") == 0.0
    assert ours.take("find", "app-1") == 1.5
    clock.now += 1.5
    assert ours.take("find", "app-1") == 0.0


def test_being_too_fast_costs_seconds_and_not_the_window() -> None:
    clock = Clock()
    ours = budgets(clock, BudgetRule(limit=300))
    waits = []
    for _ in range(4):
        assert ours.take("find", "app-1") == 0.0
        ours.give_back("find", "app-1", reply(429, limit=300, remaining=41, reset=NOW + 800))
        waits.append(ours.take("find", "app-1"))
        clock.now += waits[-1]
    assert waits == pytest.approx([2.0, 5.0, 10.0, 10.0])


@pytest.mark.parametrize("headers", [{}, {"remaining": 0, "reset": 12}, {"remaining": 0, "reset": "nan"}])
def test_a_refusal_that_says_nothing_sensible_is_met_with_growing_patience(headers: dict[str, object]) -> None:
    clock = Clock()
    ours = budgets(clock, BudgetRule(limit=300))
    waits = []
    for _ in range(6):
        assert ours.take("find", "app-1") == 0.0
        ours.give_back("find", "app-1", reply(429, **headers))
        waits.append(ours.take("find", "app-1"))
        clock.now += waits[-1]
    assert waits == pytest.approx([60, 120, 240, 480, 900, 900])


def test_a_success_forgets_the_refusals() -> None:
    clock = Clock()
    ours = budgets(clock, BudgetRule(limit=300))
    for status, wait in ((429, 60.0), (200, 0.0), (429, 60.0)):
        assert ours.take("find", "app-1") == 0.0
        ours.give_back("find", "app-1", reply(status))
        clock.now += wait


@pytest.mark.parametrize(("reset", "wait"), [(300.0, 302.0), (-5.0, 60.0), (10_000.0, 60.0), (None, 60.0)])
def test_a_window_is_waited_out_and_an_absurd_one_is_not(reset: float | None, wait: float) -> None:
    assert refusal_seconds(BudgetRule(limit=3), remaining=0, reset_in_seconds=reset, refusals=1) == wait
