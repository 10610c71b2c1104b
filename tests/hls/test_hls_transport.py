"""Whether a body is a whole segment of video, with real ones cut at every place."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.hls.transport import PACKET_BYTES, judge_transport
from hydrophone.sandbox.pictures import VideoMaker
from hydrophone.sandbox.scene import Kind, Scene, VideoVariant
from hydrophone.sandbox.timeline import Timeline

VARIANT = VideoVariant(width=64, height=36, kbps=100)


def muxed(*, frame_rate: int = 25, b_frames: int = 2) -> bytes:
    """Two seconds of H.264 and AAC as FFmpeg's own muxer writes them: several audio frames to a packet."""
    out = io.BytesIO()
    with av.open(out, "w", format="mpegts") as container:
        video: Any = container.add_stream("libx264", rate=frame_rate)
        video.width, video.height, video.pix_fmt = 64, 36, "yuv420p"
        video.max_b_frames = b_frames
        sound: Any = container.add_stream("aac", rate=48_000)
        sound.layout = "stereo"
        for number in range(2 * frame_rate):
            picture = av.VideoFrame(64, 36, "yuv420p")
            for plane in picture.planes:
                plane.update(bytes([number]) * plane.buffer_size)
            picture.pts, picture.time_base = number, Fraction(1, frame_rate)
            container.mux(video.encode(picture))
        for number in range(round(2 * 48_000 / 1024)):
            samples = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
            for plane in samples.planes:
                plane.update(bytes(plane.buffer_size))
            samples.sample_rate, samples.pts, samples.time_base = 48_000, number * 1024, Fraction(1, 48_000)
            container.mux(sound.encode(samples))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))
    return out.getvalue()


@pytest.fixture(scope="module")
def segment() -> bytes:
    """Two seconds of H.264 and AAC, as the service's own packager writes them."""
    scene = Scene.ended("transport", kind=Kind.BROADCAST, seconds=20, variants=(VARIANT,)).at(datetime.now(UTC))
    return VideoMaker(scene, VARIANT).body(Timeline(scene).piece(3))


def test_a_whole_segment_is_complete(segment: bytes) -> None:
    verdict = judge_transport(segment, 2.0)

    assert verdict.is_complete
    assert not verdict.is_foreign
    assert verdict.reason == ""
    assert verdict.span_seconds == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("frame_rate", [10, 25, 60])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_whole_segment_of_another_packager_is_complete_too(frame_rate: int, b_frames: int) -> None:
    body = muxed(frame_rate=frame_rate, b_frames=b_frames)

    assert judge_transport(body, 2.0).reason == ""
    assert not judge_transport(body[: len(body) // 2 // PACKET_BYTES * PACKET_BYTES], 2.0).is_complete


def test_a_segment_that_ends_inside_a_packet_is_not(segment: bytes) -> None:
    for length in range(len(segment) - 3 * PACKET_BYTES, len(segment)):
        if length % PACKET_BYTES:
            assert not judge_transport(segment[:length], 2.0).is_complete


def test_a_segment_that_ends_between_two_packets_is_not(segment: bytes) -> None:
    packets = len(segment) // PACKET_BYTES
    unnoticed = [n for n in range(1, packets) if judge_transport(segment[: n * PACKET_BYTES], 2.0).is_complete]

    # Pictures do not say how long they are, so the last tenth of a segment may be cut off between two of them.
    assert unnoticed == [] or min(unnoticed) > 0.85 * packets


def test_lost_packets_in_the_middle_are_noticed(segment: bytes) -> None:
    half = len(segment) // 2 // PACKET_BYTES * PACKET_BYTES

    assert not judge_transport(
        segment[:half] + b"\x55" * PACKET_BYTES + segment[half + PACKET_BYTES :], 2.0
    ).is_complete


@pytest.mark.parametrize("body", [b"", b"G", b"<html></html>" * 40, b"\0" * 1880, b"ID3\x04" * 100])
def test_what_is_no_transport_stream_is_foreign(body: bytes) -> None:
    verdict = judge_transport(body, 2.0)

    assert verdict.is_foreign
    assert not verdict.is_complete


def test_without_a_promised_length_what_is_there_counts(segment: bytes) -> None:
    assert judge_transport(segment, None).is_complete


@given(st.binary(max_size=2000), st.booleans(), st.none() | st.floats(0, 1e6))
def test_it_never_raises(noise: bytes, has_sync: bool, seconds: float | None) -> None:
    judge_transport(b"\x47" + noise if has_sync else noise, seconds)


@given(data=st.data())
def test_it_never_raises_on_a_damaged_segment(segment: bytes, data: st.DataObject) -> None:
    body = bytearray(segment[: 60 * PACKET_BYTES])
    for _ in range(data.draw(st.integers(1, 30))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    judge_transport(bytes(body), 2.0)
