"""A chat is merged in time linear in its messages, and memory is bounded by what is said: counted, not timed.

What is counted is every call of a function, Python's own included; that differs by nothing from machine to machine.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest
from bench.jobs.chat_messages import STEP_SECONDS, ZERO_US, merge, message, take_in

from hydrophone.captions.account import TranscriptBuilder
from hydrophone.captions.merging import since
from hydrophone.chat.intake import ChatIntake, Via, read_line

FEW, MANY = 600, 6_000
HUNTED = (10_000, 100_000, 1_000_000)


def calls_of(work: Callable[[], object]) -> int:
    """How many functions are called."""
    counted = 0

    def count(_frame: FrameType, event: str, _what: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return counted


def arrived(folder: Path, count: int) -> Path:
    path = folder / f"arrived-{count}.jsonl"
    with path.open("w", encoding="utf-8") as out:
        out.writelines(message(number) + "\n" for number in range(count))
    return path


def test_ten_times_the_messages_cost_ten_times_the_work(tmp_path: Path) -> None:
    each = {}
    for count in (FEW, MANY):
        told, log = arrived(tmp_path, count), tmp_path / f"log-{count}.jsonl"
        taken = calls_of(lambda told=told, log=log, count=count: take_in(told, log, count))
        merged = calls_of(lambda log=log, count=count: merge(log).finish(seconds=count * STEP_SECONDS))
        assert len(log.read_bytes().splitlines()) == count
        each[count] = (taken / count, merged / count)

    for few, many in zip(each[FEW], each[MANY], strict=True):
        assert few > 10
        assert many <= 1.1 * few


def memory_of(work: Callable[[], object]) -> int:
    """What is still held when it is done, its result included."""
    gc.collect()
    tracemalloc.start()
    try:
        kept = work()
        gc.collect()
        held = tracemalloc.get_traced_memory()[0]
        del kept
        return held
    finally:
        tracemalloc.stop()


def test_captions_that_grow_leave_nothing_behind() -> None:
    """A speaker's unfinished texts, however many, are held once; identities cost some bytes each."""

    def mumble(count: int) -> object:
        intake, builder = ChatIntake(), TranscriptBuilder(since(ZERO_US))
        for number in range(count):
            line = intake.take(message(number * 12 % 60 + number // 5 * 60), Via.HISTORY, 1)
            assert line is not None
            builder.see(read_line(line))
        return intake, builder

    few, many = memory_of(lambda: mumble(500)), memory_of(lambda: mumble(2_500))

    assert (many - few) / 2_000 <= 48


def test_memory_grows_with_what_is_said_and_not_with_its_messages(tmp_path: Path) -> None:
    held = {}
    for count in (FEW, MANY):
        log = tmp_path / f"log-{count}.jsonl"
        take_in(arrived(tmp_path, count), log, count)
        held[count] = memory_of(lambda log=log, count=count: merge(log).finish(seconds=count * STEP_SECONDS))

    # A cue with its eleven words for twelve messages, and one reaction.
    assert (held[MANY] - held[FEW]) / (MANY - FEW) <= 400


@pytest.mark.timeout(3600)
def test_a_million_messages_are_merged_as_quickly_as_ten_thousand(is_hunt: bool) -> None:
    if not is_hunt:
        pytest.skip("takes minutes: make hunt")
    from bench.cases.chat import run
    from bench.peers import Peers
    from bench.stage import Stage

    (section,) = run(Stage(Peers({}, {}), Path(), Path(), False, 1, print))

    assert [row["name"] for row in section.rows] == [f"{count:,}" for count in HUNTED]
    assert [target.is_met for target in section.targets] == [True, True], section.targets
