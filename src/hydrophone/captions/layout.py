"""Long cues split into pieces that can be read on a screen. The archive keeps the whole ones.

A piece lasts at most seven seconds and fits on two lines; it ends where a sentence does, else at a comma, else between
words, else (scripts without blanks) anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from hydrophone.model import Cue, Word

_SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！", "؟", "।")
_CLAUSE_ENDS = (",", ";", ":", "،", "、", "，", "；", "：")
_CLOSERS = "\"'”’»)]}」』"


@dataclass(frozen=True, slots=True, kw_only=True)
class CueLimits:
    """What a reader can take in at once. `line_characters` is the width of one of the `lines`."""

    seconds: float = 7.0
    characters: int = 84
    lines: int = 2
    line_characters: int = 42


def split_cues(cues: Iterable[Cue], limits: CueLimits | None = None) -> Iterator[Cue]:
    """The same cues, long ones in pieces, in order of beginning. Time is linear in the number of words."""
    limits = limits or CueLimits()
    pieces = [piece for cue in cues for piece in split_cue(cue, limits)]
    pieces.sort(key=lambda cue: (cue.begin_seconds, cue.end_seconds))
    yield from pieces


def split_cue(cue: Cue, limits: CueLimits) -> list[Cue]:
    """One cue in pieces; itself alone where it is short enough."""
    if cue.seconds <= limits.seconds and _fits(cue.text.split(), limits):
        return [cue]
    words = [part for word in (cue.words or _even_words(cue)) for part in _split_word(word, limits.line_characters)]
    pieces: list[Cue] = []
    begin = 0
    while begin < len(words):
        end = _break(words, begin, limits)
        text = " ".join(word.text for word in words[begin:end])
        pieces.append(
            replace(
                cue,
                begin_seconds=words[begin].begin_seconds if begin else cue.begin_seconds,
                end_seconds=words[end - 1].end_seconds if end < len(words) else cue.end_seconds,
                text=text,
                words=tuple(words[begin:end]),
            )
        )
        begin = end
    return pieces or [cue]


def wrap_lines(text: str, limits: CueLimits) -> list[str]:
    """The text on as few lines as it needs, the lines about equally long. Words longer than a line are not cut."""
    words = text.split()
    lines = _wrap(words, limits.line_characters)
    if len(lines) < 2:
        return lines
    # The narrowest width that needs no further line; the text is short, so trying is cheap. Nothing narrower than an
    # equal share of all letters and blanks can do.
    share = -(-(sum(map(len, words)) + len(words) - len(lines)) // len(lines))
    for width in range(max(share, *map(len, words)), limits.line_characters):
        balanced = _wrap(words, width)
        if len(balanced) <= len(lines):
            return balanced
    return lines


def _break(words: Sequence[Word], begin: int, limits: CueLimits) -> int:
    """Where the piece that starts at `begin` ends: the best place among those that are short enough."""
    until, length = begin, -1
    since = words[begin].begin_seconds
    lines, line = 0, 0  # as `_wrap` would fill them
    while until < len(words):
        size = len(words[until].text)
        length += size + 1
        if lines and line + 1 + size <= limits.line_characters:
            line += 1 + size
        else:
            lines, line = lines + 1, size
        too_long = length > limits.characters or words[until].end_seconds - since > limits.seconds
        if until > begin and (too_long or lines > limits.lines):
            break
        until += 1
    if until == len(words):
        return until
    best, best_score = until, 0.0
    for place in range(begin + 1, until + 1):
        mark = words[place - 1].text.rstrip(_CLOSERS)
        # A break in the second half is nearly as good as one at the end; a lone first word is not.
        share = (place - begin) / (until - begin)
        weight = 3.0 if mark.endswith(_SENTENCE_ENDS) else 1.6 if mark.endswith(_CLAUSE_ENDS) else 1.0
        score = weight * min(1.0, 0.35 + share) if share < 1 else weight * 1.35
        if score >= best_score:
            best, best_score = place, score
    return best


def _fits(words: Sequence[str], limits: CueLimits) -> bool:
    if sum(map(len, words)) + len(words) - 1 > limits.characters:
        return False
    return len(_wrap(words, limits.line_characters)) <= limits.lines


def _wrap(words: Sequence[str], width: int) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _even_words(cue: Cue) -> list[Word]:
    """Words with times shared evenly, for a cue that has none."""
    texts = cue.text.split()
    step = cue.seconds / len(texts) if texts else 0.0
    return [
        Word(text, cue.begin_seconds + index * step, cue.begin_seconds + (index + 1) * step)
        for index, text in enumerate(texts)
    ]


def _split_word(word: Word, width: int) -> list[Word]:
    """A word that is longer than a line (scripts without blanks, addresses) in parts, its time shared evenly."""
    if len(word.text) <= width:
        return [word]
    cuts = _cuts(word.text, width)
    seconds, whole = word.end_seconds - word.begin_seconds, len(word.text)
    return [
        Word(
            word.text[first:last],
            word.begin_seconds + seconds * first / whole,
            word.begin_seconds + seconds * last / whole,
        )
        for first, last in zip([0, *cuts], [*cuts, whole], strict=True)
    ]


def _cuts(text: str, width: int) -> list[int]:
    cuts: list[int] = []
    begin = 0
    while len(text) - begin > width:
        window = range(begin + width, begin + width // 2, -1)
        mark = next((at for at in window if text[at - 1] in (*_SENTENCE_ENDS, *_CLAUSE_ENDS)), begin + width)
        cuts.append(mark)
        begin = mark
    return cuts
