"""The CDN of a video stream: masters, variants, delta, replay, original, AES-128, and what is in the segments."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import av
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from hydrophone.sandbox.cdn_video import video_key
from hydrophone.sandbox.scene import Kind, Scene, VideoVariant
from hydrophone.testing import SandboxBox, sandbox
from sandbox.cdn_client import fetch, sibling

SMALL = (
    VideoVariant(width=192, height=108, frame_rate=15, kbps=600),
    VideoVariant(width=320, height=180, frame_rate=30, kbps=2750, setting="encoder_setting_720p30_10"),
)


@pytest.fixture(scope="module")
def empty_box() -> Iterator[SandboxBox]:
    with sandbox() as box:
        yield box


@pytest.fixture
def box(empty_box: SandboxBox) -> SandboxBox:
    empty_box.control.reset()
    empty_box.control.pause()
    return empty_box


def load(box: SandboxBox, **fields: object) -> str:
    made: dict[str, object] = {"seconds": 120, "since": 61.2, "kind": Kind.BROADCAST, "variants": SMALL, **fields}
    box.control.load(Scene.live("here", **made))  # type: ignore[arg-type]
    url = box.stream_url("here")
    assert url is not None
    return url


def end(box: SandboxBox, seconds: float = 60) -> None:
    scene = box.scene("here")
    assert scene.ended_at is not None
    box.control.advance_to(scene.ended_at + timedelta(seconds=seconds))


def decode(data: bytes) -> tuple[int, int, set[tuple[int, int]], list[int]]:
    """Pictures, samples of sound, picture sizes, time stamps of pictures."""
    pictures, samples, sizes, stamps = 0, 0, set(), []
    with av.open(io.BytesIO(data), format="mpegts", options={"err_detect": "explode"}) as container:
        for stream in container.streams:
            stream.codec_context.options = {"err_detect": "explode"}
        for frame in container.decode():
            if isinstance(frame, av.VideoFrame):
                pictures += 1
                sizes.add((frame.width, frame.height))
                stamps.append(frame.pts or 0)
            else:
                samples += frame.samples  # type: ignore[union-attr]
    return pictures, samples, sizes, stamps


def counters_of(data: bytes, pid: int) -> list[int]:
    """The continuity counters of a stream, packet by packet."""
    packets = (data[at : at + 188] for at in range(0, len(data), 188))
    return [p[3] & 15 for p in packets if int.from_bytes(p[1:3], "big") & 0x1FFF == pid]


def test_live_master_names_variants_under_their_own_base(box: SandboxBox) -> None:
    url = load(box)
    assert url.endswith("-public/master_dynamic_highlatency.m3u8?type=live")
    master = fetch(url)
    assert "RESOLUTION=320x180" in master.text
    assert "BANDWIDTH=600000" in master.text

    variant = fetch(box.bases["cdn"] + master.names[0])
    assert len(variant.names) == 5
    assert "#EXT-X-TARGETDURATION:3\n" in variant.text
    segment = fetch(sibling(box.bases["cdn"] + master.names[0], variant.names[0]))
    assert segment.status == 200
    assert segment.header("content-type") == "video/MP2T"
    assert len(segment.body) % 188 == 0
    assert fetch(sibling(url, "dynamic_playlist.m3u8?type=live")).status == 404


@pytest.mark.parametrize(("index", "size", "rate"), [(0, (192, 108), 15), (1, (320, 180), 30)])
def test_joined_segments_decode_without_a_seam(box: SandboxBox, index: int, size: tuple[int, int], rate: int) -> None:
    variant_url = box.bases["cdn"] + fetch(load(box)).names[index]
    names = fetch(variant_url).names
    bodies = [fetch(sibling(variant_url, name)).body for name in names]

    pictures, samples, sizes, stamps = decode(b"".join(bodies))

    assert pictures == 10 * rate
    assert samples / 1024 in (468, 469)  # 10 s are 468.75 frames
    assert sizes == {size}
    assert {b - a for a, b in pairwise(stamps)} == {90_000 // rate}
    assert len(set(bodies)) == 5
    for pid in (0x100, 0x101):
        counters = counters_of(b"".join(bodies), pid)
        assert all((b - a) % 16 == 1 for a, b in pairwise(counters))


def test_delta_list_skips_when_asked_and_never_otherwise(box: SandboxBox) -> None:
    url = load(box)
    master = fetch(sibling(url, "master_dynamic_delta.m3u8?type=live"))
    skipping = box.bases["cdn"] + master.names[0]
    assert skipping.endswith("dynamic_delta.m3u8?type=live&_HLS_skip=YES")
    short, full = fetch(skipping), fetch(skipping.replace("&_HLS_skip=YES", ""))

    assert "#EXT-X-SKIP:SKIPPED-SEGMENTS=12\n" in short.text
    assert len(full.names) == 20
    assert short.names == full.names[12:]
    assert re.findall(r"MEDIA-SEQUENCE:\d+", short.text) == re.findall(r"MEDIA-SEQUENCE:\d+", full.text)


def test_replay_and_original_hold_everything(box: SandboxBox) -> None:
    load(box)
    end(box)
    url = box.stream_url("here")
    assert url is not None
    assert re.search(r"/non_transcode/.*-public/master_dynamic_\d{20}\.m3u8\?type=replay$", url)

    replay = fetch(box.bases["cdn"] + fetch(url).names[0])
    assert len(replay.names) == 60
    assert replay.text.endswith("#EXT-X-ENDLIST\n")
    original_url = url.replace("master_dynamic_", "playlist_").partition("?")[0]
    original = fetch(original_url)
    assert len(original.names) == 60
    assert decode(fetch(sibling(original_url, original.names[7])).body)[2] == {(320, 180)}


def test_video_space_has_the_master_that_replaces_the_replay_master(box: SandboxBox) -> None:
    url = load(box, kind=Kind.VIDEO_SPACE, has_replay=False)
    end(box)

    assert box.stream_url("here") is None
    master = fetch(sibling(url, "master_master_playlist.m3u8"))
    assert len(fetch(box.bases["cdn"] + master.names[0]).names) == 60


@pytest.mark.parametrize("iv", ["fixed", "sequence"])
def test_sealed_segments_open_with_the_key_and_the_plain_master_is_not_sealed(box: SandboxBox, iv: str) -> None:
    url = load(box, is_encrypted=True, extra={"aes_iv": iv})
    assert "/tw_master_dynamic_highlatency.m3u8" in url
    variant_url = box.bases["cdn"] + fetch(url).names[0]
    listed = fetch(variant_url)
    key_line = re.search(r'#EXT-X-KEY:METHOD=AES-128,URI="([^"]+)"(?:,IV=0x([0-9a-f]{32}))?\n', listed.text)
    assert key_line is not None
    scene = box.scene("here")
    assert key_line[1] == f"{box.bases['x']}/i/live_video_stream/key?stream_name={scene.stream_key}"
    sequence = int(re.findall(r"_(\d+)_a\.ts", listed.names[2])[0])
    number = int(key_line[2], 16) if iv == "fixed" else sequence

    sealed = fetch(sibling(variant_url, listed.names[2])).body
    opener = Cipher(algorithms.AES(video_key(scene)), modes.CBC(number.to_bytes(16, "big"))).decryptor()
    opened = opener.update(sealed) + opener.finalize()

    plain_url = box.bases["cdn"] + fetch(url.replace("tw_master", "master")).names[0]
    assert "EXT-X-KEY" not in fetch(plain_url).text
    assert opened[: -opened[-1]] == fetch(sibling(plain_url, listed.names[2])).body


def test_sealed_master_is_404_where_nothing_is_sealed(box: SandboxBox) -> None:
    assert fetch(load(box).replace("master_dynamic", "tw_master_dynamic")).status == 404
