"""Counting frames, cleanly and through junk."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio_building import EXPECTED, FILES, SEGMENT_7, VECTORS, frame, sample, tag
from counting import executed_lines
from hydrophone.audio import scan_adts
from hydrophone.audio.adts import AdtsScan, TagSpan, _scan_carefully, frame_size, scan_clean_adts, tag_size

CLEAN = [name for name in FILES if name.startswith("chunk_")]


@pytest.mark.parametrize("name", FILES)
def test_frames_of_each_sample_are_counted(name: str) -> None:
    body, expected = sample(name), EXPECTED["files"][name]
    assert hashlib.sha256(body).hexdigest() == expected["sha256"]

    scan = scan_adts(body)

    assert scan.frames == expected["adts_frames"]
    assert scan.leading_bytes == (expected.get("junk_bytes") or 0) or not scan.frames
    spans = [(one["offset"], one["bytes"], one.get("before_frame", 0)) for one in expected.get("tags", [])]
    assert [(one.offset, one.size_bytes, one.before_frame) for one in scan.tags] == spans
    if scan.frames:
        assert (scan.rate, scan.channels, scan.profile, scan.is_uniform) == (48_000, 2, 1, True)
        assert scan.samples == scan.frames * 1024


@pytest.mark.parametrize("name", CLEAN)
def test_clean_segments_take_the_short_way(name: str) -> None:
    assert scan_clean_adts(sample(name)) == _scan_carefully(sample(name))


def test_bytes_add_up() -> None:
    for name in FILES:
        body = sample(name)
        scan = scan_adts(body)
        tags = sum(span.size_bytes for span in scan.tags)
        assert sum(scan.frame_sizes) + tags + scan.junk_bytes + scan.tail_bytes == len(body)


def test_payload_without_tags_and_junk_is_the_plain_file() -> None:
    plain = sample("variant.no_tags_7_a.aac")

    for name in (SEGMENT_7, "variant.junk_before_id3_7_a.aac", "variant.plain_sizes_7_a.aac"):
        body = sample(name)
        assert scan_adts(body).payload(body) == plain


def test_false_beginning_in_the_junk_is_not_believed() -> None:
    scan = scan_adts(sample("variant.junk_before_id3_7_a.aac"))

    assert (scan.frames, scan.junk_bytes, scan.leading_bytes, scan.tail_bytes) == (140, 94, 94, 0)


def test_cut_body_leaves_a_tail() -> None:
    scan = scan_adts(sample("variant.truncated_7_a.aac"))

    assert (scan.frames, scan.junk_bytes, scan.tail_bytes) == (65, 0, 91)


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff" * 5000, b"ID3" * 100, bytes(1000), tag(b"x" * 50)])
def test_bodies_without_a_frame_have_none(body: bytes) -> None:
    scan = scan_adts(body)

    assert (scan.frames, scan.rate, scan.channels, scan.samples, scan.seconds, scan.tail_bytes) == (0, 0, 0, 0, 0.0, 0)
    assert scan.payload(body) == b""


def test_header_of_the_reference_is_read() -> None:
    for vector in VECTORS["adts"]:
        header = bytes.fromhex(vector["header"])
        assert frame_size(header, 0) == vector["frame_length"]
        scan = scan_adts(header + bytes(vector["frame_length"] - 7))
        assert (scan.rate, scan.channels, scan.profile) == (vector["sampling_rate"], vector["channels"], 1)


def test_runs_name_the_place_of_each_frame() -> None:
    head, middle = tag(b"ab"), tag(b"")
    body = head + frame(20) * 2 + middle + b"junk" + frame(30) * 3

    scan = scan_adts(body)

    assert scan.runs == ((len(head), 2), (len(head) + 40 + len(middle) + 4, 3))
    assert list(scan.frame_sizes) == [20, 20, 30, 30, 30]
    assert scan.tags == (TagSpan(0, len(head), 0), TagSpan(len(head) + 40, len(middle), 2))
    assert (scan.junk_bytes, scan.leading_bytes) == (4, 0)


def test_junk_between_frames_and_behind_them_costs_no_frame() -> None:
    scan = scan_adts(tag(b"a") + frame() * 5 + b"junk" + frame() * 5 + frame()[:3])

    assert (scan.frames, scan.junk_bytes, scan.leading_bytes, scan.tail_bytes) == (10, 4, 0, 3)


def test_frame_of_another_format_before_junk_is_not_believed() -> None:
    assert scan_adts(frame() * 2 + frame(channels=1) + b"junk" + frame() * 2).frames == 4


def test_checksums_and_several_blocks_are_counted() -> None:
    scan = scan_adts(frame(20, crc=True) + frame(40, blocks=4) + frame(20))

    assert (scan.frames, scan.samples, scan.seconds) == (3, 6 * 1024, 6 * 1024 / 48_000)


@pytest.mark.parametrize("change", [{"rate_index": 4}, {"channels": 1}])
def test_change_of_rate_or_channels_is_noticed_and_nothing_dropped(change: dict[str, int]) -> None:
    scan = scan_adts(frame() * 3 + frame(25, **change) * 3)

    assert (scan.frames, scan.is_uniform) == (6, False)
    assert (scan.rate, scan.channels) == (48_000, 2)


def test_mono_and_eight_channels_are_told() -> None:
    assert scan_adts(frame(channels=1)).channels == 1
    assert scan_adts(frame(channels=7)).channels == 8


def test_lengths_that_cannot_be_are_junk() -> None:
    for size in range(7):
        short = bytearray(frame(7))
        short[4], short[5] = size >> 3, (size & 7) << 5 | 0x1F
        scan = scan_adts(bytes(short) + frame())
        assert (scan.frames, scan.leading_bytes) == (1, 7)
    assert scan_adts(frame(7) * 5).frames == 5
    assert scan_adts(frame(8)[:7]).frames == 0
    assert scan_adts(frame(rate_index=13)).frames == 0


def test_tag_beyond_the_end_is_no_tag() -> None:
    claimed = b"ID3\4\0\0" + bytes([0x7F] * 4)

    assert tag_size(claimed, 0) == 0
    assert scan_adts(claimed + frame() * 2).frames == 2
    assert tag_size(b"ID3\4\0\0\0\0\x80\0" + bytes(200), 0) == 0
    assert tag_size(b"ID3\xff\0\0\0\0\0\0", 0) == 0
    assert tag_size(tag(b"abc", flags=0x10), 0) == 23


def test_large_tag_is_skipped_whole() -> None:
    body = tag(frame() * 20_000) + frame() * 2

    assert scan_adts(body).frames == 2


# ---------------------------------------------------------------- anything at all

pieces = st.one_of(
    st.builds(frame, st.integers(7, 60)),
    st.builds(frame, st.integers(7, 60), channels=st.integers(1, 2), crc=st.booleans()),
    st.builds(tag, st.binary(max_size=20)),
    st.binary(max_size=12),
    st.sampled_from([b"ID3", b"\xff\xf1", b"\xff", frame(30)[:20], b"\xff\xf1\x4c\x80\x0d\x1f\xfc"]),
)


def check(body: bytes) -> AdtsScan:
    scan = scan_adts(body)
    tags = sum(span.size_bytes for span in scan.tags)
    assert sum(scan.frame_sizes) + tags + scan.junk_bytes + scan.tail_bytes == len(body)
    assert sum(count for _, count in scan.runs) == scan.frames
    assert scan.leading_bytes <= scan.junk_bytes
    assert len(scan.payload(body)) == sum(scan.frame_sizes)
    return scan


@given(st.lists(pieces, max_size=30))
@settings(deadline=None, max_examples=400)
def test_short_way_agrees_with_the_careful_one(parts: list[bytes]) -> None:
    body = b"".join(parts)

    clean = scan_clean_adts(body)

    assert clean is None or clean == _scan_carefully(body)
    check(body)


@given(st.lists(st.one_of(st.builds(frame, st.integers(8, 60)), st.builds(tag, st.binary(max_size=9))), max_size=30))
@settings(deadline=None)
def test_frames_and_tags_alone_take_the_short_way(parts: list[bytes]) -> None:
    body = b"".join(parts)
    frames = sum(part.startswith(b"\xff") for part in parts)

    clean = scan_clean_adts(body)

    assert (clean.frames if clean else 0) == frames
    assert check(body).frames == frames


@given(st.binary(max_size=600))
@settings(deadline=None)
def test_no_bytes_raise(body: bytes) -> None:
    check(body)


@given(
    st.sampled_from([sample(name) for name in FILES]),
    st.lists(st.tuples(st.integers(0, 14_000), st.integers(0, 50), st.binary(max_size=8)), min_size=1, max_size=5),
)
@settings(deadline=None, max_examples=60)
def test_mutated_samples_do_not_raise(body: bytes, cuts: list[tuple[int, int, bytes]]) -> None:
    for at, length, replacement in cuts:
        at %= len(body) + 1
        body = body[:at] + replacement + body[at + length :]
    check(body)


@pytest.mark.parametrize(
    "unit",
    [
        b"\xff",
        b"\xff\xf1",
        b"ID3",
        b"\xff\xf1\x4c\x80",
        b"ID3\4\0\0\0\0\0\0",
        frame(7),
        frame(30),
        b"\xff\xf1\x4c\x80\x00\xff\xfc",
    ],
    ids=repr,
)
def test_cost_grows_no_faster_than_the_bytes(unit: bytes) -> None:
    def cost(times: int) -> int:
        return executed_lines(lambda: scan_adts(b"x" + unit * times))

    assert cost(4000) <= 2.2 * cost(2000) + 200


def test_crafted_junk_is_given_up_after_a_while() -> None:
    body = b"\xff\xf1" * 200_000

    assert executed_lines(lambda: scan_adts(body)) < executed_lines(lambda: scan_adts(body[:50_000])) * 1.1
    assert check(body).frames == 0
