"""File names made from what strangers wrote: one path component each, the same on every operating system.

A name that is good here is good on ext4, APFS and NTFS, in a shell and in a listing: no separator, no control or
direction mark, no leading dot or dash, no device name of Windows, and short enough to take a suffix.
"""

from __future__ import annotations

import unicodedata

MAX_NAME_BYTES = 200  #: file systems allow 255; the rest is for suffixes
FALLBACK = "untitled"
CUT_MARK = "…"

#: Characters that some system forbids, and the look-alikes that stand in for them (those yt-dlp uses, too).
LOOK_ALIKES = str.maketrans(
    {"/": "⧸", "\\": "⧹", ":": "：", "*": "＊", "?": "？", '"': "＂", "<": "＜", ">": "＞", "|": "｜"}
)

JOINERS = "\u200c\u200d"  #: needed inside Persian words and emoji; the only invisible characters that stay
RESERVED = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CLOCK$", "CONIN$", "CONOUT$"]
    + [f"{port}{digit}" for port in ("COM", "LPT") for digit in "0123456789¹²³"]
)


def safe_name(text: str, max_bytes: int = MAX_NAME_BYTES, *, fallback: str = FALLBACK) -> str:
    """`text` as one path component of at most `max_bytes` bytes of UTF-8 (not fewer than 16 make sense).

    The result is never empty, ``.`` or ``..``; it is stable: a safe name comes back unchanged. Text of which nothing is
    left becomes `fallback`, which the caller promises to be safe.
    """
    # Cut roughly first: normalising thousands of combining marks takes quadratic time.
    rough = text.strip()[: 4 * max_bytes]
    name = unicodedata.normalize("NFC", "".join(map(_tame, rough))).translate(LOOK_ALIKES)
    # Taming can bring marks together that compose into one character; once more, so that the result is stable.
    name = _trim(" ".join(name.split()))
    if len(name.encode()) > max_bytes:
        name = _trim(cut_text(name, max_bytes - len(CUT_MARK.encode()))) + CUT_MARK
    if not name.strip(" ._-~…"):
        return fallback
    if name.split(".", 1)[0].rstrip().upper() in RESERVED:
        name = "_" + cut_text(name, max_bytes - 1)
    return name


def cut_text(text: str, max_bytes: int) -> str:
    """The longest beginning of `text` within `max_bytes` of UTF-8 that does not split what is seen as one character."""
    data = text.encode()
    if len(data) <= max_bytes:
        return text
    kept = data[: max(0, max_bytes)].decode(errors="ignore")
    end = len(kept)
    # A character with hundreds of marks on it is not writing; then the cut goes through.
    for _ in range(32):
        if end == 0 or not _continues(text, end):
            return text[:end]
        end -= 1
    return kept


def _continues(text: str, at: int) -> bool:
    """Whether the character at `at` belongs to the one before it: mark, joiner, skin tone, second half of a flag."""
    here, before = text[at], text[at - 1]
    if unicodedata.category(here)[0] == "M" or here in JOINERS or before == JOINERS[1] or "🏻" <= here <= "🏿":
        return True
    if not _is_flag_letter(here):
        return False
    run = 0
    while run < at and _is_flag_letter(text[at - 1 - run]):
        run += 1
    return run % 2 == 1


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _tame(character: str) -> str:
    """The character itself, a blank for white space, nothing for what is invisible or no character at all."""
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    if category == "Cf":
        return character if character in JOINERS else ""
    return "" if category in ("Cc", "Cs", "Co", "Cn") else character


def _trim(name: str) -> str:
    """Without what hides a file or looks like a flag in front, and what Windows drops at the end."""
    return name.lstrip(" .-~" + JOINERS).rstrip(" ." + JOINERS)
