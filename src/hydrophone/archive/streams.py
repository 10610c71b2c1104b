"""Stream URLs of Spaces that were seen live, kept outside the archive.

A stream URL may still work when the service offers no replay, so it is saved the moment it is seen. Whoever has it can
listen: the file is readable by its owner only, and the URL goes into no journal, log or export.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from hydrophone.archive.durable import DISK, SECRET_MODE, Disk, disk_errors, make_directory, write_file
from hydrophone.archive.journal import build_facts, finish_line, parse_line

#: The file is written anew when it has grown beyond this; only the newest line for each Space stays.
COMPACT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class SeenStream:
    """A stream URL and when it was seen."""

    url: str = field(repr=False)
    seen_at: datetime


class StreamStore:
    """The URLs, in one file for all processes of a user.

    Args:
        path: e.g. ``streams.jsonl`` in the state folder of the user, never inside the archive.
    """

    def __init__(self, path: Path, *, disk: Disk = DISK) -> None:
        self._path = path
        self._disk = disk
        self._mutex = threading.Lock()
        make_directory(path.parent, disk=disk)
        self._lock = FileLock(path.with_name(path.name + ".lock"), thread_local=False)

    def remember(self, space_id: str, url: str, *, seen_at: datetime) -> None:
        """Save a URL durably. Blocks for the time of a sync; a URL that is saved already costs nothing.

        Raises:
            DiskError: it could not be saved.
        """
        with self._mutex, disk_errors(self._path), self._lock:
            seen, end = self._load()
            known = seen.get(space_id)
            if known is not None and known.url == url:
                return
            seen[space_id] = SeenStream(url, seen_at.astimezone(UTC))
            if end is None or end > COMPACT_BYTES:
                write_file(self._path, b"".join(map(_line, seen, seen.values())), mode=SECRET_MODE, disk=self._disk)
            else:
                self._append(_line(space_id, seen[space_id]), end)

    def recall(self, space_id: str) -> SeenStream | None:
        """The URL seen last for this Space, None if none was."""
        with self._mutex, disk_errors(self._path):
            return self._load()[0].get(space_id)

    def _append(self, line: bytes, end: int) -> None:
        fd = self._disk.open(self._path, os.O_WRONLY)
        try:
            self._disk.truncate(fd, end)
            os.lseek(fd, end, os.SEEK_SET)
            self._disk.write_all(fd, [line])
            self._disk.sync(fd)
        finally:
            self._disk.close(fd)

    def _load(self) -> tuple[dict[str, SeenStream], int | None]:
        """The newest URL of each Space, and the end of the last good line; None where there is no file yet."""
        seen: dict[str, SeenStream] = {}
        end = 0
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            return seen, None
        with file:
            offset = 0
            for raw in file:
                offset += len(raw)
                facts = parse_line(raw)
                if facts is None:
                    continue
                end = offset
                space_id, url, text = facts.get("space"), facts.get("url"), facts.get("t")
                if isinstance(space_id, str) and isinstance(url, str) and isinstance(text, str):
                    seen[space_id] = SeenStream(url, datetime.fromisoformat(text))
        return seen, end


def _line(space_id: str, stream: SeenStream) -> bytes:
    return finish_line(build_facts("stream", stream.seen_at, {"space": space_id, "url": stream.url}), 0)
