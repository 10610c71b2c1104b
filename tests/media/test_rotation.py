"""How the camera was held: what the stream says, what is chosen, and what players are told."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.media.mp4 import write_mp4
from hydrophone.media.rotation import Turn, Turns, quarter, read_orientation, turned_track
from hydrophone.sandbox.tags import id3_frame, id3_tag


@pytest.mark.parametrize(
    ("degrees", "turn"),
    [
        (0, 0),
        (44.9, 0),
        (45, 90),
        (92, 90),
        (134, 90),
        (135, 180),
        (269, 270),
        (271, 270),
        (315, 0),
        (357, 0),
        (-90, 270),
    ],
)
def test_sensors_are_rounded_as_the_official_client_did(degrees: float, turn: int) -> None:
    assert quarter(degrees) == turn


@given(st.floats(-3600, 3600))
def test_any_angle_is_a_quarter_turn(degrees: float) -> None:
    assert quarter(degrees) in (0, 90, 180, 270)


def tag(text: str) -> bytes:
    return id3_tag(
        id3_frame(b"TIT3", b"\x03" + b"3981234567.5\0") + id3_frame(b"TKEY", b"\x03" + text.encode() + b"\0")
    )


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("271", 271.0),
        ("0", 0.0),
        (" 92.5 ", 92.5),
        ("", None),
        ("up", None),
        ("nan", None),
        ("inf", None),
        ("1e9", None),
    ],
)
def test_the_orientation_in_a_tag_is_read(text: str, degrees: float | None) -> None:
    assert read_orientation(tag(text)) == degrees


@given(st.binary(max_size=200))
def test_any_bytes_say_something_or_nothing(data: bytes) -> None:
    assert read_orientation(b"ID3\x04\0\0" + data) is None or True


@cache
def moving_picture() -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="mpegts") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(10):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([number * 20]) * plane.buffer_size)
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def told(*statements: tuple[float, float]) -> Turns:
    turns = Turns()
    for seconds, degrees in statements:
        turns.see(seconds, degrees)
    return turns


def test_what_was_held_longest_is_shown_and_the_stream_is_believed() -> None:
    assert told((0, 271), (1, 271), (18, 359), (40, 359)).chosen(271) == 0
    assert told((0, 271), (30, 359), (40, 359)).chosen(0) == 270
    assert told((0, 92), (10, 0), (20, 0)).chosen(None) == 90
    assert told((5, 180)).chosen(90) == 180
    assert told().chosen(271) == 270
    assert told().chosen(None) == 0


def test_a_statement_is_not_believed_for_ever() -> None:
    assert told((0, 90), (4000, 0), (4061, 0), (4100, 0)).chosen(None) == 0


def test_equal_statements_in_a_row_are_one_turn() -> None:
    assert told((0, 271), (1, 269), (2, 92), (3, 90)).found == [Turn(0, 270), Turn(2, 90)]


@pytest.mark.parametrize(("degrees", "shown"), [(None, 0), (0, 0), (92, -90), (181, 180), (271, 90)])
def test_players_are_told_to_turn_the_picture(degrees: int | None, shown: int) -> None:
    out = io.BytesIO()
    summary = write_mp4(out, [moving_picture()], rotation_degrees=degrees)

    assert summary.rotation_degrees == quarter(degrees or 0)
    out.seek(0)
    with av.open(out) as container:
        frame = next(container.decode(container.streams.video[0]))
        assert abs(frame.rotation) == 180 if shown == 180 else frame.rotation == shown


def boxes(*parts: tuple[bytes, bytes]) -> bytes:
    return b"".join((len(body) + 8).to_bytes(4, "big") + kind + body for kind, body in parts)


@pytest.mark.parametrize("header", [b"", b"\x02" + b"\0" * 100, b"\0" * 40, b"\x01" + b"\0" * 60])
def test_a_header_of_another_shape_is_left_alone(header: bytes) -> None:
    handler = boxes((b"hdlr", b"\0" * 8 + b"vide" + b"\0" * 12))
    track = boxes((b"tkhd", header or b"\x09"), (b"mdia", handler))
    assert turned_track(track, 90) == track


def test_sound_is_never_turned() -> None:
    handler = boxes((b"hdlr", b"\0" * 8 + b"soun" + b"\0" * 12))
    track = boxes((b"tkhd", b"\0" * 84), (b"mdia", handler))
    assert turned_track(track, 90) == track


def test_the_two_writers_of_a_quarter_turn_agree() -> None:
    from hydrophone.periscope.records import rounded_rotation

    angles: Sequence[float] = [*range(-720, 720, 7), 0.5, 44.999, 359.999]
    assert [quarter(angle) for angle in angles] == [rounded_rotation(angle) for angle in angles]
