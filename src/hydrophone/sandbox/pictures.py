"""Real H.264 for pretended cameras: a short loop of a moving test picture, and the video segments made from it."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from hydrophone.sandbox.scene import Scene, VideoVariant, invented_number
from hydrophone.sandbox.segments import SegmentMaker
from hydrophone.sandbox.timeline import Piece
from hydrophone.sandbox.transport_stream import build_segment
from hydrophone.sandbox.voices import cached_blocks

LOOP_SECONDS = 4  # two groups of pictures
DELIMITER = b"\x00\x00\x00\x01\x09\xf0"
MARK_UUID = bytes.fromhex("5d1f0a6e8c3b4f7da2916e5048d37b10")


def encode_pictures(width: int, height: int, frame_rate: int) -> tuple[bytes, ...]:
    """The access units of a loop; each group of pictures takes two seconds and stands alone."""
    import av

    graph = av.filter.Graph()
    source = graph.add("testsrc2", f"size={width}x{height}:rate={frame_rate}:duration={LOOP_SECONDS}")
    pixels = graph.add("format", "pix_fmts=yuv420p")
    sink = graph.add("buffersink")
    source.link_to(pixels)
    pixels.link_to(sink)
    graph.configure()
    codec: Any = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt, codec.framerate = width, height, "yuv420p", frame_rate
    codec.gop_size, codec.max_b_frames = 2 * frame_rate, 0
    codec.options = {"preset": "ultrafast", "tune": "zerolatency", "crf": "44", "sc_threshold": "0", "threads": "1"}
    units: list[bytes] = []
    for _ in range(LOOP_SECONDS * frame_rate):
        frame: Any = graph.pull()
        units += [bytes(packet) for packet in codec.encode(frame)]
    return tuple(units + [bytes(packet) for packet in codec.encode(None)])


@lru_cache(maxsize=16)
def picture_loop(width: int, height: int, frame_rate: int) -> tuple[bytes, ...]:
    """The loop of that size, from memory, from the cache directory, or encoded now (a second or two)."""
    return cached_blocks(f"pictures-{width}x{height}-{frame_rate}", lambda: encode_pictures(width, height, frame_rate))


class VideoMaker:
    """Makes the segments of one variant. Every access unit and audio frame of a scene is one of its kind."""

    def __init__(self, scene: Scene, variant: VideoVariant) -> None:
        self.variant = variant
        self._audio = SegmentMaker(scene)
        self._mark = f"{invented_number('mark', scene.id):016x}".encode()
        self._cached: dict[int, bytes] = {}

    def warm_up(self) -> None:
        """As for sound, and the pictures too."""
        self._audio.warm_up()
        picture_loop(self.variant.width, self.variant.height, self.variant.frame_rate)

    def body(self, piece: Piece) -> bytes:
        """The segment as an MPEG-TS file."""
        found = self._cached.get(piece.place)
        if found is None:
            if len(self._cached) >= 4:
                self._cached.pop(next(iter(self._cached)))
            found = self._cached[piece.place] = self._build(piece)
        return found

    def _build(self, piece: Piece) -> bytes:
        rate = self.variant.frame_rate
        loop = picture_loop(self.variant.width, self.variant.height, rate)
        first = piece.place * 2 * rate
        video = [(n * 90_000 // rate, self._unit(loop[n % len(loop)], n)) for n in range(first, first + 2 * rate)]
        frames = enumerate(self._audio.frames(piece), piece.first_frame)
        audio = [(number * 1024 * 90_000 // piece.rate, frame) for number, frame in frames]
        return build_segment(piece.place, video, audio, metadata=self.metadata(piece))

    def metadata(self, piece: Piece) -> list[tuple[int, bytes]]:
        """Timed tags of a segment as (90 kHz ticks, ID3); there are none here."""
        return []

    def _unit(self, unit: bytes, number: int) -> bytes:
        """An access unit with a delimiter and a note (user data, ignored by decoders) that carries its number."""
        note = self._mark + f"{number:08x}".encode()
        message = b"\x05" + bytes((16 + len(note),)) + MARK_UUID + note + b"\x80"
        return DELIMITER + b"\x00\x00\x00\x01\x06" + message + unit

    def digest(self, piece: Piece) -> str:
        """SHA-256 of the segment, unencrypted."""
        return hashlib.sha256(self.body(piece)).hexdigest()
