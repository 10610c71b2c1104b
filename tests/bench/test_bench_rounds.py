"""The plan of a bench that ends within the hour: what takes long is run less often, and nobody hides it."""

from __future__ import annotations

from bench.cases.replay import FFMPEG, OURS, STREAMLINK, YT_DLP_16, YT_DLP_OWN, chosen, rounds_of
from bench.measuring import Program


def program(name: str, note: str = "") -> Program:
    return Program(name, lambda folder: ["true"], note=note)


def test_whoever_is_quick_takes_every_turn() -> None:
    assert rounds_of(OURS, 8.0, 5, is_far=True) == 5
    assert rounds_of(FFMPEG, 2.0, 5, is_far=False) == 5


def test_whoever_takes_long_takes_fewer_turns_and_never_more_than_there_are() -> None:
    assert rounds_of(STREAMLINK, 8.0, 5, is_far=False) == 2
    assert rounds_of(YT_DLP_16, 2.0, 5, is_far=False) == 1
    assert rounds_of(FFMPEG, 2.0, 5, is_far=True) == 1
    assert rounds_of(STREAMLINK, 2.0, 1, is_far=True) == 1


def test_what_would_take_more_than_two_minutes_is_left_out_by_name_and_fewer_turns_are_marked() -> None:
    programs = [program(OURS), program(FFMPEG), program(YT_DLP_OWN, "hands over"), program(STREAMLINK, "raw")]

    run, left_out = chosen(programs, 8.0, 2, is_far=True)

    assert left_out == [FFMPEG, YT_DLP_OWN]
    assert [(one.name, one.rounds, one.note) for one in run] == [(OURS, None, ""), (STREAMLINK, 1, "raw, n=1")]
