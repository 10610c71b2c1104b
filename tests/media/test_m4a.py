"""The audio writer, read back by readers that share nothing with it: PyAV, mutagen, and a box walker."""

from __future__ import annotations

import io
import struct
from array import array
from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adts_building import SILENT_MONO, SILENT_STEREO, adts_frame, encoded_frames, stretch
from hydrophone.errors import MediaError
from hydrophone.media.boxes import header_before
from hydrophone.media.cover import draw_cover
from hydrophone.media.frames import AudioConfig, FrameSource, JoinedSource, PlainFrames, SilenceSource, StretchSource
from hydrophone.media.m4a import M4aSummary, strip_headers, write_m4a
from hydrophone.media.movie import FRAMES_PER_CHUNK, Layout, MovieBuilder
from hydrophone.media.tags import Chapter, Tags
from mp4_walking import Node, sample_sizes, samples, table, walk

mutagen_mp4 = pytest.importorskip("mutagen.mp4", reason="mutagen reads the files back; see constraints.txt")

STEREO = AudioConfig(48000, 2)
JPEG = bytes.fromhex("FFD8FFE000104A46494600010100000100010000FFC0000B080010001001011100FFD9")


def packed(source: FrameSource, config: AudioConfig = STEREO, **more: object) -> tuple[bytes, M4aSummary]:
    out = io.BytesIO()
    summary = write_m4a(out, source, config, **more)  # type: ignore[arg-type]
    return out.getvalue(), summary


def source_of(frames: list[bytes], cuts: list[int] | None = None) -> StretchSource:
    edges = [0, *sorted(cuts or []), len(frames)]
    return StretchSource(stretch(frames[a:b]) for a, b in pairwise(edges))


def payload_packets(data: bytes) -> list[bytes]:
    with av.open(io.BytesIO(data)) as container:
        return [bytes(packet) for packet in container.demux(container.streams.audio[0]) if packet.size]


def sound_track(data: bytes) -> Node:
    return walk(data).all("moov/trak")[0]


@pytest.mark.parametrize(("rate", "channels"), [(48000, 2), (48000, 1), (44100, 2), (16000, 1), (32000, 2)])
def test_writer_keeps_every_payload_and_the_exact_duration(rate: int, channels: int) -> None:
    frames = list(encoded_frames(2.0, rate, channels))

    data, summary = packed(source_of(frames, [10, 11, 60]), AudioConfig(rate, channels))

    assert payload_packets(data) == [frame[7:] for frame in frames]
    assert samples(data, sound_track(data)) == [frame[7:] for frame in frames]
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.audio[0]
        assert stream.duration * stream.time_base == Fraction(len(frames) * 1024, rate)
        assert (stream.rate, stream.channels, stream.codec_context.name) == (rate, channels, "aac")
        decoded = sum(frame.samples for frame in container.decode(audio=0))
    assert decoded == len(frames) * 1024
    assert summary == M4aSummary(
        frames=len(frames), duration_seconds=len(frames) * 1024 / rate, size_bytes=len(data), chapters=0
    )


def test_writer_puts_the_index_before_the_audio() -> None:
    data, _ = packed(SilenceSource(SILENT_STEREO, 300))

    assert [node.kind for node in walk(data).children] == ["ftyp", "moov", "mdat"]


def test_bytes_do_not_depend_on_how_the_frames_were_cut() -> None:
    frames = list(encoded_frames(3.0))

    whole, _ = packed(source_of(frames))
    pieces, _ = packed(source_of(frames, list(range(0, len(frames), 7))))

    assert whole == pieces


def test_writer_never_seeks_or_reads() -> None:
    class OnlyWrite:
        def __init__(self) -> None:
            self.parts: list[bytes] = []

        def write(self, data: bytes) -> None:
            self.parts.append(data)

    out = OnlyWrite()
    write_m4a(out, SilenceSource(SILENT_STEREO, 5000), STEREO)

    assert b"".join(out.parts) == packed(SilenceSource(SILENT_STEREO, 5000))[0]


