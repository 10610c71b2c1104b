"""Case c: many live Spaces at once. Our recorder holds all of them in one process, the peers need one for each.

Steady state is measured: from the moment when all recordings have their first segment, over a stretch of time in which
nothing begins or ends. Everybody records from the same origin (`liveorigin`), which is no part of what is measured.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import liveorigin
from bench.bed import Bed, Origin, nginx
from bench.kept import marks_of_adts
from bench.liveorigin import Pages, Punctuality
from bench.material import Export, live_root, space
from bench.measuring import scratch
from bench.peers import US
from bench.processes import open_files, total_cpu, total_pss
from bench.stage import Section, Stage, Target, most_target
from hydrophone.sandbox.scene import Scene, invented_id
from hydrophone.testing.box import sandbox

OURS, FFMPEG, STREAMLINK = "Hydrophone, one process", "ffmpeg, one process each", "streamlink, one process each"
JOIN_SECONDS = 360.0
SECONDS = 24.0  #: of steady recording: eight segments of each
MOST_SECONDS = 45.0  #: with the most Spaces, which the targets are about
FINISH_SECONDS = 600.0
PEERS_FINISH_SECONDS = 15.0
Mark = Callable[[Sequence[int]], None]
MOST_SPACES = 2000
CHECKED = 20  #: recordings whose every frame is compared afterwards
COLUMNS = (
    ("name", "program", "text"),
    ("count", "Spaces", "text"),
    ("cpu_ms_per_minute", "CPU ms per recorded minute", "number"),
    ("cpu_seconds_per_hour", "CPU s per recorded hour", "number"),
    ("cpu_ratio", "times ours", "ratio"),
    ("core_share", "of a core", "share"),
    ("kib_each", "KiB each", "number"),
    ("memory_ratio", "times ours", "ratio"),
    ("late", "late", "text"),
    ("missing", "missing", "text"),
    ("p99_seconds", "p99 s after listing", "number"),
    ("frames", "frames checked", "text"),
)


@dataclass(frozen=True, slots=True)
class Steady:
    """What a stretch of steady recording cost."""

    seconds: float
    cpu_seconds: float
    pss_bytes: int
    open_files: int
    finish_seconds: float
    punctuality: Punctuality
    frames: str


def no_mark(pids: Sequence[int]) -> None:
    """Nobody wants to know."""


def run(stage: Stage) -> list[Section]:
    """All numbers of Spaces for us, as many as fit for the peers."""
    every = (1, 10) if stage.is_quick else (1, 10, 100, 500, MOST_SPACES)
    counts = [count for count in every if count <= stage.most_spaces] or every[:1]
    most_of_peers = 3 if stage.is_quick else 20
    seconds, most_seconds = (12.0, 12.0) if stage.is_quick else (SECONDS, MOST_SECONDS)
    rows: list[dict[str, Any]] = []
    for count in counts:
        stretch = most_seconds if count == counts[-1] else seconds
        rows.append(_row(OURS, count, measure_live(stage, OURS, count, stretch)))
        stage.say(f"  {OURS} {count}: {_short(rows[-1])}")
    for name, tool in ((FFMPEG, "ffmpeg"), (STREAMLINK, "streamlink")):
        if stage.peers.has(tool):
            rows.append(_row(name, most_of_peers, measure_live(stage, name, most_of_peers, seconds)))
            stage.say(f"  {name} {most_of_peers}: {_short(rows[-1])}")
            rows.append(_scaled(rows[-1], counts[-1]))
    _add_ratios(rows)
    title = (
        f"Live Spaces, 3 s segments, {seconds:g} s of steady recording ({most_seconds:g} s of {counts[-1]:,} Spaces)"
    )
    section = Section(title, COLUMNS, rows)
    section.notes += [
        "Memory is the proportional set size, divided by the number of Spaces; of ours at the largest number it is "
        "what each further Space adds.",
        "No chat is followed here, since the peers follow none.",
        f"Rows marked *scaled* are computed from {most_of_peers} processes, not measured: so many do not fit.",
        "*Missing* counts, by the origin's log, segments of the time measured that were never fetched. "
        "*Late* is a segment that was asked for after it had left the live window of 12 s.",
    ]
    if len(counts) < len(every):
        section.notes.append(f"Left out of this run (`--most-spaces {stage.most_spaces}`): {every[-1]:,} Spaces.")
    section.targets = _targets(rows, counts[-1])
    return [section]


def _short(row: dict[str, Any]) -> str:
    return (
        f"{row['cpu_ms_per_minute']:.1f} ms CPU per minute, {row['kib_each']:.0f} KiB each, "
        f"{row['late']} late, {row['missing']} missing, finished in {row['finish_seconds']:.1f} s, {row['frames']}"
    )


# ---------------------------------------------------------------- one measurement


def measure_live(
    stage: Stage, name: str, count: int, seconds: float, *, start: Sequence[str] = US, mark: Mark = no_mark
) -> Steady:
    """Start recorders, wait until all record, measure, stop them, compare what they kept.

    `mark` is called with the processes at the beginning and at the end of what is measured.
    """
    _allow_files(count)
    listed = 8 + round(seconds / liveorigin.STEP_SECONDS) + 40
    export = Export(stage.files, space(0.25 if stage.is_quick else 2.0))
    export.write(stage.say)
    live = stage.work / "live"
    more = liveorigin.locations(live, liveorigin.live_segments(export))
    with (
        scratch(stage.work, "live"),
        scratch(stage.work, "recordings") as folder,
        nginx(stage.files, stage.work / "nginx", log=True, more=more) as origin,
        _api(origin, count if name == OURS else 0) as bed,
    ):
        pages = Pages(live, export.scene, listed)
        keys = [liveorigin.stream_key(number) for number in range(count)]
        with _recorders(stage, name, bed, keys, folder, start) as pids:
            try:
                _until_all_record(origin, keys, pids)
                pages.begin()
                time.sleep(2 * liveorigin.STEP_SECONDS)  # nobody is measured while still finding a rhythm
                mark(pids)
                began, cpu = time.monotonic(), total_cpu(pids)
                time.sleep(seconds)
                spent, elapsed = total_cpu(pids) - cpu, time.monotonic() - began
                mark(pids)
                memory, files = total_pss(pids), sum(open_files(pid) for pid in pids)
                last = int((time.time() - pages.listed_at(liveorigin.PHASES, 0)) // liveorigin.STEP_SECONDS) - 2
                time.sleep(2 * liveorigin.STEP_SECONDS)  # what is still to be fetched may come
                # The windows move on meanwhile: a list that stands still keeps ffmpeg from noticing that it shall stop.
                began_finish = time.monotonic()
                _finish(pids, FINISH_SECONDS if name == OURS else PEERS_FINISH_SECONDS)
                finish = time.monotonic() - began_finish
            finally:
                pages.close()
        on_time = liveorigin.punctuality(origin, pages, keys, 1, last)
        frames = _compare(folder, export, count, last)
    return Steady(elapsed, spent, memory, files, finish, on_time, frames)


@contextlib.contextmanager
def _api(origin: Origin, count: int) -> Iterator[Bed]:
    """A sandbox that knows so many live Spaces whose streams are at the origin, and asks no patience of anybody."""
    with sandbox(isolated=True) as box:
        box.control.switch(limits={"guest": 10**9, "guest/activate": 10**9, "other": 10**9})
        for number in range(count):
            box.control.load(_scene(number))
        box.control.inject(
            kind="edit",
            service="x",
            path="live_video_stream/status",
            # Without a chat, since none of the peers follows one.
            sub=[(box.bases["cdn"].replace(".", r"\."), origin.base), (r'"chatToken":"[^"]*"', '"chatToken":"..."')],
        )
        yield Bed(box, origin, {**box.bases, "cdn": origin.base})


def _scene(number: int) -> Scene:
    return Scene.live(
        f"live-{number}",
        seconds=7200,
        since=5.0,
        id=invented_id("live", number),
        stream_key=liveorigin.stream_key(number),
        turns=(),  # nobody hears this one: the segments come from the origin
    )


@contextlib.contextmanager
def _recorders(
    stage: Stage, name: str, bed: Bed, keys: Sequence[str], folder: Path, start: Sequence[str]
) -> Iterator[list[int]]:
    """The processes that record, one for all or one each."""
    if name == OURS:
        links = [f"https://x.com/i/spaces/{invented_id('live', number)}" for number in range(len(keys))]
        (folder / "links.txt").write_text("\n".join(links))
        # What is made of a recording afterwards is another case's.
        flags = ["record", "-q", "--no-transcript", "-P", str(folder / "archive")]
        flags += ["--batch-file", str(folder / "links.txt")]
        commands = [[*start, *flags]]
    else:
        commands = [_peer(stage, name, bed.origin, key, folder / f"{number}.aac") for number, key in enumerate(keys)]
    environment = {**os.environ, **bed.environment(folder)}
    errors = (folder / "stderr").open("wb")
    started: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            started.append(
                subprocess.Popen(
                    command,
                    cwd=folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                )
            )
        yield [process.pid for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()
        errors.close()
        complaints = (folder / "stderr").read_text(errors="replace").strip()
        if complaints:
            stage.say(f"  {name} said: {complaints[:300]}")


def _peer(stage: Stage, name: str, origin: Origin, key: str, out: Path) -> list[str]:
    scene = _scene(0)
    url = f"{origin.base}{live_root(scene).replace(scene.stream_key, key)}dynamic_playlist.m3u8?type=live"
    if name == FFMPEG:
        return [stage.peers.paths["ffmpeg"], "-loglevel", "error", "-nostdin", "-y", "-i", url, "-c", "copy", str(out)]
    flags = ["--no-config", "--loglevel", "error", "--no-plugin-sideloading", "--hls-live-restart"]
    return [stage.peers.paths["streamlink"], *flags, "-o", str(out), url, "best"]


def _until_all_record(origin: Origin, keys: Sequence[str], pids: Sequence[int]) -> None:
    give_up = time.monotonic() + JOIN_SECONDS
    waiting = set(keys)
    fetched = liveorigin.Fetched(origin)
    while time.monotonic() < give_up:
        waiting -= {key for key, number in fetched.more() if number == 0}
        if not waiting:
            return
        if not all(_is_running(pid) for pid in pids):
            raise RuntimeError("a recorder ended before all recorded")
        time.sleep(0.5)
    raise RuntimeError(f"{len(waiting)} of {len(keys)} never began to record")


def _finish(pids: Sequence[int], seconds: float) -> None:
    """Ask all to make an end, and wait until they have; less politely after a while."""
    left = list(pids)
    for request in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        for pid in left:
            os.kill(pid, request)
        give_up = time.monotonic() + seconds
        while left and time.monotonic() < give_up:
            left = [pid for pid in left if _is_running(pid)]
            time.sleep(0.05)


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def _compare(folder: Path, export: Export, count: int, last: int) -> str:
    """Are the first `last` segments of some of the recordings what the origin has, frame by frame and in order?"""
    found = sorted(folder.rglob("original.aac")) or sorted(folder.glob("*.aac"))
    wanted = marks_of_adts(b"".join(path.read_bytes() for path in export.segments[: last + 1]))
    step = max(1, len(found) // CHECKED)
    chosen = found[::step][:CHECKED]
    good = sum(marks_of_adts(path.read_bytes())[: len(wanted)] == wanted for path in chosen)
    return f"{good} of {len(chosen)} equal" + ("" if len(found) == count else f"; {len(found)} of {count} files")


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * count + 512
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


# ---------------------------------------------------------------- rows


def _row(name: str, count: int, steady: Steady) -> dict[str, Any]:
    on_time = steady.punctuality
    core_share = steady.cpu_seconds / steady.seconds
    # What was missed was not recorded, and makes nobody cheaper.
    kept = on_time.fetched / max(1, on_time.fetched + on_time.missing)
    each = core_share / count / max(kept, 1e-9)
    return {
        "name": name,
        "count": f"{count:,}",
        "number": count,
        "cpu_ms_per_minute": each * 60_000,
        "cpu_seconds_per_hour": each * 3600,
        "core_share": core_share,
        "pss_bytes": steady.pss_bytes,
        "kib_each": steady.pss_bytes / count / 1024,
        "late": str(on_time.late),
        "missing": str(on_time.missing),
        "p99_seconds": on_time.p99_seconds,
        "frames": steady.frames,
        "finish_seconds": steady.finish_seconds,
        "open_files": steady.open_files,
        "punctuality": asdict(on_time),
    }


def _scaled(row: dict[str, Any], count: int) -> dict[str, Any]:
    """What so many processes would cost if each went on as these did."""
    nothing = {"late": "–", "missing": "–", "p99_seconds": None, "frames": "–"}
    return {
        **row,
        **nothing,
        "name": f"*scaled:* {row['name']}",
        "count": f"{count:,}",
        "number": count,
        "core_share": row["core_share"] / row["number"] * count,
        "pss_bytes": row["pss_bytes"] / row["number"] * count,
    }


def _add_ratios(rows: list[dict[str, Any]]) -> None:
    ours = [row for row in rows if row["name"] == OURS]
    first, most = ours[0], ours[-1]
    if most["number"] > 1:
        most["kib_each"] = (most["pss_bytes"] - first["pss_bytes"]) / (most["number"] - 1) / 1024
    for row in rows:
        row["cpu_ratio"] = row["cpu_seconds_per_hour"] / most["cpu_seconds_per_hour"]
        row["memory_ratio"] = row["kib_each"] / most["kib_each"] if most["kib_each"] > 0 else float("nan")


def _targets(rows: list[dict[str, Any]], count: int) -> list[Target]:
    most = next(row for row in reversed(rows) if row["name"] == OURS)
    found = [
        Target(f"{count:,} Spaces, none late", f"{most['late']} late", most["late"] == "0"),
        Target("none missing", f"{most['missing']} missing", most["missing"] == "0"),
        most_target("at most 120 KB for each", most["kib_each"] * 1.024, 120.0, "KB"),
    ]
    share = f"{MOST_SPACES:,} Spaces in at most 60 % of a core"
    if count == MOST_SPACES:
        found.append(most_target(share, most["core_share"] * 100, 60.0, "%"))
    else:
        found.append(Target(share, "left out of this run", None))
    for row in rows:
        if row["name"] == FFMPEG:
            cpu, memory = row["cpu_ratio"], row["memory_ratio"]
            found.append(Target("CPU at most 1/2 of ffmpeg's", f"1/{cpu:.1f}", cpu >= 2.0))
            found.append(Target("memory at most 1/200 of ffmpeg's", f"1/{memory:.0f}", memory >= 200.0))
    return found
