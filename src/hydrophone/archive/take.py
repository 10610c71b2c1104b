"""A take: one capture on the disk, durable while it grows, and whole again after any crash.

Layout, inside the item's folder: ``journal.jsonl`` (see `journal`) and ``.take/`` with ``media.log`` (the bytes of the
segments in order of arrival, exactly as served), ``lock`` and ``owner.json``. A segment's line is written after its
bytes are synced, so whatever the journal says is held is on the disk.

What was not acknowledged is still in memory. When the disk is full, gone or broken, the take is paused: it keeps what
is waiting, takes no more segments, and goes on after a `try_resume` that succeeds.

When the item is finished, the media logs may go (`release_media`): the original holds every byte, in order of
(epoch, sequence), and the journal knows the lengths. A repair adds segments to a new media log.
"""

from __future__ import annotations

import asyncio
import threading
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hydrophone.archive.batch import BatchWriter, Waiting
from hydrophone.archive.durable import DISK, Disk, disk_errors
from hydrophone.archive.group import GroupMember
from hydrophone.archive.index import SegmentIndex
from hydrophone.archive.journal import JOURNAL_NAME, Line, build_facts, read_journal
from hydrophone.archive.layout import build_layout_facts
from hydrophone.archive.lock import TakeLock
from hydrophone.archive.manifest import MANIFEST_NAME, read_manifest
from hydrophone.archive.recovery import recover
from hydrophone.archive.segments import COMPLETE, SEGMENT, MediaFiles, StoredSegment, build_segment_facts
from hydrophone.archive.state import (
    DROPPED,
    ORIGINAL_WRITTEN,
    OWN_KINDS,
    TakeState,
    media_logs,
    media_path,
    stored_segments,
)
from hydrophone.archive.syncer import Syncer, shared_syncer
from hydrophone.errors import ArchiveError, DiskError

#: So many facts may wait while a take is paused; beyond, `note` refuses.
MAX_WAITING_NOTES = 20_000


def utc_now() -> datetime:
    """The wall clock: journal lines say when a thing was learned."""
    return datetime.now(UTC)


