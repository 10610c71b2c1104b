"""Cases a and b: an ended recording, fetched whole and made into a file that plays."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bench import kept, peers
from bench.bed import Bed, made, round_trip
from bench.material import Export, broadcast, space
from bench.measuring import MIB, Program, in_turns
from bench.stage import RACE_COLUMNS, Section, Stage, Target, most_target, race_rows, ratio_target

FLOOR = Path(__file__).parent.parent / "jobs" / "floor.py"
OURS, OURS_64, OURS_URL = "Hydrophone", "Hydrophone -N 64", "Hydrophone, playlist address only"
FFMPEG, YT_DLP_OWN, YT_DLP_16 = "ffmpeg -c copy", "yt-dlp, its own choice", "yt-dlp -N 16 native"
STREAMLINK, CURL, FLOOR_64 = "streamlink, 10 threads", "curl --parallel 64, then cat", "bare sockets, 64 (floor)"
HALF_TRIP = 0.020
RAW = "leaves raw segments end to end"
NOT_COUNTED = "throws everything away"
SLOW_AT_DISTANCE = (FFMPEG, YT_DLP_OWN)


def run_audio(stage: Stage) -> list[Section]:
    """Case a."""
    if stage.is_quick:
        return [_audio(stage, 0.25, 0.0, 1), _audio(stage, 0.25, HALF_TRIP, 1)]
    return [
        _audio(stage, 2.0, 0.0, stage.rounds),
        _audio(stage, 2.0, HALF_TRIP, stage.rounds),
        _audio(stage, 2.0, 0.0, stage.rounds, origin="sandbox"),
        _audio(stage, 8.0, 0.0, max(1, stage.rounds - 2)),
        _audio(stage, 8.0, HALF_TRIP, max(1, stage.rounds - 2)),
    ]


def _audio(stage: Stage, hours: float, delay: float, rounds: int, *, origin: str = "nginx") -> Section:
    scene = space(hours)
    away = f"{2 * delay * 1000:.0f} ms round trip" if delay else "no latency"
    title = f"Audio Space of {hours:g} h, {away}" + ("" if origin == "nginx" else f", from the {origin}")
    stage.say(f"case a: {title}")
    with made(stage.files, stage.work, scenes=[scene], origin=origin, delay_seconds=delay, say=stage.say) as bed:
        export = bed.exports[scene.name]
        count = len(export.segments)
        programs = list(audio_programs(stage, bed, export, is_far=bool(delay), hours=hours))
        trip = round_trip(bed.origin.base, export.path) if delay else 0.0
        runs = in_turns(programs, stage.work / "runs", rounds=rounds, say=stage.say, warm_up=not stage.is_quick)
    rows = race_rows(programs, runs)
    section = Section(title, RACE_COLUMNS, rows)
    section.notes.append(f"{count:,} segments of 3 s with timed metadata, from {origin}.")
    if delay:
        floor = -(-count // 64) * 2 * delay
        section.notes.append(
            f"Measured round trip of a small request: {trip * 1000:.1f} ms. With 64 connections, {-(-count // 64)} "
            f"rounds are the least: {floor / rows[0]['wall_seconds']:.2f} of our time with 16 connections. The set-up "
            "of a connection costs a round trip as well."
        )
    if origin == "nginx":
        section.targets = _far_targets(rows, hours) if delay else _near_targets(rows, hours)
    return section


def audio_programs(stage: Stage, bed: Bed, export: Export, *, is_far: bool, hours: float) -> Sequence[Program]:
    """All that can do the job here, ours first. Who needs minutes at a distance is in one round only."""
    there, url = stage.peers, bed.url(export)
    link = bed.box.link(export.scene.name)
    near = None if not is_far else 1
    found = [
        Program(OURS, peers.hydrophone(bed, link), kept.audio_in("audio.m4a", export)),
        Program(OURS_64, peers.hydrophone(bed, link, connections=64), kept.audio_in("audio.m4a", export)),
        Program(OURS_URL, peers.hydrophone(bed, url), kept.audio_in("audio.m4a", export)),
    ]
    in_file = kept.audio_in("out.m4a", export)
    if there.has("ffmpeg"):
        found.append(Program(FFMPEG, peers.ffmpeg(there, url), in_file, rounds=near))
    # At 8 h and a distance it would only show ffmpeg's time once more, for eight minutes.
    if there.has("yt-dlp", "ffmpeg") and not (is_far and hours > 2):
        command = peers.yt_dlp(there, bed, url, connections=None)
        found.append(Program(YT_DLP_OWN, command, in_file, rounds=near, note="hands over to ffmpeg"))
    if there.has("yt-dlp"):
        found.append(Program(YT_DLP_16, peers.yt_dlp(there, bed, url, connections=16), in_file))
    if there.has("streamlink"):
        found.append(Program(STREAMLINK, peers.streamlink(there, url), kept.audio_in("out.ts", export), note=RAW))
    if bed.origin.name == "nginx" and there.has("curl"):
        if there.has("ffmpeg"):
            found.append(Program(peers.CRAWLER, peers.crawler(there, bed.origin.base, export), in_file))
        raw = kept.audio_in("out.raw", export)
        found.append(Program(CURL, peers.curl(there, bed.origin.base, export, at_once=64), raw, note=RAW))
        for name, flags in (("HTTP/1.1", "--http1.1"), ("HTTP/2", "--http2")):
            command = peers.curl(there, bed.origin.secure, export, at_once=64, flags=[flags, "--insecure"])
            found.append(Program(f"curl --parallel 64, {name} over TLS", command, raw, note=RAW))
    found.append(Program(FLOOR_64, floor_command(bed, export, 64), note=NOT_COUNTED))
    return found


def floor_command(bed: Bed, export: Export, connections: int) -> Callable[[Path], Sequence[str]]:
    """Bare sockets."""

    def command(folder: Path) -> Sequence[str]:
        paths = [f"/{segment.relative_to(export.root).as_posix()}" for segment in export.segments]
        (folder / "list").write_text("\n".join(paths))
        parts = urlsplit(bed.origin.base)
        return [sys.executable, str(FLOOR), parts.hostname or "", str(parts.port), str(connections), "list"]

    return command


def _near_targets(rows: list[dict[str, object]], hours: float) -> list[Target]:
    found = [
        ratio_target("no latency: not slower than ffmpeg", rows, FFMPEG, "wall_ratio", 1.0),
        ratio_target("at least 10 times faster than yt-dlp -N 16", rows, YT_DLP_16, "wall_ratio", 10.0),
        ratio_target("at most 1/7 of the CPU of yt-dlp -N 16", rows, YT_DLP_16, "cpu_ratio", 7.0),
    ]
    if hours == 2.0:
        peak = float(str(rows[0]["peak_bytes"])) / 1e6
        found.append(most_target("peak memory at most 90 MB at 2 h", peak, 90.0, "MB"))
    return found


def _far_targets(rows: list[dict[str, object]], hours: float) -> list[Target]:
    by_name = {str(row["name"]): row for row in rows}
    found = [ratio_target("40 ms, 16 connections: 12 times faster than ffmpeg", rows, FFMPEG, "wall_ratio", 12.0)]
    if YT_DLP_OWN in by_name:
        found.append(
            ratio_target("… and than yt-dlp's own choice", rows, YT_DLP_OWN, "wall_ratio", 12.0),
        )
    found.append(ratio_target("at most 1/7 of the CPU of yt-dlp -N 16", rows, YT_DLP_16, "cpu_ratio", 7.0))
    fast = float(str(by_name[OURS_64]["wall_seconds"]))
    if FFMPEG in by_name:
        times = float(str(by_name[FFMPEG]["wall_seconds"])) / fast
        found.append(Target("with -N 64, 30 times faster than ffmpeg", f"{times:.1f} times", times >= 30.0))
    floor = float(str(by_name[FLOOR_64]["wall_seconds"]))
    found.append(most_target("with -N 64, at most 1.7 times the measured floor", fast / floor, 1.7, "times"))
    return found


# ---------------------------------------------------------------- video


def run_video(stage: Stage) -> list[Section]:
    """Case b."""
    minutes = 1.0 if stage.is_quick else 10.0
    delays = (0.0,) if stage.is_quick else (0.0, HALF_TRIP)
    return [_video(stage, minutes, delay) for delay in delays]


def _video(stage: Stage, minutes: float, delay: float) -> Section:
    scene = broadcast(minutes)
    away = f"{2 * delay * 1000:.0f} ms round trip" if delay else "no latency"
    title = f"Video broadcast of {minutes:g} min, MPEG-TS, {away}"
    stage.say(f"case b: {title}")
    with made(stage.files, stage.work, scenes=[scene], delay_seconds=delay, say=stage.say) as bed:
        export = bed.exports[scene.name]
        size = sum(path.stat().st_size for path in export.segments)
        there, url = stage.peers, bed.url(export)
        chosen = f"{bed.origin.base}{export.media_playlist}"  # its extractor would have read the master already
        programs = [
            Program(OURS, peers.hydrophone(bed, bed.box.link(scene.name)), kept.pictures_in("original.ts", export)),
            Program(
                OURS_64,
                peers.hydrophone(bed, bed.box.link(scene.name), connections=64),
                kept.pictures_in("*.mp4", export),
            ),
        ]
        if there.has("ffmpeg"):
            command = peers.ffmpeg(there, url, "out.mp4")
            programs.append(Program(FFMPEG, command, kept.pictures_in("out.mp4", export)))
        if there.has("yt-dlp"):
            command = peers.yt_dlp(there, bed, chosen, connections=16, is_video=True)
            programs.append(Program(YT_DLP_16, command, kept.pictures_in("out.mp4", export)))
        if there.has("streamlink"):
            command = peers.streamlink(there, url)
            programs.append(Program(STREAMLINK, command, kept.pictures_in("out.ts", export), note=RAW))
        rounds = 1 if stage.is_quick else stage.rounds
        runs = in_turns(programs, stage.work / "runs", rounds=rounds, say=stage.say, warm_up=not stage.is_quick)
    section = Section(title, RACE_COLUMNS, race_rows(programs, runs))
    section.notes.append(f"{len(export.segments):,} segments of 2 s, {size / MIB:.0f} MiB in one quality.")
    if not delay:
        section.targets = [ratio_target("no latency: not slower than ffmpeg", section.rows, FFMPEG, "wall_ratio", 1.0)]
    return section
