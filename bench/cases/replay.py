"""Cases a and b: an ended recording, fetched whole and made into a file that plays."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
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
HTTP_1, HTTP_2 = "curl --parallel 64, HTTP/1.1 over TLS", "curl --parallel 64, HTTP/2 over TLS"
HALF_TRIP = 0.020
RAW = "leaves raw segments end to end"
NOT_COUNTED = "throws everything away"
#: A run that would take longer than this is left out, and the page says so.
LONGEST_SECONDS = 120.0
#: Seconds that a run of 2 h takes, roughly and on a quiet machine: with no latency, and with 40 ms. Who is not here is
#: quick. They decide how often something is run and nothing else, so that the whole bench takes some 40 minutes.
USUAL_SECONDS = {
    FFMPEG: (2.0, 116.0),
    YT_DLP_OWN: (2.0, 117.0),
    YT_DLP_16: (36.0, 34.0),
    STREAMLINK: (4.0, 15.0),
    peers.CRAWLER: (8.0, 31.0),
}


def run_audio(stage: Stage) -> list[Section]:
    """Case a."""
    if stage.is_quick:
        return [_audio(stage, 0.25, 0.0, 1), _audio(stage, 0.25, HALF_TRIP, 1)]
    found = [
        _audio(stage, 2.0, 0.0, stage.rounds),
        _audio(stage, 2.0, HALF_TRIP, min(stage.rounds, 3)),
        _audio(stage, 2.0, 0.0, min(stage.rounds, 2), origin="sandbox"),
    ]
    if stage.most_hours < 8.0:
        found[0].notes.append(f"8 h were left out of this run (`--hours {stage.most_hours:g}`).")
        return found
    return [*found, _audio(stage, 8.0, 0.0, min(stage.rounds, 2)), _audio(stage, 8.0, HALF_TRIP, 1)]


def rounds_of(name: str, hours: float, rounds: int, *, is_far: bool) -> int:
    """How often a program has its turn: always, less often the longer a run takes, or not at all."""
    seconds = USUAL_SECONDS.get(name, (0.0, 0.0))[is_far] * hours / 2.0
    if seconds > LONGEST_SECONDS:
        return 0
    return min(rounds, 1 if seconds > 20.0 else 2 if seconds > 5.0 else rounds)


def _audio(stage: Stage, hours: float, delay: float, rounds: int, *, origin: str = "nginx") -> Section:
    scene = space(hours)
    away = f"{2 * delay * 1000:.0f} ms round trip" if delay else "no latency"
    title = f"Audio Space of {hours:g} h, {away}" + ("" if origin == "nginx" else f", from the {origin}")
    stage.say(f"case a: {title}")
    with made(stage.files, stage.work, scenes=[scene], origin=origin, delay_seconds=delay, say=stage.say) as bed:
        export = bed.exports[scene.name]
        count = len(export.segments)
        programs, left_out = chosen(audio_programs(stage, bed, export), hours, rounds, is_far=bool(delay))
        trip = round_trip(bed.origin.base, export.path) if delay else 0.0
        is_first = not delay and hours == 2.0 and origin == "nginx"
        runs = in_turns(programs, stage.work / "runs", rounds=rounds, say=stage.say, warm_up=is_first)
    rows = race_rows(programs, runs)
    section = Section(title, RACE_COLUMNS, rows)
    section.notes.append(f"{count:,} segments of 3 s with timed metadata, from {origin}.")
    if left_out:
        section.notes.append(
            f"Not run, since one run would take more than {LONGEST_SECONDS / 60:g} minutes (its time grows with the "
            f"length, as above): {', '.join(left_out)}."
        )
    if delay:
        floor = -(-count // 64) * 2 * delay
        section.notes.append(
            f"Measured round trip of a small request: {trip * 1000:.1f} ms. With 64 connections, {-(-count // 64)} "
            f"rounds are the least: {floor / rows[0]['wall_seconds']:.2f} of our time with 16 connections. The set-up "
            "of a connection costs a round trip as well."
        )
    if origin == "nginx":
        section.notes += _what_http2_brings({str(row["name"]): row for row in rows})
        section.targets = _far_targets(rows, hours) if delay else _near_targets(rows, hours)
    return section


def _what_http2_brings(rows: Mapping[str, Mapping[str, object]]) -> list[str]:
    """The ground on which the protocol was chosen: one program, both protocols."""
    if HTTP_1 not in rows or HTTP_2 not in rows:
        return []
    wall, cpu = (
        float(str(rows[HTTP_2][key])) / float(str(rows[HTTP_1][key])) for key in ("wall_seconds", "cpu_seconds")
    )
    return [
        f"HTTP/2 or 64 connections: the same program over TLS took {wall:.2f} times the time and {cpu:.2f} times the "
        "CPU with one connection and many streams. Hydrophone speaks HTTP/1.1 to the CDN."
    ]


def chosen(programs: Sequence[Program], hours: float, rounds: int, *, is_far: bool) -> tuple[list[Program], list[str]]:
    """The programs that are run, each with its number of turns where that is its own, and the names of the others."""
    found, left_out = [], []
    for program in programs:
        turns = rounds_of(program.name, hours, rounds, is_far=is_far)
        if not turns:
            left_out.append(program.name)
        elif turns < rounds:
            note = ", ".join(part for part in (program.note, f"n={turns}") if part)
            found.append(replace(program, rounds=turns, note=note))
        else:
            found.append(program)
    return found, left_out


def audio_programs(stage: Stage, bed: Bed, export: Export) -> Sequence[Program]:
    """All that can do the job here, ours first."""
    there, url = stage.peers, bed.url(export)
    link = bed.box.link(export.scene.name)
    found = [
        Program(OURS, peers.hydrophone(bed, link), kept.audio_in("audio.m4a", export)),
        Program(OURS_64, peers.hydrophone(bed, link, connections=64), kept.audio_in("audio.m4a", export)),
        Program(OURS_URL, peers.hydrophone(bed, url), kept.audio_in("audio.m4a", export)),
    ]
    in_file = kept.audio_in("out.m4a", export)
    if there.has("ffmpeg"):
        found.append(Program(FFMPEG, peers.ffmpeg(there, url), in_file))
    if there.has("yt-dlp", "ffmpeg"):
        command = peers.yt_dlp(there, bed, url, connections=None)
        found.append(Program(YT_DLP_OWN, command, in_file, note="hands over to ffmpeg"))
    if there.has("yt-dlp"):
        found.append(Program(YT_DLP_16, peers.yt_dlp(there, bed, url, connections=16), in_file))
    if there.has("streamlink"):
        found.append(Program(STREAMLINK, peers.streamlink(there, url), kept.audio_in("out.ts", export), note=RAW))
    if bed.origin.name == "nginx" and there.has("curl"):
        if there.has("ffmpeg"):
            found.append(Program(peers.CRAWLER, peers.crawler(there, bed.origin.base, export), in_file))
        raw = kept.audio_in("out.raw", export)
        found.append(Program(CURL, peers.curl(there, bed.origin.base, export, at_once=64), raw, note=RAW))
        for name, flag in ((HTTP_1, "--http1.1"), (HTTP_2, "--http2")):
            command = peers.curl(there, bed.origin.secure, export, at_once=64, flags=[flag, "--insecure"])
            found.append(Program(name, command, raw, note=RAW))
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
    found = []
    if FFMPEG in by_name or hours == 2.0:
        text = "40 ms, 16 connections: 12 times faster than ffmpeg"
        found.append(ratio_target(text, rows, FFMPEG, "wall_ratio", 12.0))
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
        rounds = 1 if stage.is_quick else min(stage.rounds, 3)
        is_first = not stage.is_quick and not delay
        runs = in_turns(programs, stage.work / "runs", rounds=rounds, say=stage.say, warm_up=is_first)
    section = Section(title, RACE_COLUMNS, race_rows(programs, runs))
    section.notes.append(f"{len(export.segments):,} segments of 2 s, {size / MIB:.0f} MiB in one quality.")
    if not delay:
        section.targets = [ratio_target("no latency: not slower than ffmpeg", section.rows, FFMPEG, "wall_ratio", 1.0)]
    return section
