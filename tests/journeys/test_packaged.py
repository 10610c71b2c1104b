"""The packaged files, read by programs that share nothing with us: PyAV, and mutagen where it is installed."""

from __future__ import annotations

import io
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import pytest
from av.stream import Disposition

from hydrophone.sandbox.scene import Kind, Quirks, Scene
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.victims import Run, assert_sound, frames_in, item_of, record

mutagen_mp4 = pytest.importorskip("mutagen.mp4", reason="mutagen reads the tags back; see constraints.txt")

FRAME_SECONDS = 1024 / 48_000
#: Twelve seconds in the middle, and one segment further on, are in no list and answer 404 for ever.
HOLES = (10, 11, 12, 13, 25)
AUDIO = Scene.ended(
    "packaged-audio",
    seconds=120,
    ago=7200,
    title="Tides & eddies: «the second hour» 🐚",
    quirks=Quirks(holes=HOLES),
)
VIDEO = Scene.ended("packaged-video", seconds=20, title="Ferry at six", kind=Kind.BROADCAST)


@dataclass(frozen=True)
class Packaged:
    """An item, and the run that made it."""

    box: SandboxBox
    scene: Scene
    run: Run
    item: Path

    @property
    def media(self) -> Path:
        return self.item / ("video.mp4" if self.scene.is_video else "audio.m4a")


@pytest.fixture(scope="module")
def box() -> Iterator[SandboxBox]:
    with sandbox(AUDIO, VIDEO, isolated=True, speed=20) as box:
        yield box


def packaged(box: SandboxBox, scene: Scene, folder: Path) -> Packaged:
    run = record(box, folder, box.link(scene.name))
    item = item_of(folder)
    assert_sound(item)
    return Packaged(box, box.scene(scene.name), run, item)


@pytest.fixture(scope="module")
def audio(box: SandboxBox, tmp_path_factory: pytest.TempPathFactory) -> Packaged:
    return packaged(box, AUDIO, tmp_path_factory.mktemp("audio"))


@pytest.fixture(scope="module")
def video(box: SandboxBox, tmp_path_factory: pytest.TempPathFactory) -> Packaged:
    return packaged(box, VIDEO, tmp_path_factory.mktemp("video"))


def is_attached(stream: av.VideoStream) -> bool:
    """A cover shows as a video stream of one picture."""
    return bool(stream.disposition & Disposition.attached_pic)


def test_audio_is_as_long_as_the_space_was_although_parts_are_missing(audio: Packaged) -> None:
    ledger = audio.box.ledger(AUDIO.name, with_digests=False)
    true_seconds = sum(row["seconds"] for row in ledger["segments"])

    assert audio.run.exit_code == 3
    with av.open(str(audio.media)) as container:
        (stream,) = container.streams.audio
        assert stream.codec_context.name == "aac"
        assert (stream.rate, stream.channels) == (48_000, 2)
        assert float(stream.duration * stream.time_base) == pytest.approx(true_seconds, abs=FRAME_SECONDS)
    assert mutagen_mp4.MP4(audio.media).info.length == pytest.approx(true_seconds, abs=FRAME_SECONDS)
    assert frames_in(audio.item) == audio.box.true_frames(AUDIO.name)


def test_audio_decodes_to_sound_where_it_was_held_and_to_silence_where_it_was_not(audio: Packaged) -> None:
    levels: dict[int, float] = {}
    with av.open(str(audio.media)) as container:
        for frame in container.decode(audio=0):
            second = int(frame.time)
            samples = array("f", bytes(frame.planes[0])[: frame.samples * 4])
            levels[second] = max(levels.get(second, 0.0), max(samples), -min(samples))

    assert sum(levels[second] > 0.01 for second in range(2, 29)) > 20
    assert max(levels[second] for second in range(31, 41)) < 0.001
    assert max(levels[second] for second in range(42, 60)) > 0.01


def test_audio_has_title_people_date_and_link(audio: Packaged) -> None:
    started = audio.scene.started_at
    assert started is not None
    stamp = started.strftime("%Y-%m-%dT%H:%M:%SZ")
    link = audio.box.link(AUDIO.name)

    tags = mutagen_mp4.MP4(audio.media).tags
    with av.open(str(audio.media)) as container:
        seen = container.metadata

    assert tags["\xa9nam"] == [AUDIO.title]
    assert tags["\xa9ART"] == ["Lena Marsh"]
    assert tags["\xa9day"] == [stamp]
    assert tags["\xa9cmt"] == [link]
    assert (seen["title"], seen["artist"], seen["date"], seen["comment"]) == (AUDIO.title, "Lena Marsh", stamp, link)


@pytest.mark.parametrize(("kind", "shape"), [("audio", 1.0), ("video", 16 / 9)])  # a portrait, a frame of the video
def test_media_has_a_cover_that_can_be_seen(kind: str, shape: float, request: pytest.FixtureRequest) -> None:
    made: Packaged = request.getfixturevalue(kind)
    (cover,) = mutagen_mp4.MP4(made.media).tags["covr"]

    with av.open(io.BytesIO(bytes(cover))) as picture:
        (frame,) = picture.decode(video=0)
        assert frame.width >= 64
        assert frame.width / frame.height == pytest.approx(shape, abs=0.02)
    with av.open(str(made.media)) as container:
        assert sum(map(is_attached, container.streams.video)) == 1


def test_audio_has_a_chapter_at_each_gap_and_where_it_goes_on(audio: Packaged) -> None:
    rows = audio.box.ledger(AUDIO.name, with_digests=False)["segments"]
    at = [row["position"] for row in rows] + [rows[-1]["position"] + rows[-1]["seconds"]]
    due = [0.0, at[10], at[14], at[25], at[26]]

    with av.open(str(audio.media)) as container:
        seen = [(float(c["start"] * c["time_base"]), c["metadata"]["title"]) for c in container.chapters()]
    told = mutagen_mp4.MP4(audio.media).chapters

    assert [start for start, _ in seen] == pytest.approx(due, abs=FRAME_SECONDS)
    assert [title.startswith("Gap") for _, title in seen] == [False, True, False, True, False]
    assert [chapter.start for chapter in told] == pytest.approx(due, abs=FRAME_SECONDS)


def test_video_holds_pictures_and_sound_of_the_whole_broadcast(video: Packaged) -> None:
    assert video.run.exit_code == 0
    with av.open(str(video.media)) as container:
        pictures = next(stream for stream in container.streams.video if not is_attached(stream))
        (sound,) = container.streams.audio
        assert (pictures.width, pictures.height) == (1280, 720)
        assert float(sound.duration * sound.time_base) == pytest.approx(20.0, abs=0.1)
        assert float(pictures.duration * pictures.time_base) == pytest.approx(20.0, abs=0.1)
        assert sum(1 for _ in container.decode(pictures)) == 600
    tags = mutagen_mp4.MP4(video.media).tags
    assert tags["\xa9nam"] == [VIDEO.title]
    assert tags["\xa9cmt"] == [video.box.link(VIDEO.name)]
