"""The live fault scripts: what can go wrong between a recorder and a CDN while a Space is live, one scene for each.

Every script is a scene of a minute or so with its own upsets (see `hydrophone.sandbox.faults`), so that all of them can
run beside one another in one sandbox. What a recorder keeps of each is compared with the sandbox's own frames. Seconds
are scene seconds since the start; `JOINED` of them have passed when a recorder comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hydrophone.model import GapCause
from hydrophone.sandbox.scene import Away, Quirks, Scene, SnapshotRule, Span

JOINED = 10.0
LENGTH = 75.0
SEGMENTS = 25

PLAYLIST = "dynamic_playlist"
AFTER = {"begin": 26}  # when every recorder has long begun


@dataclass(frozen=True)
class DueGap:
    """A gap that must be reported: `first` to `last`, with one of `causes`."""

    first: int
    last: int
    causes: tuple[GapCause, ...]


@dataclass(frozen=True)
class Script:
    """One script. `name` says in a sentence what goes wrong. Without `gaps`, everything can be kept."""

    name: str
    scene: Scene
    gaps: tuple[DueGap, ...] = ()

    @property
    def exit_code(self) -> int:
        return 3 if self.gaps else 0


def script(
    name: str,
    *upsets: Mapping[str, Any],
    gaps: tuple[DueGap, ...] = (),
    quirks: Quirks | None = None,
    **scene: Any,
) -> Script:
    """A script whose scene is live, `LENGTH` seconds long, and otherwise in good order."""
    made = {
        "seconds": LENGTH,
        "since": JOINED,
        "snapshot": SnapshotRule(every=8, lag_seconds=3.0, gone_seconds=12.0),
        "upsets": upsets,
        "quirks": quirks or Quirks(),
    }
    return Script(name, Scene.live(name.replace(" ", "-"), **(made | scene)), gaps)


def upset(kind: str, **how: Any) -> dict[str, Any]:
    return {"kind": kind, **how}


def once(kind: str, *segments: int, **how: Any) -> dict[str, Any]:
    """A fault that strikes each of these segments once."""
    return {"kind": kind, "segments": list(segments), "count": 1, "per": "path", **how}


SCRIPTS: tuple[Script, ...] = (
    # ---------------------------------------------------------------- the playlist
    script("the playlist answers 503 for four seconds", upset("status", status=503, path=PLAYLIST, begin=28, end=32)),
    script("the playlist answers 404 for four seconds", upset("status", status=404, path=PLAYLIST, begin=28, end=32)),
    script("connections for the playlist are refused", upset("refuse", path=PLAYLIST, begin=28, end=33)),
    script(
        "the playlist is a web page and then nothing at all",
        upset("html", path=PLAYLIST, begin=28, end=32),
        upset("empty", path=PLAYLIST, begin=40, end=44),
    ),
    script(
        "an edge lags behind and then the playlist stands still",
        quirks=Quirks(stale=(Span(begin=26, end=46, by=2),), frozen=(Span(begin=52, end=60),)),
    ),
    script("the playlist claims to be over and goes on", quirks=Quirks(false_endlist=(Span(begin=26, end=34),))),
    script(
        "entries come twice and under new numbers and addresses",
        upset("edit", path=PLAYLIST, find=r"MEDIA-SEQUENCE:\d+", put="MEDIA-SEQUENCE:7", begin=26, end=34),
        upset("edit", path=PLAYLIST, find=r"type=live", put="type=live&edge=2", begin=40, end=48),
        quirks=Quirks(duplicates=(9, 10, 14, 17)),
    ),
    script(
        "the media sequence is reset while the names go on",
        upset("edit", path=PLAYLIST, find=r"MEDIA-SEQUENCE:\d+", put="MEDIA-SEQUENCE:0", begin=30),
    ),
    script("the numbering begins anew with new names", quirks=Quirks(restarts=(12,), discontinuities=(12,))),
    script(
        "an outage lasts longer than the window",
        upset("status", status=503, begin=28, end=52),
    ),
    # ---------------------------------------------------------------- segments
    script(
        "segments answer 5xx several times",
        upset("status", status=500, segments=[[6, 9]], count=3, per="path"),
        upset("status", status=503, segments=[[14, 20]], count=2, per="path"),
    ),
    script("connections are reset in the middle of a body", once("reset-mid", 3, 8, 9, 15, 24)),
    script(
        "bodies end before the length that was announced",
        once("short", 4, 9, length="wrong"),
        once("short", 12, 15, length="none"),
        once("truncated-gzip", 17, 20),
    ),
    script(
        "short bodies come with a length that matches",
        upset("short", segments=[5, [10, 12], 18, 24], count=2, per="path", length="matching"),
    ),
    script("chunked bodies never end", once("endless-chunks", 7, 16)),
    script("bodies drip slowly", once("drip", 7, 16, bytes_per_second=400)),
    script("answers stall before their headers", once("stall-headers", 6, 13, 14)),
    script("bodies stall half-way", once("stall", 6, 13, 14)),
    script(
        "segments are web pages or empty with status 200",
        upset("html", segments=[5, 11, 12], count=2, per="path"),
        upset("empty", segments=[8, 19], count=2, per="path"),
        once("id3-only", 21),
    ),
    script("junk with a false frame stands before the first tag", upset("junk", segments=[0, 6, [10, 13], 24])),
    # ---------------------------------------------------------------- the course of things
    script(
        "the host is gone for forty seconds and the replay is late and short",
        aways=(Away(begin=36, seconds=40),),
        replay_lag_seconds=25,
        replay_segments=18,
    ),
    script(
        "one segment is missing for ever",
        upset("status", status=404, segments=[14]),
        gaps=(DueGap(14, 14, (GapCause.NOT_FOUND,)),),
    ),
)
