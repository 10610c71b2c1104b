"""Words for a finished item that has none: a local recogniser listens, the levels say who speaks.

It takes long, so each stretch is noted beside the item as soon as it is heard, and a second run goes on from there.
What the service itself has written down is never replaced.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hydrophone.archive import Item, make_directory, read_manifest, write_file, write_manifest
from hydrophone.captions.aligning import TurnIndex, attribute_words
from hydrophone.captions.talk import talk_times
from hydrophone.errors import HydrophoneError, MediaError, SettingsError
from hydrophone.media.probe import probe_media
from hydrophone.media.whisper import SETTING, load_model, recognise
from hydrophone.model import HeardWord, MissingStretch, SpeakerSource, Transcript, WordSource
from hydrophone.recorder.options import Recogniser
from hydrophone.recorder.transcribing import NO_CAPTIONS, TRANSCRIPTS, transcript_as
from hydrophone.render.jsontext import json_line, json_text
from hydrophone.render.transcripts import read_transcript, speech_entries

SCHEMA = 1
_GUESSED = "The words are what a speech recogniser on this machine understood; they may be wrong."
_SAMPLE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Listened:
    """How far it has come. `seconds` of `whole_seconds` are heard."""

    seconds: float
    whole_seconds: float

    @property
    def is_done(self) -> bool:
        return self.seconds >= self.whole_seconds


@dataclass(slots=True)
class _Notes:
    """What was heard so far, as it lies in the item's working folder; by one recogniser, in one recording."""

    audio: str
    engine: str
    language: str = ""
    until_seconds: float = 0.0
    is_done: bool = False
    words: list[list[Any]] | None = None

    def heard(self) -> Iterator[HeardWord]:
        for text, begin, end, probability, ends in self.words or ():
            yield HeardWord(
                text=text, begin_seconds=begin, end_seconds=end, probability=probability, ends_sentence=ends
            )

    def add(self, words: Iterable[HeardWord], until_seconds: float, language: str) -> None:
        rows = [
            [word.text, round(word.begin_seconds, 3), round(word.end_seconds, 3), _short(word), word.ends_sentence]
            for word in words
        ]
        self.words = [*(self.words or []), *rows]
        self.until_seconds, self.language = until_seconds, language


def fill_words(
    item: Item,
    recogniser: Recogniser | None,
    *,
    on_progress: Callable[[Listened], None] = lambda _: None,
    is_stopping: Callable[[], bool] = lambda: False,
) -> Transcript | None:
    """Listen to an item, and write its transcripts anew with the words. Blocks, for a long time.

    The caller makes sure that nobody else works on the item.

    Args:
        recogniser: None takes only what an earlier run has heard to the end.
        on_progress: called after each stretch of some minutes.
        is_stopping: asked every few seconds of audio; what was heard by then is kept.

    Returns:
        The transcript with its words; None where the service's own words are there, or it was not heard to the end.

    Raises:
        SettingsError: the recogniser is not installed, or has no weights.
        MediaError: there is nothing to listen to, or the recogniser failed.
        DiskError: a file could not be read or written.
    """
    facts = item.load_space()
    transcript = _transcript(item, facts)
    if transcript.word_source is WordSource.SERVICE:
        return None
    notes = _load(item, _audio_name(item))
    if recogniser is None:
        if notes is None or not notes.is_done:
            return None
    else:
        engine = _engine_name(recogniser)
        if notes is None or notes.engine != engine:
            notes = _Notes(audio=_audio_name(item), engine=engine)
        _listen(item, facts, notes, recogniser, transcript.language, on_progress, is_stopping)
        if not notes.is_done:
            return None
    told = with_words(transcript, notes.heard(), notes.language)
    _write(item, told)
    return told


def with_words(transcript: Transcript, words: Iterable[HeardWord], language: str = "") -> Transcript:
    """A transcript with words that nobody has attributed: by the levels, else by who was on stage. Pure."""
    by_level = [turn for turn in transcript.turns if turn.source is SpeakerSource.LEVELS]
    turns = by_level or list(transcript.turns)
    source = SpeakerSource.LEVELS if by_level else SpeakerSource.MICROPHONES
    cues = attribute_words(words, TurnIndex(turns), source=source)
    notes = tuple(note for note in transcript.notes if note not in (NO_CAPTIONS, _GUESSED))
    return replace(
        transcript,
        language=transcript.language or language,
        word_source=WordSource.WHISPER,
        cues=tuple(sorted(cues, key=lambda cue: (cue.begin_seconds, cue.end_seconds))),
        notes=(*notes, _GUESSED),
    )


