"""Links, ids and names, both ways; whatever is typed."""

from __future__ import annotations

import string
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.errors import LinkError
from hydrophone.links import RESERVED_NAMES, build_link, parse_link
from hydrophone.model import (
    BroadcastId,
    BroadcastRef,
    EventId,
    EventRef,
    MediaKey,
    MediaKeyRef,
    PlaylistRef,
    PostId,
    PostRef,
    ProfileRef,
    Ref,
    ShortLinkRef,
    SpaceId,
    SpaceRef,
)

SPACE = SpaceRef(SpaceId("1hydroPhoneXZ"))
KEY = "hRPIHkcmPhw6Csj5eBSBJT3qHCW0Z4LzR2mMd7RF6bTRxBVak_JXWRHfEI-ZhvTsfE7BGpe-hdMKJoX0DH7ghg"
CDN = (
    f"https://prod-fastly-eu-central-1.video.pscp.tv/Transcoding/v1/hls/{KEY}/non_transcode/eu-central-1"
    "/periscope-replay-direct-prod-eu-central-1-public/audio-space/"
)

HOSTS = [prefix + host for host in ("x.com", "twitter.com") for prefix in ("", "www.", "m.", "mobile.")]


@pytest.mark.parametrize("scheme", ["https://", "http://", "", "HTTPS://"])
@pytest.mark.parametrize("host", HOSTS)
def test_spaces_are_known_on_all_hosts(scheme: str, host: str) -> None:
    assert parse_link(f"{scheme}{host}/i/spaces/1hydroPhoneXZ") == SPACE


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("1hydroPhoneXZ", SPACE),
        ("  1hydroPhoneXZ\n", SPACE),
        ("<https://x.com/i/spaces/1hydroPhoneXZ>", SPACE),
        ("https://x.com/i/spaces/1hydroPhoneXZ/peek", SPACE),
        ("https://x.com/i/spaces/1hydroPhoneXZ/peek/?s=20#top", SPACE),
        ("https://X.com:443/i/spaces/1hydroPhoneXZ?s=20", SPACE),
        ("https://x.com/i/broadcasts/1harbourVideo", BroadcastRef(BroadcastId("1harbourVideo"))),
        ("twitter.com/i/broadcasts/1harbourVideo/", BroadcastRef(BroadcastId("1harbourVideo"))),
        ("https://x.com/i/events/2028900000000000001", EventRef(EventId("2028900000000000001"))),
        ("https://x.com/mara_lind/status/2028901017323569157", PostRef(PostId("2028901017323569157"), "mara_lind")),
        (
            "https://x.com/mara_lind/status/2028901017323569157/photo/1",
            PostRef(PostId("2028901017323569157"), "mara_lind"),
        ),
        ("https://x.com/i/web/status/2028901017323569157", PostRef(PostId("2028901017323569157"))),
        ("https://x.com/i/status/2028901017323569157?s=46", PostRef(PostId("2028901017323569157"))),
        ("https://twitter.com/statuses/2028901017323569157", PostRef(PostId("2028901017323569157"))),
        ("https://mobile.twitter.com/mara_lind", ProfileRef("mara_lind")),
        ("x.com/mara_lind/", ProfileRef("mara_lind")),
        ("@mara_lind", ProfileRef("mara_lind")),
        ("@thirteenchars", ProfileRef("thirteenchars")),
        ("https://t.co/HyDroPh0ne", ShortLinkRef("HyDroPh0ne")),
        ("t.co/HyDroPh0ne", ShortLinkRef("HyDroPh0ne")),
        ("28_2028900765724049408", MediaKeyRef(MediaKey("28_2028900765724049408"))),
        (CDN + "dynamic_playlist.m3u8?type=live", PlaylistRef(CDN + "dynamic_playlist.m3u8?type=live")),
        (CDN + "chunk_1772564403400000000_0_a.aac", PlaylistRef(CDN + "chunk_1772564403400000000_0_a.aac")),
        ("http://127.0.0.1:8080/live/a.m3u8?x=1", PlaylistRef("http://127.0.0.1:8080/live/a.m3u8?x=1")),
        ("media.example.org/a/b.M3U8", PlaylistRef("https://media.example.org/a/b.M3U8")),
        (
            "https://twitter.com/safety/unsafe_link_warning?unsafe_link=https://x.com/i/spaces/1hydroPhoneXZ",
            SPACE,
        ),
        (
            "https://twitter.com/safety/unsafe_link_warning?unsafe_link=https%3A%2F%2Fx.com%2Fi%2Fspaces%2F1hydroPhoneXZ",
            SPACE,
        ),
    ],
)
def test_every_known_form_is_read(text: str, ref: Ref) -> None:
    assert parse_link(text) == ref
    assert parse_link(build_link(ref)) == ref


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "mara_lind",
        "12 345",
        "https://x.com/",
        "https://x.com/home",
        "https://x.com/i/spaces/start",
        "https://x.com/i/spaces/short",
        "https://x.com/explore",
        "@settings",
        "@a_name_that_is_too_long",
        "https://x.com@evil.example/i/spaces/1hydroPhoneXZ",
        "https://user:word@x.com/i/spaces/1hydroPhoneXZ",
        "https://x.com:8443/i/spaces/1hydroPhoneXZ",
        "https://x.com.evil.example/i/spaces/1hydroPhoneXZ",
        "https://evilx.com/i/spaces/1hydroPhoneXZ",
        "ftp://x.com/i/spaces/1hydroPhoneXZ",
        "file:///etc/passwd.m3u8",
        "https://[::1/i/spaces/1hydroPhoneXZ",
        "https://x.com:notaport/i/spaces/1hydroPhoneXZ",
        "https://x.com/i/spaces/1hydroPhoneXZ\x00",
        "https://x.com/i/spaces/1hydro\u200bPhoneXZ",
        "\ud800" * 13,
        "https://t.co/",
        "https://example.org/",
        "x" * 10_000_000,
    ],
    ids=lambda text: text[:40].encode("ascii", "backslashreplace").decode(),
)
def test_everything_else_is_refused_with_a_list_of_what_is_accepted(text: str) -> None:
    with pytest.raises(LinkError) as caught:
        parse_link(text)

    assert "i/spaces" in caught.value.advice
    assert len(caught.value.text) <= 81
    caught.value.message.encode()


