"""Combinations of options, few enough to try them all: each pair of two values occurs in one of them."""

from __future__ import annotations

import itertools
from typing import Any


def pairwise(options: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Choices so that each pair of values of any two options occurs together (greedy)."""
    names = list(options)
    missing = {
        (a, i, b, j)
        for a, b in itertools.combinations(names, 2)
        for i in range(len(options[a]))
        for j in range(len(options[b]))
    }
    rows = []
    while missing:
        a, i, b, j = next(iter(sorted(missing)))
        row = {a: i, b: j}
        for name in names:
            if name not in row:
                gains = [
                    sum((x, row[x], name, k) in missing or (name, k, x, row[x]) in missing for x in row)
                    for k in range(len(options[name]))
                ]
                row[name] = gains.index(max(gains))
        missing -= {(x, row[x], y, row[y]) for x, y in itertools.combinations(names, 2)}
        rows.append({name: options[name][k] for name, k in row.items()})
    return rows


def lists_of(names: tuple[str, ...]) -> list[str]:
    """Nothing, everything, and groups of four, so that each name is also asked for without most others."""
    return ["", ",".join(names), *(",".join(names[start : start + 4]) for start in range(0, len(names), 4))]
