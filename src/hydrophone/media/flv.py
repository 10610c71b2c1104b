"""FLV tags: the small parcels that an RTMP stream is made of, read from a byte stream and built again.

A tag is one frame of sound or picture with its time, or what a decoder must know before the first frame (its
*setup*). So a stream can be cut, joined in the middle and given other times without touching a frame.

Source: Adobe Flash Video File Format Specification 10.1, annex E.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum

from hydrophone.errors import MediaError

HEADER = b"FLV\x01\x05\0\0\0\x09\0\0\0\0"  #: with sound and picture, and the "size of the previous tag" of none
_HEAD_BYTES, _TAIL_BYTES = 11, 4
_AAC, _AVC = 10, 7
_MAX_MS = 2**32


class Kind(IntEnum):
    """What a tag carries."""

    AUDIO = 8
    VIDEO = 9
    SCRIPT = 18


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag. `at_ms` is its decoding time; `body` begins with the codec's own few bytes."""

    kind: Kind
    at_ms: int
    body: bytes

    @property
    def is_setup(self) -> bool:
        """True for what a decoder must know first: an AAC or AVC configuration."""
        if self.kind is Kind.AUDIO:
            return len(self.body) > 1 and self.body[0] >> 4 == _AAC and self.body[1] == 0
        return self.kind is Kind.VIDEO and len(self.body) > 1 and self.body[0] & 15 == _AVC and self.body[1] == 0

    @property
    def is_empty(self) -> bool:
        """True for what names no frame: a setup without content, or the mark of a stream's end."""
        overhead = 2 if self.kind is Kind.AUDIO else 5
        return self.kind is not Kind.SCRIPT and len(self.body) <= overhead

    @property
    def is_key(self) -> bool:
        """True for a picture that needs no other one: here a viewer may come in."""
        return self.kind is Kind.VIDEO and bool(self.body) and self.body[0] >> 4 == 1 and not self.is_setup

    @property
    def payload(self) -> bytes:
        """The frame itself, as the encoder made it."""
        return self.body[2 if self.kind is Kind.AUDIO else 5 :]

    @property
    def shown_ms(self) -> int:
        """When it is shown or heard: pictures may be decoded earlier than that."""
        if self.kind is not Kind.VIDEO or len(self.body) < 5:
            return self.at_ms
        offset = int.from_bytes(self.body[2:5], "big", signed=True)
        return self.at_ms + offset

    def moved(self, by_ms: int) -> Tag:
        """The same frame at another time, never before 0."""
        return replace(self, at_ms=max(0, self.at_ms + by_ms))


def build_tag(tag: Tag) -> bytes:
    """The tag's bytes in a stream."""
    size, at = len(tag.body), tag.at_ms % _MAX_MS
    head = (
        bytes((tag.kind,)) + size.to_bytes(3, "big") + (at & 0xFFFFFF).to_bytes(3, "big") + bytes((at >> 24, 0, 0, 0))
    )
    return head + tag.body + (_HEAD_BYTES + size).to_bytes(_TAIL_BYTES, "big")


class TagReader:
    """Finds the tags in a byte stream that comes in pieces of any size.

    Args:
        has_header: the stream begins with the nine bytes of an FLV file and four more.
    """

    def __init__(self, *, has_header: bool = True) -> None:
        self._rest = bytearray()
        self._skip = len(HEADER) if has_header else 0

    def feed(self, data: bytes) -> Iterator[Tag]:
        """The tags that are complete with this piece.

        Raises:
            MediaError: this is no FLV stream.
        """
        rest = self._rest
        rest += data
        at = 0
        if self._skip:
            if len(rest) < self._skip:
                return
            if not rest.startswith(b"FLV"):
                raise MediaError("this is no FLV stream")
            at, self._skip = self._skip, 0
        while len(rest) - at >= _HEAD_BYTES:
            size = int.from_bytes(rest[at + 1 : at + 4], "big")
            end = at + _HEAD_BYTES + size + _TAIL_BYTES
            if len(rest) < end:
                break
            moment = int.from_bytes(rest[at + 4 : at + 7], "big") | rest[at + 7] << 24
            number = rest[at] & 31
            body = bytes(rest[at + _HEAD_BYTES : end - _TAIL_BYTES])
            at = end
            if number not in (Kind.AUDIO, Kind.VIDEO, Kind.SCRIPT):
                raise MediaError(f"an FLV tag of the unknown kind {number}")
            yield Tag(Kind(number), moment, body)
        del rest[:at]
