"""The journal: one line of JSON for each durable fact, readable by people and by any program.

Each line ends with a CRC-32 of what stands before it and carries its number, so that a torn, flipped, lost or repeated
line is noticed. The reader is total: it yields the good lines and names the bad ones, whatever the bytes are.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any

from hydrophone import __version__
from hydrophone.errors import ArchiveError, NewerSchemaError

JOURNAL_NAME = "journal.jsonl"
SCHEMA = 1
HEADER = "header"

#: No line of ours comes near; a longer one is damage and is skipped without being held in memory.
MAX_LINE_BYTES = 8 << 20

_TAIL = len(',"crc":"01234567"}')
_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_decode = json.JSONDecoder().decode


@dataclass(frozen=True, slots=True)
class Line:
    """One good line. `offset` and `size_bytes` say where it stands in the file, `number` counts from 0."""

    number: int
    offset: int
    size_bytes: int
    facts: Mapping[str, Any]

    @property
    def kind(self) -> str:
        return str(self.facts.get("kind", ""))


@dataclass(frozen=True, slots=True)
class Damage:
    """A stretch of the journal that is not what was written. `is_torn` when the file ends in the middle of a line."""

    offset: int
    size_bytes: int
    reason: str
    is_torn: bool = False


def instant_text(at: datetime) -> str:
    """An instant as the journal writes it: ``2026-01-22T18:00:03.250000Z``."""
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return f"{utc.replace(tzinfo=None).isoformat()}Z"


def quoted(text: str) -> str:
    """A text as JSON, ASCII only."""
    return _encode(text)


def build_facts(kind: str, at: datetime, facts: Mapping[str, Any]) -> bytes:
    """The beginning of a line, without number and check: what can be prepared before the line's turn comes.

    Raises:
        ArchiveError: a value that JSON does not know.
    """
    try:
        text = _encode({"t": instant_text(at), "kind": kind, **facts})
    except (TypeError, ValueError, RecursionError) as error:
        raise ArchiveError(f"a journal line cannot hold this: {error}") from None
    return text[:-1].encode("ascii")


def finish_line(facts: bytes, number: int, more: str = "") -> bytes:
    """The whole line: `facts` as prepared, then `more` (``,"name":value`` text), number, check and newline."""
    body = b'%s%s,"n":%d' % (facts, more.encode("ascii"), number)
    return b'%s,"crc":"%08x"}\n' % (body, zlib.crc32(body))


def header_line(at: datetime, facts: Mapping[str, Any]) -> bytes:
    """The first line of a journal."""
    return finish_line(build_facts(HEADER, at, {"schema": SCHEMA, "tool": f"hydrophone {__version__}", **facts}), 0)


def parse_line(raw: bytes) -> Mapping[str, Any] | None:
    """The facts of one line (with or without its newline), None if it is damaged. Never raises."""
    text = raw[:-1] if raw.endswith(b"\n") else raw
    if not _is_whole(text):
        return None
    try:
        facts = _decode(text.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(facts, dict) or type(facts.get("n")) is not int:
        return None
    return facts


def _is_whole(text: bytes) -> bool:
    """Does the check at the end of a line fit what stands before it?"""
    return text[-_TAIL:] == b',"crc":"%08x"}' % zlib.crc32(text[:-_TAIL])


def _number_of(raw: bytes) -> Mapping[str, Any] | None:
    """Of the facts of a whole line as `finish_line` writes it, the number alone; None if there is none."""
    text = raw[:-1]
    digits = text[:-_TAIL].rpartition(b',"n":')[2]
    return {"n": int(digits)} if digits.isdigit() and _is_whole(text) else None


def read_journal(file: IO[bytes], *, start: int = 0, without: str = "") -> Iterator[Line | Damage]:
    """Every line of the journal in order, good or damaged.

    Args:
        without: a kind of which no good lines are wanted, so that they need not be read in full.

    Raises:
        NewerSchemaError: the header says that a newer Hydrophone wrote this.
    """
    file.seek(start)
    offset = start
    expected: int | None = None if start else 0
    unwanted = b'"kind":"%s",' % without.encode("ascii") if without else b"\n"
    while raw := file.readline(MAX_LINE_BYTES):
        size = len(raw)
        is_wanted = not raw.startswith(unwanted, raw.find(b",") + 1)
        if not raw.endswith(b"\n"):
            size += _skip_line(file) if size == MAX_LINE_BYTES else 0
            is_torn = file.read(1) == b""
            file.seek(offset + size)
            yield Damage(offset, size, "the file ends within a line" if is_torn else "the line is too long", is_torn)
        elif (facts := parse_line(raw) if is_wanted else _number_of(raw)) is None:
            yield Damage(offset, size, "the line's check does not fit its text")
        else:
            number = int(facts["n"])
            if expected is not None and number < expected:
                yield Damage(offset, size, f"line {number} stands again where {expected} should")
            else:
                if expected is not None and number > expected:
                    yield Damage(
                        offset, 0, f"{number - expected} line(s) before number {number} are missing or damaged"
                    )
                expected = number + 1
                _refuse_newer(facts)
                if is_wanted:
                    yield Line(number, offset, size, facts)
        offset += size


def _skip_line(file: IO[bytes]) -> int:
    skipped = 0
    while piece := file.readline(1 << 16):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            break
    return skipped


def _refuse_newer(facts: Mapping[str, Any]) -> None:
    found = facts.get("schema")
    if facts.get("kind") == HEADER and isinstance(found, int) and found > SCHEMA:
        tool = facts.get("tool", "a newer Hydrophone")
        raise NewerSchemaError(
            f"this recording was written by {tool}, in schema {found}; known is {SCHEMA}",
            found=found,
            known=SCHEMA,
            advice="Update Hydrophone, then try again.",
        )
