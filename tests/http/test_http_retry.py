"""When to ask again: pure functions."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest

from hydrophone.http import Headers, HostKind, Reply
from hydrophone.http.retry import backoff, is_worth_retrying, retry_after

NOW = datetime(2026, 3, 3, 19, 0, tzinfo=UTC)


def test_the_wait_grows_with_each_try_up_to_its_bound_and_is_drawn_at_random() -> None:
    rng = Random(1)
    for attempt, ceiling in ((1, 0.5), (2, 1.0), (3, 2.0), (7, 20.0), (10_000, 20.0)):
        waits = [backoff(attempt, rng, base_seconds=0.5, max_seconds=20.0) for _ in range(200)]
        assert 0.0 <= min(waits) < ceiling * 0.1
        assert ceiling * 0.9 < max(waits) <= ceiling


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 520, 599])
def test_a_hiccup_is_worth_another_try(status: int) -> None:
    assert is_worth_retrying(Reply(status), HostKind.API)


@pytest.mark.parametrize("status", [200, 206, 301, 400, 401, 403, 404, 410, 422, 429, 501, 505])
def test_an_answer_is_an_answer(status: int) -> None:
    assert not is_worth_retrying(Reply(status), HostKind.API)


def test_only_the_cdn_has_no_budget_to_keep_for_a_429() -> None:
    assert [kind for kind in HostKind if is_worth_retrying(Reply(429), kind)] == [HostKind.CDN]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0), ("0", 0.0), ("Tue, 03 Mar 2026 19:00:30 GMT", 30.0), ("Tue, 03 Mar 2026 18:00:00 GMT", 0.0),
        ("", None), ("soon", None), ("-5", None), ("1.5", None), ("\u0663", None), ("9" * 400, 999999999999.0),
    ],
)  # fmt: skip
def test_retry_after_is_read_in_both_forms(text: str, seconds: float | None) -> None:
    assert retry_after(Reply(503, Headers([("Retry-After", text)])), NOW) == seconds
