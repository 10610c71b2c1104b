"""When to look at a Space that has not begun."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hydrophone.recorder.waiting import next_look

NOW = datetime(2026, 3, 3, 18, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ahead", "seconds"),
    [
        (timedelta(hours=5), 300.0),  # it may be moved or started early
        (timedelta(minutes=4), 180.0),  # up to a minute before the time
        (timedelta(seconds=65), 10.0),
        (timedelta(seconds=30), 10.0),
        (timedelta(seconds=-60), 10.0),
        (timedelta(minutes=-29), 10.0),
        (timedelta(minutes=-31), 60.0),
        (timedelta(days=-400), 60.0),
    ],
)
def test_waiting_is_polite_from_afar_and_close_near_the_time(ahead: timedelta, seconds: float) -> None:
    assert next_look(NOW, NOW + ahead) == seconds


def test_a_space_without_a_time_is_looked_at_every_minute() -> None:
    assert next_look(NOW, None) == 60.0
