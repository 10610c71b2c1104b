"""Storms made from a seed: what goes wrong at the CDN, when, while a pretend Space is live.

Everything in a storm can be made good: no byte is withheld for ever, and a snapshot and a replay name all segments in
the end. So whoever ends up with less has lost it himself.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hydrophone.sandbox.scene import Away, Quirks, Scene, SnapshotRule, Span

JOINED_SECONDS = 5.0  #: the Space is that old when recorders come
LEAD_SECONDS = 4.15  #: from the start of the Space to the first listed segment
SEGMENT_SECONDS = 3.0
CALM_BEFORE = 16.0  #: every recorder has long begun
CALM_AFTER = 12.0
PLAYLIST = "dynamic_playlist"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that goes wrong; all times in seconds of the Space. `away` is how long the host is gone."""

    at: float
    text: str
    seconds: float = 0.0
    upsets: tuple[Mapping[str, Any], ...] = ()
    quirks: Quirks | None = None
    away: float = 0.0


class _Weather:
    """Draws troubles one after the other. `place` is the number of the segment that is cut at a moment."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._away = 0.0
        self._waiting: list[Callable[[float], Trouble]] = []

    def draw(self, at: float) -> Trouble:
        """The next trouble, from `at` on: each kind comes once before any comes again, and the worst come last.

        What ends a recording early would otherwise hide how its recorder fares with all the rest.
        """
        if not self._waiting:
            for kinds in (
                [self._host_gone, self._outage, self._false_end],
                [self._refusal, self._page, self._reset_numbers, self._stale, self._frozen, self._doubled],
                [self._errors, self._torn, self._short, self._cut, self._nothing, self._stalled, self._slow],
            ):
                self._rng.shuffle(kinds)
                self._waiting += kinds
        trouble = self._waiting.pop()(at)
        self._away += trouble.away
        return trouble

    def pause(self) -> float:
        """Seconds of good weather."""
        return self._rng.uniform(5.0, 11.0)

    # ------------------------------------------------------------ the playlist

    def _refusal(self, at: float) -> Trouble:
        status, seconds = self._rng.choice((404, 500, 503)), self._rng.uniform(3, 8)
        return self._lasting(at, seconds, f"the playlist answers {status}", "status", status=status, path=PLAYLIST)

    def _page(self, at: float) -> Trouble:
        kind, what = self._rng.choice((("html", "a web page"), ("empty", "empty")))
        return self._lasting(
            at, self._rng.uniform(3, 6), f"the playlist is {what}, with status 200", kind, path=PLAYLIST
        )

    def _outage(self, at: float) -> Trouble:
        seconds = self._rng.uniform(15, 24)
        return self._lasting(at, seconds, "the whole CDN answers 503, for longer than the window", "status", status=503)

    def _reset_numbers(self, at: float) -> Trouble:
        how = {"path": PLAYLIST, "find": r"MEDIA-SEQUENCE:\d+", "put": "MEDIA-SEQUENCE:0"}
        return self._lasting(at, self._rng.uniform(6, 12), "the media sequence is reset", "edit", **how)

    def _lasting(self, at: float, seconds: float, text: str, kind: str, **how: Any) -> Trouble:
        return Trouble(at, text, seconds, ({"kind": kind, "begin": at, "end": at + seconds, **how},))

    def _stale(self, at: float) -> Trouble:
        quirks = Quirks(stale=(Span(begin=at, end=at + 15, by=2),))
        return Trouble(at, "every second answer comes from an edge that lags", 15.0, quirks=quirks)

    def _frozen(self, at: float) -> Trouble:
        seconds = self._rng.uniform(6, 9)
        return Trouble(
            at, "the playlist stands still", seconds, quirks=Quirks(frozen=(Span(begin=at, end=at + seconds),))
        )

    def _false_end(self, at: float) -> Trouble:
        seconds = self._rng.uniform(4, 8)
        quirks = Quirks(false_endlist=(Span(begin=at, end=at + seconds),))
        return Trouble(at, "the playlist claims to be over, and goes on", seconds, quirks=quirks)

    def _doubled(self, at: float) -> Trouble:
        place = self._place(at)
        return Trouble(at, "entries come twice", 6.0, quirks=Quirks(duplicates=(place, place + 1)))

    # ------------------------------------------------------------ segments

    def _errors(self, at: float) -> Trouble:
        return self._striking(at, 4, "segments answer 503, twice each", "status", status=503, count=2)

    def _torn(self, at: float) -> Trouble:
        return self._striking(at, 2, "connections are reset in the middle of a segment", "reset-mid")

    def _short(self, at: float) -> Trouble:
        return self._striking(at, 2, "segments are short, with a length that matches", "short", length="matching")

    def _cut(self, at: float) -> Trouble:
        return self._striking(at, 2, "segments end before the length that was announced", "short", length="wrong")

    def _nothing(self, at: float) -> Trouble:
        kind, what = self._rng.choice((("html", "web pages"), ("empty", "empty")))
        return self._striking(at, 2, f"segments are {what}, with status 200", kind)

    def _stalled(self, at: float) -> Trouble:
        kind, where = self._rng.choice((("stall", "half-way"), ("stall-headers", "before their headers")))
        return self._striking(at, 1, f"a segment stalls {where}", kind)

    def _slow(self, at: float) -> Trouble:
        return self._striking(at, 1, "a segment drips at 400 bytes a second", "drip", bytes_per_second=400)

    def _striking(self, at: float, most: int, text: str, kind: str, *, count: int = 1, **how: Any) -> Trouble:
        first = self._place(at)
        last = first + self._rng.randrange(most)
        upset = {"kind": kind, "segments": [[first, last]], "count": count, "per": "path", **how}
        return Trouble(at, text, (last - first + 1) * SEGMENT_SECONDS, (upset,))

    # ------------------------------------------------------------ the host

    def _host_gone(self, at: float) -> Trouble:
        seconds = round(self._rng.uniform(15, 35))
        return Trouble(at, "the host drops out and comes back", seconds, away=seconds)

    def _place(self, at: float) -> int:
        return max(0, round((at - LEAD_SECONDS - self._away) / SEGMENT_SECONDS))

    def position(self, at: float) -> float:
        """The position of the media at a moment."""
        return at - LEAD_SECONDS + SEGMENT_SECONDS - self._away


def storm(seed: int, seconds: float, name: str) -> tuple[Scene, tuple[Trouble, ...]]:
    """A live Space of about that length with a storm over it, and what the storm consists of.

    The same seed and length give the same storm, whatever the name; the name makes it a Space of its own.
    """
    weather = _Weather(seed)
    troubles: list[Trouble] = []
    aways: list[Away] = []
    at = min(CALM_BEFORE, seconds / 4) + weather.pause() / 2
    while True:
        position = weather.position(at)
        trouble = weather.draw(round(at, 1))
        if at + trouble.seconds > seconds - min(CALM_AFTER, seconds / 4):
            break
        troubles.append(trouble)
        if trouble.away:
            aways.append(Away(begin=position, seconds=trouble.away))
        at += trouble.seconds + weather.pause()
    scene = Scene.live(
        name,
        title=f"Storm {seed}",
        seconds=max(SEGMENT_SECONDS, seconds - sum(away.seconds for away in aways)),
        since=JOINED_SECONDS,
        aways=tuple(aways),
        upsets=tuple(upset for trouble in troubles for upset in trouble.upsets),
        quirks=_joined([trouble.quirks for trouble in troubles if trouble.quirks is not None]),
        snapshot=SnapshotRule(every=8, lag_seconds=3.0, gone_seconds=12.0),
    )
    return scene, tuple(troubles)


def _joined(parts: Sequence[Quirks]) -> Quirks:
    joined = Quirks()
    for part in parts:
        joined = replace(
            joined,
            stale=joined.stale + part.stale,
            frozen=joined.frozen + part.frozen,
            false_endlist=joined.false_endlist + part.false_endlist,
            duplicates=joined.duplicates + part.duplicates,
        )
    return joined
