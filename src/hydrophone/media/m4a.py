"""Our own writer for audio files: AAC frames as they came, tags, cover and chapters, ready to play from the first byte.

The index (``moov``) goes before the audio (``mdat``), since all sizes are known beforehand, and the file is written
from front to back without ever looking behind: the caller may hash it on the way, and owns durability and renaming.
The same frames and tags give the same bytes, however the frames were cut into pieces.

There is no edit list: the encoder's delay is not trimmed, so that frame n begins at n x 1024 / rate seconds, which is
the time that captions, gaps and chapters refer to.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from struct import Struct
from struct import error as StructError  # noqa: N812  (an error's name)
from typing import Protocol

from hydrophone.errors import MediaError
from hydrophone.media.boxes import box, header_before, mp4_seconds
from hydrophone.media.frames import SAMPLES_PER_FRAME, AudioConfig, FrameSource, PlainFrames, Sizes, read_config
from hydrophone.media.movie import FRAMES_PER_CHUNK, Layout, MovieBuilder
from hydrophone.media.tags import Chapter, Tags, orderly

WRITE_BYTES = 1 << 18

_HIGH_BITS = bytes(byte & 0xC0 for byte in range(256))  # of the byte with the channels; the rest is the length
_LOW_BITS = bytes(byte & 3 for byte in range(256))

FILE_TYPE = box(b"ftyp", b"M4A \0\0\2\0", b"M4A isomiso2mp42")


class BinaryWriter(Protocol):
    """Anything that takes bytes in order."""

    def write(self, data: bytes, /) -> object: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class M4aSummary:
    """What was written."""

    frames: int
    duration_seconds: float
    size_bytes: int
    chapters: int


def write_m4a(
    out: BinaryWriter,
    source: FrameSource,
    config: AudioConfig,
    *,
    tags: Tags | None = None,
    chapters: Sequence[Chapter] = (),
    created_at: datetime | None = None,
) -> M4aSummary:
    """Write a whole file and return what it holds.

    Args:
        out: takes the bytes in order; nothing is sought or read.
        source: the frames; asked for their sizes twice and for their bytes once. Where the first one carries a
            checksum, the frames are read more often (see `PlainFrames`).
        created_at: goes into the headers as creation time; None leaves it unknown.

    Raises:
        MediaError: there are no frames, they differ from `config` (sample rate, channels, a checksum that comes late),
            or sizes and bytes do not fit each other. What has been written until then is of no use.
    """
    if config.header_bytes == 7 and _begins_with_checksum(source):
        source = PlainFrames(source)
    layout = lay_out(source, config.header_bytes)
    if not layout.frames:
        raise MediaError("there is no audio frame to write")
    seconds = layout.frames * SAMPLES_PER_FRAME / config.rate
    marks = orderly(chapters, seconds)
    builder = MovieBuilder(layout, config, tags or Tags(), marks, mp4_seconds(created_at))
    words = b"".join(builder.words)
    media = header_before(b"mdat", len(words) + layout.audio_bytes)
    front = len(FILE_TYPE) + builder.build(0).size + len(media)
    movie = builder.build(front)
    out.write(FILE_TYPE + movie.before)
    for sizes in source.sizes():
        out.write(_size_entries(sizes, config.header_bytes))
    out.write(movie.after + media + words)
    _copy_payload(out, source, config, layout)
    size_bytes = front + len(words) + layout.audio_bytes
    return M4aSummary(frames=layout.frames, duration_seconds=seconds, size_bytes=size_bytes, chapters=len(marks))


def _begins_with_checksum(source: FrameSource) -> bool:
    for sizes, data in source.stretches():
        if sizes:
            return len(data) > 1 and not data[1] & 1
    return False


def lay_out(source: FrameSource, header_bytes: int) -> Layout:
    """Count the frames of `source` and place the chunks, from the sizes alone."""
    frames = position = largest = 0
    chunks = array("Q")
    for sizes in source.sizes():
        if not sizes:
            continue
        lengths = sizes.tolist()  # going through a list several times is cheaper than through an array
        if min(lengths) < header_bytes:
            raise MediaError("a frame is shorter than its own header")
        largest = max(largest, max(lengths))
        begin = 0
        while begin < len(lengths):
            if frames % FRAMES_PER_CHUNK == 0:
                chunks.append(position)
            end = min(len(lengths), begin + FRAMES_PER_CHUNK - frames % FRAMES_PER_CHUNK)
            position += sum(lengths[begin:end]) - header_bytes * (end - begin)
            frames += end - begin
            begin = end
    return Layout(frames, position, largest - header_bytes, chunks)


def strip_headers(sizes: Sizes, data: bytes | bytearray, config: AudioConfig) -> bytes:
    """The payloads of the frames in `data`, end to end.

    Raises:
        MediaError: `data` is not exactly these frames, or a frame is of another configuration.
    """
    return b"".join(_payloads(sizes, data, config))


def _payloads(sizes: Sizes, data: bytes | bytearray, config: AudioConfig) -> Sequence[bytes]:
    if not sizes:
        return ()
    cuts = _cuts(config.header_bytes)
    try:
        # Header, payload, header, payload …: cut by one call, for frame by frame takes twice as long.
        pieces = Struct("".join([cuts[size] for size in sizes])).unpack(data)
    except (IndexError, StructError):
        raise MediaError(f"{len(data)} bytes came where the sizes add up to {sum(sizes)}") from None
    _check_headers(b"".join(pieces[::2]), config)
    return pieces[1::2]


@lru_cache(maxsize=2)
def _cuts(header_bytes: int) -> tuple[str, ...]:
    """For each length of a frame, how `struct` writes its header and its payload. None is shorter than its header."""
    return tuple(f"{header_bytes}s{size - header_bytes}s" if size >= header_bytes else "" for size in range(8192))


def _check_headers(headers: bytes, config: AudioConfig) -> None:
    """Compare column by column: the n-th bytes of all headers at once."""
    step = config.header_bytes
    firsts, flags, formats = (_values(headers[n::step]) for n in (0, 1, 2))
    channels = _values(headers[3::step].translate(_HIGH_BITS))
    if firsts != {0xFF} or not all(
        _declares(bytes((0xFF, flag, form, channel)), config)
        for flag in flags
        for form in formats
        for channel in channels
    ):
        raise MediaError("the format of the audio changes within the recording")
    if _values(headers[6::step].translate(_LOW_BITS)) != {0}:
        raise MediaError("a frame holds several blocks, which one sample of a file cannot")


def _values(column: bytes) -> set[int]:
    """Which bytes there are; nearly always only one."""
    return {column[0]} if column.count(column[0]) == len(column) else set(column)


@lru_cache(maxsize=64)
def _declares(head: bytes, config: AudioConfig) -> bool:
    return read_config(head) == config


def _size_entries(sizes: Sizes, header_bytes: int) -> bytes:
    table = array("I", [size - header_bytes for size in sizes])
    if sys.byteorder == "little":
        table.byteswap()
    return table.tobytes()


def _copy_payload(out: BinaryWriter, source: FrameSource, config: AudioConfig, layout: Layout) -> None:
    """Write the frames without their headers, gathered into large writes."""
    frames = written = held = 0
    pending: list[bytes] = []
    for sizes, data in source.stretches():
        pending.extend(_payloads(sizes, data, config))
        frames += len(sizes)
        held += len(data) - config.header_bytes * len(sizes)
        if held >= WRITE_BYTES:
            out.write(b"".join(pending))
            written += held
            held = 0
            pending.clear()
    out.write(b"".join(pending))
    if frames != layout.frames or written + held != layout.audio_bytes:
        raise MediaError(f"{layout.frames} frames were announced, {frames} came, or their sizes differ")
