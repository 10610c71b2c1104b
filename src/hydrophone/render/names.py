"""Where a recording goes: the folder of an item, and output templates as users of yt-dlp know them.

A template is read by look-up only. Neither ``%`` nor ``str.format`` ever sees it, so a title like ``{0.__class__}`` or
``%(id)s`` is just a title, and a field can name nothing but the fields listed here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hydrophone.errors import SettingsError
from hydrophone.model import Broadcast, Space, User
from hydrophone.render.safenames import MAX_NAME_BYTES, cut_text, safe_name

DEFAULT_TEMPLATE = "@%(creator|unknown)s/%(date>%Y-%m-%d|undated)s %(title)s [%(id)s]"
MAX_DEPTH = 12
MAX_WIDTH = 200

Value = str | int | datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFacts:
    """What is known about a recording when its folder gets its name."""

    id: str
    kind: str  #: ``space`` or ``broadcast``
    title: str = ""
    creator: User | None = None
    state: str = ""
    language: str | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    scheduled_at: datetime | None = None

    @property
    def date(self) -> datetime | None:
        """The instant that stands for the recording: its start, else its schedule, else its creation."""
        return self.started_at or self.scheduled_at or self.created_at


def facts_of(thing: Space | Broadcast) -> NameFacts:
    """The facts of a Space or a broadcast."""
    is_space = isinstance(thing, Space)
    return NameFacts(
        id=thing.id,
        kind="space" if is_space else "broadcast",
        title=thing.display_title if isinstance(thing, Space) else thing.title,
        creator=thing.creator if isinstance(thing, Space) else thing.broadcaster,
        state=thing.state.value,
        language=thing.language,
        created_at=thing.created_at,
        started_at=thing.started_at,
        scheduled_at=thing.scheduled_at,
    )


def item_folder_name(facts: NameFacts) -> tuple[str, ...]:
    """The folder of an item below the archive, as path components: ``("@creator", "2026-01-22 Title [ID]")``."""
    return OutputTemplate(DEFAULT_TEMPLATE).parts(facts)


def _handle(facts: NameFacts) -> Value:
    return facts.creator.handle if facts.creator else None


def _name(facts: NameFacts) -> Value:
    return (facts.creator.name or facts.creator.handle) if facts.creator else None


def _user_id(facts: NameFacts) -> Value:
    return (facts.creator.id or None) if facts.creator else None


#: Every field there is. Those whose value is an instant print as YYYYMMDD unless they say how (``%(date>%H%M)s``).
FIELDS: Mapping[str, Callable[[NameFacts], Value]] = {
    "id": lambda facts: facts.id,
    "display_id": lambda facts: facts.id,
    "title": lambda facts: facts.title or None,
    "fulltitle": lambda facts: facts.title or None,
    "creator": _handle,
    "uploader": _name,
    "uploader_id": _handle,
    "channel": _name,
    "channel_id": _user_id,
    "user_id": _user_id,
    "kind": lambda facts: facts.kind,
    "extractor": lambda facts: f"twitter:{facts.kind}s" if facts.kind == "space" else f"twitter:{facts.kind}",
    "state": lambda facts: facts.state or None,
    "language": lambda facts: facts.language,
    "date": lambda facts: facts.date,
    "upload_date": lambda facts: facts.date,
    "release_date": lambda facts: facts.started_at or facts.scheduled_at,
    "scheduled_date": lambda facts: facts.scheduled_at,
    "created_date": lambda facts: facts.created_at,
    "timestamp": lambda facts: facts.date,
    "release_timestamp": lambda facts: facts.started_at or facts.scheduled_at,
}
TIMESTAMPS = ("timestamp", "release_timestamp")  #: instants that print as Unix seconds

# Not from strftime: file names must not depend on the locale of the machine.
MONTHS: Sequence[str] = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
WEEKDAYS: Sequence[str] = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

DATE_CODES: Mapping[str, Callable[[datetime], str]] = {
    "Y": lambda at: f"{at.year:04}",
    "y": lambda at: f"{at.year % 100:02}",
    "m": lambda at: f"{at.month:02}",
    "d": lambda at: f"{at.day:02}",
    "H": lambda at: f"{at.hour:02}",
    "M": lambda at: f"{at.minute:02}",
    "S": lambda at: f"{at.second:02}",
    "j": lambda at: f"{at.timetuple().tm_yday:03}",
    "V": lambda at: f"{at.isocalendar().week:02}",
    "G": lambda at: f"{at.isocalendar().year:04}",
    "u": lambda at: str(at.isoweekday()),
    "b": lambda at: MONTHS[at.month - 1][:3],
    "B": lambda at: MONTHS[at.month - 1],
    "a": lambda at: WEEKDAYS[at.weekday()][:3],
    "A": lambda at: WEEKDAYS[at.weekday()],
    "s": lambda at: str(int(at.timestamp())),
    "F": lambda at: f"{at.year:04}-{at.month:02}-{at.day:02}",
    "%": lambda at: "%",
}
_FIELD = re.compile(
    r"%\((?P<names>[^()>|&]*)(?:>(?P<date>[^()|&]*))?(?:\|(?P<default>[^()]*))?\)"
    r"(?P<flags>[-0]{0,2})(?P<width>\d{0,4})(?:\.(?P<precision>\d{1,5}))?(?P<kind>[sSd])"
)


@dataclass(frozen=True, slots=True)
class _Field:
    """One ``%(…)s`` of a template."""

    names: tuple[str, ...]
    date: str | None
    default: str | None
    flags: str
    width: int
    precision: int | None
    kind: str

    def text(self, facts: NameFacts) -> str:
        name, value = self._first(facts)
        if value is None:
            return self._padded("NA" if self.default is None else self.default)
        if isinstance(value, datetime):
            value = _date_text(name, value, self.date)
        return self._padded(str(value))

    def _first(self, facts: NameFacts) -> tuple[str, Value]:
        for name in self.names:
            if (value := FIELDS[name](facts)) is not None:
                return name, value
        return self.names[0], None

    def _padded(self, text: str) -> str:
        if self.precision is not None:
            text = text[: self.precision]
        if "-" in self.flags:
            return text.ljust(self.width)
        return text.zfill(self.width) if "0" in self.flags else text.rjust(self.width)


class OutputTemplate:
    """A template that has been read and found good.

    It names a folder below the archive; ``/`` separates folders. Since an item is a folder, a ``.%(ext)s`` at the end,
    as yt-dlp has it, is left out. Forms: ``%(title)s``, ``%(title,id)s`` (the first that is known), ``%(title|none)s``
    (when unknown; otherwise ``NA``), ``%(date>%Y-%m)s``, ``%(title).80s``, ``%(id)-20s``, ``%(timestamp)012d``, ``%%``.

    Raises:
        SettingsError: an unknown field or form, a template that leaves the archive, or one without any field.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        plain = text.removesuffix(".%(ext)s")
        if "\0" in plain or len(plain) > 2000:
            raise _bad(text, "it is too long or holds a NUL")
        if any("\ud800" <= sign <= "\udfff" for sign in plain):  # bytes of a command line that are no UTF-8
            raise _bad(text, "it is no valid text")
        self._folders = [_read_folder(part, text) for part in _split(plain, text)]
        if not any(isinstance(piece, _Field) for folder in self._folders for piece in folder):
            raise _bad(text, "it names no field, so that every recording would get the same folder")

    def parts(self, facts: NameFacts) -> tuple[str, ...]:
        """The path below the archive, as safe components: none is empty, ``.`` or ``..``, none exceeds 200 bytes."""
        return tuple(_fit(folder, facts) for folder in self._folders)