def test_silence_decodes_to_zeros_between_sound() -> None:
    frames = list(encoded_frames(1.0, 48000, 1))
    source = JoinedSource(source_of(frames), SilenceSource(SILENT_MONO, 5000), source_of(frames))

    data, summary = packed(source, AudioConfig(48000, 1))

    assert summary.frames == 5000 + 2 * len(frames)
    with av.open(io.BytesIO(data)) as container:
        decoded = list(container.decode(audio=0))
    middle = decoded[len(frames) + 5 : len(frames) + 4990]
    assert all(not any(bytes(frame.planes[0])) for frame in middle)


def test_chunks_hold_a_fixed_number_of_frames() -> None:
    data, _ = packed(SilenceSource(SILENT_STEREO, 2 * FRAMES_PER_CHUNK + 5))

    stbl = sound_track(data).one("mdia/minf/stbl")
    assert table(stbl.one("stsc"), "III") == [(1, FRAMES_PER_CHUNK, 1), (3, 5, 1)]
    assert table(stbl.one("stts"), "II") == [(2 * FRAMES_PER_CHUNK + 5, 1024)]


def test_frames_with_checksums_lose_theirs_with_the_header() -> None:
    frames = [adts_frame(bytes([n]) * 20, checksum=True) for n in range(5)]

    data, _ = packed(source_of(frames), AudioConfig(48000, 2, header_bytes=9))

    assert samples(data, sound_track(data)) == [bytes([n]) * 20 for n in range(5)]


def test_a_stream_with_checksums_needs_no_other_settings() -> None:
    plain = list(encoded_frames(1.0))
    checked = [adts_frame(frame[7:], checksum=True) for frame in plain]
    mixed = checked[:20] + plain[20:30] + checked[30:]

    assert packed(source_of(checked, [7]))[0] == packed(source_of(plain))[0]
    assert packed(source_of(mixed, [7]))[0] == packed(source_of(plain))[0]
    assert packed(PlainFrames(source_of(plain[:5] + checked[5:])))[0] == packed(source_of(plain))[0]


def test_creation_time_is_that_of_the_argument() -> None:
    moment = datetime(2026, 1, 22, 18, 0, tzinfo=UTC)

    data, _ = packed(SilenceSource(SILENT_STEREO, 3), created_at=moment)

    with av.open(io.BytesIO(data)) as container:
        assert container.metadata["creation_time"] == "2026-01-22T18:00:00.000000Z"


def test_all_tags_are_read_by_both_readers() -> None:
    tags = Tags(
        title="Ein Gespräch – über 鯨 🐋",
        artist="Ann Nobody",
        album_artist="@ann_nobody",
        album="Spaces of Ann",
        date="2026-01-22",
        comment="https://x.com/i/spaces/1hydroPhoneXZ\nsecond line",
        description="long " * 100,
        cover=draw_cover("x"),
    )

    data, _ = packed(SilenceSource(SILENT_STEREO, 100), tags=tags)

    with av.open(io.BytesIO(data)) as container:
        found = container.metadata
        pictures = [s for s in container.streams.video if int(s.disposition) & 0x400]
        picture = bytes(next(p for p in container.demux(pictures[0]) if p.size))
    assert (found["title"], found["artist"], found["album_artist"]) == (tags.title, tags.artist, tags.album_artist)
    assert (found["album"], found["date"], found["comment"]) == (tags.album, tags.date, tags.comment)
    assert found["synopsis"] == tags.description.strip()
    assert picture == tags.cover
    other = mutagen_mp4.MP4(io.BytesIO(data))
    assert other.tags["\xa9nam"] == [tags.title]
    assert other.tags["aART"] == [tags.album_artist]
    assert other.tags["\xa9cmt"] == [tags.comment]
    assert len(other.tags["desc"][0].encode()) <= 255
    assert bytes(other.tags["covr"][0]) == tags.cover
    assert other.tags["covr"][0].imageformat == mutagen_mp4.MP4Cover.FORMAT_PNG
    assert (other.info.length, other.info.sample_rate, other.info.channels) == (100 * 1024 / 48000, 48000, 2)
    assert other.info.codec == "mp4a.40.2"


