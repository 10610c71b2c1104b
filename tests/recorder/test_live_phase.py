"""Following a live Space, hours of it, in virtual time."""

from __future__ import annotations

from datetime import timedelta

import pytest

import virtual_time
from hydrophone.errors import NotSignedInError, RateLimitedError
from hydrophone.http import Reply, Request
from hydrophone.model import SpaceState
from hydrophone.recorder.live import LiveEnd
from hydrophone.recorder.options import Patience
from recorder.stage import LIVE_URL, ORIGIN, Record, Space, Stage, media_list, not_found, said


def follow(space: Space, record: Record | None = None, **how: object) -> tuple[Stage, LiveEnd]:
    async def main() -> tuple[Stage, LiveEnd]:
        stage = Stage(space, record=record, **how)  # type: ignore[arg-type]
        return stage, await stage.follow()

    return virtual_time.run(main())


def test_two_hours_are_followed_to_the_end_that_the_record_tells() -> None:
    stage, end = follow(Space(2400))

    assert end.is_confirmed
    assert end.look.state is SpaceState.ENDED
    assert stage.numbers == list(range(2400))


def test_who_comes_late_gets_the_beginning_from_the_snapshot() -> None:
    space = Space(400)

    async def main() -> Stage:
        stage = Stage(space)
        space.began -= 600.0
        await stage.follow()
        return stage

    stage = virtual_time.run(main())

    assert stage.numbers == list(range(400))


@pytest.mark.parametrize("seconds", [30.0, 300.0, 2400.0])
def test_a_host_who_is_away_for_a_while_is_waited_for(seconds: float) -> None:
    stage, end = follow(Space(200, aways=((100, seconds),)))

    assert end.is_confirmed
    assert stage.numbers == list(range(200))


def test_the_record_is_looked_at_often_only_just_after_the_playlist_has_gone() -> None:
    space = Space(100, aways=((50, 1800.0),))
    stage, _ = follow(space)

    gone_at = space.cut_at(49) + 15.0
    soon = [at for at in stage.record.looks if gone_at <= at < gone_at + 70]
    later = [at for at in stage.record.looks if gone_at + 130 <= at < gone_at + 1730]
    assert len(soon) >= 6
    assert 25 <= len(later) <= 28


def test_an_absent_playlist_is_asked_for_soon_and_then_every_ten_seconds() -> None:
    space = Space(100, aways=((50, 1800.0),))
    stage, _ = follow(space)

    gone_at = space.cut_at(49) + 15.0
    assert len([at for at in stage.times("dynamic") if gone_at <= at < gone_at + 10]) >= 3
    assert 60 <= len([at for at in stage.times("dynamic") if gone_at + 60 <= at < gone_at + 660]) <= 130


def test_without_any_word_silence_of_ten_minutes_is_the_end() -> None:
    space = Space(50)
    stage, end = follow(space, Record(space, has_states=False))

    assert not end.is_confirmed
    assert end.look.state is SpaceState.UNKNOWN
    assert stage.numbers == list(range(50))
    assert 590 <= max(stage.times("dynamic")) - space.ends_at <= 660


def test_without_any_word_a_list_that_ends_is_believed_after_a_minute() -> None:
    space = Space(50)
    tail = media_list(range(46, 50), is_ended=True)
    space.answers.append(lambda request, now: said(200, tail) if "dynamic" in request.target and now > 150 else None)

    stage, end = follow(space, Record(space, has_states=False))

    assert not end.is_confirmed
    assert max(stage.times("dynamic")) < 250


def test_a_record_that_is_live_for_ever_does_not_make_us_hang() -> None:
    space = Space(50)
    record = Record(space, says=[(0, 1e9, SpaceState.LIVE)])

    stage, end = follow(space, record, patience=Patience(lingering=7200.0))

    assert not end.is_confirmed
    assert 7190 <= max(stage.times("dynamic")) - space.ends_at <= 7400


def test_a_record_that_says_the_end_too_early_is_not_believed_while_audio_comes() -> None:
    space = Space(200)
    record = Record(space, says=[(100, 400, SpaceState.ENDED)])

    stage, end = follow(space, record)

    assert end.is_confirmed
    assert stage.numbers == list(range(200))


