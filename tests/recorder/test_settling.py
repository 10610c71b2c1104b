"""After the end: lists that come late, too short, or never, in virtual time."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

import pytest

import virtual_time
from hydrophone.http import Reply, Request
from hydrophone.model import GapCause, SpaceState, Stream
from hydrophone.recorder.listing import Listed
from hydrophone.recorder.settling import Settled, is_final_list
from hydrophone.recorder.sources import Look
from recorder.stage import FOLDER, ORIGIN, Record, Space, Stage, look_at, media_list, said

ENDED_AT = ORIGIN + timedelta(hours=1)
ENDED = dataclasses.replace(look_at(SpaceState.ENDED), ended_at=ENDED_AT)


def listed(*, written_at: datetime | None = None, is_ended: bool = False) -> Listed:
    return Listed(100, 0, is_ended, written_at)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.mark.parametrize(
    ("found", "look", "after_seconds", "is_replay", "is_final"),
    [
        (listed(written_at=ENDED_AT + seconds(5)), ENDED, 30, False, True),
        (listed(written_at=ENDED_AT - seconds(0.3)), ENDED, 30, False, True),
        (listed(written_at=ENDED_AT - seconds(90)), ENDED, 30, False, False),
        (listed(written_at=ENDED_AT - seconds(90), is_ended=True), ENDED, 30, False, False),
        (listed(written_at=ENDED_AT - seconds(90)), ENDED, 3600, False, True),
        (listed(is_ended=True), ENDED, 30, True, True),
        (listed(is_ended=True), ENDED, 30, False, False),
        (listed(is_ended=False), ENDED, 3600, True, False),
        (listed(is_ended=True), dataclasses.replace(ENDED, ended_at=None), 30, False, True),
        (listed(is_ended=True), look_at(SpaceState.UNKNOWN), 30, False, True),
        (listed(is_ended=False), look_at(SpaceState.UNKNOWN), 30, False, False),
        (listed(is_ended=True), look_at(SpaceState.LIVE), 30, True, False),
    ],
)
def test_whether_a_list_can_still_grow(
    found: Listed, look: Look, after_seconds: float, is_replay: bool, is_final: bool
) -> None:
    assert is_final_list(found, look, ENDED_AT + seconds(after_seconds), is_replay=is_replay) is is_final


def after_the_end(space: Space, held: int = 0, record: Record | None = None, **how: object) -> tuple[Stage, Settled]:
    """Settle a Space that has just ended, of which the first numbers are held."""

    async def main() -> tuple[Stage, Settled]:
        stage = Stage(space, record=record, **how)  # type: ignore[arg-type]
        space.began -= space.ends_at
        stage.clock.now = lambda: ORIGIN + seconds(stage.clock.monotonic() - space.began)  # type: ignore[method-assign]
        if held:
            stage.plan.know(0, 0, held - 1)
            stage.plan.held(0).add_range(0, held - 1)
        return stage, await stage.settle(await stage.record.look())

    return virtual_time.run(main())


def test_the_final_list_is_waited_for_and_everything_in_it_fetched() -> None:
    stage, settled = after_the_end(Space(100, final_after=45.0))

    assert settled.is_final
    assert stage.numbers == list(range(100))


def test_a_final_list_that_comes_half_an_hour_late_is_waited_for() -> None:
    space = Space(100, final_after=1800.0)
    stage, settled = after_the_end(space, held=60)

    assert settled.is_final
    assert stage.numbers == list(range(60, 100))
    assert len(stage.times("master")) < 30


def test_what_was_held_longer_than_the_list_is_never_given_up() -> None:
    space = Space(100)
    short = media_list(range(70), is_ended=True)
    space.answers.append(lambda request, now: said(200, short) if "/playlist_" in request.target else None)

    stage, _ = after_the_end(space, held=90)

    assert list(stage.plan.missing()) == []
    assert stage.plan.span(0) == (0, 89)


def test_lists_that_never_come_are_given_up_after_an_hour() -> None:
    space = Space(100, has_final=False)

    stage, settled = after_the_end(space, held=90)

    assert not settled.is_final
    assert not settled.has_listing
    assert 3600 <= max(stage.times("master")) - space.ends_at <= 4200
    assert len(stage.times("master")) < 40


def test_a_hole_in_the_final_list_is_looked_for_and_then_a_gap() -> None:
    space = Space(100, missing=frozenset([42]))

    stage, settled = after_the_end(space)

    assert not settled.is_final
    assert list(stage.plan.missing()) == [(0, 42, 42)]
    assert stage.plan.loss(0, 42).cause is GapCause.NEVER_LISTED
    assert max(stage.times("master")) - space.ends_at >= 3600


def test_a_segment_that_is_listed_but_absent_is_tried_again_minutes_later() -> None:
    space = Space(50)
    late = space.ends_at + 200.0
    space.answers.append(lambda request, now: said(404) if "_20_a" in request.target and now < late else None)

    stage, settled = after_the_end(space)

    assert settled.is_final
    assert stage.numbers == list(range(50))


def test_a_segment_that_is_absent_for_ever_is_given_up_after_that() -> None:
    space = Space(50)
    space.answers.append(lambda request, now: said(404) if "_20_a" in request.target else None)

    stage, settled = after_the_end(space)

    assert settled.is_final
    assert stage.plan.loss(0, 20).cause is GapCause.NOT_FOUND
    assert list(stage.plan.missing()) == [(0, 20, 20)]
    assert stage.times("_20_a")[-1] - space.ends_at < 600


def test_a_last_segment_that_comes_late_is_waited_for_once() -> None:
    space = Space(100, closing=1.5)
    early = media_list(range(99), is_ended=True)
    begin = space.ends_at

    def shows_less(request: Request, now: float) -> Reply | None:
        return said(200, early) if "/playlist_" in request.target and now < begin + 90 else None

    space.answers.append(shows_less)
    stage, settled = after_the_end(space)

    assert settled.is_final
    assert stage.numbers == list(range(100))
    assert max(stage.times("master")) - begin < 400


def test_a_space_that_is_live_again_is_told_as_such() -> None:
    space = Space(100, has_final=False)
    record = Record(space, says=[(space.ends_at + 25, 1e9, SpaceState.LIVE)])

    _, settled = after_the_end(space, held=50, record=record)

    assert settled.is_live_again


def test_a_space_that_was_over_long_ago_and_lists_nothing_is_given_up_soon() -> None:
    space = Space(100, has_final=False)

    async def main() -> tuple[Stage, Settled]:
        stage = Stage(space)
        space.began -= space.ends_at + 86_400
        stage.clock.now = lambda: ORIGIN + seconds(stage.clock.monotonic() - space.began)  # type: ignore[method-assign]
        return stage, await stage.settle(await stage.record.look())

    stage, settled = virtual_time.run(main())

    assert not settled.has_listing
    assert len(stage.times("master")) == 3


def test_addresses_that_are_refused_are_asked_for_anew_in_the_replay_too() -> None:
    space = Space(40)
    fresh = FOLDER.replace("k" * 86, "n" * 86)
    replay = f"{fresh}audio-space/playlist_1.m3u8?type=replay"

    class Renewing(Record):
        async def stream(self, media_key: object) -> Stream | None:
            self.streams.append(0.0)
            return Stream(url=replay if len(self.streams) > 1 else replay.replace("n" * 86, "k" * 86))

    def expired(request: Request, now: float) -> Reply | None:
        if "chunk" in request.target and "k" * 86 in request.target:
            return said(403)
        if "playlist_1." in request.target:
            return said(200, media_list(range(40), is_ended=True))
        return None

    space.answers.append(expired)
    stage, settled = after_the_end(space, record=Renewing(space))

    assert settled.is_final
    assert stage.numbers == list(range(40))
