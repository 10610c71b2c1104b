"""Chapters and lyrics of the packaged audio, as the settings ask for them, read back by others: PyAV and mutagen."""

from __future__ import annotations

import json
from collections.abc import Iterator

import av
import pytest
from mutagen.mp4 import MP4

from hydrophone.archive import Item, verify_item
from hydrophone.errors import DiskError
from hydrophone.recorder.finishing import finish_item, read_look
from hydrophone.recorder.opening import Work, reopen_work
from hydrophone.recorder.options import Chapters, Packaging, RecordOptions
from hydrophone.sandbox.scene import Quirks, Scene, Turn, sample_people
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.trials import Trial, record
from schema_checking import assert_as_described

TURNS = tuple(
    Turn(handle=handle, begin=begin, end=begin + 55.0)
    for handle, begin in (("lena_marsh", 1.0), ("otto_reed", 58.0), ("lena_marsh", 116.0))
)
HOLE = 30  #: the segment from 90 to 93 s is nowhere


@pytest.fixture(scope="module")
def box() -> Iterator[SandboxBox]:
    people = sample_people()[:2]
    scene = Scene.ended("holed", seconds=174, people=people, turns=TURNS, quirks=Quirks(holes=(HOLE,)))
    with sandbox(scene, speed=8.0) as opened:
        yield opened


@pytest.fixture(scope="module")
def trial(box: SandboxBox, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return record(box, tmp_path_factory.mktemp("holed"), box.link("holed"), settings={"lyrics": True})


@pytest.fixture(scope="module")
def recorded(trial: Trial) -> tuple[str, str]:
    """Lyrics and LRC lines as the recorder wrote them, before any test finishes the item anew."""
    (lyrics,) = MP4(str(trial.directory / "audio.m4a"))["\xa9lyr"]
    return lyrics, (trial.directory / "audio.lrc").read_text("utf-8")


@pytest.fixture
def work(trial: Trial, recorded: tuple[str, str], box: SandboxBox) -> Iterator[Work]:
    """The take of the recording; it has a gap, so all of it is still there."""
    options = RecordOptions(archive=trial.directory.parent, directory=trial.directory)
    opened = reopen_work(box.scene("holed").id, options, frozenset())
    assert opened is not None
    yield opened
    opened.take.close()


def finish(work: Work, packaging: Packaging) -> Item:
    look = read_look(list(work.take.events("look"))[-1])
    finish_item(work.take, work.plan, look, work.kind, cover=None, on_step=lambda _: None, packaging=packaging)
    return Item(work.take.directory)


def chapters_of(item: Item) -> list[tuple[float, str]]:
    with av.open(str(item.audio), container_options={"ignore_chapters": "0"}) as container:
        found = [(round(float(c["start"] * c["time_base"]), 1), c["metadata"]["title"]) for c in container.chapters()]
    told = MP4(str(item.audio)).chapters
    assert [(round(one.start, 1), one.title) for one in told or ()] == found
    return found


def test_chapters_begin_at_gaps_at_turns_at_both_or_nowhere(work: Work) -> None:
    found = {choice: chapters_of(finish(work, Packaging(chapters=choice))) for choice in Chapters}

    assert found[Chapters.NONE] == []
    assert [begin for begin, _ in found[Chapters.GAPS]] == [0.0, 90.0, 93.0]
    assert [title.partition(":")[0] for _, title in found[Chapters.GAPS]] == ["Recording", "Gap", "Recording"]
    turns = [(round(begin), title.partition(":")[0]) for begin, title in found[Chapters.TURNS] if begin > 2]
    assert [name for _, name in turns] == ["Otto Reed", "Lena Marsh"]
    assert [begin for begin, _ in turns] == [pytest.approx(58, abs=1), pytest.approx(116, abs=1)]
    assert {one for one in found[Chapters.BOTH] if one[0] > 2} == {
        one for choice in (Chapters.GAPS, Chapters.TURNS) for one in found[choice] if one[0] > 2
    }


def test_lyrics_are_in_the_file_and_beside_it_only_when_asked_for(trial: Trial, work: Work) -> None:
    without = finish(work, Packaging())
    assert "\xa9lyr" not in MP4(str(without.audio))
    assert not without.lyrics.exists()
    assert verify_item(without.path).is_intact

    item = finish(work, Packaging(lyrics=True))
    first = (item.audio.read_bytes(), item.lyrics.read_bytes())
    said = [cue["text"] for cue in json.loads(item.transcript("json").read_bytes())["cues"]]
    (lyrics,) = MP4(str(item.audio))["\xa9lyr"]

    assert len(said) > 10
    assert_as_described(item.path)
    assert [text for text in said if text not in lyrics] == []
    assert lyrics.startswith("Lena Marsh: ")
    assert "Otto Reed: " in lyrics
    lines = item.lyrics.read_text("utf-8")
    assert all(word in lines for text in said for word in text.split())
    assert verify_item(item.path).is_intact
    assert "audio.lrc" in item.manifest.read_text()
    finish(work, Packaging(lyrics=True))
    assert (item.audio.read_bytes(), item.lyrics.read_bytes()) == first


def test_lyrics_that_the_disk_does_not_let_go_are_an_error_of_the_disk(trial: Trial, work: Work) -> None:
    lyrics = Item(work.take.directory).lyrics
    lyrics.unlink(missing_ok=True)
    lyrics.mkdir()  # no file system removes a folder as if it were a file
    try:
        with pytest.raises(DiskError, match=r"audio\.lrc"):
            finish(work, Packaging())
    finally:
        lyrics.rmdir()


def test_the_setting_reaches_a_recording(trial: Trial, recorded: tuple[str, str]) -> None:
    lyrics, lines = recorded

    assert lyrics.startswith("Lena Marsh: ")
    assert lines.startswith("[ti:The holed room]")
    assert trial.exit_code == 3
