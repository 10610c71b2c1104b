"""Tolerant access to answers that nobody has promised us: every field may be null, missing, or of another type.

A `Node` is a piece of an answer together with the path that leads to it. Reading a field that is not there gives None;
asking for one with `need_` raises a `WireError` that names the path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hydrophone.errors import WireError
from hydrophone.http.messages import Reply

MAX_DEPTH = 200  #: real answers stay below 40
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_MILLISECONDS = 253_402_300_799_999  # the end of year 9999
_ISO = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,12}))?(?:Z|([+-])(\d\d):?(\d\d))?", re.ASCII
)
_LONG_DATE = re.compile(r"\w{3} (\w{3}) (\d\d) (\d\d):(\d\d):(\d\d) \+0000 (\d{4})", re.ASCII)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NUMBER = re.compile(r"[+-]?\d{1,20}", re.ASCII)
#: Half a surrogate pair, escaped or as three raw bytes. Such text cannot be written to any file later. Each of the two
#: begins with what the search can jump to: bodies are megabytes, and tried at every byte it costs more than the parser.
_LONE_ESCAPE = re.compile(
    rb"\\u[dD](?:[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD])[c-fC-F])"
)
_RAW_HALF = re.compile(rb"\xed[\xa0-\xbf]")


class Node:
    """A value inside an answer, with its path for error messages."""

    __slots__ = ("_keys", "_parent", "endpoint", "value")

    def __init__(self, value: Any, path: str = "", endpoint: str = "") -> None:
        self.value = value
        self.endpoint = endpoint
        self._parent: Node | None = None
        self._keys: tuple[str, ...] = (path,) if path else ()

    def _below(self, value: Any, *keys: str) -> Node:
        # The path is only put together for an error: a roster of 50,000 has half a million fields.
        node = Node(value, "", self.endpoint)
        node._parent = self
        node._keys = keys
        return node

    @property
    def path(self) -> str:
        """Where this is in the answer, e.g. ``data.audioSpace.participants.admins[0].start``."""
        parts: list[str] = []
        node: Node | None = self
        while node is not None:
            parts[:0] = node._keys
            node = node._parent
        return ".".join(parts).replace(".[", "[")

    def at(self, *keys: str) -> Node:
        """The node below these keys. Its value is None where something on the way is missing or no object."""
        value = self.value
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return self._below(value, *keys)

    def has(self, key: str) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def first(self, *paths: str) -> Node:
        """The first of several dotted paths that holds anything; the first path if none does."""
        for path in paths:
            node = self.at(*path.split("."))
            if node.value not in (None, ""):
                return node
        return self.at(*paths[0].split("."))

    # ------------------------------------------------------------ values, None where there is none

    def text(self) -> str | None:
        """Text. Numbers become text, since ids come in both forms; "" stays ""."""
        if isinstance(self.value, str):
            return self.value
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return str(self.value) if -(1 << 70) < self.value < (1 << 70) else None
        return None

    def some_text(self) -> str | None:
        """Text that is not empty."""
        return self.text() or None

    def integer(self) -> int | None:
        value = self.value
        if isinstance(value, bool):
            return None
        if isinstance(value, int):
            return value if abs(value) < 1 << 63 else None
        if isinstance(value, float):
            return int(value) if value == value and abs(value) < 1 << 53 else None
        if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
            return int(value)
        return None

    def count(self) -> int | None:
        """A number that cannot be negative."""
        number = self.integer()
        return number if number is not None and number >= 0 else None

    def flag(self) -> bool | None:
        if isinstance(self.value, bool):
            return self.value
        return {"true": True, "false": False}.get(self.value) if isinstance(self.value, str) else None

    def instant(self) -> datetime | None:
        """Milliseconds as number or text, ISO 8601 with any number of decimals, or the long form of old REST answers.

        0, "" and the year 1 all mean that there is none.
        """
        number = self.integer()
        if number is not None:
            return _EPOCH + timedelta(milliseconds=number) if 0 < number <= _MAX_MILLISECONDS else None
        return _parse_instant(self.value) if isinstance(self.value, str) else None

    # ------------------------------------------------------------ containers

    def is_object(self) -> bool:
        return isinstance(self.value, dict)

    def is_empty(self) -> bool:
        """True for null, absence, and an empty object or list."""
        return self.value is None or self.value in ({}, [])

    def mapping(self) -> Mapping[str, Any]:
        """The object, or an empty one."""
        return self.value if isinstance(self.value, dict) else {}

    def members(self) -> Iterator[tuple[str, Node]]:
        """Keys and nodes of an object; nothing for anything else."""
        for key, value in self.mapping().items():
            yield key, self._below(value, key)

    def items(self) -> Iterator[Node]:
        """Elements of a list; nothing for anything else."""
        if isinstance(self.value, list):
            for index, value in enumerate(self.value):
                yield self._below(value, f"[{index}]")

    # ------------------------------------------------------------ what must be there

    def need_object(self) -> Node:
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        return self

    def need_text(self) -> str:
        text = self.some_text()
        if text is None:
            raise self.wrong("text")
        return text

    def wrong(self, wanted: str) -> WireError:
        """The error that says what stood here instead of what we rely on; to be raised by the caller."""
        found = "nothing" if self.value is None else type(self.value).__name__
        return WireError(
            f"{self.endpoint or 'the answer'}: {self.path or 'the whole'} should be {wanted}, found {found}",
            path=self.path,
            endpoint=self.endpoint,
            advice="The service has changed. Update Hydrophone; if that does not help, report this message.",
        )


def read_json(reply: Reply, endpoint: str) -> Node:
    """The body of a reply, an object, as the root node.

    Raises:
        WireError: it is no JSON object, or nested beyond any reason.
    """
    return read_document(reply, endpoint).need_object()


def read_document(reply: Reply, endpoint: str) -> Node:
    """The same where a bare list, or anything else that is JSON, is as good.

    Raises:
        WireError: it is no JSON, or nested beyond any reason.
    """
    value = reply.json()
    _check_depth(value, endpoint)
    if _LONE_ESCAPE.search(reply.body) or _RAW_HALF.search(reply.body):
        value = _without_surrogates(value)
    return Node(value, "", endpoint)


def node_of(value: Any, endpoint: str) -> Node:
    """The same for JSON that did not come as a reply of its own: from a page, a file, a field.

    Raises:
        WireError: it is nested beyond any reason.
    """
    _check_depth(value, endpoint)
    return Node(_without_surrogates(value), "", endpoint)


def _check_depth(value: Any, endpoint: str) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [
            child
            for container in level
            for child in (container.values() if isinstance(container, dict) else container)
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise WireError(f"{endpoint}: the answer is nested deeper than {MAX_DEPTH} levels", endpoint=endpoint)


def _without_surrogates(value: Any) -> Any:
    """The same value with lone halves of surrogate pairs replaced. Depth has been checked."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [_without_surrogates(element) for element in value]
    if isinstance(value, dict):
        return {clean_text(key): _without_surrogates(element) for key, element in value.items()}
    return value


def clean_text(text: str) -> str:
    """Text that can be encoded: lone surrogates become U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _parse_instant(text: str) -> datetime | None:
    if match := _ISO.fullmatch(text):
        year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
        # Nine decimals are usual here; a datetime keeps six.
        microsecond = int((match[7] or "0").ljust(6, "0")[:6])
        offset = timedelta(hours=int(match[9] or 0), minutes=int(match[10] or 0)) * (-1 if match[8] == "-" else 1)
    elif match := _LONG_DATE.fullmatch(text):
        if match[1] not in _MONTHS:
            return None
        year, month, day = int(match[6]), _MONTHS.index(match[1]) + 1, int(match[2])
        hour, minute, second, microsecond, offset = int(match[3]), int(match[4]), int(match[5]), 0, timedelta()
    else:
        return None
    if year < 1970:
        return None
    try:
        return datetime(year, month, day, hour, minute, second, microsecond, tzinfo=UTC) - offset
    except (ValueError, OverflowError):
        return None
