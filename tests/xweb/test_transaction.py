"""Transaction ids agree with the published vectors, and odd pages give a typed error."""

from __future__ import annotations

import base64
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydrophone.errors import WireError
from hydrophone.xweb.transaction import PageTransactionIds, animation_key, read_transaction_ids
from xweb.talk import SAMPLES, sample_json

VECTORS = sample_json("discovery/transaction_id.vectors.json")
PAGE = (SAMPLES / "discovery" / VECTORS["page"]).read_text()
SCRIPT = (SAMPLES / "discovery" / VECTORS["script"]).read_text()


def test_page_and_script_give_the_animation_key() -> None:
    maker = read_transaction_ids(PAGE, SCRIPT)

    assert maker.key == base64.b64decode(VECTORS["key_base64"])
    assert maker.animation_key == VECTORS["animation_key"]


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["path"])
def test_ids_are_those_of_the_vectors(vector: dict[str, object]) -> None:
    made = read_transaction_ids(PAGE, SCRIPT)
    maker = PageTransactionIds(made.key, made.animation_key, lambda: int(str(vector["random_byte"])))

    made_id = maker.make(str(vector["method"]), str(vector["path"]), int(str(vector["unix_seconds"])))

    assert made_id == vector["x-client-transaction-id"]
    assert len(made_id) == 94


def test_a_maker_shows_no_key() -> None:
    assert VECTORS["animation_key"] not in repr(read_transaction_ids(PAGE, SCRIPT))


@given(st.lists(st.integers(0, 255), min_size=11, max_size=11), st.floats(0, 1.2))
def test_every_drawing_has_an_animation_key(values: list[int], moment: float) -> None:
    assert set(animation_key(values, moment)) <= set("0123456789abcdef")


@given(st.integers(0, len(PAGE)), st.integers(0, 400), st.text(max_size=20))
@settings(max_examples=150, deadline=None)
def test_damaged_pages_give_ids_or_a_wire_error(cut: int, length: int, junk: str) -> None:
    with suppress(WireError):
        read_transaction_ids(PAGE[:cut] + junk + PAGE[cut + length :], SCRIPT)


@pytest.mark.parametrize("script", ["", "(a[2], 16)", "(a[2], 16)(a[99], 16)"])
def test_a_script_without_usable_indices_is_a_wire_error(script: str) -> None:
    with pytest.raises(WireError, match="indices"):
        read_transaction_ids(PAGE, script)
