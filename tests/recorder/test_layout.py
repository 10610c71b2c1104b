"""Where each second comes from, and how long silence is."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from hydrophone.archive import Take, write_original
from hydrophone.audio import silence_frame
from hydrophone.hls import NumberSet
from hydrophone.model import GapCause, Segment
from hydrophone.recorder.layout import Layout, lay_out
from hydrophone.recorder.partframes import PartFrames
from hydrophone.recorder.plan import Plan

FRAME = bytes.fromhex("FFF14C80021FFC") + bytes(9)
TICKS_PER_FRAME = 1920
FRAMES = (141, 141, 140, 141, 141, 140, 141, 140)


def frames_of(number: int) -> int:
    return FRAMES[number % 8]


def begin_of(number: int) -> int:
    return sum(frames_of(n) for n in range(number))


@pytest.fixture
def take(tmp_path: Path) -> Iterator[Take]:
    with Take.open(tmp_path / "item") as take:
        yield take


def hold(
    take: Take,
    *numbers: int,
    frames: int | None = None,
    has_clock: bool = True,
    away_seconds: float = 0,
    verdict: str = "complete",
    channels: int = 2,
) -> None:
    for number in numbers:
        count = frames_of(number) if frames is None else frames
        ticks = begin_of(number) * TICKS_PER_FRAME + round(away_seconds * 90_000)
        tag = b"ID3\x04\0\0\0\0\0\x02" + number.to_bytes(2, "big")
        take.add_segment(
            0,
            number,
            tag + FRAME * count,
            frames=array("H", [len(FRAME)] * count),
            runs=[(len(tag), count)],
            verdict=verdict,
            name=f"chunk_1_{number}_a.aac",
            duration_seconds=frames_of(number) * 1024 / 48000,
            ticks=ticks if has_clock else None,
            rate=48_000,
            channels=channels,
        )


def laid_out(take: Take, last: int, plan: Plan | None = None) -> Layout:
    take.flush()
    return lay_out(take.segments(), plan or plan_of(take, last))


def plan_of(take: Take, last: int) -> Plan:
    plan = Plan({0: NumberSet(take.index.held(0))})
    plan.know(0, 0, last)
    return plan


def test_a_whole_recording_has_no_gap_and_the_length_of_its_frames(take: Take) -> None:
    hold(take, *range(16))

    layout = laid_out(take, 15)

    assert layout.coverage.is_complete
    assert layout.seconds == pytest.approx(2250 * 1024 / 48000)
    assert [part.frames for part in layout.parts] == [2250]


def test_silence_has_exactly_the_length_that_the_clock_tells(take: Take) -> None:
    hold(take, *range(5), *range(9, 16))

    layout = laid_out(take, 15)

    (gap,) = layout.gaps
    assert (gap.first, gap.last, gap.cause) == (5, 8, GapCause.NEVER_LISTED)
    assert layout.parts[0].silence == {5: begin_of(9) - begin_of(5)}
    assert layout.seconds == pytest.approx(2250 * 1024 / 48000)
    assert gap.begin_seconds == pytest.approx(begin_of(5) * 1024 / 48000, abs=1e-6)


def test_without_a_clock_silence_has_the_usual_length(take: Take) -> None:
    hold(take, *range(5), *range(9, 16), has_clock=False)

    assert laid_out(take, 15).parts[0].silence == {5: 563}  # 562.5 frames


def test_a_host_who_was_away_during_a_gap_does_not_lengthen_it(take: Take) -> None:
    hold(take, *range(5))
    hold(take, *range(6, 16), away_seconds=40)

    assert laid_out(take, 15).parts[0].silence == {5: 141}


def test_a_host_who_was_away_leaves_no_gap(take: Take) -> None:
    hold(take, *range(8))
    hold(take, *range(8, 16), away_seconds=40)

    assert laid_out(take, 15).coverage.is_complete


def test_what_is_missing_in_front_and_at_the_end_is_silence_too(take: Take) -> None:
    hold(take, 2, 3)

    layout = laid_out(take, 5)

    assert [(gap.first, gap.last) for gap in layout.gaps] == [(0, 1), (4, 5)]
    assert layout.parts[0].silence == {0: 281}
    assert layout.parts[0].tail == 281
    assert layout.gaps[0].begin_seconds == 0


def test_gaps_are_told_apart_by_their_cause(take: Take) -> None:
    hold(take, 0, 5)
    plan = Plan({0: NumberSet([0, 5])})
    plan.offer([(0, Segment(n, f"https://cdn.test/{n}", f"chunk_1_{n}_a.aac", 3.0)) for n in (1, 2)])
    for _ in range(2):
        job = plan.next(0.0)
        assert job is not None
        plan.give_up(job, GapCause.NOT_FOUND)

    layout = laid_out(take, 5, plan)

    assert [(gap.first, gap.last, gap.cause) for gap in layout.gaps] == [
        (1, 2, GapCause.NOT_FOUND),
        (3, 4, GapCause.NEVER_LISTED),
    ]
    assert layout.gaps[0].attempts == 1
    assert layout.gaps[0].end_seconds == layout.gaps[1].begin_seconds
    assert sum(layout.parts[0].silence.values()) == begin_of(5) - begin_of(1)


def test_a_segment_that_stayed_short_is_a_gap_of_what_it_lacks(take: Take) -> None:
    hold(take, 0, 2, 3)
    hold(take, 1, frames=65, verdict="suspect")

    layout = laid_out(take, 3)

    (gap,) = layout.gaps
    assert (gap.first, gap.last, gap.cause) == (1, 1, GapCause.DAMAGED)
    assert gap.end_seconds - gap.begin_seconds == pytest.approx((141 - 65) * 1024 / 48000, abs=1e-5)
    assert layout.parts[0].frames == begin_of(4)
    assert not layout.coverage.is_complete


def test_a_short_segment_before_a_gap_lacks_its_frames_once(take: Take) -> None:
    hold(take, 0, 4, 5)
    hold(take, 1, frames=61, verdict="suspect")
    layout = laid_out(take, 5)

    assert [(gap.first, gap.last, gap.cause) for gap in layout.gaps] == [
        (1, 1, GapCause.DAMAGED),
        (2, 3, GapCause.NEVER_LISTED),
    ]
    assert layout.seconds == pytest.approx(begin_of(6) * 1024 / 48_000)


def test_a_change_of_channels_begins_another_file(take: Take) -> None:
    hold(take, 0, 1)
    hold(take, 2, 3, channels=1)

    layout = laid_out(take, 3)

    assert [(part.channels, part.first, part.frames) for part in layout.parts] == [(2, 0, 282), (1, 2, 281)]
    assert layout.coverage.is_complete


def test_the_writer_gets_frames_without_tags_and_silence_in_the_gaps(take: Take, tmp_path: Path) -> None:
    hold(take, 0, 2)
    hold(take, 3, frames=10, verdict="suspect")
    layout = laid_out(take, 4)

    original = tmp_path / "original.aac"
    write_original(take, original)

    frames = PartFrames(original, layout.parts[0])
    sizes = [size for part in frames.sizes() for size in part]
    body = b"".join(data for _, data in frames.stretches())

    silent = silence_frame(48_000, 2)
    assert body == FRAME * 141 + silent * 141 + FRAME * 140 + FRAME * 10 + silent * (131 + 141)
    assert sum(sizes) == len(body)
    assert len(sizes) == layout.parts[0].frames


def test_an_empty_take_is_one_gap(take: Take) -> None:
    layout = laid_out(take, 9)

    assert layout.coverage.share == 0
    assert [(gap.first, gap.last) for gap in layout.gaps] == [(0, 9)]


def test_each_segment_is_shown_where_it_begins_and_what_is_sealed_is_not(take: Take) -> None:
    hold(take, 0, 1, 4, 6, 7)
    hold(take, 3, frames=65, verdict="suspect")
    hold(take, 5, frames=0, verdict="sealed")
    hold(take, 8, 9, channels=1)
    hold(take, 11, channels=1)
    take.flush()
    shown: list[tuple[int, float]] = []

    layout = lay_out(
        take.segments(),
        plan_of(take, 12),
        see=lambda position, stored: shown.append((stored.sequence, position)),
    )

    first, second = layout.parts
    begins = [begin_of(number) for number in (0, 1, 3, 4, 6, 7)]
    assert [number for number, _ in shown] == [0, 1, 3, 4, 6, 7, 8, 9, 11]
    assert [position for _, position in shown[:6]] == pytest.approx(
        [begin * 1024 / 48000 for begin in begins], abs=0.03
    )
    assert sum(first.silence.values()) == first.frames - sum(map(frames_of, (0, 1, 4, 6, 7))) - 65
    assert shown[6][1] == first.seconds
    assert shown[7][1] == first.seconds + frames_of(8) * 1024 / 48000
    assert shown[8][1] == first.seconds + (second.frames - second.tail - frames_of(11)) * 1024 / 48000