def test_a_jpeg_cover_is_marked_as_jpeg_and_a_web_page_is_no_cover() -> None:
    with_jpeg, _ = packed(SilenceSource(SILENT_STEREO, 3), tags=Tags(cover=JPEG))
    with_page, _ = packed(SilenceSource(SILENT_STEREO, 3), tags=Tags(cover=b"<html>not a picture</html>"))

    cover = mutagen_mp4.MP4(io.BytesIO(with_jpeg)).tags["covr"][0]
    assert (bytes(cover), cover.imageformat) == (JPEG, mutagen_mp4.MP4Cover.FORMAT_JPEG)
    assert "covr" not in mutagen_mp4.MP4(io.BytesIO(with_page)).tags


def test_chapters_are_there_in_both_forms() -> None:
    chapters = [Chapter(0.0, "Begin"), Chapter(2.5, "Lücke (fünf Segmente)"), Chapter(7.25, "After")]

    data, summary = packed(SilenceSource(SILENT_STEREO, 600), chapters=chapters)

    assert summary.chapters == 3
    with av.open(io.BytesIO(data), container_options={"ignore_chapters": "0"}) as container:
        found = [(float(c["start"] * c["time_base"]), c["metadata"]["title"]) for c in container.chapters()]
    assert found == [(c.start_seconds, c.title) for c in chapters]
    nero = mutagen_mp4.MP4(io.BytesIO(data)).chapters
    assert [(c.start, c.title) for c in nero] == found
    sound, words = walk(data).all("moov/trak")
    assert struct.unpack(">I", sound.one("tref/chap").body) == (2,)
    titles = [s[2 : 2 + int.from_bytes(s[:2], "big")].decode() for s in samples(data, words)]
    assert titles == [c.title for c in chapters]
    assert sum(n * d for n, d in table(words.one("mdia/minf/stbl/stts"), "II")) == 600 * 1024


def test_more_than_255_chapters_stay_whole_in_the_track() -> None:
    chapters = [Chapter(n * 0.1, f"No. {n}") for n in range(1000)]

    data, _ = packed(SilenceSource(SILENT_STEREO, 5000), chapters=chapters)

    with av.open(io.BytesIO(data)) as container:
        assert [c["metadata"]["title"] for c in container.chapters()] == [c.title for c in chapters]
    assert len(mutagen_mp4.MP4(io.BytesIO(data)).chapters) == 255


def test_a_file_without_chapters_has_no_chapter_track() -> None:
    data, _ = packed(SilenceSource(SILENT_STEREO, 5))

    assert len(walk(data).all("moov/trak")) == 1
    assert not walk(data).all("moov/udta/chpl")


@pytest.mark.parametrize(
    "strange",
    [
        adts_frame(b"x" * 20, rate=44100),
        adts_frame(b"x" * 20, channels=1),
        adts_frame(b"x" * 20, blocks=2),
        b"\0" * 27,
    ],
    ids=["rate", "channels", "blocks", "no header"],
)
@pytest.mark.parametrize("place", [0, 3, 9])
def test_writer_refuses_a_change_in_the_middle(strange: bytes, place: int) -> None:
    frames = [adts_frame(b"y" * 20) for _ in range(9)]
    frames.insert(place, strange)

    with pytest.raises(MediaError):
        packed(source_of(frames))


def test_writer_refuses_nothing_and_frames_shorter_than_a_header() -> None:
    with pytest.raises(MediaError, match="no audio frame"):
        packed(StretchSource([]))
    with pytest.raises(MediaError, match="shorter than its own header"):
        packed(StretchSource([(array("H", [6]), b"\xff" * 6)]))


