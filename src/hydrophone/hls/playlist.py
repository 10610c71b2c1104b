"""What a playlist says, as values."""

from __future__ import annotations

from dataclasses import dataclass, field

from hydrophone.model import Segment


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a playlist that was not as it should be, and did not stop us. `line` counts from 1.

    `text` is our own words: it never repeats what the playlist said, so that it can be logged.
    """

    line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaPlaylist:
    """A list of segments: the live window, a snapshot, or a replay.

    `segments` stand in the order of the list, each one once. `refused` are the numbers of entries that pointed
    somewhere they must not; they are not in `segments`. `target_duration` is seconds, None where it was absent or
    absurd. `skipped` counts the oldest entries that a delta answer left out. `is_ended` is what the playlist claims
    (ENDLIST), a hint and nothing more. `map_url` is the initialisation section of fragmented MP4.
    """

    url: str = field(repr=False)
    segments: tuple[Segment, ...] = field(default=(), repr=False)
    target_duration: float | None = None
    media_sequence: int = 0
    discontinuity_sequence: int = 0
    is_ended: bool = False
    playlist_type: str | None = None
    skipped: int = 0
    refused: tuple[int, ...] = ()
    map_url: str | None = field(default=None, repr=False)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One choice of a multivariant playlist. What the playlist does not say is None or empty."""

    url: str = field(repr=False)
    bandwidth_bps: int | None = None
    width: int | None = None
    height: int | None = None
    frame_rate: float | None = None
    codecs: str = ""
    name: str = ""  #: e.g. ``720p60``, ``64k``; made of the numbers above

    @property
    def is_audio_only(self) -> bool:
        """True when neither a picture size nor a video codec is named."""
        video = ("avc", "hvc", "hev", "vp0", "vp8", "vp9", "av01", "dvh", "mp4v")
        return self.height is None and not any(codec.strip().startswith(video) for codec in self.codecs.split(","))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """An alternative track (EXT-X-MEDIA). `url` is None where it is part of the variants."""

    kind: str  #: ``AUDIO``, ``VIDEO``, ``SUBTITLES``, ``CLOSED-CAPTIONS``
    group: str
    name: str
    language: str = ""
    url: str | None = field(default=None, repr=False)
    is_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MultivariantPlaylist:
    """A list of choices, in the order of the playlist, each URL once."""

    url: str = field(repr=False)
    variants: tuple[Variant, ...] = ()
    renditions: tuple[Rendition, ...] = ()
    problems: tuple[Problem, ...] = ()
