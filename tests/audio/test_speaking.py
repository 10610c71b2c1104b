"""Who is heard, out of levels: the rules one by one, and an invented hour whose truth is known."""

from __future__ import annotations

import pytest

from audio_building import EXPECTED, sample
from diarisation import Span, diarisation_error
from hydrophone.audio import SpeakingRules, SpeechLog, read_stage, sample_levels, sample_position
from hydrophone.model import SpeakerSource, Turn
from stage_simulation import TAG_SECONDS, simulate_stage


def turns(*samples: tuple[float, dict[str, int]], rules: SpeakingRules | None = None) -> list[Turn]:
    log = SpeechLog(rules)
    for seconds, levels in samples:
        log.hear(seconds, levels)
    return log.finish()


def spans(found: list[Turn]) -> list[tuple[str, float, float]]:
    return [(turn.speaker, round(turn.begin_seconds, 3), round(turn.end_seconds, 3)) for turn in found]


def steady(who: str, begin: int, end: int, level: int = 40) -> list[tuple[float, dict[str, int]]]:
    return [(float(at), {who: level if begin <= at < end else 0}) for at in range(begin - 1, end + 1)]


# ---------------------------------------------------------------- the rules


def test_a_sample_stands_for_the_second_around_it() -> None:
    assert spans(turns(*steady("a", 5, 8))) == [("a", 4.5, 7.5)]


def test_quiet_noise_is_nobody_and_the_threshold_is_a_setting() -> None:
    assert turns(*steady("a", 5, 8, level=7)) == []
    assert spans(turns(*steady("a", 5, 8, level=8))) == [("a", 4.5, 7.5)]
    assert turns(*steady("a", 5, 8, level=40), rules=SpeakingRules(level=41)) == []


def test_pauses_up_to_two_seconds_are_bridged_and_longer_ones_are_not() -> None:
    def with_pause(seconds: int) -> list[Turn]:
        levels = [40] * 3 + [0] * seconds + [40] * 3
        return turns(*[(float(at), {"a": level}) for at, level in enumerate(levels, start=5)])

    assert spans(with_pause(2)) == [("a", 4.25, 12.75)]
    assert len(with_pause(3)) == 2


def test_a_cough_is_dropped() -> None:
    quick = [(at / 2, {"a": 40 if at == 10 else 0}) for at in range(20)]

    assert turns(*quick) == []


def test_people_may_overlap() -> None:
    both = [(float(at), {"a": 40 if at < 8 else 0, "b": 40 if at > 4 else 0}) for at in range(12)]

    assert spans(turns(*both)) == [("a", 0.0, 7.5), ("b", 4.5, 11.75)]


def test_a_gap_in_the_recording_is_nobodys_speech() -> None:
    before = [(float(at), {"a": 40}) for at in range(5)]
    after = [(float(at), {"a": 40}) for at in range(30, 35)]

    assert spans(turns(*before, *after)) == [("a", 0.0, 4.75), ("a", 29.25, 34.75)]


def test_lost_tags_are_bridged_from_both_sides_but_not_for_long() -> None:
    def with_lost(seconds: int) -> list[tuple[str, float, float]]:
        log = SpeechLog()
        for at in range(5):
            log.hear(float(at), {"a": 40})
        log.pass_over()
        for at in range(4 + seconds, 9 + seconds):
            log.hear(float(at), {"a": 40 if at < 6 + seconds else 0, "b": 40})
        return spans(log.finish())

    # Who is heard on both sides goes on, and who is heard on one side is heard up to the middle.
    assert with_lost(4) == [("a", 0.0, 9.5), ("b", 6.0, 12.75)]
    assert [span for span in with_lost(8) if span[0] == "a"] == [("a", 0.0, 4.75), ("a", 11.25, 13.5)]


def test_somebody_who_begins_in_the_middle_of_a_second_is_half_as_loud_in_it() -> None:
    levels = [0, 20, 40, 40, 40, 10, 0]

    assert spans(turns(*[(float(at), {"a": level}) for at, level in enumerate(levels)])) == [("a", 1.0, 4.75)]


