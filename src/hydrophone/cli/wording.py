"""A recording's events and gaps as phrases for people."""

from __future__ import annotations

from hydrophone.cli.screen import safe
from hydrophone.model import Coverage, Gap
from hydrophone.recorder.events import Mode, Outcome, Progress, Resolved, Result, Started
from hydrophone.render.times import duration_text, instant_text, share_text, size_text, speed_text

SHOWN_GAPS = 10


def count(number: int, noun: str) -> str:
    """``1 gap``, ``2 gaps``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def progress_line(progress: Progress) -> str:
    """Where a recording stands."""
    held = f"{duration_text(progress.seconds)} held, {size_text(progress.size_bytes)}"
    if progress.mode is Mode.LIVE:
        missing = f"{count(progress.missing, 'segment')} not here yet"
        listeners = "" if progress.listeners is None else f", {count(progress.listeners, 'listener')}"
        share = f"{share_text(covered(progress))} covered"
        return f"live {duration_text(progress.elapsed_seconds)}: {held}, {missing}, {share}{listeners}"
    eta = "" if progress.eta_seconds is None else f", {duration_text(progress.eta_seconds)} to go"
    missing = count(progress.missing, "segment") + " missing"
    done = f"{progress.segments:,} of {progress.expected:,} segments"
    return f"{done}: {held}, {speed_text(progress.seconds, progress.elapsed_seconds)}, {missing}{eta}"


def covered(progress: Progress) -> float:
    """The share of the known segments that is here."""
    known = max(progress.expected, progress.segments + progress.missing)
    return 1 - progress.missing / known if known else 1.0


def resolved_line(event: Resolved) -> str:
    """What a link turned out to be."""
    who = f" by @{safe(event.creator, 40)}" if event.creator else ""
    when = f", scheduled for {instant_text(event.scheduled_at)}" if event.scheduled_at and not event.started_at else ""
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
    speed = speed_text(outcome.duration_seconds, outcome.elapsed_seconds)
    gaps = count(len(coverage.gaps), "gap") if coverage and coverage.gaps else "no gaps"
    share = f", {share_text(coverage.share)}" if coverage else ""
    lines = [
        f"{outcome.result}: {duration_text(outcome.duration_seconds)} in {duration_text(outcome.elapsed_seconds)} "
        f"({speed}){share}, {gaps}"
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
    return f"{duration_text(gap.begin_seconds)} to {duration_text(gap.end_seconds)} ({segments}): {gap.cause}, {tries}"
