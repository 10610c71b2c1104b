"""Words for an item that has none: what is heard becomes cues with speakers, once, however often it was begun again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hydrophone.archive import Item, verify_item
from hydrophone.errors import MediaError, SettingsError
from hydrophone.media.whisper import HeardStretch
from hydrophone.model import HeardWord
from hydrophone.recorder import listening
from hydrophone.recorder.importing import import_export
from hydrophone.recorder.listening import Listened, fill_words, words_or_notice
from hydrophone.recorder.options import Recogniser, RecordOptions
from hydrophone.sandbox.scene import Scene, Turn, sample_people
from hydrophone.testing.box import sandbox
from schema_checking import assert_as_described

LENA, OTTO = sample_people()[:2]
TURNS = (Turn(handle="lena_marsh", begin=1.0, end=10.0), Turn(handle="otto_reed", begin=12.0, end=22.0))


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a minute by two people, as an export: levels and no captions."""
    scene = Scene.ended("heard", seconds=24, people=(LENA, OTTO), turns=TURNS, language="")
    with sandbox(scene) as box:
        return box.export(tmp_path_factory.mktemp("export") / "export.zip", "heard")


@pytest.fixture
def item(export: Path, tmp_path: Path) -> Item:
    _, (found,) = import_export(export, RecordOptions(archive=tmp_path / "archive"))
    assert found.directory is not None
    return Item(found.directory)


@pytest.fixture
def recogniser(tmp_path: Path) -> Recogniser:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "model.bin").write_bytes(b"weights")
    return Recogniser(model=tmp_path / "weights")


class Ear:
    """Stands for the engine: hears a word each second, in stretches of eight seconds. `begun` says where it began."""

    def __init__(self) -> None:
        self.begun: list[tuple[float, str]] = []
        self.breaks_after: float | None = None

    def __call__(
        self,
        audio: Path,
        engine: Any,
        options: Any,
        *,
        begin_seconds: float = 0.0,
        language: str = "",
        is_stopping: Callable[[], bool],
    ) -> Iterator[HeardStretch]:
        self.begun.append((begin_seconds, language))
        for first in range(0, 24, 8):
            if first < begin_seconds:
                continue
            if self.breaks_after is not None and first >= self.breaks_after:
                raise MediaError("the ear aches")
            words = tuple(
                HeardWord(
                    text=f" w{second}{'.' if second % 4 == 3 else ''}",
                    begin_seconds=second + 0.1,
                    end_seconds=second + 0.6,
                    probability=0.5,
                    ends_sentence=second % 4 == 3,
                )
                for second in range(first, first + 8)
            )
            yield HeardStretch(until_seconds=first + 8.0, language="en", words=words)
            if is_stopping():
                return


@pytest.fixture
def ear(monkeypatch: pytest.MonkeyPatch) -> Ear:
    made = Ear()
    monkeypatch.setattr(listening, "recognise", made)
    monkeypatch.setattr(listening, "load_model", lambda model, options: None)
    return made


def files(item: Item) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in item.path.iterdir() if path.is_file()}


def test_words_get_speakers_from_the_levels_and_every_file_tells_them(
    item: Item, recogniser: Recogniser, ear: Ear
) -> None:
    before = files(item)

    fill_words(item, recogniser)

    told = json.loads(item.transcript("json").read_bytes())
    handles = {one["key"]: one["handle"] for one in told["speakers"]} | {"": ""}
    said = [(handles[cue["speaker"]], cue["text"]) for cue in told["cues"]]
    assert (told["word_source"], told["language"]) == ("whisper", "en")
    assert ("lena_marsh", "w4 w5 w6 w7.") in said
    assert ("otto_reed", "w16 w17 w18 w19.") in said
    assert " ".join(text for _, text in said) == " ".join(f"w{n}{'.' if n % 4 == 3 else ''}" for n in range(24))
    assert {cue["speaker_source"] for cue in told["cues"] if cue["speaker"]} == {"levels"}
    assert any("recogniser" in note for note in told["notes"])
    assert not any("no captions" in note for note in told["notes"])
    assert "<v @otto_reed>w16 w17 w18 w19." in item.transcript("vtt").read_text()
    lines = [json.loads(line) for line in item.timeline.read_text().splitlines()]
    assert [line["text"] for line in lines if line["kind"] == "speech"] == [text for _, text in said]
    people = {one.get("handle"): one for one in json.loads(item.people.read_bytes())["people"]}
    assert people["otto_reed"]["talk"]["words"] == sum(len(text.split()) for who, text in said if who == "otto_reed")
    assert verify_item(item.path, is_deep=True).is_intact
    assert_as_described(item.path)
    changed = {name for name, data in files(item).items() if before.get(name) != data}
    assert all(name.startswith(("transcript.", "timeline", "people", "manifest")) for name in changed)


