"""The CDN of Periscope: cookies of 2016, masters with absolute paths, AES-128 with a key for some, rotation in tags."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

import av
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from hydrophone.testing import SandboxBox, sandbox
from sandbox.cdn_client import sibling
from sandbox.periscope_asking import Said, ask, call, sid, switch

OLD, LIVE, REPLAY = "1yoKbWqNLdRGX", "1rmxPYOdkRvKN", "1OyKADwqjpeJb"
PRODUCER, PRIVATE, PRIVATE_LIVE = "1BRJjzLkWVaJw", "1lPKqXeRMbGGm", "1mnGeRwPNoqJX"


@pytest.fixture(scope="module")
def empty_box() -> Iterator[SandboxBox]:
    with sandbox() as box:
        yield box


@pytest.fixture
def box(empty_box: SandboxBox) -> SandboxBox:
    empty_box.control.reset()
    return empty_box


def access(box: SandboxBox, broadcast: str, **more: Any) -> Any:
    return call(box, "accessVideoPublic", broadcast_id=broadcast, replay_redirect="false", **more).json


def entries(playlist: Said) -> list[str]:
    assert playlist.status == 200, playlist
    return [line for line in playlist.text.splitlines() if line and not line.startswith("#")]


def decode(data: bytes) -> tuple[int, int]:
    """Pictures and samples of sound of a transport stream; any damage raises."""
    pictures = samples = 0
    with av.open(io.BytesIO(data), format="mpegts", options={"err_detect": "explode"}) as container:
        for frame in container.decode(video=0, audio=0):
            if isinstance(frame, av.VideoFrame):
                pictures += 1
            else:
                samples += frame.samples
    return pictures, samples


# ---------------------------------------------------------------- 2016


def cookie_header(said: Any) -> str:
    return "; ".join(f"{cookie['Name']}={cookie['Value']}" for cookie in said["cookies"])


def test_a_replay_of_2016_is_refused_without_its_cookies(box: SandboxBox) -> None:
    box.control.load("periscope-2016")
    said = access(box, OLD)
    url, good = said["replay_url"], cookie_header(said)

    names = entries(ask(url, Cookie=good))
    assert names == [f"chunk_{place}.ts" for place in range(20)]
    segment = sibling(url, names[0])
    assert ask(segment, Cookie=good).status == 200
    for bad in (
        "",
        good.split("; ", 1)[1],
        good.replace("Signature=", "Signature=x"),
        good.replace("APKA", "APKB"),
        re.sub("Policy=[^;]+", "Policy=e30_", good),
    ):
        assert ask(url, Cookie=bad).status == 403
        assert ask(segment, Cookie=bad).status == 403


def test_the_cookies_are_of_cloudfronts_alphabet_and_end_after_their_day(box: SandboxBox) -> None:
    box.control.load("periscope-2016")
    said = access(box, OLD)
    url, good = said["replay_url"], cookie_header(said)

    assert all(re.fullmatch(r"[A-Za-z0-9_~-]+", cookie["Value"]) for cookie in said["cookies"])
    assert all(cookie["Path"] == urlsplit(url).path.rpartition("/")[0] for cookie in said["cookies"])
    box.control.advance(86_399)
    assert ask(url, Cookie=good).status == 200
    box.control.advance(2)
    assert ask(url, Cookie=good).status == 403
    assert ask(url, Cookie=cookie_header(access(box, OLD))).status == 200
    switch(box, cookie_lifetime_seconds=5)
    short = cookie_header(access(box, OLD))
    box.control.advance(6)
    assert ask(url, Cookie=short).status == 403


def test_cookies_open_one_stream_only(box: SandboxBox) -> None:
    box.control.load("periscope-2016")
    box.control.load("periscope-came-back")
    other = cookie_header(access(box, "1nAKEwlQzMbJL"))

    assert ask(access(box, OLD)["replay_url"], Cookie=other).status == 403


def test_the_whole_of_2016_decodes_without_a_seam(box: SandboxBox) -> None:
    box.control.load("periscope-2016", seconds=8)
    said = access(box, OLD)
    url, cookies = said["replay_url"], cookie_header(said)

    data = b"".join(ask(sibling(url, name), Cookie=cookies).body for name in entries(ask(url, Cookie=cookies)))

    pictures, samples = decode(data)
    assert pictures == 4 * 30
    assert samples == pytest.approx(8 * 48_000, abs=1024)


# ---------------------------------------------------------------- replays since 2018, live


def test_a_producers_replay_is_multivariant_with_absolute_paths(box: SandboxBox) -> None:
    box.control.load("periscope-producer", seconds=4)
    url = access(box, PRODUCER)["replay_url"]

    variants = entries(ask(url))
    assert all(path.startswith("/Transcoding/v1/hls/") and "/transcode/" in path for path in variants)
    sizes = []
    for path in variants:
        playlist = ask(urljoin(url, path))
        data = b"".join(ask(urljoin(urljoin(url, path), name)).body for name in entries(playlist))
        assert decode(data)[0] == 4 * 30
        with av.open(io.BytesIO(data), format="mpegts") as container:
            sizes.append(container.streams.video[0].codec_context.width)
    assert sizes == [568, 320]


def test_a_phones_replay_is_a_media_playlist_that_is_complete(box: SandboxBox) -> None:
    box.control.load("periscope-replay", seconds=6)
    url = access(box, REPLAY)["replay_url"]
    text = ask(url).text

    assert "#EXT-X-PLAYLIST-TYPE:VOD" in text
    assert text.endswith("#EXT-X-ENDLIST\n")
    names = entries(ask(url))
    assert all(re.fullmatch(r"chunk_\d{19}_\d_a\.ts\?type=replay", name) for name in names)
    data = b"".join(ask(sibling(url, name)).body for name in names)
    assert decode(data)[0] == 3 * 30
    ledger = box.ledger(REPLAY)
    assert [row["name"] for row in ledger["segments"]] == [name.partition("?")[0] for name in names]


def test_the_live_address_is_no_playlist_at_first_then_a_window_then_it_ends(box: SandboxBox) -> None:
    box.control.load("periscope-live", started="-5s", seconds=40)
    box.control.pause()
    url = access(box, LIVE)["hls_url"]

    assert "#EXTM3U" not in ask(url).text
    box.control.advance(15)
    window = ask(url).text
    assert window.count("#EXTINF:2.000,") == 5
    assert window.count("#EXT-X-PROGRAM-DATE-TIME:") == 5
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-START:TIME-OFFSET=0.01" in window
    ended_at = box.scene(LIVE).ended_at
    assert ended_at is not None
    box.control.advance_to(ended_at + timedelta(seconds=1))
    last = ask(url).text
    assert last.endswith("#EXT-X-ENDLIST\n")
    assert "PLAYLIST-TYPE" not in last
    box.control.resume()


def test_a_live_list_may_end_in_silence(box: SandboxBox) -> None:
    box.control.load("periscope-live", extra={"periscope": {"closing": "silence"}})
    url = access(box, LIVE)["hls_url"]
    ended_at = box.scene(LIVE).ended_at
    assert ended_at is not None

    box.control.advance_to(ended_at + timedelta(seconds=20))

    assert ask(url).status == 200
    assert "ENDLIST" not in ask(url).text


def test_low_latency_lists_name_the_same_segments(box: SandboxBox) -> None:
    box.control.load("periscope-live")
    box.control.pause()
    said = access(box, LIVE)

    assert entries(ask(said["lhls_url"])) == entries(ask(said["lhlsweb_url"])) == entries(ask(said["hls_url"]))
    box.control.resume()


def test_partial_replay_and_live_window_share_their_names(box: SandboxBox) -> None:
    box.control.load("periscope-live")
    box.control.pause()
    live = {name.partition("?")[0] for name in entries(ask(access(box, LIVE)["hls_url"]))}
    partial = [
        name.partition("?")[0] for name in entries(ask(access(box, LIVE, latest_replay_playlist="true")["replay_url"]))
    ]
    numbers = [int(name.split("_")[2]) for name in partial]

    assert numbers == list(range(len(partial)))
    assert max(int(name.split("_")[2]) for name in live) >= numbers[-1]
    box.control.resume()


def test_one_segment_can_be_missing_for_ever(box: SandboxBox) -> None:
    box.control.load("periscope-live", quirks={"holes": [26]})
    box.control.pause()
    url = access(box, LIVE)["hls_url"]

    answers = {name.split("_")[2]: ask(sibling(url, name)).status for name in entries(ask(url))}

    assert answers["26"] == 404
    assert sorted(answers.values()) == [200, 200, 200, 200, 404]
    box.control.resume()


def test_what_only_x_knows_is_served_under_the_names_of_x(box: SandboxBox) -> None:
    box.control.load("periscope-gone", seconds=4)
    url = box.stream_url("periscope-gone")
    assert url is not None

    path = entries(ask(url))[0]
    data = b"".join(ask(urljoin(urljoin(url, path), name)).body for name in entries(ask(urljoin(url, path))))

    assert "/master_dynamic_" in url
    assert decode(data)[0] == 2 * 30


def test_broadcasts_of_x_are_known_to_periscope_too(box: SandboxBox) -> None:
    box.control.load("broadcast")
    box.control.load("broadcast-live")

    ended = access(box, box.scene("broadcast").id)
    live = access(box, box.scene("broadcast-live").id)

    assert ended["replay_url"] == box.stream_url("broadcast")
    assert live["hls_url"] == box.stream_url("broadcast-live")
    assert entries(ask(ended["replay_url"]))
    assert entries(ask(live["hls_url"]))


# ---------------------------------------------------------------- private


def private_playlist(box: SandboxBox, broadcast: str, cookie: str) -> str:
    """The replay by its redirector, or the live list."""
    said = call(box, "accessVideo", post=True, broadcast_id=broadcast, cookie=cookie).json
    assert said["hls_is_encrypted"] is True
    if "hls_url" in said:
        return str(said["hls_url"])
    assert "replayPlaylist.m3u8" in said["replay_url"]
    assert ask(said["replay_url"]).status == 401
    moved = ask(f"{said['replay_url']}&cookie={cookie}")
    assert moved.status == 301
    return moved.headers["location"]


@pytest.mark.parametrize("broadcast", [PRIVATE, PRIVATE_LIVE])
@pytest.mark.parametrize("iv", ["random", "sequence"])
def test_a_private_broadcast_is_encrypted_segment_by_segment(box: SandboxBox, broadcast: str, iv: str) -> None:
    name = "periscope-private" if broadcast == PRIVATE else "periscope-private-live"
    box.control.load(name, extra={"periscope": {"iv": iv}})
    box.control.pause()
    cookie = sid(box, "teo_varga")
    url = private_playlist(box, broadcast, cookie)
    lines = ask(url).text.splitlines()
    key_lines = [line for line in lines if line.startswith("#EXT-X-KEY:METHOD=AES-128")]
    names = [line for line in lines if line and not line.startswith("#")]
    assert len(key_lines) == len(names) >= 5
    assert all(lines[lines.index(line) - 1].startswith("#EXTINF") for line in names)

    uri = re.findall(r'URI="([^"]+)"', key_lines[0])[0]
    assert uri.startswith(f"{box.bases['periscope']}/api/v2/hlsEncryptionKey?stream_name=")
    key = ask(uri, Cookie=f"sid={cookie}").body
    assert len(key) == 16
    ivs = [re.findall(r"IV=0x([0-9a-f]{32})", line) for line in key_lines]
    plain = b""
    for line_ivs, entry in zip(ivs[:3], names, strict=False):
        number = int(entry.split("_")[2])
        vector = bytes.fromhex(line_ivs[0]) if line_ivs else number.to_bytes(16, "big")
        sealed = ask(sibling(url, entry)).body
        assert sealed[0] != 0x47 or sealed[188] != 0x47
        opened = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor().update(sealed)
        plain += opened[: -opened[-1]]
    assert decode(plain)[0] == 3 * 30
    assert (iv == "random") == (len({str(v) for v in ivs}) == len(ivs))
    box.control.resume()


def test_the_key_is_for_those_who_may_watch_and_goes_with_the_broadcast(box: SandboxBox) -> None:
    box.control.load("periscope-private")
    box.control.load("periscope-2016")
    stream = box.scene(PRIVATE).stream_key
    uri = f"{box.bases['periscope']}/api/v2/hlsEncryptionKey?stream_name={stream}"

    assert ask(uri).status == 401
    assert ask(uri, Cookie="sid=nonsense").status == 401
    assert ask(uri, Cookie=f"sid={sid(box, 'ines_okafor')}").status == 401
    for who in ("mara_lind", "teo_varga"):
        assert len(ask(uri, Cookie=f"sid={sid(box, who)}").body) == 16
    good = f"sid={sid(box, 'mara_lind')}"
    box.control.load("periscope-private", extra={"periscope": {"key_bytes": 24}})
    assert len(ask(uri, Cookie=good).body) == 24
    box.control.load("periscope-private", extra={"periscope": {"deleted": True}})
    assert ask(uri, Cookie=good).status == 404


def test_strangers_get_no_address_of_a_private_broadcast(box: SandboxBox) -> None:
    box.control.load("periscope-private")
    box.control.load("periscope-2016")

    assert "replay_url" not in access(box, PRIVATE)
    assert call(box, "accessVideo", post=True, broadcast_id=PRIVATE).status == 401
    stranger = call(box, "accessVideo", post=True, broadcast_id=PRIVATE, cookie=sid(box, "ines_okafor")).json
    assert "replay_url" not in stranger
    assert (
        ask(f"{box.bases['periscope']}/api/v2/accessVideoPublic?broadcast_id={PRIVATE}&replay_redirect=true").status
        == 404
    )


# ---------------------------------------------------------------- rotation


def test_rotation_is_told_in_timed_metadata(box: SandboxBox) -> None:
    box.control.load("periscope-replay", seconds=8, extra={"periscope": {"rotation": [[0, 92], [5, 3]]}})
    said = access(box, REPLAY)
    url = said["replay_url"]
    data = b"".join(ask(sibling(url, name)).body for name in entries(ask(url)))

    turns = []
    with av.open(io.BytesIO(data), format="mpegts") as container:
        kinds = [stream.type for stream in container.streams]
        first = container.streams.video[0].start_time or 0
        for packet in container.demux():
            if packet.stream.type == "data" and packet.size:
                tag = bytes(packet)
                assert tag.startswith(b"ID3\x04")
                texts = dict(re.findall(rb"(T[A-Z0-9]{3})\0\0\0.\0\0\x03([^\0]+)\0", tag, re.S))
                assert (texts[b"TMED"], texts[b"TMOO"]) == (b"320", b"568")
                turns.append(((packet.pts - first) / 90_000, int(texts[b"TKEY"])))

    assert kinds == ["video", "audio", "data"]
    assert turns == [(float(second), 92 if second < 5 else 3) for second in range(8)]
    assert said["broadcast"]["camera_rotation"] == 92
    assert decode(data)[0] == 4 * 30


def test_a_segment_can_be_without_tags_though_the_camera_turns(box: SandboxBox) -> None:
    box.control.load("periscope-replay", seconds=2, extra={"periscope": {"rotation_tags": False}})
    url = access(box, REPLAY)["replay_url"]

    assert b"TKEY" not in ask(sibling(url, entries(ask(url))[0])).body


def test_no_cookie_reaches_the_cdn_of_today(box: SandboxBox) -> None:
    """What a test of a client looks at: the ledger keeps every header."""
    box.control.load("periscope-replay")
    ask(access(box, REPLAY)["replay_url"], Cookie="sid=secret")

    headers = dict(box.control.requests(service="cdn")[-1]["headers"])

    assert headers["Cookie"] == "sid=secret"
