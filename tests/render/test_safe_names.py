"""Names made from what strangers wrote: they stay one harmless component, whatever was written."""

from __future__ import annotations

import random
import unicodedata
from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.render.safenames import RESERVED, cut_text, safe_name

FAMILY = "👨\u200d👩\u200d👧"
ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)

HOSTILE = [
    "../",
    "..",
    ".",
    "/",
    "/etc/passwd",
    "..\\..\\windows",
    "C:\\x",
    "\0",
    "a\nb",
    "x" * 10_000,
    "漢" * 300,
    "\u202e\u2066gpj.exe",
    "\u200f",
    "\ud800",
    "a\udfff",
    "CON",
    "con.txt",
    "NUL .log",
    "com1",
    "LPT¹",
    "aux.tar.gz",
    "-rf",
    "--help",
    "~root",
    "{0.__class__}",
    "{self}",
    "%(id)s",
    "$(id)",
    "`id`",
    "; rm -rf /",
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m",
    "=HYPERLINK()",
    "a" * 199 + "é",
    "e" + "\u0301" * 10_000,
    "\u0301",
    "🇩🇪" * 60,
    FAMILY * 60,
    "👍🏽" * 80,
    " . . ",
    "...",
    "…",
    "\u3000",
    "\u2028",
    "\ufeff",
    "name.",
    "name ",
    "name\u200d",
    "file:///x",
    "a:b",
    'qu"ote',
    "<>|*?",
    "\ue000\ufffe",
    "\U000e0041",
    "",
    "ﬁ",
    "Å",
    "각",
    "\u1112\u1161\u11ab",
]


def check(name: str, max_bytes: int = 200) -> None:
    """What must hold for every safe name, on every system."""
    assert 0 < len(name.encode()) <= max_bytes
    assert name not in (".", "..")
    assert not set(name) & set('/\\:*?"<>|')
    assert name[0] not in " .-~"
    assert name[-1] not in " ."
    assert name.isprintable() or all(c.isprintable() or c in "\u200c\u200d" for c in name)
    assert unicodedata.normalize("NFC", name) == name
    assert name.split(".")[0].strip().upper() not in RESERVED
    assert safe_name(name, max_bytes) == name


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_becomes_one_harmless_name(text: str) -> None:
    check(safe_name(text))


@given(ANYTHING, st.integers(16, 250))
def test_any_text_becomes_one_harmless_name(text: str, max_bytes: int) -> None:
    check(safe_name(text, max_bytes), max_bytes)


def test_a_hundred_thousand_hostile_names_are_harmless() -> None:
    dice = random.Random(20260122)
    pieces = [
        *HOSTILE[:9],
        *HOSTILE[11:33],
        *HOSTILE[36:],
        *"/\\.~- :\0\r\n\x7f\x85\u061c\u0300\u20e3\U0001f3fd",
        "\U0010ffff",
    ]

    for _ in range(100_000):
        check(safe_name("".join(dice.choices(pieces, k=dice.randint(1, 6)))))


def test_names_survive_the_file_system_and_stay_in_their_folder(tmp_path: Path) -> None:
    dice = random.Random(7)
    home = tmp_path / "archive"
    home.mkdir()
    names = {safe_name("".join(dice.choices(HOSTILE, k=dice.randint(1, 3)))) for _ in range(1_500)}

    for name in names:
        (home / name).write_text(name)

    assert {path.name for path in home.iterdir()} == names
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]
    assert all(PureWindowsPath("x", name).name == name for name in names)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Plain title", "Plain title"),
        ("AC/DC: live?", "AC⧸DC： live？"),
        ("  lots \t of\n\nblanks ", "lots of blanks"),
        ("CON", "_CON"),
        ("con.txt", "_con.txt"),
        ("conference", "conference"),
        ("-rf", "rf"),
        ("..hidden", "hidden"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("e\u0301t\u0301", "ét\u0301"),
        ("\u202eabc\u202c", "abc"),
        ("", "untitled"),
        ("\ud83d", "untitled"),
        ("{0.__class__} %(id)s $(id)", "{0.__class__} %(id)s $(id)"),
    ],
)
def test_names_stay_readable(text: str, name: str) -> None:
    assert safe_name(text) == name


def test_fallback_is_what_the_caller_says() -> None:
    assert safe_name("///..", fallback="x") != ""
    assert safe_name(" .. ", fallback="1hydroPhoneXZ") == "1hydroPhoneXZ"


def test_a_cut_is_marked_and_never_splits_what_is_seen_as_one_character() -> None:
    for unit in (FAMILY, "🇩🇪", "👍🏽", "ệ\u20dd"):
        name = safe_name(unit * 100)
        assert name.endswith("…")
        assert name.removesuffix("…").replace(unit, "") == ""


def test_cut_goes_through_a_mountain_of_marks() -> None:
    assert len(cut_text("e" + "\u0320" * 1000, 100).encode()) in (99, 100)


@given(ANYTHING.filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)), st.integers(0, 100))
def test_cut_text_is_a_beginning_of_the_right_size(text: str, size: int) -> None:
    cut = cut_text(text, size)

    assert text.startswith(cut)
    assert len(cut.encode()) <= size
