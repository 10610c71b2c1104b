"""Names of segments and playlists."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hls_building import NAMES, URLS
from hydrophone.hls import (
    SegmentName,
    parse_segment_name,
    playlist_number,
    snapshot_written_at,
    snapshot_written_ns,
)


@pytest.mark.parametrize("number", list(NAMES["playlist_numbers"]))
def test_playlist_number_tells_when_it_was_written(number: str) -> None:
    expected = NAMES["playlist_numbers"][number]

    assert snapshot_written_ns(f"playlist_{number}.m3u8?type=replay") == expected["unix_ns"]
    assert snapshot_written_ns(f"master_dynamic_{number}.m3u8") == expected["unix_ns"]
    assert playlist_number(expected["unix_ns"]) == int(number)
    at = snapshot_written_at(f"https://host/a/playlist_{number}.m3u8")
    assert at is not None
    assert at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z" == expected["utc"]


def test_nineteen_digits_of_old_recordings_count_up() -> None:
    at = snapshot_written_at("playlist_1462060800000000000.m3u8")

    assert at is not None
    assert at.isoformat() == "2016-05-01T00:00:00+00:00"


@pytest.mark.parametrize(
    "name",
    ["dynamic_playlist.m3u8", "playlist_1.m3u8", "playlist_99999999999999999999.m3u8", "playlist_16674x.m3u8", ""],
)
def test_other_playlist_names_tell_no_instant(name: str) -> None:
    assert snapshot_written_at(name) is None


def test_every_segment_of_the_scene_is_recognised() -> None:
    for entry in NAMES["segments"]:
        name = parse_segment_name(entry["name"])
        assert name is not None
        assert (name.sequence, name.extension) == (entry["sequence"], "aac")


def test_segment_is_recognised_by_its_url() -> None:
    expected = SegmentName(1772564517774966050, 40, "aac")

    assert parse_segment_name(URLS["segment_live"]) == expected
    assert parse_segment_name(URLS["segment_plain"]) == expected


@pytest.mark.parametrize(
    "name", ["chunk_00001.aac", "chunk_1_2.aac", "chunk_1_2_a.aac/", "chunk_١_2_a.aac", "chunk_1_-2_a.aac", ""]
)
def test_other_segment_names_are_left_to_their_place_in_the_list(name: str) -> None:
    assert parse_segment_name(name) is None


@given(st.text(max_size=200))
@settings(deadline=None)
def test_no_name_raises(text: str) -> None:
    parse_segment_name(text)
    snapshot_written_at(text)
