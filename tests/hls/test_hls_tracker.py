"""Following a live playlist: each segment once, each absence told once, whatever the edges of the CDN show."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hls_building import FIRST_NS, SECOND, media, playlist, segment, window
from hydrophone.hls import LiveTracker, Missed, NumberSet, Step
from hydrophone.model import Segment


def fetched(step: Step) -> list[int]:
    return [one.sequence for one in step.fetch]


def test_tracker_begins_with_the_oldest_segment_listed() -> None:
    step = LiveTracker().see(playlist(first=40, count=4))

    assert fetched(step) == [40, 41, 42, 43]
    assert list(step.missed) == []
    assert (step.epoch, step.restarted, step.epochs) == (0, False, (0, 0, 0, 0))


def test_tracker_reports_segments_that_slid_away() -> None:
    tracker = LiveTracker()
    tracker.see(playlist(first=7, count=3))  # 7, 8, 9

    step = tracker.see(playlist(first=12, count=3))

    assert list(step.missed) == [10, 11]
    assert [s.sequence for s in step.fetch] == [12, 13, 14]


def test_window_of_the_scene_is_followed_through_a_jump_and_a_stale_edge() -> None:
    tracker = LiveTracker()
    steps = [
        tracker.see(media(f"live.{name}"))
        for name in ("poll1", "poll2", "stale_edge", "poll3_window_jumped", "poll2", "last_before_404")
    ]

    assert [fetched(step) for step in steps] == [
        [40, 41, 42, 43],
        [44],
        [39],
        [52, 53, 54, 55],
        [],
        [96, 97, 98, 99],
    ]
    assert [step.missed for step in steps[3:]] == [range(45, 52), range(0), range(56, 96)]
    assert tracker.highest == 99


@pytest.mark.parametrize(
    ("target", "with_news", "without"), [(4.0, 3.0, 1.5), (2.0, 2.0, 1.0), (0.5, 1.0, 1.0), (None, 3.0, 1.5)]
)
def test_wait_is_the_target_after_news_and_half_of_it_without(
    target: float | None, with_news: float, without: float
) -> None:
    tracker = LiveTracker()
    load = replace(playlist(1, 3), target_duration=target)

    assert tracker.see(load).wait == with_news
    assert tracker.see(load).wait == without


def test_claimed_end_stops_the_clock_but_not_the_tracker() -> None:
    tracker = LiveTracker()
    claimed = tracker.see(window(segment(1), segment(2), is_ended=True))
    after = tracker.see(window(segment(2), segment(3)))

    assert claimed.wait is None
    assert fetched(after) == [3]
    assert after.wait == 3.0


def test_alternating_edges_give_each_segment_once() -> None:
    tracker = LiveTracker()
    seen: list[int] = []
    for first in range(0, 40, 1):
        seen += fetched(tracker.see(playlist(first, 4)))
        seen += fetched(tracker.see(playlist(max(0, first - 3), 4)))

    assert seen == list(range(43))
    assert tracker.epoch == 0


def test_hole_in_the_list_is_told_once_and_filled_later() -> None:
    tracker = LiveTracker()
    first = tracker.see(window(segment(10), segment(12)))
    again = tracker.see(window(segment(10), segment(12), segment(13)))
    filled = tracker.see(window(segment(11), segment(12), segment(13)))

    assert first.unlisted == (Missed(0, range(11, 12)),)
    assert again.unlisted == ()
    assert fetched(filled) == [11]


def test_several_holes_are_all_told() -> None:
    tracker = LiveTracker()
    tracker.see(playlist(1, 2))
    step = tracker.see(window(segment(5), segment(7), segment(10)))

    assert [missed.numbers for missed in step.unlisted] == [range(3, 5), range(6, 7), range(8, 10)]
    assert step.missed == range(3, 5)


def test_entry_marked_as_gap_is_missing_until_it_is_offered() -> None:
    tracker = LiveTracker()
    step = tracker.see(window(segment(1), segment(2, is_gap=True), segment(3)))
    later = tracker.see(window(segment(2), segment(3)))

    assert fetched(step) == [1, 3]
    assert step.missed == range(2, 3)
    assert fetched(later) == [2]


def test_refused_numbers_are_told_once_and_are_not_missed_too() -> None:
    tracker = LiveTracker()
    tracker.see(playlist(1, 2))
    load = window(segment(3), segment(5), refused=(4,))

    step, again = tracker.see(load), tracker.see(load)

    assert (step.refused, step.unlisted) == ((4,), ())
    assert (again.refused, again.unlisted) == ((), ())
    assert fetched(tracker.see(window(segment(4), segment(5)))) == [4]


def test_disorder_in_the_list_is_put_in_order() -> None:
    step = LiveTracker().see(window(segment(3), segment(1), segment(2), segment(1)))

    assert fetched(step) == [1, 2, 3]
    assert step.unlisted == ()


def test_empty_window_changes_nothing() -> None:
    tracker = LiveTracker()

    assert fetched(tracker.see(window())) == []
    assert tracker.highest is None


# ---------------------------------------------------------------- epochs


def test_media_sequence_reset_with_the_same_names_is_no_restart() -> None:
    tracker = LiveTracker()
    tracker.see(playlist(40, 4))
    step = tracker.see(playlist(41, 4))  # the names tell 41 to 44, whatever MEDIA-SEQUENCE says

    assert (fetched(step), step.restarted) == ([44], False)


def test_numbers_that_begin_again_with_newer_names_are_a_new_epoch() -> None:
    tracker = LiveTracker()
    tracker.see(playlist(100, 4))

    step = tracker.see(playlist(0, 3, shift_seconds=600))

    assert step.restarted
    assert (step.epoch, step.epochs, fetched(step)) == (1, (1, 1, 1), [0, 1, 2])
    assert step.unlisted == ()
    assert tracker.highest == 2


def test_same_numbers_with_newer_names_are_a_new_epoch() -> None:
    tracker = LiveTracker()
    tracker.see(playlist(0, 4))

    step = tracker.see(playlist(0, 4, shift_seconds=60))

    assert (step.restarted, fetched(step)) == (True, [0, 1, 2, 3])


def test_window_across_a_restart_belongs_to_both_epochs() -> None:
    tracker = LiveTracker()
    tracker.see(playlist(95, 3))
    step = tracker.see(
        window(segment(99), segment(0, ns=FIRST_NS + 900 * SECOND), segment(1, ns=FIRST_NS + 903 * SECOND))
    )

    assert (fetched(step), step.epochs) == ([99, 0, 1], (0, 1, 1))
    assert step.unlisted == (Missed(0, range(98, 99)),)
    assert step.missed == range(0)


def test_segment_that_was_written_late_is_no_restart() -> None:
    tracker = LiveTracker()
    tracker.see(window(segment(10), segment(12), segment(13)))

    late = segment(11, ns=FIRST_NS + 13 * 3 * SECOND + 5)
    step = tracker.see(window(segment(10), late, segment(12), segment(13), segment(14)))

    assert (fetched(step), step.restarted) == ([11, 14], False)


def test_stale_edge_after_a_restart_shows_the_old_epoch() -> None:
    tracker = LiveTracker()
    tracker.see(playlist(96, 4))
    tracker.see(playlist(0, 2, shift_seconds=600))

    stale = tracker.see(playlist(95, 4))
    fresh = tracker.see(playlist(0, 4, shift_seconds=600))

    assert (fetched(stale), stale.epochs, stale.restarted) == ([95], (0,), False)
    assert (fetched(fresh), fresh.epochs, fresh.unlisted) == ([2, 3], (1, 1), ())


def test_epochs_go_on_counting_and_only_the_last_are_remembered() -> None:
    tracker = LiveTracker()
    for restart in range(50):
        step = tracker.see(playlist(0, 2, shift_seconds=600 * restart))
        assert (step.epoch, fetched(step)) == (restart, [0, 1])

    assert len(tracker._epochs) <= 16


def test_tracker_goes_on_where_an_earlier_run_stopped() -> None:
    held = NumberSet(range(50))
    tracker = LiveTracker(epoch=2, offered=held, newest_ns=FIRST_NS + 49 * 3 * SECOND)

    step = tracker.see(playlist(48, 4))
    restarted = tracker.see(playlist(0, 2, shift_seconds=9999))

    assert (fetched(step), step.epochs) == ([50, 51], (2, 2))
    assert (restarted.epoch, restarted.restarted) == (3, True)


# ---------------------------------------------------------------- names without a time


def named(*numbers: int, tag: str = "a") -> tuple[Segment, ...]:
    return tuple(segment(number, name=f"{tag}{number}.aac") for number in numbers)


def test_stale_edge_is_told_from_a_reset_by_the_names() -> None:
    tracker = LiveTracker()
    tracker.see(window(*named(5, 6, 7)))

    stale = tracker.see(window(*named(3, 4, 5)))
    reset = tracker.see(window(*named(6, 7, tag="b")))

    assert (fetched(stale), stale.restarted) == ([3, 4], False)
    assert (fetched(reset), reset.restarted) == ([6, 7], True)


def test_numbers_far_below_begin_anew() -> None:
    tracker = LiveTracker()
    for first in range(0, 200, 3):
        tracker.see(window(*named(first, first + 1, first + 2)))

    step = tracker.see(window(*named(0, 1)))

    assert (fetched(step), step.restarted) == ([0, 1], True)
    assert len(tracker._epochs[0].names) <= 64


def test_dates_tell_a_reset_from_a_stale_edge_too() -> None:
    def dated(number: int, tag: str, second: int) -> Segment:
        at = datetime(2026, 3, 3, 19, 0, second, tzinfo=UTC)
        return replace(segment(number, name=f"{tag}{number}.aac"), program_date_time=at)

    tracker = LiveTracker()
    tracker.see(window(dated(5, "a", 10), dated(6, "a", 13)))

    renamed = tracker.see(window(dated(5, "b", 10), dated(6, "b", 13)))
    reset = tracker.see(window(dated(6, "c", 30)))

    assert (fetched(renamed), renamed.restarted) == ([], False)
    assert (fetched(reset), reset.restarted) == ([6], True)


def test_stale_edge_of_a_middle_epoch_shows_that_epoch() -> None:
    tracker = LiveTracker()
    for restart in range(3):
        tracker.see(playlist(5, 2, shift_seconds=600 * restart))

    step = tracker.see(playlist(4, 2, shift_seconds=600))

    assert (fetched(step), step.epochs, step.restarted) == ([4], (1,), False)
    assert (fetched(tracker.see(playlist(5, 2, shift_seconds=600)))) == []


# ---------------------------------------------------------------- anything at all


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5)), max_size=30))
@settings(deadline=None, max_examples=300)
def test_whatever_the_edges_show_each_segment_is_fetched_once_and_each_absence_told_once(
    loads: list[tuple[int, int]],
) -> None:
    tracker = LiveTracker()
    got: list[int] = []
    told: list[int] = []
    listed: set[int] = set()
    for first, count in loads:
        step = tracker.see(playlist(first, count))
        got += fetched(step)
        told += [number for missed in step.unlisted for number in missed.numbers]
        listed |= set(range(first, first + count))
        assert not {number for missed in step.unlisted for number in missed.numbers} & set(got)

    assert sorted(got) == sorted(listed)
    assert len(told) == len(set(told))
    if listed:
        begin = next(first for first, count in loads if count)
        assert set(range(begin, max(listed))) <= listed | set(told)


def test_memory_does_not_grow_with_the_length_of_the_stream() -> None:
    tracker = LiveTracker()
    for first in range(0, 20_000, 4):
        tracker.see(playlist(first, 4))

    (epoch,) = tracker._epochs
    assert epoch.offered.ranges() == [range(20_000)]
    assert (len(epoch.names), len(epoch.noted)) == (0, 0)
