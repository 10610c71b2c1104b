"""The one place where the command line writes: answers to stdout, trouble to stderr, all remote text made harmless."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from hydrophone.cli.exits import Exit, code_of
from hydrophone.cli.jsonlines import dumps, dumps_pretty, error_object
from hydrophone.errors import HydrophoneError

# Control characters move the cursor, bidi overrides reorder what a person reads, lone surrogates cannot be encoded.
_HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def safe(text: str, limit: int = 300) -> str:
    """One harmless line for a terminal: control, bidi and broken characters replaced, cut at `limit` characters."""
    line = _HARMFUL.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


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


def table(rows: Iterable[Sequence[str]], *, indent: int = 0) -> list[str]:
    """Rows as lines with aligned columns; the last column is left ragged."""
    cells = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*[row[:-1] for row in cells], strict=False)]
    return [
        " " * indent + "  ".join([*(c.ljust(w) for c, w in zip(row[:-1], widths, strict=True)), row[-1]]).rstrip()
        for row in cells
    ]


def _write(stream: TextIO, line: str) -> None:
    try:
        stream.write(line + "\n")
    except UnicodeEncodeError:  # a terminal that is not UTF-8: better a question mark than no line
        encoding = stream.encoding or "ascii"
        stream.write(line.encode(encoding, "replace").decode(encoding) + "\n")
    stream.flush()
