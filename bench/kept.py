"""What a program kept: each frame's payload is looked up among those that were offered.

Payloads in the bench are all different from one another, so a frame that is there twice, or one that was made up,
shows; a program that only wrote enough bytes gains nothing.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from bench.material import Export
from hydrophone.audio import scan_adts

ADTS_HEADER = 7


def marks_of_adts(data: bytes) -> array[int]:
    """A 64-bit mark for each frame's payload in a row of segments."""
    scan = scan_adts(data)
    marks = array("q")
    sizes = iter(scan.frame_sizes)
    for offset, count in scan.runs:
        for _ in range(count):
            size = next(sizes)
            marks.append(hash(data[offset + ADTS_HEADER : offset + size]))
            offset += size
    return marks


def marks_of_container(path: Path) -> array[int]:
    """The same for an m4a, mp4 or ts file. ADTS headers are taken off where a container keeps them."""
    import av

    marks = array("q")
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return marks
        is_adts = container.format.name in ("aac", "mpegts")
        for packet in container.demux(container.streams.audio[0]):
            if packet.size:
                payload = bytes(packet)
                marks.append(hash(payload[ADTS_HEADER:] if is_adts else payload))
    return marks


@lru_cache(maxsize=4)
def offered(export: Export) -> frozenset[int]:
    """The marks of everything that the scene offers."""
    marks: set[int] = set()
    for segment in export.segments:
        marks.update(marks_of_adts(segment.read_bytes()))
    return frozenset(marks)


def audio_in(pattern: str, export: Export) -> Callable[[Path], tuple[int, int]]:
    """Count the frames that were kept in the one file that fits `pattern`."""

    def count(folder: Path) -> tuple[int, int]:
        wanted = offered(export)
        found = sorted(folder.rglob(pattern))
        if not found:
            return 0, len(wanted)
        path = found[0]
        raw = path.suffix in (".aac", ".raw", ".ts")
        try:
            marks = marks_of_adts(path.read_bytes()) if raw else marks_of_container(path)
        except (ValueError, OSError):  # a file that no reader opens holds nothing
            return 0, len(wanted)
        return len(wanted.intersection(marks)), len(wanted)

    return count


# ---------------------------------------------------------------- video


def pictures_in(pattern: str, export: Export) -> Callable[[Path], tuple[int, int]]:
    """Count the pictures and audio frames of a video that were kept, by payload."""

    def count(folder: Path) -> tuple[int, int]:
        wanted = _offered_packets(export)
        found = sorted(folder.rglob(pattern))
        if not found:
            return 0, len(wanted)
        try:
            return len(wanted.intersection(_packets(found[0]))), len(wanted)
        except (ValueError, OSError):
            return 0, len(wanted)

    return count


@lru_cache(maxsize=2)
def _offered_packets(export: Export) -> frozenset[str]:
    joined = export.root / f"joined-{export.scene.id}.ts"
    if not joined.exists():
        with joined.open("wb") as file:
            for segment in export.segments:
                file.write(segment.read_bytes())
    return frozenset(_packets(joined))


def _packets(path: Path) -> Iterator[str]:
    """Digests of all packets, without what a container adds: ADTS headers, start codes, parameter sets."""
    import av

    with av.open(str(path)) as container:
        is_transport = container.format.name == "mpegts"
        chosen = [*container.streams.video[:1], *container.streams.audio[:1]]
        for packet in container.demux(chosen):
            if not packet.size:
                continue
            body = bytes(packet)
            if packet.stream.type == "audio":
                slim = body[ADTS_HEADER:] if is_transport and body[:1] == b"\xff" else body
            else:
                slim = b"".join(_slices(body, is_transport))
            yield hashlib.blake2b(slim, digest_size=8).hexdigest()


def _slices(body: bytes, is_transport: bool) -> Iterator[bytes]:
    """The NAL units of a picture that hold a slice."""
    units = _split_start_codes(body) if is_transport else _split_lengths(body)
    return (unit for unit in units if unit and unit[0] & 31 in (1, 5))


def _split_start_codes(body: bytes) -> Iterator[bytes]:
    for piece in body.split(b"\0\0\1"):
        yield piece.rstrip(b"\0")


def _split_lengths(body: bytes) -> Iterator[bytes]:
    at = 0
    while at + 4 <= len(body):
        size = int.from_bytes(body[at : at + 4], "big")
        yield body[at + 4 : at + 4 + size].rstrip(b"\0")
        at += 4 + size
