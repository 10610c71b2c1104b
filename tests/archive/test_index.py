from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.archive.index import SegmentIndex
from hydrophone.errors import ArchiveError


def put(index: SegmentIndex, epoch: int, sequence: int, *, length: int = 10, is_complete: bool = True) -> int:
    return index.put(epoch, sequence, length=length, frames=3, duration_seconds=3.0, is_complete=is_complete)


def test_index_lists_by_epoch_and_sequence_whatever_the_order_of_arrival() -> None:
    index = SegmentIndex()
    for epoch, sequence in [(1, 4), (0, 9), (0, 2), (1, 3), (0, 5)]:
        put(index, epoch, sequence)

    assert [(epoch, sequence) for epoch, sequence, _ in index] == [(0, 2), (0, 5), (0, 9), (1, 3), (1, 4)]
    assert (0, 5) in index
    assert (0, 6) not in index
    assert index.epochs() == (0, 1)


def test_totals_follow_replacing_and_dropping() -> None:
    index = SegmentIndex()
    put(index, 0, 1, length=10, is_complete=False)
    put(index, 0, 1, length=30)
    put(index, 0, 2, length=5)
    assert (index.total_segments, index.total_bytes, index.total_suspect, index.total_seconds) == (2, 35, 0, 6.0)

    assert index.drop(0, 1)
    assert not index.drop(0, 1)
    assert (len(index), index.total_bytes, index.total_frames, index.total_seconds) == (1, 5, 3, 3.0)


def test_missing_names_the_runs_that_are_not_held() -> None:
    index = SegmentIndex()
    for sequence in (3, 4, 8):
        put(index, 0, sequence)

    assert index.missing(0, 1, 10) == [range(1, 3), range(5, 8), range(9, 11)]
    assert index.missing(0, 3, 4) == []
    assert index.missing(7, 1, 2) == [range(1, 3)]


def test_held_numbers_are_a_live_read_only_view() -> None:
    index = SegmentIndex()
    put(index, 0, 5)
    held = index.held(0)
    put(index, 0, 2)

    assert list(held) == [2, 5]
    assert 5 in held
    assert 4 not in held
    assert held[-1] == 5


@pytest.mark.parametrize("sequence", [-1, 2**64])
def test_impossible_numbers_are_refused_and_leave_the_columns_in_step(sequence: int) -> None:
    index = SegmentIndex()
    with pytest.raises(ArchiveError):
        put(index, 0, sequence)
    put(index, 0, 2**64 - 1)

    assert len({len(index.files), len(index.lines), len(index.flags), len(index.lengths)}) == 1
    assert len(index) == 1


def test_a_segment_costs_at_most_64_bytes() -> None:
    index = SegmentIndex()
    numbers = list(range(20_000))
    random.Random(1).shuffle(numbers)
    for sequence in numbers:
        put(index, 0, sequence)

    assert index.memory_bytes / 20_000 <= 64


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 12), st.booleans()), max_size=60))
def test_index_behaves_like_a_dictionary(steps: list[tuple[int, int, bool]]) -> None:
    index, model = SegmentIndex(), {}
    for length, (epoch, sequence, is_drop) in enumerate(steps):
        if is_drop:
            assert index.drop(epoch, sequence) == (model.pop((epoch, sequence), None) is not None)
        else:
            put(index, epoch, sequence, length=length)
            model[epoch, sequence] = length
    assert {(entry.epoch, entry.sequence): index.lengths[entry.row] for entry in index} == model
    assert index.total_bytes == sum(model.values())
    for epoch in range(3):
        missing = {n for run in index.missing(epoch, 0, 12) for n in run}
        assert missing == {n for n in range(13) if (epoch, n) not in model}
