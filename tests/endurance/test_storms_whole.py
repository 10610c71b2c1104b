"""Storms over whole recordings: the production code from the transport's session up, in virtual time, seven invariants.

`make test` runs 200 seeds of two Spaces and one of twenty; `make hunt` those of 20 Spaces of four hours. What a seed
costs, and why it is split like this, is told in `docs/reliability.md`. A seed that fails prints the line that runs it
again: ``HYDROPHONE_STORM=seed:spaces:hours``. ``HYDROPHONE_STORMS=5000`` looks through more small ones.
"""

from __future__ import annotations

import os

import pytest

import facts
from endurance.storming import Ridden, reproduce, ride_out

IS_HUNT = bool(os.environ.get("HYDROPHONE_HUNT"))
SMALL = (2, 0.1)  #: Spaces, hours
LARGE = (20, 4.0) if IS_HUNT else (20, 0.25)
BATCH = 10  #: seeds in one test: so many that the worker's own work is small beside it
SEEDS = int(os.environ.get("HYDROPHONE_STORMS", "2000" if IS_HUNT else "200"))
LARGE_SEEDS = int(os.environ.get("HYDROPHONE_LARGE_STORMS", "10" if IS_HUNT else "1"))
ONE = os.environ.get("HYDROPHONE_STORM", "")


def tell_about(storms: list[Ridden]) -> None:
    facts.tell("storms", len(storms))
    facts.tell("Spaces", sum(storm.spaces for storm in storms))
    facts.tell("hours", sum(storm.spaces * storm.hours for storm in storms))
    facts.tell("segments", sum(storm.segments for storm in storms))
    facts.tell("withheld", sum(storm.missing for storm in storms))
    facts.tell("faults", sum(storm.faults for storm in storms))
    facts.tell("requests", sum(storm.requests for storm in storms))
    facts.tell("broken", sum(len(storm.broken) for storm in storms))
    facts.tell("cpu seconds", round(sum(storm.cpu_seconds for storm in storms), 2))


def assert_held(storms: list[Ridden]) -> None:
    tell_about(storms)
    failed = [f"{'; '.join(storm.broken)}\n    {reproduce(storm)}" for storm in storms if storm.broken]
    assert not failed, "\n" + "\n".join(failed)


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_a_storm_breaks_no_invariant(first: int) -> None:
    spaces, hours = SMALL
    assert_held([ride_out(seed, spaces=spaces, hours=hours) for seed in range(first, min(first + BATCH, SEEDS))])


@pytest.mark.parametrize("seed", range(LARGE_SEEDS))
def test_a_storm_over_twenty_spaces_breaks_no_invariant(seed: int) -> None:
    spaces, hours = LARGE
    assert_held([ride_out(seed, spaces=spaces, hours=hours)])


@pytest.mark.skipif(not ONE, reason="set HYDROPHONE_STORM=seed:spaces:hours to run one storm again")
def test_one_storm_breaks_no_invariant() -> None:
    seed, spaces, hours = ONE.split(":")
    assert_held([ride_out(int(seed), spaces=int(spaces), hours=float(hours))])


def test_a_seed_is_the_same_storm_each_time() -> None:
    first, second = (ride_out(7, spaces=3, hours=0.05) for _ in range(2))

    assert first.struck == second.struck
    assert first.requests == second.requests
    assert first.struck


@pytest.mark.parametrize(
    ("seed", "spaces", "hours", "what"),
    [
        (0, 3, 0.15, "live again, and over before its address was asked for"),
        (25, 3, 0.15, "a record that takes it for over at the first look, and a list that claims its end"),
        (39, 3, 0.15, "segments that a portal leads elsewhere for a while"),
    ],
)
def test_storms_that_broke_something_once_do_so_no_more(seed: int, spaces: int, hours: float, what: str) -> None:
    assert_held([ride_out(seed, spaces=spaces, hours=hours)])
