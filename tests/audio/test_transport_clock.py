"""The clock inside a segment of video: found where it is, and nothing where it is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.audio.transport import PACKET_BYTES, TransportClock, read_transport_clock
from hydrophone.sandbox.tags import id3_frame, id3_tag

UNIX_US = 1_479_570_069_627_186
NTP = "3688558869.627186"
METADATA, PICTURE = 0x102, 0x100


def stamp(ticks: int) -> bytes:
    return bytes(
        (
            0x21 | ticks >> 29 & 0x0E,
            ticks >> 22 & 0xFF,
            ticks >> 14 & 0xFE | 1,
            ticks >> 7 & 0xFF,
            ticks << 1 & 0xFE | 1,
        )
    )


def pes(stream_id: int, ticks: int, data: bytes) -> bytes:
    return b"\0\0\1" + bytes((stream_id,)) + b"\0\0\x80\x80\x05" + stamp(ticks) + data


def packets(pid: int, data: bytes) -> bytes:
    """The data of one PES packet in transport packets, the last one filled up by an adaptation field."""
    out = b""
    for at in range(0, len(data), PACKET_BYTES - 4):
        piece = data[at : at + PACKET_BYTES - 4]
        lack = PACKET_BYTES - 4 - len(piece)
        field = bytes((lack - 1,)) + (b"\0" + b"\xff" * (lack - 2) if lack > 1 else b"") if lack else b""
        head = bytes((0x47, (0 if at else 0x40) | pid >> 8, pid & 0xFF, 0x30 if lack else 0x10))
        out += head + field + piece
    return out


def tag(text: str = NTP, padding: int = 0) -> bytes:
    frames = id3_frame(b"TIT3", b"\x03" + text.encode() + b"\0")
    return id3_tag((id3_frame(b"TXXX", b"\x03" + b"x" * padding) if padding else b"") + frames)


def segment(first: int, tagged: int, data: bytes) -> bytes:
    return packets(PICTURE, pes(0xE0, first, b"picture" * 100)) + packets(METADATA, pes(0xBD, tagged, data)) * 2


@pytest.mark.parametrize("padding", [0, 400])
def test_the_first_clock_is_read_with_what_precedes_it(padding: int) -> None:
    found = read_transport_clock(segment(900_000, 945_000, tag(padding=padding)))
    assert found == TransportClock(UNIX_US, 0.5)


def test_the_tag_may_stand_in_front_and_the_ticks_may_wrap() -> None:
    front = packets(METADATA, pes(0xBD, 2**33 - 45_000, tag()))
    body = front + packets(PICTURE, pes(0xE0, 45_000, b"picture")) + front
    assert read_transport_clock(body) == TransportClock(UNIX_US, -1.0)


def test_a_tag_without_sound_or_picture_is_its_own_beginning() -> None:
    assert read_transport_clock(packets(METADATA, pes(0xBD, 90_000, tag()))) == TransportClock(UNIX_US, 0.0)


@pytest.mark.parametrize("text", ["", "soon", "99999999999999999999"])
def test_what_is_no_clock_is_none(text: str) -> None:
    assert read_transport_clock(segment(0, 0, tag(text))) is None
    assert read_transport_clock(packets(PICTURE, pes(0xE0, 0, b"picture"))) is None


@given(st.binary(max_size=600), st.integers(0, 3))
def test_any_bytes_have_a_clock_or_none(data: bytes, cut: int) -> None:
    read_transport_clock(data)
    read_transport_clock(b"\x47" + data)
    whole = segment(0, 0, tag())
    read_transport_clock(whole[: len(whole) - cut] + data)
