"""The header `x-client-transaction-id`, which some answers depend on: a signature made from the service's home page.

The page holds a key and four drawings, a script of the page says where in the key to look. Both are searched as text;
nothing of them is ever run. The steps and their odd roundings are those of the web client, checked against vectors.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from hydrophone.errors import WireError

_EPOCH = 1_682_924_400  # the service counts from here
_SALT = "obfiowerehiring"
_KEY = re.compile(r"<meta[^<>]{0,200}?name=[\"']twitter-site-verification[\"'][^<>]{0,400}>")
_CONTENT = re.compile(r"content=[\"']([A-Za-z0-9+/=_-]{16,400})[\"']")
_INDEX = re.compile(r"\(\w\[(\d{1,2})\],\s{0,8}16\)")
_DRAWING = re.compile(r"id=[\"']loading-x-anim[^\"'<>]{0,40}[\"']")
_PATH = re.compile(r"<path\b[^<>]{0,200}?\bd=[\"']([^\"'<>]{0,20000})[\"']")
_MAX_INDICES = 16


class TransactionIds(Protocol):
    """Makes the header for one request."""

    def make(self, method: str, path: str, unix_seconds: int) -> str:
        """The id for a request to this path (without query) at this time."""
        ...


@dataclass(frozen=True, slots=True)
class PageTransactionIds:
    """Ids made from one home page. Good for some hours; the page changes."""

    key: bytes = field(repr=False)
    animation_key: str = field(repr=False)
    random_byte: Callable[[], int] = field(default=lambda: secrets.randbelow(256), repr=False)

    def make(self, method: str, path: str, unix_seconds: int) -> str:
        count = max(0, unix_seconds - _EPOCH) & 0xFFFFFFFF
        digest = hashlib.sha256(f"{method}!{path}!{count}{_SALT}{self.animation_key}".encode()).digest()
        plain = self.key + count.to_bytes(4, "little") + digest[:16] + b"\x03"
        mask = self.random_byte() & 0xFF
        return base64.b64encode(bytes([mask, *(byte ^ mask for byte in plain)])).decode().rstrip("=")


def read_transaction_ids(page: str, script: str) -> PageTransactionIds:
    """The maker of ids that belongs to a home page and its signing script.

    Raises:
        WireError: one of the two no longer has the shape that we know.
    """
    key = _read_key(page)
    indices = [int(number) for number in _INDEX.findall(script)[:_MAX_INDICES]]
    if len(indices) < 2 or max(indices) >= len(key):
        raise _drift("script.indices")
    rows = _read_rows(page, key[5])
    row, times = indices[0], indices[1:]
    values = rows[key[row] % len(rows)]
    product = math.prod(key[index] % 16 for index in times)
    frame_time = math.floor(product / 10 + 0.5) * 10
    return PageTransactionIds(key, animation_key(values, frame_time / 4096))


def _read_key(page: str) -> bytes:
    tag = _KEY.search(page)
    content = _CONTENT.search(tag[0]) if tag else None
    if content is None:
        raise _drift("page.twitter-site-verification")
    try:
        key = base64.b64decode(content[1] + "=" * (-len(content[1]) % 4))
    except (binascii.Error, ValueError):
        raise _drift("page.twitter-site-verification") from None
    if len(key) < 16:
        raise _drift("page.twitter-site-verification")
    return key


def _read_rows(page: str, choice: int) -> list[list[int]]:
    starts = [match.start() for match in _DRAWING.finditer(page)][:16]
    if not starts:
        raise _drift("page.loading-x-anim")
    chosen = choice % len(starts)
    end = starts[chosen + 1] if chosen + 1 < len(starts) else len(page)
    group = page.find("<g", starts[chosen], end)
    paths = _PATH.findall(page, group, min(end, group + 100_000)) if group >= 0 else []
    if len(paths) < 2:
        raise _drift("page.loading-x-anim.path")
    # The first nine characters ("M 10,30 C") only start the drawing.
    rows = [[int(number[:6]) for number in re.findall(r"[0-9]+", part)] for part in paths[1][9:].split("C")]
    if any(len(row) < 11 for row in rows):
        raise _drift("page.loading-x-anim.path.d")
    return rows


def _drift(path: str) -> WireError:
    return WireError(f"transaction ids: {path} is not as we know it", path=path, endpoint="x-client-transaction-id")


# ---------------------------------------------------------------- the animation


def animation_key(values: Sequence[int], moment: float) -> str:
    """The state of the animation at a moment (0 to 1), as the text that goes into the signature."""
    eased = _bezier(
        [_scaled(value, 0.0 if index % 2 == 0 else -1.0) for index, value in enumerate(values[7:11])], moment
    )
    colour = [
        math.floor(min(255.0, max(0.0, start * (1 - eased) + end * eased)) + 0.5)
        for start, end in zip(values[0:3], values[3:6], strict=True)
    ]
    angle = math.radians(math.floor(values[6] * 300 / 255 + 60) * eased)
    turn = [math.cos(angle), -math.sin(angle), math.sin(angle), math.cos(angle)]
    parts = [f"{value:x}" for value in colour] + [_hexadecimal(abs(round(value, 2))) for value in turn] + ["0", "0"]
    return "".join(parts).replace(".", "").replace("-", "")


def _scaled(value: int, low: float) -> float:
    return round(value * (1.0 - low) / 255 + low, 2)


def _bezier(control: Sequence[float], moment: float) -> float:
    x1, y1, x2, y2 = control
    if moment <= 0:
        return (y1 / x1 if x1 > 0 else y2 / x2 if y1 == 0 and x2 > 0 else 0.0) * moment
    if moment >= 1:
        slope = (y2 - 1) / (x2 - 1) if x2 < 1 else (y1 - 1) / (x1 - 1) if x2 == 1 and x1 < 1 else 0.0
        return 1.0 + slope * (moment - 1)
    low, high, middle = 0.0, 1.0, 0.5
    for _ in range(64):
        middle = (low + high) / 2
        found = _curve(x1, x2, middle)
        if abs(found - moment) < 1e-5:
            break
        if found < moment:
            low = middle
        else:
            high = middle
    return _curve(y1, y2, middle)


def _curve(a: float, b: float, m: float) -> float:
    return 3 * a * (1 - m) ** 2 * m + 3 * b * (1 - m) * m**2 + m**3


def _hexadecimal(value: float) -> str:
    """A number in base 16, to the last digit that the double has."""
    whole, fraction = int(value), value - int(value)
    digits = []
    while fraction > 0:
        fraction *= 16
        digits.append(f"{int(fraction):x}")
        fraction -= int(fraction)
    return f"{whole:x}" + ("." + "".join(digits) if digits else "")
