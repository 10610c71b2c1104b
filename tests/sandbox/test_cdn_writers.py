"""The sandbox's own writers against the samples of the wire reference."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hydrophone.sandbox.clock import from_us
from hydrophone.sandbox.fault_effects import JUNK
from hydrophone.sandbox.playlists import audio_master, delta_list, live_list, whole_list
from hydrophone.sandbox.scene import Format, Kind, Quirks, Scene, TagStyle
from hydrophone.sandbox.scenefile import load_shipped
from hydrophone.sandbox.segments import SegmentMaker
from hydrophone.sandbox.tags import clock_tag, clock_ticks, hydra_tag
from hydrophone.sandbox.timeline import Timeline
from sandbox.cdn_client import split_segment

SAMPLES = Path(__file__).parent.parent / "samples"
TAGGED = SAMPLES / "timed-metadata"
ORIGIN = datetime(2026, 3, 3, 19, 0, 2, 250_000, tzinfo=UTC)


def on_the_clock(**rest: object) -> tuple[Scene, Timeline]:
    scene = Scene.ended(seconds=300, ago=0, **rest).at(ORIGIN)  # type: ignore[arg-type]
    return scene, Timeline(scene)


def layout(text: str) -> list[str]:
    """A playlist without what differs from scene to scene: dates, names, and lengths that follow the cut."""
    text = re.sub(r"DATE-TIME:.*", "DATE-TIME:", text)
    text = re.sub(r"chunk_\d{19}_\d+_a", "chunk", text)
    text = re.sub(r"EXTINF:(?:3.008|2.987|2.000),", "EXTINF:", text)
    return re.sub(r"MEDIA-SEQUENCE:\d+", "MEDIA-SEQUENCE:", text).splitlines()


def sample(name: str) -> str:
    return (SAMPLES / "hls" / name).read_text()


# ---------------------------------------------------------------- tags


def test_clock_tag_is_byte_for_byte_that_of_the_sample() -> None:
    data = (TAGGED / "chunk_1772564418764575344_7_a.aac").read_bytes()
    zero_us = 1_772_564_403_400_000

    tag = clock_tag(zero_us + 985 * 1024 * 1_000_000 // 48_000)

    assert tag == data[:73]
    assert len(tag) == 73


@pytest.mark.parametrize(
    ("name", "plain"),
    [("chunk_1772564418764575344_7_a.aac", False), ("variant.plain_sizes_7_a.aac", True)],
)
def test_stage_tag_is_byte_for_byte_that_of_the_sample(name: str, plain: bool) -> None:
    _, tags, rest = split_segment((TAGGED / name).read_bytes())
    before, expected = tags[1]
    people = re.search(rb"HydraParticipants\x00(\[.*?\])\x00", expected)
    assert people is not None

    written = hydra_tag(1_772_564_424_446_500, people[1].decode(), [1, 57], TagStyle(plain_sizes=plain))

    assert (before, rest) == (0, 0)
    assert written == expected


def test_clock_wraps_where_the_reference_says() -> None:
    wrap_us = 1_772_636_770_827_000  # 2026-03-04T15:06:10.827Z

    assert from_us(wrap_us).isoformat() == "2026-03-04T15:06:10.827000+00:00"
    assert clock_ticks(wrap_us - 1_000) > 2**33 - 200
    assert clock_ticks(wrap_us + 1_000) < 200


def test_junk_of_the_fault_table_is_that_of_the_sample() -> None:
    data = (TAGGED / "variant.junk_before_id3_7_a.aac").read_bytes()

    assert data[: len(JUNK)] == JUNK
    assert data[len(JUNK) : len(JUNK) + 3] == b"ID3"


# ---------------------------------------------------------------- cuts


def test_cuts_follow_the_pattern_of_the_reference() -> None:
    _, timeline = on_the_clock()
    pieces = [timeline.piece(place) for place in range(100)]

    assert [p.frames for p in pieces[:8]] == [141, 141, 140, 141, 141, 140, 141, 140]
    assert sum(p.frames for p in pieces) == 14_063
    assert pieces[7].first_frame == 985
    assert {p.extinf for p in pieces} == {"3.008", "2.987"}
    assert [p.sequence for p in pieces] == list(range(100))
    assert all(5.62e9 <= p.dated_us * 1000 - p.written_ns <= 5.75e9 for p in pieces if p.place != 1)
    assert max(abs(p.dated_us - p.starts_us) for p in pieces) <= 21_000


def test_a_change_of_format_changes_the_frames_of_a_segment() -> None:
    _, timeline = on_the_clock(formats=(Format(), Format(at=10, rate=44_100, channels=1)))

    assert timeline.piece(9).rate == 48_000
    assert (timeline.piece(10).rate, timeline.piece(10).channels) == (44_100, 1)
    assert timeline.piece(10).frames == 130  # 3 s at 44.1 kHz are 129.2 frames
    assert timeline.piece(10).first_frame == timeline.piece(9).first_frame + timeline.piece(9).frames


# ---------------------------------------------------------------- playlists


def test_live_list_has_the_tags_of_the_sample_in_their_order() -> None:
    scene, timeline = on_the_clock()

    text = live_list(scene, [timeline.piece(place) for place in range(40, 44)])

    assert layout(text) == layout(sample("live.poll1.m3u8"))
    assert "MEDIA-SEQUENCE:40\n" in text
    assert [line for line in text.splitlines() if "EXTINF" in line] == [
        line for line in sample("live.poll1.m3u8").splitlines() if "EXTINF" in line
    ]


def test_snapshots_have_the_tags_of_the_samples() -> None:
    scene, timeline = on_the_clock()
    all_of_it = [timeline.piece(place) for place in range(100)]

    final = whole_list(scene, all_of_it, "", is_vod=True, has_endlist=True)
    early = whole_list(scene, all_of_it[:27], "", is_vod=False, has_endlist=True)
    holed = whole_list(scene, [p for p in all_of_it[:24] if p.place != 11], "replay", is_vod=True, has_endlist=True)

    assert layout(final) == layout(sample("snapshot.final.m3u8"))
    assert layout(early) == layout(sample("snapshot.live.m3u8"))
    assert layout(holed) == layout(sample("replay.with_hole.m3u8"))


@pytest.mark.parametrize(("name", "wide"), [("master.live.m3u8", False), ("master.final.m3u8", True)])
def test_master_has_the_lines_of_the_sample(name: str, wide: bool) -> None:
    scene, _ = on_the_clock(quirks=Quirks(wide_master=wide))

    written = audio_master(scene, 16_674_179_582_591_148_845)

    assert written.splitlines()[:3] == sample(name).splitlines()[:3]
    path = re.compile(
        r"/Transcoding/v1/hls/[\w-]{86}/transcode/eu-central-1/periscope-replay-direct-prod-eu-central-1-public/"
        r"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsInZlcnNpb24iOiIyIn0\.eyJIZWlnaHQiOjgsIkticHMiOjM1MCwiVHJhbnNjb2RlQXVkaW8iOn"
        r"RydWUsIldpZHRoIjo4fQ\.[\w-]{43}/audio-space/playlist_\d{20}\.m3u8"
    )
    assert path.fullmatch(written.splitlines()[3])
    assert path.fullmatch(sample(name).splitlines()[3])


def test_video_lists_have_the_tags_of_the_samples() -> None:
    scene = Scene.ended(seconds=800, ago=0, kind=Kind.BROADCAST).at(ORIGIN)
    timeline = Timeline(scene)
    pieces = [timeline.piece(place) for place in range(301, 321)]

    assert layout(live_list(scene, pieces[:5])) == layout(sample("video.variant_dynamic_highlatency.m3u8"))
    assert layout(delta_list(pieces, 12)) == layout(sample("video.variant_delta_skip.m3u8"))
    assert delta_list(pieces, 12).count("EXTINF") == 8
    replay = whole_list(scene, [timeline.piece(p) for p in range(6)], "replay", is_vod=True, has_endlist=True)
    assert layout(replay) == layout(sample("video.variant_replay.m3u8"))


# ---------------------------------------------------------------- media


def decode(data: bytes, form: str = "aac") -> tuple[int, set[int]]:
    """Samples that a strict decoder makes of it, and the rates it met."""
    import av

    samples, rates = 0, set()
    with av.open(io.BytesIO(data), format=form, options={"err_detect": "explode"}) as container:
        container.streams.audio[0].codec_context.options = {"err_detect": "explode"}
        for frame in container.decode(audio=0):
            samples += frame.samples
            rates.add(frame.sample_rate)
    return samples, rates


def test_frames_decode_without_errors_to_the_exact_length_and_none_is_there_twice() -> None:
    scene, timeline = on_the_clock()
    maker = SegmentMaker(scene)

    frames = [frame for place in range(24) for frame in maker.frames(timeline.piece(place))]

    assert len(frames) == len(set(frames)) == 3375
    assert decode(b"".join(frames)) == (3375 * 1024, {48_000})


def test_segment_holds_its_frames_and_three_stage_tags_after_the_clock() -> None:
    scene, timeline = on_the_clock()
    maker = SegmentMaker(scene)
    piece = timeline.piece(7)

    frames, tags, rest = split_segment(maker.body(piece))

    assert frames == maker.frames(piece)
    assert [before for before, _ in tags] == [0, 0, 47, 94]
    assert tags[0][1] == clock_tag(piece.starts_us)
    assert rest == 0
    assert maker.body(piece) == SegmentMaker(scene).body(piece)


def test_levels_follow_who_speaks_and_participants_follow_the_stage() -> None:
    scene, timeline = on_the_clock()
    maker = SegmentMaker(scene)
    for place in range(40):
        piece = timeline.piece(place)
        _, tags, _ = split_segment(maker.body(piece))
        for before, tag in tags[1:]:
            position = piece.position + before * 1024 / 48_000
            stage = scene.on_stage(position)
            people = json.loads(tag.split(b"HydraParticipants\0")[1].split(b"\0")[0])
            levels = json.loads(tag.split(b"HydraAudioLevel\0")[1].split(b"\0")[0])
            assert [p["UserName"] for p in people] == [p.handle for p in stage[1:]]
            speaking = {t.handle for t in scene.turns if t.begin <= position < t.end}
            assert {p.handle for p, level in zip(stage, levels, strict=True) if level >= 8} == speaking


def test_frames_do_not_depend_on_when_the_scene_was_loaded() -> None:
    first, second = Scene.ended(seconds=9).at(ORIGIN), Scene.ended(seconds=9).at(datetime(2027, 1, 1, tzinfo=UTC))

    assert SegmentMaker(first).frames(Timeline(first).piece(2)) == SegmentMaker(second).frames(
        Timeline(second).piece(2)
    )
    assert SegmentMaker(first).body(Timeline(first).piece(2)) != SegmentMaker(second).body(Timeline(second).piece(2))


def test_every_tag_style_can_be_written() -> None:
    style = TagStyle(encoding=0, ntp_as_text=True, has_stream_name=False, short_levels=True, rotation=90)
    scene, timeline = on_the_clock(tags=style)
    tag = split_segment(SegmentMaker(scene).body(timeline.piece(5)))[1][1][1]

    assert b"TKEY" in tag
    assert b"\0HydraAudioLevel" in tag.replace(b"\0\0\0", b"\0")
    assert re.search(rb'"ntp":"\d{10}\.\d{3}"', tag)
    assert b"StreamName" not in tag
    people = json.loads(tag.split(b"HydraParticipants\0")[1].split(b"\0")[0])
    levels = json.loads(tag.split(b"HydraAudioLevel\0")[1].split(b"\0")[0])
    assert len(levels) == len(people)  # one less than with the creator


def test_segments_without_tags_are_plain_adts() -> None:
    scene, timeline = on_the_clock(tags=TagStyle(has_hydra=False, has_priv=False))

    frames, tags, rest = split_segment(SegmentMaker(scene).body(timeline.piece(3)))

    assert (len(frames), tags, rest) == (141, [], 0)


def test_mono_and_other_rates_decode() -> None:
    scene, timeline = on_the_clock(formats=(Format(rate=44_100, channels=1),))

    frames = SegmentMaker(scene).frames(timeline.piece(0))

    assert decode(b"".join(frames)) == (len(frames) * 1024, {44_100})


def test_single_segments_can_lack_their_tags() -> None:
    scene, timeline = on_the_clock(tags=TagStyle(bare=(4,)))
    maker = SegmentMaker(scene)

    assert [len(split_segment(maker.body(timeline.piece(place)))[1]) for place in (3, 4, 5)] == [4, 0, 4]


def test_tape_and_closed_microphones_are_seen_in_the_levels() -> None:
    scene = load_shipped("ended-short").at(ORIGIN)
    timeline = Timeline(scene)
    maker = SegmentMaker(scene)

    def levels_at(position: float) -> list[int]:
        tag = split_segment(maker.body(timeline.piece(int(position // 3))))[1][1][1]
        levels: list[int] = json.loads(tag.split(b"HydraAudioLevel\0")[1].split(b"\0")[0])
        return levels

    assert 18 <= levels_at(45.0)[0] <= 31  # the tape sounds on the creator's channel
    assert max(levels_at(45.0)[1:]) < 8
    assert max(levels_at(87.0)) < 8  # whoever has the turn has closed the microphone
    assert levels_at(93.0)[1] >= 8
