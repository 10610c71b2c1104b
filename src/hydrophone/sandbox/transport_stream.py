"""Writes MPEG-TS: one program of H.264 and ADTS audio, and timed ID3 if wanted, in segments that join without a seam.

Within a segment each stream takes a multiple of 16 packets, so that continuity counters begin at 0 in every segment and
still run on when segments are joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

VIDEO_PID, AUDIO_PID, METADATA_PID, PMT_PID = 0x100, 0x101, 0x102, 0x1000
PRIVATE_STREAM = 0xBD
PAYLOAD = 184
PCR_BYTES = 8
LEAD_TICKS = 126_000  # time stamps begin at 1.4 s, as muxers do
DECODE_TICKS = 63_000  # the clock runs this far ahead of the stamps


def build_segment(
    number: int,
    video: Sequence[tuple[int, bytes]],
    audio: Sequence[tuple[int, bytes]],
    *,
    audio_group: int = 6,
    metadata: Sequence[tuple[int, bytes]] = (),
) -> bytes:
    """One segment. `video` holds (90 kHz ticks, access unit), `audio` (ticks, ADTS frame); `number` counts segments.

    `metadata` holds (ticks, ID3 tag). Whoever wants it gives some for every segment, since it is announced in each.
    """
    out = [_section_packet(0, _pat(), number), _section_packet(PMT_PID, _pmt(bool(metadata)), number)]
    groups = [audio[at : at + audio_group] for at in range(0, len(audio), audio_group)]
    units: list[tuple[int, int, bytes, int | None]] = []
    for ticks, unit in video:
        units.append((ticks, VIDEO_PID, _pes(0xE0, ticks, unit), ticks))
    for group in groups:
        units.append((group[0][0], AUDIO_PID, _pes(0xC0, group[0][0], b"".join(frame for _, frame in group)), None))
    for ticks, tag in metadata:
        units.append((ticks, METADATA_PID, _pes(PRIVATE_STREAM, ticks, tag), None))
    units.sort(key=lambda unit: (unit[0], unit[1]))
    last = {pid: max(i for i, unit in enumerate(units) if unit[1] == pid) for pid in {unit[1] for unit in units}}
    counters = dict.fromkeys(last, 0)
    for index, (_, pid, pes, clock) in enumerate(units):
        counters[pid] += _packets(out, pid, pes, counters[pid], clock, fill=last[pid] == index)
    return b"".join(out)


def _packets(out: list[bytes], pid: int, pes: bytes, counter: int, clock: int | None, *, fill: bool) -> int:
    """Cut a PES packet; with `fill` into as many pieces as bring the counter back to 0. Returns how many."""
    room = PAYLOAD - (PCR_BYTES if clock is not None else 0)
    count = 1 + max(0, -(-(len(pes) - room) // PAYLOAD))
    if fill:
        count += -(counter + count) % 16
    at = 0
    for index in range(count):
        size = -(-(len(pes) - at) // (count - index))
        size = min(size, room) if index == 0 else size
        payload = pes[at : at + size]
        at += size
        out.append(_packet(pid, (counter + index) & 15, payload, index == 0, clock if index == 0 else None))
    return count


def _packet(pid: int, counter: int, payload: bytes, is_start: bool, clock: int | None) -> bytes:
    head = bytes((0x47, (0x40 if is_start else 0) | pid >> 8, pid & 0xFF))
    if clock is None and len(payload) == PAYLOAD:
        return head + bytes((0x10 | counter,)) + payload
    length = PAYLOAD - len(payload) - 1
    field = b""
    if length:
        flags = (0x10 if clock is not None else 0) | (0x40 if clock is not None and is_start else 0)
        field = bytes((flags,)) + (_clock(clock) if clock is not None else b"")
        field += b"\xff" * (length - len(field))
    return head + bytes((0x30 | counter, length)) + field + payload


def _clock(ticks: int) -> bytes:
    base = (ticks + LEAD_TICKS - DECODE_TICKS) % 2**33
    return (base << 15 | 0x7E00).to_bytes(6, "big")


def _pes(stream_id: int, ticks: int, data: bytes) -> bytes:
    stamp = (ticks + LEAD_TICKS) % 2**33
    coded = bytes(
        (
            0x21 | stamp >> 29 & 0x0E,
            stamp >> 22 & 0xFF,
            stamp >> 14 & 0xFE | 1,
            stamp >> 7 & 0xFF,
            stamp << 1 & 0xFE | 1,
        )
    )
    # The alignment bit tells players that a tag begins where the packet begins.
    body = (b"\x84" if stream_id == PRIVATE_STREAM else b"\x80") + b"\x80\x05" + coded + data
    length = len(body) if len(body) <= 0xFFFF and stream_id != 0xE0 else 0
    return b"\x00\x00\x01" + bytes((stream_id,)) + length.to_bytes(2, "big") + body


def _section_packet(pid: int, section: bytes, number: int) -> bytes:
    payload = b"\x00" + section
    return bytes((0x47, 0x40 | pid >> 8, pid & 0xFF, 0x10 | number & 15)) + payload.ljust(PAYLOAD, b"\xff")


@lru_cache(maxsize=1)
def _pat() -> bytes:
    return _section(0x00, 1, (1).to_bytes(2, "big") + (0xE000 | PMT_PID).to_bytes(2, "big"))


#: Metadata pointer descriptor and metadata descriptor of "Timed Metadata for HTTP Live Streaming".
_POINTER = bytes.fromhex("250fffff49443320ff49443320001f0001")
_DESCRIPTOR = bytes.fromhex("260dffff49443320ff49443320ff000f")


@lru_cache(maxsize=2)
def _pmt(has_metadata: bool) -> bytes:
    info = _POINTER if has_metadata else b""
    body = (0xE000 | VIDEO_PID).to_bytes(2, "big") + (0xF000 | len(info)).to_bytes(2, "big") + info
    for kind, pid in ((0x1B, VIDEO_PID), (0x0F, AUDIO_PID)):
        body += bytes((kind,)) + (0xE000 | pid).to_bytes(2, "big") + b"\xf0\x00"
    if has_metadata:
        body += b"\x15" + (0xE000 | METADATA_PID).to_bytes(2, "big")
        body += (0xF000 | len(_DESCRIPTOR)).to_bytes(2, "big") + _DESCRIPTOR
    return _section(0x02, 1, body)


def _section(table: int, ident: int, body: bytes) -> bytes:
    rest = ident.to_bytes(2, "big") + b"\xc1\x00\x00" + body
    head = bytes((table,)) + (0xB000 | len(rest) + 4).to_bytes(2, "big")
    return head + rest + _checksum(head + rest).to_bytes(4, "big")


def _checksum(data: bytes) -> int:
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & 0xFFFFFFFF
    return value
