"""The picture on a file: checked when it came from the network, drawn by ourselves when there is none.

A downloaded picture is never decoded here: only its first bytes and its dimensions are read, so that no decoder of ours
meets hostile data. What players make of it is theirs.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from hashlib import sha256

MAX_COVER_BYTES = 8 << 20
MIN_SIDE, MAX_SIDE = 8, 8192
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8\xff"
DRAWN_SIDE = 512


@dataclass(frozen=True, slots=True)
class Picture:
    """What a picture says about itself."""

    media_type: str  #: ``image/png`` or ``image/jpeg``
    width: int
    height: int


def read_picture(data: bytes) -> Picture | None:
    """Kind and size of a JPEG or PNG; None where it is neither, too large, damaged at its head, or of absurd size."""
    if len(data) > MAX_COVER_BYTES:
        return None
    if data.startswith(PNG_MAGIC):
        picture = _png_size(data)
    elif data.startswith(JPEG_MAGIC):
        picture = _jpeg_size(data)
    else:
        return None
    if picture and MIN_SIDE <= picture.width <= MAX_SIDE and MIN_SIDE <= picture.height <= MAX_SIDE:
        return picture
    return None


def usable_cover(data: bytes | None) -> bytes | None:
    """`data` where it is a sane JPEG or PNG, else None."""
    return data if data and read_picture(data) else None


def _png_size(data: bytes) -> Picture | None:
    if len(data) < 33 or data[12:16] != b"IHDR" or b"IEND" not in data[-16:]:
        return None
    return Picture("image/png", *struct.unpack(">II", data[16:24]))


def _jpeg_size(data: bytes) -> Picture | None:
    """Walk the segments up to the frame header. Each step moves on, so this ends within the data."""
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker in (0xD8, 0x01) or 0xD0 <= marker <= 0xD7:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2 or marker in (0xD9, 0xDA):
            return None
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return Picture("image/jpeg", width, height)
        at += 2 + length
    return None


def draw_cover(seed: str) -> bytes:
    """A small square PNG for a recording without picture: a mark of sound waves, coloured and shaped by `seed`.

    The same seed gives the same bytes on every machine.
    """
    digest = sha256(seed.encode(errors="replace")).digest()
    levels = [24 + value * 76 // 255 for value in digest[:21]]
    # Dark enough and bright enough that the bars are always seen.
    background = bytes(20 + value * 60 // 255 for value in digest[21:24])
    bar = bytes(150 + value * 105 // 255 for value in digest[24:27])
    return two_colour_png(_bars(levels), background + bar)


def _bars(levels: list[int]) -> list[bytes]:
    """The rows of the mark, one bit for each dot: upright bars around the middle line, `levels` in per cent."""
    slot = DRAWN_SIDE * 8 // 10 // len(levels)
    width = slot * 6 // 10
    left = (DRAWN_SIDE - slot * len(levels)) // 2
    bars = [(left + n * slot, DRAWN_SIDE * 7 // 10 * level // 100) for n, level in enumerate(levels)]
    rows = []
    for y in range(DRAWN_SIDE):
        distance = abs(2 * y - DRAWN_SIDE + 1)
        dots = sum(((1 << width) - 1) << (DRAWN_SIDE - at - width) for at, height in bars if distance < height)
        rows.append(dots.to_bytes(DRAWN_SIDE // 8, "big"))
    return rows


def two_colour_png(rows: list[bytes], palette: bytes) -> bytes:
    """A PNG of one bit per dot; `palette` is the colour of the 0 dots and of the 1 dots, three bytes each."""
    header = struct.pack(">IIBBBBB", len(rows[0]) * 8, len(rows), 1, 3, 0, 0, 0)
    body = _stored(b"".join(b"\0" + row for row in rows))
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", body), (b"IEND", b""))
    return PNG_MAGIC + b"".join(_chunk(kind, data) for kind, data in chunks)


def _stored(data: bytes) -> bytes:
    """A zlib stream that does not compress. What a compressor makes depends on its build; this does not."""
    blocks = [data[at : at + 0xFFFF] for at in range(0, len(data), 0xFFFF)] or [b""]
    packed = b"".join(
        struct.pack("<BHH", block is blocks[-1], len(block), len(block) ^ 0xFFFF) + block for block in blocks
    )
    return b"\x78\x01" + packed + struct.pack(">I", zlib.adler32(data))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