# ---------------------------------------------------------------- listening


def _listen(
    item: Item,
    facts: Mapping[str, Any],
    notes: _Notes,
    recogniser: Recogniser,
    language: str,
    on_progress: Callable[[Listened], None],
    is_stopping: Callable[[], bool],
) -> None:
    """Go on where the notes end, note what is heard."""
    if notes.is_done:
        return
    files = _media(item, facts)
    whole = sum(seconds for _, seconds in files)
    options = replace(recogniser.options, language=recogniser.options.language or language)
    engine = load_model(recogniser.model, options)
    offset = 0.0
    for path, seconds in files:
        begin = notes.until_seconds - offset
        if begin < seconds:
            for stretch in recognise(
                path, engine, options, begin_seconds=begin, language=notes.language, is_stopping=is_stopping
            ):
                words = (_moved(word, offset) for word in stretch.words)
                notes.add(words, offset + stretch.until_seconds, stretch.language)
                _save(item, notes)
                on_progress(Listened(seconds=min(notes.until_seconds, whole), whole_seconds=whole))
            if is_stopping():
                return
        offset += seconds
        notes.until_seconds = max(notes.until_seconds, offset)
    notes.is_done = True
    _save(item, notes)


def _media(item: Item, facts: Mapping[str, Any]) -> list[tuple[Path, float]]:
    """The packaged files, which have silence where something is missing: a place in them is one in the recording."""
    names = (facts.get("files") or {}).get("media") or []
    paths = [item.path / Path(str(name)).name for name in names]
    found = [(path, probe_media(path).duration_seconds or 0.0) for path in paths if path.is_file()]
    if not found:
        raise MediaError(f"{item.path.name!r} has no packaged audio to listen to")
    return found


def _moved(word: HeardWord, seconds: float) -> HeardWord:
    return replace(word, begin_seconds=word.begin_seconds + seconds, end_seconds=word.end_seconds + seconds)


def _short(word: HeardWord) -> float | None:
    return None if word.probability is None else round(word.probability, 3)


# ---------------------------------------------------------------- notes


def _audio_name(item: Item) -> str:
    """Names the recording as it is now: where a gap is filled later, every position behind it is another one."""
    digests = read_manifest(item.manifest).digests
    named = [f"{name} {digest}" for name, digest in sorted(digests.items()) if name.startswith("original.")]
    return hashlib.sha256("\n".join(named).encode()).hexdigest()


def _engine_name(recogniser: Recogniser) -> str:
    """Names weights and settings: other ones hear other words."""
    weights = recogniser.model / "model.bin"
    try:
        with weights.open("rb") as file:
            sample = file.read(_SAMPLE_BYTES)
            file.seek(-min(_SAMPLE_BYTES, weights.stat().st_size), 2)
            sample += file.read(_SAMPLE_BYTES) + str(weights.stat().st_size).encode()
    except OSError:
        raise SettingsError(
            f"{recogniser.model}: there are no weights in this folder",
            setting=SETTING,
            advice="Give a folder with model.bin, config.json and tokenizer.json, as faster-whisper keeps its weights.",
        ) from None
    options = recogniser.options
    how = f"{options.language} {options.beam_size} {options.skips_silence}"
    return hashlib.sha256(sample + how.encode()).hexdigest()


def _save(item: Item, notes: _Notes) -> None:
    make_directory(item.heard_words.parent)
    facts = {
        "schema": SCHEMA,
        "audio": notes.audio,
        "engine": notes.engine,
        "language": notes.language,
        "until_seconds": notes.until_seconds,
        "is_done": notes.is_done,
        "words": notes.words or [],
    }
    write_file(item.heard_words, json_line(facts).encode())


