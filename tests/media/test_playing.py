"""Sources made into tags: what fits is passed on, what does not is encoded, hostile files fetch nothing."""

from __future__ import annotations

import os
import socket
from itertools import pairwise
from pathlib import Path

import pytest

from hydrophone.errors import MediaError, SettingsError
from hydrophone.media.flv import Kind, Tag
from hydrophone.media.inputs import ChunkInput, DeviceInput, FileInput, Input, StandardInput, parse_input
from hydrophone.media.playing import Plan, Player
from hydrophone.media.still import KEY_SECONDS, RATE, load_picture
from playable_building import adts, mp4, payloads, wav, written


def play(source: Input, picture: bytes | None = None) -> tuple[Plan, list[Tag]]:
    player = Player(source, picture=picture)
    return player.plan, list(player.tags())


def frames(tags: list[Tag], kind: Kind) -> list[Tag]:
    return [tag for tag in tags if tag.kind is kind and not tag.is_setup]


def test_aac_is_passed_on_and_gets_a_still_picture(tmp_path: Path) -> None:
    plan, tags = play(FileInput(written(tmp_path, "talk.aac", adts())))

    assert plan == Plan(audio="copy", video="still")
    assert [tag.payload for tag in frames(tags, Kind.AUDIO)] == payloads(adts())
    pictures = frames(tags, Kind.VIDEO)
    assert len(pictures) == pytest.approx(2 * RATE, abs=2)
    assert [tag.at_ms for tag in pictures if tag.is_key] == [0, KEY_SECONDS * 1000][: len(pictures) // 20 + 1]
    assert sorted(tag.kind for tag in tags if tag.is_setup) == [Kind.AUDIO, Kind.VIDEO]


def test_h264_and_aac_are_passed_on(tmp_path: Path) -> None:
    plan, tags = play(FileInput(written(tmp_path, "clip.mp4", mp4())))

    assert plan == Plan(audio="copy", video="copy")
    assert [tag.payload for tag in frames(tags, Kind.AUDIO)] == payloads(mp4(), "audio", "mp4")
    assert [tag.payload for tag in frames(tags, Kind.VIDEO)] == payloads(mp4(), "video", "mp4")


def test_other_sound_is_encoded(tmp_path: Path) -> None:
    plan, tags = play(FileInput(written(tmp_path, "talk.wav", wav())))
    assert plan == Plan(audio="encode", video="still")
    assert len(frames(tags, Kind.AUDIO)) == pytest.approx(2 * 44100 / 1024, abs=3)


def test_other_pictures_are_encoded_with_a_key_frame_every_two_seconds(tmp_path: Path) -> None:
    plan, tags = play(FileInput(written(tmp_path, "clip.mkv", mp4(5, codec="mpeg4"))))
    pictures = frames(tags, Kind.VIDEO)
    assert plan == Plan(audio="copy", video="encode")
    assert len(pictures) == 50
    keys = [tag.at_ms for tag in pictures if tag.is_key]
    assert len(keys) >= 3
    assert all(b - a <= 2110 for a, b in pairwise(keys))


def test_times_begin_at_zero_and_never_step_back(tmp_path: Path) -> None:
    _, tags = play(FileInput(written(tmp_path, "clip.mp4", mp4())))
    for kind in (Kind.AUDIO, Kind.VIDEO):
        times = [tag.at_ms for tag in frames(tags, kind)]
        assert times == sorted(times)
        assert times[0] < 200


def test_a_picture_of_the_user_is_shown(tmp_path: Path) -> None:
    from hydrophone.media.cover import draw_cover

    source = FileInput(written(tmp_path, "talk.aac", adts()))
    _, plain = play(source)
    _, own = play(source, load_picture(written(tmp_path, "me.png", draw_cover("me"))))
    assert frames(plain, Kind.VIDEO)[0].payload != frames(own, Kind.VIDEO)[0].payload


def test_standard_input_is_read_as_it_comes() -> None:
    reading, writing = os.pipe()
    data = adts(40)
    assert os.write(writing, data) == len(data)
    os.close(writing)
    try:
        _, tags = play(StandardInput(reading))
    finally:
        os.close(reading)
    assert [tag.payload for tag in frames(tags, Kind.AUDIO)] == payloads(data)


def test_a_generated_device_plays() -> None:
    name = "testsrc=size=64x48:rate=10:duration=1[out0];sine=duration=1[out1]"
    plan, tags = play(DeviceInput("lavfi", name))
    assert plan == Plan(audio="encode", video="encode")
    assert len(frames(tags, Kind.VIDEO)) == 10


@pytest.mark.parametrize(
    "content",
    [b"", b"just text\n" * 50, bytes(4000), b"\x89PNG\r\n\x1a\n" + bytes(50)],
    ids=["empty", "text", "zeros", "half a picture"],
)
def test_what_is_no_media_is_a_typed_error(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(MediaError):
        play(FileInput(written(tmp_path, "thing", content)))


def test_a_file_that_is_a_playlist_fetches_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.3)
        port = trap.getsockname()[1]
        secret = written(tmp_path, "secret.aac", adts(10))
        hostile = [
            f"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nhttp://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n",
            f"ffconcat version 1.0\nfile '{secret}'\n",
            f"#EXTM3U\n#EXTINF:3,\nfile://{secret}\n",
            f"v=0\nc=IN IP4 127.0.0.1\nm=audio {port} RTP/AVP 96\n",
        ]
        for number, text in enumerate(hostile):
            with pytest.raises(MediaError):
                play(FileInput(written(tmp_path, f"list-{number}.m3u8", text.encode())))
        with pytest.raises(TimeoutError):
            trap.accept()


def test_chunks_of_a_recording_play() -> None:
    data = adts()
    _, tags = play(ChunkInput("item", "aac", (data[at : at + 700] for at in range(0, len(data), 700))))
    assert [tag.payload for tag in frames(tags, Kind.AUDIO)] == payloads(data)


@pytest.mark.parametrize("text", ["no-such-file.m4a", "device:", "device:alsa", "device:http:x", "device:hls:x"])
def test_a_source_that_cannot_be_one_is_a_settings_error(text: str) -> None:
    with pytest.raises(SettingsError):
        parse_input(text)


def test_a_kind_of_device_that_is_not_built_in_says_so() -> None:
    import av

    missing = next(name for name in ("avfoundation", "dshow", "sndio") if name not in av.formats_available)
    with pytest.raises(MediaError, match="no devices of the kind"):
        play(DeviceInput(missing, "0"))


@pytest.mark.parametrize("content", [b"", b"GIF89a" + bytes(50), b"\x89PNG\r\n\x1a\n"])
def test_a_picture_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(MediaError):
        load_picture(written(tmp_path, "me.png", content))
