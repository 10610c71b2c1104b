"""How the camera was held, and the display matrix that tells players to turn the picture back.

Phones sent the picture as the sensor saw it and said beside it how they were held: once in the record, and again and
again as timed metadata (``TKEY``) inside the stream. Where the two disagree the stream is believed. A track has one
matrix, so a camera that was turned on the way is shown as it was held longest.

Source: Periscope reference, "Rotation and timed metadata"; ISO/IEC 14496-12, section 8.3.2 (track header).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hydrophone.audio import read_tags
from hydrophone.media.boxes import box
from hydrophone.media.relocate import children

ORIENTATION = "TKEY"
LONGEST_HOLD_SECONDS = 60.0  #: a statement is not believed for longer than this without another one
_ONE, _WHOLE = 1 << 16, 1 << 30
_MATRIX_AT = {0: 40, 1: 52}  #: where the matrix stands in a track header, by its version


@dataclass(frozen=True, slots=True)
class Turn:
    """From `seconds` on the camera was held like this: a quarter turn of 0, 90, 180 or 270 degrees."""

    seconds: float
    degrees: int


def quarter(degrees: float) -> int:
    """The quarter turn to show; sensors say 271 or 357. The official client's rounding."""
    return (int(degrees // 1) + 45) // 90 * 90 % 360


def read_orientation(tag: bytes) -> float | None:
    """What a packet of timed metadata says about the camera, in degrees; None where it does not."""
    for found in read_tags(tag):
        text = found.text(ORIENTATION)
        if text is None:
            continue
        try:
            degrees = float(text.strip())
        except ValueError:
            continue
        if -3600 <= degrees <= 3600:
            return degrees
    return None


@dataclass(slots=True)
class Turns:
    """What the stream says, in its order; equal statements in a row are one."""

    found: list[Turn] = field(default_factory=list)
    _held: dict[int, float] = field(default_factory=dict)
    _last_seconds: float = 0.0

    def see(self, seconds: float, degrees: float) -> None:
        """A statement at a position of the recording."""
        turn = quarter(degrees)
        if self.found:
            before = self.found[-1].degrees
            pause = min(max(0.0, seconds - self._last_seconds), LONGEST_HOLD_SECONDS)
            self._held[before] = self._held.get(before, 0.0) + pause
        self._held.setdefault(turn, 0.0)
        self._last_seconds = seconds
        if not self.found or self.found[-1].degrees != turn:
            self.found.append(Turn(seconds, turn))

    def chosen(self, stated_degrees: float | None) -> int:
        """The quarter turn to show all of it with; what the record states counts where the stream says nothing."""
        if self._held:
            # The first of equals: a dictionary keeps the order in which they came.
            return max(self._held, key=self._held.__getitem__)
        return quarter(stated_degrees or 0)


def turning(degrees: int) -> Callable[[bytes], bytes] | None:
    """What `relocate` must do to each track so that its picture is shown turned; None for an upright one."""
    return None if degrees % 360 == 0 else lambda track: turned_track(track, degrees)


def turned_track(track: bytes, degrees: int) -> bytes:
    """The content of a ``trak`` box with the picture turned clockwise by a quarter turn; a track of sound as it is."""
    if not _is_picture(track):
        return track
    return b"".join(
        box(kind, _turned_header(body, degrees) if kind == b"tkhd" else body) for kind, body in children(track)
    )


def _turned_header(header: bytes, degrees: int) -> bytes:
    at = _MATRIX_AT.get(header[0])
    if at is None or len(header) < at + 44:
        return header
    width, height = struct.unpack_from(">II", header, at + 36)
    # Rows are (x, y, w) images of the axes; the translation brings the picture back into view.
    a, b, c, d, x, y = {
        90: (0, _ONE, -_ONE, 0, height, 0),
        180: (-_ONE, 0, 0, -_ONE, width, height),
        270: (0, -_ONE, _ONE, 0, 0, width),
    }[degrees % 360]
    matrix = struct.pack(">9i", a, b, 0, c, d, 0, x, y, _WHOLE)
    return header[:at] + matrix + header[at + 36 :]


def _is_picture(track: bytes) -> bool:
    return any(body[8:12] == b"vide" for body in _inside(track, b"mdia", b"hdlr"))


def _inside(data: bytes, first: bytes, *rest: bytes) -> Iterator[bytes]:
    for kind, body in children(data):
        if kind == first:
            if rest:
                yield from _inside(body, *rest)
            else:
                yield body
