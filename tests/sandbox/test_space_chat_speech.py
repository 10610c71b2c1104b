"""What the voices say: from the scene alone, where they can be heard, and never longer than the service lets them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from diarisation import Span, diarisation_error
from hydrophone.audio import SpeechLog, read_stage, sample_levels, sample_position
from hydrophone.sandbox.scene import Away, Mute, Scene, Turn
from hydrophone.sandbox.segments import SegmentMaker, Stage
from hydrophone.sandbox.space_chat.clock import PositionClock
from hydrophone.sandbox.space_chat.script import space_messages
from hydrophone.sandbox.space_chat.speech import sentences
from hydrophone.sandbox.space_chat.truth import true_cues, true_turns
from hydrophone.sandbox.timeline import Timeline

NOW = datetime(2026, 3, 3, 19, 0, tzinfo=UTC)
LENA = "lena_marsh"


def scene(*turns: Turn, **rest: object) -> Scene:
    return Scene.ended("speech", turns=turns, **rest).at(NOW)


def test_the_corpus_has_hundreds_of_sentences_each_once() -> None:
    assert len(sentences()) >= 300
    assert len(set(sentences())) == len(sentences())
    assert all(text[-1] in ".?!" and len(text) < 100 for text in sentences())


def test_the_same_scene_says_the_same_whenever_it_is_loaded() -> None:
    one, other = Scene.ended("same").at(NOW), Scene.ended("same").at(datetime(2026, 5, 1, tzinfo=UTC))

    assert [(c.text, c.begin) for c in true_cues(one)] == [(c.text, c.begin) for c in true_cues(other)]
    assert [c.text for c in true_cues(one)] != [c.text for c in true_cues(Scene.ended("another").at(NOW))]


def test_all_that_is_said_is_heard() -> None:
    spoken = Scene.ended("heard", seconds=300.0, mutes=(Mute(handle="otto_reed", begin=20, end=70),)).at(NOW)
    stage = Stage(spoken.people, spoken.turns, spoken.mutes)

    for cue in true_cues(spoken):
        for step in range(11):
            position = cue.begin + 0.01 + (cue.end - cue.begin - 0.02) * step / 10
            assert cue.speaker in stage.sounding(position), cue


def test_levels_in_the_tags_tell_who_is_heard() -> None:
    spoken = Scene.ended("levels", seconds=600.0, mutes=(Mute(handle="otto_reed", begin=20, end=70),)).at(NOW)
    timeline, maker, log = Timeline(spoken), SegmentMaker(spoken), SpeechLog()
    names = {person.periscope_id: person.handle for person in spoken.people}
    for place in range(timeline.total or 0):
        piece = timeline.piece(place)
        for sample in read_stage(maker.body(piece)):
            log.hear(
                sample_position(sample, piece.position, piece.rate), sample_levels(sample, spoken.creator.periscope_id)
            )

    guess = [Span(names[t.speaker], t.begin_seconds, t.end_seconds) for t in log.finish(600.0)]

    truth = [Span(*turn) for turn in true_turns(spoken)]
    assert diarisation_error(truth, guess).rate <= 0.03


def test_words_of_a_turn_can_be_given_and_a_sentence_without_end_is_cut_by_force() -> None:
    endless = " ".join(["and the tide"] * 40)
    told = scene(Turn(handle=LENA, begin=2, end=6, text="Hello there. Can you hear me?"))
    long = scene(Turn(handle=LENA, begin=2, end=52, text=endless))

    assert [cue.text for cue in true_cues(told)] == ["Hello there.", "Can you hear me?"]
    cues = list(true_cues(long))
    assert len(cues) == 2
    assert max(cue.end - cue.begin for cue in cues) <= 30
    assert " ".join(cue.text for cue in cues) == endless


def test_nobody_speaks_across_an_absence_of_the_host() -> None:
    away = scene(Turn(handle=LENA, begin=20, end=40), aways=(Away(begin=30, seconds=15),))
    timeline = Timeline(away)
    (seam,) = timeline.seams()
    clock = PositionClock(away, timeline)

    cues = list(true_cues(away))

    assert all(cue.end <= seam or cue.begin >= seam for cue in cues)
    assert any(cue.begin >= seam for cue in cues)
    assert all(cue.end_us - cue.begin_us < 11_000_000 for cue in cues)
    assert clock.wall_us(seam) - clock.wall_us(seam, before_seam=True) == pytest.approx(15e6, abs=30_000)


def test_messages_of_a_space_without_end_come_lazily_and_in_order() -> None:
    endless = Scene.live("endless", seconds=None).at(NOW)
    source = space_messages(endless, Timeline(endless))

    stamps = [next(source).ns for _ in range(500)]

    assert stamps == sorted(set(stamps))
