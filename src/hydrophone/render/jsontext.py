"""JSON for files and pipes: the same value gives the same text, and every reader takes it.

Lone surrogates, which the service's own JSON can carry, become ``�``: no strict reader accepts them, and they cannot be
written as UTF-8. NaN and infinity, which are no JSON, become null.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from pathlib import PurePath
from typing import Any

from hydrophone.render.times import instant_text

MAX_DEPTH = 200


def json_text(value: object, *, sort_keys: bool = False) -> str:
    """A JSON document for people and tools: indented, UTF-8 as it is, with a line feed at the end.

    Dataclasses become objects (fields with `repr=False` are left out: they hold secrets or raw records), instants their
    ISO text in UTC, enumerations their value, sets sorted lists.
    """
    return json.dumps(plain(value), ensure_ascii=False, indent=2, sort_keys=sort_keys, allow_nan=False) + "\n"


def json_line(value: object, *, sort_keys: bool = False) -> str:
    """The same on one line, without blanks and without the line feed."""
    return json.dumps(
        plain(value), ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys, allow_nan=False
    ).translate(_LINE_SEPARATORS)


# Some readers split lines there, too; escaped, they mean the same.
_LINE_SEPARATORS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def plain(value: object, depth: int = 0) -> Any:
    """`value` made of nothing but what JSON knows. What is nested deeper than 200 levels becomes null."""
    if value is None or (isinstance(value, bool | int) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return plain(value.value, depth)
    if isinstance(value, str):
        return sound_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth > MAX_DEPTH:
        return None
    return _compound(value, depth + 1)


def _compound(value: object, depth: int) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name), depth) for f in fields(value) if f.repr}
    if isinstance(value, Mapping):
        return {sound_text(str(plain(key, depth))): plain(item, depth) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((plain(item, depth) for item in value), key=repr)
    if isinstance(value, list | tuple | range):
        return [plain(item, depth) for item in value]
    return _scalar(value)


def _scalar(value: object) -> Any:
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, PurePath):
        return sound_text(str(value))
    return sound_text(str(value))


def sound_text(text: str) -> str:
    """`text` with each lone surrogate replaced by ``�``, so that it can be written as UTF-8."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
