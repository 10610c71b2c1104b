"""The verdict on a segment."""

from __future__ import annotations

import pytest

from audio_building import frame, sample, tag
from hydrophone.audio import Grade, judge, scan_adts

COMPLETE, SUSPECT, NOT_AUDIO = Grade.COMPLETE, Grade.SUSPECT, Grade.NOT_AUDIO


@pytest.mark.parametrize(
    ("name", "grade"),
    [
        ("chunk_1772564418764575344_7_a.aac", COMPLETE),
        ("variant.plain_sizes_7_a.aac", COMPLETE),
        ("variant.junk_before_id3_7_a.aac", COMPLETE),
        ("variant.no_tags_7_a.aac", COMPLETE),
        ("variant.truncated_7_a.aac", SUSPECT),
        ("variant.error_page_7_a.aac", NOT_AUDIO),
        ("variant.empty_7_a.aac", NOT_AUDIO),
    ],
)
def test_samples_are_judged_by_their_frames(name: str, grade: Grade) -> None:
    verdict = judge(scan_adts(sample(name)), 140)

    assert verdict.grade is grade
    assert (verdict.is_complete, verdict.is_suspect) == (grade is COMPLETE, grade is SUSPECT)
    assert verdict.is_audio == (grade is not NOT_AUDIO)


@pytest.mark.parametrize(
    ("body", "expected", "grade", "is_noted"),
    [
        (frame() * 10, 10, COMPLETE, False),
        (frame() * 9, 10, COMPLETE, False),
        (frame() * 11, 10, COMPLETE, False),
        (frame() * 8, 10, SUSPECT, True),
        (frame() * 9 + frame()[:10], 10, SUSPECT, True),
        (frame() * 5 + b"junk" + frame() * 4, 10, SUSPECT, True),
        (frame() * 5 + b"junk" + frame() * 5, 10, COMPLETE, True),
        (frame() * 10 + b"junk", 10, COMPLETE, True),
        (b"junk" + frame() * 10, 10, COMPLETE, True),
        (frame() * 30, 10, COMPLETE, True),
        (frame() * 10, None, COMPLETE, False),
        (frame() * 10 + frame()[:10], None, SUSPECT, True),
        (b"junk" + frame() * 10, None, COMPLETE, True),
        (tag(b"x" * 60), 10, NOT_AUDIO, True),
        (tag(b"x" * 60), None, NOT_AUDIO, True),
    ],
)
def test_verdict_follows_from_count_and_leftovers(
    body: bytes, expected: int | None, grade: Grade, is_noted: bool
) -> None:
    verdict = judge(scan_adts(body), expected)

    assert (verdict.grade, bool(verdict.reason)) == (grade, is_noted)


def test_body_cut_anywhere_is_never_complete() -> None:
    whole = sample()

    for end in range(0, len(whole) - 200, 37):
        assert not judge(scan_adts(whole[:end]), 140).is_complete