def test_what_was_heard_is_not_heard_again(item: Item, recogniser: Recogniser, ear: Ear) -> None:
    progress: list[Listened] = []
    ear.breaks_after = 16.0
    with pytest.raises(MediaError):
        fill_words(item, recogniser, on_progress=progress.append)
    assert json.loads(item.transcript("json").read_bytes())["word_source"] == "none"
    ear.breaks_after = None

    fill_words(item, recogniser, on_progress=progress.append)
    at_once = files(item)

    assert ear.begun == [(0.0, ""), (16.0, "en")]
    assert [one.seconds for one in progress] == [8.0, 16.0, pytest.approx(24.0, abs=0.1)]
    fill_words(item, None)
    assert files(item) == at_once
    item.heard_words.unlink()
    fill_words(item, recogniser)
    assert files(item) == at_once
    assert ear.begun[2:] == [(0.0, "")]


def test_other_weights_listen_anew_and_a_changed_recording_too(
    item: Item, recogniser: Recogniser, ear: Ear, tmp_path: Path
) -> None:
    fill_words(item, recogniser)
    (recogniser.model / "model.bin").write_bytes(b"better weights")
    fill_words(item, recogniser)
    assert ear.begun == [(0.0, ""), (0.0, "")]

    text = item.manifest.read_text()
    original = next(line for line in text.splitlines() if line.endswith("original.aac"))
    item.manifest.write_text(text.replace(original, "0" * 64 + " *original.aac"))
    fill_words(item, recogniser)
    assert len(ear.begun) == 3
    item.heard_words.write_text('{"schema": 1, "words": [')
    fill_words(item, recogniser)
    assert len(ear.begun) == 4


def test_stopping_keeps_what_was_heard(item: Item, recogniser: Recogniser, ear: Ear) -> None:
    before = files(item)

    notice = words_or_notice(item, recogniser, is_stopping=lambda: bool(ear.begun))

    assert "goes on" in notice
    assert files(item) == before
    assert words_or_notice(item, recogniser) == ""
    assert ear.begun[-1] == (8.0, "en")


def test_the_words_of_the_service_are_never_replaced(item: Item, recogniser: Recogniser, ear: Ear) -> None:
    told = json.loads(item.transcript("json").read_bytes())
    item.transcript("json").write_text(json.dumps({**told, "word_source": "service"}))
    before = files(item)

    assert fill_words(item, recogniser) is None
    assert (files(item), ear.begun) == (before, [])


def test_trouble_costs_only_the_words(item: Item, recogniser: Recogniser, ear: Ear, tmp_path: Path) -> None:
    ear.breaks_after = 0.0
    assert words_or_notice(item, recogniser).startswith("no words: the ear aches")
    assert words_or_notice(item, None) == ""
    assert "model.bin" in words_or_notice(item, Recogniser(model=tmp_path / "nothing"))
    with pytest.raises(SettingsError) as caught:
        fill_words(item, Recogniser(model=tmp_path / "nothing"))
    assert caught.value.setting == "whisper_model"
    item.audio.unlink()
    with pytest.raises(MediaError, match="no packaged audio"):
        fill_words(item, recogniser)
