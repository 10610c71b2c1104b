"""Progress on a terminal: a row for each recording, with a bar for replays and a running clock for live ones."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.text import Text

from hydrophone.cli import lines, screen, wording
from hydrophone.recorder import events
from hydrophone.recorder.events import Event, Mode
from hydrophone.render.terminal import fit_text, text_width
from hydrophone.render.times import duration_text, instant_text, share_text, speed_text

_TITLE_WIDTH = 28


class Bars:
    """The listener of terminals. Everything rare is a line above the rows."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._rows = Progress(
            SpinnerColumn(finished_text="✓"),
            # markup=False: a title like "[red]" is a title.
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[facts]}", markup=False),
            console=self._console,
            refresh_per_second=5,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._rows.start()

    def __call__(self, event: Event) -> None:
        if isinstance(event, events.Progress):
            self._advance(event)
        elif isinstance(event, events.Outcome):
            self._end(event)
        else:
            if isinstance(event, events.Resolved):
                self._row(event.key, event.title)
            self._line(lines.sentence(event), _style_of(event))
            if isinstance(event, events.Waiting | events.Finishing):
                self._facts(event.key, _activity(event))

    def note(self, text: str) -> None:
        self._line(text, "yellow")

    def close(self) -> None:
        self._rows.stop()

    def _advance(self, event: events.Progress) -> None:
        is_live = event.mode is Mode.LIVE
        self._rows.update(
            self._row(event.key, event.key),
            total=None if is_live else max(event.expected, event.segments),
            completed=event.segments,
            facts=facts(event),
        )

    def _end(self, event: events.Outcome) -> None:
        if event.key in self._tasks:
            self._rows.remove_task(self._tasks.pop(event.key))
        style = "green" if event.result is events.Result.COMPLETE else "yellow"
        if event.result is not events.Result.FAILED and event.title:
            self._line(screen.safe(event.title, 120), "bold")
        lines.report_end(event, lambda line: self._line(line, style))

    def _row(self, key: str, title: str) -> TaskID:
        if key not in self._tasks:
            name = fit_text(title, _TITLE_WIDTH)
            name += " " * (_TITLE_WIDTH - text_width(name))  # wide characters count two
            self._tasks[key] = self._rows.add_task(name, total=None, facts="")
        return self._tasks[key]

    def _facts(self, key: str, text: str) -> None:
        self._rows.update(self._row(key, key), facts=text)

    def _line(self, text: str, style: str) -> None:
        self._console.print(Text(text, style=style), soft_wrap=True)


def facts(event: events.Progress) -> str:
    """The numbers beside a bar."""
    held = duration_text(event.seconds)
    if event.mode is Mode.LIVE:
        covered = share_text(wording.covered(event))
        parts = [
            f"live {duration_text(event.elapsed_seconds)}",
            f"{held} held",
            covered,
            f"{event.missing:,} not here yet",
        ]
        parts += [] if event.listeners is None else [f"{event.listeners:,} listening"]
    else:
        speed = speed_text(event.seconds, event.elapsed_seconds)
        parts = [f"{event.segments:,}/{event.expected:,}", held, speed, f"{event.missing:,} missing"]
        parts += [f"ETA {duration_text(event.eta_seconds)}"]
    return "  ".join(parts)


def _activity(event: events.Waiting | events.Finishing) -> str:
    if isinstance(event, events.Waiting):
        return f"waiting until {instant_text(event.until)}"
    return f"making {screen.safe(event.step, 60)}"


def _style_of(event: Event) -> str:
    if isinstance(event, events.Notice) and event.level == "warning":
        return "yellow"
    return "bold" if isinstance(event, events.Resolved) else "dim"
