"""Playlists: reading them, choosing from them, deriving their URLs, and following a live one. Pure text and numbers.

The names are loaded on first use: a short command needs few of them, and making a class takes a millisecond.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydrophone.late import late_names

if TYPE_CHECKING:
    from hydrophone.hls.addresses import StreamAddress as StreamAddress
    from hydrophone.hls.addresses import is_audio_space as is_audio_space
    from hydrophone.hls.addresses import is_cdn_host as is_cdn_host
    from hydrophone.hls.addresses import key_folder as key_folder
    from hydrophone.hls.addresses import live_url as live_url
    from hydrophone.hls.addresses import master_url as master_url
    from hydrophone.hls.addresses import original_url as original_url
    from hydrophone.hls.addresses import parse_address as parse_address
    from hydrophone.hls.addresses import redact_url as redact_url
    from hydrophone.hls.addresses import same_stream as same_stream
    from hydrophone.hls.addresses import video_fallback_master_url as video_fallback_master_url
    from hydrophone.hls.addresses import video_original_url as video_original_url
    from hydrophone.hls.attributes import expected_frames as expected_frames
    from hydrophone.hls.naming import SegmentName as SegmentName
    from hydrophone.hls.naming import parse_segment_name as parse_segment_name
    from hydrophone.hls.naming import playlist_number as playlist_number
    from hydrophone.hls.naming import snapshot_written_at as snapshot_written_at
    from hydrophone.hls.naming import snapshot_written_ns as snapshot_written_ns
    from hydrophone.hls.numbers import NumberSet as NumberSet
    from hydrophone.hls.parsing import MAX_PLAYLIST_BYTES as MAX_PLAYLIST_BYTES
    from hydrophone.hls.parsing import parse_playlist as parse_playlist
    from hydrophone.hls.playlist import MediaPlaylist as MediaPlaylist
    from hydrophone.hls.playlist import MultivariantPlaylist as MultivariantPlaylist
    from hydrophone.hls.playlist import Problem as Problem
    from hydrophone.hls.playlist import Rendition as Rendition
    from hydrophone.hls.playlist import Variant as Variant
    from hydrophone.hls.tracker import AWAY_POLL_SECONDS as AWAY_POLL_SECONDS
    from hydrophone.hls.tracker import LiveTracker as LiveTracker
    from hydrophone.hls.tracker import Missed as Missed
    from hydrophone.hls.tracker import Step as Step
    from hydrophone.hls.variants import choose_variant as choose_variant
    from hydrophone.hls.window import WindowReader as WindowReader
    from hydrophone.hls.window import fresh_segments as fresh_segments

__all__ = [
    "AWAY_POLL_SECONDS",
    "MAX_PLAYLIST_BYTES",
    "LiveTracker",
    "MediaPlaylist",
    "Missed",
    "MultivariantPlaylist",
    "NumberSet",
    "Problem",
    "Rendition",
    "SegmentName",
    "Step",
    "StreamAddress",
    "Variant",
    "WindowReader",
    "choose_variant",
    "expected_frames",
    "fresh_segments",
    "is_audio_space",
    "is_cdn_host",
    "key_folder",
    "live_url",
    "master_url",
    "original_url",
    "parse_address",
    "parse_playlist",
    "parse_segment_name",
    "playlist_number",
    "redact_url",
    "same_stream",
    "snapshot_written_at",
    "snapshot_written_ns",
    "video_fallback_master_url",
    "video_original_url",
]

__getattr__ = late_names(
    __name__,
    {
        "addresses": (
            "StreamAddress",
            "is_audio_space",
            "is_cdn_host",
            "key_folder",
            "live_url",
            "master_url",
            "original_url",
            "parse_address",
            "redact_url",
            "same_stream",
            "video_fallback_master_url",
            "video_original_url",
        ),
        "attributes": ("expected_frames",),
        "naming": (
            "SegmentName",
            "parse_segment_name",
            "playlist_number",
            "snapshot_written_at",
            "snapshot_written_ns",
        ),
        "numbers": ("NumberSet",),
        "parsing": ("MAX_PLAYLIST_BYTES", "parse_playlist"),
        "playlist": ("MediaPlaylist", "MultivariantPlaylist", "Problem", "Rendition", "Variant"),
        "tracker": ("AWAY_POLL_SECONDS", "LiveTracker", "Missed", "Step"),
        "variants": ("choose_variant",),
        "window": ("WindowReader", "fresh_segments"),
    },
)
