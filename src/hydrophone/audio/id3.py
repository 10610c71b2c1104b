"""Reading the ID3 tags between the frames of a segment, whatever their writer made of the standard.

Version 2.4 demands frame sizes of seven bits a byte, but plain sizes are in circulation, and both kinds look alike.
So the frames of a tag are walked both ways until one walk ends exactly at the end of the tag.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from struct import Struct

from hydrophone.audio.adts import AdtsScan, TagSpan, scan_adts

MAX_TAG_BYTES = 256 * 1024
MAX_FRAMES = 64
MAX_TAGS = 10_000
_MAX_STEPS = 1024
_FRAME_ID = re.compile(rb"[A-Z0-9]{4}")

CLOCK_OWNER = b"com.apple.streaming.transportStreamTimestamp"
_FRONT_BYTES = 64 * 1024
# The first bytes of every clean segment: a tag of 63 bytes whose only frame is the clock.
_CUT_SIGNATURE = bytes.fromhex("49443304000000 00003F 50524956")
_CLOCK_ALONE = _CUT_SIGNATURE + bytes.fromhex("00000035")
_frame_head = Struct(">4s4BHB").unpack_from  # id, size, flags, and the first byte of the content
_USUAL_FRAMES = frozenset((b"TIT3", b"TXXX", b"TKEY", b"PRIV"))
_PLAIN_TAG = bytes.fromhex("494433040000")  # version 2.4, nothing unusual
_CLOCK_BYTES = 8
_CLOCK_MASK = 2**33 - 1
_ENCODINGS = {0: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}


@dataclass(frozen=True, slots=True)
class TagFrame:
    """One frame of a tag: its four-character id and its content, unsynchronisation undone."""

    id: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One ID3 tag.

    `offset` is its first byte in what was scanned, `before_frame` how many audio frames precede it. `frames` leaves
    compressed and encrypted ones out. `has_plain_sizes` tells that a size was not synchsafe. `is_damaged` is True when
    no reading of the sizes fits (then `frames` are those of the longest readable beginning) or the tag was too large.
    """

    offset: int
    size_bytes: int
    before_frame: int
    version: tuple[int, int]
    frames: tuple[TagFrame, ...] = ()
    has_plain_sizes: bool = False
    is_damaged: bool = False

    def first(self, frame_id: str) -> bytes | None:
        """The content of the first frame of this id."""
        return next((frame.data for frame in self.frames if frame.id == frame_id), None)

    def text(self, frame_id: str) -> str | None:
        """The first value of the first text frame of this id."""
        data = self.first(frame_id)
        return None if data is None else decode_text(data)[0]

    def user_text(self, description: str) -> str | None:
        """The value of the first TXXX frame with this description."""
        return self.user_texts().get(description)

    def user_texts(self) -> dict[str, str]:
        """The value of the first TXXX frame of each description."""
        found: dict[str, str] = {}
        for frame in self.frames:
            if frame.id == "TXXX":
                values = decode_text(frame.data)
                found.setdefault(values[0], values[1] if len(values) > 1 else "")
        return found

    @property
    def ticks(self) -> int | None:
        """The 33-bit clock of the next audio frame, from the PRIV frame of the clock's owner; None without one."""
        for frame in self.frames:
            if frame.id == "PRIV":
                owner, nul, value = frame.data.partition(b"\0")
                if nul and owner == CLOCK_OWNER and len(value) >= _CLOCK_BYTES:
                    return int.from_bytes(value[:_CLOCK_BYTES], "big") & _CLOCK_MASK
        return None


def read_tags(data: bytes, scan: AdtsScan | None = None, *, spans: Sequence[TagSpan] | None = None) -> tuple[Tag, ...]:
    """All tags of a segment in order. Any bytes are allowed. Give the scan of the same bytes if there is one.

    Args:
        spans: where the tags stand, for those who know it without a scan.
    """
    if spans is None:
        spans = (scan or scan_adts(data)).tags
    return tuple(_read_tag(data, span.offset, span.size_bytes, span.before_frame) for span in spans[:MAX_TAGS])


def first_ticks(data: bytes) -> int | None:
    """The 33-bit clock of the first audio frame; None without one. Looks at the first 64 KiB, as a rule at 73 bytes."""
    if data.startswith(_CUT_SIGNATURE) and data.startswith(CLOCK_OWNER + b"\0", 20) and len(data) >= 73:
        return int.from_bytes(data[65:73], "big") & _CLOCK_MASK
    front = data[:_FRONT_BYTES]
    if CLOCK_OWNER not in front:
        return None
    for tag in read_tags(front):
        if tag.before_frame:
            break
        if tag.ticks is not None:
            return tag.ticks
    return None


