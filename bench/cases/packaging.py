"""Case d: hours of AAC frames made into an m4a with tags, cover, chapters and fast start."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import kept, peers
from bench.bed import Bed, made
from bench.material import Export, space
from bench.measuring import Program, in_turns, measure, scratch
from bench.stage import RACE_COLUMNS, Section, Stage, Target, race_rows, ratio_target
from hydrophone.media.cover import draw_cover

JOBS = Path(__file__).parent.parent / "jobs"
OURS, FFMPEG, PYAV = "Hydrophone", "ffmpeg", "PyAV (no cover)"
CHAPTERS = 12


def run(stage: Stage) -> list[Section]:
    """8 h, or a quarter of one where it must be quick."""
    hours = 0.25 if stage.is_quick else 8.0
    title = f"Packaging {hours:g} h to m4a with tags, cover, {CHAPTERS} chapters, fast start"
    stage.say(f"case d: {title}")
    with recorded(stage, hours) as (_, export, item):
        programs = list(_programs(stage, export, item))
        runs = in_turns(programs, stage.work / "runs", rounds=stage.rounds, say=stage.say, warm_up=not stage.is_quick)
    section = Section(title, RACE_COLUMNS, race_rows(programs, runs))
    section.notes += [
        "Ours reads the item's journal and original and syncs its file to the disk; the others read the original only.",
        "Starting the program is included. ffmpeg's fast start copies the file once more.",
    ]
    section.targets = [_share_of_ffmpeg(section)]
    return [section]


def _share_of_ffmpeg(section: Section) -> Target:
    found = ratio_target("at most 0.3 of ffmpeg's time", section.rows, FFMPEG, "wall_ratio", 1 / 0.3)
    if found.is_met is None:
        return found
    times = next(row["wall_ratio"] for row in section.rows if row["name"] == FFMPEG)
    return Target(found.text, f"{1 / times:.2f} of it", found.is_met)


def _programs(stage: Stage, export: Export, item: Path) -> Iterator[Program]:
    original = item / "original.aac"
    in_file = kept.audio_in("out.m4a", export)
    cover = item.parent / "cover.png"
    cover.write_bytes(draw_cover("bench"))
    marks = item.parent / "chapters.txt"
    marks.write_text(_metadata(export.scene.seconds or 0.0))

    def job(name: str, *arguments: str) -> list[str]:
        return [sys.executable, str(JOBS / name), *arguments]

    yield Program(OURS, lambda folder: job("package_ours.py", str(item), "out.m4a", str(cover), str(CHAPTERS)), in_file)
    if stage.peers.has("ffmpeg"):
        command = [
            *(stage.peers.paths["ffmpeg"], "-loglevel", "error", "-nostdin", "-y"),
            *("-i", str(original), "-i", str(cover), "-i", str(marks), "-map", "0:a", "-map", "1:v"),
            *("-map_metadata", "2", "-map_chapters", "2", "-c", "copy", "-disposition:v", "attached_pic"),
            *("-movflags", "+faststart", "out.m4a"),
        ]
        yield Program(FFMPEG, lambda folder: command, in_file)
    yield Program(PYAV, lambda folder: job("package_pyav.py", str(original), "out.m4a", str(CHAPTERS)), in_file)


def _metadata(seconds: float) -> str:
    """Tags and chapters in ffmpeg's own form."""
    step = round(1000 * seconds / CHAPTERS)
    lines = [";FFMETADATA1", "title=The bench", "artist=Ada Keel", "album=X Spaces"]
    for number in range(CHAPTERS):
        span = f"START={number * step}\nEND={(number + 1) * step}"
        lines.append(f"[CHAPTER]\nTIMEBASE=1/1000\n{span}\ntitle=Chapter {number + 1}")
    return "\n".join(lines) + "\n"


@contextmanager
def recorded(stage: Stage, hours: float) -> Iterator[tuple[Bed, Export, Path]]:
    """A finished item of that length, and the bed it was recorded from."""
    scene = space(hours)
    with (
        made(stage.files, stage.work, scenes=[scene], say=stage.say) as bed,
        scratch(stage.work, "items") as folder,
    ):
        export = bed.exports[scene.name]
        command = [*peers.hydrophone(bed, bed.box.link(scene.name))(folder)]
        run = measure(Program("recording", lambda _: command), stage.work / "runs")
        found = sorted(folder.rglob("original.aac"))
        if run.exit_code or not found:
            raise RuntimeError(f"the recording to work with failed: {run.trouble}")
        yield bed, export, found[0].parent
