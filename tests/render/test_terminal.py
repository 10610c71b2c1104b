"""Remote text on a terminal does nothing but be read."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.render.tables import plain_table
from hydrophone.render.terminal import fit_text, terminal_text, text_width

ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=200)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Ünïcödé 鯨 🐋", "Ünïcödé 鯨 🐋"),
        ("\x1b[2J\x1b]0;owned\x07", "␛[2J␛]0;owned␇"),
        ("\x9b31m", "�31m"),
        ("a\nb\r\nc\td", "a b  c d"),
        ("\u202eevil\u202c\u2066x", "evilx"),
        ("\x7f\0", "␡␀"),
        ("\ud800", "�"),
        ("\u2028x\u00a0y", " x y"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_instead(text: str, shown: str) -> None:
    assert terminal_text(text) == shown


def test_line_feeds_stay_on_request() -> None:
    assert terminal_text("a\nb\r", keep_lines=True) == "a\nb "


@given(ANYTHING)
def test_nothing_dangerous_is_left(text: str) -> None:
    shown = terminal_text(text)

    shown.encode()
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in shown)
    assert not any(
        unicodedata.bidirectional(c) in ("RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "LRI", "FSI", "PDI") for c in shown
    )
    assert terminal_text(shown) == shown


@given(ANYTHING, st.integers(0, 40))
def test_fitted_text_fits(text: str, columns: int) -> None:
    fitted = fit_text(text, columns)

    assert text_width(fitted) <= columns
    if text_width(terminal_text(text)) <= columns:
        assert fitted == terminal_text(text)


def test_wide_characters_count_two() -> None:
    assert fit_text("鯨鯨鯨", 5) == "鯨鯨…"
    assert fit_text("鯨鯨鯨", 6) == "鯨鯨鯨"


def test_columns_of_a_table_stand_in_line() -> None:
    text = plain_table(["title", "gaps"], [["Whales", "0"], ["鯨の話", "12"], ["a\nb\x1b", ""]], right=[1])

    assert text == (
        "title   gaps\n"
        "------  ----\n"
        "Whales     0\n"
        "鯨の話    12\n"
        "a b␛\n"
    )  # fmt: skip


def test_a_table_bears_short_rows_and_long_cells() -> None:
    lines = plain_table(["a", "b"], [["x" * 500], []]).splitlines()

    assert len(lines) == 4
    assert max(map(len, lines)) <= 60 + 2 + 1
