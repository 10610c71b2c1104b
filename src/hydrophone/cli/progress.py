"""Who listens to a recording's events: bars on a terminal, lines in a pipe, JSON lines for programs, or silence."""

from __future__ import annotations

import sys
from typing import Protocol

from hydrophone.cli.lines import JsonLines, PlainLines, Silence
from hydrophone.recorder.events import Event


class Listener(Protocol):
    """Hears every event; `close` is called once at the end, whatever happened."""

    def __call__(self, event: Event) -> None: ...
    def note(self, text: str) -> None: ...
    def close(self) -> None: ...


def listener_for(*, as_json: bool, quiet: bool, is_terminal: bool | None = None) -> Listener:
    """The listener that suits the flags and where stdout leads."""
    if as_json:
        return JsonLines()
    if quiet:
        return Silence()
    if sys.stdout.isatty() if is_terminal is None else is_terminal:
        from hydrophone.cli.bars import Bars  # rich is needed for bars alone

        return Bars()
    return PlainLines()
