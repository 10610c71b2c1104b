"""Segments, frames and tags for the tests of the audio room, made by hand and not by the code under test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parent / "samples" / "timed-metadata"
EXPECTED: dict[str, Any] = json.loads((SAMPLES / "expected.json").read_text())
VECTORS: dict[str, Any] = json.loads((SAMPLES / "vectors.json").read_text())
SEGMENT_7 = "chunk_1772564418764575344_7_a.aac"
FILES: list[str] = list(EXPECTED["files"])
OWNER = b"com.apple.streaming.transportStreamTimestamp\0"


def sample(name: str = SEGMENT_7) -> bytes:
    return (SAMPLES / name).read_bytes()


def frame(size: int = 20, *, rate_index: int = 3, channels: int = 2, blocks: int = 1, crc: bool = False) -> bytes:
    """One ADTS frame of `size` bytes, header included; the payload is zeros."""
    header = bytes(
        [
            0xFF,
            0xF0 if crc else 0xF1,
            0x40 | rate_index << 2 | channels >> 2,
            (channels & 3) << 6 | size >> 11,
            size >> 3 & 0xFF,
            (size & 7) << 5 | 0x1F,
            0xFC | blocks - 1,
        ]
    )
    return header + bytes(size - 7)


def synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def tag(body: bytes, *, flags: int = 0, major: int = 4) -> bytes:
    """An ID3 tag around a body."""
    footer = b"3DI" + bytes(7) if flags & 0x10 else b""
    return b"ID3" + bytes([major, 0, flags]) + synchsafe(len(body)) + body + footer


def part(name: str, data: bytes, *, plain: bool = False, flags: int = 0) -> bytes:
    """One frame of a tag."""
    size = len(data).to_bytes(4, "big") if plain else synchsafe(len(data))
    return name.encode() + size + bytes([0, flags]) + data


def user_text(description: str, value: str, **options: Any) -> bytes:
    return part("TXXX", b"\3" + description.encode() + b"\0" + value.encode() + b"\0", **options)


def clock(ticks: int) -> bytes:
    return part("PRIV", OWNER + ticks.to_bytes(8, "big"))
