"""A window that is read again and again gives what reading it from the front gives, and the same segments."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydrophone.errors import PlaylistError
from hydrophone.hls import LiveTracker, MediaPlaylist, WindowReader, fresh_segments, parse_playlist

URL = "https://prod-fastly-eu-central-1.video.pscp.tv/Transcoding/v1/hls/KEY/non_transcode/eu-central-1/x/audio-space/"
HEAD = "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:4\n#EXT-X-INDEPENDENT-SEGMENTS\n"
DISCONTINUITY = "#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-START:TIME-OFFSET=0.01\n"


def entry(number: int, *, name: str = "", extinf: str = "3.008", extra: str = "", step_ns: int = 3_000_000_000) -> str:
    named = name or f"chunk_{1_748_800_795_438_476_400 + number * step_ns}_{number}_a.aac"
    minutes, seconds = divmod(number * 3, 60)
    dated = f"#EXT-X-PROGRAM-DATE-TIME:2025-06-01T18:{minutes % 60:02}:{seconds:02}.000Z\n"
    return f"{extra}{dated}#EXTINF:{extinf},\n{named}?type=live\n"


def listed(entries: list[str], first: int, *, head: str = HEAD, end: str = "") -> bytes:
    return f"{head}#EXT-X-MEDIA-SEQUENCE:{first}\n{DISCONTINUITY}{''.join(entries)}{end}".encode()


def window(first: int, count: int = 4) -> bytes:
    return listed([entry(number) for number in range(first, first + count)], first)


def read(reader: WindowReader, body: bytes, url: str = URL + "dynamic_playlist.m3u8") -> MediaPlaylist:
    found = reader.read(body, url=url)
    assert isinstance(found, MediaPlaylist)
    assert found == parse_playlist(body, url=url)
    return found


def test_the_same_bytes_are_the_same_list() -> None:
    reader = WindowReader()

    assert read(reader, window(40)) is read(reader, window(40))


@pytest.mark.parametrize("gone", [0, 1, 2, 3])
def test_of_a_window_that_moved_the_old_segments_are_the_same_ones(gone: int) -> None:
    reader = WindowReader()
    before = read(reader, window(40))

    after = read(reader, listed([entry(number) for number in range(40 + gone, 46)], 40 + gone))

    assert all(old is new for old, new in zip(before.segments[gone:], after.segments, strict=False))
    assert [one.sequence for one in fresh_segments(after.segments, before.segments)] == [44, 45]


def test_a_list_that_only_loses_segments_has_nothing_fresh() -> None:
    reader = WindowReader()
    before = read(reader, window(40))

    assert fresh_segments(read(reader, window(41, 3)).segments, before.segments) == ()


def test_a_long_way_is_followed_without_reading_from_the_front() -> None:
    reader = WindowReader()
    before = read(reader, window(9_990))
    for first in range(9_991, 10_010):
        after = read(reader, window(first))
        assert after.segments[2] is before.segments[3]
        before = after


def test_lists_that_have_no_segment_in_common_are_read_from_the_front() -> None:
    reader = WindowReader()
    before = read(reader, window(40))
    after = read(reader, window(50))

    assert fresh_segments(after.segments, before.segments) == after.segments


def test_another_address_is_another_list() -> None:
    reader = WindowReader()
    read(reader, window(40))

    found = read(reader, window(41), URL.replace("KEY", "OTHER") + "dynamic_playlist.m3u8")

    assert all("OTHER" in segment.url for segment in found.segments)


def test_a_changed_entry_in_the_middle_is_seen() -> None:
    reader = WindowReader()
    read(reader, window(40))
    changed = [entry(41), entry(42, extinf="2.5"), entry(43), entry(44)]

    assert read(reader, listed(changed, 41)).segments[1].duration_seconds == 2.5


@pytest.mark.parametrize(
    "tail",
    [
        entry(44, name="../../../OTHER/chunk_1_44_a.aac"),
        entry(44, name="https://elsewhere.example/chunk_1_44_a.aac"),
        entry(44, name="nameless.aac"),
        entry(42),
        entry(44, extinf="nan"),
        entry(44, extinf="0"),
        entry(44, extinf="99999"),
        entry(44).replace("2025-06", "2025-16"),
        entry(44, extra="#EXT-X-DISCONTINUITY\n"),
        entry(44, extra="#EXT-X-GAP\n"),
        entry(44, extra="#EXT-X-BYTERANGE:100@7\n"),
        entry(44, extra='#EXT-X-KEY:METHOD=AES-128,URI="https://x.com/key"\n'),
        entry(44, extra='#EXT-X-MAP:URI="init.mp4"\n'),
        entry(44) + "#EXT-X-ENDLIST\n",
        entry(44).rstrip("\n"),
        entry(44).replace("\n", "\r\n"),
        entry(44) + "\xff",
        "#EXT-X-STREAM-INF:BANDWIDTH=1\nother.m3u8\n",
    ],
)
def test_what_is_not_plain_in_the_new_part_is_read_by_the_rules(tail: str) -> None:
    reader = WindowReader()
    read(reader, window(40))
    body = window(41, 3) + tail.encode("latin-1")

    assert reader.read(body, url=URL + "l.m3u8") == parse_playlist(body, url=URL + "l.m3u8")
    read(reader, body)  # and what follows it
    read(reader, window(42))
    read(reader, window(43))


def test_what_is_no_list_is_told_and_forgets_nothing_that_counts() -> None:
    reader = WindowReader()
    read(reader, window(40))
    with pytest.raises(PlaylistError):
        reader.read(b"<html>", url=URL + "dynamic_playlist.m3u8")

    read(reader, window(41))


def test_a_changed_head_is_seen() -> None:
    reader = WindowReader()
    read(reader, window(40))
    slower = listed([entry(number) for number in range(41, 45)], 41, head=HEAD.replace("DURATION:4", "DURATION:9"))

    assert read(reader, slower).target_duration == 9.0


ENTRIES = st.sampled_from(("", "", "", "#EXT-X-DISCONTINUITY\n", "#EXT-X-GAP\n", "#EXT-X-BYTERANGE:9\n", "# a note\n"))
STEPS = st.tuples(
    st.integers(0, 6),  # entries that left
    st.integers(0, 5),  # entries that came
    st.sampled_from(("", "", "", "", "#EXT-X-ENDLIST\n", "#EXT-X-DISCONTINUITY\n", "\n")),
    st.sampled_from((HEAD, HEAD, HEAD, "\ufeff" + HEAD, HEAD.replace(":4", ":9"), HEAD + "#EXT-X-MEDIA-SEQUENCE:3\n")),
    st.integers(-1, 1),  # what the numbering is wrong by
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=12), st.data())
def test_any_course_of_a_window_is_read_as_from_the_front(
    steps: list[tuple[int, int, str, str, int]], data: st.DataObject
) -> None:
    reader, quick, slow = WindowReader(), LiveTracker(), LiveTracker()
    entries = [entry(number) for number in range(4)]
    first, number = 0, 4
    for gone, come, end, head, wrong in steps:
        del entries[:gone]
        first += gone
        for _ in range(come):
            extra = data.draw(ENTRIES)
            # Now and then a number comes again, or others are left out.
            number += data.draw(st.sampled_from((0, 0, 0, 0, 1, -1)))
            entries.append(entry(number, extra=extra))
            number += 1
        body = listed(entries, max(0, first + (wrong if gone > 4 else 0)), head=head, end=end)

        found = read(reader, body)

        # Also for whoever compares with the list before: fresh objects are all it may be told.
        copied = replace(found, segments=tuple(replace(segment) for segment in found.segments))
        assert quick.see(found) == slow.see(copied)
