"""Is this body a whole MPEG-TS segment? Video has no frame count to hold against EXTINF, but three things tell.

Packets of 188 bytes that all begin with the sync byte; time stamps that span what the playlist promised; and an audio
packet at the end that is as long as it says. A body cut anywhere fails at least one of them.

Source: ISO/IEC 13818-1, transport packets (2.4.3) and PES packets (2.4.3.6).
"""

from __future__ import annotations

from dataclasses import dataclass, field

PACKET_BYTES = 188
SYNC = 0x47
TICKS_PER_SECOND = 90_000
WRAP = 1 << 33
AUDIO_STREAM_IDS = range(0xC0, 0xE0)
#: Sound and picture are cut at slightly different places, and pictures may come irregularly.
SLACK_SECONDS = 0.2
SLACK_SHARE = 0.1
VIDEO_STREAM_IDS = range(0xE0, 0xF0)


@dataclass(frozen=True, slots=True)
class TransportVerdict:
    """What was found. `is_foreign`: not MPEG-TS at all. `reason` is empty for a complete segment."""

    is_complete: bool
    is_foreign: bool
    reason: str
    span_seconds: float | None = None  #: what the time stamps span, None without any


@dataclass(slots=True)
class _Track:
    """One elementary stream while walking."""

    is_audio: bool = False
    first_pts: int | None = None
    stamps: int = 0
    low: int = 0
    high: int = 0
    promised: int = 0  #: payload bytes that the last PES packet announced, 0 for "unbounded"
    got: int = 0


@dataclass(slots=True)
class _Walk:
    tracks: dict[int, _Track] = field(default_factory=dict)


def judge_transport(body: bytes, duration_seconds: float | None) -> TransportVerdict:
    """Judge one segment. Never raises."""
    packets = len(body) // PACKET_BYTES
    if packets == 0 or body[0] != SYNC:
        return TransportVerdict(False, True, "no transport packet at the front")
    heads = body[: packets * PACKET_BYTES : PACKET_BYTES]
    lost = packets - heads.count(SYNC)
    if lost > packets // 2:
        return TransportVerdict(False, True, "hardly any transport packet")
    walk = _walk(body, packets)
    span = max((_span(track) for track in walk.tracks.values() if track.first_pts is not None), default=None)
    reason = ""
    if len(body) % PACKET_BYTES:
        reason = "ends inside a packet"
    elif lost:
        reason = f"{lost} packets without sync byte"
    elif not walk.tracks or span is None:
        reason = "no time stamp"
    elif any(track.is_audio and track.got < track.promised for track in walk.tracks.values()):
        reason = "ends inside an audio packet"
    elif duration_seconds and duration_seconds - span > max(SLACK_SECONDS, duration_seconds * SLACK_SHARE):
        reason = f"time stamps span {span:.2f} s of {duration_seconds:.2f} s"
    return TransportVerdict(not reason, False, reason, span)


def _walk(body: bytes, packets: int) -> _Walk:
    walk = _Walk()
    for start in range(0, packets * PACKET_BYTES, PACKET_BYTES):
        if body[start] != SYNC:
            continue
        control = body[start + 3]
        if not control & 0x10:  # no payload
            continue
        at = start + 4
        if control & 0x20:
            at += 1 + body[at]
        end = start + PACKET_BYTES
        if at >= end:
            continue
        pid = (body[start + 1] & 0x1F) << 8 | body[start + 2]
        if body[start + 1] & 0x40 and body[at : at + 3] == b"\0\0\1":
            _begin_packet(walk, pid, body, at, end)
        elif pid in walk.tracks:
            walk.tracks[pid].got += end - at
    return walk


def _begin_packet(walk: _Walk, pid: int, body: bytes, at: int, end: int) -> None:
    stream_id = body[at + 3]
    is_audio = stream_id in AUDIO_STREAM_IDS
    if not is_audio and stream_id not in VIDEO_STREAM_IDS:
        return
    track = walk.tracks.setdefault(pid, _Track(is_audio))
    track.promised = int.from_bytes(body[at + 4 : at + 6], "big")
    track.got = end - at - 6
    if end - at >= 14 and body[at + 7] & 0x80:
        b = body[at + 9 : at + 14]
        pts = (b[0] >> 1 & 7) << 30 | b[1] << 22 | b[2] >> 1 << 15 | b[3] << 7 | b[4] >> 1
        if track.first_pts is None:
            track.first_pts = pts
        track.stamps += 1
        # Relative to the first stamp, so that the wrap of 33 bits does no harm.
        offset = (pts - track.first_pts + WRAP // 2) % WRAP - WRAP // 2
        track.low = min(track.low, offset)
        track.high = max(track.high, offset)


def _span(track: _Track) -> float:
    """From the first stamp to the end of what the last one stands for: as long as the others on average."""
    span = (track.high - track.low) / TICKS_PER_SECOND
    return span * track.stamps / (track.stamps - 1) if track.stamps > 1 else span
