"""Video: MPEG-TS segments, as they were served, become one mp4 file. Nothing is encoded anew.

PyAV takes the stream apart and puts it together again; `relocate` then moves the index to the front and adds tags and
cover. The demuxer is named and never guessed: a "segment" that is really a playlist would make the library fetch what
the playlist says.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from hydrophone.errors import MediaError
from hydrophone.media.boxes import box
from hydrophone.media.relocate import BinaryWriter, relocate
from hydrophone.media.rotation import Turn, Turns, read_orientation, turning
from hydrophone.media.tags import Chapter, Tags, metadata_box, nero_chapters, orderly
from hydrophone.media.timeline import Timeline

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet

TICKS = 90_000  #: of MPEG-TS, a second
MAX_BACK_SECONDS = 0.5  #: decoding times never step back in a healthy stream
BUFFER_BYTES = 1 << 18
# Not "discardcorrupt": a joint between two segments makes the library call a whole frame corrupt, and drop it.
READ_OPTIONS = {"protocol_whitelist": ""}
WRITE_OPTIONS = {"fflags": "+bitexact"}  #: no version of a library in the file: the same input gives the same bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mp4Summary:
    """What was written.

    `jumps` counts new clocks inside the stream, `repaired` packets that were moved a little, `dropped` packets that
    could not be placed. `problem` says why reading ended early; empty when it did not. `rotation_degrees` is by which
    quarter turn (clockwise) players are told to turn the picture, `turns` how the stream says the camera was held.
    """

    duration_seconds: float
    size_bytes: int
    video_packets: int
    audio_packets: int
    jumps: int = 0
    repaired: int = 0
    dropped: int = 0
    problem: str = ""
    rotation_degrees: int = 0
    turns: tuple[Turn, ...] = ()


def write_mp4(
    out: BinaryWriter,
    chunks: Iterable[bytes],
    *,
    tags: Tags | None = None,
    chapters: Sequence[Chapter] = (),
    created_at: datetime | None = None,
    scratch: Path | None = None,
    max_jump_seconds: float = 600.0,
    rotation_degrees: int | None = None,
) -> Mp4Summary:
    """Write the MPEG-TS stream in `chunks` as mp4 and return what it holds.

    Args:
        out: takes the bytes in order.
        chunks: the stream, in pieces of any size; a file opened for reading in binary mode gives its lines, so hand on
            `file_chunks(file)` instead.
        scratch: a folder for a nameless temporary file about as large as the result; None takes the system's.
        max_jump_seconds: a longer step of the stream's clock is closed up; a shorter one is kept, so that what is
            missing keeps its length.
        rotation_degrees: how the camera was held, where the stream itself does not say.

    Raises:
        MediaError: not one packet of sound or picture could be read, or the stream is so damaged at its beginning that
            the result could not be opened.
    """
    import av

    with tempfile.TemporaryFile(dir=scratch) as file:
        try:
            report = _remux(file, chunks, chapters, created_at, max_jump_seconds)
            _check_opens(file)
        except (av.FFmpegError, ValueError) as error:
            raise MediaError(f"this is no video stream that can be packed: {_reason(error)}") from error
        marks = orderly(chapters, report.seconds)
        nero = [nero_chapters(marks)] if marks else []
        turn = report.turns.chosen(rotation_degrees)
        user_data = box(b"udta", *nero, metadata_box(tags or Tags()))
        size_bytes = relocate(out, file, user_data, edit_track=turning(turn))
    return Mp4Summary(
        duration_seconds=report.seconds,
        size_bytes=size_bytes,
        video_packets=report.packets.get("video", 0),
        audio_packets=report.packets.get("audio", 0),
        jumps=report.timeline.jumps,
        repaired=report.timeline.repaired,
        dropped=report.dropped,
        problem=report.problem,
        rotation_degrees=turn,
        turns=tuple(report.turns.found),
    )


def file_chunks(file: BinaryIO, size: int = 1 << 20) -> Iterator[bytes]:
    """The rest of `file` in pieces."""
    while data := file.read(size):
        yield data


class ChunkReader:
    """Makes an iterable of bytes look like a file that can only be read onwards."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; none at the end."""
        while self._at >= len(self._rest):
            piece = next(self._chunks, None)
            if piece is None:
                return b""
            self._rest, self._at = piece, 0
        end = len(self._rest) if size < 0 else self._at + size
        data = self._rest[self._at : end]
        self._at += len(data)
        return data


