"""Finding items by their ids again and again, without looking through the whole archive each time.

With thousands of recordings that begin together, one look through the archive for each would cost more than everything
else: the work grows with the square of their number.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hydrophone.archive.item import Item, find_items

KEEP_SECONDS = 10.0


@dataclass(slots=True)
class _Seen:
    """One look through an archive: folders by saved id, and those that only their name tells."""

    at: float
    by_id: dict[str, Path] = field(default_factory=dict)
    nameless: list[Path] = field(default_factory=list)


class ItemFinder:
    """What `find_item` finds, for many who ask; safe to share between threads.

    A look is believed for `keep_seconds`. So an item that *another* process makes meanwhile, for the same id under
    another title, may be overlooked; the item of this process is known through `made`.
    """

    def __init__(self, *, keep_seconds: float = KEEP_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._keep_seconds = keep_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[Path, _Seen] = {}

    def find(self, archive: Path, item_id: str) -> Item | None:
        """The item of a Space or broadcast by its id; None if there is none."""
        with self._lock:
            seen = self._seen.get(archive)
            is_fresh = seen is not None and self._clock() - seen.at < self._keep_seconds
            if seen is None or not is_fresh:
                seen = self._look(archive)
            path = seen.by_id.get(item_id)
            if path is not None and is_fresh and Item(path).saved_id() != item_id:
                seen = self._look(archive)  # it was moved or removed meanwhile
                path = seen.by_id.get(item_id)
            if path is None:
                ending = f"[{item_id}]"
                path = next((found for found in seen.nameless if found.name.endswith(ending)), None)
        return Item(path) if path is not None else None

    def made(self, archive: Path, item: Item, item_id: str) -> None:
        """This process has just made an item."""
        with self._lock:
            seen = self._seen.get(archive)
            if seen is not None:
                seen.by_id[item_id] = item.path

    def _look(self, archive: Path) -> _Seen:
        seen = self._seen[archive] = _Seen(self._clock())
        for item in find_items(archive):
            saved = item.saved_id()
            if saved is None:
                seen.nameless.append(item.path)
            else:
                seen.by_id.setdefault(saved, item.path)
        return seen
