"""Avatars and thumbnails: real JPEG and PNG files, drawn here, different for every name.

Both writers are small on purpose: flat blocks of colour need neither a transform nor an entropy model.

Source: ITU-T T.81 (baseline JPEG, one Huffman table per class) and the PNG specification.
"""

from __future__ import annotations

import hashlib
import struct
import zlib

Colour = tuple[int, int, int]

#: Avatar sizes by the suffix in front of the extension; no suffix is the original.
SIZES = {"_normal": 48, "_bigger": 72, "_mini": 24, "_reasonably_small": 128, "_200x200": 200, "_400x400": 400}


def avatar(name: str) -> tuple[str, bytes]:
    """Content type and bytes of the avatar with this file name, in the size that its suffix asks for."""
    stem, _, extension = name.rpartition(".")
    suffix = next((suffix for suffix in SIZES if stem.endswith(suffix)), "")
    base = stem.removesuffix(suffix)
    size = SIZES.get(suffix, 512)
    rows = pattern(base, blocks=-(-size // 8))
    if extension == "png":
        return "image/png", png(rows, size, size)
    return "image/jpeg", jpeg(rows, size, size)


def thumbnail(name: str, width: int, height: int) -> bytes:
    """A JPEG of that size for a broadcast."""
    return jpeg(pattern(name, blocks=-(-max(width, height) // 8)), width, height)


def pattern(name: str, *, blocks: int) -> list[list[Colour]]:
    """Rows of colours, one for each block of 8 by 8 pixels: a mirrored mosaic of two colours chosen by the name."""
    digest = hashlib.sha256(name.encode()).digest()
    light, dark = (digest[0], digest[1], digest[2] | 0x80), (digest[3] // 3, digest[4] // 3, digest[5] // 3)
    rows = []
    for y in range(blocks):
        row = []
        for x in range(blocks):
            cell_x, cell_y = 5 * x // blocks, 5 * y // blocks
            bit = digest[8 + cell_y] >> min(cell_x, 4 - cell_x) & 1
            row.append(light if bit else dark)
        rows.append(row)
    return rows


def png(rows: list[list[Colour]], width: int, height: int) -> bytes:
    """A PNG in which each colour of `rows` covers 8 by 8 pixels."""
    lines = bytearray()
    for y in range(height):
        row = rows[y // 8]
        lines.append(0)
        for x in range(width):
            lines += bytes(row[x // 8])
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(lines), 9)), (b"IEND", b""))
    out = b"\x89PNG\r\n\x1a\n"
    for kind, data in chunks:
        out += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return out


def jpeg(rows: list[list[Colour]], width: int, height: int) -> bytes:
    """A baseline JPEG in which each colour of `rows` covers one block of 8 by 8 pixels."""
    quantisation = b"\xff\xdb" + struct.pack(">HB", 67, 0) + bytes([8] * 64)
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, height, width, 3)
    frame += b"".join(bytes([component, 0x11, 0]) for component in (1, 2, 3))
    # DC codes: twelve categories of equal length four. AC codes: only "end of block", one bit long.
    dc_table = bytes([0, 0, 0, 12] + [0] * 12 + list(range(12)))
    ac_table = bytes([1] + [0] * 15 + [0])
    tables = b"\xff\xc4" + struct.pack(">HB", 3 + len(dc_table), 0x00) + dc_table
    tables += b"\xff\xc4" + struct.pack(">HB", 3 + len(ac_table), 0x10) + ac_table
    scan = b"\xff\xda" + struct.pack(">HB", 12, 3) + b"".join(bytes([c, 0x00]) for c in (1, 2, 3)) + b"\x00\x3f\x00"
    blocks = [row[: -(-width // 8)] for row in rows[: -(-height // 8)]]
    app0 = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    return b"\xff\xd8" + app0 + quantisation + frame + tables + scan + _entropy(blocks) + b"\xff\xd9"


def _entropy(rows: list[list[Colour]]) -> bytes:
    bits = []
    last = [0, 0, 0]
    for row in rows:
        for colour in row:
            for index, level in enumerate(_levels(colour)):
                bits.append(_dc_bits(level - last[index]) + "0")
                last[index] = level
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    data = int(text, 2).to_bytes(len(text) // 8, "big")
    return data.replace(b"\xff", b"\xff\x00")


def _levels(colour: Colour) -> tuple[int, int, int]:
    """The three DC coefficients of a flat block: with a quantiser of 8 they are the samples minus 128."""
    red, green, blue = colour
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return round(luma - 128), round((blue - luma) * 0.564), round((red - luma) * 0.713)


def _dc_bits(difference: int) -> str:
    category = abs(difference).bit_length()
    value = difference if difference > 0 else difference + (1 << category) - 1
    return format(category, "04b") + (format(value, f"0{category}b") if category else "")
