"""A source made into FLV tags: frames that fit are passed on as they are, all else is encoded to H.264 and AAC.

Sound alone gets a still picture. Times begin at 0 and run on, whatever the source's clock does. Everything here blocks
and reads as fast as it is asked: keeping time is for whoever takes the tags.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from hydrophone.errors import MediaError
from hydrophone.media.flv import Kind, Tag, TagReader
from hydrophone.media.inputs import ChunkInput, Input, open_input
from hydrophone.media.lanes import CopyLane, Lane, PictureLane, SoundLane
from hydrophone.media.mp4 import MAX_BACK_SECONDS, TICKS
from hydrophone.media.still import StillTrack, still_track
from hydrophone.media.timeline import Timeline

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet

MAX_GAP_SECONDS = 10.0  #: a longer hole in the source is closed up: a viewer should not look at nothing
_FLV_OPTIONS = {"flvflags": "no_duration_filesize+no_sequence_end", "fflags": "+bitexact", "flush_packets": "1"}
#: Frames wait this long for those of the other track at most, microseconds.
_MAX_WAIT = "1000000"
#: A picture with other sampling than this is not what services and players expect.
_PLAIN_PICTURES = ("yuv420p", "yuvj420p")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What happens to sound and picture: ``copy``, ``encode``, ``still`` (a picture is made), or ``none``."""

    audio: str
    video: str

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of tags that will come."""
        return frozenset(kind for kind, way in ((Kind.AUDIO, self.audio), (Kind.VIDEO, self.video)) if way != "none")


class Player:
    """Plays one source once. Make it on the thread that iterates it."""

    def __init__(self, source: Input, *, picture: bytes | None = None) -> None:
        """Open the source and decide what is to be done.

        Args:
            picture: shown with sound alone; None draws one.

        Raises:
            MediaError: the source cannot be read, holds neither sound nor picture, or cannot be encoded here.
        """
        self._stack = ExitStack()
        self._container = open_input(source, self._stack)
        self._seed, self._picture = source.name, picture
        audio, video = _first_streams(self._container)
        if audio is None and video is None:
            self.close()
            raise MediaError(f"{source.name} holds neither sound nor picture")
        self._audio, self._video = audio, video
        self.plan = Plan(
            audio="none" if audio is None else "copy" if _audio_fits(audio) else "encode",
            video="still" if video is None else "copy" if _video_fits(video) else "encode",
        )
        self.is_live = isinstance(source, ChunkInput)
        self.problem = ""  #: why reading ended before the end, for people
        self.dropped = 0  #: packets that could not be placed

    def tags(self) -> Iterator[Tag]:
        """All tags in order of their times: the script and the setups first."""
        import av

        sink = _TagSink()
        target: Any = sink
        options = {**_FLV_OPTIONS, "max_interleave_delta": _MAX_WAIT}
        with self._stack, av.open(target, "w", format="flv", options=options) as output:
            lanes = self._lanes(output)
            for packet in self._packets(list(lanes)):
                lanes[packet.stream.index].push(packet)
                yield from sink.taken()
            for lane in lanes.values():
                lane.finish()
            self.dropped = sum(lane.dropped for lane in lanes.values())
        # Closing the writer brings out what it held back to sort it.
        yield from sink.taken()

    def close(self) -> None:
        """Let go of the source. Playing to the end does it too."""
        self._stack.close()

    def _lanes(self, output: OutputContainer) -> dict[int, Lane]:
        lanes: dict[int, Lane] = {}
        still: StillTrack | None = None
        still_output: Any = None
        if self._video is not None:
            make: Any = CopyLane if self.plan.video == "copy" else PictureLane
            lanes[self._video.index] = make(self._video, output)
        else:
            still = still_track(self._picture, seed=self._seed)
            still_output = output.add_stream_from_template(still.template)
        if self._audio is not None:
            make = CopyLane if self.plan.audio == "copy" else SoundLane
            lane = lanes[self._audio.index] = make(self._audio, output)
            lane.accompany(still, still_output)
        return lanes

    def _packets(self, indices: list[int]) -> Iterator[Packet[Any]]:
        """The packets of the chosen streams with times that begin at 0 and never step back."""
        import av

        timeline = Timeline(round(MAX_GAP_SECONDS * TICKS), round(MAX_BACK_SECONDS * TICKS))
        packets = self._container.demux([self._container.streams[index] for index in indices])
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError as error:
                self.problem = error.strerror or str(error)
                return
            if packet is None:
                return
            at = packet.dts if packet.dts is not None else packet.pts
            if not packet.size or at is None or packet.time_base is None:
                continue
            ticks = packet.time_base * TICKS
            shown = packet.pts if packet.pts is not None else at
            placed = timeline.place(
                packet.stream.index, round(at * ticks), round(shown * ticks), round((packet.duration or 0) * ticks)
            )
            packet.dts, packet.pts = placed
            packet.duration = round((packet.duration or 0) * ticks)
            packet.time_base = Fraction(1, TICKS)
            yield packet


class _TagSink:
    """A file that the library writes FLV into, and its tags."""

    def __init__(self) -> None:
        self._reader = TagReader()
        self._tags: list[Tag] = []

    def write(self, data: bytes) -> int:
        self._tags += (tag for tag in self._reader.feed(bytes(data)) if not tag.is_empty)
        return len(data)

    def taken(self) -> list[Tag]:
        """The tags since the last time."""
        tags, self._tags = self._tags, []
        return tags


def _first_streams(container: InputContainer) -> tuple[Any, Any]:
    from av.stream import Disposition

    audio = next(iter(container.streams.audio), None)
    pictures = (s for s in container.streams.video if not s.disposition & Disposition.attached_pic)
    return audio, next(pictures, None)


def _audio_fits(stream: Any) -> bool:
    context = stream.codec_context
    return bool(context.name == "aac" and 1 <= context.layout.nb_channels <= 2)


def _video_fits(stream: Any) -> bool:
    context = stream.codec_context
    return bool(context.name == "h264" and context.pix_fmt in _PLAIN_PICTURES)
