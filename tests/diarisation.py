"""How far a guess of who spoke when is from the truth: the diarisation error rate, written down.

    DER = (missed + false alarm + confusion) / speech in the truth

counted over time, per speaker, overlap included (as NIST's md-eval does without "-1"): at each moment with `t` people
speaking in truth, `g` in the guess, and `c` in both, missed is max(0, t - g), false alarm max(0, g - t), confusion
min(t, g) - c. Time within `collar_seconds` of a border in the truth is not counted (0.25 s is NIST's own).
Speakers have the same names in both, since ours are not clusters but people; so no mapping is sought.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple


class Span(NamedTuple):
    speaker: str
    begin: float
    end: float


@dataclass(frozen=True)
class DiarisationError:
    speech: float
    missed: float
    false_alarm: float
    confusion: float

    @property
    def rate(self) -> float:
        return (self.missed + self.false_alarm + self.confusion) / self.speech if self.speech else 0.0


def diarisation_error(
    truth: Iterable[Span], guess: Iterable[Span], *, collar_seconds: float = 0.25
) -> DiarisationError:
    truth, guess = list(truth), list(guess)
    events: list[tuple[float, int, str, int]] = []
    for kind, spans in ((0, truth), (1, guess)):
        for speaker, begin, end in spans:
            events += [(begin, kind, speaker, 1), (end, kind, speaker, -1)]
    for _, begin, end in truth:
        for border in (begin, end):
            events += [(border - collar_seconds, 2, "", 1), (border + collar_seconds, 2, "", -1)]
    events.sort()
    depth: tuple[dict[str, int], dict[str, int]] = ({}, {})
    covered = 0
    speech = missed = false_alarm = confusion = 0.0
    for (at, kind, speaker, step), after in pairwise([*events, (events[-1][0], 0, "", 0)] if events else []):
        if kind == 2:
            covered += step
        else:
            depth[kind][speaker] = depth[kind].get(speaker, 0) + step
        length = after[0] - at
        if length <= 0 or covered > 0:
            continue
        who_truth = {name for name, count in depth[0].items() if count > 0}
        who_guess = {name for name, count in depth[1].items() if count > 0}
        t, g, both = len(who_truth), len(who_guess), len(who_truth & who_guess)
        speech += t * length
        missed += max(0, t - g) * length
        false_alarm += max(0, g - t) * length
        confusion += (min(t, g) - both) * length
    return DiarisationError(speech, missed, false_alarm, confusion)
