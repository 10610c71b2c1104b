"""Words out of sound by a local speech recogniser, for recordings without captions.

Optional: it needs the extra ``whisper`` (faster-whisper) and weights that the user has put somewhere. Nothing is ever
downloaded. Who speaks is not its business; levels tell that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hydrophone.errors import MediaError, SettingsError
from hydrophone.media.listening import WhisperOptions
from hydrophone.media.samples import RATE, read_samples
from hydrophone.model import HeardWord

SETTING = "whisper_model"
_SENTENCE_END = re.compile(r"[.?!…。？！][\"'”’»)\]]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardStretch:
    """The words of a stretch of a file; everything before `until_seconds` has been listened to."""

    until_seconds: float
    language: str
    words: tuple[HeardWord, ...]


def transcribe(audio: Path, model: Path, options: WhisperOptions | None = None) -> Iterator[HeardWord]:
    """The words of a media file in order, as they are recognised. Blocking, and slow: run it in a thread.

    Args:
        model: a folder with weights in the form of faster-whisper (``model.bin``, ``config.json``, ``tokenizer.json``).

    Raises:
        SettingsError: the extra is not installed, or there are no such weights in that folder.
        MediaError: the file is no sound, or the recogniser failed.
    """
    options = options or WhisperOptions()
    for stretch in recognise(audio, load_model(model, options), options):
        yield from stretch.words


def recognise(
    audio: Path,
    engine: Any,
    options: WhisperOptions,
    *,
    begin_seconds: float = 0.0,
    language: str = "",
    is_stopping: Callable[[], bool] = lambda: False,
) -> Iterator[HeardStretch]:
    """A file stretch by stretch, each of some minutes, so that long work can be noted, and gone on with.

    Stretches end where it is quiet, at the same places however often the work was begun again; what was noted as
    `until_seconds` is where to begin. It ends early, in the middle of a stretch, when `is_stopping` says so.

    Args:
        language: what an earlier stretch was found to be in; "" asks `options`, or lets the engine guess.

    Raises:
        MediaError: the file is no sound, or the recogniser failed.
    """
    language = language or _language(options.language, engine) or ""
    try:
        for begin, samples in read_samples(audio):
            if begin < begin_seconds - 0.001:
                continue
            found, info = engine.transcribe(
                samples,
                language=language or None,
                beam_size=options.beam_size,
                # Never by chance, so that the same sound gives the same words, and trouble costs no sixfold time.
                temperature=0.0,
                word_timestamps=True,
                vad_filter=options.skips_silence,
                # One bad guess must not colour everything after it: the known way into endless repetition.
                condition_on_previous_text=False,
            )
            words: list[HeardWord] = []
            end = begin + len(samples) / RATE
            for segment in found:
                if is_stopping():
                    return
                words += (_placed(word, begin, end) for word in _words(segment))
            # Silence says nothing about the language.
            language = language or (str(info.language) if words else "")
            yield HeardStretch(until_seconds=end, language=language, words=tuple(words))
            if is_stopping():
                return
    except (RuntimeError, ValueError, LookupError, OSError) as error:
        raise MediaError(f"{audio.name}: the speech recogniser failed: {error}") from error


def load_model(model: Path, options: WhisperOptions) -> Any:
    """The recogniser with its weights in memory. Raises `SettingsError` as `transcribe` does."""
    try:
        from faster_whisper import WhisperModel
    except ImportError as error:
        raise SettingsError(
            "speech recognition is not installed",
            setting=SETTING,
            advice="Install it with: pip install 'hydrophone[whisper]'",
        ) from error
    # A name that is no folder would make the library look for weights on the network.
    if not (model / "model.bin").is_file():
        raise SettingsError(
            f"{model}: there are no weights in this folder",
            setting=SETTING,
            advice="Give a folder with model.bin, config.json and tokenizer.json, as faster-whisper keeps its weights.",
        )
    try:
        return WhisperModel(
            str(model),
            device=options.device,
            compute_type=options.compute_type,
            cpu_threads=options.threads,
            local_files_only=True,
        )
    except (RuntimeError, ValueError, LookupError, OSError) as error:
        raise SettingsError(f"{model}: these weights cannot be used: {error}", setting=SETTING) from error


def _language(language: str, engine: Any) -> str | None:
    """The language in the recogniser's spelling; None where it does not know it, so that it guesses."""
    code = language.lower().partition("-")[0]
    return code if code and code in engine.supported_languages else None


def _words(segment: Any) -> Iterator[HeardWord]:
    words = segment.words
    if not words:
        text = str(segment.text)
        if text.strip():
            yield HeardWord(text=text, begin_seconds=segment.start, end_seconds=segment.end, ends_sentence=True)
        return
    for word in words:
        yield HeardWord(
            text=str(word.word),
            begin_seconds=float(word.start),
            end_seconds=float(word.end),
            probability=float(word.probability),
            ends_sentence=_SENTENCE_END.search(str(word.word)) is not None,
        )


def _placed(word: HeardWord, begin: float, end: float) -> HeardWord:
    """A word of a stretch, in the file. The engine fills up the last half minute, and may hear words behind the end."""
    return replace(
        word,
        begin_seconds=min(end, begin + word.begin_seconds),
        end_seconds=min(end, begin + word.end_seconds),
    )
