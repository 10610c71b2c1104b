"""A recording's events as lines: plain ones for a pipe, JSON for programs, or none but those about what went wrong."""

from __future__ import annotations

import time
from collections.abc import Callable

from hydrophone.cli import screen, wording
from hydrophone.cli.outcomes import event_object
from hydrophone.recorder.events import Event, Finishing, Notice, Outcome, Progress, Resolved, Started, Waiting
from hydrophone.render.times import instant_text

#: In a pipe or a log file, one line of progress for each recording this often is plenty.
PLAIN_SECONDS = 10.0


def report_end(outcome: Outcome, say: Callable[[str], None]) -> None:
    """The end of a recording in words; a failure goes to stderr with its advice."""
    if outcome.error is not None:
        screen.warn(f"{screen.safe(outcome.link, 200)}:")
        screen.complain(outcome.error, as_json=False)
    for line in wording.outcome_lines(outcome):
        say(line)


class JsonLines:
    """Each event as one line of JSON on stdout."""

    def __call__(self, event: Event) -> None:
        screen.say_json(event_object(event))

    def note(self, text: str) -> None:
        screen.say_json({"event": "note", "text": text})

    def close(self) -> None:
        """Every line is out already."""


class Silence:
    """Only what went wrong."""

    def __call__(self, event: Event) -> None:
        if isinstance(event, Outcome) and event.error is not None:
            report_end(event, screen.say)

    def note(self, text: str) -> None:
        """Nobody asked."""

    def close(self) -> None:
        """Nothing was opened."""


class PlainLines:
    """Lines for a pipe: each change at once, progress every `PLAIN_SECONDS` for each recording."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._said_at: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, Outcome):
            self._said_at.pop(event.key, None)
            report_end(event, lambda line: self._say(event.key, line))
        elif isinstance(event, Progress):
            if self._is_due(event.key):
                self._say(event.key, wording.progress_line(event))
        else:
            self._say(event.key, sentence(event))

    def note(self, text: str) -> None:
        screen.warn(text)

    def close(self) -> None:
        """Every line is out already."""

    def _is_due(self, key: str) -> bool:
        now = self._now()
        if now - self._said_at.get(key, float("-inf")) < PLAIN_SECONDS:
            return False
        self._said_at[key] = now
        return True

    def _say(self, key: str, text: str) -> None:
        screen.say(f"[{screen.safe(key, 40)}] {text}")


def sentence(event: Resolved | Waiting | Started | Notice | Finishing) -> str:
    """A rare event in words."""
    match event:
        case Resolved():
            return wording.resolved_line(event)
        case Waiting():
            return f"waiting: {screen.safe(event.reason)}; next look at {instant_text(event.until)}"
        case Started():
            return wording.started_line(event)
        case Notice():
            return f"{event.level}: {screen.safe(event.text)}"
        case Finishing():
            return f"making {screen.safe(event.step, 60)}"
