"""A picture track for sound alone: services that take RTMP want a video. One picture, encoded once, shown for ever.

Two groups of pictures are encoded and then repeated, so that hours of it cost next to nothing. There are two because
neighbouring key frames must carry different numbers.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from hydrophone.errors import MediaError
from hydrophone.media.cover import draw_cover

WIDTH, HEIGHT = 1280, 720
RATE = 10  #: pictures a second
KEY_SECONDS = 2  #: from one key frame to the next: how long a viewer who comes in waits
#: By preference; which of them are there depends on how the library was built and on the machine.
ENCODERS = ("libx264", "libopenh264", "h264_videotoolbox", "h264_mf")
_PICTURE_OPTIONS = {"format_whitelist": "png_pipe,jpeg_pipe", "protocol_whitelist": ""}


def h264_encoder() -> str:
    """The name of an H.264 encoder that is there.

    Raises:
        MediaError: this build of the media library has none.
    """
    import av

    found = next((name for name in ENCODERS if name in av.codecs_available), None)
    if found is None:
        raise MediaError("the media library cannot encode H.264 here", advice="Push a file that is H.264 already.")
    return found


@dataclass(slots=True)
class StillTrack:
    """The pictures of the track, to be asked for one after the other. `template` describes the stream."""

    container: Any = field(repr=False)  #: keeps the template alive
    template: Any
    pictures: list[tuple[bytes, bool]]
    shown: int = 0

    def until(self, seconds: float, output: Any) -> Iterator[Any]:
        """The packets that are due up to this moment, for the stream `output`."""
        import av

        while self.shown <= seconds * RATE:
            data, is_key = self.pictures[self.shown % len(self.pictures)]
            packet = av.Packet(data)
            packet.time_base = Fraction(1, RATE)
            packet.pts = packet.dts = self.shown
            packet.duration = 1
            packet.is_keyframe = is_key
            packet.stream = output
            self.shown += 1
            yield packet


def still_track(picture: bytes | None, *, seed: str) -> StillTrack:
    """A track that shows `picture` (JPEG or PNG, the user's own), or one drawn from `seed`.

    Raises:
        MediaError: the picture cannot be read, or nothing here can encode.
    """
    import av

    frame = _fitted(picture or draw_cover(seed))
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as target:
        stream: Any = target.add_stream(h264_encoder(), rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.gop_size = RATE * KEY_SECONDS
        stream.max_b_frames = 0
        stream.options = {"preset": "superfast", "tune": "stillimage", "sc_threshold": "0"}
        for number in range(2 * RATE * KEY_SECONDS):
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    file.seek(0)
    container = av.open(file, "r", format="mp4")
    template = container.streams.video[0]
    pictures = [(bytes(packet), packet.is_keyframe) for packet in container.demux(template) if packet.size]
    return StillTrack(container, template, pictures)


def load_picture(path: Path) -> bytes:
    """The bytes of a picture that the user chose.

    Raises:
        MediaError: it cannot be read, or is neither JPEG nor PNG.
    """
    from hydrophone.media.cover import usable_cover

    try:
        data = usable_cover(path.read_bytes())
    except OSError as error:
        raise MediaError(f"{path.name} cannot be read: {error.strerror}") from error
    if data is None:
        raise MediaError(f"{path.name} is no JPEG or PNG of a usable size")
    return data


def _fitted(picture: bytes) -> Any:
    """The picture as a whole in the middle of a wide frame."""
    import av
    from av.filter import Graph
    from av.video.frame import PictureType

    try:
        with av.open(io.BytesIO(picture), "r", options=dict(_PICTURE_OPTIONS)) as container:
            frame = next(container.decode(video=0))
        graph = Graph()
        begin = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, RATE)
        )
        scale = graph.add("scale", f"{WIDTH}:{HEIGHT}:force_original_aspect_ratio=decrease:force_divisible_by=2")
        pad = graph.add("pad", f"{WIDTH}:{HEIGHT}:-1:-1:color=0x101418")
        shape = graph.add("format", "yuv420p")
        graph.link_nodes(begin, scale, pad, shape, graph.add("buffersink")).configure()
        graph.push(frame)
        fitted: Any = graph.pull()
    except (av.FFmpegError, StopIteration, ValueError) as error:
        raise MediaError("the picture cannot be decoded") from error
    # A decoded picture says "I am a key frame", and an encoder would make every copy one.
    fitted.pict_type = PictureType.NONE
    return fitted
