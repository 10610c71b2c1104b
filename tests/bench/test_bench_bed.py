"""The bed of the bench: its files, what it counts as kept, its live pages, and one race on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bench.bed import Origin, made
from bench.liveorigin import PHASES, Pages, punctuality, stream_key
from bench.material import Export, broadcast, space
from bench.measuring import Program, measure

from bench import kept, peers
from hydrophone.hls import MediaPlaylist, parse_playlist

ROOT = Path(__file__).resolve().parents[2]
SHORT, SHORTER = 0.02, 0.01  # hours
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")


def silent(text: str) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def short(files: Path) -> Export:
    export = Export(files, space(SHORT))
    export.write(silent)
    return export


def test_lengths_share_their_segments_and_have_playlists_of_their_own(files: Path, short: Export) -> None:
    shorter = Export(files, space(SHORTER))
    shorter.write(silent)

    assert (len(short.segments), len(shorter.segments)) == (24, 12)
    for mine, other in zip(shorter.segments, short.segments, strict=False):
        assert mine != other
        assert mine.samefile(other)
    said: list[str] = []
    Export(files, space(SHORT)).write(said.append)
    assert not said, "files that are there are not made again"


def test_the_playlist_is_a_replay_that_names_every_file(short: Export) -> None:
    found = parse_playlist((short.root / short.path.lstrip("/")).read_bytes(), url=f"http://cdn.invalid{short.path}")

    assert isinstance(found, MediaPlaylist)
    assert found.is_ended
    assert [segment.sequence for segment in found.segments] == list(range(24))
    assert all(path.is_file() for path in short.segments)


def test_video_is_written_in_all_its_variants(files: Path) -> None:
    export = Export(files, broadcast(0.1))
    export.write(silent)

    assert len(export.segments) == 3
    assert export.media_playlist != export.path
    whole = kept.pictures_in("whole.ts", export)
    (files / "whole.ts").write_bytes(b"".join(path.read_bytes() for path in export.segments))
    count, offered = whole(files)
    assert count == offered > 180


def test_only_frames_that_were_offered_count_and_each_once(short: Export, tmp_path: Path) -> None:
    count = kept.audio_in("out.raw", short)
    bodies = [path.read_bytes() for path in short.segments]
    (tmp_path / "out.raw").write_bytes(b"".join(bodies))
    whole = count(tmp_path)
    assert whole[0] == whole[1] == 24 * 3 * 48_000 // 1024

    (tmp_path / "out.raw").write_bytes(b"".join([*bodies[:-1], bodies[0]]))
    assert whole[1] - count(tmp_path)[0] in (140, 141)
    (tmp_path / "out.raw").write_bytes(b"no audio at all")
    assert count(tmp_path) == (0, whole[1])
    assert count(tmp_path / "nowhere") == (0, whole[1])


def test_live_pages_hold_the_first_segment_until_they_begin(short: Export, tmp_path: Path) -> None:
    Pages(tmp_path, short.scene, 24)

    texts = {path.read_text() for path in tmp_path.glob("*.m3u8")}
    assert len(list(tmp_path.glob("*.m3u8"))) == PHASES
    (text,) = texts
    assert text.count("#EXTINF") == 1
    assert short.segments[0].name in text


def test_lateness_is_read_from_the_log_of_the_origin(short: Export, tmp_path: Path) -> None:
    pages = Pages(tmp_path / "pages", short.scene, 24)
    pages._began = 1000.0
    first, second = stream_key(0), stream_key(7)
    rows = [(first, 1, 1003.5), (first, 2, 1006.0 + 12.5), (second, 1, 1004.0), (second, 1, 1900.0)]
    log = tmp_path / "log"
    log.write_text(
        "".join(f"{at} 200 /Transcoding/v1/hls/{key}/x/chunk_17_{n}_a.aac?type=live\n" for key, n, at in rows)
        + f"1006.9 404 /Transcoding/v1/hls/{second}/x/chunk_17_2_a.aac\n"
    )

    found = punctuality(Origin("nginx", "", log=log), pages, [first, second], 1, 2)

    assert (found.fetched, found.late, found.missing) == (3, 1, 1)
    assert found.most_seconds == pytest.approx(12.5)
    assert found.median_seconds == pytest.approx(0.5)


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_a_race_on_the_bed_keeps_every_frame(files: Path, short: Export, tmp_path: Path) -> None:
    there = peers.find(install=False, say=silent)
    with made(files, tmp_path / "work", scenes=[short.scene], delay_seconds=0.005, say=silent) as bed:
        programs = [
            Program("ours", peers.hydrophone(bed, bed.box.link(short.scene.name)), kept.audio_in("*.m4a", short))
        ]
        if there.has("ffmpeg"):
            programs.append(Program("ffmpeg", peers.ffmpeg(there, bed.url(short)), kept.audio_in("out.m4a", short)))
        if there.has("curl"):
            command = peers.curl(there, bed.origin.base, short, at_once=4)
            programs.append(Program("curl", command, kept.audio_in("out.raw", short)))
        runs = {program.name: measure(program, tmp_path / "runs", seconds=60) for program in programs}

    assert {name: run.exit_code for name, run in runs.items()} == dict.fromkeys(runs, 0), runs
    assert all(run.is_good for run in runs.values()), runs


@pytest.mark.parametrize("script", ["run.py", "profile.py"])
def test_the_scripts_tell_how_they_are_used(script: str) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench" / script), "--help"], capture_output=True, text=True, check=False, cwd="/"
    )

    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout
