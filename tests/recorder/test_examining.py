"""What may be looked at in the loop, and what only in a thread: by what it can cost at worst."""

from __future__ import annotations

import pytest

from hydrophone.audio import Grade
from hydrophone.hls import MediaPlaylist, parse_playlist
from hydrophone.model import MediaKind, Segment
from hydrophone.recorder.download import AT_ONCE_BYTES, SMALL_BYTES, Failure, Media, examine, examine_quickly

LIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3.0,\nhttps://cdn.invalid/chunk_1_1_a.aac\n"
AUDIO, VIDEO = MediaKind.AUDIO, MediaKind.VIDEO


def segment() -> Segment:
    found = parse_playlist(LIST, url="https://cdn.invalid/playlist.m3u8", check=lambda url: True)
    assert isinstance(found, MediaPlaylist)
    return found.segments[0]


def frame(size: int, *, crc: bool = False) -> bytes:
    head = (0xFF, 0xF0 if crc else 0xF1, 0x4C, 0x80 | size >> 11, size >> 3 & 255, (size & 7) << 5 | 0x1F, 0xFC)
    return bytes(head) + bytes(size - 7)


TAG = b"ID3\4\0\0\0\0\0\0"
GOOD = TAG + frame(180) * 141
CRAFTED = {
    "frames without anything in them": frame(7),
    "nothing but tags": TAG,
    "two kinds of frames in turn": frame(9) + frame(9, crc=True),
    "frames and junk in turn": frame(9) + b"z",
    "beginnings of frames": b"\xff\xf1",
    "beginnings of tags": b"ID3",
}


def test_a_segment_in_good_order_is_looked_at_at_once() -> None:
    found = examine_quickly(GOOD, segment(), AUDIO)

    assert found == examine(GOOD, segment(), AUDIO)
    assert isinstance(found, Media)
    assert found.grade is Grade.COMPLETE


@pytest.mark.parametrize("what", CRAFTED)
@pytest.mark.parametrize("kind", [AUDIO, VIDEO])
def test_crafted_bytes_are_left_to_a_thread(what: str, kind: MediaKind) -> None:
    """Unless they are transport in disguise, which is told in a moment."""
    body = (CRAFTED[what] * SMALL_BYTES)[: AT_ONCE_BYTES // 2]

    assert examine_quickly(body, segment(), kind) is None


@pytest.mark.parametrize("kind", [AUDIO, VIDEO])
def test_whatever_is_large_is_left_to_a_thread(kind: MediaKind) -> None:
    body = frame(180) * (AT_ONCE_BYTES // 180 + 1)

    assert examine_quickly(body, segment(), kind) is None
    assert isinstance(examine(body, segment(), kind), Media)


@pytest.mark.parametrize("body", [b"", b"<html>busy</html>", GOOD[:4000], b"junk" + frame(180) * 20])
def test_what_is_small_is_looked_at_at_once_whatever_it_is(body: bytes) -> None:
    assert examine_quickly(body, segment(), AUDIO) == examine(body, segment(), AUDIO)


def test_transport_is_looked_at_at_once() -> None:
    packet = b"\x47\x41\x00\x10\0\0\1\xe0" + bytes(180)
    found = examine_quickly(packet * 500, segment(), VIDEO)

    assert found == examine(packet * 500, segment(), VIDEO)
    assert isinstance(found, Media | Failure)