def test_who_is_not_in_a_sample_is_silent_and_samples_out_of_order_are_passed_over() -> None:
    found = turns((1.0, {"a": 40}), (2.0, {"a": 40}), (1.5, {"b": 90}), (3.0, {}), (4.0, {}), (5.0, {}), (6.0, {}))

    assert [turn.speaker for turn in found] == ["a"]


def test_turns_say_how_loud_they_were_and_end_with_the_recording() -> None:
    log = SpeechLog()
    for at in range(5):
        log.hear(float(at), {"a": 30})

    (turn,) = log.finish(end_seconds=4.2)
    assert (turn.level, turn.end_seconds, turn.source) == (pytest.approx(30.0), 4.2, SpeakerSource.LEVELS)


def test_the_sample_segments_tell_who_speaks() -> None:
    log = SpeechLog()
    for name in ("chunk_1772564418764575344_7_a.aac", "chunk_1772564421732162332_8_a.aac"):
        start = EXPECTED["files"][name]["start_seconds"]
        for one in read_stage(sample(name)):
            log.hear(sample_position(one, start, 48_000), sample_levels(one, "host"))

    found = log.finish()
    # The truth of the scene: Tobi until 22.2 s, Mara, the host, from 21.7 to 23.3 s, Tobi again from 24.4 s.
    host = next(turn for turn in found if turn.speaker == "host")
    assert abs(host.begin_seconds - 21.7) <= 1.0
    assert abs(host.end_seconds - 23.3) <= 1.0
    assert {turn.speaker for turn in found} == {"host", "1tobiQuistPsc"}


# ---------------------------------------------------------------- an hour


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_hour_of_five_people_is_told_apart_with_little_error(seed: int) -> None:
    stage = simulate_stage(seed)
    log = SpeechLog()
    for seconds, levels in stage.levels:
        log.hear(seconds, levels)
    guess = [Span(turn.speaker, turn.begin_seconds, turn.end_seconds) for turn in log.finish(stage.seconds)]

    assert len(stage.truth) > 150
    assert diarisation_error(stage.truth, guess).rate <= 0.03
    assert diarisation_error(stage.truth, guess, collar_seconds=0.0).rate <= 0.05


def test_levels_that_are_peaks_of_an_instant_cost_a_little_more() -> None:
    stage = simulate_stage(4)
    speech = [(span.speaker, span.begin, span.end) for span in stage.speaking]
    log = SpeechLog()
    for number in range(int(stage.seconds / TAG_SECONDS)):
        at = number * TAG_SECONDS
        log.hear(at, {who: 50 for who, begin, end in speech if begin - 0.5 <= at <= end + 0.5})
    guess = [Span(turn.speaker, turn.begin_seconds, turn.end_seconds) for turn in log.finish(stage.seconds)]

    assert diarisation_error(stage.truth, guess).rate <= 0.06


def test_memory_grows_with_turns_and_not_with_samples() -> None:
    log = SpeechLog()
    for number in range(5_000):
        log.hear(float(number), {"a": 40})

    assert len(log._turns) + len(log._open) == 1


# ---------------------------------------------------------------- the measure itself


def test_the_error_rate_counts_what_it_says() -> None:
    truth = [Span("a", 0.0, 10.0), Span("b", 8.0, 12.0)]

    perfect = diarisation_error(truth, truth)
    assert perfect.rate == 0.0
    missed = diarisation_error(truth, [Span("a", 0.0, 10.0)], collar_seconds=0.0)
    assert (missed.speech, missed.missed, missed.rate) == (14.0, 4.0, 4 / 14)
    false = diarisation_error([Span("a", 0.0, 10.0)], [Span("a", 0.0, 15.0)], collar_seconds=0.0)
    assert (false.false_alarm, false.rate) == (5.0, 0.5)
    confused = diarisation_error([Span("a", 0.0, 10.0)], [Span("b", 0.0, 10.0)], collar_seconds=0.0)
    assert (confused.confusion, confused.rate) == (10.0, 1.0)
    near = diarisation_error([Span("a", 0.0, 10.0)], [Span("a", 0.2, 10.2)])
    assert near.rate == 0.0
    assert diarisation_error([], []).rate == 0.0
