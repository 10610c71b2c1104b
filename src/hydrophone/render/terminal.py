"""Remote text on a terminal, in a log line or in a progress bar: it can be read there, and do nothing.

Escape sequences could repaint the screen or type into it, direction marks could make one name look like another, and a
line feed could forge a second line. All of them become visible or vanish.
"""

from __future__ import annotations

import unicodedata

ELLIPSIS = "…"


def terminal_text(text: str, *, keep_lines: bool = False) -> str:
    """`text` without anything that a terminal would obey.

    Control characters show as their pictures (``␛``), invisible and direction marks vanish, lone surrogates become
    ``�``. White space becomes a blank; with `keep_lines`, line feeds stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character, keep_lines) for character in text)


def fit_text(text: str, columns: int) -> str:
    """`terminal_text`, cut to so many columns with an ellipsis. Wide characters (CJK, emoji) count two."""
    text = terminal_text(text)
    if columns <= 0:
        return ""
    used, room = 0, columns - 1
    cut = 0  # how many characters fit beside the ellipsis
    for index, character in enumerate(text):
        used += column_width(character)
        if used <= room:
            cut = index + 1
        if used > columns:
            return text[:cut] + ELLIPSIS
    return text


def column_width(character: str) -> int:
    """How many columns a character takes: 0, 1 or 2."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def text_width(text: str) -> int:
    """How many columns a text takes."""
    return len(text) if text.isascii() else sum(map(column_width, text))


def _shown(character: str, keep_lines: bool) -> str:
    if character == "\n" and keep_lines:
        return character
    if character in "\n\t\r\v\f" or (character.isspace() and character > "\x20"):
        return " "
    category = unicodedata.category(character)
    if category == "Cc":
        code = ord(character)
        # C1 controls (0x80 to 0x9F) open escape sequences on some terminals, as ESC does.
        return chr(0x2400 + code) if code < 0x20 else ("␡" if code == 0x7F else "�")
    if category == "Cs":
        return "�"
    # The zero width joiner holds emoji together, its opposite Persian words; both do no harm.
    return "" if category == "Cf" and character not in "\u200c\u200d" else character
