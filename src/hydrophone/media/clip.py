"""A stretch of a packaged recording as a file of its own: whole frames, copied and never encoded anew."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from hydrophone.errors import MediaError
from hydrophone.media.frames import RATES, SAMPLES_PER_FRAME, AudioConfig, Stretch
from hydrophone.media.m4a import BinaryWriter, write_m4a
from hydrophone.media.tags import Chapter, Tags

_HEADER_BYTES = 7
_BATCH = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Where a clip really begins and ends: at the borders of frames, in seconds of the whole recording."""

    begin_seconds: float
    end_seconds: float


@dataclass(slots=True)
class _Frames:
    """The frames of a stretch, where they stand in the packaged file. Read when they are written."""

    path: Path
    config: AudioConfig
    first_seconds: float = 0.0
    places: array[int] = field(default_factory=lambda: array("q"))
    lengths: array[int] = field(default_factory=lambda: array("H"))

    def sizes(self) -> Iterator[array[int]]:
        yield array("H", (length + _HEADER_BYTES for length in self.lengths))

    def stretches(self) -> Iterator[Stretch]:
        with self.path.open("rb") as file:
            for begin in range(0, len(self.lengths), _BATCH):
                lengths = self.lengths[begin : begin + _BATCH]
                pieces: list[bytes] = []
                for place, length in zip(self.places[begin : begin + _BATCH], lengths, strict=True):
                    pieces += [_header(self.config, length + _HEADER_BYTES), _read(file, place, length)]
                yield array("H", (length + _HEADER_BYTES for length in lengths)), b"".join(pieces)


def cut_audio(
    path: Path,
    out: BinaryWriter,
    begin_seconds: float,
    end_seconds: float,
    *,
    tags: Tags | None = None,
    chapters: Sequence[Chapter] = (),
    created_at: datetime | None = None,
) -> Cut:
    """Write the frames between two moments of an m4a file of ours; a frame that is touched is in it as a whole.

    Raises:
        MediaError: there is no audio there, or the file is none of ours.
    """
    frames = _index(path, begin_seconds, end_seconds)
    if not frames.lengths:
        raise MediaError(f"{path.name} has no audio there")
    write_m4a(out, frames, frames.config, tags=tags, chapters=chapters, created_at=created_at)
    seconds = len(frames.lengths) * SAMPLES_PER_FRAME / frames.config.rate
    return Cut(begin_seconds=frames.first_seconds, end_seconds=frames.first_seconds + seconds)


def _index(path: Path, begin: float, end: float) -> _Frames:
    import av

    try:
        with av.open(str(path)) as container:
            stream = container.streams.audio[0]
            frames = _Frames(path, _config(bytes(stream.codec_context.extradata or b"")))
            frame_seconds = SAMPLES_PER_FRAME / frames.config.rate
            if begin > frame_seconds and stream.time_base:
                container.seek(int((begin - frame_seconds) / stream.time_base), stream=stream)
            for packet in container.demux(stream):
                if packet.pts is None or packet.pos is None or not packet.size or packet.time_base is None:
                    continue
                at = float(packet.pts * packet.time_base)
                if at >= end - 1e-9:
                    break
                if at + frame_seconds > begin + 1e-9:
                    if not frames.lengths:
                        frames.first_seconds = at
                    frames.places.append(packet.pos)
                    frames.lengths.append(packet.size)
            return frames
    except (av.FFmpegError, IndexError, OSError) as error:
        raise MediaError(f"{path.name} cannot be read: {error}") from None


def _config(specific: bytes) -> AudioConfig:
    """The configuration that an AudioSpecificConfig declares."""
    index = ((specific[0] & 7) << 1) | (specific[1] >> 7) if len(specific) >= 2 else len(RATES)
    if index >= len(RATES):
        raise MediaError("the file says nothing usable about its audio")
    return AudioConfig(RATES[index], (specific[1] >> 3) & 15, specific[0] >> 3)


def _header(config: AudioConfig, size: int) -> bytes:
    """An ADTS header without a checksum, for the writer that wants frames with theirs."""
    first = ((config.object_type - 1) << 6) | (RATES.index(config.rate) << 2) | (config.channels >> 2)
    second = ((config.channels & 3) << 6) | (size >> 11)
    return bytes((0xFF, 0xF1, first, second, (size >> 3) & 0xFF, ((size & 7) << 5) | 0x1F, 0xFC))


def _read(file: BinaryIO, place: int, length: int) -> bytes:
    file.seek(place)
    data = file.read(length)
    if len(data) != length:
        raise MediaError("the file ends before its frames do")
    return data
