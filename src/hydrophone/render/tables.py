"""A plain table for pipes and logs: columns in line, whatever script the cells are written in."""

from __future__ import annotations

from collections.abc import Sequence

from hydrophone.render.terminal import fit_text, text_width

MAX_COLUMN = 60


def plain_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """The rows under their header, two blanks between columns; `right` names the columns that stand at the right.

    Cells are remote text: what a terminal would obey is taken out, and what is longer than 60 columns is cut.
    """
    cells = [[fit_text(cell, MAX_COLUMN) for cell in row] for row in (header, *rows)]
    count = max(map(len, cells))
    for row in cells:
        row.extend([""] * (count - len(row)))
    widths = [max(text_width(row[n]) for row in cells) for n in range(count)]
    rule = ["-" * width for width in widths]
    lines = [_line(row, widths, right) for row in (cells[0], rule, *cells[1:])]
    return "\n".join(lines) + "\n"


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> str:
    padded = []
    for n, (cell, width) in enumerate(zip(row, widths, strict=True)):
        blanks = " " * (width - text_width(cell))
        padded.append(blanks + cell if n in right else cell + blanks)
    return "  ".join(padded).rstrip()
