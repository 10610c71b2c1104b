"""Video: the stream of a real muxer, healthy and damaged, becomes an mp4 that other readers open."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Iterable
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydrophone.errors import MediaError
from hydrophone.media.boxes import box
from hydrophone.media.cover import draw_cover
from hydrophone.media.mp4 import ChunkReader, Mp4Summary, file_chunks, write_mp4
from hydrophone.media.probe import MediaInfo, probe_media
from hydrophone.media.relocate import relocate
from hydrophone.media.tags import Chapter, Tags
from mp4_walking import samples, walk

FPS = 15


@cache
def ts(seconds: int, base: int = 0, *, with_sound: bool = True, with_picture: bool = True) -> bytes:
    """A transport stream whose clock begins at `base` seconds."""
    out = io.BytesIO()
    with av.open(out, "w", format="mpegts") as container:
        picture = container.add_stream("libx264", rate=FPS) if with_picture else None
        if picture:
            picture.width, picture.height, picture.pix_fmt, picture.gop_size = 64, 48, "yuv420p", FPS
        sound = container.add_stream("aac", rate=48000, layout="mono") if with_sound else None
        for n in range(seconds * FPS):
            if picture:
                frame = av.VideoFrame(64, 48, "yuv420p")
                for plane in frame.planes:
                    plane.update(bytes([n % 251]) * plane.buffer_size)
                frame.pts, frame.time_base = n + base * FPS, Fraction(1, FPS)
                container.mux(picture.encode(frame))
            for k in range(n * 48000 // FPS // 1024, (n + 1) * 48000 // FPS // 1024) if sound else ():
                tone = av.AudioFrame(format="fltp", layout="mono", samples=1024)
                tone.planes[0].update(bytes(4096))
                tone.sample_rate, tone.pts, tone.time_base = 48000, k * 1024 + base * 48000, Fraction(1, 48000)
                container.mux(sound.encode(tone))
        for stream in (picture, sound):
            if stream:
                container.mux(stream.encode(None))
    return out.getvalue()


def packed(tmp_path: Path, chunks: Iterable[bytes], **more: object) -> tuple[Mp4Summary, MediaInfo, bytes]:
    path = tmp_path / "video.mp4"
    with path.open("wb") as out:
        summary = write_mp4(out, chunks, scratch=tmp_path, **more)  # type: ignore[arg-type]
    assert [p.name for p in tmp_path.iterdir()] == ["video.mp4"]
    return summary, probe_media(path), path.read_bytes()


def payloads(data: bytes, kind: str, demuxer: str | None = None) -> list[bytes]:
    with av.open(io.BytesIO(data), format=demuxer) as container:
        stream = next(s for s in container.streams if s.type == kind)
        return [bytes(packet) for packet in container.demux(stream) if packet.size]


def test_every_packet_is_kept_and_every_picture_decodes(tmp_path: Path) -> None:
    stream = ts(4)

    summary, info, data = packed(tmp_path, [stream])

    video, audio = info.first("video"), info.first("audio")
    assert video
    assert audio
    assert (video.codec, video.width, video.height, video.frames) == ("h264", 64, 48, 4 * FPS)
    assert (audio.codec, audio.rate, audio.channels) == ("aac", 48000, 1)
    assert summary.video_packets == 4 * FPS
    assert payloads(data, "audio") == [frame[7:] for frame in payloads(stream, "audio", "mpegts")]
    assert (summary.jumps, summary.repaired, summary.dropped, summary.problem) == (0, 0, 0, "")
    assert info.duration_seconds == pytest.approx(summary.duration_seconds, abs=0.002)
    assert summary.size_bytes == len(data)
    with av.open(io.BytesIO(data)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 4 * FPS


def test_index_comes_first_and_the_samples_are_where_it_says(tmp_path: Path) -> None:
    _, _, data = packed(tmp_path, [ts(2)], chapters=[Chapter(0, "a"), Chapter(1, "b")])

    tree = walk(data)
    kinds = [node.kind for node in tree.children]
    assert kinds[:2] == ["ftyp", "moov"]
    assert set(kinds[2:]) == {"mdat"}
    for track, kind in zip(tree.all("moov/trak"), ("video", "audio"), strict=False):
        assert samples(data, track) == payloads(data, kind)


def test_tags_cover_and_chapters_are_read_by_others(tmp_path: Path) -> None:
    tags = Tags(title="Hafen 鯨", artist="Ann Nobody", date="2026-01-22", cover=draw_cover("x"))
    chapters = [Chapter(0, "Begin"), Chapter(1.5, "Lücke")]
    at = datetime(2026, 1, 22, 18, 0, tzinfo=UTC)

    _, info, data = packed(tmp_path, [ts(3)], tags=tags, chapters=chapters, created_at=at)

    assert (info.tags["title"], info.tags["artist"], info.tags["date"]) == ("Hafen 鯨", "Ann Nobody", "2026-01-22")
    assert info.tags["creation_time"].startswith("2026-01-22T18:00:00")
    assert info.chapters == ((0.0, "Begin"), (1.5, "Lücke"))
    assert [s.codec for s in info.streams if s.is_picture] == ["png"]
    assert b"Lavf" not in data


def test_the_same_stream_gives_the_same_bytes_however_it_was_cut(tmp_path: Path) -> None:
    stream = ts(3)

    whole = packed(tmp_path, [stream])[2]
    pieces = packed(tmp_path, [stream[at : at + 1000] for at in range(0, len(stream), 1000)])[2]

    assert whole == pieces


@pytest.mark.parametrize(
    "bases", [(0, 2000), (2000, 0), (2000, 0, 0), (0, 5000, 2000, 9000)], ids=["forward", "back", "twice", "many"]
)
def test_a_new_clock_in_the_middle_loses_nothing(tmp_path: Path, bases: tuple[int, ...]) -> None:
    summary, info, data = packed(tmp_path, [ts(3, base) for base in bases], max_jump_seconds=10)

    assert summary.video_packets == 3 * FPS * len(bases)
    assert summary.jumps == len(bases) - 1
    assert info.duration_seconds == pytest.approx(3 * len(bases), abs=0.5 * len(bases))
    with av.open(io.BytesIO(data)) as container:
        times = [frame.pts for frame in container.decode(video=0)]
    assert times == sorted(set(times))


def test_the_length_of_what_is_missing_is_kept(tmp_path: Path) -> None:
    summary, info, _ = packed(tmp_path, [ts(3), ts(3, 60)])

    assert summary.jumps == 0
    assert info.duration_seconds == pytest.approx(63, abs=0.5)


def test_sound_alone_and_picture_alone_are_packed_too(tmp_path: Path) -> None:
    assert packed(tmp_path, [ts(2, with_picture=False)])[0].video_packets == 0
    assert packed(tmp_path, [ts(2, with_sound=False)])[0].audio_packets == 0


@pytest.mark.parametrize("junk", [b"x" * 1000, b"\x47" * 1000, b"<html>" * 100, bytes(188 * 3)], ids=range(4))
def test_junk_between_the_segments_costs_only_itself(tmp_path: Path, junk: bytes) -> None:
    stream = ts(4)
    middle = len(stream) // 2 // 188 * 188

    summary, _, _ = packed(tmp_path, [stream[:middle], junk, stream[middle:]])

    assert summary.video_packets >= 4 * FPS - FPS


@pytest.mark.parametrize(
    "chunks",
    [
        [],
        [b""],
        [b"<html>nothing here</html>" * 1000],
        [b"#EXTM3U\n#EXTINF:3,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"],
        [bytes(188_000)],
        [ts(2)[:188]],
    ],
    ids=["nothing", "empty", "page", "playlist", "zeros", "one packet"],
)
def test_what_is_no_video_is_refused_and_leaves_no_scratch(tmp_path: Path, chunks: list[bytes]) -> None:
    with pytest.raises(MediaError):
        write_mp4(io.BytesIO(), chunks, scratch=tmp_path)
    assert not list(tmp_path.iterdir())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_a_damaged_stream_is_packed_or_refused(seed: int) -> None:
    dice = random.Random(seed)
    data = bytearray(ts(2))
    for _ in range(dice.randint(1, 60)):
        at = dice.randrange(len(data))
        data[at : at + dice.randint(0, 300)] = dice.randbytes(dice.randint(0, 300))
    out = io.BytesIO()
    try:
        summary = write_mp4(out, [bytes(data)])
    except MediaError:
        return
    assert summary.size_bytes == len(out.getvalue())
    with av.open(io.BytesIO(out.getvalue())) as container:
        assert sum(1 for packet in container.demux() if packet.size) > 0


def test_an_error_of_the_source_is_not_hidden(tmp_path: Path) -> None:
    def broken() -> Iterable[bytes]:
        yield ts(2)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="gone"):
        write_mp4(io.BytesIO(), broken(), scratch=tmp_path)


def test_a_reader_over_chunks_gives_what_was_asked_for() -> None:
    reader = ChunkReader([b"abc", b"", b"defg"])

    assert [reader.read(2), reader.read(2), reader.read(-1), reader.read(1)] == [b"ab", b"c", b"defg", b""]
    assert list(file_chunks(io.BytesIO(b"abcde"), 2)) == [b"ab", b"cd", b"e"]


def test_relocation_refuses_what_is_no_file() -> None:
    whole = box(b"ftyp", b"isom") + box(b"mdat", b"x" * 8)
    for data in (b"", whole, whole + box(b"moov", b"\0\0\0\x20trak"), whole + struct.pack(">I4s", 999, b"moov")):
        with pytest.raises(MediaError):
            relocate(io.BytesIO(), io.BytesIO(data), b"")


def test_relocation_refuses_offsets_outside_of_the_media() -> None:
    table = box(b"stco", struct.pack(">III", 0, 1, 5))
    index = box(b"moov", box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", table)))))

    with pytest.raises(MediaError, match="outside"):
        relocate(io.BytesIO(), io.BytesIO(box(b"ftyp", b"isom") + box(b"mdat", b"x" * 8) + index), b"")


def test_probing_names_what_it_cannot_read(tmp_path: Path) -> None:
    for name, data in (
        ("a.m4a", b"hello"),
        ("b.mp4", b"#EXTM3U\n#EXTINF:3,\nhttp://127.0.0.1:9/x.ts\n"),
        ("c.aac", b""),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(MediaError, match=name):
            probe_media(tmp_path / name)
    with pytest.raises(MediaError, match="gone"):
        probe_media(tmp_path / "gone.m4a")