def _load(item: Item, audio: str) -> _Notes | None:
    """The notes of an earlier run; None where there are none for this recording as it is now."""
    try:
        facts = json.loads(item.heard_words.read_bytes())
        notes = _Notes(
            audio=facts["audio"],
            engine=facts["engine"],
            language=facts["language"],
            until_seconds=facts["until_seconds"],
            is_done=facts["is_done"],
            words=facts["words"],
        )
        list(notes.heard())
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return notes if notes.audio == audio and facts.get("schema") == SCHEMA else None


# ---------------------------------------------------------------- files


def _transcript(item: Item, facts: Mapping[str, Any]) -> Transcript:
    """What is known without words; an empty one where nobody told anything."""
    try:
        return read_transcript(json.loads(item.transcript("json").read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        coverage = facts.get("coverage") or {}
        return Transcript(
            title=str(facts.get("title") or ""),
            link=str(facts.get("link") or ""),
            language=str(facts.get("language") or ""),
            seconds=float(facts.get("duration_seconds") or 0.0),
            gaps=tuple(
                MissingStretch(
                    begin_seconds=gap["begin_seconds"], end_seconds=gap["end_seconds"], cause=str(gap["cause"])
                )
                for gap in coverage.get("gaps") or ()
            ),
        )


def _write(item: Item, transcript: Transcript) -> None:
    """The files that hold words, and the manifest; all others keep the digests that they have."""
    digests = dict(read_manifest(item.manifest).digests)
    for form in TRANSCRIPTS:
        write_file(item.transcript(form), transcript_as(transcript, form).encode())
    if item.lyrics.is_file():
        write_file(item.lyrics, transcript_as(transcript, "lrc").encode())
    write_file(item.timeline, _timeline(item, transcript).encode())
    _write_people(item, transcript)
    written = [item.transcript(form) for form in TRANSCRIPTS] + [item.timeline, item.people, item.lyrics]
    for path in written:
        digests.pop(path.name, None)
    write_manifest(item.path, known=digests)


def _timeline(item: Item, transcript: Transcript) -> str:
    """The timeline with what is said now in place of what was said before."""
    try:
        lines = item.timeline.read_bytes().splitlines()
        events = [entry for entry in map(json.loads, lines) if entry.get("kind") != "speech"]
    except (OSError, ValueError, AttributeError):
        events = []
    entries = [*events, *speech_entries(transcript)]
    return "".join(json_line(entry) + "\n" for entry in sorted(entries, key=lambda entry: entry["seconds"]))


def _write_people(item: Item, transcript: Transcript) -> None:
    """Everybody's number of words."""
    try:
        facts = json.loads(item.people.read_bytes())
        people = [dict(person) for person in facts["people"]]
    except (OSError, ValueError, KeyError, TypeError):
        return
    speakers = {one.key: one for one in transcript.speakers}
    for talk in talk_times(transcript):
        speaker = speakers.get(talk.speaker)
        for person in people:
            ids = (("periscope_id", speaker.periscope_id), ("user_id", speaker.user_id)) if speaker else ()
            if "talk" in person and any(value and person.get(name) == value for name, value in ids):
                person["talk"] = {**person["talk"], "words": talk.words}
                break
    write_file(item.people, json_text({**facts, "people": people}).encode())


def words_or_notice(
    item: Item,
    recogniser: Recogniser | None,
    *,
    on_progress: Callable[[Listened], None] = lambda _: None,
    is_stopping: Callable[[], bool] = lambda: False,
) -> str:
    """`fill_words` for a recording that has just been finished: whatever goes wrong is told, and costs only the words.

    Returns:
        What a person should know; "" where there is nothing to tell.
    """
    heard: list[Listened] = []

    def progress(listened: Listened) -> None:
        heard.append(listened)
        on_progress(listened)

    try:
        fill_words(item, recogniser, on_progress=progress, is_stopping=is_stopping)
    except HydrophoneError as error:
        return f"no words: {error.message}. {error.advice or ''}".strip() if recogniser else ""
    if is_stopping() and recogniser is not None and not (heard and heard[-1].is_done):
        return "no words yet: listening was stopped; `hydrophone transcript ITEM --engine whisper` goes on"
    return ""
