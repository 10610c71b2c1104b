"""Silence: frames that decode to zeros, and as many as are missing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio_building import EXPECTED, sample
from hydrophone.audio import first_ticks, scan_adts, silence_frame, silent_frames, silent_frames_for_missing
from hydrophone.audio.adts import SAMPLING_RATES
from hydrophone.errors import MediaError


@pytest.mark.parametrize("rate", SAMPLING_RATES)
@pytest.mark.parametrize("channels", [1, 2])
def test_silent_frame_is_one_frame_of_that_rate(rate: int, channels: int) -> None:
    scan = scan_adts(silence_frame(rate, channels) * 3)

    assert (scan.frames, scan.rate, scan.channels, scan.profile, scan.is_uniform) == (3, rate, channels, 1, True)


def test_silent_frames_are_the_verified_bytes() -> None:
    assert silence_frame(48_000, 2).hex() == "fff14c80021ffc210049900219002380"
    assert silence_frame(48_000, 1).hex() == "fff14c4001bffc00c800802380"


def test_silent_frame_decodes_to_zeros() -> None:
    av = pytest.importorskip("av")
    from io import BytesIO

    for channels in (1, 2):
        with av.open(BytesIO(silence_frame(48_000, channels) * 20), format="aac") as container:
            frames = list(container.decode(audio=0))
        assert len(frames) >= 19
        assert not any(any(bytes(plane)) for one in frames for plane in one.planes)


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 6), (48_000, 0), (47_999, 2), (0, 1)])
def test_silence_of_another_kind_is_refused(rate: int, channels: int) -> None:
    with pytest.raises(MediaError):
        silence_frame(rate, channels)


def test_gap_between_two_segments_of_the_scene_is_exact() -> None:
    names = {entry["sequence"]: name for name, entry in EXPECTED["files"].items() if name.startswith("chunk_")}
    before, after = sample(names[8]), sample(names[57])
    entry_8, entry_57 = EXPECTED["files"][names[8]], EXPECTED["files"][names[57]]
    ticks_before, ticks_after = first_ticks(before), first_ticks(after)
    assert ticks_before is not None
    assert ticks_after is not None

    frames = silent_frames(ticks_before, ticks_after, scan_adts(before).frames)

    assert frames == entry_57["first_frame"] - entry_8["first_frame"] - entry_8["adts_frames"]
    assert silent_frames_for_missing(48) == pytest.approx(frames, abs=1)


def test_clock_that_goes_backwards_says_nothing() -> None:
    assert silent_frames(5_000_000, 4_000_000, 140) is None


def test_neighbours_that_overlap_need_no_silence() -> None:
    assert silent_frames(0, 1920 * 100, 140) == 0


@pytest.mark.parametrize(
    ("segments", "rate", "frames"), [(0, 48_000, 0), (1, 48_000, 141), (8, 48_000, 1125), (4, 44_100, 517)]
)
def test_missing_segments_stand_for_three_seconds_each(segments: int, rate: int, frames: int) -> None:
    assert silent_frames_for_missing(segments, rate) == frames


@given(st.integers(0, 2**33 - 1), st.integers(0, 1_000_000), st.integers(0, 200), st.sampled_from([48_000, 44_100]))
@settings(deadline=None)
def test_silence_and_sound_fill_the_time(before: int, frames: int, present: int, rate: int) -> None:
    ticks = round(frames * 90_000 * 1024 / rate)

    assert silent_frames(before, (before + ticks) % 2**33, present, rate) == max(0, frames - present)
