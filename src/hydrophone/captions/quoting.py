"""What was said at a moment, by whom, and the address that leads there."""

from __future__ import annotations

from dataclasses import dataclass

from hydrophone.model import Cue, Speaker, Transcript

#: A moment this far from any cue still means the nearest one: people give round times.
NEAR_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A cue with its speaker. `permalink` is the link of the Space with the position as a media fragment."""

    text: str
    speaker: Speaker
    begin_seconds: float
    end_seconds: float
    permalink: str
    is_final: bool = True


def quote(transcript: Transcript, at_seconds: float, *, link: str | None = None) -> Quote | None:
    """The cue at a position; of several at once, the one that began last. None where nobody speaks anywhere near.

    Args:
        link: what the permalink leads to; None takes the transcript's own.
    """
    cue = _cue_at(transcript, at_seconds)
    if cue is None:
        return None
    begin = max(0.0, cue.begin_seconds)
    return Quote(
        text=cue.text,
        speaker=transcript.speaker(cue.speaker),
        begin_seconds=begin,
        end_seconds=max(begin, cue.end_seconds),
        permalink=permalink(transcript.link if link is None else link, begin),
        is_final=cue.is_final,
    )


def permalink(link: str, seconds: float) -> str:
    """`link` with ``#t=SECONDS``, as the W3C's media fragments have it; "" where there is no link."""
    if not link:
        return ""
    return f"{link.partition('#')[0]}#t={max(0.0, seconds):.1f}"


def _cue_at(transcript: Transcript, at_seconds: float) -> Cue | None:
    covering: Cue | None = None
    nearest: tuple[float, Cue] | None = None
    for cue in transcript.cues:
        if cue.begin_seconds <= at_seconds < cue.end_seconds:
            if covering is None or cue.begin_seconds >= covering.begin_seconds:
                covering = cue
            continue
        distance = cue.begin_seconds - at_seconds if cue.begin_seconds > at_seconds else at_seconds - cue.end_seconds
        if nearest is None or distance < nearest[0]:
            nearest = distance, cue
    if covering is not None:
        return covering
    return nearest[1] if nearest is not None and nearest[0] <= NEAR_SECONDS else None
