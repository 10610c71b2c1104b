"""The local recogniser: real loading and real listening, with a model of a few kilobytes that is built here."""

from __future__ import annotations

import sys
import wave
from pathlib import Path

import pytest

from hydrophone.captions.aligning import TurnIndex, attribute_words
from hydrophone.errors import MediaError, SettingsError
from hydrophone.media.whisper import WhisperOptions, transcribe
from hydrophone.model import SpeakerSource, Turn

MISSING = "faster-whisper is not installed: pip install 'hydrophone[whisper]'"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("faster_whisper", reason=MISSING)
    from whisper_building import build_tiny_model

    return build_tiny_model(tmp_path_factory.mktemp("whisper") / "tiny")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of a tone."""
    path = tmp_path_factory.mktemp("sound") / "tone.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(
            b"".join((4000 * (n // 20 % 2 * 2 - 1)).to_bytes(2, "little", signed=True) for n in range(48_000))
        )
    return path


def test_words_come_out_of_sound_with_times_and_get_speakers_from_levels(model: Path, sound: Path) -> None:
    options = WhisperOptions(language="en", device="cpu", threads=1, beam_size=1, skips_silence=False)
    words = list(transcribe(sound, model, options))

    assert words
    assert all(word.begin_seconds <= word.end_seconds for word in words)
    assert all(word.probability is None or 0 <= word.probability <= 1 for word in words)
    turn = Turn(speaker="tobi", begin_seconds=0.0, end_seconds=3600.0)
    cues = attribute_words(words, TurnIndex([turn]), source=SpeakerSource.LEVELS)
    assert {cue.speaker for cue in cues} == {"tobi"}


def test_a_language_that_the_model_does_not_know_is_guessed(model: Path, sound: Path) -> None:
    options = WhisperOptions(language="xx-YY", device="cpu", threads=1, beam_size=1, skips_silence=False)

    assert isinstance(list(transcribe(sound, model, options)), list)


def test_silence_gives_no_words(model: Path, tmp_path: Path) -> None:
    quiet = tmp_path / "quiet.wav"
    with wave.open(str(quiet), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(64_000))

    assert list(transcribe(quiet, model, WhisperOptions(language="en", device="cpu", threads=1))) == []


def test_what_is_no_sound_and_what_are_no_weights_are_told_apart(model: Path, sound: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    with pytest.raises(MediaError):
        list(transcribe(text, model, WhisperOptions(device="cpu")))
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "model.bin").write_bytes(b"nothing")
    with pytest.raises(SettingsError) as caught:
        list(transcribe(sound, broken, WhisperOptions(device="cpu")))
    assert caught.value.setting == "whisper_model"


def test_a_name_in_place_of_a_folder_never_reaches_for_the_network(sound: Path) -> None:
    pytest.importorskip("faster_whisper", reason=MISSING)

    with pytest.raises(SettingsError, match="no weights"):
        list(transcribe(sound, Path("tiny"), WhisperOptions(device="cpu")))


def test_without_the_extra_the_advice_says_how_to_get_it(sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)

    with pytest.raises(SettingsError) as caught:
        list(transcribe(sound, Path("anything")))
    assert "hydrophone[whisper]" in caught.value.advice


def test_long_sound_is_cut_where_it_is_quiet_and_nothing_is_lost(tmp_path: Path) -> None:
    np = pytest.importorskip("numpy", reason="numpy is not installed: it comes with hydrophone[whisper]")
    from hydrophone.media.samples import RATE, read_samples

    quiet_at, path = 9.25, tmp_path / "long.wav"
    loud = 0.5 * np.sin(np.arange(14 * RATE) * 0.3)
    loud[round((quiet_at - 0.25) * RATE) : round((quiet_at + 0.25) * RATE)] = 0.0
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((loud * 32767).astype("<i2").tobytes())

    whole = np.concatenate([samples for _, samples in read_samples(path)])
    pieces = list(read_samples(path, piece_seconds=12.0, search_seconds=6.0))

    assert [begin for begin, _ in pieces] == [0.0, pytest.approx(quiet_at, abs=0.3)]
    assert np.array_equal(np.concatenate([samples for _, samples in pieces]), whole)
    assert len(whole) == len(loud)


def test_what_is_gone_on_with_hears_the_same(
    model: Path, sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hydrophone.media import samples, whisper

    def short(path: Path) -> object:
        return samples.read_samples(path, piece_seconds=1.2, search_seconds=0.6)

    monkeypatch.setattr(whisper, "read_samples", short)
    options = WhisperOptions(language="en", device="cpu", threads=1, beam_size=1, skips_silence=False)
    engine = whisper.load_model(model, options)

    whole = list(whisper.recognise(sound, engine, options))
    rest = list(whisper.recognise(sound, engine, options, begin_seconds=whole[0].until_seconds, language="en"))

    assert len(whole) >= 3
    assert rest == whole[1:]
    assert whole[-1].until_seconds == pytest.approx(3.0)
    begins = [word.begin_seconds for stretch in whole for word in stretch.words]
    assert begins == sorted(begins)
    assert list(whisper.recognise(sound, engine, options, is_stopping=lambda: True)) == []
