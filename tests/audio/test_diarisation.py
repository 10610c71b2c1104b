"""The diarisation error rate that other tests judge by: worked by hand, and second by second.

Compared once with `pyannote.metrics` 4.2 on the hour of `five-voices`: every figure was equal to the last digit, with
its collar (which counts both sides) twice as wide as ours.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diarisation import DiarisationError, Span, diarisation_error

A = Span("a", 0.0, 10.0)


def error(truth: list[Span], guess: list[Span], collar: float = 0.0) -> tuple[float, float, float, float]:
    found = diarisation_error(truth, guess, collar_seconds=collar)
    return tuple(round(value, 6) for value in (found.speech, found.missed, found.false_alarm, found.confusion))  # type: ignore[return-value]


def test_the_truth_itself_has_no_error() -> None:
    assert error([A, Span("b", 5.0, 12.0)], [A, Span("b", 5.0, 12.0)]) == (17.0, 0.0, 0.0, 0.0)


def test_what_nobody_noticed_is_missed() -> None:
    assert error([A], []) == (10.0, 10.0, 0.0, 0.0)
    assert error([A], [Span("a", 2.0, 9.0)]) == (10.0, 3.0, 0.0, 0.0)


def test_what_was_not_there_is_a_false_alarm() -> None:
    assert error([A], [Span("a", -1.0, 13.0)]) == (10.0, 0.0, 4.0, 0.0)
    assert error([], [A]) == (0.0, 0.0, 10.0, 0.0)
    assert error([A], [A, Span("b", 3.0, 5.0)]) == (10.0, 0.0, 2.0, 0.0)


def test_somebody_else_is_confusion_and_counts_once() -> None:
    assert error([A], [Span("b", 0.0, 10.0)]) == (10.0, 0.0, 0.0, 10.0)
    assert error([A, Span("b", 0.0, 10.0)], [A, Span("c", 0.0, 10.0)]) == (20.0, 0.0, 0.0, 10.0)


def test_people_who_overlap_are_missed_one_by_one() -> None:
    assert error([A, Span("b", 4.0, 6.0)], [A]) == (12.0, 2.0, 0.0, 0.0)


def test_the_collar_forgives_borders_and_nothing_else() -> None:
    assert error([A], [Span("a", 0.2, 10.2)], collar=0.25) == (9.5, 0.0, 0.0, 0.0)
    assert error([A], [Span("a", 1.0, 10.0)], collar=0.25) == (9.5, 0.75, 0.0, 0.0)
    # Borders of other people forgive too, as NIST counts.
    assert error([A, Span("b", 5.0, 6.0)], [], collar=0.25) == (9.0, 9.0, 0.0, 0.0)


def test_the_rate_is_of_the_speech_there_was() -> None:
    assert DiarisationError(speech=200.0, missed=3.0, false_alarm=2.0, confusion=1.0).rate == pytest.approx(0.03)
    assert diarisation_error([], []).rate == 0.0


_SPANS = st.lists(
    st.builds(
        lambda who, begin, length: Span(who, float(begin), float(begin + length)),
        st.sampled_from("abc"),
        st.integers(0, 50),
        st.integers(1, 10),
    ),
    max_size=8,
)


@given(_SPANS, _SPANS)
def test_any_two_guesses_are_counted_second_by_second(truth: list[Span], guess: list[Span]) -> None:
    speech = missed = false_alarm = confusion = 0
    for second in range(60):
        there = {span.speaker for span in truth if span.begin <= second < span.end}
        told = {span.speaker for span in guess if span.begin <= second < span.end}
        speech += len(there)
        missed += max(0, len(there) - len(told))
        false_alarm += max(0, len(told) - len(there))
        confusion += min(len(there), len(told)) - len(there & told)

    assert error(truth, guess) == (speech, missed, false_alarm, confusion)
