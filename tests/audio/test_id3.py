"""The tags between the frames, in every spelling that occurs or is legal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio_building import EXPECTED, FILES, OWNER, VECTORS, clock, frame, part, sample, synchsafe, tag, user_text
from counting import executed_lines
from hydrophone.audio import Tag, first_ticks, read_tags, scan_adts, tags_beside_frames
from hydrophone.audio.id3 import _straight_path, _Walk, decode_text, is_clock_alone, plain_texts


def only(body: bytes) -> Tag:
    (one,) = read_tags(body + frame() * 2)
    return one


def ids(one: Tag) -> list[str]:
    return [content.id for content in one.frames]


def test_tags_of_segment_7_are_read_whole() -> None:
    tags = read_tags(sample())

    assert [one.offset for one in tags] == [0, 73, 4814, 9652]
    assert [ids(one) for one in tags] == [["PRIV"], *[["TIT3", "TXXX", "TXXX", "TXXX"]] * 3]
    assert tags[0].ticks == 2078757327
    assert tags[1].text("TIT3") == "3981553224.446"
    assert tags[1].user_text("JSONMetadata") == '{"HydraVersion":4,"ntp":3981553224.446}'
    assert tags[1].user_text("HydraAudioLevel") == "[1,57]"
    assert tags[1].user_text("Unknown") is None
    assert not any(one.is_damaged or one.has_plain_sizes for one in tags)


def test_plain_sizes_read_the_same() -> None:
    plain = read_tags(sample("variant.plain_sizes_7_a.aac"))

    assert [one.frames for one in plain] == [one.frames for one in read_tags(sample())]
    assert [one.has_plain_sizes for one in plain] == [False, True, True, True]


# The largest of the vectors is larger than any tag that is read.
SIZES = [vector for vector in VECTORS["id3_sizes"] if vector["value"] <= 200_000]


@pytest.mark.parametrize("vector", SIZES, ids=lambda vector: str(vector["value"]))
@pytest.mark.parametrize("spelling", ["synchsafe", "plain"])
def test_either_spelling_of_a_size_is_read(vector: dict[str, Any], spelling: str) -> None:
    size = vector["value"]
    body = b"TSSE" + bytes.fromhex(vector[spelling]) + b"\0\0" + b"x" * size + part("TIT3", b"\x03end")

    one = only(tag(body))

    assert [len(content.data) for content in one.frames] == [size, 4]
    assert not one.is_damaged


def test_number_inside_json_is_not_taken_for_a_frame() -> None:
    # Read as synchsafe, the first frame would end right before "2000", four characters that could name a frame.
    value = b"\x03" + b"a" * 164 + b"2000" + b"b" * 124
    assert len(value) == 293
    one = only(tag(part("TXXX", value, plain=True) + part("TIT3", b"\x031")))

    assert ids(one) == ["TXXX", "TIT3"]
    assert one.has_plain_sizes


def test_padding_behind_the_frames_is_no_damage() -> None:
    assert not only(tag(part("TIT3", b"\x031") + bytes(100))).is_damaged


def test_damaged_tag_keeps_its_readable_beginning() -> None:
    one = only(tag(part("TIT3", b"\x031") + part("TALB", b"\x032") + b"rubbish without sense"))

    assert one.is_damaged
    assert ids(one) == ["TIT3", "TALB"]


def test_tag_above_the_cap_is_skipped() -> None:
    one = only(tag(part("TIT3", bytes(300_000))))

    assert (one.is_damaged, one.frames) == (True, ())


def test_version_2_3_has_plain_sizes_only() -> None:
    one = only(tag(part("TIT3", b"\0" * 300, plain=True) + part("TALB", b"\0x", plain=True), major=3))

    assert [len(content.data) for content in one.frames] == [300, 2]
    assert (one.version, one.has_plain_sizes, one.is_damaged) == ((3, 0), False, False)


def test_version_2_2_is_skipped() -> None:
    assert only(tag(b"TT2\0\0\1x", major=2)).is_damaged


@pytest.mark.parametrize("major", [3, 4])
def test_extended_header_is_skipped(major: int) -> None:
    extended = (6).to_bytes(4, "big") + bytes(6) if major == 3 else synchsafe(6) + b"\1\0"
    one = only(tag(extended + part("TIT3", b"\x03now"), flags=0x40, major=major))

    assert one.text("TIT3") == "now"


@pytest.mark.parametrize("size", [0, 1, 3, 10**6])
def test_absurd_extended_header_does_not_raise(size: int) -> None:
    only(tag(synchsafe(size)[: max(size, 2)] + part("TIT3", b"\x03now"), flags=0x40))


def test_footer_belongs_to_the_tag() -> None:
    one = only(tag(part("TIT3", b"\x03now"), flags=0x10))

    assert one.text("TIT3") == "now"
    assert one.size_bytes == 10 + 14 + 10


UNSYNCED = b"\0" + b"\xff\x00\xe0 and \xff\x00\x00"
SYNCED = b"\0" + b"\xff\xe0 and \xff\x00"


@pytest.mark.parametrize(
    "body",
    [
        tag(part("TIT3", UNSYNCED), flags=0x80),
        tag(part("TIT3", UNSYNCED, flags=0x02)),
        tag(part("TIT3", UNSYNCED, flags=0x02), flags=0x80),
        tag(part("TIT3", SYNCED)[:10] + UNSYNCED + part("TALB", b"\0x"), flags=0x80),
        tag(part("TIT3", SYNCED, plain=True)[:10] + UNSYNCED, flags=0x80, major=3),
    ],
    ids=["tag flag", "frame flag", "both", "sizes before", "version 2.3"],
)
def test_unsynchronisation_is_undone(body: bytes) -> None:
    assert only(body).first("TIT3") == SYNCED


def test_compressed_and_encrypted_frames_are_left_out() -> None:
    one = only(tag(part("TIT3", b"\x03a", flags=0x08) + part("TALB", b"\x03b", flags=0x04) + part("TPE1", b"\x03c")))
    old = only(tag(part("TIT3", b"\x03a", flags=0x80) + part("TPE1", b"G\x03c", flags=0x20), major=3))

    assert ids(one) == ["TPE1"]
    assert [content.data for content in old.frames] == [b"\x03c"]


def test_group_and_length_before_the_content_are_removed() -> None:
    one = only(tag(part("TIT3", b"G" + synchsafe(4) + b"\x03now", flags=0x41)))

    assert one.text("TIT3") == "now"


@pytest.mark.parametrize(
    ("data", "values"),
    [
        (b"", [""]),
        (b"\3", [""]),
        (b"\3now", ["now"]),
        (b"\3now\0", ["now"]),
        (b"\3a\0b\0", ["a", "b"]),
        (b"\0caf\xe9\0", ["café"]),
        (b"\1\xff\xfea\0\0\0\xff\xfeb\0", ["a", "b"]),
        (b"\1\xfe\xff\0a\0\0", ["a"]),
        (b"\2\0a\0\0", ["a"]),
        (b"\3\xff\xfe", ["\ufffd\ufffd"]),
        (b"\x99abc", ["abc"]),
    ],
)
def test_text_is_read_in_all_four_encodings(data: bytes, values: list[str]) -> None:
    assert decode_text(data) == values


def test_user_text_without_a_value_is_empty() -> None:
    assert only(tag(part("TXXX", b"\3HydraAudioLevel\0"))).user_text("HydraAudioLevel") == ""
    assert only(tag(part("TXXX", b"\3other\0x") + user_text("Mine", "y"))).user_text("Mine") == "y"


# ---------------------------------------------------------------- the clock of a segment


@pytest.mark.parametrize("name", [name for name in FILES if "error" not in name and "empty" not in name])
def test_first_ticks_are_those_of_the_first_tag(name: str) -> None:
    tags = read_tags(sample(name))

    assert first_ticks(sample(name)) == (tags[0].ticks if tags else None)


def test_first_ticks_are_found_in_any_tag_before_the_sound() -> None:
    assert first_ticks(tag(part("TIT3", b"\x03x") + clock(77)) + frame() * 2) == 77
    assert first_ticks(tag(part("TIT3", b"\x03x")) + tag(clock(78)) + frame() * 2) == 78
    assert first_ticks(frame() * 2 + tag(clock(79)) + frame() * 2) is None
    assert first_ticks(b"junk" * 20_000 + tag(clock(80)) + frame() * 2) is None


@pytest.mark.parametrize(
    ("private", "ticks"),
    [
        (OWNER + (2**63 + 5).to_bytes(8, "big"), 5),
        (OWNER + (7).to_bytes(8, "big") + b"more", 7),
        (OWNER + b"short", None),
        (OWNER[:-1], None),
        (b"another.owner\0" + bytes(8), None),
    ],
)
def test_ticks_are_thirty_three_bits_of_the_right_owner(private: bytes, ticks: int | None) -> None:
    body = tag(part("PRIV", private)) + frame() * 2

    assert read_tags(body)[0].ticks == ticks
    assert first_ticks(body) == ticks


def test_bodies_that_are_cut_in_the_clock_have_none() -> None:
    whole = sample()

    assert all(first_ticks(whole[:end]) is None for end in range(73))
    assert first_ticks(whole[:73]) == 2078757327


# ---------------------------------------------------------------- anything at all

contents = st.one_of(
    st.builds(part, st.sampled_from(["TIT3", "TXXX", "PRIV", "2000"]), st.binary(max_size=200), plain=st.booleans()),
    st.builds(part, st.just("TXXX"), st.binary(max_size=20), flags=st.integers(0, 255)),
    st.binary(max_size=20),
)


@given(st.lists(contents, max_size=8), st.integers(0, 255), st.integers(2, 5))
@settings(deadline=None, max_examples=300)
def test_no_tag_raises(parts: list[bytes], flags: int, major: int) -> None:
    body = tag(b"".join(parts), flags=flags, major=major) + frame() * 2
    for one in read_tags(body):
        one.text("TIT3")
        one.user_text("x")
    first_ticks(body)


@given(st.lists(contents, max_size=8), st.integers(3, 4))
@settings(deadline=None, max_examples=300)
def test_the_straight_way_through_a_tag_is_the_one_that_the_search_finds(parts: list[bytes], major: int) -> None:
    body = b"".join(parts)
    straight = _straight_path(body, major, 0)
    if straight is not None:
        searched = _Walk(body, major)._search(0)
        assert (searched.path, searched.is_right) == (straight, True)


def test_an_ordinary_tag_is_read_the_straight_way() -> None:
    assert _straight_path(part("TIT3", b"\x031") + user_text("x", "y" * 300), 4, 0) is not None


@given(st.lists(st.one_of(st.integers(7, 60).map(frame), contents.map(tag), st.binary(max_size=12)), max_size=12))
@settings(deadline=None, max_examples=300)
def test_tags_beside_known_frames_are_those_of_a_scan(pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    scan = scan_adts(body)

    found = tags_beside_frames(body, scan.runs, scan.frame_sizes)

    assert found is None or found == scan.tags
    if not scan.junk_bytes and not scan.tail_bytes:
        assert found == scan.tags


def test_a_segment_of_the_service_needs_no_scan_for_its_tags() -> None:
    body = b"".join([tag(clock(5)), frame() * 3, tag(part("TIT3", b"\x031")), frame() * 2])
    scan = scan_adts(body)
    assert tags_beside_frames(body, scan.runs, scan.frame_sizes) == scan.tags
    assert [is_clock_alone(body, span) for span in scan.tags] == [True, False]


@given(st.lists(st.tuples(st.binary(max_size=300), st.booleans()), min_size=1, max_size=12))
@settings(deadline=None, max_examples=200)
def test_frames_of_mixed_sizes_always_have_a_right_reading(contents: list[tuple[bytes, bool]]) -> None:
    one = only(tag(b"".join(part("TXXX", data, plain=plain) for data, plain in contents)))

    assert not one.is_damaged


def test_ten_thousand_private_frames_are_capped() -> None:
    one = only(tag(part("PRIV", b"x\0") * 10_000))

    assert (len(one.frames), one.is_damaged) == (64, True)


def test_ambiguous_sizes_do_not_multiply() -> None:
    # Each of these frames fits under both readings, and none of the walks is right.
    unit = part("TXXX", b"TXXX" * 40, plain=True)

    def cost(times: int) -> int:
        return executed_lines(lambda: only(tag(unit * times + b"!")))

    assert cost(60) < 40 * 60 * 64


def told(body: bytes) -> list[tuple[dict[str, str], dict[str, str]] | None]:
    return [plain_texts(body, span) for span in scan_adts(body).tags]


@pytest.mark.parametrize("name", FILES)
def test_the_short_way_reads_the_tags_as_the_service_writes_them(name: str) -> None:
    body = sample(name)
    found = [texts for texts in told(body) if texts]

    assert len(found) == len(scan_adts(body).tags) or "plain_sizes" in name
    assert_same_texts(body)


def assert_same_texts(body: bytes) -> None:
    """Wherever the short way gives an answer, it is that of the careful one."""
    for one, found in zip(read_tags(body), told(body), strict=True):
        if found is not None:
            texts, user_texts = found
            assert not one.is_damaged
            assert user_texts == one.user_texts()
            assert texts == {name: one.text(name) for name in texts}
            assert {frame.id for frame in one.frames if frame.id.startswith("T")} - {"TXXX"} == set(texts)


PARTS = st.builds(
    part,
    st.sampled_from(["TIT3", "TXXX", "TXXX", "TKEY", "PRIV", "TZ9A", "T__A", "Txxx"]),
    st.one_of(
        st.binary(max_size=20),
        st.lists(
            st.sampled_from([b"\3", b"\0", b"JSONMetadata", b"{}", b"\xc3\xa4", b"\xff\xfe", b"7" * 130]), max_size=6
        ).map(b"".join),
        st.binary(max_size=200).map(lambda raw: b"\3key\0" + bytes(byte & 0x7F for byte in raw)),
    ),
    plain=st.booleans(),
    flags=st.sampled_from([0, 0, 0, 0, 1, 2, 4, 0x40]),
)


@given(
    st.lists(PARTS, max_size=6),
    st.sampled_from([0, 0, 0, 0x80, 0x40, 0x10]),
    st.sampled_from([4, 4, 4, 3]),
    st.sampled_from([b"", b"", b"\0", b"\0" * 11, b"TIT3"]),
)
@settings(deadline=None, max_examples=300)
def test_the_short_way_never_says_what_the_careful_one_does_not(
    parts: list[bytes], flags: int, major: int, rest: bytes
) -> None:
    assert_same_texts(tag(b"".join(parts) + rest, flags=flags, major=major) + frame() * 2)


@given(
    st.sampled_from([name for name in FILES if EXPECTED["files"][name].get("tags")]),
    st.integers(0, 14_000),
    st.binary(min_size=1, max_size=6),
)
@settings(deadline=None, max_examples=100)
def test_both_ways_read_a_changed_sample_alike(name: str, at: int, replacement: bytes) -> None:
    body = sample(name)
    tags = scan_adts(body).tags
    span = tags[at % len(tags)]
    at = span.offset + at % span.size_bytes
    assert_same_texts(body[:at] + replacement + body[at + len(replacement) :])