@pytest.mark.parametrize("junk", [None, 5, b"1hydroPhoneXZ", ["x"]])
def test_what_is_no_text_is_refused_like_any_other_junk(junk: object) -> None:
    with pytest.raises(LinkError):
        parse_link(junk)  # type: ignore[arg-type]


def test_a_playlist_url_shows_no_key_in_errors_and_reprs() -> None:
    assert KEY not in repr(parse_link(CDN + "a.m3u8"))
    with pytest.raises(LinkError) as caught:
        parse_link("https://example.org/watch?token=" + KEY)
    assert KEY not in caught.value.message


@pytest.mark.parametrize(
    "ref",
    [
        SpaceRef(SpaceId("../../etc")),
        BroadcastRef(BroadcastId("1/2")),
        EventRef(EventId("x")),
        PostRef(PostId("1"), "i"),
        ProfileRef("home"),
        ShortLinkRef("a/b"),
        MediaKeyRef(MediaKey("28")),
        PlaylistRef("file:///x.m3u8"),
    ],
)
def test_refs_that_would_mean_something_else_are_not_built(ref: Ref) -> None:
    with pytest.raises(LinkError):
        build_link(ref)


ALPHANUMERIC = string.ascii_letters + string.digits
names = st.text(ALPHANUMERIC + "_", min_size=1, max_size=15).filter(lambda name: name.lower() not in RESERVED_NAMES)
digits = st.text(string.digits, min_size=1, max_size=20)
ids = st.text(ALPHANUMERIC, min_size=13, max_size=13)
refs = st.one_of(
    ids.map(lambda text: SpaceRef(SpaceId(text))),
    ids.map(lambda text: BroadcastRef(BroadcastId(text))),
    digits.map(lambda text: EventRef(EventId(text))),
    st.builds(PostRef, digits.map(PostId), st.none() | names),
    names.map(ProfileRef),
    st.text(ALPHANUMERIC, min_size=1, max_size=20).map(ShortLinkRef),
    st.from_regex(r"28_[0-9]{5,19}", fullmatch=True).map(lambda text: MediaKeyRef(MediaKey(text))),
    st.text(ALPHANUMERIC + "-_/", max_size=50).map(lambda text: PlaylistRef(f"https://cdn.example/{text}.m3u8?a=b")),
)


@given(refs)
def test_what_is_built_is_read_back(ref: Ref) -> None:
    assert parse_link(build_link(ref)) == ref


@given(st.text() | st.text(ALPHANUMERIC + "/:@?#%[].", max_size=60).map(lambda tail: "https://x.com/" + tail))
def test_any_text_gives_a_ref_or_a_link_error(text: str) -> None:
    try:
        ref = parse_link(text)
    except LinkError:
        return
    assert parse_link(build_link(ref)) == ref


@given(st.text(ALPHANUMERIC + "/:@?#%[].-_ ", max_size=80))
def test_any_url_like_text_gives_a_ref_or_a_link_error(tail: str) -> None:
    for head in ("https://", "http://t.co/", "//", "https://twitter.com/safety/unsafe_link_warning?unsafe_link="):
        with suppress(LinkError):
            parse_link(head + tail)
