"""Finds the marked code in the pages: ``<!-- run … -->`` before commands, ``<!-- test: sandbox -->`` before Python."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(
    r"<!-- (?P<mark>run|test)(?:: (?P<how>[^>]*?))? -->\n```(?P<language>\w+)\n(?P<code>.*?)```", re.DOTALL
)


@dataclass(frozen=True)
class Snippet:
    page: str
    number: int
    mark: str
    how: str
    language: str
    code: str

    @property
    def commands(self) -> list[str]:
        """The lines that a user types."""
        return [line[2:] for line in self.code.splitlines() if line.startswith("$ ")]

    @property
    def shown(self) -> list[str]:
        """The lines that the user is to see after the one command of this snippet."""
        return self.code.splitlines()[1:]


def snippets_of(page: Path) -> list[Snippet]:
    """The marked code of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Snippet(str(page.relative_to(ROOT)), number, m["mark"], m["how"] or "", m["language"], m["code"])
        for number, m in enumerate(_BLOCK.finditer(text), 1)
    ]


def pages() -> Iterator[Path]:
    """Every page for people."""
    yield ROOT / "README.md"
    yield from sorted((ROOT / "docs").rglob("*.md"))
