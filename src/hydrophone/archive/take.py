"""A take: one capture on the disk, durable while it grows, and whole again after any crash.

Layout, inside the item's folder: ``journal.jsonl`` (see `journal`) and ``.take/`` with ``media.log`` (the bytes of the
segments in order of arrival, exactly as served), ``lock`` and ``owner.json``. A segment's line is written after its bytes
are synced, so whatever the journal says is held is on the disk.

When a sync fails, nothing that file holds beyond the last acknowledged byte can be trusted, and asking again proves
nothing. What was not acknowledged is still in memory: it goes to a new file (``media-2.log`` ...; the journal is copied
to a new file under its old name). When that fails too, or the disk is full, the take is paused: it keeps what is waiting,
takes no more segments, and goes on after a `try_resume` that succeeds.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import threading
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hydrophone.archive.durable import DISK, Disk, DurableWriter, disk_error, disk_errors
from hydrophone.archive.index import SegmentIndex
from hydrophone.archive.journal import JOURNAL_NAME, Damage, Line, build_facts, finish_line, parse_line, read_journal
from hydrophone.archive.lock import TakeLock
from hydrophone.archive.recovery import recover
from hydrophone.archive.segments import (
    COMPLETE,
    MediaFiles,
    StoredSegment,
    build_segment_facts,
    place_text,
    read_segment,
)
from hydrophone.archive.state import DROPPED, ORIGINAL_WRITTEN, OWN_KINDS, WORK_FOLDER, TakeState, media_path
from hydrophone.archive.syncer import Syncer, shared_syncer
from hydrophone.errors import ArchiveError, DiskError

#: So many facts may wait while a take is paused; beyond, `note` refuses.
MAX_WAITING_NOTES = 20_000


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class _Waiting:
    """A line that is not on the disk yet; `body` is None for a note."""

    facts: bytes
    body: bytes | None = None
    row: int = -1


class Take:
    """One take, open for writing by this process alone.

    `index` knows what is held, including what is still on its way to the disk (`waiting_segments`). Segments and notes may be added from one thread while the syncer's threads write.
    """

    def __init__(self, directory: Path, state: TakeState, lock: TakeLock, *, syncer: Syncer, disk: Disk) -> None:
        self.directory = directory
        self.index: SegmentIndex = state.index
        self.header: Mapping[str, Any] = state.header
        self.files = MediaFiles()
        self._lock = lock
        self._syncer = syncer
        self._disk = disk
        self._now: Callable[[], datetime] = utc_now
        self._state = state
        self._mutex = threading.Lock()  # guards what waits
        self._flushing = threading.Lock()  # one flush at a time
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0
        self._bodies: dict[int, bytes] = {}  # by row, until acknowledged
        self._failure: DiskError | None = None
        self._journal_is_suspect = False
        self._is_closed = False

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        create_facts: Mapping[str, Any] | None = None,
        syncer: Syncer | None = None,
        disk: Disk = DISK,
    ) -> Take:
        """Create the take in `directory`, or go on with the one that is there.

        Unfinished writes of a crash are cut off. `create_facts` go into the first line of a new journal; `header` holds
        the first line, whoever wrote it.

        Raises:
            TakeInUseError: another process has it.
            NewerSchemaError: a newer Hydrophone wrote it.
            DiskError: the folder cannot be made, read or written.
        """
        lock, state, notes = recover(directory, create_facts or {}, now=utc_now(), disk=disk)
        take = cls(directory, state, lock, syncer=syncer or shared_syncer(), disk=disk)
        try:
            for kind, facts in notes:
                take._queue(_Waiting(build_facts(kind, utc_now(), facts)))
            if notes:
                take.flush()
        except BaseException:
            take._is_closed = True
            lock.release()
            raise
        return take

    # ------------------------------------------------------------ adding

    def add_segment(
        self,
        epoch: int,
        sequence: int,
        body: bytes | memoryview,
        *,
        frames: array[int] | None,
        runs: Sequence[tuple[int, int]] = (),
        verdict: str = COMPLETE,
        name: str = "",
        duration_seconds: float | None = None,
        written_ns: int | None = None,
        ticks: int | None = None,
        rate: int | None = None,
        channels: int | None = None,
        source: str = "",
    ) -> bool:
        """Hold a segment. True when this copy is now the one that counts.

        Of two copies, complete beats suspect, then more frames, then more bytes; equals keep the first, and a note
        ``other bytes`` says so when they differ.

        Args:
            frames: the sizes of the ADTS frames, header included; None for what is not ADTS.
            runs: where frames stand: (offset, count).
            verdict: ``"complete"``, or anything else for a copy that should be fetched again.

        Raises:
            DiskError: the take is paused; nothing was added.
        """
        self._check_open()
        if self._failure is not None:
            raise self._failure
        is_complete = verdict == COMPLETE
        frame_count = 0 if frames is None else len(frames)
        earlier = self.index.find(epoch, sequence)
        if earlier is not None:
            old_rank = (self.index.is_complete(earlier), self.index.frames[earlier], self.index.lengths[earlier])
            new_rank = (is_complete, frame_count, len(body))
            if new_rank <= old_rank:
                if new_rank == old_rank and self._body(epoch, sequence, earlier) != body:
                    self.note("other bytes", epoch=epoch, seq=sequence, source=source, len=len(body))
                return False
        facts = build_segment_facts(
            self._now(),
            epoch=epoch,
            sequence=sequence,
            frames=frames,
            runs=runs,
            verdict=verdict,
            name=name,
            duration_seconds=duration_seconds,
            written_ns=written_ns,
            ticks=ticks,
            rate=rate,
            channels=channels,
            source=source,
        )
        row = self.index.put(
            epoch,
            sequence,
            length=len(body),
            frames=frame_count,
            duration_seconds=duration_seconds,
            is_complete=is_complete,
        )
        self._queue(_Waiting(facts, bytes(body), row))
        return True

    def note(self, kind: str, **facts: Any) -> None:
        """Put a fact into the journal: a state change, listener counts, people, a gap. Never a secret.

        Raises:
            DiskError: the take has been paused for so long that no more facts can wait.
        """
        self._check_open()
        if kind in OWN_KINDS:
            raise ValueError(f"the kind {kind!r} is the take's own")
        if self._failure is not None and len(self._waiting) >= MAX_WAITING_NOTES:
            raise self._failure
        self._queue(_Waiting(build_facts(kind, self._now(), facts)))

    def drop(self, epoch: int, sequence: int, reason: str) -> bool:
        """Hold this segment no longer, so that it is fetched again; its bytes stay. False if it was not held."""
        self._check_open()
        if not self.index.drop(epoch, sequence):
            return False
        self._queue(_Waiting(build_facts(DROPPED, self._now(), {"epoch": epoch, "seq": sequence, "reason": reason})))
        return True

    def _queue(self, waiting: _Waiting) -> None:
        size = len(waiting.facts) if waiting.body is None else len(waiting.body)
        with self._mutex:
            self._waiting.append(waiting)
            self._waiting_bytes += size
            if waiting.body is not None:
                self._bodies[waiting.row] = waiting.body
        if self._failure is None:
            self._syncer.mark(self, size)

    def _check_open(self) -> None:
        if self._is_closed:
            raise ArchiveError(f"{self.directory}: the take is closed")

    # ------------------------------------------------------------ syncing

    @property
    def waiting_segments(self) -> int:
        """How many segments are on their way to the disk, in memory."""
        return len(self._bodies)

    @property
    def waiting_bytes(self) -> int:
        """How much is on its way to the disk, in memory."""
        return self._waiting_bytes

    @property
    def is_paused(self) -> bool:
        """True after a write has failed; `failure` says why. `try_resume` may end it."""
        return self._failure is not None

    @property
    def failure(self) -> DiskError | None:
        return self._failure

    def try_resume(self) -> bool:
        """Write what is waiting once more. True when the take goes on. Blocks for the time of a sync."""
        with contextlib.suppress(DiskError):
            self._failure = None
            if not self._waiting:
                self._queue(_Waiting(build_facts("resumed", self._now(), {})))
            self.flush()
        return self._failure is None

    async def sync(self) -> None:
        """Return when everything added so far is on the disk.

        Raises:
            DiskError: it is not; the take is paused and keeps it in memory.
        """
        self._check_open()
        await asyncio.wrap_future(self._syncer.request(self))

    async def settle(self, limit_bytes: int = 16 << 20) -> None:
        """Wait for the disk if more than `limit_bytes` are on their way; costs nothing otherwise."""
        if self._waiting_bytes > limit_bytes:
            await self.sync()

    def flush(self) -> None:
        """`sync` for threads: blocks."""
        with self._flushing:
            with self._mutex:
                batch = self._waiting
                self._waiting = []
            if not batch:
                return
            try:
                self._write_batch(batch)
            except BaseException as error:
                with self._mutex:
                    self._waiting = batch + self._waiting
                if isinstance(error, DiskError):
                    self._failure = error
                raise

    def _write_batch(self, batch: list[_Waiting]) -> None:
        state = self._state
        try:
            places = self._write_media(batch)
        except OSError as error:
            if error.errno not in (errno.EIO, None):
                raise disk_error(error, media_path(self.directory, state.media_number)) from error
            places = self._write_media_anew(batch)
        lines = [
            finish_line(waiting.facts, state.next_number + at, "" if place is None else place_text(*place))
            for at, (waiting, place) in enumerate(zip(batch, places, strict=True))
        ]
        self._write_lines(lines)
        self._acknowledge(batch, places, lines)

    def _write_media(self, batch: list[_Waiting]) -> list[tuple[int, int, bytes] | None]:
        """Write and sync the bytes of a batch; where each came to stand: file, offset, body."""
        state = self._state
        end = state.media_end
        places: list[tuple[int, int, bytes] | None] = []
        bodies: list[bytes] = []
        for waiting in batch:
            if waiting.body is None:
                places.append(None)
                continue
            places.append((state.media_number, end, waiting.body))
            bodies.append(waiting.body)
            end += len(waiting.body)
        if bodies:
            self._write_at(media_path(self.directory, state.media_number), state.media_end, bodies)
        return places

    def _write_media_anew(self, batch: list[_Waiting]) -> list[tuple[int, int, bytes] | None]:
        state = self._state
        state.media_number += 1
        state.media_end = 0
        path = media_path(self.directory, state.media_number)
        with disk_errors(path):
            self._disk.close(self._disk.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
            self._disk.sync_directory(path.parent)
            return self._write_media(batch)

    def _write_lines(self, lines: list[bytes]) -> None:
        path = self.directory / JOURNAL_NAME
        state = self._state
        try:
            if self._journal_is_suspect:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            self._write_at(path, state.journal_end, lines)
        except OSError as error:
            if error.errno not in (errno.EIO, None):
                raise disk_error(error, path) from error
            self._journal_is_suspect = True
            self._copy_journal(path, lines)
            self._journal_is_suspect = False

    def _copy_journal(self, path: Path, lines: list[bytes]) -> None:
        with disk_errors(path), path.open("rb") as old, DurableWriter(path, disk=self._disk) as new:
            left = self._state.journal_end
            while left and (piece := old.read(min(left, 1 << 20))):
                new.write(piece)
                left -= len(piece)
            for line in lines:
                new.write(line)

    def _write_at(self, path: Path, offset: int, pieces: Sequence[bytes]) -> None:
        # Opened each time: thousands of takes need no thousands of descriptors, and a folder that vanished is noticed,
        # while writes to a deleted file that is still open would succeed into nothing.
        disk = self._disk
        fd = disk.open(path, os.O_WRONLY)
        try:
            size = os.lseek(fd, 0, os.SEEK_END)
            if size < offset:
                raise OSError(errno.ESTALE, f"the file has shrunk to {size} bytes")
            if size > offset:
                disk.truncate(fd, offset)  # what a failed attempt left
            os.lseek(fd, offset, os.SEEK_SET)
            disk.write_all(fd, pieces)
            disk.sync(fd)
        finally:
            disk.close(fd)

    def _acknowledge(
        self, batch: list[_Waiting], places: list[tuple[int, int, bytes] | None], lines: list[bytes]
    ) -> None:
        state, index = self._state, self.index
        for waiting, place, line in zip(batch, places, lines, strict=True):
            if place is not None:
                number, offset, body = place
                index.files[waiting.row] = number
                index.offsets[waiting.row] = offset
                index.lines[waiting.row] = state.journal_end
                state.media_end = offset + len(body)
            state.journal_end += len(line)
            state.next_number += 1
        with self._mutex:
            for waiting in batch:
                self._bodies.pop(waiting.row, None)
                self._waiting_bytes -= len(waiting.facts if waiting.body is None else waiting.body)
        self._failure = None

    # ------------------------------------------------------------ reading

    def _is_held(self, row: int) -> bool:
        return row in self._bodies

    def _body(self, epoch: int, sequence: int, row: int) -> bytes:
        with self._mutex:
            waiting = self._bodies.get(row)
        if waiting is not None:
            return waiting
        index = self.index
        return self.files.read(self.path_of(index.files[row]), index.offsets[row], index.lengths[row])

    def path_of(self, number: int) -> Path:
        """The file with that number: 0 is the finished original, from 1 the media logs."""
        if number == 0 and self._state.layouts:
            return self.directory / self._state.layouts[-1].name
        return media_path(self.directory, number)

    def segments(self) -> Iterator[StoredSegment]:
        """All held segments in order, read lazily: memory stays flat. Call `sync` first.

        Raises:
            ArchiveError: something is still on its way to the disk, or a line is damaged.
        """
        if self._bodies:
            raise ArchiveError(f"{self.directory}: sync before reading segments")
        journal = self.directory / JOURNAL_NAME
        position = 0
        index = self.index
        with MediaFiles() as files:
            for epoch, sequence, row in index:
                facts = _line_at(files, journal, index.lines[row])
                if facts is None:
                    raise ArchiveError(f"{journal}: the line of segment {sequence} of epoch {epoch} is damaged")
                path, offset = self.path_of(index.files[row]), index.offsets[row]
                yield read_segment(facts, path=path, offset=offset, position=position, files=files)
                position += index.lengths[row]

    def events(self, kind: str | None = None) -> Iterator[Mapping[str, Any]]:
        """The notes in the journal, oldest first, all or of one kind; those that are on the disk."""
        path = self.directory / JOURNAL_NAME
        with disk_errors(path), path.open("rb") as file:
            for line in read_journal(file):
                if isinstance(line, Damage) or line.kind in OWN_KINDS:
                    continue
                if kind is None or line.kind == kind:
                    yield line.facts

    # ------------------------------------------------------------ closing

    def close(self) -> None:
        """Bring everything to the disk and let go of the take.

        Raises:
            DiskError: something did not get there; the take is let go of all the same.
        """
        if self._is_closed:
            return
        try:
            self.flush()
        finally:
            self._is_closed = True
            self.files.close()
            self._lock.release()

    def __enter__(self) -> Take:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _line_at(files: MediaFiles, journal: Path, offset: int) -> Mapping[str, Any] | None:
    raw = files.read(journal, offset, 2048)
    size = 2048
    while b"\n" not in raw and len(raw) == size:
        size *= 4
        raw = files.read(journal, offset, size)
    return parse_line(raw[: raw.find(b"\n") + 1])


__all__ = ["ORIGINAL_WRITTEN", "WORK_FOLDER", "Line", "Take"]
