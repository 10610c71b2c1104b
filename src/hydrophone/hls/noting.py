"""Problems of one playlist while it is read, so many and no more."""

from __future__ import annotations

from hydrophone.hls.playlist import Problem

MAX_PROBLEMS = 200
MAX_LINE_CHARACTERS = 64 * 1024
MAX_ENTRIES = 200_000

#: Ends of lines seen in the wild: blanks, CR of CR LF, and NUL from a broken writer.
BLANKS = " \t\r\0\x0b\x0c"


class Problems:
    """Collects problems; after `MAX_PROBLEMS` it only counts, so that a hostile list cannot fill the memory."""

    __slots__ = ("_count", "_list")

    def __init__(self) -> None:
        self._list: list[Problem] = []
        self._count = 0

    def add(self, line: int, text: str) -> None:
        self._count += 1
        if self._count <= MAX_PROBLEMS:
            self._list.append(Problem(line, text))

    def collected(self) -> tuple[Problem, ...]:
        """All problems in order; the last one says how many more there were."""
        if self._count > MAX_PROBLEMS:
            return (*self._list, Problem(0, f"and {self._count - MAX_PROBLEMS} more problems"))
        return tuple(self._list)
