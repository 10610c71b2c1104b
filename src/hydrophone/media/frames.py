"""AAC frames on their way from a recording into a file: where they come from, and what they are.

A source is asked twice: first for the sizes alone, which the journal knows and which cost nothing to read, then for
the bytes. So the index of a file can be written before its first byte of audio has been touched.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Protocol, TypeAlias

from hydrophone.errors import MediaError

RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
SAMPLES_PER_FRAME = 1024
SILENT_BLOCK = 2048  #: silent frames are handed on in blocks of this many, so that a gap of hours needs no memory

Sizes: TypeAlias = "array[int]"  #: of type code ``H``: whole lengths of ADTS frames, headers included
Stretch: TypeAlias = "tuple[Sizes, bytes | bytearray]"  #: the sizes of some frames, and those frames end to end


class FrameSource(Protocol):
    """ADTS frames in playing order. Both ways may be gone more than once and name the same frames in the same order.

    They may cut the frames into pieces differently. Tags and junk between the frames are left out by the source.
    """

    def sizes(self) -> Iterator[Sizes]:
        """The sizes of all frames, in pieces."""

    def stretches(self) -> Iterator[Stretch]:
        """The frames themselves, in pieces, each with its sizes."""


@dataclass(frozen=True, slots=True)
class AudioConfig:
    """What a decoder must know before the first frame. `header_bytes` is 9 where the frames carry checksums."""

    rate: int
    channels: int
    object_type: int = 2  #: 2 is AAC-LC, the only one seen
    header_bytes: int = 7

    def __post_init__(self) -> None:
        if self.rate not in RATES or not 1 <= self.channels <= 7 or not 1 <= self.object_type <= 4:
            raise MediaError(f"no AAC track can have {self.rate} Hz, {self.channels} channels, type {self.object_type}")
        if self.header_bytes not in (7, 9):
            raise MediaError("an ADTS header has 7 or 9 bytes")

    @property
    def specific(self) -> bytes:
        """The two bytes of the AudioSpecificConfig."""
        return ((self.object_type << 11) | (RATES.index(self.rate) << 7) | (self.channels << 3)).to_bytes(2, "big")

    @property
    def duration_seconds_per_frame(self) -> float:
        return SAMPLES_PER_FRAME / self.rate


def read_config(header: bytes | bytearray) -> AudioConfig:
    """The configuration that an ADTS header (its first 4 bytes) declares.

    Raises:
        MediaError: these bytes are no ADTS header, or it declares what no file can hold.
    """
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        raise MediaError("not an ADTS frame header")
    index = (header[2] >> 2) & 15
    if index >= len(RATES):
        raise MediaError(f"sampling index {index} is not defined")
    channels = ((header[2] & 1) << 2) + (header[3] >> 6)
    return AudioConfig(RATES[index], channels, (header[2] >> 6) + 1, 7 if header[1] & 1 else 9)


def silent_stretches(frame: bytes, count: int) -> Iterator[Stretch]:
    """`count` times the same frame, in blocks that share their memory."""
    block = array("H", [len(frame)]) * SILENT_BLOCK, frame * SILENT_BLOCK
    yield from (block for _ in range(count // SILENT_BLOCK))
    if rest := count % SILENT_BLOCK:
        yield array("H", [len(frame)]) * rest, frame * rest


class StretchSource:
    """A source over stretches that are at hand, e.g. a list of them: for short pieces and for tests."""

    def __init__(self, pieces: Iterable[Stretch]) -> None:
        self._pieces = list(pieces)

    def sizes(self) -> Iterator[Sizes]:
        return (sizes for sizes, _ in self._pieces)

    def stretches(self) -> Iterator[Stretch]:
        return iter(self._pieces)


class JoinedSource:
    """Several sources, one after the other."""

    def __init__(self, *parts: FrameSource) -> None:
        self._parts = parts

    def sizes(self) -> Iterator[Sizes]:
        return chain.from_iterable(part.sizes() for part in self._parts)

    def stretches(self) -> Iterator[Stretch]:
        return chain.from_iterable(part.stretches() for part in self._parts)


class SilenceSource:
    """Silence of a given number of frames, in next to no memory."""

    def __init__(self, frame: bytes, count: int) -> None:
        self._frame = frame
        self._count = count

    def sizes(self) -> Iterator[Sizes]:
        return (sizes for sizes, _ in silent_stretches(self._frame, self._count))

    def stretches(self) -> Iterator[Stretch]:
        return silent_stretches(self._frame, self._count)


class PlainFrames:
    """The frames of another source, those with checksums made into such without.

    The slow way, for streams that were never seen but may be: the bytes are read once more for the sizes.
    """

    def __init__(self, source: FrameSource) -> None:
        self._source = source

    def sizes(self) -> Iterator[Sizes]:
        return (sizes for sizes, _ in self.stretches())

    def stretches(self) -> Iterator[Stretch]:
        for sizes, data in self._source.stretches():
            frames = list(_plain(sizes, data))
            yield array("H", map(len, frames)), b"".join(frames)


def _plain(sizes: Sizes, data: bytes | bytearray) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        frame = bytes(data[at : at + size])
        at += size
        if len(frame) < 9 or frame[1] & 1:
            yield frame
            continue
        length = size - 2
        fixed = bytes((frame[0], frame[1] | 1, frame[2], (frame[3] & 0xFC) | (length >> 11)))
        yield fixed + bytes(((length >> 3) & 0xFF, ((length & 7) << 5) | (frame[5] & 0x1F), frame[6])) + frame[9:]
