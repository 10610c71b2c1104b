"""What a journal says about a take: the replay of its lines into an index. Reads, never writes."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hydrophone.archive.durable import disk_errors
from hydrophone.archive.index import ORIGINAL, SegmentIndex
from hydrophone.archive.journal import HEADER, JOURNAL_NAME, Damage, Line, parse_line, read_journal
from hydrophone.archive.layout import Layout, read_layout
from hydrophone.archive.segments import COMPLETE, SEGMENT, MediaFiles, StoredSegment, read_segment
from hydrophone.errors import ArchiveError

WORK_FOLDER = ".take"
ID_NAME = "id"  #: in the work folder: whose recording it is
CUT = "cut"  #: {"file", "size"}: a media log was cut back (or found shorter); what lay beyond is not held
DROPPED = "dropped"  #: {"epoch", "seq", "reason"}: this segment is not held any more
ORIGINAL_WRITTEN = "original"  #: all held segments, in order, are in that file (see `layout`)
OWN_KINDS = frozenset({HEADER, SEGMENT, CUT, DROPPED, ORIGINAL_WRITTEN})

_BEFORE_BYTES, _PIECE_BYTES = 32 << 10, 160 << 10

_MEDIA_NAME = re.compile(r"media(?:-(\d{1,5}))?\.log")


def media_path(directory: Path, number: int) -> Path:
    """Where media log `number` (from 1) of a take is."""
    return directory / WORK_FOLDER / ("media.log" if number == 1 else f"media-{number}.log")


def media_logs(directory: Path) -> dict[int, int]:
    """The media logs that are there: number to size in bytes."""
    found: dict[int, int] = {}
    folder = directory / WORK_FOLDER
    with disk_errors(folder):
        for path in folder.iterdir() if folder.is_dir() else ():
            if match := _MEDIA_NAME.fullmatch(path.name):
                found[int(match[1] or 1)] = path.stat().st_size
    return found


class TakeState:
    """The index, the layouts and the ends of all files, as the journal has them."""

    def __init__(self) -> None:
        self.index = SegmentIndex()
        self.header: Mapping[str, Any] = {}
        self.layouts: list[Layout] = []
        self.damages: list[Damage] = []
        self.next_number = 0  #: of the next journal line
        self.journal_end = 0  #: the end of the last good line
        self.media_number = 1  #: the media log in use
        self.media_end = 0  #: the end of the last acknowledged segment in it
        self.lines = 0

    def apply(self, line: Line) -> None:
        """Take one more line into account."""
        facts = line.facts
        self.next_number = line.number + 1
        self.journal_end = line.offset + line.size_bytes
        self.lines += 1
        if line.kind == SEGMENT:
            self._apply_segment(line)
        elif line.kind == HEADER:
            self.header = self.header or facts
        elif line.kind == CUT:
            self._drop_beyond(facts["file"], facts["size"])
        elif line.kind == DROPPED:
            self.index.drop(facts["epoch"], facts["seq"])
        elif line.kind == ORIGINAL_WRITTEN:
            self.add_layout(facts)

    def add_layout(self, facts: Mapping[str, Any]) -> None:
        """An original has been announced."""
        self.layouts.append(read_layout(facts, self.index, self.media_number))

    def is_covered_by(self, layout: Layout) -> bool:
        """True when exactly what is held now is in that original."""
        return self.held_rows() == layout.rows

    def path_of(self, directory: Path, row: int) -> Path:
        """The file that has the bytes of a row."""
        number = self.index.files[row]
        return directory / self.layouts[-1].name if number == ORIGINAL else media_path(directory, number)

    def held_rows(self) -> array[int]:
        """The rows of all held segments, in order."""
        return array("I", (entry.row for entry in self.index))

    def _apply_segment(self, line: Line) -> None:
        facts = line.facts
        number, end = facts["file"], facts["at"] + facts["len"]
        if number > self.media_number:
            self.media_number, self.media_end = number, 0
        if number == self.media_number:
            if facts["at"] < self.media_end:
                # Bytes are only written over after a cut; so the line that told of it is among the damaged ones.
                self._drop_beyond(number, facts["at"])
            self.media_end = end
        self.index.put(
            facts["epoch"],
            facts["seq"],
            length=facts["len"],
            frames=facts["frames"],
            duration_seconds=facts["extinf"],
            is_complete=facts["verdict"] == COMPLETE,
            file=number,
            offset=facts["at"],
            line=line.offset,
        )

    def _drop_beyond(self, number: int, size: int) -> None:
        lost = self.beyond(number, size)
        for epoch, sequence in lost:
            self.index.drop(epoch, sequence)
        if number == self.media_number:
            self.media_end = min(self.media_end, size)

    def beyond(self, number: int, size: int) -> list[tuple[int, int]]:
        """The held segments of one file whose bytes do not all lie below `size`."""
        index = self.index
        return [
            (entry.epoch, entry.sequence)
            for entry in index
            if index.files[entry.row] == number and index.offsets[entry.row] + index.lengths[entry.row] > size
        ]

    def read_from_original(self, layout: Layout) -> None:
        """From now on, find the segments of `layout` in the original instead of in the media logs."""
        for row, offset in zip(layout.rows, layout.offsets, strict=True):
            self.index.files[row] = ORIGINAL
            self.index.offsets[row] = offset


def load_state(directory: Path) -> TakeState:
    """Read the journal of a take. Total: damaged lines end up in `damages`.

    Raises:
        NewerSchemaError: a newer Hydrophone wrote it.
        DiskError: the journal cannot be read.
    """
    state = TakeState()
    path = directory / JOURNAL_NAME
    with disk_errors(path), path.open("rb") as file:
        for line in read_journal(file):
            if isinstance(line, Damage):
                state.damages.append(line)
                continue
            try:
                state.apply(line)
            except (KeyError, TypeError, ValueError, OverflowError, ArchiveError):
                # The check fits, so a program wrote this on purpose, but not one of ours.
                state.damages.append(Damage(line.offset, line.size_bytes, "a line of another shape"))
    return state


def stored_segments(directory: Path, state: TakeState) -> Iterator[StoredSegment]:
    """All held segments in order, each read from its journal line when its turn comes.

    Raises:
        ArchiveError: the line of a segment has been damaged since the journal was loaded.
    """
    index = state.index
    paths: dict[int, Path] = {}
    position = 0
    with MediaFiles() as files:
        lines = JournalLines(files, directory / JOURNAL_NAME)
        for epoch, sequence, row in index:
            facts = lines.at(index.lines[row])
            if facts is None:
                raise ArchiveError(f"{lines.path}: the line of segment {sequence} of epoch {epoch} is damaged")
            number = index.files[row]
            path = paths.get(number)
            if path is None:
                path = paths[number] = state.path_of(directory, row)
            yield read_segment(facts, path=path, offset=index.offsets[row], position=position, files=files)
            position += index.lengths[row]


def line_at(files: MediaFiles, journal: Path, offset: int) -> Mapping[str, Any] | None:
    size = 2048
    raw = files.read(journal, offset, size)
    while b"\n" not in raw and len(raw) == size:
        size *= 4
        raw = files.read(journal, offset, size)
    return parse_line(raw[: raw.find(b"\n") + 1])


class JournalLines:
    """What `line_at` does, for many lines that stand near one another: these are read from the disk together.

    For the take's owner, whose acknowledged lines stay as they are.
    """

    def __init__(self, files: MediaFiles, path: Path) -> None:
        self.path = path
        self._files = files
        self._begin = 0
        self._piece = b""

    def at(self, offset: int) -> Mapping[str, Any] | None:
        """The facts of the line that begins at `offset`; None if it is damaged."""
        begin = offset - self._begin
        end = self._piece.find(b"\n", begin) if 0 <= begin < len(self._piece) else -1
        if end < 0:
            # A little of what stands before, too: segments of one time stand in the order in which they came.
            self._begin = max(0, offset - _BEFORE_BYTES)
            begin = offset - self._begin
            end = self._read(begin, _PIECE_BYTES)
        return parse_line(self._piece[begin : end + 1]) if end >= 0 else None

    def _read(self, begin: int, size: int) -> int:
        """Read a longer piece until the line has an end; -1 if it has none."""
        while True:
            self._piece = self._files.read(self.path, self._begin, size)
            end = self._piece.find(b"\n", begin)
            if end >= 0 or len(self._piece) < size:
                return end
            size *= 4
