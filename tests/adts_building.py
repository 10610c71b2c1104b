"""ADTS frames for tests: made by hand, or by a real encoder."""

from __future__ import annotations

import io
import math
import struct
from array import array
from fractions import Fraction
from functools import cache

import av

from hydrophone.media.frames import RATES

SILENT_STEREO = bytes.fromhex("FFF14C80021FFC 210049900219002380".replace(" ", ""))
SILENT_MONO = bytes.fromhex("FFF14C4001BFFC 00C800802380".replace(" ", ""))


def adts_frame(
    payload: bytes, *, rate: int = 48000, channels: int = 2, checksum: bool = False, blocks: int = 1
) -> bytes:
    size = len(payload) + (9 if checksum else 7)
    header = bytes(
        (
            0xFF,
            0xF0 if checksum else 0xF1,
            0x40 | (RATES.index(rate) << 2) | (channels >> 2),
            ((channels & 3) << 6) | (size >> 11),
            (size >> 3) & 0xFF,
            ((size & 7) << 5) | 0x1F,
            0xFC | (blocks - 1),
        )
    )
    return header + (b"\x12\x34" if checksum else b"") + payload


def stretch(frames: list[bytes]) -> tuple[array[int], bytes]:
    return array("H", map(len, frames)), b"".join(frames)


@cache
def encoded_frames(seconds: float, rate: int = 48000, channels: int = 2) -> tuple[bytes, ...]:
    """A tone, encoded by FFmpeg, as ADTS frames."""
    out = io.BytesIO()
    with av.open(out, "w", format="adts") as container:
        stream = container.add_stream("aac", rate=rate)
        stream.layout = "stereo" if channels == 2 else "mono"
        for n in range(round(seconds * rate / 1024)):
            tone = [0.3 * math.sin((n * 1024 + k) * 2 * math.pi * 440 / rate) for k in range(1024)]
            frame = av.AudioFrame(format="fltp", layout=stream.layout.name, samples=1024)
            for plane in frame.planes:
                plane.update(struct.pack("1024f", *tone))
            frame.sample_rate, frame.pts, frame.time_base = rate, n * 1024, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return tuple(split_frames(out.getvalue()))


def split_frames(data: bytes) -> list[bytes]:
    frames, at = [], 0
    while at < len(data):
        size = ((data[at + 3] & 3) << 11) | (data[at + 4] << 3) | (data[at + 5] >> 5)
        frames.append(data[at : at + size])
        at += size
    return frames
