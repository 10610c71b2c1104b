"""Playlists: reading them, choosing from them, deriving their URLs, and following a live one. Pure text and numbers."""

from hydrophone.hls.addresses import (
    StreamAddress,
    is_audio_space,
    is_cdn_host,
    key_folder,
    live_url,
    master_url,
    original_url,
    parse_address,
    redact_url,
    same_stream,
    video_fallback_master_url,
    video_original_url,
)
from hydrophone.hls.attributes import expected_frames
from hydrophone.hls.naming import (
    SegmentName,
    parse_segment_name,
    playlist_number,
    snapshot_written_at,
    snapshot_written_ns,
)
from hydrophone.hls.numbers import NumberSet
from hydrophone.hls.parsing import MAX_PLAYLIST_BYTES, parse_playlist
from hydrophone.hls.playlist import MediaPlaylist, MultivariantPlaylist, Problem, Rendition, Variant
from hydrophone.hls.tracker import AWAY_POLL_SECONDS, LiveTracker, Missed, Step
from hydrophone.hls.variants import choose_variant
from hydrophone.hls.window import WindowReader, fresh_segments

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
