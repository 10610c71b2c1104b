"""What a recording's events mean to a script: JSON objects and exit codes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hydrophone.cli.exits import Exit, code_of
from hydrophone.cli.jsonlines import jsonable
from hydrophone.recorder.events import Event, Outcome, Progress, Result


def event_object(event: Event) -> dict[str, Any]:
    """An event as an object; `event` holds its kind: ``"resolved"``, ``"progress"``, ``"outcome"`` …"""
    body: dict[str, Any] = {"event": type(event).__name__.lower(), **jsonable(event)}
    if isinstance(event, Progress):
        body |= {"speed": round(event.speed, 2), "eta_seconds": event.eta_seconds}
    if isinstance(event, Outcome):
        body["exit_code"] = int(code_of_outcome(event))
    return body


def code_of_outcome(outcome: Outcome) -> Exit:
    """The exit code for the end of one recording."""
    if outcome.result is Result.FAILED:
        return code_of(outcome.error) if outcome.error else Exit.INTERNAL
    if outcome.result is Result.GAPS:
        return Exit.GAPS
    if outcome.result is Result.STOPPED and not (outcome.coverage and outcome.coverage.is_complete):
        return Exit.GAPS
    return Exit.DONE


def code_of_outcomes(outcomes: Iterable[Outcome]) -> Exit:
    """The exit code for many recordings: the first failure, else gaps if any has some, else done."""
    codes = [code_of_outcome(outcome) for outcome in outcomes]
    failures = [code for code in codes if code not in (Exit.DONE, Exit.GAPS)]
    return failures[0] if failures else max(codes, default=Exit.DONE)
