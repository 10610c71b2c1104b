"""A part of a transcript: some speakers, some stretch."""

from __future__ import annotations

from dataclasses import replace

from hydrophone.model import Cue, MissingStretch, Speaker, Transcript, Turn, Word


def sliced(transcript: Transcript, begin_seconds: float, end_seconds: float, *, is_shifted: bool = False) -> Transcript:
    """What is said, and what is missing, from here to there; what only begins or ends there is in it as a whole.

    Args:
        is_shifted: count from `begin_seconds`, as the media of a clip does; everything is cut to the clip's length.
    """
    found = replace(
        transcript,
        cues=tuple(cue for cue in transcript.cues if _meets(cue, begin_seconds, end_seconds)),
        turns=tuple(turn for turn in transcript.turns if _meets(turn, begin_seconds, end_seconds)),
        gaps=tuple(gap for gap in transcript.gaps if _meets(gap, begin_seconds, end_seconds)),
    )
    return _with_its_speakers(_shifted(found, begin_seconds, end_seconds) if is_shifted else found)


def by_speaker(transcript: Transcript, name: str) -> Transcript | None:
    """What one person says, by handle, name or key, in whatever case; None where there is no such person."""
    wanted = name.removeprefix("@").casefold()
    keys = {one.key for one in transcript.speakers if wanted in _names(one)}
    if not keys or not wanted:
        return None
    return _with_its_speakers(
        replace(
            transcript,
            cues=tuple(cue for cue in transcript.cues if cue.speaker in keys),
            turns=tuple(turn for turn in transcript.turns if turn.speaker in keys),
        )
    )


def _names(speaker: Speaker) -> set[str]:
    return {one.casefold() for one in (speaker.handle, speaker.name, speaker.key, speaker.user_id) if one}


def _meets(span: Cue | Turn | MissingStretch, begin: float, end: float) -> bool:
    return span.begin_seconds < end and span.end_seconds > begin


def _shifted(transcript: Transcript, begin: float, end: float) -> Transcript:
    def at(seconds: float) -> float:
        return min(max(seconds - begin, 0.0), end - begin)

    def cue_at(cue: Cue) -> Cue:
        return replace(
            cue,
            begin_seconds=at(cue.begin_seconds),
            end_seconds=at(cue.end_seconds),
            words=tuple(Word(word.text, at(word.begin_seconds), at(word.end_seconds)) for word in cue.words),
        )

    return replace(
        transcript,
        seconds=min(end, transcript.seconds) - begin,
        cues=tuple(map(cue_at, transcript.cues)),
        turns=tuple(
            replace(turn, begin_seconds=at(turn.begin_seconds), end_seconds=at(turn.end_seconds))
            for turn in transcript.turns
        ),
        gaps=tuple(
            replace(gap, begin_seconds=at(gap.begin_seconds), end_seconds=at(gap.end_seconds))
            for gap in transcript.gaps
        ),
    )


def _with_its_speakers(transcript: Transcript) -> Transcript:
    keys = {cue.speaker for cue in transcript.cues} | {turn.speaker for turn in transcript.turns}
    return replace(transcript, speakers=tuple(one for one in transcript.speakers if one.key in keys))
