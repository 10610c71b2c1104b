"""The workers: what is believed, what is asked for again, and when it is given up. In virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

import virtual_time
from audio_building import frame
from hydrophone.errors import DiskError, TooLargeError
from hydrophone.http import Reply, Request
from hydrophone.model import GapCause, Segment
from hydrophone.recorder.fetching import SAME_BODIES
from hydrophone.recorder.options import Patience
from recorder.stage import FOLDER, FRAMES, Space, Stage, body_of, cut_body, lost_connection, name_of, said

AUDIO = f"{FOLDER}audio-space/"


def segment(number: int, name: str | None = None) -> Segment:
    name = name or name_of(number)
    return Segment(number, AUDIO + name, name, 3.008, None)


def fetch(
    *segments: Segment,
    answers: dict[str, Callable[[int], Reply]] | None = None,
    patience: Patience | None = None,
    connections: int = 4,
    epochs: dict[int, int] | None = None,
) -> Stage:
    """Fetch these; `answers` maps a part of a name to what the n-th request for it (from 0) gets."""
    counts: dict[str, int] = {}

    def answer(request: Request, now: float) -> Reply | None:
        for word, say in (answers or {}).items():
            if word in request.target:
                counts[word] = counts.get(word, -1) + 1
                return say(counts[word])
        return None

    async def main() -> Stage:
        space = Space(10_000, answers=[answer])
        stage = Stage(space, patience=patience, connections=connections)
        space.began -= 40_000
        async with stage.fetcher.running():
            stage.plan.offer([((epochs or {}).get(found.sequence, 0), found) for found in segments])
            stage.fetcher.wake()
            await stage.fetcher.until_idle()
        return stage

    return virtual_time.run(main())


def test_everything_that_is_offered_is_fetched_once() -> None:
    stage = fetch(*(segment(number) for number in range(200)))

    assert stage.numbers == list(range(200))
    assert len(stage.space.asked) == 200


@pytest.mark.parametrize("connections", [1, 2, 16])
def test_no_more_requests_are_under_way_than_there_are_connections(connections: int) -> None:
    flying, most = 0, 0

    async def main() -> None:
        space = Space(10_000)
        plain = space.send

        async def counted(request: Request) -> Reply:
            nonlocal flying, most
            flying += 1
            most = max(most, flying)
            try:
                return await plain(request)
            finally:
                flying -= 1

        space.send = counted  # type: ignore[method-assign]
        stage = Stage(space, connections=connections)
        space.began -= 40_000
        async with stage.fetcher.running():
            stage.plan.offer([(0, segment(number)) for number in range(100)])
            stage.fetcher.wake()
            await stage.fetcher.until_idle()

    virtual_time.run(main())

    assert most == connections


def test_whatever_waits_costs_no_task() -> None:
    async def main() -> int:
        stage = Stage(Space(10), connections=16)
        async with stage.fetcher.running():
            stage.fetcher.wake()
            return len(asyncio.all_tasks())

    assert virtual_time.run(main()) == 1


def test_a_body_that_is_short_is_asked_for_again_until_it_is_whole() -> None:
    stage = fetch(segment(7), answers={"_7_a": lambda n: said(200, cut_body(7) if n < 2 else body_of(7))})

    assert stage.shelf.stored[0, 7] == body_of(7)
    assert stage.shelf.verdicts[0, 7] == "complete"
    assert list(stage.plan.missing()) == []


def test_a_body_that_stays_short_is_kept_and_counts_as_given_up() -> None:
    stage = fetch(segment(7), answers={"_7_a": lambda n: said(200, cut_body(7))})

    assert stage.shelf.verdicts[0, 7] == "suspect"
    assert stage.plan.loss(0, 7).cause is GapCause.DAMAGED
    assert len(stage.space.asked) == SAME_BODIES
    assert stage.plan.revive() == 1


def test_of_bodies_that_are_all_short_the_longest_is_kept() -> None:
    lengths = [60, 90, 40, 70, 20, 50, 30]
    stage = fetch(
        segment(7),
        answers={"_7_a": lambda n: said(200, cut_body(7, lengths[n % 7]))},
        patience=Patience(transient=20.0),
    )

    assert stage.shelf.stored[0, 7] == cut_body(7, 90)


@pytest.mark.parametrize("body", [b"", b"<!doctype html><title>503</title>", b"ID3\x04\0\0\0\0\0\0", b"\0" * 5000])
def test_what_is_no_audio_is_never_stored(body: bytes) -> None:
    stage = fetch(segment(7), answers={"_7_a": lambda n: said(200, body)}, patience=Patience(transient=20.0))

    assert stage.shelf.stored == {}
    assert stage.plan.loss(0, 7).cause is GapCause.DAMAGED
    assert stage.plan.loss(0, 7).attempts > 3


def test_an_absent_segment_is_given_up_sooner_than_one_that_is_only_out_of_order() -> None:
    absent = fetch(segment(7), answers={"_7_a": lambda n: said(404)})
    broken = fetch(segment(7), answers={"_7_a": lambda n: said(503)})

    assert absent.plan.loss(0, 7).cause is GapCause.NOT_FOUND
    assert broken.plan.loss(0, 7).cause is GapCause.UNREACHABLE
    assert 20 <= absent.times("_7_a")[-1] - absent.times("_7_a")[0] <= 30
    assert 90 <= broken.times("_7_a")[-1] - broken.times("_7_a")[0] <= 100


def test_a_short_copy_is_better_than_none_when_the_rest_never_comes() -> None:
    stage = fetch(segment(7), answers={"_7_a": lambda n: said(200, cut_body(7)) if n == 1 else said(503)})

    assert stage.shelf.stored[0, 7] == cut_body(7)
    assert stage.plan.loss(0, 7).cause is GapCause.DAMAGED


def test_a_body_beyond_all_bounds_is_not_asked_for_again() -> None:
    def too_large(n: int) -> Reply:
        raise TooLargeError("more than 32 MiB", limit_bytes=1)

    stage = fetch(segment(7), answers={"_7_a": too_large})

    assert len(stage.space.asked) == 1
    assert stage.plan.loss(0, 7).cause is GapCause.DAMAGED


def test_one_that_fails_does_not_hold_up_the_others() -> None:
    stage = fetch(
        *(segment(number) for number in range(50)),
        answers={"_7_a": lambda n: lost_connection(None, 0.0)},  # type: ignore[arg-type]
        connections=2,
    )

    others = [at for at, name in stage.space.asked if "_7_a" not in name]
    assert max(others) - min(others) < 10
    assert stage.plan.loss(0, 7).cause is GapCause.UNREACHABLE


# ---------------------------------------------------------------- the same bytes under another number


def test_the_same_segment_under_another_number_is_stored_once() -> None:
    body = body_of(7)
    stage = fetch(
        segment(7, "one.aac"),
        segment(8, "other.aac"),
        answers={".aac": lambda n: said(200, body)},
        connections=1,
    )

    assert stage.numbers == [7]
    assert stage.shelf.noted("same bytes") == [{"epoch": 0, "seq": 8, "as_epoch": 0, "as_seq": 7}]
    assert stage.plan.expected == 1
    assert list(stage.plan.missing()) == []


def test_silence_without_a_clock_is_the_same_each_time_and_is_kept_each_time() -> None:
    silence = frame(16) * FRAMES
    stage = fetch(
        *(segment(number, f"silence{number}.aac") for number in range(5)),
        answers={"silence": lambda n: said(200, silence)},
    )

    assert stage.numbers == [0, 1, 2, 3, 4]
    assert stage.plan.expected == 5


def test_the_same_address_under_another_number_is_stored_once_if_the_bytes_are_the_same() -> None:
    silence = frame(16) * FRAMES
    stage = fetch(
        segment(3, "same.aac"),
        segment(4, "same.aac"),
        segment(5, "ring.aac"),
        segment(6, "ring.aac"),
        answers={"same": lambda n: said(200, silence), "ring": lambda n: said(200, body_of(n))},
        connections=1,
    )

    assert stage.numbers == [3, 5, 6]


def test_the_same_segment_in_two_epochs_is_stored_once() -> None:
    body = body_of(7)
    stage = fetch(
        segment(7, "same.aac"),
        segment(1, "same.aac"),
        answers={"same": lambda n: said(200, body)},
        epochs={1: 1},
        connections=1,
    )

    assert len(stage.shelf.stored) == 1
    assert stage.plan.expected == 1


# ---------------------------------------------------------------- the disk


def test_a_full_disk_pauses_and_loses_nothing() -> None:
    async def main() -> Stage:
        space = Space(10_000)
        stage = Stage(space, connections=2)
        space.began -= 40_000
        stage.shelf.failing.append(DiskError("no space left", errno=28))
        tries = 0

        async def comes_back() -> None:
            nonlocal tries
            tries += 1
            await stage.clock.sleep(2.0)
            if tries >= 6:
                stage.shelf.failing.clear()

        stage.fetcher._until_writable = comes_back  # type: ignore[method-assign]
        async with stage.fetcher.running():
            stage.plan.offer([(0, segment(number)) for number in range(20)])
            stage.fetcher.wake()
            await stage.fetcher.until_idle()
        return stage

    stage = virtual_time.run(main())

    assert stage.numbers == list(range(20))
    assert len(stage.space.asked) == 20
    assert stage.ear.pauses >= 3
    assert "resumed" in stage.ear.notices
