"""WebVTT and SRT: what foreign people said, as foreign text that no player takes for markup, timing or a new cue.

WebVTT has escapes, and they are used. SRT has none: players obey ``<tags>`` and ``{commands}`` in it, so these brackets
become their full-width relatives, which look the same and do nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from hydrophone.model import Cue, Transcript
from hydrophone.render.jsontext import sound_text
from hydrophone.render.times import cue_time

#: From a cue's text to its lines. The default is one line; `captions.layout.wrap_lines` makes two readable ones.
Wrap = Callable[[str], Sequence[str]]

_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_FULL_WIDTH = str.maketrans({"<": "＜", ">": "＞", "{": "｛", "}": "｝"})
# Controls, line and paragraph separators, and marks that turn the direction of everything after them.
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
#: Stands for words that nobody wrote down.
NO_WORDS = "[…]"
_SHORTEST = 0.001


def spoken_text(text: str) -> str:
    """`text` on one line, without anything that is not to be read: controls, half characters, turns of direction."""
    return _BLANKS.sub(" ", _TURNS.sub("", sound_text(text))).strip()


def speaker_labels(transcript: Transcript) -> Mapping[str, str]:
    """What to call each speaker, by key."""
    return {speaker.key: spoken_text(speaker.label) or "?" for speaker in transcript.speakers}


def vtt_text(transcript: Transcript, cues: Iterable[Cue] | None = None, *, wrap: Wrap | None = None) -> str:
    """``transcript.vtt``: each cue with its speaker in a voice tag.

    Args:
        cues: pieces of a readable size; None takes the transcript's own. Without any, its turns are shown.
        wrap: breaks a text into lines.
    """
    blocks = [_vtt_header(transcript)]
    labels = speaker_labels(transcript)
    for begin, end, speaker, lines in _shown(transcript, cues, wrap):
        payload = "\n".join(map(_escaped, lines))
        if speaker:
            payload = f"<v {_escaped(labels.get(speaker, speaker))}>{payload}"
        blocks.append(f"{cue_time(begin)} --> {cue_time(end)}\n{payload}")
    return "\n\n".join(blocks) + "\n"


def srt_text(transcript: Transcript, cues: Iterable[Cue] | None = None, *, wrap: Wrap | None = None) -> str:
    """``transcript.srt``: numbered cues; the speaker is named where it changes. Takes what `vtt_text` takes."""
    blocks: list[str] = []
    labels = speaker_labels(transcript)
    before = ""
    for number, (begin, end, speaker, lines) in enumerate(_shown(transcript, cues, wrap), start=1):
        texts = [srt_safe(line) for line in lines]
        if speaker and speaker != before:
            texts[0] = f"{srt_safe(labels.get(speaker, speaker))}: {texts[0]}"
        before = speaker
        times = f"{cue_time(begin, decimal=',')} --> {cue_time(end, decimal=',')}"
        blocks.append("\n".join([str(number), times, *texts]) + "\n")
    return "\n".join(blocks)


def srt_safe(text: str) -> str:
    """One line of an SRT cue: read by every player as text and nothing else."""
    # A line of digits alone can be taken for the number of the next cue.
    safe = spoken_text(text).translate(_FULL_WIDTH).replace("\\", "＼")
    return f"{safe}." if safe.isdigit() else safe


def _shown(
    transcript: Transcript, cues: Iterable[Cue] | None, wrap: Wrap | None
) -> Iterable[tuple[float, float, str, list[str]]]:
    """Begin, end, speaker and lines of everything that can be shown: what ended before the recording began cannot."""
    if transcript.cues or cues is not None:
        for cue in transcript.cues if cues is None else cues:
            text = spoken_text(cue.text)
            lines = [line for line in map(spoken_text, wrap(text) if wrap else [text]) if line]
            if cue.end_seconds > 0 and lines:
                yield _sound(cue.begin_seconds, cue.end_seconds, cue.speaker, lines)
        return
    for turn in transcript.turns:
        if turn.end_seconds > 0:
            yield _sound(turn.begin_seconds, turn.end_seconds, turn.speaker, [NO_WORDS])


def _sound(begin: float, end: float, speaker: str, lines: list[str]) -> tuple[float, float, str, list[str]]:
    # A cue that ends when it begins is an error to strict readers.
    begin = max(0.0, begin)
    return begin, max(end, begin + _SHORTEST), speaker, lines


def _vtt_header(transcript: Transcript) -> str:
    lines = ["WEBVTT"]
    if _LANGUAGE.fullmatch(transcript.language):
        lines.append(f"Language: {transcript.language}")
    header = "\n".join(lines)
    notes = [text for text in map(spoken_text, (transcript.title, *transcript.notes)) if text]
    # A comment ends at the arrow, too.
    return "\n\n".join([header, *(f"NOTE {note.replace('-->', '→')}" for note in notes)])


def _escaped(text: str) -> str:
    return re.sub("[&<>]", lambda match: _ESCAPES[match[0]], spoken_text(text))
