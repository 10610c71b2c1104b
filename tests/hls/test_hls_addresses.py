"""CDN URLs: derived, compared, checked and redacted."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hls_building import KEY, LIVE, TOKEN, URLS
from hydrophone.hls import (
    is_audio_space,
    is_cdn_host,
    key_folder,
    live_url,
    master_url,
    original_url,
    parse_address,
    redact_url,
    same_stream,
    video_fallback_master_url,
    video_original_url,
)
from hydrophone.hls.addresses import EntryRule

AUDIO = ["live", "master", "snapshot_in_master", "snapshot_original", "snapshot_final", "replay", "segment_live"]
VIDEO = ["video_master_live", "video_master_delta", "video_master_replay", "video_replay_original"]
OTHER_KEY = "B" * 86


@pytest.mark.parametrize("name", AUDIO)
def test_live_and_master_follow_from_any_audio_url(name: str) -> None:
    assert live_url(URLS[name]) == URLS["live"]
    assert master_url(URLS[name]) == URLS["master"]
    assert is_audio_space(URLS[name])


@pytest.mark.parametrize("name", VIDEO)
def test_video_urls_have_no_audio_relatives(name: str) -> None:
    assert live_url(URLS[name]) is None
    assert master_url(URLS[name]) is None
    assert not is_audio_space(URLS[name])


def test_original_drops_the_token_and_nothing_else() -> None:
    assert original_url(URLS["snapshot_in_master"]) == URLS["snapshot_original"]
    assert original_url(URLS["segment_wrong_base_400"]) == URLS["segment_plain"]
    assert original_url(URLS["replay"]) == URLS["replay"]
    assert original_url("https://elsewhere.example/transcode/a.m3u8") == "https://elsewhere.example/transcode/a.m3u8"


def test_video_replay_leads_to_the_quality_that_was_sent() -> None:
    assert video_original_url(URLS["video_master_replay"]) == URLS["video_replay_original"]
    assert video_original_url(URLS["video_master_live"]) is None
    assert video_original_url(URLS["replay"]) is None


def test_video_space_has_a_second_place_to_ask() -> None:
    fallback = video_fallback_master_url(URLS["video_master_replay"])

    assert fallback is not None
    assert fallback.endswith("-public/master_master_playlist.m3u8")
    assert video_fallback_master_url(URLS["replay"]) is None


@pytest.mark.parametrize("url", list(URLS.values()))
def test_every_url_of_the_scene_is_put_together_again(url: str) -> None:
    address = parse_address(url)

    assert address is not None
    assert address.url == url
    assert address.key in url
    assert address.key not in repr(address)
    assert TOKEN not in repr(address)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://host/",
        "/Transcoding/v1/hls/" + KEY,
        "ftp://host/Transcoding/v1/hls/" + KEY + "/non_transcode/r/b/x",
        "https://host/Transcoding/v1/hls/short/non_transcode/r/b/x",
        f"https://host/Transcoding/v1/hls/{KEY}/other_kind/r/b/x",
        f"https://host/Transcoding/v1/hls/{KEY}/non_transcode/r/b/",
        f"https://host/Transcoding/v1/hls/{KEY}/non_transcode/r/b/more/x",
        f"https://host/before/Transcoding/v1/hls/{KEY}/non_transcode/r/b/x",
        "https://[bad/Transcoding/v1/hls/",
        "https://host/Transcoding/v1/hls/" + "x" * 9000,
    ],
)
def test_other_urls_are_no_addresses_of_the_cdn(url: str) -> None:
    assert parse_address(url) is None
    assert live_url(url) is None
    assert original_url(url) == url


def test_same_stream_compares_keys_not_hosts() -> None:
    other_host = LIVE.replace("prod-fastly-", "prod-ec-")

    assert same_stream(LIVE, other_host)
    assert same_stream(LIVE, URLS["snapshot_in_master"])
    assert not same_stream(LIVE, LIVE.replace(KEY, OTHER_KEY))
    assert not same_stream(LIVE, "https://host/a.m3u8")
    assert same_stream("https://host/a.m3u8?x=1", "https://host/a.m3u8")
    assert key_folder("https://[bad") is None


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("prod-fastly-eu-central-1.video.pscp.tv", True),
        ("canary-video-us-east-1.pscp.tv", True),
        ("x.video.periscope.tv", True),
        ("video.twitter.com", True),
        ("pscp.tv.evil.example", False),
        ("evilpscp.tv", False),
        ("x.com", False),
    ],
)
def test_hosts_of_the_cdn(host: str, expected: bool) -> None:
    assert is_cdn_host(host) is expected


# ---------------------------------------------------------------- where an entry may lead

GOOD = [
    "chunk_1_2_a.aac",
    "./chunk_1_2_a.aac?type=live",
    "/Transcoding/v1/hls/" + KEY + "/elsewhere/x.aac",
    LIVE,
    LIVE.replace("prod-fastly-", "prod-ec-"),
    "a%20b.aac",
]
BAD = [
    "file:///etc/passwd",
    "data:audio/aac;base64,AAAA",
    "concat:a|b",
    "javascript:alert(1)",
    "//evil.example/chunk_1_2_a.aac",
    "http://169.254.169.254/latest/meta-data/",
    "http://localhost/x",
    "http://2130706433/x",
    "http://0x7f.1/x",
    "http://[::1]/x",
    "https://user@" + LIVE.removeprefix("https://"),
    LIVE.replace("https:", "http:"),
    LIVE.replace(KEY, OTHER_KEY),
    LIVE.replace(".pscp.tv", ".pscp.tv:8443"),
    LIVE.replace("video.pscp.tv", "video.pscp.tv.evil.example"),
    "/",
    "/etc/passwd",
    "../../../../../other/x.aac",
    "../../../../../../other/chunk_2_47_a.aac",
    "%2e%2e/%2e%2e/%2E%2e/%2e%2e/%2e%2e/x.aac",
    "..\\..\\x.aac",
    "..%5c..%2fx.aac",
    "a b.aac",
    "a\nb.aac",
    "a\x00b.aac",
    "https://[bad/x.aac",
    "x" * 9000,
]


@pytest.mark.parametrize("reference", GOOD)
def test_entries_inside_the_stream_are_followed(reference: str) -> None:
    url, reason = EntryRule(LIVE).resolve(reference)

    assert url is not None
    assert reason == ""


@pytest.mark.parametrize("reference", BAD)
def test_entries_that_leave_the_stream_are_refused(reference: str) -> None:
    url, reason = EntryRule(LIVE).resolve(reference)

    assert url is None
    assert reason


def test_a_list_without_a_key_keeps_to_its_own_origin() -> None:
    rule = EntryRule("http://127.0.0.1:8080/list/a.m3u8")

    assert rule.resolve("b.aac") == ("http://127.0.0.1:8080/list/b.aac", "")
    assert rule.resolve("/c.aac")[0] == "http://127.0.0.1:8080/c.aac"
    assert rule.resolve("http://127.0.0.1:8081/b.aac")[0] is None
    assert rule.resolve("https://127.0.0.1:8080/b.aac")[0] is None
    assert EntryRule("https://a.pscp.tv/a.m3u8").resolve("https://b.pscp.tv/a.m3u8")[0] is None
    assert EntryRule("https://[bad").resolve("a.aac")[0] is None


@given(st.text(max_size=300))
@settings(deadline=None)
def test_whatever_is_followed_stays_in_the_folder_of_the_key(reference: str) -> None:
    url, _ = EntryRule(LIVE).resolve(reference)

    if url is not None:
        assert same_stream(url, LIVE)
        assert url.startswith("https://")


# ---------------------------------------------------------------- redaction


@pytest.mark.parametrize("url", list(URLS.values()))
def test_redacted_url_keeps_host_and_name(url: str) -> None:
    redacted = redact_url(url)

    assert KEY not in redacted
    assert TOKEN not in redacted
    assert redacted.startswith("https://prod-fastly-eu-central-1.video.pscp.tv/…/")
    assert redacted.endswith((".m3u8", ".aac"))


pieces = st.sampled_from(
    [KEY, TOKEN, "/", "?", "#", ".", "..", ":", "@", "%", "&", "type=live", "audio-space", "https://", "host", "a.m3u8"]
)


@given(st.lists(st.one_of(pieces, st.text(max_size=5)), max_size=12), st.sampled_from(["", "https://h.example/"]))
@settings(deadline=None, max_examples=300)
def test_redacted_url_never_shows_key_or_token(parts: list[str], head: str) -> None:
    redacted = redact_url(head + "".join(parts))

    assert KEY not in redacted
    assert KEY.lower() not in redacted.lower()
    assert not any(piece in redacted for piece in TOKEN.split("."))


@pytest.mark.parametrize(
    "text", ["", "https://[bad", "https://host:99999/a", "file:///etc/passwd", "https://h\x1b[0m/"]
)
def test_text_that_is_no_web_address_is_redacted_whole(text: str) -> None:
    assert redact_url(text) == "…"


@given(st.text(max_size=200))
@settings(deadline=None)
def test_redaction_takes_any_text(text: str) -> None:
    assert redact_url(text)
    assert redact_url("https://" + text)
