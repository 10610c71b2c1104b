"""More of what a CDN can do to a recorder of live Spaces, a scene for each: rows N and hostile input of the catalogue.

They stand beside the 22 scripts of `journeys.live_faults`, are built like those, and are recorded in the same way.
Times that the CDN itself decides (how long a body drips, say) are real seconds; all others are scene seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydrophone.model import GapCause
from hydrophone.sandbox.scene import Away, Format, Quirks, Scene, SnapshotRule, Span
from journeys.live_faults import JOINED, LENGTH, PLAYLIST, DueGap, Script, once, script, upset

SEGMENT = "chunk_"
SNAPSHOT = r"/playlist_\d"
MASTER = "master_playlist"

#: Addresses that no playlist may lead to. `{trap}` is a port of this machine on which a test listens.
ELSEWHERE = (
    "file:///etc/hostname",
    "concat:/etc/hostname|/etc/hosts",
    "data:audio/aac;base64,//FQgA==",
    "//127.0.0.1:{trap}/chunk_1_1_a.aac",
    "http://localhost:{trap}/chunk_1_2_a.aac",
    "http://2130706433:{trap}/chunk_1_3_a.aac",
    "http://0x7f.1:{trap}/chunk_1_4_a.aac",
    "http://[::1]:{trap}/chunk_1_5_a.aac",
    "http://169.254.169.254/latest/meta-data/",
    "https://foreign.invalid/chunk_1_6_a.aac",
    "../../../../../../../../etc/chunk_1_7_a.aac",
    "gopher://127.0.0.1:{trap}/chunk",
)


def hostile_lines(trap: int) -> str:
    """Entries for every address of `ELSEWHERE`, as they are put in front of the good ones."""
    return "".join(f"#EXTINF:3.000,\n{address.replace('{trap}', str(trap))}\n" for address in ELSEWHERE)


CDN_SCRIPTS: tuple[Script, ...] = (
    # ---------------------------------------------------------------- the list
    script("the whole cdn answers 503 for a minute", upset("status", status=503, begin=26, end=86)),
    script("the list answers 500 and 502 in turn", upset("status", status=500, path=PLAYLIST, skip=3, count=2),
           upset("status", status=502, path=PLAYLIST, skip=3, count=2)),
    script("the list is chunked without an end", upset("endless-chunks", path=PLAYLIST, skip=3, count=2)),
    script("the list stops half-way", upset("stall", path=PLAYLIST, skip=3, count=2)),
    script("the list is torn off by a reset", upset("reset-mid", path=PLAYLIST, skip=3, count=2)),
    script("the list is short with a length that matches",
           upset("short", path=PLAYLIST, length="matching", fraction=0.5, skip=3, count=2)),
    script("the list is json", upset("json", path=PLAYLIST, skip=3, count=2)),
    script("the list has headers without an end", upset("endless-headers", path=PLAYLIST, skip=3, count=2)),
    script("the list has no end", upset("giant", path=PLAYLIST, fill="#", bytes=64 << 20, skip=3, count=2)),
    script("the list has a million entries", upset("edit", path=PLAYLIST, entries=1_000_000, skip=3, count=1)),
    script("the list has a line of ten mebibytes", upset("edit", path=PLAYLIST, line_bytes=10 << 20, skip=3, count=1)),
    script("the list has a line of seven mebibytes", upset("edit", path=PLAYLIST, line_bytes=7 << 20, skip=3, count=1)),
    script("the list has a mark and foreign line ends and zero bytes and no utf-8",
           upset("edit", path=PLAYLIST, bom=True, crlf=True, nul=True, latin=True, skip=1)),
    script("dates in the list are from another century",
           upset("edit", path=PLAYLIST, find=r"DATE-TIME:\d{4}", put="DATE-TIME:1999", skip=3, count=8)),
    script("durations in the list are nonsense",
           upset("edit", path=PLAYLIST, find=r"#EXTINF:[\d.]+", put="#EXTINF:-1e999", skip=3, count=8)),
    script("the list refuses with 403 for a while", upset("status", status=403, path=PLAYLIST, skip=3, count=2)),
    script("the list is redirected inside the cdn", upset("redirect", to="inside", path=PLAYLIST, skip=3, count=6)),
    script("the list is redirected in a circle", upset("redirect", to="loop", path=PLAYLIST, skip=3, count=2)),
    script("two edges lag three segments apart", quirks=Quirks(stale=(Span(begin=20, end=70, by=3),))),
    script("the window jumps over segments", quirks=Quirks(hidden=(8, 9, 15))),
    script("the window is two segments long", upset("status", status=503, path=PLAYLIST, skip=3, count=2),
           quirks=Quirks(window=2)),
    script("nothing ever lists the end as an end",
           snapshot=SnapshotRule(every=8, lag_seconds=3.0, gone_seconds=5.0), replay_lag_seconds=600),
    script("snapshots claim to be over while live",
           snapshot=SnapshotRule(every=8, lag_seconds=3.0, gone_seconds=12.0, has_endlist=True)),
    script("the snapshot is out of order during an outage", upset("status", status=503, begin=28, end=54),
           upset("status", status=503, path=SNAPSHOT, count=3)),
    script("the host is gone twice", aways=(Away(begin=15, seconds=30), Away(begin=40, seconds=45))),
    # ---------------------------------------------------------------- segments
    script("segments are json with status 200", once("json", 6, [10, 12], 20)),
    script("segments are called web pages but are none", upset("wrong-type", segments=[[4, 20]], type="text/html")),
    script("segments are redirected inside the cdn", upset("redirect", to="inside", segments=[[5, 15]])),
    script("segments are redirected in a circle", once("redirect", 6, 13, to="loop")),
    script("segments are redirected 21 times", once("redirect", 7, to="hops", hops=21)),
    script("segments are redirected to a foreign host once", once("redirect", 8, 14, to="foreign")),
    script("segments are redirected to an address of this machine once",
           once("redirect", 9, to="http://127.0.0.1:9/{path}")),
    script("a segment is a gzip bomb", once("gzip-bomb", 11, bytes=64 << 20)),
    script("a segment has ten gibibytes", once("giant", 12), once("giant", 16, length="none", bytes=64 << 20)),
    script("segments have headers without an end", once("endless-headers", 7, 18)),
    script("junk lies between frames", upset("junk", where="between", segments=[5, 9, [13, 16]])),
    script("segments have damaged bytes in the middle", once("garble", 6, 10, 17)),
    script("segments are refused with 403 and 410 for a while", once("status", 6, [10, 12], status=403),
           once("status", 15, status=410)),
    script("connections for segments are refused", upset("refuse", path=SEGMENT, skip=3, count=2)),
    script("connections for segments are reset at once", once("reset", 5, [8, 11], 19)),
    script("segments come late", quirks=Quirks(late={6: 8.0, 11: 15.0, 20: 6.0})),
    script("answers come after two seconds", upset("delay", path=SEGMENT, seconds=2.0, skip=3, count=5)),
    script("the encoder breaks off and goes on with a mark", quirks=Quirks(discontinuities=(7, 15))),
    # ---------------------------------------------------------------- what cannot be had is told
    script("a segment is redirected to a foreign host for ever", upset("redirect", to="foreign", segments=[13]),
           gaps=(DueGap(13, 13, (GapCause.REFUSED,)),)),
    script("a segment is always a web page", upset("html", segments=[13]),
           gaps=(DueGap(13, 13, (GapCause.DAMAGED,)),)),
    script("a segment always has ten gibibytes", upset("giant", segments=[13]),
           gaps=(DueGap(13, 13, (GapCause.DAMAGED,)),)),
    script("two segments never answer", upset("reset", segments=[[9, 10]]),
           gaps=(DueGap(9, 10, (GapCause.UNREACHABLE,)),)),
)  # fmt: skip


def replay(name: str, *upsets: Mapping[str, Any], gaps: tuple[DueGap, ...] = (), **scene: Any) -> Script:
    """A script whose Space is over: all of its segments are asked for at once."""
    return Script(name, Scene.ended(name.replace(" ", "-"), seconds=LENGTH, upsets=upsets, **scene), gaps)


REPLAY_SCRIPTS: tuple[Script, ...] = (
    replay("segments of a replay answer 5xx", upset("status", status=503, segments=[[0, 24]], count=2, per="path")),
    replay("segments of a replay are torn and short", once("reset-mid", [0, 6]), once("short", [7, 12]),
           once("short", [13, 18], length="none"), once("truncated-gzip", [19, 24])),
    replay("segments of a replay are pages and nothing", once("html", [0, 8]), once("empty", [9, 16]),
           once("json", [17, 24])),
    replay("segments of a replay stall and drip", once("stall-headers", 2, 9), once("stall", 5, 14),
           once("drip", 20, bytes_per_second=400)),
    replay("the list of a replay is out of order", upset("status", status=500, path=r"playlist_\d|master_", count=3)),
    replay("the list of a replay is short at first",
           upset("short", path=r"playlist_\d", length="matching", fraction=0.4, count=2)),
    replay("a segment of a replay is gone", upset("status", status=404, segments=[7]),
           gaps=(DueGap(7, 7, (GapCause.NOT_FOUND,)),)),
)  # fmt: skip


def hostile_scene(trap: int) -> Scene:
    """Every window of the list begins with addresses that must not be followed."""
    lines = hostile_lines(trap).replace("\\", "\\\\")
    found = upset("edit", path=PLAYLIST, find=r"(#EXT-X-MEDIA-SEQUENCE:\d+\n)", put=rf"\1{lines}", skip=1, count=4)
    return script("entries lead elsewhere", found).scene


CHANGES = Scene.live(
    "the-encoder-changes-its-rate",
    seconds=75,
    since=JOINED,
    formats=(Format(), Format(at=9, rate=44_100), Format(at=17, channels=1)),
    snapshot=SnapshotRule(every=8, lag_seconds=3.0, gone_seconds=12.0),
    upsets=(once("short", 8, 9, 17, length="wrong"),),
)  #: what is kept is compared with the truth, but a file of one format cannot hold it all
