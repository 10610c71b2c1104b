"""Getting an item ready to be fetched again: what is damaged on the disk is forgotten, then the recorder goes on."""

from __future__ import annotations

from pathlib import Path

from hydrophone.archive import Take
from hydrophone.archive.item import is_item
from hydrophone.errors import ArchiveError


def forget_damaged(folder: Path) -> int:
    """Drop the segments of an item whose bytes are not those that were served. Returns how many. Blocks.

    Raises:
        ArchiveError: `folder` is no item.
        TakeInUseError: it is being recorded right now.
    """
    _check(folder)
    with Take.open(folder) as take:
        damaged = take.damaged()
        for epoch, sequence in damaged:
            take.drop(epoch, sequence, "damaged on the disk")
        return len(damaged)


def refetchable_link(folder: Path) -> str:
    """What to record to complete this item: its link, else its id.

    Raises:
        ArchiveError: the journal does not say.
    """
    _check(folder)
    with Take.open(folder) as take:
        link = str(take.header.get("link") or take.header.get("id") or "")
    if not link:
        raise ArchiveError(
            f"{folder}: the journal does not say what this is a recording of",
            advice="record the link again; what is good in the folder is kept",
        )
    return link


def _check(folder: Path) -> None:
    if not is_item(folder):
        raise ArchiveError(f"{folder}: no recording lies here", advice="name the folder of an item")
