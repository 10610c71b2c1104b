"""Parameters of a request, and everything that can be complained about, all at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from hydrophone.sandbox.api2 import vocabulary
from hydrophone.sandbox.api2.vocabulary import AUTO, CURRENT, LEGACY, accepted

SPACE_ID = r"^[a-zA-Z0-9]{1,13}$"
USER_ID = r"^[0-9]{1,19}$"
HANDLE = r"^[A-Za-z0-9_]{1,15}$"
#: How the parameter of each name of an expansion list is called on the wire.
_WIRE_NAMES = {"space.expansions": "expansions", "user.expansions": "expansions", "post.expansions": "expansions"}
_CLOSED: Mapping[str, tuple[str, ...]] = {
    "media.fields": vocabulary.MEDIA_FIELDS,
    "poll.fields": vocabulary.POLL_FIELDS,
    "place.fields": vocabulary.PLACE_FIELDS,
    "broadcast.fields": vocabulary.BROADCAST_FIELDS,
    "broadcast_chat_message.fields": vocabulary.CHAT_FIELDS,
    "chat.expansions": ("author_id",),
    "usage.fields": vocabulary.USAGE_FIELDS,
    "webhook_config.fields": vocabulary.WEBHOOK_FIELDS,
}


@dataclass(slots=True)
class Asking:
    """What a request asks for, read against the rules of its endpoint; `complaints` is what is wrong with it."""

    mode: str
    drops: bool
    given: Mapping[str, str]
    dialect: str = LEGACY
    complaints: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @classmethod
    def read(cls, query: str, switches: Mapping[str, Any]) -> Asking:
        """Names and values of a query; a repeated name is joined, an empty value is not there."""
        given: dict[str, str] = {}
        for part in query.split("&"):
            name, _, value = part.partition("=")
            name, value = unquote_plus(name), unquote_plus(value)
            if name and value:
                given[name] = f"{given[name]},{value}" if name in given else value
        mode = str(switches["dialect"])
        marked = CURRENT if "post.fields" in given else LEGACY
        dialect = marked if mode == AUTO else mode
        return cls(mode, mode == CURRENT or switches["unknown_names"] == "drop", given, dialect)

    # ------------------------------------------------------------ complaints

    def complain(self, name: str, message: str, value: str | None = None) -> None:
        told = [] if value is None else [value]
        self.complaints.append((name, {"parameters": {name: told}, "message": message}))

    @property
    def sorted_complaints(self) -> list[dict[str, Any]]:
        return [body for _, body in sorted(self.complaints, key=lambda one: one[0])]

    # ------------------------------------------------------------ readers

    def check_names(self, path: Sequence[str], known: Sequence[str]) -> None:
        """Parameters that the endpoint does not have."""
        wanted = [_WIRE_NAMES.get(name, "expansions" if name == "chat.expansions" else name) for name in known]
        wanted = [name for name in wanted if not self._is_foreign(name)]
        for name, value in self.given.items():
            if name not in wanted and not self.drops:
                listed = ",".join(dict.fromkeys([*path, *wanted]))
                self.complain(name, f"The query parameter [{name}] is not one of [{listed}]", value)

    def _is_foreign(self, name: str) -> bool:
        """A parameter that only the other dialect has."""
        return (name == "post.fields" and self.mode == LEGACY) or (name == "tweet.fields" and self.mode == CURRENT)

    def names(self, name: str) -> tuple[str, ...]:
        """The names of a list parameter, unknown ones dropped or complained about."""
        wire = _WIRE_NAMES.get(name, "expansions" if name == "chat.expansions" else name)
        if wire not in self.given or self._is_foreign(wire):
            return ()
        dialect = {"post.fields": CURRENT, "tweet.fields": LEGACY}.get(wire, self.dialect)
        if name == "space.fields" and self.mode == AUTO and self.drops:
            dialect, mode = CURRENT, CURRENT  # where names are dropped, the five ids come by expansion only
        else:
            mode = self.mode
        known = _CLOSED.get(name) or accepted(dialect, mode, name)
        values = [value for value in self.given[wire].split(",") if value]
        unknown = [value for value in values if value not in known]
        if unknown and not self.drops:
            listed = ",".join(known)
            for value in unknown:
                text = f"The `{wire}` query parameter value [{value}] is not one of [{listed}]"
                self.complain(wire, text, self.given[wire])
        return tuple(dict.fromkeys(value for value in values if value in known))

    def matching(self, name: str, value: str, pattern: str) -> str:
        """A value of the path."""
        if not re.match(pattern, value):
            self.complain(name, f"The `{name}` query parameter value [{value}] does not match {pattern}", value)
        return value

    def ids(self, name: str, pattern: str, *, most: int = 100, needed: bool = True) -> tuple[str, ...]:
        """A list of ids, each once."""
        whole = self.given.get(name)
        if whole is None:
            if needed:
                self.complain(name, f"The `{name}` query parameter can not be empty")
            return ()
        values = whole.split(",")
        if len(values) > most:
            text = (
                f"The number of values in the `{name}` query parameter list [{len(values)}] is not between 1 and {most}"
            )
            self.complain(name, text, whole)
        for value in values:
            if not re.match(pattern, value):
                text = f"The `{name}` query parameter value [{value}] does not match {pattern}"
                self.complain(name, text, whole)
        return tuple(dict.fromkeys(values))

    def number(self, name: str, least: int, most: int, default: int) -> int:
        value = self.given.get(name)
        if value is None:
            return default
        if not re.fullmatch(r"-?\d{1,9}", value):
            self.complain(name, f"The `{name}` query parameter value [{value}] is not a valid Int", value)
            return default
        if not least <= int(value) <= most:
            text = f"The `{name}` query parameter value [{value}] is not between {least} and {most}"
            self.complain(name, text, value)
            return default
        return int(value)

    def choice(self, name: str, among: Sequence[str], default: str) -> str:
        value = self.given.get(name, default)
        if value not in among:
            text = f"The `{name}` query parameter value [{value}] is not one of [{','.join(among)}]"
            self.complain(name, text, value)
            return default
        return value

    def text(self, name: str, most: int) -> str:
        value = self.given.get(name, "")
        if not value:
            self.complain(name, f"The `{name}` query parameter can not be empty")
        elif len(value) > most:
            text = f"The `{name}` query parameter value [{value}] is not between 1 and {most}"
            self.complain(name, text, value)
        return value
