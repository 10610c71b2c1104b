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
from json.encoder import encode_basestring
from pathlib import PurePath
from typing import Any

from hydrophone.render.times import instant_text

MAX_DEPTH = 200


def json_text(value: object, *, sort_keys: bool = False) -> str:
    """A JSON document for people and tools: indented, UTF-8 as it is, with a line feed at the end.

    Dataclasses become objects (fields with `repr=False` are left out: they hold secrets or raw records), instants their
    ISO text in UTC, enumerations their value, sets sorted lists.
    """
    out: list[str] = []
    _indented(plain(value), "\n", sort_keys, out)
    out.append("\n")
    return "".join(out)


def json_line(value: object, *, sort_keys: bool = False) -> str:
    """The same on one line, without blanks and without the line feed."""
    text = (_encode_sorted if sort_keys else _encode)(plain(value))
    return text if text.isascii() else text.translate(_LINE_SEPARATORS)


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_encode_sorted = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, sort_keys=True).encode
# Some readers split lines there, too; escaped, they mean the same.
_LINE_SEPARATORS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def _indented(value: Any, line: str, sort_keys: bool, out: list[str]) -> None:
    """Append the text of a plain value. The standard encoder does the same, in a fifth of its speed once it indents.

    Args:
        line: a line feed and the blanks in front of what holds the value.
    """
    if isinstance(value, dict) and value:
        deeper = f"{line}  "
        before = "{" + deeper
        for name, item in sorted(value.items()) if sort_keys else value.items():
            out.append(f"{before}{encode_basestring(name)}: ")
            _indented(item, deeper, sort_keys, out)
            before = "," + deeper
        out.append(line + "}")
    elif isinstance(value, list) and value:
        deeper = f"{line}  "
        before = "[" + deeper
        for item in value:
            out.append(before)
            _indented(item, deeper, sort_keys, out)
            before = "," + deeper
        out.append(line + "]")
    elif type(value) is float:
        out.append(repr(value))
    elif type(value) is str:
        out.append(encode_basestring(value))
    else:
        out.append(_encode(value))


def plain(value: object, depth: int = 0) -> Any:
    """`value` made of nothing but what JSON knows. What is nested deeper than 200 levels becomes null."""
    kind = type(value)
    if kind is str:
        return sound_text(value)  # type: ignore[arg-type]
    if kind is float:
        return value if math.isfinite(value) else None  # type: ignore[arg-type]
    if kind is list and depth <= MAX_DEPTH:
        return [plain(item, depth + 1) for item in value]  # type: ignore[attr-defined]
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
