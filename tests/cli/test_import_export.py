"""`hydrophone import periscope-export`: an export as it came, as a folder and as a ZIP file, becomes items."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import pytest

from cli.conftest import Typed
from hydrophone.archive import verify_item
from hydrophone.audio import scan_adts
from playable_building import adts, mp4, payloads

OWNER = {"accountId": "9128446301", "userName": "mara_lind", "displayName": "Mara Lind"}
SPACE, PHONE, STREAMED, SILENT, ODD = (
    "1vOxwdyYrlqKB",
    "1yoKbWqNLdRGX",
    "1OyKADwqjpeJb",
    "1gqGvZpAeDnKB",
    "1BRJjzLkWVaJw",
)


@cache
def transport() -> bytes:
    """Two seconds as MPEG-TS."""
    out = io.BytesIO()
    with av.open(out, "w", format="mpegts") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 64, 48, "yuv420p", 10
        for number in range(20):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([number * 11]) * plane.buffer_size)
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


@cache
def first_part() -> bytes:
    return adts(3000, seed=1)


@cache
def second_part() -> bytes:
    return adts(500, seed=2)


def assignment(name: str, value: Any) -> bytes:
    return f"window.YTD.{name}.part0 = {json.dumps(value)}".encode()


@cache
def export() -> Mapping[str, bytes]:
    """The files of an export by name."""
    manifest = {"userInfo": OWNER, "archiveInfo": {"generationDate": "2025-02-01T08:00:00.000Z"}, "dataTypes": {}}
    broadcasts = [
        {"periscopeBroadcastMetadata": {"id": one, "createdAt": "2016-11-19T15:39:51.766Z"}}
        for one in (PHONE, STREAMED, SILENT)
    ]
    space = {
        "id": SPACE,
        "creatorUserId": "9128446301",
        "createdAt": "2025-01-22T13:40:00.000Z",
        "endedAt": "2025-01-22T14:40:00.000Z",
    }
    return {
        "data/manifest.js": b"window.__THAR_CONFIG = " + json.dumps(manifest).encode(),
        "data/periscope-broadcast-metadata.js": assignment("periscope_broadcast_metadata", broadcasts),
        "data/spaces-metadata.js": assignment("spaces_metadata", [{"spacesMetadata": space}]),
        f"data/spaces_media/space-{SPACE}_1.ts": second_part(),
        f"data/spaces_media/space-{SPACE}_0.ts": first_part(),
        f"data/periscope_broadcast_media/98104277-{PHONE}.mp4": mp4(3),
        f"data/periscope_broadcast_media/98104277-{STREAMED}.ts": transport(),
        f"data/periscope_broadcast_media/98104277-{ODD}.flv": b"FLV no video that we know" * 10,
    }


@pytest.fixture(params=["folder", "zip"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "folder":
        for name, data in export().items():
            path = tmp_path / "twitter-2025" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return tmp_path / "twitter-2025"
    with zipfile.ZipFile(tmp_path / "twitter-2025.zip", "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in export().items():
            made.writestr(name, data)
    return tmp_path / "twitter-2025.zip"


def imported(typed: Typed, source: Path, archive: Path) -> dict[str, dict[str, Any]]:
    answer = typed("import", "periscope-export", str(source), "-P", str(archive), "--json")
    assert answer.code == 0, answer
    lines = [json.loads(line) for line in answer.out.splitlines()]
    assert lines[-1] == {"type": "summary", "imported": lines[-1]["imported"], "recordings": 5, "problems": []}
    return {line["id"]: line for line in lines[:-1]}


def test_every_recording_becomes_an_item_that_is_intact(typed: Typed, source: Path, tmp_path: Path) -> None:
    found = imported(typed, source, tmp_path / "archive")

    assert {one: line["fate"] for one, line in found.items()} == {
        SPACE: "imported",
        PHONE: "imported",
        STREAMED: "imported",
        ODD: "imported",
        SILENT: "no media in the export",
    }
    for one in (SPACE, PHONE, STREAMED, ODD):
        report = verify_item(Path(found[one]["directory"]), is_deep=True)
        assert report.is_intact, (one, report.findings)
        assert not (Path(found[one]["directory"]) / ".take/media.log").exists()


def test_the_parts_of_a_space_are_joined_frame_by_frame(typed: Typed, source: Path, tmp_path: Path) -> None:
    item = Path(imported(typed, source, tmp_path / "archive")[SPACE]["directory"])

    whole = first_part() + second_part()
    assert (item / "original.aac").read_bytes() == whole
    assert payloads((item / "audio.m4a").read_bytes(), demuxer="mp4") == payloads(whole)
    facts = json.loads((item / "space.json").read_bytes())
    assert facts["coverage"]["is_complete"]
    assert facts["duration_seconds"] == pytest.approx(scan_adts(whole).frames * 1024 / 48_000, abs=1e-3)
    assert (facts["creator"]["handle"], facts["started_at"][:10], facts["state"]) == (
        "mara_lind",
        "2025-01-22",
        "ended",
    )
    assert facts["link"] == f"https://x.com/i/spaces/{SPACE}"


def test_video_files_stay_as_they_were_and_can_be_played(typed: Typed, source: Path, tmp_path: Path) -> None:
    found = imported(typed, source, tmp_path / "archive")

    for one, name, data, pictures in ((PHONE, "original.mp4", mp4(3), 30), (STREAMED, "original.ts", transport(), 20)):
        item = Path(found[one]["directory"])
        assert hashlib.sha256((item / name).read_bytes()).digest() == hashlib.sha256(data).digest()
        with av.open(str(item / "video.mp4")) as container:
            video = next(stream for stream in container.streams.video if stream.codec_context.name == "h264")
            assert sum(1 for _ in container.decode(video)) == pictures
            assert container.metadata["comment"] == f"https://www.periscope.tv/w/{one}"
        assert json.loads((item / "space.json").read_bytes())["duration_seconds"] == pytest.approx(
            pictures / 10, abs=0.2
        )


def test_a_file_of_an_unknown_kind_is_kept_and_said_to_be_one(typed: Typed, source: Path, tmp_path: Path) -> None:
    line = imported(typed, source, tmp_path / "archive")[ODD]

    assert "not packaged" in line["text"]
    assert line["media"] is None
    assert (Path(line["directory"]) / "original.bin").read_bytes().startswith(b"FLV no video")


def test_a_second_import_changes_nothing(typed: Typed, source: Path, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    imported(typed, source, archive)
    before = {path: path.stat().st_mtime_ns for path in archive.rglob("*") if path.is_file()}

    again = imported(typed, source, archive)

    assert {line["fate"] for line in again.values()} == {"already in the archive", "no media in the export"}
    assert {path: path.stat().st_mtime_ns for path in archive.rglob("*") if path.is_file()} == before


def test_an_import_that_was_cut_off_is_gone_on_with(typed: Typed, source: Path, tmp_path: Path) -> None:
    item = Path(imported(typed, source, tmp_path / "archive")[SPACE]["directory"])
    for name in ("manifest-sha256.txt", "space.json", "audio.m4a"):
        (item / name).unlink()

    again = imported(typed, source, tmp_path / "archive")

    assert again[SPACE]["fate"] == "imported"
    assert Path(again[SPACE]["directory"]) == item
    assert (item / "original.aac").read_bytes() == first_part() + second_part()
    assert verify_item(item, is_deep=True).is_intact


def test_people_are_told_what_was_made(typed: Typed, source: Path, tmp_path: Path) -> None:
    answer = typed("import", "periscope-export", str(source), "-P", str(tmp_path / "archive"))

    assert answer.code == 0
    assert f"{SILENT} no media in the export" in answer.out
    assert "4 of 5 recordings were imported" in answer.out


@pytest.mark.parametrize("name", ["nothing.zip", "broken.zip"])
def test_what_is_no_export_is_an_error_in_words(typed: Typed, tmp_path: Path, name: str) -> None:
    (tmp_path / "broken.zip").write_bytes(b"PK no ZIP file")
    answer = typed("import", "periscope-export", str(tmp_path / name), "-P", str(tmp_path / "archive"))

    assert answer.code == 9
    assert answer.err.startswith("error: ")
    assert "Traceback" not in answer.err
