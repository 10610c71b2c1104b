"""Tables for spreadsheets: CSV that opens as data and never as a formula.

A spreadsheet runs a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line end. Such text gets an
apostrophe in front, which spreadsheets take as "this is text"; and text that already begins with an apostrophe gets
one more, so that `plain_cell` can take exactly one away again. Numbers are written as they are.

Source: OWASP, "CSV Injection"; RFC 4180 (lines end in CR LF there; here in LF, which every reader takes).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from hydrophone.model import AudienceSample
from hydrophone.render.jsontext import sound_text
from hydrophone.render.times import instant_text

Cell = str | int | float | None

# Full-width forms, too: some spreadsheets read them as their plain relatives.
RISKY = ("=", "+", "-", "@", "\t", "\n", "＝", "＋", "－", "＠", "'")


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A CSV document. None becomes an empty cell."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([safe_cell(cell) if isinstance(cell, str) else cell for cell in row])
    return out.getvalue()


def safe_cell(text: str) -> str:
    """`text` as a cell that no spreadsheet runs; line ends become line feeds, and NUL (readers choke on it) ``�``."""
    # A carriage return alone would stay without quotes, and readers would take it for the end of the row.
    text = sound_text(text).replace("\0", "�").replace("\r\n", "\n").replace("\r", "\n")
    return "'" + text if text.lstrip(" \u00a0\u3000").startswith(RISKY) else text


def plain_cell(cell: str) -> str:
    """The text that `safe_cell` was given, apart from line ends and NUL."""
    return cell.removeprefix("'")


def audience_csv(samples: Iterable[AudienceSample]) -> str:
    """``audience.csv`` of an item: one line per sample, instants in UTC, empty where the service did not say."""
    rows = ((instant_text(sample.at), sample.listeners, sample.participants, sample.speakers) for sample in samples)
    return csv_text(("at", "listeners", "participants", "speakers"), rows)
