"""Numbers that begin anew."""

from __future__ import annotations

from hydrophone.model import Segment
from hydrophone.recorder.epochs import MAX_EPOCHS, EpochMap

T0 = 1_772_564_400_000_000_000


def segment(number: int, seconds: float | None) -> Segment:
    ns = None if seconds is None else T0 + round(seconds * 1e9)
    return Segment(number, "https://cdn.test/x", f"chunk_{ns}_{number}_a.aac", 3.0, ns)


def test_a_space_counts_through() -> None:
    epochs = EpochMap()

    assert [epochs.assign(segment(n, 3.0 * n)) for n in range(50)] == [0] * 50


def test_a_stale_edge_is_no_new_epoch() -> None:
    epochs = EpochMap()
    epochs.assign_all([segment(n, 3.0 * n) for n in range(40, 44)])

    assert epochs.assign(segment(39, 117.0)) == 0
    assert epochs.assign(segment(0, 0.0)) == 0


def test_the_same_number_written_again_at_once_is_no_new_epoch() -> None:
    epochs = EpochMap()
    epochs.assign(segment(40, 120.0))

    assert epochs.assign(segment(40, 120.4)) == 0


def test_lower_numbers_written_later_begin_an_epoch() -> None:
    epochs = EpochMap()
    epochs.assign_all([segment(n, 3.0 * n) for n in range(40)])

    assert epochs.assign(segment(2, 406.0)) == 1
    assert epochs.assign(segment(3, 409.0)) == 1
    assert epochs.assign(segment(0, 400.0)) == 1, "its beginning, which only the snapshot names"
    assert epochs.assign(segment(39, 117.0)) == 0, "a stale edge of the old one"
    assert epochs.count == 2


def test_a_list_of_everything_shows_its_restart_by_itself() -> None:
    whole = [segment(n, 3.0 * n) for n in range(20)] + [segment(n, 200 + 3.0 * n) for n in range(30)]

    assigned = EpochMap().assign_all(whole)

    assert [epoch for epoch, _ in assigned] == [0] * 20 + [1] * 30


def test_a_resumed_take_knows_its_epochs() -> None:
    before = EpochMap()
    before.assign_all([segment(n, 3.0 * n) for n in range(20)])
    before.assign(segment(0, 200.0))

    after = EpochMap(before.boundaries)
    after.know(1, 5, T0 + 215_000_000_000)

    assert after.assign(segment(6, 218.0)) == 1
    assert after.assign(segment(7, 21.0)) == 0
    assert after.assign(segment(0, 400.0)) == 2


def test_names_without_an_instant_belong_to_the_first_epoch() -> None:
    epochs = EpochMap()

    assert [epochs.assign(segment(n, None)) for n in (1, 2, 3, 1)] == [0, 0, 0, 0]


def test_a_window_joined_late_is_doubtful_when_its_numbers_come_later_than_their_turn() -> None:
    fresh = EpochMap()

    assert not fresh.is_doubtful(segment(40, 122.0), T0)
    assert fresh.is_doubtful(segment(13, 144.0), T0)
    assert fresh.is_doubtful(segment(13, 39.0), None)
    assert not fresh.is_doubtful(segment(0, 500.0), T0)
    assert not fresh.is_doubtful(segment(40, None), T0)


def test_a_window_seen_after_a_pause_is_doubtful_unless_it_follows_on() -> None:
    epochs = EpochMap()
    epochs.assign_all([segment(n, 3.0 * n) for n in range(20)])

    assert not epochs.is_doubtful(segment(30, 92.0), T0), "its turn"
    assert not epochs.is_doubtful(segment(20, 400.0), T0), "the host was away"
    assert not epochs.is_doubtful(segment(3, 400.0), T0), "counted anew, for certain"
    assert epochs.is_doubtful(segment(30, 400.0), T0)


def test_the_list_of_everything_settles_a_doubt() -> None:
    epochs = EpochMap()
    epochs.assign_all([segment(n, 3.0 * n) for n in range(20)] + [segment(n, 105 + 3.0 * n) for n in range(6)])

    window = [segment(n, 105 + 3.0 * n) for n in range(13, 17)]
    assert [epoch for epoch, _ in epochs.assign_all(window)] == [1] * 4


def test_a_long_list_whose_times_jump_about_is_read_in_linear_time() -> None:
    # Looking behind each entry anew would take hours; the bound of this suite is minutes.
    segments = [named((n * 7919) % 25_000, 10**18 + (n % 7) * 10**12 - n * 10**5) for n in range(50_000)]
    epochs = EpochMap()

    assert len(epochs.assign_all(segments)) == 50_000
    assert epochs.count <= MAX_EPOCHS + 1


def test_a_long_list_and_a_short_one_tell_the_same_epochs() -> None:
    late = [named(5, 10**18 + 30 * 10**9), named(3, 10**18 + 31 * 10**9), named(4, 10**18 + 12 * 10**9)]
    padding = [named(6 + n, 10**18 + (40 + 3 * n) * 10**9) for n in range(100)]

    short = EpochMap().assign_all([*late, *padding[:10]])
    long = EpochMap().assign_all([*late, *padding])

    assert [epoch for epoch, _ in long[:13]] == [epoch for epoch, _ in short]


def named(sequence: int, written_ns: int) -> Segment:
    name = f"chunk_{written_ns}_{sequence}_a.aac"
    return Segment(sequence, f"https://cdn.test/{name}", name, 3.0, written_ns)
