"""The check behind `x-client-transaction-id`, so that a client which makes one up is caught.

The id proves that its maker has read the home page and the signing script: it holds the page's verification key, the
seconds since a fixed moment, and a digest over method, path, time and a text derived from an animation in the page.

Source: web endpoint reference, "x-client-transaction-id". Written from that text alone, and tested with its vectors.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import re
from dataclasses import dataclass, field

EPOCH_SECONDS = 1682924400
_SALT = "obfiowerehiring"
_TAIL = 3
_KEY_BYTES = 48


@dataclass(frozen=True, slots=True)
class Signer:
    """What the home page and the signing script together say: enough to make ids and to check them."""

    key: bytes = field(repr=False)
    animation_key: str = field(repr=False)

    def make(self, method: str, path: str, *, unix_seconds: int, random_byte: int) -> str:
        """The id of one request; `path` has no query."""
        count = unix_seconds - EPOCH_SECONDS
        plain = self.key + count.to_bytes(4, "little") + self._digest(method, path, count) + bytes([_TAIL])
        sealed = bytes([random_byte]) + bytes(byte ^ random_byte for byte in plain)
        return base64.b64encode(sealed).decode("ascii").rstrip("=")

    def accepts(self, text: str, method: str, path: str, *, nows: tuple[float, ...], tolerance: float = 3600.0) -> bool:
        """Whether `text` is an id for this request, made near one of the moments `nows` (Unix seconds)."""
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        except (binascii.Error, ValueError):
            return False
        if len(sealed) != 1 + _KEY_BYTES + 4 + 16 + 1:
            return False
        plain = bytes(byte ^ sealed[0] for byte in sealed[1:])
        count = int.from_bytes(plain[_KEY_BYTES : _KEY_BYTES + 4], "little")
        if plain[:_KEY_BYTES] != self.key or plain[-1] != _TAIL:
            return False
        if not any(abs(count + EPOCH_SECONDS - now) <= tolerance for now in nows):
            return False
        return plain[_KEY_BYTES + 4 : -1] == self._digest(method, path, count)

    def _digest(self, method: str, path: str, count: int) -> bytes:
        text = f"{method}!{path}!{count}{_SALT}{self.animation_key}"
        return hashlib.sha256(text.encode()).digest()[:16]


def read_signer(page: str, script: str) -> Signer:
    """The signer that a home page and a signing script describe."""
    found = re.search(r'name="twitter-site-verification"\s+content="([^"]+)"', page)
    assert found is not None, "the page has no verification key"
    key = base64.b64decode(found.group(1))
    row_index, *time_indices = (int(text) for text in re.findall(r"\(\w\[(\d{1,2})\],\s*16\)", script))
    frames = re.findall(r'id="loading-x-anim[^"]*".*?<g>(.*?)</g>', page, flags=re.DOTALL)
    curve = re.findall(r'<path d="([^"]*)"', frames[key[5] % len(frames)])[1]
    rows = [_integers(row) for row in curve[9:].split("C")]
    frame_time = math.prod(key[index] % 16 for index in time_indices)
    frame_time = math.floor(frame_time / 10 + 0.5) * 10
    return Signer(key=key, animation_key=animation_key(rows[key[row_index] % 16], frame_time / 4096))


def animation_key(row: list[int], moment: float) -> str:
    """Colour and rotation of one animation at `moment` (0 to 1), as the text that goes into the digest."""
    x1, y1, x2, y2 = (
        round(value * (1 - low) / 255 + low, 2) for value, low in zip(row[7:11], (0, -1, 0, -1), strict=True)
    )
    eased = _ease(x1, y1, x2, y2, moment)
    colours = [
        min(255.0, max(0.0, start * (1 - eased) + end * eased)) for start, end in zip(row[0:3], row[3:6], strict=True)
    ]
    angle = math.radians(math.floor(row[6] * 300 / 255 + 60) * eased)
    turn = (math.cos(angle), -math.sin(angle), math.sin(angle), math.cos(angle))
    parts = [format(round(colour), "x") for colour in colours]
    parts += [_base16(abs(round(value, 2))) for value in turn]
    return "".join([*parts, "0", "0"]).replace(".", "").replace("-", "")


def _integers(text: str) -> list[int]:
    return [int(number) for number in re.sub(r"\D", " ", text).split()]


def _ease(x1: float, y1: float, x2: float, y2: float, moment: float) -> float:
    if moment <= 0:
        return _slope_before(x1, y1, x2, y2) * moment
    if moment >= 1:
        return 1 + _slope_after(x1, y1, x2, y2) * (moment - 1)
    low, high = 0.0, 1.0
    while True:
        middle = (low + high) / 2
        x = _bezier(x1, x2, middle)
        # The second condition ends the search where doubles are exhausted.
        if abs(x - moment) < 1e-5 or high - low < 1e-15:
            return _bezier(y1, y2, middle)
        if x < moment:
            low = middle
        else:
            high = middle


def _bezier(first: float, second: float, middle: float) -> float:
    return 3 * first * (1 - middle) ** 2 * middle + 3 * second * (1 - middle) * middle**2 + middle**3


def _slope_before(x1: float, y1: float, x2: float, y2: float) -> float:
    if x1 > 0:
        return y1 / x1
    return y2 / x2 if y1 == 0 and x2 > 0 else 0.0


def _slope_after(x1: float, y1: float, x2: float, y2: float) -> float:
    if x2 < 1:
        return (y2 - 1) / (x2 - 1)
    return (y1 - 1) / (x1 - 1) if x2 == 1 and x1 < 1 else 0.0


def _base16(value: float) -> str:
    """A number of 0 or more in base 16, with as many fraction digits as the double holds."""
    whole, fraction = int(value), value - int(value)
    if fraction == 0:
        return format(whole, "x")
    digits = []
    while fraction > 0:
        fraction *= 16
        digits.append(format(int(fraction), "x"))
        fraction -= int(fraction)
    return f"{whole:x}." + "".join(digits)
