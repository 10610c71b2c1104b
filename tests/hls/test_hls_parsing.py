"""The playlist reader: the samples, the grammar, and whatever else arrives under the name of a playlist."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counting import executed_lines
from hls_building import KEY, LIVE, NAMES, SAMPLES, TOKEN, URLS, choices, media, read_media
from hydrophone.errors import PlaylistError
from hydrophone.hls import MediaPlaylist, MultivariantPlaylist, expected_frames, parse_playlist

VIDEO = URLS["video_master_live"]


def sequences(playlist: MediaPlaylist) -> list[int]:
    return [segment.sequence for segment in playlist.segments]


# ---------------------------------------------------------------- samples


def test_live_window_is_read_with_all_it_says() -> None:
    playlist = media("live.poll1")

    assert sequences(playlist) == [40, 41, 42, 43]
    assert (playlist.target_duration, playlist.media_sequence, playlist.is_ended) == (4.0, 40, False)
    assert (playlist.skipped, playlist.refused, playlist.problems) == (0, (), ())
    first = playlist.segments[0]
    assert first.url == URLS["segment_live"]
    assert first.name == "chunk_1772564517774966050_40_a.aac"
    assert first.duration_seconds == 3.008
    assert first.written_ns == 1772564517774966050
    assert first.program_date_time == datetime(2026, 3, 3, 19, 2, 3, 416000, tzinfo=UTC)
    assert first.media_sequence == 40


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("live.poll2", range(41, 45)),
        ("live.poll3_window_jumped", range(52, 56)),
        ("live.stale_edge", range(39, 43)),
        ("live.last_before_404", range(96, 100)),
        ("snapshot.live", range(27)),
        ("snapshot.live_without_endlist", range(27)),
        ("snapshot.final", range(100)),
        ("replay", range(100)),
    ],
)
def test_lists_of_the_scene_have_the_numbers_they_should(name: str, expected: range) -> None:
    playlist = media(name)

    assert sequences(playlist) == list(expected)
    assert playlist.problems == ()
    for segment in playlist.segments:
        entry = NAMES["segments"][segment.sequence]
        assert segment.name == entry["name"]
        assert expected_frames(segment.duration_seconds) == entry["frames"]


def test_end_tag_is_told_and_nothing_more() -> None:
    assert media("snapshot.final").is_ended
    assert media("snapshot.final").playlist_type == "VOD"
    assert not media("snapshot.live_without_endlist").is_ended


def test_name_tells_the_number_after_a_hole() -> None:
    playlist = media("replay.with_hole")

    assert sequences(playlist) == [*range(11), *range(12, 24)]
    assert playlist.segments[11].media_sequence == 11


def test_segments_of_a_transcoded_list_are_fetched_from_the_original() -> None:
    original = media("snapshot.live", URLS["snapshot_original"])
    transcoded = media("snapshot.live", URLS["snapshot_in_master"])

    assert transcoded.segments == original.segments
    assert TOKEN not in transcoded.segments[0].url
    absolute = read_media("#EXTINF:3,\n" + URLS["segment_wrong_base_400"], URLS["snapshot_in_master"])
    assert absolute.segments[0].url == URLS["segment_plain"]


def test_segments_of_transcoded_video_stay_where_they_are() -> None:
    url = choices("video.master_dynamic_highlatency", VIDEO).variants[0].url
    playlist = media("video.variant_dynamic_highlatency", url)

    assert "/transcode/" in url
    assert playlist.segments[0].url.startswith(url.rpartition("/")[0])
    assert playlist.segments[0].duration_seconds == 2.0


def test_short_names_are_numbered_by_their_place() -> None:
    playlist = media("seed.variant", URLS["live"])

    assert sequences(playlist) == [0, 1, 2]
    assert [segment.duration_seconds for segment in playlist.segments] == [6.0, 6.0, 4.5]
    assert [segment.written_ns for segment in playlist.segments] == [None] * 3


def test_delta_answer_counts_what_it_leaves_out() -> None:
    playlist = media("video.variant_delta_skip", VIDEO)

    assert playlist.skipped == 12
    assert sequences(playlist) == list(range(313, 321))
    assert playlist.segments[0].media_sequence == 313
    assert sequences(media("video.variant_delta_full", VIDEO)) == list(range(300, 320))


def test_key_of_an_encrypted_list_lies_on_the_api_host() -> None:
    playlist = media("video.variant_aes128", VIDEO)

    key = playlist.segments[0].key
    assert key is not None
    assert key.url.startswith("https://twitter.com/i/live_video_stream/key?stream_name=")
    assert key.iv == (0x136).to_bytes(16, "big")
    assert playlist.problems == ()


def test_hostile_list_loses_its_hostile_entries_only() -> None:
    playlist = media("hostile")

    assert sequences(playlist) == [40, 44, 45, 46, 48]
    assert playlist.refused == (41, 42, 43, 47)
    assert [segment.duration_seconds for segment in playlist.segments] == [3.008, None, 3.008, 3.008, None]
    assert playlist.segments[3].byte_range == (0, 100)
    assert all(segment.url.startswith(LIVE.rpartition("/")[0]) for segment in playlist.segments)


def test_problems_never_repeat_what_the_list_said() -> None:
    for playlist in (media("hostile"), read_media(f"#EXT-X-KEY:METHOD=AES-128,URI=file:///{KEY}\n//{KEY}.example/x")):
        for problem in playlist.problems:
            assert not any(word in problem.text for word in ("etc", "169.254", "evil", KEY))


# ---------------------------------------------------------------- multivariant


def test_master_of_an_audio_space_leads_to_its_snapshot() -> None:
    playlist = choices("master.live")

    (variant,) = playlist.variants
    assert variant.url == URLS["snapshot_in_master"]
    assert (variant.bandwidth_bps, variant.width, variant.height) == (350_000, 8, 8)
    assert variant.codecs == "avc1.640015,mp4a.40.2"
    assert playlist.problems == ()


def test_video_master_names_its_choices() -> None:
    playlist = choices("video.master_dynamic_highlatency", VIDEO)

    assert {variant.name for variant in playlist.variants} == {"1080p60", "720p", "320p"}
    assert {variant.frame_rate for variant in playlist.variants} == {60.0, 30.0}


def test_master_without_pictures_names_its_choices_by_bandwidth() -> None:
    playlist = choices("seed.master")

    assert [variant.name for variant in playlist.variants] == ["64k", "128k"]
    assert playlist.variants[0].url == URLS["master"].rpartition("/")[0] + "/chunk_playlist_64k.m3u8"


def test_master_drops_itself_its_doubles_and_strangers() -> None:
    body = (
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x, y",LANGUAGE="de",DEFAULT=YES,URI="a.m3u8"\n'
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="z"\n#EXT-X-MEDIA:TYPE=AUDIO,URI="file:///a"\n'
        "#EXT-X-STREAM-INF:BANDWIDTH=1\nb.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nb.m3u8\nmaster_playlist.m3u8\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=x,RESOLUTION=1x,FRAME-RATE=nan\nhttps://evil.example/c.m3u8\nd.m3u8\n"
    )
    playlist = parse_playlist(body, url=URLS["master"])

    assert isinstance(playlist, MultivariantPlaylist)
    assert [variant.url.rpartition("/")[2] for variant in playlist.variants] == ["b.m3u8", "d.m3u8"]
    assert [(r.name, r.url is not None, r.is_default) for r in playlist.renditions] == [
        ("x, y", True, True),
        ("z", False, False),
    ]
    assert len(playlist.problems) == 6


def test_caller_may_forbid_a_variant() -> None:
    body = f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n#{'y' * 70_000}\n#EXT-X-STREAM-INF:BANDWIDTH=2\nb.m3u8\n"
    playlist = parse_playlist(body, url=URLS["master"], check=lambda _url: False)

    assert isinstance(playlist, MultivariantPlaylist)
    assert playlist.variants == ()
    assert len(playlist.problems) == 3


def test_master_of_many_variants_is_cut_off() -> None:
    body = "#EXTM3U\n" + "".join(f"#EXT-X-STREAM-INF:BANDWIDTH={n}\n{n}.m3u8\n" for n in range(10_050))

    playlist = parse_playlist(body, url=URLS["master"])

    assert isinstance(playlist, MultivariantPlaylist)
    assert len(playlist.variants) == 10_000
    assert playlist.problems[-1].text.startswith("the list goes on")


# ---------------------------------------------------------------- what is no playlist


@pytest.mark.parametrize(
    "body", [b"", b"<html><body>503</body></html>", b"\x00" * 100, b"\xff\xfe#\0E\0", b"# EXTM3U", "{}", b"ID3\4\0"]
)
def test_other_texts_are_refused(body: bytes | str) -> None:
    with pytest.raises(PlaylistError):
        parse_playlist(body, url=LIVE)


def test_text_of_more_than_8_mib_is_refused_unread() -> None:
    with pytest.raises(PlaylistError, match="larger"):
        parse_playlist(b"#EXTM3U\n" + b"\n" * 8 * 1024 * 1024, url=LIVE)


def test_head_alone_is_an_empty_list() -> None:
    playlist = parse_playlist(b"#EXTM3U", url=LIVE)

    assert isinstance(playlist, MediaPlaylist)
    assert playlist.segments == ()
    assert playlist.target_duration is None


# ---------------------------------------------------------------- forms of the text

PLAIN = (SAMPLES / "live.poll1.m3u8").read_bytes()


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + PLAIN,
        PLAIN.replace(b"\n", b"\r\n"),
        PLAIN.replace(b"\n", b" \t\n"),
        PLAIN.replace(b"\n", b"\0\n"),
        PLAIN.replace(b"\n", b"\n\n  \n"),
        b"\r\n \n" + PLAIN,
        PLAIN.rstrip(b"\n"),
        PLAIN + b"#EXT-X-SOMETHING-NEW:1\n# a remark\n",
    ],
    ids=["bom", "crlf", "blanks", "nul", "empty lines", "leading lines", "no last newline", "unknown tags"],
)
def test_form_of_the_text_does_not_matter(body: bytes) -> None:
    playlist = parse_playlist(body, url=LIVE)

    assert isinstance(playlist, MediaPlaylist)
    assert playlist.segments == media("live.poll1").segments
    assert playlist.problems == ()


def test_text_that_is_not_utf8_is_noted_and_read() -> None:
    playlist = read_media(b"#EXTINF:3,\xff\xfe\nchunk_1_7_a.aac\n#EXTINF:3,\n\xe9.aac")

    assert sequences(playlist)[0] == 7
    assert playlist.problems[0].text == "the text is not UTF-8"


def test_long_line_is_refused_and_the_rest_kept() -> None:
    playlist = read_media(f"#EXTINF:3,\nchunk_1_7_a.aac\n{'x' * 70_000}\n#{'y' * 70_000}\n#EXTINF:3,\nchunk_3_9_a.aac")

    assert sequences(playlist) == [7, 9]
    assert playlist.refused == (8,)


def test_list_of_more_than_200_000_entries_is_cut_off() -> None:
    playlist = read_media("#EXTINF:3,\na\n" * 200_010)

    assert len(playlist.segments) == 200_000
    assert playlist.problems[-1].text.startswith("the list goes on")


def test_problems_are_counted_but_not_all_kept() -> None:
    playlist = read_media("a\n" * 1000)

    assert len(playlist.segments) == 1000
    assert len(playlist.problems) == 201
    assert playlist.problems[-1].text == "and 800 more problems"


# ---------------------------------------------------------------- values of tags


@pytest.mark.parametrize("text", ["", "nan", "inf", "-1", "0", "1e3", "3601", "1_0", "٣", "0x3", "x" * 5000, ","])
def test_extinf_without_a_duration_is_none(text: str) -> None:
    playlist = read_media(f"#EXTINF:{text}\nchunk_1_7_a.aac")

    assert playlist.segments[0].duration_seconds is None
    assert len(playlist.problems) == 1


@pytest.mark.parametrize(("text", "seconds"), [("3.008,", 3.008), (" 3 ,a,b", 3.0), ("3", 3.0), (".5,", 0.5)])
def test_comma_and_title_of_extinf_may_be_absent(text: str, seconds: float) -> None:
    assert read_media(f"#EXTINF:{text}\nchunk_1_7_a.aac").segments[0].duration_seconds == seconds


def test_entry_without_extinf_is_kept() -> None:
    playlist = read_media("chunk_1_7_a.aac\n#EXTINF:3,\nchunk_2_8_a.aac")

    assert [segment.duration_seconds for segment in playlist.segments] == [None, 3.0]


@pytest.mark.parametrize("text", ["-5", str(2**63), "9" * 5000, "", "x", "1.5", "+3", "0x10"])
def test_media_sequence_out_of_this_world_is_zero(text: str) -> None:
    playlist = read_media(f"#EXT-X-MEDIA-SEQUENCE:{text}\n#EXTINF:3,\na.aac\n#EXTINF:3,\nb.aac")

    assert playlist.media_sequence == 0
    assert sequences(playlist) == [0, 1]
    assert len(playlist.problems) == 1


def test_names_win_over_an_absurd_media_sequence() -> None:
    text = "#EXT-X-MEDIA-SEQUENCE:9007199254740000\n#EXTINF:3,\nchunk_1_7_a.aac\n#EXTINF:3,\nchunk_2_8_a.aac"

    assert sequences(read_media(text)) == [7, 8]


def test_disorder_is_kept_and_doubles_are_dropped() -> None:
    text = "".join(f"#EXTINF:3,\nchunk_{n}_{n}_a.aac\n" for n in (40, 42, 41, 42, 43, 40, 43, 44))

    playlist = read_media(text)

    assert sequences(playlist) == [40, 42, 41, 43, 44]
    assert len(playlist.problems) == 3


def test_two_segments_of_one_number_are_told_apart_by_their_time() -> None:
    playlist = read_media("".join(f"#EXTINF:3,\nchunk_{ns}_{n}_a.aac\n" for ns, n in ((1, 8), (2, 9), (3, 0), (4, 8))))

    assert sequences(playlist) == [8, 9, 0, 8]


def test_refused_number_that_is_listed_properly_is_not_refused() -> None:
    playlist = read_media("#EXT-X-MEDIA-SEQUENCE:7\nfile:///x\nchunk_1_7_a.aac\nchunk_2_8_a.aac\nchunk_3_6_a.aac")

    assert sequences(playlist) == [7, 8, 6]
    assert playlist.refused == ()


def test_byte_ranges_follow_one_another() -> None:
    text = "".join(f"#EXT-X-BYTERANGE:{text}\n#EXTINF:3,\n{name}\n" for text, name in RANGES)

    assert [segment.byte_range for segment in read_media(text).segments] == [
        (0, 100),
        (100, 50),
        (500, 10),
        (0, 20),
        None,
        None,
        None,
    ]


RANGES = [("100@0", "a"), ("50", "a"), ("10@500", "a"), ("20", "b"), ("x@1", "b"), ("0@1", "b"), ("5@-1", "b")]


def test_marks_belong_to_the_entry_that_follows() -> None:
    playlist = read_media("#EXT-X-DISCONTINUITY\n#EXT-X-GAP\n#EXTINF:3,\na\n#EXTINF:3,\nb")

    assert [(s.is_discontinuity, s.is_gap) for s in playlist.segments] == [(True, True), (False, False)]


def test_marks_of_a_refused_entry_do_not_pass_to_the_next() -> None:
    playlist = read_media("#EXT-X-GAP\n#EXTINF:5,\nfile:///a\n#EXTINF:3,\nb")

    assert (playlist.segments[0].is_gap, playlist.segments[0].duration_seconds) == (False, 3.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-03T19:02:03.416Z", datetime(2026, 3, 3, 19, 2, 3, 416000, tzinfo=UTC)),
        ("2026-03-03T20:02:03+01:00", datetime(2026, 3, 3, 19, 2, 3, tzinfo=UTC)),
        ("2026-03-03T19:02:03", datetime(2026, 3, 3, 19, 2, 3, tzinfo=UTC)),
        ("2026-03-03T19:02:03.123456789Z", datetime(2026, 3, 3, 19, 2, 3, 123456, tzinfo=UTC)),
        ("0001-01-01T00:00:00+23:59", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_program_date_time_is_an_aware_instant_or_none(text: str, expected: datetime | None) -> None:
    at = read_media(f"#EXT-X-PROGRAM-DATE-TIME:{text}\n#EXTINF:3,\na").segments[0].program_date_time

    assert at == expected
    assert at is None or at.utcoffset() == UTC.utcoffset(None)


@pytest.mark.parametrize("text", ["SKIPPED-SEGMENTS=-1", "SKIPPED-SEGMENTS=99999999", "", "A=1"])
def test_absurd_skip_is_noted(text: str) -> None:
    playlist = read_media(f"#EXT-X-SKIP:{text}\n#EXTINF:3,\na")

    assert (playlist.skipped, sequences(playlist)) == (0, [0])
    assert len(playlist.problems) == 1


@pytest.mark.parametrize("tag", ["TARGETDURATION:nan", "DISCONTINUITY-SEQUENCE:x", "MAP:URI=file:///a", "MAP:"])
def test_other_absurd_values_are_noted(tag: str) -> None:
    assert len(read_media(f"#EXT-X-{tag}").problems) == (0 if tag == "MAP:" else 1)


def test_initialisation_section_is_kept() -> None:
    playlist = read_media('#EXT-X-DISCONTINUITY-SEQUENCE:3\n#EXT-X-MAP:URI="init.mp4",BYTERANGE="5@0"\n#EXTINF:3,\na')

    assert playlist.map_url == LIVE.rpartition("/")[0] + "/init.mp4"
    assert playlist.discontinuity_sequence == 3


@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc/passwd",
        "http://x.com/key",
        "https://evil.example/key",
        "https://x.com.evil.example/key",
        "https://x.com@evil.example/key",
        "https://evil.example\\@x.com/key",
        "https://x.com:8443/key",
        "https://[bad",
        "",
    ],
)
def test_key_from_elsewhere_is_refused_but_the_segment_kept(uri: str) -> None:
    key = read_media(f'#EXT-X-KEY:METHOD=AES-128,URI="{uri}"\n#EXTINF:3,\na').segments[0].key

    assert key is not None
    assert key.url == ""


@pytest.mark.parametrize("uri", ["https://x.com/k", "https://api.x.com/k", "https://twitter.com/k?a=1"])
def test_key_is_fetched_from_the_api_hosts(uri: str) -> None:
    key = read_media(f'#EXT-X-KEY:METHOD=AES-128,URI="{uri}",IV=0xzz\n#EXTINF:3,\na').segments[0].key

    assert key is not None
    assert (key.url, key.iv) == (uri, None)


def test_caller_may_say_where_keys_lie() -> None:
    text = '#EXT-X-KEY:METHOD=AES-128,URI="http://127.0.0.1:1/k"\n#EXTINF:3,\na'

    allowed = read_media(text, check_key=lambda url: url.startswith("http://127.0.0.1:1/")).segments[0].key
    refused = read_media(text, check_key=lambda _url: False).segments[0].key

    assert allowed is not None
    assert refused is not None
    assert (allowed.url, refused.url) == ("http://127.0.0.1:1/k", "")


def test_keys_end_with_method_none_and_unknown_methods_seal() -> None:
    text = "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=k\n#EXTINF:3,\na\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:3,\nb"
    first, second = read_media(text).segments

    assert first.key is not None
    assert first.key.url == ""
    assert second.key is None


def test_caller_may_forbid_a_host_and_is_asked_once() -> None:
    asked: list[str] = []

    def check(url: str) -> bool:
        asked.append(url)
        return "-ec-" not in url

    other = LIVE.replace("-fastly-", "-ec-").rpartition("/")[0]
    text = f"chunk_1_1_a.aac\nchunk_2_2_a.aac\n{other}/chunk_3_3_a.aac\n{other}/chunk_4_4_a.aac\nchunk_5_5_a.aac"
    playlist = read_media(text, check=check)

    assert sequences(playlist) == [1, 2, 5]
    assert playlist.refused == (3, 4)
    assert len(asked) == 2


def test_entries_below_an_address_that_is_no_web_address_are_refused() -> None:
    playlist = read_media("#EXTINF:3,\nchunk_1_7_a.aac", "file:///somewhere/list.m3u8")

    assert playlist.segments == ()
    assert playlist.refused == (0,)


# ---------------------------------------------------------------- anything at all

SAMPLE_BODIES = [path.read_bytes() for path in sorted(SAMPLES.glob("*.m3u8"))]
TAGS = (
    "#EXTINF:",
    "#EXT-X-KEY:METHOD=AES-128,URI=",
    "#EXT-X-BYTERANGE:",
    "#EXT-X-MEDIA-SEQUENCE:",
    "#EXT-X-SKIP:SKIPPED-SEGMENTS=",
    "#EXT-X-MAP:URI=",
    "#EXT-X-GAP",
    "#EXT-X-STREAM-INF:",
    "#EXT-X-PROGRAM-DATE-TIME:",
    "#EXT-X-MEDIA:",
    "#EXT-X-ENDLIST",
    "chunk_1_2_a.aac",
    "9999999999999999999",
    "nan",
    "-1",
    "..",
)
tags = st.sampled_from(TAGS)
lines = st.lists(st.one_of(tags, st.text(max_size=12), st.sampled_from(["\n", "\n", "\r\n"])), max_size=60)


@given(lines)
@settings(deadline=None, max_examples=300)
def test_no_text_of_tags_raises(parts: list[str]) -> None:
    playlist = parse_playlist("#EXTM3U\n" + "".join(parts), url=LIVE)

    if isinstance(playlist, MediaPlaylist):
        assert all(KEY in segment.url and segment.url.startswith("https://") for segment in playlist.segments)
        assert not {segment.sequence for segment in playlist.segments} & set(playlist.refused)


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_no_bytes_raise_behind_the_head(body: bytes) -> None:
    parse_playlist(b"#EXTM3U\n" + body, url=LIVE)


@given(
    st.sampled_from(SAMPLE_BODIES),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 6), st.binary(max_size=6)), min_size=1, max_size=6),
)
@settings(deadline=None, max_examples=300)
def test_mutated_samples_do_not_raise(body: bytes, cuts: list[tuple[int, int, bytes]]) -> None:
    for at, length, replacement in cuts:
        place = 8 + at % max(1, len(body) - 8)
        body = body[:place] + replacement + body[place + length :]
    try:
        parse_playlist(body, url=LIVE)
    except PlaylistError:
        assert not body.lstrip(b"\xef\xbb\xbf").startswith(b"#EXTM3U")


@pytest.mark.parametrize(
    "line",
    ["#EXTINF:3,\na\n", "A=", '#EXT-X-KEY:A="b",', "#EXT-X-MEDIA:" + "A" * 40, "\n", "#EXTINF:3,\nchunk_1_1_a.aac\n"],
)
def test_cost_grows_no_faster_than_the_text(line: str) -> None:
    def cost(times: int) -> int:
        body = "#EXTM3U\n#EXT-X-KEY:" + line * times
        return executed_lines(lambda: parse_playlist(body, url=LIVE))

    assert cost(2000) <= 2.2 * cost(1000) + 200