def is_clock_alone(data: bytes, span: TagSpan) -> bool:
    """Is the tag the one that begins every clean segment, and says nothing but the clock?"""
    return span.size_bytes == 73 and data.startswith(_CLOCK_ALONE, span.offset)


def plain_texts(data: bytes, span: TagSpan) -> tuple[dict[str, str], dict[str, str]] | None:
    """The first text of each text frame by its id, and the first value of each TXXX frame by its description.

    A short way for tags as the service writes them: no flags, no padding, texts of ASCII. What it tells is what
    `Tag.text` and `Tag.user_texts` tell; None for any other tag.
    """
    at, end = span.offset, span.offset + span.size_bytes
    if not data.startswith(_PLAIN_TAG, at) or span.size_bytes > MAX_TAG_BYTES:
        return None
    texts: dict[str, str] = {}
    user_texts: dict[str, str] = {}
    at += 10
    frames = 0
    while at != end:
        if at + 11 > end:
            return None
        name, b0, b1, b2, b3, flags, encoding = _frame_head(data, at)
        size = b0 << 21 | b1 << 14 | b2 << 7 | b3
        frames += 1
        at += 10
        if flags or (b0 | b1 | b2 | b3) > 0x7F or not 0 < size <= end - at or frames > MAX_FRAMES:
            return None
        if name not in _USUAL_FRAMES and not _FRAME_ID.match(name):
            return None
        if name.startswith(b"T"):
            content = data[at + 1 : at + size]
            if encoding not in (0, 3) or not content.isascii():  # they agree about ASCII
                return None
            first, _, rest = content.decode("ascii").partition("\0")
            if name == b"TXXX":
                user_texts.setdefault(first, rest.partition("\0")[0])
            else:
                texts.setdefault(name.decode("ascii"), first)
        at += size
    return texts, user_texts


def decode_text(data: bytes) -> list[str]:
    """The values of a text frame: an encoding byte, then texts with NUL between them. Never empty, never raises."""
    if not data:
        return [""]
    encoding = _ENCODINGS.get(data[0], "latin-1")
    text = data[1:].decode(encoding, errors="replace")
    values = text.split("\0")
    if "\ufeff" in text:
        values = [value.removeprefix("\ufeff") for value in values]
    if len(values) > 1 and not values[-1]:
        values.pop()
    return values


# ---------------------------------------------------------------- one tag


def _read_tag(data: bytes, offset: int, size_bytes: int, before_frame: int) -> Tag:
    major, revision, flags = data[offset + 3 : offset + 6]
    footer = 10 if flags & 0x10 and major == 4 else 0
    frames: tuple[TagFrame, ...] = ()
    plain = damaged = False
    if size_bytes > MAX_TAG_BYTES or major not in (3, 4):
        damaged = True
    else:
        body = data[offset + 10 : offset + size_bytes - footer]
        frames, plain, damaged = _read_body(body, major, flags)
    return Tag(
        offset=offset,
        size_bytes=size_bytes,
        before_frame=before_frame,
        version=(major, revision),
        frames=frames,
        has_plain_sizes=plain,
        is_damaged=damaged,
    )


def _read_body(body: bytes, major: int, flags: int) -> tuple[tuple[TagFrame, ...], bool, bool]:
    unsynchronised = bool(flags & 0x80)
    if unsynchronised and major == 3:
        body, unsynchronised = _synchronise(body), False
    begin = _after_extended_header(body, major) if flags & 0x40 else 0
    walk = _Walk(body, major).from_offset(begin)
    if unsynchronised and not walk.is_right:
        # Some writers count the sizes before the zeros are put in, as version 2.3 did.
        again = _Walk(_synchronise(body), major).from_offset(begin)
        if again.is_right:
            walk, unsynchronised = again, False
    frames = tuple(
        frame for span in walk.path if (frame := _read_frame(walk.body, span, major, unsynchronised)) is not None
    )
    plain = major == 4 and any(not span.is_synchsafe for span in walk.path)
    return frames, plain, not walk.is_right


def _synchronise(data: bytes) -> bytes:
    """Undo unsynchronisation: the zero that was put after each FF."""
    return data.replace(b"\xff\x00", b"\xff")


def _after_extended_header(body: bytes, major: int) -> int:
    if len(body) < 4:
        return len(body)
    if major == 3:
        return min(len(body), 4 + int.from_bytes(body[:4], "big"))
    return min(len(body), max(4, _synchsafe(body[:4]) or 0))


