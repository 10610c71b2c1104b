"""What a file says about itself: title, people, date, cover, chapters. Built into the boxes that players read.

All text comes from strangers. It is bounded, freed of control characters and lone surrogates, and never interpreted.

Source: the iTunes metadata list (``ilst``) as its readers agree on it; Nero's chapter list (``chpl``).
"""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hydrophone.media.boxes import box, full_box

SHORT_TEXT_BYTES = 1_000
LONG_TEXT_BYTES = 16_000
LYRICS_BYTES = 256_000  # some five hours of talk; the whole stands in the transcript
DESCRIPTION_BYTES = 255  # iTunes shows no more of "desc"; the whole text goes into "ldes"
CHAPTER_TITLE_BYTES = 255
NERO_CHAPTERS = 255  # its count is one byte

UTF8, JPEG, PNG = 1, 13, 14  # the type codes of ilst values


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """What a player shows. Empty text is left out. `cover` is a JPEG or PNG file; anything else is left out."""

    title: str = ""
    artist: str = ""
    album_artist: str = ""
    album: str = ""
    date: str = ""  #: a year, a date or an ISO instant
    comment: str = ""
    description: str = ""
    lyrics: str = field(default="", repr=False)
    tool: str = "Hydrophone"
    cover: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, order=True)
class Chapter:
    """A chapter from `start_seconds` to the next one or to the end."""

    start_seconds: float
    title: str


def clean_text(text: str, max_bytes: int) -> str:
    """`text` without control characters (line feeds and tabs stay) and lone surrogates, cut to `max_bytes` of UTF-8."""
    text = text[:max_bytes].replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    return kept.encode()[:max_bytes].decode(errors="ignore").strip()


def one_line(text: str, max_bytes: int) -> str:
    """Like `clean_text`, with every run of white space made one blank."""
    return " ".join(clean_text(text, max_bytes).split())


def metadata_box(tags: Tags) -> bytes:
    """The ``meta`` box with an iTunes list, as it stands in ``udta``."""
    return full_box(b"meta", 0, 0, full_box(b"hdlr", 0, 0, b"\0\0\0\0mdirappl", bytes(9)), box(b"ilst", *_values(tags)))


def _values(tags: Tags) -> Iterator[bytes]:
    for kind, text, limit in (
        (b"\xa9nam", tags.title, SHORT_TEXT_BYTES),
        (b"\xa9ART", tags.artist, SHORT_TEXT_BYTES),
        (b"aART", tags.album_artist, SHORT_TEXT_BYTES),
        (b"\xa9alb", tags.album, SHORT_TEXT_BYTES),
        (b"\xa9day", tags.date, SHORT_TEXT_BYTES),
        (b"\xa9too", tags.tool, SHORT_TEXT_BYTES),
        (b"desc", tags.description, DESCRIPTION_BYTES),
    ):
        if cleaned := one_line(text, limit):
            yield _value(kind, UTF8, cleaned.encode())
    for kind, text, limit in (
        (b"\xa9cmt", tags.comment, LONG_TEXT_BYTES),
        (b"ldes", tags.description, LONG_TEXT_BYTES),
        (b"\xa9lyr", tags.lyrics, LYRICS_BYTES),
    ):
        if cleaned := clean_text(text, limit):
            yield _value(kind, UTF8, cleaned.encode())
    if tags.cover and (code := _picture_code(tags.cover)):
        yield _value(b"covr", code, tags.cover)


def _value(kind: bytes, code: int, value: bytes) -> bytes:
    return box(kind, box(b"data", struct.pack(">I4x", code), value))


def _picture_code(picture: bytes) -> int | None:
    if picture.startswith(b"\xff\xd8\xff"):
        return JPEG
    return PNG if picture.startswith(b"\x89PNG\r\n\x1a\n") else None


def orderly(chapters: Sequence[Chapter], duration_seconds: float) -> list[Chapter]:
    """Chapters sorted, inside the recording, one per millisecond at most, the first at 0, each with a title.

    Both chapter forms cover the whole time; so where none begins at 0, one without a name of its own is put there.
    """
    kept: dict[int, Chapter] = {}
    for chapter in sorted(chapters):
        if 0 <= chapter.start_seconds < duration_seconds:
            title = one_line(chapter.title, CHAPTER_TITLE_BYTES)
            kept.setdefault(round(chapter.start_seconds * 1000), Chapter(chapter.start_seconds, title))
    if kept and 0 not in kept:
        kept[0] = Chapter(0.0, "Beginning")
    ordered = [kept[key] for key in sorted(kept)]
    return [Chapter(c.start_seconds, c.title or f"Chapter {n}") for n, c in enumerate(ordered, 1)]


def nero_chapters(chapters: Sequence[Chapter]) -> bytes:
    """The ``chpl`` box: the first 255 chapters in units of 100 ns."""
    rows = []
    for chapter in chapters[:NERO_CHAPTERS]:
        title = chapter.title.encode()
        rows.append(struct.pack(">QB", round(chapter.start_seconds * 10_000_000), len(title)) + title)
    return full_box(b"chpl", 1, 0, struct.pack(">4xB", len(rows)), *rows)


def chapter_sample(chapter: Chapter) -> bytes:
    """One sample of the chapter track: the title, and a note that it is UTF-8."""
    title = chapter.title.encode()
    return struct.pack(">H", len(title)) + title + box(b"encd", struct.pack(">I", 0x100))
