"""The bytes of a segment: its frames, its tags, its clock, and who is on stage. Values in, values out."""

from hydrophone.audio.adts import AdtsScan, TagSpan, scan_adts, scan_clean_adts, tags_beside_frames
from hydrophone.audio.clock import (
    TICK_PERIOD,
    TICKS_PER_FRAME,
    NtpReading,
    event_position_seconds,
    ntp64_to_unix_us,
    read_ntp_seconds,
    ticks_between,
    ticks_to_instant,
    ticks_to_unix_us,
    unix_us_to_ntp64,
    unix_us_to_ticks,
    unwrap_ticks,
)
from hydrophone.audio.hydra import StagePerson, StageSample, build_sample, read_stage
from hydrophone.audio.id3 import Tag, TagFrame, first_ticks, read_tags
from hydrophone.audio.judging import Grade, Verdict, judge
from hydrophone.audio.silence import silence_frame, silent_frames, silent_frames_for_missing
from hydrophone.audio.speaking import SpeakingRules, SpeechLog, sample_levels, sample_position
from hydrophone.audio.timeline import MediaClock, Position, Trust

__all__ = [
    "TICKS_PER_FRAME",
    "TICK_PERIOD",
    "AdtsScan",
    "Grade",
    "MediaClock",
    "NtpReading",
    "Position",
    "SpeakingRules",
    "SpeechLog",
    "StagePerson",
    "StageSample",
    "Tag",
    "TagFrame",
    "TagSpan",
    "Trust",
    "Verdict",
    "build_sample",
    "event_position_seconds",
    "first_ticks",
    "judge",
    "ntp64_to_unix_us",
    "read_ntp_seconds",
    "read_stage",
    "read_tags",
    "sample_levels",
    "sample_position",
    "scan_adts",
    "scan_clean_adts",
    "silence_frame",
    "silent_frames",
    "silent_frames_for_missing",
    "tags_beside_frames",
    "ticks_between",
    "ticks_to_instant",
    "ticks_to_unix_us",
    "unix_us_to_ntp64",
    "unix_us_to_ticks",
    "unwrap_ticks",
]
