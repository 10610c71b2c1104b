"""What is said, as music players show it: LRC lines with times, and plain text for the tag of a file.

LRC has no escapes. A bracket in what somebody says would begin a time to players, so brackets become their full-width
relatives, which look the same and do nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hydrophone.model import Cue, Transcript
from hydrophone.render.subtitles import NO_WORDS, speaker_labels, spoken_text

#: After so long a silence the line is taken off the screen.
SILENCE_SECONDS = 5.0
_LOOK_ALIKES = str.maketrans({"[": "［", "]": "］", "<": "＜", ">": "＞"})


def lrc_text(transcript: Transcript, cues: Iterable[Cue] | None = None) -> str:
    """``audio.lrc``: a line for each cue, with the speaker's name where it changes.

    Args:
        cues: pieces of a readable size; None takes the transcript's own. Without any, its turns are shown.
    """
    head = [("ti", transcript.title), ("length", _clock(transcript.seconds)), ("re", "Hydrophone")]
    lines = [f"[{name}:{_plain(value)}]" for name, value in head if value]
    labels = speaker_labels(transcript)
    before, until = "", 0.0
    for begin, end, speaker, text in _said(transcript, cues):
        if until and begin - until > SILENCE_SECONDS:
            lines.append(f"[{_clock(until)}]")
        name = f"{_plain(labels.get(speaker, '?'))}: " if speaker and speaker != before else ""
        lines.append(f"[{_clock(begin)}]{name}{_plain(text)}")
        before, until = speaker, max(until, end)
    if until:
        lines.append(f"[{_clock(until)}]")
    return "\n".join(lines) + "\n"


def lyrics_text(transcript: Transcript) -> str:
    """The text of the tag: a paragraph for each stretch of speech by one person; "" where nobody wrote words down."""
    labels = speaker_labels(transcript)
    parts: list[str] = []
    before: str | None = None
    for cue in transcript.cues:
        text = spoken_text(cue.text)
        if not text:
            continue
        if cue.speaker == before:
            parts[-1] += f" {text}"
        else:
            parts.append(f"{labels.get(cue.speaker, '?')}: {text}")
            before = cue.speaker
    return "\n\n".join(parts)


def _said(transcript: Transcript, cues: Iterable[Cue] | None) -> Iterator[tuple[float, float, str, str]]:
    """Begin, end, speaker and text of everything that can be shown, in order of beginning."""
    if transcript.cues:
        shown = sorted(transcript.cues if cues is None else cues, key=lambda cue: (cue.begin_seconds, cue.end_seconds))
        for cue in shown:
            if cue.end_seconds > 0 and spoken_text(cue.text):
                yield max(0.0, cue.begin_seconds), cue.end_seconds, cue.speaker, cue.text
        return
    for turn in transcript.turns:
        if turn.end_seconds > 0:
            yield max(0.0, turn.begin_seconds), turn.end_seconds, turn.speaker, NO_WORDS


def _clock(seconds: float) -> str:
    """Minutes, which may have more than two digits, seconds and hundredths: ``75:04.20``."""
    hundredths = round(max(0.0, seconds) * 100)
    return f"{hundredths // 6000:02d}:{hundredths // 100 % 60:02d}.{hundredths % 100:02d}"


def _plain(text: str) -> str:
    return spoken_text(text).translate(_LOOK_ALIKES)
