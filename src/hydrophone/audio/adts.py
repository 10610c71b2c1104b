"""Walking the AAC frames of a segment, and what stands between them.

A segment is frames with ID3 tags between whole frames, and sometimes junk. The walk never goes back. A clean segment
takes a short way, because thousands of them are counted every second; at the first irregularity the careful way
begins from the front. Both give the same answer wherever the short one gives any.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from struct import Struct

SAMPLING_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
SAMPLES_PER_BLOCK = 1024
MIN_FRAME_BYTES = 7

# Junk with more false beginnings of frames and tags is no audio, and no recording has more tags. The bounds keep
# crafted bytes from costing seconds and memory; what follows counts as junk.
MAX_FALSE_BEGINNINGS = 20_000
MAX_TAGS = 250_000

_BEGINNING = re.compile(rb"\xff[\xf0\xf1\xf8\xf9]|ID3")
_EIGHT_BYTES = Struct(">Q").unpack_from
# Of the first eight bytes of a frame: all but its length, the fullness of the buffer, and the first byte of payload;
# the number of blocks and the absent checksum are part of it.
_FIXED_BITS = 0xFFFF_FFFC_0000_0300
_NO_CHECKSUM = 0x0001_0000_0000_0000


@dataclass(frozen=True, slots=True)
class TagSpan:
    """Where an ID3 tag stands: its first byte, its length, and how many frames precede it."""

    offset: int
    size_bytes: int
    before_frame: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AdtsScan:
    """What a walk over a segment found.

    `frame_sizes` has one entry for each frame, header included. `runs` says where the frames are: (offset of the first
    byte, number of frames) for each run that nothing interrupts. `rate`, `channels` and `profile` (1 = LC) are those of
    the first frame, 0 without frames; `is_uniform` is False when a later frame differs. `junk_bytes` is what is neither
    tag nor frame and stands before the last frame (of it `leading_bytes` before the first tag or frame), `tail_bytes`
    what follows the last frame or tag: a cut frame, as a rule. Without any frame all junk counts as `junk_bytes`.
    """

    frame_sizes: array[int] = field(repr=False)
    runs: tuple[tuple[int, int], ...]
    samples: int
    rate: int
    channels: int
    profile: int
    is_uniform: bool
    tags: tuple[TagSpan, ...] = ()
    junk_bytes: int = 0
    leading_bytes: int = 0
    tail_bytes: int = 0

    @property
    def frames(self) -> int:
        return len(self.frame_sizes)

    @property
    def seconds(self) -> float:
        return self.samples / self.rate if self.rate else 0.0

    def payload(self, data: bytes) -> bytes:
        """The frames of `data` (the bytes that were scanned) without tags and junk: a valid ADTS file."""
        parts = []
        frame = 0
        for offset, count in self.runs:
            parts.append(data[offset : offset + sum(self.frame_sizes[frame : frame + count])])
            frame += count
        return b"".join(parts)


def scan_adts(data: bytes) -> AdtsScan:
    """Count and locate the frames of a segment. Any bytes are allowed; the cost is linear in their number.

    A frame is only believed when another frame, a tag or the end follows it, for junk contains false beginnings; or
    when it stands just where the frame before it ended and has the same format, so that junk between frames costs none.
    """
    return scan_clean_adts(data) or _scan_carefully(data)


# ---------------------------------------------------------------- the short way


def scan_clean_adts(data: bytes) -> AdtsScan | None:
    """The scan of tags and equal-headed frames and nothing else; None at the first byte that is anything else.

    Crafted bytes cost it 70 ns each, a twentieth of what a segment costs that needs the careful way.
    """
    end = len(data)
    last = end - 8
    sizes: list[int] = []
    # Local names: the loop below runs 141 times a segment.
    append, unpack, fixed = sizes.append, _EIGHT_BYTES, _FIXED_BITS
    tags: list[TagSpan] = []
    runs: list[tuple[int, int]] = []
    at = 0
    expected = 0
    while at < end:
        if data.startswith(b"ID3", at):
            size = tag_size(data, at)
            if not size or len(tags) >= MAX_TAGS:
                return None
            tags.append(TagSpan(at, size, len(sizes)))
            at += size
            continue
        if at > last:
            return None
        if not expected:
            expected = _EIGHT_BYTES(data, at)[0] & _FIXED_BITS
            if not _is_plain_header(expected):
                return None
        begin, before = at, len(sizes)
        while at <= last:
            word = unpack(data, at)[0]
            if word & fixed != expected:
                break
            size = word >> 21 & 0x1FFF
            # Shorter ones cannot follow one another in this loop; the careful way knows what to do with them.
            if size < 8:
                return None
            append(size)
            at += size
        if len(sizes) == before:
            return None
        runs.append((begin, len(sizes) - before))
    if at != end or not sizes:
        return None
    return AdtsScan(
        frame_sizes=array("H", sizes),
        runs=tuple(runs),
        samples=SAMPLES_PER_BLOCK * len(sizes),
        rate=SAMPLING_RATES[expected >> 42 & 15],
        channels=_channels(expected >> 38 & 7),
        profile=expected >> 46 & 3,
        is_uniform=True,
        tags=tuple(tags),
    )


def _is_plain_header(word: int) -> bool:
    """True for a frame without checksum, of one block, with a rate that exists."""
    return (
        word >> 52 == 0xFFF
        and not word >> 49 & 3
        and bool(word & _NO_CHECKSUM)
        and not word & 0x300
        and word >> 42 & 15 < len(SAMPLING_RATES)
    )


# ---------------------------------------------------------------- the careful way


def _scan_carefully(data: bytes) -> AdtsScan:
    """The scan of any bytes."""
    return _CarefulScan(data).run()


class _CarefulScan:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._sizes = array("H")
        self._tags: list[TagSpan] = []
        self._runs: list[tuple[int, int]] = []
        self._formats: list[tuple[int, int, int]] = []
        self._latest = (0, 0, 0)
        self._blocks = 0
        self._junk = 0
        self._leading = 0
        self._false_beginnings = 0

    def run(self) -> AdtsScan:
        data, end = self._data, len(self._data)
        at = 0
        run_begin, run_frames = 0, 0
        skipped = 0  # junk since the last tag or frame
        while at < end:
            size = tag_size(data, at) if len(self._tags) < MAX_TAGS else 0
            is_tag = size > 0
            if not is_tag:
                size = self._frame_at(at, follows=at > 0 and not skipped)
            if not size:
                self._false_beginnings += 1
                following = self._next_beginning(at + 1)
                skipped += following - at
                at = following
                continue
            if skipped or is_tag:
                if run_frames:
                    self._runs.append((run_begin, run_frames))
                run_frames = 0
            if skipped:
                if not self._sizes and not self._tags:
                    self._leading = skipped
                self._junk += skipped
                skipped = 0
            if is_tag:
                self._tags.append(TagSpan(at, size, len(self._sizes)))
            else:
                if not run_frames:
                    run_begin = at
                run_frames += 1
                self._take_frame(at, size)
            at += size
        if run_frames:
            self._runs.append((run_begin, run_frames))
        if not self._sizes:
            self._junk, skipped = self._junk + skipped, 0
        return self._result(skipped)

    def _frame_at(self, at: int, *, follows: bool) -> int:
        """The length of the frame that begins here, 0 when none does. `follows`: a frame or tag ended here."""
        data = self._data
        size = frame_size(data, at)
        if not size or at + size > len(data):
            return 0
        after = at + size
        if after == len(data) or _is_sync(data, after) or data.startswith(b"ID3", after):
            return size
        if follows and self._sizes and self._format_at(at) == self._latest:
            return size
        return 0

    def _format_at(self, at: int) -> tuple[int, int, int]:
        """Rate, channels and profile of a valid header."""
        b2, b3 = self._data[at + 2], self._data[at + 3]
        return SAMPLING_RATES[b2 >> 2 & 15], _channels((b2 & 1) << 2 | b3 >> 6), b2 >> 6

    def _next_beginning(self, at: int) -> int:
        """The next place where a frame or a tag could begin, or the end."""
        if self._false_beginnings > MAX_FALSE_BEGINNINGS:
            return len(self._data)
        match = _BEGINNING.search(self._data, at)
        return match.start() if match else len(self._data)

    def _take_frame(self, at: int, size: int) -> None:
        self._sizes.append(size)
        self._blocks += (self._data[at + 6] & 3) + 1
        self._latest = self._format_at(at)
        if len(self._formats) < 2 and self._latest not in self._formats:
            self._formats.append(self._latest)

    def _result(self, tail: int) -> AdtsScan:
        rate, channels, profile = self._formats[0] if self._formats else (0, 0, 0)
        return AdtsScan(
            frame_sizes=self._sizes,
            runs=tuple(self._runs),
            samples=SAMPLES_PER_BLOCK * self._blocks,
            rate=rate,
            channels=channels,
            profile=profile,
            is_uniform=len(self._formats) < 2,
            tags=tuple(self._tags),
            junk_bytes=self._junk,
            leading_bytes=self._leading,
            tail_bytes=tail,
        )


def _is_sync(data: bytes, at: int) -> bool:
    return at + 1 < len(data) and data[at] == 0xFF and data[at + 1] & 0xF6 == 0xF0


def frame_size(data: bytes, at: int) -> int:
    """The length, header included, that the frame header at this place claims; 0 when there is no valid header."""
    if at + MIN_FRAME_BYTES > len(data) or not _is_sync(data, at):
        return 0
    if data[at + 2] >> 2 & 15 >= len(SAMPLING_RATES):
        return 0
    size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    return size if size >= MIN_FRAME_BYTES else 0


def tag_size(data: bytes, at: int) -> int:
    """The length of the ID3 tag that begins here, header and footer included; 0 when none does, or it does not fit."""
    if not data.startswith(b"ID3", at) or at + 10 > len(data):
        return 0
    major, revision, flags, b0, b1, b2, b3 = data[at + 3 : at + 10]
    if major == 0xFF or revision == 0xFF or (b0 | b1 | b2 | b3) & 0x80:
        return 0
    size = 10 + (b0 << 21 | b1 << 14 | b2 << 7 | b3) + (10 if flags & 0x10 and major == 4 else 0)
    return size if at + size <= len(data) else 0


def tags_beside_frames(
    data: bytes, runs: Sequence[tuple[int, int]], frame_sizes: array[int]
) -> tuple[TagSpan, ...] | None:
    """The tags of bytes whose frames are known from an earlier scan, for a fraction of the work of another one.

    None where anything but tags stands beside the frames: only a scan can say what that is.
    """
    tags: list[TagSpan] = []
    at = frame = 0
    for begin, count in (*runs, (len(data), 0)):
        while at < begin:
            size = tag_size(data, at)
            if not size or len(tags) >= MAX_TAGS:
                return None
            tags.append(TagSpan(at, size, frame))
            at += size
        if at != begin:
            return None
        at += sum(frame_sizes[frame : frame + count])
        frame += count
    return tuple(tags) if frame == len(frame_sizes) else None


def _channels(configuration: int) -> int:
    """How many channels a configuration means; 7 is eight channels, 0 leaves it to the payload."""
    return 8 if configuration == 7 else configuration