def test_a_deleted_record_ends_the_recording_only_after_long_silence() -> None:
    space = Space(200, aways=((100, 300.0),))
    record = Record(space, troubles=[(60, 1e9, not_found())])

    stage, end = follow(space, record)

    assert end.look.state is SpaceState.UNKNOWN
    assert stage.numbers == list(range(200))
    assert len(record.looks) < 50


def test_a_used_up_budget_is_respected_to_the_second() -> None:
    space = Space(400)
    error = RateLimitedError("used up", retry_at=ORIGIN + timedelta(seconds=900))
    record = Record(space, troubles=[(100, 900, error)])

    stage, end = follow(space, record)

    assert end.is_confirmed
    assert [at for at in record.looks if 190 < at < 900] == []
    assert sum("goes on without the record" in text for text in stage.ear.notices) == 1


def test_who_may_not_ask_when_the_audio_stops_waits_until_asking_is_allowed() -> None:
    space = Space(400, aways=((100, 120.0),))
    error = RateLimitedError("used up", retry_at=ORIGIN + timedelta(seconds=900))
    record = Record(space, troubles=[(100, 900, error)])

    stage, end = follow(space, record)

    assert end.is_confirmed
    assert stage.numbers == list(range(400))
    told = next(at for at in record.looks if at >= 100)
    assert told < 300
    assert [at for at in record.looks if told < at < 899] == []
    assert [at for at in record.looks if 899 <= at < 930] != []


def test_a_dead_login_is_told_once_and_tried_again_after_five_minutes() -> None:
    space = Space(600)
    record = Record(space, troubles=[(100, 1e9, NotSignedInError("logged out", status=401))])

    stage, end = follow(space, record)

    assert not end.is_confirmed
    assert stage.numbers == list(range(600))
    assert sum("logged out" in text for text in stage.ear.notices) == 1
    assert len([at for at in record.looks if at > 100]) < 15


def test_a_refused_address_is_asked_for_anew_at_most_once_a_minute() -> None:
    space = Space(150)
    fresh = LIVE_URL.replace("k" * 86, "n" * 86)
    record = Record(space, stream_urls=[(0.0, LIVE_URL), (250.0, fresh)])

    def expired(request: Request, now: float) -> Reply | None:
        return said(403) if now > 100 and "k" * 86 in request.target else None

    space.answers.append(expired)
    stage, end = follow(space, record, poll_seconds=600.0)

    assert end.is_confirmed
    assert stage.ear.found_streams == [fresh]
    assert len([at for at in record.streams if 100 < at < 330]) <= 4
    assert stage.numbers == list(range(150))


def test_an_outage_longer_than_the_window_is_filled_from_the_snapshot_while_live() -> None:
    space = Space(300)
    space.answers.append(lambda request, now: said(503) if 200 < now < 320 else None)

    stage, _ = follow(space)

    assert stage.numbers == list(range(300))
    assert stage.plan.unlisted == 0


def test_what_no_list_names_stays_missing_and_is_known_to_be() -> None:
    space = Space(100, snapshot_every=1000)
    space.answers.append(lambda request, now: said(503) if 100 < now < 160 else None)

    stage, _ = follow(space)

    missing = [number for _, first, last in stage.plan.missing() for number in range(first, last + 1)]
    assert missing
    assert sorted(missing + stage.numbers) == list(range(100))
    assert {"epoch": 0, "first": 0, "last": stage.shelf.noted("known")[-1]["last"]} == stage.shelf.noted("known")[-1]


def test_from_the_live_edge_nothing_older_is_fetched() -> None:
    space = Space(100)

    async def main() -> Stage:
        stage = Stage(space, live_edge=True)
        space.began -= 150.0
        await stage.follow()
        return stage

    stage = virtual_time.run(main())

    assert stage.numbers[0] >= 45
    assert stage.numbers == list(range(stage.numbers[0], 100))
    assert stage.times("master") == []
