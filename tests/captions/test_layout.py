"""Long cues in pieces that can be read."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from counting import executed_lines
from hydrophone.captions.layout import CueLimits, split_cues, wrap_lines
from hydrophone.model import Cue, Word

LIMITS = CueLimits()


def cue(text: str, begin: float = 0.0, seconds_per_word: float = 0.4) -> Cue:
    texts = text.split()
    words = tuple(
        Word(word, begin + index * seconds_per_word, begin + (index + 1) * seconds_per_word)
        for index, word in enumerate(texts)
    )
    return Cue(begin_seconds=begin, end_seconds=begin + len(texts) * seconds_per_word, text=text, words=words)


def texts(*cues: Cue) -> list[str]:
    return [piece.text for piece in split_cues(cues)]


def test_a_short_cue_stays_whole() -> None:
    short = cue("Hello everyone, can you hear me?")

    assert list(split_cues([short])) == [short]


def test_a_long_cue_breaks_after_sentences_then_after_commas() -> None:
    found = texts(
        cue(
            "Most people do. Rain is a wide hiss around fifteen kilohertz, shrimp are sharp and irregular, and boats "
            "sit far below both of them."
        )
    )

    assert found[0] == "Most people do."
    assert found[1].endswith(",")
    assert found[-1].endswith("them.")


def test_a_slow_cue_is_split_by_time_at_the_times_of_its_words() -> None:
    pieces = list(split_cues([cue("one two three four five six", seconds_per_word=3.0)]))

    assert all(piece.seconds <= LIMITS.seconds for piece in pieces)
    assert [piece.begin_seconds for piece in pieces] == [piece.words[0].begin_seconds for piece in pieces]


def test_a_script_without_blanks_is_split_at_its_own_marks() -> None:
    sentence = "港の録音を聞きながら話しています。" * 8
    pieces = texts(cue(sentence, seconds_per_word=20.0))

    assert "".join(pieces).replace(" ", "") == sentence
    assert all(len(piece) <= LIMITS.characters for piece in pieces)


def test_lines_are_about_equally_long() -> None:
    assert wrap_lines("All three tapes and the tide tables are linked below this Space.", LIMITS) == [
        "All three tapes and the tide tables",
        "are linked below this Space.",
    ]
    assert wrap_lines("", LIMITS) == []


def test_a_cue_without_word_times_is_split_evenly() -> None:
    plain = Cue(begin_seconds=0.0, end_seconds=20.0, text=" ".join(["word"] * 40))
    pieces = list(split_cues([plain]))

    assert len(pieces) > 2
    assert pieces[-1].end_seconds == 20.0


alphabet = st.text("abcdefgh.,? <>", min_size=1, max_size=30)


@given(st.lists(alphabet, min_size=1, max_size=80), st.floats(0.05, 2.0))
@settings(max_examples=150, deadline=None)
def test_no_word_is_lost_or_doubled_and_every_piece_is_readable(parts: list[str], pace: float) -> None:
    whole = cue(" ".join(" ".join(parts).split()) or "x", seconds_per_word=pace)
    pieces = list(split_cues([whole]))

    assert " ".join(piece.text for piece in pieces) == whole.text
    for piece in pieces:
        assert len(piece.text) <= LIMITS.characters
        assert len(wrap_lines(piece.text, LIMITS)) <= LIMITS.lines
        assert piece.seconds <= max(LIMITS.seconds, pace) + 1e-6
        assert piece.begin_seconds <= piece.end_seconds
    assert pieces[0].begin_seconds == whole.begin_seconds
    assert pieces[-1].end_seconds == whole.end_seconds


def test_splitting_is_linear() -> None:
    few, many = cue("some words, and more. " * 100), cue("some words, and more. " * 800)

    assert executed_lines(lambda: list(split_cues([many]))) <= 8.4 * executed_lines(lambda: list(split_cues([few])))