class Take(GroupMember):
    """One take, open for writing by this process alone.

    `index` knows what is held, including what is still on its way to the disk (`waiting_segments`). `header` is the
    first line of the journal. Add from one thread; the syncer's threads write meanwhile.
    """

    def __init__(
        self,
        directory: Path,
        state: TakeState,
        lock: TakeLock,
        *,
        syncer: Syncer,
        disk: Disk,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.directory = directory
        self.index: SegmentIndex = state.index
        self.header: Mapping[str, Any] = state.header
        self._state = state
        self._lock = lock
        self._syncer = syncer
        self.disk = disk
        self.device = directory.stat().st_dev if disk.can_sync_file_system else None
        self._now = now
        self._writer = BatchWriter(directory, state, disk)
        self._mutex = threading.Lock()  # guards what waits
        self._flushing = threading.Lock()  # one flush at a time
        self._waiting: list[Waiting] = []
        self._bodies: dict[int, bytes] = {}  # by row, until acknowledged
        self._waiting_bytes = 0
        self._failure: DiskError | None = None
        self._is_closed = False
        self._is_released = False
        self._group_batch: list[Waiting] = []
        self._group_lines: list[bytes] | None = None

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        create_facts: Mapping[str, Any] | None = None,
        syncer: Syncer | None = None,
        disk: Disk = DISK,
        now: Callable[[], datetime] = utc_now,
    ) -> Take:
        """Create the take in `directory`, or go on with the one that is there.

        Unfinished writes of a crash are cut off. `create_facts` go into the first line of a new journal.

        Raises:
            TakeInUseError: another process has it.
            NewerSchemaError: a newer Hydrophone wrote it.
            DiskError: the folder cannot be made, read or written.
        """
        lock, state, notes = recover(directory, create_facts or {}, now=now(), disk=disk)
        take = cls(directory, state, lock, syncer=syncer or shared_syncer(), disk=disk, now=now)
        try:
            take._waiting = [Waiting(build_facts(kind, now(), facts)) for kind, facts in notes]
            take._waiting_bytes = sum(waiting.size_bytes for waiting in take._waiting)
            take.flush()
        except BaseException:
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
        rank = (is_complete, 0 if frames is None else len(frames), len(body))
        if not self._is_better(epoch, sequence, rank, body, source):
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
            epoch, sequence, length=rank[2], frames=rank[1], duration_seconds=duration_seconds, is_complete=is_complete
        )
        self._queue(Waiting(facts, bytes(body), row))
        return True

    def _is_better(
        self, epoch: int, sequence: int, rank: tuple[bool, int, int], body: bytes | memoryview, source: str
    ) -> bool:
        index = self.index
        row = index.find(epoch, sequence)
        if row is None:
            return True
        held_rank = (index.is_complete(row), index.frames[row], index.lengths[row])
        if rank == held_rank and self._held_body(row) != body:
            self.note("other bytes", epoch=epoch, seq=sequence, len=len(body), source=source)
        return rank > held_rank

    def note(self, kind: str, **facts: Any) -> None:
        """Put a fact into the journal: a state change, listener counts, people, a gap. Never a secret.

        Raises:
            ArchiveError: JSON does not know one of the values.
            DiskError: the take has been paused for so long that no more facts can wait.
        """
        self._check_open()
        if kind in OWN_KINDS:
            raise ValueError(f"the kind {kind!r} is the take's own")
        if self._failure is not None and len(self._waiting) >= MAX_WAITING_NOTES:
            raise self._failure
        self._queue(Waiting(build_facts(kind, self._now(), facts)))

    def drop(self, epoch: int, sequence: int, reason: str) -> bool:
        """Hold this segment no longer, so that it is fetched again. False if it was not held."""
        self._check_open()
        if not self.index.drop(epoch, sequence):
            return False
        self._queue(Waiting(build_facts(DROPPED, self._now(), {"epoch": epoch, "seq": sequence, "reason": reason})))
        return True

    def _queue(self, waiting: Waiting) -> None:
        size = waiting.size_bytes
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
    def failure(self) -> DiskError | None:
        """Why the take is paused, None while it is not."""
        return self._failure

    @property
    def is_paused(self) -> bool:
        """True after a write has failed. What waits is kept in memory, and `try_resume` may end the pause."""
        return self._failure is not None

    def try_resume(self) -> bool:
        """Try to write what is waiting. True when the take goes on. Blocks for the time of a sync."""
        if self._failure is not None:
            try:
                self.flush()
            except DiskError:
                return False
        return True

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
        """What `sync` does, for threads: blocks."""
        with self._flushing:
            if self._is_released:
                return  # another process may own the take by now
            with self._mutex:
                batch, self._waiting = self._waiting, []
            try:
                if batch:
                    self._writer.write(batch)
            except BaseException as error:
                self._keep(batch)
                if isinstance(error, DiskError):
                    self._failure = error
                raise
            self._forget(batch)

    def _keep(self, batch: list[Waiting]) -> None:
        with self._mutex:
            self._waiting = batch + self._waiting

    def _forget(self, batch: list[Waiting]) -> None:
        with self._mutex:
            for waiting in batch:
                self._bodies.pop(waiting.row, None)
                self._waiting_bytes -= waiting.size_bytes
        self._failure = None

    def begin_group(self) -> bool:
        if self.device is None or self._failure is not None or not self._flushing.acquire(blocking=False):
            return False
        with self._mutex:
            batch, self._waiting = self._waiting, []
        if batch and not self._is_released and self._writer.put_bytes(batch, self.device):
            self._group_batch = batch
            return True
        self._keep(batch)
        self._flushing.release()
        return False

    def put_lines(self) -> bool:
        if self.device is None:
            return False
        self._group_lines = self._writer.put_lines(self._group_batch, self.device)
        return self._group_lines is not None

    def end_group(self, *, is_durable: bool, distrusts: bool = False) -> None:
        batch, lines = self._group_batch, self._group_lines
        self._group_batch, self._group_lines = [], None
        if is_durable and lines is not None:
            self._writer.accept(batch, lines)
            self._forget(batch)
        else:
            if distrusts:
                self._writer.distrust()
            self._keep(batch)
        self._flushing.release()

    # ------------------------------------------------------------ reading

    def segments(self) -> Iterator[StoredSegment]:
        """All held segments in order, read lazily: memory stays flat. Call `sync` first.

        Raises:
            ArchiveError: something is still on its way to the disk, or a line is damaged.
        """
        if self._bodies:
            raise ArchiveError(f"{self.directory}: sync before reading the segments")
        return stored_segments(self.directory, self._state)

    def held_rows(self) -> array[int]:
        """The rows of all held segments, in order. Call `sync` first."""
        if self._bodies:
            raise ArchiveError(f"{self.directory}: sync before reading the segments")
        return self._state.held_rows()

    def places(self, rows: array[int]) -> Iterator[tuple[Path, int, int]]:
        """Where the bytes of these rows are: path, offset, size."""
        index = self.index
        paths: dict[int, Path] = {}
        for row in rows:
            number = index.files[row]
            if number not in paths:
                paths[number] = self._state.path_of(self.directory, row)
            yield paths[number], index.offsets[row], index.lengths[row]

    def damaged(self) -> list[tuple[int, int]]:
        """The held segments whose bytes on the disk are not those that were served: `drop` them and fetch them again.

        Reads every byte. Call `sync` first.
        """
        return [(segment.epoch, segment.sequence) for segment in self.segments() if not segment.is_intact()]

    def events(self, kind: str | None = None) -> Iterator[Mapping[str, Any]]:
        """The notes that are on the disk, oldest first, all or of one kind."""
        path = self.directory / JOURNAL_NAME
        with disk_errors(path), path.open("rb") as file:
            for line in read_journal(file, without=SEGMENT):
                if isinstance(line, Line) and line.kind not in OWN_KINDS and kind in (None, line.kind):
                    yield line.facts

    def _held_body(self, row: int) -> bytes:
        with self._mutex:
            waiting = self._bodies.get(row)
        if waiting is not None:
            return waiting
        with MediaFiles() as files:
            return files.read(
                self._state.path_of(self.directory, row), self.index.offsets[row], self.index.lengths[row]
            )

    # ------------------------------------------------------------ finishing

    def announce_original(self, name: str, size_bytes: int, sha256: str, rows: array[int]) -> None:
        """Make durable that `rows`, which are all that is held, are in the file `name`. Call it before the rename.

        If a crash comes between the two, the sizes tell which layout the file has. Blocks.

        Raises:
            ArchiveError: segments have been added or dropped since `rows` were taken.
        """
        self.flush()
        if self._bodies or self._state.held_rows() != rows:
            raise ArchiveError(f"{self.directory}: segments were added while the original was written")
        facts = build_layout_facts(name, size_bytes, sha256, self.index)
        self._queue(Waiting(build_facts(ORIGINAL_WRITTEN, self._now(), facts)))
        self.flush()
        self._state.add_layout(facts)

    def release_media(self) -> int:
        """Remove the media logs, once the original and the manifest are on the disk. The bytes that became free.

        Raises:
            ArchiveError: the original or the manifest does not cover all that is held; nothing was removed.
        """
        self._check_open()
        state = self._state
        layout = state.layouts[-1] if state.layouts else None
        if layout is None or self._bodies or not state.is_covered_by(layout):
            raise ArchiveError(f"{self.directory}: not everything that is held is in the original")
        if read_manifest(self.directory / MANIFEST_NAME).digests.get(layout.name) != layout.sha256:
            raise ArchiveError(f"{self.directory}: the manifest does not name this original")
        original = self.directory / layout.name
        with disk_errors(original), self._flushing:
            if original.stat().st_size != layout.size_bytes:
                raise ArchiveError(f"{original}: not as long as when it was written")
            logs = media_logs(self.directory)
            for number in logs:
                self.disk.unlink(media_path(self.directory, number))
            state.read_from_original(layout)
            state.media_number, state.media_end = layout.media_number + 1, 0
        return sum(logs.values())

    def close(self) -> None:
        """Bring everything to the disk and let go of the take.

        Raises:
            DiskError: something did not get there; the take is let go of all the same.
        """
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self.flush()
        finally:
            with self._flushing:
                self._is_released = True
                self._lock.release()

    def __enter__(self) -> Take:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
