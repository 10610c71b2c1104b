"""Numbers, lengths and events as phrases for people."""

from __future__ import annotations

from datetime import UTC, datetime

from hydrophone.cli.screen import safe
from hydrophone.model import Coverage, Gap
from hydrophone.recorder.events import Mode, Outcome, Progress, Resolved, Result, Started

_UNITS = ("B", "kB", "MB", "GB", "TB")
SHOWN_GAPS = 10


def clock(seconds: float | None) -> str:
    """A length as h:mm:ss."""
    if seconds is None:
        return "-:--:--"
    whole = max(0, int(seconds))
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def size(size_bytes: float) -> str:
    """A size with a decimal unit."""
    for unit in _UNITS:
        if size_bytes < 1000 or unit == _UNITS[-1]:
            return f"{size_bytes:.0f} {unit}" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    raise AssertionError


def instant(at: datetime | None) -> str:
    """An instant in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at else "unknown"


def count(number: int, noun: str) -> str:
    """``1 gap``, ``2 gaps``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(share: float) -> str:
    """A share; never rounded up to 100 % when something is missing."""
    return f"{min(share * 100, 99.9 if share < 1 else 100):.1f} %"


def progress_line(progress: Progress) -> str:
    """Where a recording stands."""
    held = f"{clock(progress.seconds)} held, {size(progress.size_bytes)}"
    missing = count(progress.missing, "segment") + " missing"
    if progress.mode is Mode.LIVE:
        listeners = "" if progress.listeners is None else f", {count(progress.listeners, 'listener')}"
        share = f"{percent(covered(progress))} covered"
        return f"live {clock(progress.elapsed_seconds)}: {held}, {missing}, {share}{listeners}"
    eta = "" if progress.eta_seconds is None else f", {clock(progress.eta_seconds)} to go"
    done = f"{progress.segments:,} of {progress.expected:,} segments"
    return f"{done}: {held}, {progress.speed:.0f}x, {missing}{eta}"


def covered(progress: Progress) -> float:
    """The share of the known segments that is not given up."""
    known = max(progress.expected, progress.segments + progress.missing)
    return 1 - progress.missing / known if known else 1.0


def resolved_line(event: Resolved) -> str:
    """What a link turned out to be."""
    who = f" by @{safe(event.creator, 40)}" if event.creator else ""
    when = f", scheduled for {instant(event.scheduled_at)}" if event.state == "scheduled" else ""
    return f'"{safe(event.title, 120)}"{who}: {event.state}{when}'


def started_line(event: Started) -> str:
    """Where a recording goes."""
    again = f", continuing after {count(event.resumed_segments, 'segment')}" if event.resumed_segments else ""
    return f"recording ({event.mode}) into {safe(str(event.directory), 500)}{again}"


def outcome_lines(outcome: Outcome) -> list[str]:
    """The end of a recording: one line, then its gaps, then where it is."""
    if outcome.result is Result.FAILED:
        return []  # the error says it all
    coverage = outcome.coverage
    speed = outcome.duration_seconds / outcome.elapsed_seconds if outcome.elapsed_seconds > 0 else 0.0
    gaps = count(len(coverage.gaps), "gap") if coverage and coverage.gaps else "no gaps"
    share = f", {percent(coverage.share)}" if coverage else ""
    lines = [
        f"{outcome.result}: {clock(outcome.duration_seconds)} in {clock(outcome.elapsed_seconds)} "
        f"({speed:.0f}x){share}, {gaps}"
    ]
    lines += gap_lines(coverage)
    place = outcome.media or outcome.directory
    return [*lines, f"  {safe(str(place), 500)}"] if place else lines


def gap_lines(coverage: Coverage | None) -> list[str]:
    """The first gaps, one line each."""
    gaps = coverage.gaps if coverage else ()
    lines = [f"  missing {gap_text(gap)}" for gap in gaps[:SHOWN_GAPS]]
    hidden = len(gaps) - SHOWN_GAPS
    return [*lines, f"  and {hidden:,} more; space.json names all"] if hidden > 0 else lines


def gap_text(gap: Gap) -> str:
    """One gap: where, how much, why."""
    segments = count(gap.last - gap.first + 1, "segment")
    tries = count(gap.attempts, "attempt")
    return f"{clock(gap.begin_seconds)} to {clock(gap.end_seconds)} ({segments}): {gap.cause}, {tries}"
