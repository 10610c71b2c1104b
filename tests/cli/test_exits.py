"""The table of exit codes."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime

import pytest

from cli.fake_engine import outcome
from hydrophone import errors
from hydrophone.cli.exits import CODES, Exit, code_of
from hydrophone.cli.outcomes import code_of_outcomes
from hydrophone.recorder.events import Result

EVERY_ERROR = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.LinkError("x"), 2),
        (errors.SettingsError("x"), 2),
        (errors.NotFoundError("x"), 4),
        (errors.NoReplayError("x"), 4),
        (errors.CanceledError("x"), 4),
        (errors.NotStartedError("x"), 4),
        (errors.NotSignedInError("x"), 5),
        (errors.RefusedError("x"), 5),
        (errors.AccountLockedError("x"), 5),
        (errors.BlockedError("x"), 5),
        (errors.RateLimitedError("x", retry_at=datetime.now(UTC)), 6),
        (errors.WireError("x"), 7),
        (errors.PlaylistError("x"), 7),
        (errors.UnreachableError("x"), 8),
        (errors.FaultyServiceError("x"), 8),
        (errors.DiskError("x"), 9),
        (errors.TakeInUseError("x"), 9),
        (OSError("x"), 9),
        (KeyboardInterrupt(), 130),
        (KeyError("x"), 1),
    ],
)
def test_error_has_its_exit_code(error: BaseException, code: int) -> None:
    assert code_of(error) == code


@pytest.mark.parametrize("kind", EVERY_ERROR, ids=lambda kind: kind.__name__)
def test_every_error_of_the_house_has_a_code_of_its_own_or_of_a_near_ancestor(kind: type[Exception]) -> None:
    assert any(parent in CODES for parent in kind.__mro__)
    if kind is not errors.HydrophoneError:
        nearest = next(parent for parent in kind.__mro__ if parent in CODES)
        assert nearest is not errors.HydrophoneError


def test_every_code_has_a_meaning() -> None:
    assert all(code.meaning for code in Exit)


def test_many_recordings_end_with_the_first_failure_else_with_gaps() -> None:
    lost = outcome(Result.FAILED, error=errors.NotFoundError("gone"))
    holed = outcome(Result.GAPS, gaps=1)
    assert code_of_outcomes([]) == 0
    assert code_of_outcomes([outcome(), outcome()]) == 0
    assert code_of_outcomes([outcome(), holed]) == 3
    assert code_of_outcomes([holed, lost, outcome()]) == 4
