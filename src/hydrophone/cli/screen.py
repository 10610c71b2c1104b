"""The one place where the command line writes: answers to stdout, trouble to stderr, all remote text made harmless."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from hydrophone.cli.exits import Exit, code_of
from hydrophone.cli.jsonlines import dumps, dumps_pretty, error_object
from hydrophone.errors import HydrophoneError
from hydrophone.render.terminal import fit_text, text_width


def safe(text: str, columns: int = 300) -> str:
    """One harmless line for a terminal, cut to so many columns."""
    return fit_text(text, columns)


def say(line: str = "") -> None:
    """An answer. What came from outside must have gone through `safe`."""
    _write(sys.stdout, line)


def say_json(value: Any, *, pretty: bool = False) -> None:
    """An answer for a program."""
    _write(sys.stdout, dumps_pretty(value) if pretty else dumps(value))


def complain(error: BaseException, *, as_json: bool) -> Exit:
    """Report an error on stderr as `error:` and `advice:` lines, or as one JSON object; return the exit code."""
    code = code_of(error)
    if as_json:
        _write(sys.stderr, dumps({"error": error_object(error)}))
        return code
    _write(sys.stderr, f"error: {safe(message_of(error), 1000)}")
    advice = advice_of(error)
    if advice:
        _write(sys.stderr, f"advice: {safe(advice, 1000)}")
    return code


def warn(line: str) -> None:
    """A line on stderr."""
    _write(sys.stderr, line)


def message_of(error: BaseException) -> str:
    """What went wrong, never empty."""
    if isinstance(error, HydrophoneError):
        return error.message or type(error).__name__
    if isinstance(error, KeyboardInterrupt):
        return "aborted"
    if isinstance(error, OSError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def advice_of(error: BaseException) -> str:
    """What a person can do about it; may be empty."""
    if isinstance(error, HydrophoneError):
        return error.advice
    if isinstance(error, OSError | KeyboardInterrupt):
        return ""
    return "This is a mistake in Hydrophone. Run it again with -vv and report what it says."


def table(rows: Iterable[Sequence[str]]) -> list[str]:
    """Rows as lines with aligned columns; the last column is left ragged."""
    cells = [list(row) for row in rows]
    widths = [max(map(text_width, column)) for column in zip(*[row[:-1] for row in cells], strict=True)]
    return ["  ".join([*map(_padded, row[:-1], widths), row[-1]]).rstrip() for row in cells]


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - text_width(text))


def _write(stream: TextIO, line: str) -> None:
    try:
        stream.write(line + "\n")
    except UnicodeEncodeError:  # a terminal that is not UTF-8: better a question mark than no line
        encoding = stream.encoding or "ascii"
        stream.write(line.encode(encoding, "replace").decode(encoding) + "\n")
    stream.flush()
