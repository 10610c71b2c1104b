"""A second opinion on a finished file: what an independent reader (PyAV) finds in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydrophone.errors import MediaError

if TYPE_CHECKING:
    from av.container import InputContainer

#: The library would also read playlists, and fetch what they name. Only formats that hold their media themselves.
SELF_CONTAINED = {"format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,mpegts,aac,mp3,ogg,wav,matroska,webm,flac,png,image2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamInfo:
    """One stream. What does not apply to its kind, or is not known, is None."""

    kind: str  #: ``audio``, ``video``, ``data`` …
    codec: str
    duration_seconds: float | None
    frames: int  #: as the index says, 0 where it does not
    rate: int | None = None
    channels: int | None = None
    width: int | None = None
    height: int | None = None
    is_picture: bool = False  #: an attached cover


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaInfo:
    """What a file holds."""

    format: str
    duration_seconds: float
    streams: tuple[StreamInfo, ...]
    tags: Mapping[str, str]
    chapters: tuple[tuple[float, str], ...]  #: where each begins in seconds, and its title

    def first(self, kind: str) -> StreamInfo | None:
        """The first stream of a kind that is no attached picture."""
        return next((s for s in self.streams if s.kind == kind and not s.is_picture), None)


def probe_media(path: Path) -> MediaInfo:
    """What `path` holds, as PyAV sees it.

    Raises:
        MediaError: no media file, or one that cannot be opened.
    """
    import av

    try:
        with path.open("rb") as file, av.open(file, "r", container_options=dict(SELF_CONTAINED)) as container:
            return _read(container)
    except (av.FFmpegError, ValueError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MediaError(f"{path.name} cannot be read as media: {reason}") from error


def _read(container: InputContainer) -> MediaInfo:
    return MediaInfo(
        format=container.format.name,
        duration_seconds=(container.duration or 0) / 1_000_000,
        streams=tuple(_stream(stream) for stream in container.streams),
        tags=dict(container.metadata),
        chapters=tuple(
            (float(chapter["start"] * chapter["time_base"]), chapter["metadata"].get("title", ""))
            for chapter in container.chapters()
            if chapter["time_base"]
        ),
    )


def _stream(stream: Any) -> StreamInfo:
    from av.stream import Disposition

    is_audio, is_video = stream.type == "audio", stream.type == "video"
    known = stream.duration is not None and stream.time_base is not None
    context: Any = stream.codec_context
    return StreamInfo(
        kind=stream.type,
        codec=context.name if is_audio or is_video else "",
        duration_seconds=float(stream.duration * stream.time_base) if known else None,
        frames=stream.frames,
        rate=context.rate if is_audio else None,
        channels=context.layout.nb_channels if is_audio else None,
        width=context.width if is_video else None,
        height=context.height if is_video else None,
        is_picture=is_video and bool(stream.disposition & Disposition.attached_pic),
    )