@dataclass(slots=True)
class _Report:
    timeline: Timeline
    packets: dict[str, int] = field(default_factory=dict)
    dropped: int = 0
    begin: int | None = None  #: when the first packet is shown
    end: int = 0
    problem: str = ""
    turns: Turns = field(default_factory=Turns)

    @property
    def seconds(self) -> float:
        return (self.end - (self.begin or 0)) / TICKS


def _remux(
    file: Any,
    chunks: Iterable[bytes],
    chapters: Sequence[Chapter],
    created_at: datetime | None,
    max_jump_seconds: float,
) -> _Report:
    import av

    report = _Report(Timeline(round(max_jump_seconds * TICKS), round(MAX_BACK_SECONDS * TICKS)))
    reader: Any = ChunkReader(chunks)
    with (
        av.open(reader, format="mpegts", options=dict(READ_OPTIONS), buffer_size=BUFFER_BYTES) as source,
        av.open(file, "w", format="mp4", options=dict(WRITE_OPTIONS), buffer_size=BUFFER_BYTES) as target,
    ):
        if created_at is not None:
            target.metadata["creation_time"] = created_at.astimezone(UTC).isoformat()
        _set_chapters(target, orderly(chapters, inf))
        _copy_packets(source, target, _pair_streams(source, target), report)
        if not report.packets:
            raise MediaError("the stream holds neither sound nor picture")
    return report


def _check_opens(file: Any) -> None:
    """Where the first key frame is damaged, the library writes a description of the picture that nobody can read."""
    import av

    file.seek(0)
    with av.open(file, "r", format="mp4") as container:
        if not container.streams:
            raise MediaError("the result holds no stream")


def _pair_streams(source: InputContainer, target: OutputContainer) -> dict[int, Any]:
    """The first stream of picture and of sound, and where each goes. Data streams are read and stay behind."""
    chosen = [*source.streams.video[:1], *source.streams.audio[:1]]
    if not chosen:
        raise MediaError("the stream holds neither sound nor picture")
    return {stream.index: target.add_stream_from_template(stream) for stream in chosen}


def _copy_packets(source: InputContainer, target: OutputContainer, outputs: dict[int, Any], report: _Report) -> None:
    import av

    notes = [stream.index for stream in source.streams.data]
    packets = source.demux([source.streams[index] for index in (*outputs, *notes)])
    seen_key = False
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError as error:
            report.problem = _reason(error)
            return
        if packet is None:
            return
        if packet.stream.index in notes:
            _note_turn(bytes(packet), report)
            continue
        if packet.size == 0 or packet.dts is None:
            continue
        kind = packet.stream.type
        if kind == "video" and not seen_key:
            # What comes before the first key frame can be decoded by nobody.
            seen_key = packet.is_keyframe
            if not seen_key:
                report.dropped += 1
                continue
        _write_packet(packet, outputs[packet.stream.index], target, report, kind)


def _note_turn(tag: bytes, report: _Report) -> None:
    degrees = read_orientation(tag) if b"TKEY" in tag else None
    if degrees is not None:
        report.turns.see(max(0.0, report.seconds) if report.begin is not None else 0.0, degrees)


def _write_packet(packet: Packet[Any], output: Any, target: OutputContainer, report: _Report, kind: str) -> None:
    import av

    duration = packet.duration or 0
    dts = packet.dts or 0
    pts = packet.pts if packet.pts is not None else dts
    at, shown = report.timeline.place(packet.stream.index, dts, pts, duration)
    packet.dts, packet.pts = at, shown
    packet.time_base = Fraction(1, TICKS)
    packet.stream = output
    try:
        target.mux(packet)
    except av.FFmpegError:
        report.dropped += 1
        return
    report.packets[kind] = report.packets.get(kind, 0) + 1
    report.begin = shown if report.begin is None else min(report.begin, shown)
    report.end = max(report.end, shown + duration)


def _set_chapters(target: OutputContainer, chapters: Sequence[Chapter]) -> None:
    """Announce the chapters before the first packet, as the library wants it; so the last one's end is a guess."""
    starts = [round(chapter.start_seconds * 1000) for chapter in chapters]
    ends = [*starts[1:], *(start + 1000 for start in starts[-1:])]
    target.set_chapters(
        [
            {"id": n, "start": begin, "end": end, "time_base": Fraction(1, 1000), "metadata": {"title": chapter.title}}
            for n, (begin, end, chapter) in enumerate(zip(starts, ends, chapters, strict=True))
        ]
    )


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
