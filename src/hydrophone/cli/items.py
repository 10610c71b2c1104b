"""Which items of the archive a command line means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from hydrophone.archive.item import find_item, find_items, is_item
from hydrophone.errors import NotFoundError


def items_named(names: Sequence[str], archive: Path) -> list[Path]:
    """The folders of the items: a name is an item's folder, a folder above items, or the id of a recording.

    No name means the whole archive.

    Raises:
        NotFoundError: a name leads to no item.
    """
    found = [path for name in names for path in _items_of(name, archive)] if names else _below(archive)
    if not found:
        raise NotFoundError(f"there are no recordings in {archive}", advice="Name another archive with --paths.")
    return list(dict.fromkeys(found))


def _items_of(name: str, archive: Path) -> Iterable[Path]:
    path = Path(name).expanduser()
    if path.is_file():
        path = path.parent
    if is_item(path):
        return [path]
    below = _below(path)
    if below:
        return below
    by_id = find_item(archive, name)
    if by_id is None:
        raise NotFoundError(
            f"{name!r} is no recording and holds none",
            advice=f"Name an item's folder, or the id of a recording in {archive}.",
        )
    return [by_id.path]


def _below(folder: Path) -> list[Path]:
    return [item.path for item in find_items(folder)]