def _synchsafe(data: bytes) -> int | None:
    b0, b1, b2, b3 = data
    return None if (b0 | b1 | b2 | b3) & 0x80 else b0 << 21 | b1 << 14 | b2 << 7 | b3


# ---------------------------------------------------------------- the walk


@dataclass(frozen=True, slots=True)
class _Span:
    begin: int  #: of the content
    end: int
    is_synchsafe: bool


class _Walk:
    """The frames of one tag, found depth-first, synchsafe sizes first.

    Places from which no walk can be right are remembered, so each is tried once.
    """

    def __init__(self, body: bytes, major: int) -> None:
        self.body = body
        self.path: list[_Span] = []
        self.is_right = False
        self._major = major
        self._dead: set[int] = set()
        self._steps = 0

    def from_offset(self, begin: int) -> _Walk:
        straight = _straight_path(self.body, self._major, begin)
        if straight is not None:
            self.path, self.is_right = straight, True
            return self
        return self._search(begin)

    def _search(self, begin: int) -> _Walk:
        stack: list[tuple[int, list[_Span]]] = [(begin, self._candidates(begin))]
        path: list[_Span] = []
        best: list[_Span] = []
        while stack:
            at, candidates = stack[-1]
            if self._is_end(at):
                self.path, self.is_right = path, True
                return self
            if candidates and len(path) < MAX_FRAMES:
                span = candidates.pop(0)
                if span.end not in self._dead:
                    path.append(span)
                    stack.append((span.end, self._candidates(span.end)))
                continue
            if not best or (path and path[-1].end > best[-1].end):
                best = path.copy()
            self._dead.add(at)
            stack.pop()
            if path:
                path.pop()
        self.path = best
        return self

    def _is_end(self, at: int) -> bool:
        return at == len(self.body) or (self.body[at] == 0 and not self.body[at:].strip(b"\0"))

    def _candidates(self, at: int) -> list[_Span]:
        """The readings of the frame that begins here; none when no frame does."""
        self._steps += 1
        header = self.body[at : at + 10]
        if len(header) < 10 or self._steps > _MAX_STEPS or not _is_frame_id(header[:4]):
            return []
        plain = int.from_bytes(header[4:8], "big")
        synchsafe = _synchsafe(header[4:8]) if self._major == 4 else None
        sizes = [(synchsafe, True)] if synchsafe is not None else []
        if plain != synchsafe:
            sizes.append((plain, False))
        begin = at + 10
        return [
            _Span(begin, begin + size, is_synchsafe)
            for size, is_synchsafe in sizes
            if size is not None and begin + size <= len(self.body)
        ]


def _straight_path(body: bytes, major: int, begin: int) -> list[_Span] | None:
    """The path on which the first reading of every size is right, as in nearly all tags; None where there is none.

    It is what the search would find, without keeping a way back.
    """
    path: list[_Span] = []
    at, end = begin, len(body)
    while at != end:
        if body[at] == 0:
            return path if not body[at:].strip(b"\0") else None
        if at + 10 > end or len(path) == MAX_FRAMES or not _FRAME_ID.match(body, at):
            return None
        size = int.from_bytes(body[at + 4 : at + 8], "big")
        is_synchsafe = major == 4 and size < 0x80
        at += 10
        if major == 4 and not is_synchsafe:
            synchsafe = _synchsafe(body[at - 6 : at - 2])
            if synchsafe is not None and at + synchsafe <= end:
                size, is_synchsafe = synchsafe, True
        if at + size > end:
            return None
        path.append(_Span(at, at + size, is_synchsafe))
        at += size
    return path


def _is_frame_id(name: bytes) -> bool:
    return _FRAME_ID.fullmatch(name) is not None


def _read_frame(body: bytes, span: _Span, major: int, unsynchronised: bool) -> TagFrame | None:
    """The frame without what its flags put before the content; None when it is compressed or encrypted."""
    flags = body[span.begin - 1]
    data = body[span.begin : span.end]
    if not flags and not unsynchronised:
        pass
    elif major == 3:
        if flags & 0xC0:
            return None
        data = data[1:] if flags & 0x20 else data
    else:
        if flags & 0x0C:
            return None
        data = data[1:] if flags & 0x40 else data
        data = data[4:] if flags & 0x01 else data
        if unsynchronised or flags & 0x02:
            data = _synchronise(data)
    return TagFrame(body[span.begin - 10 : span.begin - 6].decode("ascii"), data)
