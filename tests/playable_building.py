"""Small media files for the tests of going on air, made by the media library and not by the code under test."""

from __future__ import annotations

import array
import io
import random
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av


@cache
def adts(frames: int = 94, *, rate: int = 48000, seed: int = 1) -> bytes:
    """AAC frames of noise, so that no two are alike; 94 are two seconds."""
    noise = random.Random(seed)
    out = io.BytesIO()
    with av.open(out, "w", format="adts") as container:
        sound: Any = container.add_stream("aac", rate=rate, layout="mono")
        for number in range(frames):
            frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
            samples = array.array("f", (noise.uniform(-0.5, 0.5) for _ in range(1024)))
            frame.planes[0].update(samples.tobytes())
            frame.sample_rate, frame.pts, frame.time_base = rate, number * 1024, Fraction(1, rate)
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return out.getvalue()


def payloads(data: bytes, kind: str = "audio", demuxer: str = "aac") -> list[bytes]:
    """The frames of one kind, without ADTS headers."""
    with av.open(io.BytesIO(data), "r", format=demuxer) as container:
        stream: Any = next(s for s in container.streams if s.type == kind)
        found = [bytes(packet) for packet in container.demux(stream) if packet.size]
    return [frame[7:] if demuxer == "aac" else frame for frame in found]


@cache
def mp4(seconds: int = 3, *, fps: int = 10, codec: str = "libx264") -> bytes:
    """A picture that changes and a tone."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4" if codec == "libx264" else "matroska") as container:
        picture: Any = container.add_stream(codec, rate=fps)
        picture.width, picture.height, picture.pix_fmt, picture.gop_size = 64, 48, "yuv420p", fps
        sound: Any = container.add_stream("aac", rate=44100, layout="stereo")
        done = 0
        for number in range(seconds * fps):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([number * 7 % 251]) * plane.buffer_size)
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(picture.encode(frame))
            while done * 1024 < (number + 1) * 44100 / fps:
                tone = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
                for plane in tone.planes:
                    plane.update(bytes(4096))
                tone.sample_rate, tone.pts, tone.time_base = 44100, done * 1024, Fraction(1, 44100)
                container.mux(sound.encode(tone))
                done += 1
        for stream in (picture, sound):
            container.mux(stream.encode(None))
    return out.getvalue()


def wav(seconds: int = 2) -> bytes:
    """Silence that no RTMP service takes as it is."""
    out = io.BytesIO()
    with av.open(out, "w", format="wav") as container:
        sound: Any = container.add_stream("pcm_s16le", rate=22050, layout="mono")
        for number in range(seconds * 22050 // 1050):
            frame = av.AudioFrame(format="s16", layout="mono", samples=1050)
            frame.planes[0].update(bytes(2100))
            frame.sample_rate, frame.pts, frame.time_base = 22050, number * 1050, Fraction(1, 22050)
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return out.getvalue()


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path