def _split(plain: str, text: str) -> list[str]:
    parts = plain.replace("\\", "/").split("/")
    if not parts[-1]:
        parts.pop()
    if any(part.strip() in ("", ".", "..") for part in parts) or re.match(r"[A-Za-z]:|~", plain):
        raise _bad(text, "it must stay below the archive", advice="Choose the place with --archive.")
    if len(parts) > MAX_DEPTH:
        raise _bad(text, f"it is more than {MAX_DEPTH} folders deep")
    return parts


def _read_folder(part: str, text: str) -> list[str | _Field]:
    pieces: list[str | _Field] = []
    at = 0
    while (sign := part.find("%", at)) >= 0:
        pieces.append(part[at:sign])
        if part.startswith("%%", sign):
            pieces.append("%")
            at = sign + 2
            continue
        match = _FIELD.match(part, sign)
        if not match:
            raise _bad(text, f"{part[sign : sign + 20]!r} is no form of a field")
        pieces.append(_read_field(match, text))
        at = match.end()
    pieces.append(part[at:])
    return pieces


def _read_field(match: re.Match[str], text: str) -> _Field:
    names = tuple(name.strip() for name in match["names"].split(","))
    for name in names:
        if name not in FIELDS:
            known = ", ".join(sorted(FIELDS))
            raise _bad(text, f"there is no field {name[:40]!r}", advice=f"Known fields: {known}.")
    date = match["date"]
    if date is not None:
        _check_date(date, text)
    precision = int(match["precision"]) if match["precision"] else None
    width = min(int(match["width"] or 0), MAX_WIDTH)
    return _Field(names, date, match["default"], match["flags"], width, precision, match["kind"])


def _check_date(form: str, text: str) -> None:
    for code in re.findall(r"%(.?)", form):
        if code not in DATE_CODES:
            raise _bad(text, f"there is no date code %{code}", advice="Known: " + " ".join(f"%{c}" for c in DATE_CODES))


def _date_text(name: str, value: datetime, form: str | None) -> str:
    at = value.astimezone(UTC)
    if form is None:
        form = "%s" if name in TIMESTAMPS else "%Y%m%d"
    return re.sub(r"%(.)", lambda match: DATE_CODES[match[1]](at), form)


def _fit(folder: Sequence[str | _Field], facts: NameFacts) -> str:
    """The folder's name. Where it is too long, its longest value gives way, not its end, which often holds the id."""
    texts = [piece if isinstance(piece, str) else safe_value(piece.text(facts)) for piece in folder]
    fields = [n for n, piece in enumerate(folder) if isinstance(piece, _Field)]
    excess = len("".join(texts).encode()) - MAX_NAME_BYTES
    if excess > 0 and fields:
        longest = max(fields, key=lambda n: len(texts[n].encode()))
        size = len(texts[longest].encode())
        texts[longest] = cut_text(texts[longest], max(0, size - excess - len("…".encode()))).rstrip() + "…"
    return safe_name("".join(texts), fallback=safe_name(facts.id))


def safe_value(text: str) -> str:
    """A value inside a name: safe like a name, but empty where nothing is left."""
    return safe_name(text, 4 * MAX_NAME_BYTES, fallback="")


def _bad(text: str, why: str, *, advice: str = "") -> SettingsError:
    return SettingsError(f"the output template {text[:80]!r} cannot be used: {why}", setting="output", advice=advice)
