"""Rate budgets: alone on a clock turned by hand, and under the driver with many callers."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.errors import RateLimitedError
from hydrophone.http import AsyncClient, Budgets, Endpoints, Headers, HttpSettings, Reply, Request
from raw_server import Exchange, serving

NOW = 1_770_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def budgets_at(clock: Clock, path: Path | None = None, **more: Any) -> Budgets:
    return Budgets(path, clock=clock, rng=Random(1), **{"jitter_seconds": 0.0, "save_every_seconds": 0.0, **more})


def reply(status: int = 200, **headers: object) -> Reply:
    return Reply(status, Headers([(name.replace("_", "-"), str(value)) for name, value in headers.items()]))


def limits(remaining: object, reset: object, limit: object = 100) -> dict[str, object]:
    return {"x_rate_limit_limit": limit, "x_rate_limit_remaining": remaining, "x_rate_limit_reset": reset}


def ask(budgets: Budgets, answer: Reply | None) -> None:
    assert budgets.take("E", "f") == 0.0
    budgets.give_back("E", "f", answer)


def test_nothing_is_known_at_first_and_no_endpoint_has_no_budget() -> None:
    budgets = budgets_at(Clock())
    assert [budgets.take("E", "f") for _ in range(50)] == [0.0] * 50
    assert budgets.take("") == 0.0


def test_a_429_forbids_until_its_reset() -> None:
    clock = Clock()
    budgets = budgets_at(clock)
    ask(budgets, reply(429, **limits(0, int(NOW) + 300)))

    assert budgets.take("E", "f") == 300.0
    assert budgets.take("E", "other") == 0.0
    assert budgets.take("F", "f") == 0.0
    clock.now += 299.9
    assert budgets.take("E", "f") > 0.0
    clock.now += 0.2
    assert budgets.take("E", "f") == 0.0


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, 60.0),
        ({"x_rate_limit_reset": int(NOW) - 5}, 60.0),
        ({"x_rate_limit_reset": int(NOW) + 10**9}, 3600.0),
        ({"x_rate_limit_reset": 10**400}, 60.0),
        ({"x_rate_limit_reset": "soon"}, 60.0),
        ({"x_rate_limit_reset": "nan"}, 60.0),
        ({"x_rate_limit_reset": "-1"}, 60.0),
        ({"retry_after": "120"}, 120.0),
        ({"retry_after": "1"}, 60.0),
        ({"retry_after": "99999999999999999"}, 3600.0),
        ({"x_rate_limit_remaining": "12", "x_rate_limit_reset": int(NOW) + 30}, 30.0),
    ],
)
def test_a_reset_that_is_absent_past_or_absurd_gives_a_sensible_wait(headers: dict[str, object], wait: float) -> None:
    budgets = budgets_at(Clock())
    ask(budgets, reply(429, **headers))
    assert budgets.take("E", "f") == pytest.approx(wait)


def test_it_stops_a_little_before_zero_and_starts_again_after_the_reset() -> None:
    clock = Clock()
    budgets = budgets_at(clock)
    ask(budgets, reply(**limits(8, int(NOW) + 100)))

    assert [budgets.take("E", "f") for _ in range(4)] == [0.0, 0.0, 0.0, 100.0]
    clock.now += 101
    assert budgets.take("E", "f") == 0.0


def test_a_small_window_is_used_too() -> None:
    budgets = budgets_at(Clock())
    ask(budgets, reply(**limits(2, int(NOW) + 100, limit=3)))
    assert [budgets.take("E", "f") for _ in range(3)] == [0.0, 0.0, 100.0]


def test_replies_that_overtake_each_other_never_raise_what_is_left() -> None:
    budgets = budgets_at(Clock(), reserve=0)
    reset = int(NOW) + 100
    ask(budgets, reply(**limits(5, reset)))
    for _ in range(3):
        assert budgets.take("E", "f") == 0.0
    budgets.give_back("E", "f", reply(**limits(2, reset)))
    budgets.give_back("E", "f", reply(**limits(4, reset)))
    budgets.give_back("E", "f", None)

    assert [budgets.take("E", "f") for _ in range(3)] == [0.0, 0.0, 100.0]


def test_jitter_only_ever_makes_a_caller_late() -> None:
    budgets = Budgets(clock=Clock(), rng=Random(7), jitter_seconds=3.0)
    ask(budgets, reply(429, **limits(0, int(NOW) + 50)))
    waits = [budgets.take("E", "f") for _ in range(100)]
    assert all(50.0 <= wait <= 53.0 for wait in waits)
    assert len(set(waits)) > 90


def test_a_wrong_clock_is_corrected_by_the_date_of_the_answer() -> None:
    budgets = budgets_at(Clock())
    date = format_datetime(datetime.fromtimestamp(NOW + 7200, UTC), usegmt=True)
    ask(budgets, reply(429, **limits(0, int(NOW) + 7200 + 40), date=date))
    assert budgets.take("E", "f") == pytest.approx(40.0)


@given(
    st.dictionaries(st.sampled_from(list(limits(0, 0))), st.text(max_size=30) | st.integers().map(str)),
    st.integers(200, 599),
)
def test_any_header_survives(headers: dict[str, str], status: int) -> None:
    budgets = budgets_at(Clock())
    ask(budgets, reply(status, **headers))
    assert 0.0 <= budgets.take("E", "f") <= 3600.0
    assert budgets.snapshot()


def test_what_was_learnt_outlives_the_process(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "state" / "budgets.json"
    first = budgets_at(clock, path)
    ask(first, reply(**limits(50, int(NOW) + 500)))
    ask(first, reply(429, **limits(0, int(NOW) + 500)))

    again = budgets_at(clock, path)
    assert again.take("E", "f") == 500.0
    assert os.name == "nt" or path.stat().st_mode & 0o777 == 0o600
    assert [name.name for name in path.parent.iterdir()] == ["budgets.json"]
    clock.now += 501
    assert budgets_at(clock, path).take("E", "f") == 0.0


def test_a_stored_instant_is_believed_for_an_hour_at_most(tmp_path: Path) -> None:
    path = tmp_path / "budgets.json"
    row = {"endpoint": "E", "fingerprint": "f", "blocked_until": NOW + 10**8}
    path.write_text(json.dumps({"schema": 1, "budgets": [row]}))
    assert budgets_at(Clock(), path).take("E", "f") == 3600.0


ODD_ROW = '{"endpoint": "E", "fingerprint": "f", "limit": "x", "reset_at": "NaN", "blocked_until": NaN}'


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", '{"schema": 2}', '{"schema": 1, "budgets": 5}', "[" * 100_000, "\x00\xff",
        '{"schema": 1, "budgets": [1, {}, {"endpoint": 1}]}', f'{{"schema": 1, "budgets": [{ODD_ROW}]}}',
    ],
)  # fmt: skip
def test_a_damaged_file_says_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "budgets.json"
    path.write_text(text, encoding="latin-1")
    budgets = budgets_at(Clock(), path)
    ask(budgets, reply(429))
    assert budgets_at(Clock(), path).take("E", "f") == 60.0


def test_writing_is_coalesced_but_a_429_is_written_at_once(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "budgets.json"
    budgets = budgets_at(clock, path, save_every_seconds=5.0)
    ask(budgets, reply(**limits(90, int(NOW) + 500)))
    first = path.read_bytes()
    ask(budgets, reply(**limits(80, int(NOW) + 500)))
    assert path.read_bytes() == first
    ask(budgets, reply(429, **limits(0, int(NOW) + 500)))
    assert path.read_bytes() != first
    assert budgets_at(clock, path).take("E", "f") == 500.0


def test_a_place_that_cannot_be_written_is_no_reason_to_stop(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    budgets = budgets_at(Clock(), tmp_path / "file" / "budgets.json")
    ask(budgets, reply(429))
    budgets.flush()
    assert budgets.take("E", "f") == 60.0
    assert len(caplog.records) <= 1


def test_two_processes_learn_from_each_other_through_the_file(tmp_path: Path) -> None:
    clock = Clock()
    path = tmp_path / "budgets.json"
    ours, theirs = budgets_at(clock, path), budgets_at(clock, path)
    ask(theirs, reply(429, **limits(0, int(NOW) + 300)))
    assert ours.take("F", "f") == 0.0
    ours.give_back("F", "f", reply(**limits(50, int(NOW) + 300)))
    assert ours.take("E", "f") == 300.0
    assert budgets_at(clock, path).take("E", "f") == 300.0


def test_a_snapshot_shows_those_to_wait_for_first() -> None:
    budgets = budgets_at(Clock())
    budgets.take("A", "f")
    budgets.give_back("A", "f", reply(**limits(90, int(NOW) + 500)))
    ask(budgets, reply(429, **limits(0, int(NOW) + 500)))
    states = budgets.snapshot()
    assert [(state.endpoint, state.remaining, state.wait_seconds) for state in states] == [
        ("E", None, 500.0),
        ("A", 90, 0.0),
    ]
    assert states[1].reset_at == datetime.fromtimestamp(NOW + 500, UTC)


def test_threads_share_a_budget_exactly() -> None:
    budgets = budgets_at(Clock(), reserve=0)
    ask(budgets, reply(**limits(40, int(NOW) + 500)))
    got: list[float] = []

    def work() -> None:
        got.extend(budgets.take("E", "f") for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got.count(0.0) == 40


# ---------------------------------------------------------------- under the driver


async def test_callers_who_ask_together_never_overdraw_the_window() -> None:
    left = 20

    async def handler(exchange: Exchange) -> None:
        nonlocal left
        left -= 1
        await exchange.answer(
            b"{}", x_rate_limit_limit="20", x_rate_limit_remaining=str(left), x_rate_limit_reset=str(int(NOW) + 900)
        )

    async with serving(handler) as server:
        budgets = budgets_at(Clock())
        box = Endpoints.sandbox({"x": server.base})
        async with AsyncClient(box, budgets=budgets) as one, AsyncClient(box, budgets=budgets) as two:
            await one.send(Request("GET", "/", endpoint="E"))
            asked = [client.send(Request("GET", "/", endpoint="E")) for client in (one, two) for _ in range(40)]
            results = await asyncio.gather(*asked, return_exceptions=True)

    refused = [result for result in results if isinstance(result, RateLimitedError)]
    assert len(server.requests) == 18  # the last two of twenty are left alone
    assert len(refused) == 80 - 17
    assert refused[0].retry_at == datetime.fromtimestamp(NOW + 900, UTC)
    assert refused[0].endpoint == "E"


@pytest.mark.parametrize(
    "body",
    [b'{"errors":[{"code":88,"message":"Rate limit exceeded."}]}', b'{"errors":{"code":88}}', b"Rate limit exceeded\n",
     b"<html><body>Slow down</body></html>", b"", b"\xff\xfe"],
)  # fmt: skip
async def test_a_429_of_any_shape_is_returned_and_nothing_goes_out_before_the_reset(body: bytes) -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.answer(body, 429, x_rate_limit_remaining="7", x_rate_limit_reset=str(int(NOW) + 60))

    clock = Clock()
    async with (
        serving(handler) as server,
        AsyncClient(Endpoints.sandbox({"x": server.base}), budgets=budgets_at(clock)) as client,
    ):
        assert (await client.send(Request("GET", "/", endpoint="E", attempts=5))).body == body
        for _ in range(3):
            with pytest.raises(RateLimitedError):
                await client.send(Request("GET", "/", endpoint="E"))
        assert len(server.requests) == 1
        clock.now += 61
        assert (await client.send(Request("GET", "/", endpoint="E"))).status == 429
    assert len(server.requests) == 2


async def test_a_short_wait_is_slept_through_in_the_time_of_the_budgets() -> None:
    clock = Clock()
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.now += seconds / 2  # woken early: asks again before it sends

    async def handler(exchange: Exchange) -> None:
        await exchange.answer(b"", 429 if exchange.number == 1 else 200, x_rate_limit_reset=str(int(NOW) + 60))

    async with serving(handler) as server:
        box = Endpoints.sandbox({"x": server.base})
        settings = HttpSettings(max_budget_wait_seconds=5.0)
        async with AsyncClient(box, settings=settings, budgets=budgets_at(clock), sleep=sleep) as client:
            await client.send(Request("GET", "/", endpoint="E"))
            clock.now = NOW + 56
            assert (await client.send(Request("GET", "/", endpoint="E"))).status == 200
    assert slept[:3] == [4.0, 2.0, 1.0]
    assert clock.now >= NOW + 60


async def test_each_try_is_counted() -> None:
    async def handler(exchange: Exchange) -> None:
        await exchange.answer(
            b"",
            503,
            x_rate_limit_limit="10",
            x_rate_limit_remaining=str(3 - exchange.number),
            x_rate_limit_reset=str(int(NOW) + 900),
        )

    async with serving(handler) as server:
        settings = HttpSettings(backoff_seconds=0.001)
        async with AsyncClient(
            Endpoints.sandbox({"x": server.base}), settings=settings, budgets=budgets_at(Clock())
        ) as client:
            with pytest.raises(RateLimitedError):
                await client.send(Request("GET", "/", endpoint="E", attempts=10))
    assert len(server.requests) == 2
