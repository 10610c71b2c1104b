"""What `--json` prints: values of the house as plain JSON, without anything secret.

Fields that a dataclass hides from its own repr (stream URLs, tokens, raw replies) are left out.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from hydrophone.cli.exits import code_of
from hydrophone.errors import HydrophoneError

#: A stranger's text may hold half of a surrogate pair, which no encoder takes.
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
#: JSON escapes no more than the controls of ASCII. What else a terminal obeys, what turns the reading round and what
#: some readers take for the end of a line stands only in texts here, where its escape means the same.
_OBEYED = {
    code: f"\\u{code:04x}"
    for code in (
        *range(0x7F, 0xA0),
        *(0x061C, 0x200E, 0x200F),
        *range(0x2028, 0x202F),
        *range(0x2066, 0x206A),
    )
}


def jsonable(value: Any) -> Any:
    """A value as JSON knows it: instants as ISO 8601 with Z, paths and enums as text, errors as objects."""
    if isinstance(value, Enum):
        return jsonable(value.value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, BaseException):
        return error_object(value)
    if hasattr(value, "as_json"):
        return jsonable(value.as_json())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: jsonable(getattr(value, f.name)) for f in dataclasses.fields(value) if f.repr}
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(item) for item in value]
    return jsonable(str(value))


def error_object(error: BaseException) -> dict[str, Any]:
    """An error as an object: its class, message, advice, exit code and public attributes."""
    known = isinstance(error, HydrophoneError)
    details = {name: jsonable(value) for name, value in vars(error).items() if known and name[:1] != "_"}
    text = error.message if isinstance(error, HydrophoneError) else str(error)
    return {"type": type(error).__name__, **details, "message": jsonable(text), "exit_code": int(code_of(error))}


def dumps(value: Any) -> str:
    """One line of JSON."""
    return _harmless(json.dumps(jsonable(value), ensure_ascii=False, separators=(",", ":")))


def dumps_pretty(value: Any) -> str:
    """JSON for people."""
    return _harmless(json.dumps(jsonable(value), ensure_ascii=False, indent=2))


def _harmless(text: str) -> str:
    return text if text.isascii() and "\x7f" not in text else text.translate(_OBEYED)