def test_writer_refuses_a_checksum_that_comes_late_and_unannounced() -> None:
    frames = [adts_frame(b"y" * 20), adts_frame(b"y" * 18, checksum=True)]

    with pytest.raises(MediaError):
        packed(source_of(frames))


def test_writer_notices_when_the_bytes_are_not_what_the_sizes_said() -> None:
    frames = [adts_frame(b"y" * 20) for _ in range(4)]

    class Lying(StretchSource):
        def sizes(self) -> Iterator[array[int]]:
            yield array("H", [27] * 5)

    with pytest.raises(MediaError, match="were announced"):
        packed(Lying([stretch(frames)]))
    with pytest.raises(MediaError, match="add up"):
        strip_headers(array("H", [27, 27]), frames[0], STEREO)


def test_offsets_grow_to_64_bits_where_the_file_passes_4_gib() -> None:
    layout = Layout((1 << 34) // 8000, 1 << 34, 8000, array("Q", [0, 1 << 33]))
    builder = MovieBuilder(layout, STEREO, Tags(), [Chapter(0, "x")], 0)

    movie = builder.build(1000)
    data = movie.before + bytes(movie.table_bytes) + movie.after

    tracks = walk(data).all("moov/trak")
    words = sum(map(len, builder.words))
    assert table(tracks[0].one("mdia/minf/stbl/co64"), "Q") == [(1000 + words,), (1000 + words + (1 << 33),)]
    assert table(tracks[1].one("mdia/minf/stbl/co64"), "Q") == [(1000,)]
    assert builder.build(0).size == movie.size
    assert header_before(b"mdat", 1 << 34) == struct.pack(">I4sQ", 1, b"mdat", (1 << 34) + 16)


def test_durations_grow_to_64_bits_after_a_day() -> None:
    frames = 48000 * 90_000 // 1024
    layout = Layout(frames, 9 * frames, 9, array("Q", range(0, 9 * frames, 9 * FRAMES_PER_CHUNK)))

    movie = MovieBuilder(layout, STEREO, Tags(), [], 0).build(0)

    tree = walk(movie.before + bytes(movie.table_bytes) + movie.after)
    header = tree.one("moov/mvhd").body
    assert header[0] == 1
    assert struct.unpack_from(">IQ", header, 20) == (48000, frames * 1024)


@settings(max_examples=60, deadline=None)
@given(
    title=st.text(st.characters(codec=None, exclude_categories=()), max_size=400),
    comment=st.text(st.characters(codec=None, exclude_categories=()), max_size=400),
    marks=st.lists(st.tuples(st.floats(allow_nan=True), st.text(max_size=300)), max_size=5),
    cover=st.binary(max_size=60),
)
def test_whatever_is_in_the_tags_the_file_stays_readable(
    title: str, comment: str, marks: list[tuple[float, str]], cover: bytes
) -> None:
    tags = Tags(title=title, comment=comment, cover=cover)

    data, summary = packed(SilenceSource(SILENT_STEREO, 50), tags=tags, chapters=[Chapter(*mark) for mark in marks])

    assert len(data) == summary.size_bytes
    assert sample_sizes(sound_track(data)) == [9] * 50
    assert payload_packets(data) == [SILENT_STEREO[7:]] * 50
    read = mutagen_mp4.MP4(io.BytesIO(data))
    assert read.info.length == 50 * 1024 / 48000
    assert len(read.chapters or []) == summary.chapters


@settings(max_examples=50, deadline=None)
@given(sizes=st.lists(st.integers(0, 1500), min_size=1, max_size=400), cuts=st.lists(st.integers(0, 400), max_size=8))
def test_every_sample_is_found_at_its_offset(sizes: list[int], cuts: list[int]) -> None:
    frames = [adts_frame(bytes([n % 251]) * size) for n, size in enumerate(sizes)]

    data, _ = packed(source_of(frames, [cut for cut in cuts if cut <= len(frames)]), chapters=[Chapter(0, "x")])

    assert samples(data, sound_track(data)) == [frame[7:] for frame in frames]
