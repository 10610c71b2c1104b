"""From growing texts to cues: the rules one by one, and the scene whose truth is written down."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat_building import SAMPLES, ZERO_US, caption, load, scene_messages, spoken
from counting import executed_lines
from hydrophone.captions.merging import At, CueMerger, since
from hydrophone.chat.ordering import sorted_messages
from hydrophone.chat.reading import read_message
from hydrophone.model import ChatMessage, Cue


def merged(raw: Iterable[Any]) -> tuple[list[Cue], CueMerger]:
    """The cues of messages in the order in which they are given."""
    merger = CueMerger(since(ZERO_US))
    cues = [cue for message in raw if (cue := merger.see(read_message(message))) is not None]
    return [*cues, *merger.finish()], merger


def times(cue: Cue) -> list[tuple[str, float, float]]:
    return [(word.text, round(word.begin_seconds, 3), round(word.end_seconds, 3)) for word in cue.words]


# ---------------------------------------------------------------- written-down truth


def test_the_worked_example_comes_out_to_the_millisecond() -> None:
    expected = load("worked_example.expected.json")
    messages = sorted_messages((SAMPLES / "worked_example.jsonl").read_bytes().splitlines())
    merger = CueMerger(since(ZERO_US))
    cues = [cue for message in messages if (cue := merger.see(message)) is not None]

    found = [
        {
            "speaker": next(m.subject.handle for m in messages if m.identity == cue.id and m.subject),
            "start": round(cue.begin_seconds, 3),
            "end": round(cue.end_seconds, 3),
            "interims": cue.interims,
            "text": cue.text,
            "words": [list(word) for word in times(cue)],
        }
        for cue in cues
    ]
    assert found == expected["cues"]
    assert merger.totals.empty_finals == expected["counts"]["empty finals"]
    assert merger.totals.runs_closed_by_empty == expected["counts"]["runs closed by an empty final"]


def test_the_whole_scene_comes_out_to_the_millisecond() -> None:
    expected = load("expected_cues.json")
    messages = [read_message(raw) for raw in scene_messages()]
    seen: dict[str, ChatMessage] = {}
    for message in messages:
        seen.setdefault(message.identity, message)
    merger = CueMerger(since(ZERO_US))
    cues = [cue for message in seen.values() if (cue := merger.see(message)) is not None]

    found = [
        {
            "user_id": cue.speaker,
            "start": round(cue.begin_seconds, 3),
            "end": round(cue.end_seconds, 3),
            "first_interim": None if cue.first_interim_seconds is None else round(cue.first_interim_seconds, 3),
            "interims": cue.interims,
            "text": cue.text,
            "uuid": cue.id,
        }
        for cue in sorted(cues, key=lambda cue: cue.begin_seconds)
    ]
    assert found == [{key: value for key, value in cue.items() if key != "speaker"} for cue in expected["cues"]]
    totals = merger.totals
    assert expected["counts"] == {
        "empty finals": totals.empty_finals,
        "runs closed by an empty final": totals.runs_closed_by_empty,
        "finals without interims": totals.finals_without_interims,
        "open runs": totals.open_runs,
        "cues": totals.cues,
    }


# ---------------------------------------------------------------- the rules


def test_two_people_at_once_are_two_tracks() -> None:
    cues, _ = merged(
        [
            caption("tobi", "so the", 10.0),
            caption("mara", "wait", 10.3),
            caption("tobi", "So the ferry.", 11.0, final=True),
            caption("mara", "Wait!", 10.6, final=True),
        ]
    )

    assert [(cue.speaker, cue.text, cue.interims) for cue in cues] == [
        ("1tobi", "So the ferry.", 1),
        ("1mara", "Wait!", 1),
    ]
    assert cues[1].begin_seconds < cues[0].end_seconds


def test_runs_are_cut_in_order_of_arrival_even_where_the_clock_says_otherwise() -> None:
    cues, _ = merged(
        [
            caption("tobi", "one", 10.0),
            caption("tobi", "One.", 10.5, final=True),
            caption("tobi", "two", 10.2),  # belongs to the next sentence, though its clock is before the final
            caption("tobi", "Two.", 11.0, final=True),
        ]
    )

    assert [cue.interims for cue in cues] == [1, 1]
    assert cues[1].begin_seconds == cues[0].end_seconds  # never before the end of the speaker's own previous cue


def test_an_empty_final_makes_no_cue_and_discards_what_was_open() -> None:
    cues, merger = merged(
        [caption("mara", "hm", 5.0), caption("mara", "  ", 5.4, final=True), caption("mara", "Yes.", 9.0, final=True)]
    )

    assert [(cue.text, cue.interims) for cue in cues] == [("Yes.", 0)]
    assert (merger.totals.empty_finals, merger.totals.runs_closed_by_empty) == (1, 1)


def test_a_final_without_interims_is_given_a_third_of_a_second_for_each_word_and_ten_seconds_at_most() -> None:
    cues, _ = merged(
        [caption("tobi", "Please do not.", 20.0, final=True), caption("mara", "word " * 50, 90.0, final=True)]
    )

    assert [round(cue.seconds, 6) for cue in cues] == [0.99, 10.0]


def test_a_final_may_lie_before_its_last_interim() -> None:
    (cue,), _ = merged([caption("a", "well then", 7.5), caption("a", "Well then.", 7.0, final=True)])

    assert round(cue.end_seconds, 3) == 7.5


def test_what_is_open_at_the_end_is_kept_and_marked() -> None:
    merger = CueMerger(since(ZERO_US))
    for raw in (caption("a", "and now", 3.0), caption("a", "and now the", 3.4)):
        merger.see(read_message(raw))

    live = merger.open_cues()
    (cue,) = merger.finish()

    assert [one.text for one in live] == ["and now the"]
    assert (cue.text, cue.is_final, round(cue.end_seconds, 3)) == ("and now the", False, 3.4)
    assert merger.finish() == []


def test_captions_that_came_before_the_audio_have_negative_positions() -> None:
    (cue,), _ = merged([caption("a", "hello", -2.0), caption("a", "Hello.", -1.5, final=True)])

    assert (round(cue.begin_seconds, 3), round(cue.end_seconds, 3)) == (-2.4, -1.5)


def test_a_caption_placed_by_its_arrival_makes_an_approximate_cue() -> None:
    (cue,), _ = merged(
        [
            caption("a", "hello", 1.0),
            caption("a", "Hello.", 2.0, final=True, ntpForLiveFrame=0, ntpForBroadcasterFrame=0),
        ]
    )

    assert cue.is_approximate


def test_messages_that_belong_nowhere_are_counted_and_left_out() -> None:
    merger = CueMerger(lambda message: None)

    assert merger.see(read_message(caption("a", "Hello.", 2.0, final=True))) is None
    assert merger.totals.misplaced == 1


# ---------------------------------------------------------------- word times


def test_a_shrinking_interim_changes_nothing() -> None:
    steady = spoken("a", [("one", 1.0), ("two", 2.0), ("three", 3.0)], final="One two three.", at=3.2)
    shrunk = [*steady[:3], caption("a", "one", 3.1), steady[3]]

    assert times(merged(steady)[0][0]) == times(merged(shrunk)[0][0])


def test_interims_out_of_order_give_the_same_words() -> None:
    steady = spoken("a", [("one", 1.0), ("two", 2.0), ("three", 3.0)], final="One two three.", at=3.2)
    shuffled = [steady[2], steady[0], steady[1], steady[3]]

    assert times(merged(steady)[0][0]) == times(merged(shuffled)[0][0])


def test_words_that_the_final_writes_otherwise_lie_between_those_it_shares() -> None:
    heard = [("we", 1.0), ("low", 1.5), ("erred", 2.0), ("it", 2.5), ("today", 3.0)]
    (cue,), _ = merged(spoken("a", heard, final="We lowered it today.", at=3.1))

    assert times(cue) == [("We", 0.6, 1.0), ("lowered", 1.0, 2.0), ("it", 2.0, 2.5), ("today.", 2.5, 3.0)]


def test_a_word_that_was_never_heard_shares_the_time_of_the_next_one() -> None:
    (cue,), _ = merged(spoken("a", [("go", 1.0), ("home", 2.0)], final="Go right home.", at=2.0))

    assert times(cue) == [("Go", 0.6, 1.0), ("right", 1.0, 1.5), ("home.", 1.5, 2.0)]


def test_words_after_the_last_heard_one_share_what_is_left() -> None:
    (cue,), _ = merged(spoken("a", [("go", 1.0)], final="Go home now.", at=3.0))

    assert times(cue) == [("Go", 0.6, 1.0), ("home", 1.0, 2.0), ("now.", 2.0, 3.0)]


words = st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=8)


@given(st.lists(st.tuples(words, st.floats(0, 30)), max_size=8), words, st.floats(0, 30), st.floats(0, 5))
@settings(max_examples=200, deadline=None)
def test_word_times_rise_and_stay_within_the_cue(
    interims: list[tuple[list[str], float]], final: list[str], at: float, before: float
) -> None:
    raw = [caption("x", "Before.", before, final=True)]
    raw += [caption("x", " ".join(text), when) for text, when in interims]
    raw.append(caption("x", " ".join(final), at, final=True))
    cue = merged(raw)[0][-1]

    assert [word.text for word in cue.words] == final
    bounds = [cue.begin_seconds] + [edge for word in cue.words for edge in (word.begin_seconds, word.end_seconds)]
    assert all(left <= right + 1e-9 for left, right in pairwise(bounds))
    assert bounds[-1] <= cue.end_seconds + 1e-9


# ---------------------------------------------------------------- much of it


def chatter(count: int) -> list[ChatMessage]:
    """So many captions of five people, a final after every ten."""
    found = []
    for number in range(count):
        who = f"p{number % 5}"
        step = number // 5 % 11
        text = " ".join(f"w{index}" for index in range(step + 1))
        found.append(read_message(caption(who, text, number * 0.1, final=step == 10)))
    return found


def test_merging_costs_the_same_for_each_message_however_many_there_are() -> None:
    def lines_for(messages: list[ChatMessage]) -> int:
        merger = CueMerger(since(ZERO_US))
        return executed_lines(lambda: [merger.see(message) for message in messages])

    few, many = lines_for(chatter(1_100)), lines_for(chatter(8_800))

    assert many <= few * 8 * 1.05


def test_a_run_without_end_keeps_no_more_than_its_words() -> None:
    merger = CueMerger(lambda message: At((message.sent_ns or 0) / 1e9))
    text = "one two three"
    for number in range(3_000):
        merger.see(ChatMessage(**{**_caption_fields(text), "sent_ns": number * 10**9}))
    (run,) = merger._runs.values()

    assert len(run.steps._times) <= 3
    assert len(run.longest) == 3


@pytest.mark.parametrize("count", [12_000])
def test_more_speakers_than_there_can_be_do_not_pile_up(count: int) -> None:
    merger = CueMerger(since(ZERO_US), name_speaker=lambda message: message.identity)
    for number in range(count):
        merger.see(ChatMessage(**{**_caption_fields("a"), "identity": str(number), "unix_us": ZERO_US}))

    assert len(merger._runs) <= 10_000


def test_a_final_of_many_thousand_other_words_is_not_compared_word_by_word() -> None:
    raw = [
        caption("a", " ".join(f"x{n}" for n in range(3_000)), 5.0),
        caption("a", " ".join(f"y{n}" for n in range(3_000)), 9.0, final=True),
    ]
    messages = [read_message(one) for one in raw]
    merger = CueMerger(since(ZERO_US))

    assert executed_lines(lambda: [merger.see(message) for message in messages]) < 200_000


def _caption_fields(text: str) -> dict[str, Any]:
    message = read_message(caption("a", text, 1.0))
    return {name: getattr(message, name) for name in ChatMessage.__dataclass_fields__}
