"""Frames of exact silence, and how many of them stand in for what is missing, so that time stays true."""

from __future__ import annotations

from hydrophone.audio.adts import SAMPLES_PER_BLOCK, SAMPLING_RATES
from hydrophone.audio.clock import TICKS_PER_SECOND, ticks_between
from hydrophone.errors import MediaError

#: The mean length of a segment of an audio Space: the service cuts at multiples of it.
SEGMENT_SECONDS = 3

# Made by an encoder and verified to decode to zeros; both are AAC-LC at 48 kHz.
_STEREO = bytes.fromhex("FFF14C80021FFC 210049900219002380")
_MONO = bytes.fromhex("FFF14C4001BFFC 00C800802380")


def silence_frame(rate: int, channels: int) -> bytes:
    """One ADTS frame of 1024 silent samples.

    Raises:
        MediaError: AAC has no such rate, or there are neither one nor two channels.
    """
    frame = {1: _MONO, 2: _STEREO}.get(channels)
    if frame is None or rate not in SAMPLING_RATES:
        raise MediaError(f"no silent frame for {rate} Hz and {channels} channels")
    index = SAMPLING_RATES.index(rate)
    return frame[:2] + bytes([frame[2] & 0b1100_0011 | index << 2]) + frame[3:]


def silent_frames(ticks_before: int, ticks_after: int, frames_present: int, rate: int = 48_000) -> int | None:
    """How many silent frames belong between two segments, by their own clocks.

    Args:
        ticks_before: PRIV stamp of the last segment before the gap.
        ticks_after: PRIV stamp of the first segment after it.
        frames_present: the frames of that last segment.

    Returns:
        None when the clock went backwards and so says nothing; count the missing segments then.
    """
    ticks = ticks_between(ticks_before, ticks_after)
    if ticks < 0:
        return None
    frames = _rounded(ticks * rate, TICKS_PER_SECOND * SAMPLES_PER_BLOCK)
    return max(0, frames - frames_present)


def silent_frames_for_missing(segments: int, rate: int = 48_000) -> int:
    """How many silent frames stand in for this many missing segments, where no clock helps."""
    return _rounded(segments * SEGMENT_SECONDS * rate, SAMPLES_PER_BLOCK)


def _rounded(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
