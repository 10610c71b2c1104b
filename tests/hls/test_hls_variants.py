"""Choosing a variant."""

from __future__ import annotations

import pytest

from hls_building import URLS, choices
from hydrophone.errors import PlaylistError, SettingsError
from hydrophone.hls import MultivariantPlaylist, Variant, choose_variant, expected_frames

VIDEO = choices("video.master_dynamic_highlatency", URLS["video_master_live"])


@pytest.mark.parametrize(
    ("wanted", "height"),
    [
        ("best", 1080),
        ("", 1080),
        ("worst", 320),
        ("smallest", 320),
        ("720p", 720),
        ("1079p", 720),
        ("4320", 1080),
        ("100p", 320),
        ("1080p60", 1080),
        ("audio", 320),
    ],
)
def test_video_variant_is_chosen_by_word_or_height(wanted: str, height: int) -> None:
    assert choose_variant(VIDEO, wanted).height == height


def test_best_pure_audio_is_chosen_for_audio() -> None:
    assert choose_variant(choices("seed.master"), "audio").bandwidth_bps == 128_000
    assert choose_variant(choices("master.live")).url == URLS["snapshot_in_master"]


def test_audio_is_told_by_codecs_and_size() -> None:
    assert Variant(url="u", codecs="mp4a.40.2").is_audio_only
    assert not Variant(url="u", codecs="mp4a.40.2, avc1.640015").is_audio_only
    assert not Variant(url="u", height=8).is_audio_only


def test_unknown_format_names_the_setting() -> None:
    with pytest.raises(SettingsError) as caught:
        choose_variant(VIDEO, "loudest")

    assert caught.value.setting == "format"


def test_choice_among_nothing_is_an_error_of_the_playlist() -> None:
    with pytest.raises(PlaylistError):
        choose_variant(MultivariantPlaylist(url="u"))


@pytest.mark.parametrize(
    ("seconds", "rate", "frames"),
    [(3.008, 48_000, 141), (2.987, 48_000, 140), (6.0, 44_100, 258), (None, 48_000, None)],
)
def test_expected_frames_follow_from_the_duration(seconds: float | None, rate: int, frames: int | None) -> None:
    assert expected_frames(seconds, rate) == frames
