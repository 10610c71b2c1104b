"""Sources of frames, and the texts in a file."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adts_building import SILENT_STEREO, adts_frame, stretch
from hydrophone.errors import MediaError
from hydrophone.media.frames import (
    RATES,
    SILENT_BLOCK,
    AudioConfig,
    JoinedSource,
    PlainFrames,
    SilenceSource,
    StretchSource,
    read_config,
)
from hydrophone.media.tags import Chapter, Tags, clean_text, metadata_box, one_line, orderly

ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("checksum", [False, True])
def test_config_is_read_from_a_header(rate: int, channels: int, checksum: bool) -> None:
    frame = adts_frame(b"x" * 9, rate=rate, channels=channels, checksum=checksum)

    assert read_config(frame) == AudioConfig(rate, channels, 2, 9 if checksum else 7)


@pytest.mark.parametrize("header", ["", "FFF14C", "49443304", "FFE14C80", "FFF17C80", "FFF14C00"])
def test_what_is_no_header_has_no_config(header: str) -> None:
    with pytest.raises(MediaError):
        read_config(bytes.fromhex(header))


@given(st.binary(max_size=10))
def test_any_bytes_have_a_config_or_none(data: bytes) -> None:
    try:
        assert read_config(data).rate in RATES
    except MediaError:
        pass


def test_the_decoder_is_told_rate_and_channels() -> None:
    assert AudioConfig(48000, 2).specific == bytes((0x11, 0x90))
    assert AudioConfig(44100, 2).specific == bytes((0x12, 0x10))
    assert AudioConfig(16000, 1).specific == bytes((0x14, 0x08))


def test_a_header_of_another_length_is_refused() -> None:
    with pytest.raises(MediaError):
        AudioConfig(48000, 2, header_bytes=8)


def test_hours_of_silence_share_one_block_of_memory() -> None:
    source = SilenceSource(SILENT_STEREO, 3 * SILENT_BLOCK + 1)

    blocks = list(source.stretches())

    assert [len(sizes) for sizes, _ in blocks] == [SILENT_BLOCK] * 3 + [1]
    assert blocks[0][1] is blocks[2][1]
    assert [len(sizes) for sizes in source.sizes()] == [len(sizes) for sizes, _ in blocks]


def test_joined_sources_can_be_asked_again() -> None:
    one = StretchSource([stretch([adts_frame(b"a")])])
    joined = JoinedSource(one, SilenceSource(SILENT_STEREO, 2), one)

    for _ in range(2):
        assert [list(sizes) for sizes in joined.sizes()] == [[8], [16, 16], [8]]
        assert b"".join(data for _, data in joined.stretches()) == adts_frame(b"a") + 2 * SILENT_STEREO + adts_frame(
            b"a"
        )


def test_plain_frames_leave_what_is_plain_alone() -> None:
    frames = [adts_frame(b"a" * 30), adts_frame(b"b" * 300, checksum=True)]

    ((sizes, data),) = PlainFrames(StretchSource([stretch(frames)])).stretches()

    assert data == adts_frame(b"a" * 30) + adts_frame(b"b" * 300)
    assert sizes == array("H", [37, 307])


@given(ANYTHING, st.integers(1, 60))
def test_cleaned_text_is_bounded_and_harmless(text: str, limit: int) -> None:
    cleaned = clean_text(text, limit)

    assert len(cleaned.encode()) <= limit
    assert not any((c < " " and c not in "\n\t") or "\x7f" <= c < "\xa0" for c in cleaned)
    assert "\n" not in one_line(text, limit)


def test_long_texts_are_bounded() -> None:
    assert len(metadata_box(Tags(title="鯨" * 10**6, comment="x" * 10**6, description="y" * 10**6))) < 40_000


def test_chapters_are_put_in_order() -> None:
    chapters = [
        Chapter(50.0, "too late"),
        Chapter(7.0, ""),
        Chapter(-1.0, "too early"),
        Chapter(3.0, "a\nb\x00"),
        Chapter(3.0001, "same moment"),
        Chapter(float("nan"), "never"),
    ]

    assert orderly(chapters, 50.0) == [Chapter(0.0, "Beginning"), Chapter(3.0, "a b"), Chapter(7.0, "Chapter 3")]
    assert orderly([], 50.0) == []


@given(st.lists(st.builds(Chapter, st.floats(), ANYTHING), max_size=20), st.floats(0.1, 1e6))
def test_chapters_rise_from_zero_within_the_recording(chapters: list[Chapter], seconds: float) -> None:
    starts = [chapter.start_seconds for chapter in orderly(chapters, seconds)]

    assert starts == sorted(set(starts))
    assert not starts or round(starts[0] * 1000) == 0
    assert all(0 <= start < seconds for start in starts)
