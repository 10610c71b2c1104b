"""Covers: what is taken from the network, and what is drawn."""

from __future__ import annotations

import io
import struct
import zlib

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.media.cover import DRAWN_SIDE, MAX_COVER_BYTES, Picture, draw_cover, read_picture, usable_cover


def encoded(codec: str, pixel_format: str, width: int, height: int) -> bytes:
    context = av.CodecContext.create(codec, "w")
    context.width, context.height, context.pix_fmt, context.framerate = width, height, pixel_format, 1
    return b"".join(bytes(packet) for packet in context.encode(av.VideoFrame(width, height, pixel_format)))


PNG = encoded("png", "rgb24", 40, 30)
JPEG = encoded("mjpeg", "yuvj420p", 64, 48)


def png_of(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG[:8] + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + PNG[33:]


def test_real_pictures_are_known_by_their_first_bytes() -> None:
    assert read_picture(PNG) == Picture("image/png", 40, 30)
    assert read_picture(JPEG) == Picture("image/jpeg", 64, 48)
    assert usable_cover(PNG) is PNG


@pytest.mark.parametrize(
    "data",
    [
        None,
        b"",
        b"<html>404</html>",
        b"GIF89a" + bytes(100),
        b"<svg onload='x'/>",
        PNG[:40],
        PNG[:-20],
        JPEG[:20],
        b"\xff\xd8\xff" + b"\xff" * 100_000,
        b"\xff\xd8\xff\xd9" + bytes(50),
        b"\xff\xd8\xff\xe0\x00\x00" * 50,
        png_of(0, 0),
        png_of(1, 1),
        png_of(100_000, 100_000),
        PNG[:-12] + bytes(MAX_COVER_BYTES) + PNG[-12:],
    ],
    ids=range(15),
)
def test_what_is_no_sane_picture_is_no_cover(data: bytes | None) -> None:
    assert usable_cover(data) is None


@given(st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8\xff", PNG[:16], JPEG[:100]]))
def test_any_bytes_are_a_picture_or_not(data: bytes, start: bytes) -> None:
    picture = read_picture(start + data)

    assert picture is None or 8 <= picture.width <= 8192


@given(st.integers(0, len(JPEG) - 1), st.integers(0, 255))
def test_a_damaged_picture_is_judged_without_an_error(at: int, value: int) -> None:
    read_picture(JPEG[:at] + bytes([value]) + JPEG[at + 1 :])


def test_the_drawn_cover_is_a_picture_for_others_and_always_the_same() -> None:
    cover = draw_cover("1hydroPhoneXZ")

    assert cover == draw_cover("1hydroPhoneXZ") != draw_cover("1another")
    assert zlib.crc32(cover) == 0xD075E7ED
    assert usable_cover(cover) is cover
    with av.open(io.BytesIO(cover), format="png_pipe") as container:
        (frame,) = container.decode(video=0)
        pixels = frame.reformat(format="rgb24")
    assert (frame.width, frame.height) == (DRAWN_SIDE, DRAWN_SIDE)
    row = bytes(pixels.planes[0])[pixels.planes[0].line_size * (DRAWN_SIDE // 2) :][: DRAWN_SIDE * 3]
    assert len({row[at : at + 3] for at in range(0, len(row), 3)}) == 2


def test_the_seed_may_be_any_text() -> None:
    assert usable_cover(draw_cover("\ud800"))
    assert usable_cover(draw_cover(""))
