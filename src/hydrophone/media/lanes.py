"""The ways of one stream into an FLV output: as it is, or encoded to AAC or H.264."""

from __future__ import annotations

from abc import ABC, abstractmethod
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from hydrophone.media.still import StillTrack, h264_encoder

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.packet import Packet

KEY_SECONDS = 2.0
AUDIO_BITRATE, VIDEO_BITRATE = 128_000, 2_500_000
MAX_SIDE = 1920


class Lane(ABC):
    """The way of one stream into the output."""

    def __init__(self, stream: Any, output: OutputContainer) -> None:
        self._output = output
        self.dropped = 0  #: packets that could not be decoded or placed
        self._still: StillTrack | None = None
        self._still_output: Any = None

    def accompany(self, still: StillTrack | None, output: Any) -> None:
        """Show this picture alongside."""
        self._still, self._still_output = still, output

    @abstractmethod
    def push(self, packet: Packet[Any]) -> None:
        """Take one packet of the source; times are in order already."""

    @abstractmethod
    def finish(self) -> None:
        """The source has ended: bring out what is still inside."""

    def _mux(self, packet: Packet[Any]) -> None:
        import av

        if self._still is not None and packet.dts is not None:
            for picture in self._still.until(float(packet.dts * packet.time_base), self._still_output):
                self._output.mux(picture)
        try:
            self._output.mux(packet)
        except av.FFmpegError:
            self.dropped += 1

    def _decoded(self, packet: Packet[Any]) -> list[Any]:
        import av

        try:
            return packet.decode()
        except av.FFmpegError:
            self.dropped += 1
            return []


class CopyLane(Lane):
    """Frames as they are."""

    def __init__(self, stream: Any, output: OutputContainer) -> None:
        super().__init__(stream, output)
        self._target = output.add_stream_from_template(stream)

    def push(self, packet: Packet[Any]) -> None:
        packet.stream = self._target
        self._mux(packet)

    def finish(self) -> None:
        """Nothing is held back here."""


class SoundLane(Lane):
    """Any sound to AAC in stereo or mono."""

    def __init__(self, stream: Any, output: OutputContainer) -> None:
        super().__init__(stream, output)
        from av import AudioResampler

        context: Any = stream.codec_context
        rate = 44_100 if context.sample_rate % 11_025 == 0 else 48_000
        layout = "mono" if context.layout.nb_channels == 1 else "stereo"
        self._target: Any = output.add_stream("aac", rate=rate, layout=layout)
        self._target.bit_rate = AUDIO_BITRATE
        self._resampler = AudioResampler("fltp", layout, rate, frame_size=1024)

    def push(self, packet: Packet[Any]) -> None:
        for frame in self._decoded(packet):
            self._encode(self._resampler.resample(frame))

    def finish(self) -> None:
        self._encode([*self._resampler.resample(None), None])

    def _encode(self, frames: list[Any]) -> None:
        for frame in frames:
            for packet in self._target.encode(frame):
                self._mux(packet)


class PictureLane(Lane):
    """Any picture to H.264 that starts up at once: no frames that point forwards, a key frame every two seconds."""

    def __init__(self, stream: Any, output: OutputContainer) -> None:
        super().__init__(stream, output)
        context: Any = stream.codec_context
        rate = Fraction(stream.average_rate or stream.base_rate or 30)
        rate = rate if 1 <= rate <= 60 else Fraction(30)
        scale = min(1.0, MAX_SIDE / max(context.width, context.height))
        target: Any = output.add_stream(h264_encoder(), rate=rate)
        self._target = target
        # The encoder wants even sides.
        target.width = max(2, round(context.width * scale) // 2 * 2)
        target.height = max(2, round(context.height * scale) // 2 * 2)
        target.pix_fmt = "yuv420p"
        target.bit_rate = VIDEO_BITRATE
        target.gop_size = max(1, round(rate * Fraction(KEY_SECONDS)))
        target.max_b_frames = 0
        target.codec_context.time_base = Fraction(1, 1000)
        target.options = {"preset": "veryfast", "tune": "zerolatency"}
        self._last: int | None = None
        self._next_key = 0

    def push(self, packet: Packet[Any]) -> None:
        from av.video.frame import PictureType

        for decoded in self._decoded(packet):
            if decoded.pts is None:
                continue
            at = round(decoded.pts * decoded.time_base * 1000)
            if self._last is not None and at <= self._last:
                continue
            frame = decoded.reformat(self._target.width, self._target.height, "yuv420p")
            frame.pts, frame.time_base = at, Fraction(1, 1000)
            # By the clock, not by counting pictures: a camera's rate is only a hope.
            frame.pict_type = PictureType.I if at >= self._next_key else PictureType.NONE
            self._next_key = at + round(KEY_SECONDS * 1000) if at >= self._next_key else self._next_key
            self._last = at
            self._encode(frame)

    def finish(self) -> None:
        self._encode(None)

    def _encode(self, frame: Any) -> None:
        for packet in self._target.encode(frame):
            self._mux(packet)
