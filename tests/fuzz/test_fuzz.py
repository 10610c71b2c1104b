"""Every parser on changed samples and on what once broke it. The long search is `make hunt`."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.harness import FINDS, Harness, changed
from fuzz.harnesses import HARNESSES

EACH = pytest.mark.parametrize("harness", HARNESSES.values(), ids=HARNESSES)
#: Rooms whose parsers are shown foreign text.
PARSED = {"hls", "audio", "xweb", "xapi", "periscope", "links", "render", "chat", "settings", "archive", "media"}


@EACH
def test_samples_are_survived_as_they_are(harness: Harness) -> None:
    seeds = list(harness.seeds())

    assert seeds
    for seed in seeds:
        harness.run(seed)


@EACH
@given(st.integers(0, 10**6), st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_changed_samples_are_survived(harness: Harness, which: int, seed: int) -> None:
    chance = random.Random(seed)
    seeds = list(harness.seeds())
    data = seeds[which % len(seeds)]
    for _ in range(chance.randint(1, 3)):
        data = changed(harness, data, chance)
    harness.run(data)


@EACH
@given(st.binary(max_size=300))
@settings(max_examples=40, deadline=None)
def test_any_bytes_are_survived(harness: Harness, data: bytes) -> None:
    harness.run(data)


@EACH
def test_what_was_found_once_stays_mended(harness: Harness) -> None:
    for path in harness.finds():
        harness.run(path.read_bytes())


def test_every_find_belongs_to_a_harness() -> None:
    assert {path.parent.name for path in FINDS.rglob("*") if path.is_file()} <= set(HARNESSES)


def test_a_harness_lets_no_other_error_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a parser raises beside the error of its own reaches the fuzzer."""

    def broken(*_: object, **__: object) -> None:
        raise KeyError("title")

    import fuzz.harnesses as module

    parsers = {
        "playlist": "parse_playlist",
        "adts": "scan_adts",
        "id3": "read_tags",
        "cookies": "parse_cookies",
        "links": "parse_link",
        "chat": "read_message",
        "export": "parse_assignment",
        "periscope_page": "read_page",
        "api_events": "read_pushed",
        "graphql": "signed_in",
        "periscope": "periscope_signed_in",
        "api": "question_for",
        "journal": "read_journal",
        "manifest": "parse_manifest",
        "template": "OutputTemplate",
    }
    for name, parser in parsers.items():
        seed = next(HARNESSES[name].seeds())
        with monkeypatch.context() as patch:
            patch.setattr(module, parser, broken)
            with pytest.raises(KeyError):
                HARNESSES[name].run(seed)


def test_the_harnesses_reach_every_room_that_reads_foreign_text() -> None:
    tree = ast.parse(Path(__file__).with_name("harnesses.py").read_text("utf-8"))
    rooms = {
        node.module.split(".")[1]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("hydrophone.")
    }
    assert rooms >= PARSED
