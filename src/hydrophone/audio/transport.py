"""Timed metadata inside MPEG-TS: when a segment of video was recorded, by the clock that chat messages mean.

Only the packets of the metadata's own stream and the first time stamp of sound or picture are looked at. Any bytes are
allowed.

Source: ISO/IEC 13818-1, transport packets (2.4.3) and PES packets (2.4.3.6); Periscope reference, "Timed metadata".
"""

from __future__ import annotations

from dataclasses import dataclass

from hydrophone.audio.clock import read_ntp_seconds
from hydrophone.audio.id3 import read_tags

PACKET_BYTES = 188
SYNC = 0x47
TICKS_PER_SECOND = 90_000
WRAP = 1 << 33
METADATA_STREAM_ID = 0xBD
CLOCK_FRAME = "TIT3"
MAX_TAG_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class TransportClock:
    """The first clock in a segment, and how much of the segment precedes the moment that it means."""

    unix_us: int
    after_seconds: float


def read_transport_clock(body: bytes) -> TransportClock | None:
    """When a segment of video was recorded; None where it does not say."""
    first_ticks: int | None = None
    tag_pid, tag_ticks = -1, 0
    tag = b""
    for start in range(0, len(body) - PACKET_BYTES + 1, PACKET_BYTES):
        if body[start] != SYNC or not body[start + 3] & 0x10:
            continue
        pid = (body[start + 1] & 0x1F) << 8 | body[start + 2]
        at = start + 4 + (1 + body[start + 4] if body[start + 3] & 0x20 else 0)
        end = start + PACKET_BYTES
        if not body[start + 1] & 0x40:
            if pid == tag_pid and len(tag) < MAX_TAG_BYTES:
                tag += body[at:end]
            continue
        if pid == tag_pid:
            break  # the first tag is whole
        if body[at : at + 3] != b"\0\0\1" or end - at < 14:
            continue
        ticks = _pts(body, at)
        if ticks is None:
            continue
        if body[at + 3] == METADATA_STREAM_ID and not tag:
            tag_pid, tag_ticks = pid, ticks
            tag = body[at + 9 + body[at + 8] : end]
        elif body[at + 3] != METADATA_STREAM_ID and first_ticks is None:
            first_ticks = ticks
    return _clock(tag, tag_ticks, first_ticks)


def _clock(tag: bytes, tag_ticks: int, first_ticks: int | None) -> TransportClock | None:
    for found in read_tags(tag) if tag else ():
        reading = read_ntp_seconds(found.text(CLOCK_FRAME) or "")
        if reading is None:
            continue
        lapse = (tag_ticks - (tag_ticks if first_ticks is None else first_ticks) + WRAP // 2) % WRAP - WRAP // 2
        return TransportClock(reading.unix_us, lapse / TICKS_PER_SECOND)
    return None


def _pts(body: bytes, at: int) -> int | None:
    """The presentation time of a PES packet; None where it has none."""
    if not body[at + 7] & 0x80:
        return None
    b = body[at + 9 : at + 14]
    return (b[0] >> 1 & 7) << 30 | b[1] << 22 | b[2] >> 1 << 15 | b[3] << 7 | b[4] >> 1
