"""Listeners for a broadcast's events: a line for each target on a terminal, lines in a pipe, JSON, or silence."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from hydrophone.broadcasting.events import (
    BroadcastEvent,
    Connected,
    Lost,
    Notice,
    Opened,
    Published,
    Sending,
    Sent,
    TargetOutcome,
)
from hydrophone.cli import screen
from hydrophone.cli.exits import Exit, code_of
from hydrophone.cli.jsonlines import jsonable
from hydrophone.render.times import duration_text, size_text

PLAIN_SECONDS = 10.0
_WAYS = {"copy": "as it is", "encode": "encoded", "still": "a still picture", "none": "none"}


class OnAirLines:
    """One listener for all kinds of output.

    Args:
        every_seconds: between two lines of progress for one target.
    """

    def __init__(
        self,
        *,
        as_json: bool,
        quiet: bool,
        is_terminal: bool | None = None,
        every_seconds: float = PLAIN_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._as_json, self._quiet, self._every, self._now = as_json, quiet, every_seconds, now
        is_live = sys.stdout.isatty() if is_terminal is None else is_terminal
        self._is_terminal = is_live and not as_json and not quiet
        self._said_at: dict[str, float] = {}
        self._status: dict[str, str] = {}

    def __call__(self, event: BroadcastEvent) -> None:
        if self._as_json:
            screen.say_json(event_object(event))
        elif isinstance(event, TargetOutcome):
            self._end(event)
        elif self._quiet:
            return
        elif isinstance(event, Sending):
            self._progress(event)
        else:
            self._line(sentence(event))

    def note(self, text: str) -> None:
        """Something about the command itself, e.g. that Ctrl-C was heard."""
        if self._as_json:
            screen.say_json({"event": "note", "text": text})
        elif not self._quiet:
            self.close()
            screen.warn(text)

    def close(self) -> None:
        """Leave the line of progress as it is and begin a new one."""
        if self._is_terminal and self._status:
            sys.stdout.write("\n")
            self._status.clear()

    def _end(self, outcome: TargetOutcome) -> None:
        if outcome.error is not None:
            self.close()
            screen.complain(outcome.error, as_json=False)
        elif not self._quiet:
            self._line(outcome_line(outcome))

    def _progress(self, event: Sending) -> None:
        if self._is_terminal:
            self._status[event.target] = progress_line(event)
            text = screen.safe(" | ".join(self._status.values()), 160)
            sys.stdout.write(f"\r\x1b[2K{text}")
            sys.stdout.flush()
            return
        now = self._now()
        if now - self._said_at.get(event.target, float("-inf")) >= self._every:
            self._said_at[event.target] = now
            screen.say(progress_line(event))

    def _line(self, text: str) -> None:
        self.close()
        screen.say(text)


def sentence(event: Opened | Connected | Lost | Published | Notice) -> str:
    """A rare event in words."""
    match event:
        case Opened():
            return f"playing {screen.safe(event.source, 120)}: sound {_WAYS[event.audio]}, picture {_WAYS[event.video]}"
        case Connected():
            return f"[{screen.safe(event.target, 80)}] {'connected again' if event.reconnects else 'connected'}"
        case Lost():
            when = f"next try in {event.retry_seconds:.0f} s"
            return f"[{screen.safe(event.target, 80)}] lost: {screen.safe(event.reason, 200)}; {when}"
        case Published():
            return f"[{screen.safe(event.target, 80)}] public: {screen.safe(event.share_url, 200)}"
        case Notice():
            return screen.safe(event.text, 300)


def progress_line(event: Sending) -> str:
    """Where one target stands."""
    state = f"{event.bitrate_bps / 1000:,.0f} kbit/s" if event.is_connected else "away"
    missed = f", {duration_text(event.missed_seconds)} missed" if event.missed_seconds else ""
    again = f", {event.reconnects} reconnects" if event.reconnects else ""
    return f"[{screen.safe(event.target, 80)}] {duration_text(event.seconds)} sent, {state}{missed}{again}"


def outcome_line(outcome: TargetOutcome) -> str:
    """The end for one target."""
    missed = f", {duration_text(outcome.missed_seconds)} missed" if outcome.missed_seconds else ""
    again = f", {outcome.reconnects} reconnects" if outcome.reconnects else ""
    size = size_text(outcome.size_bytes)
    return (
        f"[{screen.safe(outcome.target, 80)}] {outcome.result}: {duration_text(outcome.seconds)}, {size}{missed}{again}"
    )


def event_object(event: BroadcastEvent) -> dict[str, Any]:
    """An event as an object; `event` holds its kind: ``"connected"``, ``"sending"``, ``"outcome"`` …"""
    name = "outcome" if isinstance(event, TargetOutcome) else type(event).__name__.lower()
    body: dict[str, Any] = {"event": name, **jsonable(event)}
    if isinstance(event, TargetOutcome):
        body["exit_code"] = int(code_of_target(event))
    return body


def code_of_target(outcome: TargetOutcome) -> Exit:
    """The exit code for one target."""
    if outcome.result is Sent.FAILED:
        return code_of(outcome.error) if outcome.error else Exit.INTERNAL
    return Exit.GAPS if outcome.missed_seconds else Exit.DONE


def code_of_targets(outcomes: Iterable[TargetOutcome]) -> Exit:
    """The exit code for all: the first failure, else gaps if there are some, else done."""
    codes = [code_of_target(outcome) for outcome in outcomes]
    failures = [code for code in codes if code not in (Exit.DONE, Exit.GAPS)]
    return failures[0] if failures else max(codes, default=Exit.DONE)
