"""Playlists and addresses for the tests of the playlist room."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hydrophone.hls import MediaPlaylist, MultivariantPlaylist, parse_playlist
from hydrophone.model import Segment

SAMPLES = Path(__file__).parent / "samples" / "hls"
NAMES: dict[str, Any] = json.loads((SAMPLES / "names.json").read_text())
URLS: dict[str, str] = NAMES["urls"]
KEY: str = NAMES["hls_key"]
TOKEN: str = NAMES["transcode_jwt"]
LIVE = URLS["live"]

SECOND = 10**9
FIRST_NS = 1_772_564_397_000_000_000


def media(name: str, url: str = LIVE) -> MediaPlaylist:
    """The media playlist of a sample file."""
    playlist = parse_playlist((SAMPLES / f"{name}.m3u8").read_bytes(), url=url)
    assert isinstance(playlist, MediaPlaylist)
    return playlist


def choices(name: str, url: str = URLS["master"]) -> MultivariantPlaylist:
    """The multivariant playlist of a sample file."""
    playlist = parse_playlist((SAMPLES / f"{name}.m3u8").read_bytes(), url=url)
    assert isinstance(playlist, MultivariantPlaylist)
    return playlist


def read_media(text: str | bytes, url: str = LIVE, **rules: Any) -> MediaPlaylist:
    """The media playlist of a text; ``#EXTM3U`` is put before it."""
    head: Any = b"#EXTM3U\n" if isinstance(text, bytes) else "#EXTM3U\n"
    playlist = parse_playlist(head + text, url=url, **rules)
    assert isinstance(playlist, MediaPlaylist)
    return playlist


def segment(sequence: int, *, ns: int | None = None, name: str | None = None, is_gap: bool = False) -> Segment:
    """A segment as the service names it, written three seconds after the one before; or one with a name of its own."""
    if name is not None:
        return Segment(sequence, f"https://cdn.example/{name}", name, 3.0, is_gap=is_gap)
    ns = FIRST_NS + sequence * 3 * SECOND if ns is None else ns
    name = f"chunk_{ns}_{sequence}_a.aac"
    return Segment(sequence, f"https://cdn.example/{name}", name, 3.008, ns, is_gap=is_gap)


def window(*segments: Segment, refused: tuple[int, ...] = (), is_ended: bool = False) -> MediaPlaylist:
    """A live playlist of these segments."""
    return MediaPlaylist(url=LIVE, segments=segments, target_duration=4.0, refused=refused, is_ended=is_ended)


def playlist(first: int, count: int, *, shift_seconds: float = 0) -> MediaPlaylist:
    """A live playlist of `count` segments; `shift_seconds` makes all of them written later."""
    shift = int(shift_seconds * SECOND)
    return window(*(segment(n, ns=FIRST_NS + n * 3 * SECOND + shift) for n in range(first, first + count)))
