"""Speakers for words that nobody attributed, and how far levels agree with captions."""

from __future__ import annotations

from counting import executed_lines
from hydrophone.captions.aligning import TurnIndex, attribute_words, confirm_speakers
from hydrophone.model import Cue, HeardWord, SpeakerSource, Turn


def turn(speaker: str, begin: float, end: float) -> Turn:
    return Turn(speaker=speaker, begin_seconds=begin, end_seconds=end)


def words(*spoken: tuple[str, float, float]) -> list[HeardWord]:
    return [
        HeardWord(text=f" {text}", begin_seconds=begin, end_seconds=end, ends_sentence=text.endswith((".", "?")))
        for text, begin, end in spoken
    ]


def attributed(heard: list[HeardWord], *turns: Turn) -> list[tuple[str, str]]:
    cues = attribute_words(heard, TurnIndex(turns), source=SpeakerSource.LEVELS)
    return [(cue.speaker, cue.text) for cue in cues]


def test_words_go_to_whoever_is_heard() -> None:
    heard = words(("Hello", 1.0, 1.4), ("there.", 1.4, 1.9), ("Hi", 5.0, 5.3), ("Tobi.", 5.3, 5.9))

    assert attributed(heard, turn("tobi", 0.8, 2.0), turn("mara", 4.9, 6.0)) == [
        ("tobi", "Hello there."),
        ("mara", "Hi Tobi."),
    ]


def test_while_two_are_heard_the_one_who_was_speaking_goes_on() -> None:
    heard = words(("So", 1.0, 1.3), ("the", 2.0, 2.3), ("ferry", 3.0, 3.4))

    assert attributed(heard, turn("tobi", 0.0, 4.0), turn("mara", 1.8, 3.8)) == [("tobi", "So the ferry")]


def test_a_single_word_at_the_border_of_a_level_is_no_interruption() -> None:
    heard = words(("We", 1.0, 1.3), ("counted", 1.3, 1.8), ("about", 1.8, 2.2), ("nine", 2.2, 2.6))

    assert attributed(heard, turn("tobi", 0.5, 1.25), turn("mara", 1.3, 1.8), turn("tobi", 1.85, 3.0)) == [
        ("tobi", "We counted about nine")
    ]


def test_words_near_a_turn_belong_to_it_and_far_ones_to_nobody() -> None:
    heard = words(("Yes.", 2.2, 2.5), ("Music.", 30.0, 31.0))
    cues = attribute_words(heard, TurnIndex([turn("tobi", 0.0, 2.0)]), source=SpeakerSource.LEVELS)

    assert [(cue.speaker, cue.speaker_source) for cue in cues] == [
        ("tobi", SpeakerSource.LEVELS),
        ("", SpeakerSource.NONE),
    ]


def test_cues_end_at_sentences_pauses_and_half_a_minute() -> None:
    heard = words(("One.", 0.0, 0.5), ("Two", 0.6, 1.0), ("three", 3.0, 3.4))
    long = words(*[("on", float(n), n + 0.9) for n in range(10, 80)])

    assert [text for _, text in attributed(heard, turn("a", 0.0, 4.0))] == ["One.", "Two", "three"]
    cues = attribute_words(long, TurnIndex([]), source=SpeakerSource.LEVELS)
    assert all(cue.seconds <= 30.0 for cue in cues)


def test_scripts_without_blanks_keep_none() -> None:
    heard = [HeardWord(text=text, begin_seconds=at, end_seconds=at + 0.5) for at, text in enumerate("港の音")]

    assert attributed(heard) == [("", "港の音")]


def test_confidence_is_the_share_that_the_levels_confirm_and_changes_nobody() -> None:
    cues = [
        Cue(speaker="tobi", begin_seconds=0.0, end_seconds=5.0, text="a"),
        Cue(speaker="mara", begin_seconds=0.0, end_seconds=5.0, text="b"),
        Cue(speaker="tobi", begin_seconds=8.0, end_seconds=8.4, text="c"),
    ]
    found = confirm_speakers(cues, TurnIndex([turn("tobi", 0.0, 2.5), turn("tobi", 7.5, 9.0)]))

    assert [(cue.speaker, cue.confidence) for cue in found] == [("tobi", 0.5), ("mara", 0.0), ("tobi", 1.0)]
    assert confirm_speakers(cues, TurnIndex([])) == cues


def test_one_person_who_never_stops_does_not_make_questions_slow() -> None:
    def lines(count: int) -> int:
        index = TurnIndex([turn("music", 0.0, 1e6), *[turn("a", n * 10.0, n * 10.0 + 5) for n in range(count)]])
        return executed_lines(lambda: [index.share("a", n * 10.0, n * 10.0 + 4) for n in range(count)])

    assert lines(2_000) <= lines(200) * 10.5
