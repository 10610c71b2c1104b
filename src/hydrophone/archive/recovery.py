"""Bring a take back to its last acknowledged line after whatever happened. Doing it twice is doing it once."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from hydrophone.archive.batch import copy_journal
from hydrophone.archive.durable import Disk, disk_errors, make_directory, remove_leftovers, write_file
from hydrophone.archive.index import ORIGINAL
from hydrophone.archive.journal import JOURNAL_NAME, header_line
from hydrophone.archive.layout import Layout, implied_layout
from hydrophone.archive.lock import TakeLock
from hydrophone.archive.state import (
    CUT,
    DROPPED,
    ID_NAME,
    WORK_FOLDER,
    TakeState,
    load_state,
    media_logs,
    media_path,
)

Notes = list[tuple[str, Mapping[str, Any]]]


def recover(
    directory: Path, create_facts: Mapping[str, Any], *, now: datetime, disk: Disk
) -> tuple[TakeLock, TakeState, Notes]:
    """Lock the take in `directory`, create or repair its files, and load it.

    The notes are what the journal must say before anything else is written.
    """
    work = directory / WORK_FOLDER
    make_directory(work, disk=disk)
    lock = TakeLock(work, disk=disk)
    try:
        remove_leftovers(directory, disk=disk)
        # Not those of the id: it is written before there is a lock, so one may belong to a process that lives.
        remove_leftovers(work, but=ID_NAME, disk=disk)
        state, is_new = _load_or_create(directory, create_facts, now, disk)
        notes = settle(directory, state)
        if notes and not state.layouts and (original := find_original(directory)) is not None:
            # It may hold what we cannot find any more. It is kept, so that no new original overwrites it.
            _set_aside(original, disk)
        if not is_new:
            _cut_tails(directory, state, disk)
    except BaseException:
        lock.release()
        raise
    return lock, state, notes


def _load_or_create(
    directory: Path, create_facts: Mapping[str, Any], now: datetime, disk: Disk
) -> tuple[TakeState, bool]:
    journal = directory / JOURNAL_NAME
    if journal.exists():
        state = load_state(directory)
        if state.lines:
            return state, False
        _set_aside(journal, disk)
    # Bytes without a journal say nothing about themselves. They are kept, but not counted.
    for number in media_logs(directory):
        _set_aside(media_path(directory, number), disk)
    write_file(journal, header_line(now, create_facts), disk=disk)
    return load_state(directory), True


def _set_aside(path: Path, disk: Disk) -> None:
    with disk_errors(path):
        number = 1
        while (aside := path.with_name(f"{path.name}.unreadable-{number}")).exists():
            number += 1
        disk.replace(path, aside)
        disk.sync_directory(path.parent)


def settle(directory: Path, state: TakeState, *, prefers_original: bool = False) -> Notes:
    """Find out where the bytes of each held segment are, and stop holding those whose bytes are gone.

    Changes `state`, not the disk. As long as the media logs are there they are preferred to the finished original,
    unless told otherwise. What comes back is what the journal should say about it.
    """
    notes: Notes = []
    logs = media_logs(directory)
    if prefers_original or any(logs.get(number, -1) < end for number, end in _ends(state).items()):
        notes += _turn_to_original(directory, state, logs)
    for number in sorted(_ends(state).keys() - {ORIGINAL}):
        size = logs.get(number, 0)
        lost = state.beyond(number, size)
        if lost:
            for epoch, sequence in lost:
                state.index.drop(epoch, sequence)
            notes.append((CUT, {"file": number, "size": size, "segments": len(lost)}))
    state.media_end = _ends(state).get(state.media_number, 0)
    return notes


def _ends(state: TakeState) -> dict[int, int]:
    """Where the last byte that is held ends in each file."""
    files, offsets, lengths = state.index.files, state.index.offsets, state.index.lengths
    ends: dict[int, int] = {}
    for _, _, row in state.index:
        ends[files[row]] = max(ends.get(files[row], 0), offsets[row] + lengths[row])
    return ends


def _turn_to_original(directory: Path, state: TakeState, logs: Mapping[int, int]) -> Notes:
    """Find the segments in the original, if there is one, and hold those no longer that it is too short for."""
    notes: Notes = []
    layout, size = find_layout(directory, state)
    if layout is None:
        return notes
    state.read_from_original(layout)
    for epoch, sequence in state.beyond(ORIGINAL, size):
        state.index.drop(epoch, sequence)
        notes.append((DROPPED, {"epoch": epoch, "seq": sequence, "reason": f"{layout.name} is shorter"}))
    if layout.media_number not in logs and state.media_number == layout.media_number:
        state.media_number, state.media_end = layout.media_number + 1, 0
    return notes


def find_layout(directory: Path, state: TakeState) -> tuple[Layout | None, int]:
    """The layout that the original on the disk has, and that file's size. None where there is none, or none fits.

    If the announcement of an original is damaged, the length of the file still tells whether it holds all there is.
    """
    path = directory / state.layouts[-1].name if state.layouts else find_original(directory)
    if path is None:
        return None, 0
    size = path.stat().st_size if path.is_file() else 0
    fitting = [layout for layout in state.layouts if layout.size_bytes == size]
    if len(fitting) > 1:
        with disk_errors(path), path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        fitting = [layout for layout in fitting if layout.sha256 == digest] or fitting
    if not fitting and size and size == state.index.total_bytes:
        state.layouts.append(implied_layout(path.name, state.index, state.media_number))
        return state.layouts[-1], size
    return ((fitting or state.layouts)[-1], size) if state.layouts else (None, 0)


def find_original(directory: Path) -> Path | None:
    """The original that is there, whatever its extension; None if there is none."""
    found = sorted(path for path in directory.glob("original.*") if path.is_file() and "unreadable" not in path.name)
    return found[0] if found else None


def _cut_tails(directory: Path, state: TakeState, disk: Disk) -> None:
    journal = directory / JOURNAL_NAME
    if sys.platform == "win32":
        _cut(journal, state.journal_end, disk)  # a file that somebody reads cannot be replaced there
    else:
        # What we have just read may only be in memory: the last run may have died before its sync, or after a sync that
        # failed. A new file makes it certain.
        copy_journal(journal, state.journal_end, disk=disk)
    path = media_path(directory, state.media_number)
    if path.exists():
        _cut(path, state.media_end, disk)


def _cut(path: Path, size: int, disk: Disk) -> None:
    with disk_errors(path):
        fd = disk.open(path, os.O_WRONLY)
        try:
            if path.stat().st_size > size:
                disk.truncate(fd, size)
            disk.sync(fd)
        finally:
            disk.close(fd)
