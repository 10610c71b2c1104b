"""Exports of somebody's data: as a folder, as a ZIP file, in parts, damaged, hostile."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydrophone.errors import ArchiveError, HydrophoneError, WireError
from hydrophone.model import MediaKind, Role, SpaceState
from hydrophone.periscope.export import PeriscopeExport, parse_assignment, read_export
from hydrophone.periscope.export_files import FolderExport, ZipExport, open_export, read_bytes
from hydrophone.periscope.exported_speech import speech_of
from periscope.conversing import SAMPLES

SOURCE = SAMPLES / "export"
BROADCASTS = "data/periscope-broadcast-metadata.js"
SPLIT_MANIFEST = (
    'window.__THAR_CONFIG = {"dataTypes": {"spacesMetadata": {"files": [{"fileName": "data/spaces-metadata.js"}]}}}'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An export with the media that the listing of the sample names."""
    root = tmp_path / "twitter-2025"
    shutil.copytree(SOURCE / "data", root / "data")
    for name in (SOURCE / "listing.txt").read_text().splitlines():
        path = root / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"media of " + name.encode())
    return root


@pytest.fixture
def zipped(folder: Path, tmp_path: Path) -> Path:
    path = tmp_path / "twitter-2025.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for file in sorted(folder.rglob("*")):
            made.write(file, file.relative_to(folder).as_posix())
    return path


def read(path: Path, **options: bool) -> PeriscopeExport:
    with open_export(path) as files:
        return read_export(files, **options)


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


# ---------------------------------------------------------------- what is in it


@pytest.mark.parametrize("form", ["folder", "zipped"])
def test_everything_in_an_export_is_read(form: str, request: pytest.FixtureRequest) -> None:
    found = read(request.getfixturevalue(form))

    assert found.problems == ()
    assert found.owner is not None
    assert (found.owner.id, found.owner.handle) == ("9128446301", "mara_lind")
    assert found.made_at == datetime(2025, 2, 1, 8, tzinfo=UTC)
    assert found.account is not None
    assert (found.account.id, found.account.username, found.account.x_id) == ("98104277", "mara_lind", "9128446301")
    assert found.account.description == "Boats & bread. I talk while I walk, it's mostly wind."
    assert len(found.account.avatar_urls) == 3
    assert [one.id for one in found.broadcasts] == ["1yoKbWqNLdRGX", "1gqGvZpAeDnKB", "1OyKADwqjpeJb"]
    assert found.broadcasts[0].created_at == datetime(2016, 11, 19, 15, 39, 51, 766000, tzinfo=UTC)
    assert found.broadcasts[0].state is SpaceState.UNKNOWN
    assert found.broadcasts[0].raw["city"] == "Ribe"
    assert found.expired_ids == ("1zqJVLdYpbaxB", "1YpKkaOEzVdxj")
    assert found.bans == ()
    assert not found.is_empty


def test_media_are_matched_with_their_recordings(zipped: Path) -> None:
    found = read(zipped)

    assert [(one.id, one.kind) for one in found.media] == [
        ("1OyKADwqjpeJb", MediaKind.VIDEO),
        ("1vOxwdyYrlqKB", MediaKind.AUDIO),
        ("1yoKbWqNLdRGX", MediaKind.VIDEO),
    ]
    (video,) = found.media_of("1yoKbWqNLdRGX")
    with open_export(zipped) as files:
        assert read_bytes(files, video.name, limit_bytes=1000) == b"media of " + video.name.encode()
        assert files.sizes[video.name] == video.size_bytes


def test_a_space_knows_who_spoke_and_since_when(folder: Path) -> None:
    (space,) = read(folder).spaces

    assert (space.id, space.state, space.listeners) == ("1vOxwdyYrlqKB", SpaceState.ENDED, 1284)
    assert space.ended_at == datetime(2025, 1, 22, 14, 40, tzinfo=UTC)
    roles = {person.user_id: (person.role, person.since_at and person.since_at.minute) for person in space.participants}
    assert roles == {
        "9128446301": (Role.CREATOR, 40),
        "9131150042": (Role.HOST, None),
        "9127719930": (Role.SPEAKER, 45),
    }


def test_other_people_are_read_on_request_only(folder: Path) -> None:
    assert (read(folder).comments, read(folder).followers) == ((), ())
    found = read(folder, with_people=True)
    assert [(one.broadcast_id, one.text) for one in found.comments] == [("1BRJjzLkWVaJw", "good morning, quay")]
    assert found.followers == ("98733046", "1kVQdRzGwaEXb")


# ---------------------------------------------------------------- how it may look


def test_it_is_read_without_a_manifest_and_in_a_folder_of_its_own(folder: Path, tmp_path: Path) -> None:
    (folder / "data/manifest.js").unlink()
    found = read(tmp_path)
    assert len(found.broadcasts) == 3
    assert len(found.media) == 3
    assert found.owner is None


def test_parts_are_united_in_the_order_of_their_numbers(folder: Path) -> None:
    for number in (2, 10, 1):
        element = {"periscopeBroadcastMetadata": {"id": str(100_000 + number)}}
        text = f"window.YTD.periscope_broadcast_metadata.part{number} = [{json.dumps(element)}];\n"
        write(folder, f"data/periscope-broadcast-metadata-part{number}.js", text)
    assert [one.id for one in read(folder).broadcasts][3:] == ["100001", "100002", "100010"]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("\ufeffwindow.YTD.x.part0 = [{}]", []),
        ('window.YTD.x.part0 = [ {"periscopeBroadcastMetadata": {"id": "99310452", "a": [1]}} ];\n\n', ["99310452"]),
        ('[{"periscopeBroadcastMetadata": {"id": 99310452}}]', ["99310452"]),
        ('x=[{"id": "99310452"}]', ["99310452"]),
        ('window.YTD.x.part0 = [null, 5, {"x": null}, {"id": "../x"}, {"id": "99310452"}]', ["99310452"]),
        ("window.YTD.x.part0 = ", []),
        ("", []),
        ("<html>", []),
        ("x = " + "[" * 100_000, []),
    ],
    ids=range(9),
)  # fmt: skip
def test_odd_files_cost_nothing_but_themselves(folder: Path, text: str, ids: list[str]) -> None:
    write(folder, BROADCASTS, text)
    found = read(folder)
    assert [one.id for one in found.broadcasts] == ids
    assert len(found.spaces) == 1
    assert found.problems == () or all(len(problem) < 300 for problem in found.problems)


def test_a_part_that_cannot_be_read_is_named(folder: Path) -> None:
    write(folder, BROADCASTS, "window.YTD = [")
    (problem,) = read(folder).problems
    assert BROADCASTS in problem


def test_an_export_with_nothing_in_it_is_empty(tmp_path: Path) -> None:
    assert read(tmp_path).is_empty
    path = tmp_path / "a.zip"
    zipfile.ZipFile(path, "w").close()
    assert read(path).is_empty


def test_instants_in_milliseconds_and_numbers_as_text_are_read(folder: Path) -> None:
    fields = {"id": "1vOxwdyYrlqKB", "createdAt": 1737549600000, "endedAt": "1737556800000", "totalParticipated": "7"}
    element = {"spacesMetadata": {**fields, "speakers": ["5"], "hostUserIds": None}}
    write(folder, "data/spaces-metadata.js", f"window.YTD.spaces_metadata.part0 = {json.dumps([element])}")
    (space,) = read(folder).spaces
    assert space.created_at == datetime(2025, 1, 22, 12, 40, tzinfo=UTC)
    assert space.ended_at == datetime(2025, 1, 22, 14, 40, tzinfo=UTC)
    assert (space.listeners, [person.user_id for person in space.participants]) == (7, ["5"])


# ---------------------------------------------------------------- damaged and hostile


def test_what_is_no_export_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"no zip")
    with pytest.raises(ArchiveError, match=r"a\.zip"):
        open_export(path)
    with pytest.raises(ArchiveError):
        open_export(tmp_path / "missing.zip")


def test_a_damaged_member_costs_nothing_but_itself(zipped: Path) -> None:
    data = bytearray(zipped.read_bytes())
    with zipfile.ZipFile(zipped) as made:
        start = made.getinfo(BROADCASTS).header_offset + 30 + len(BROADCASTS)
    data[start + 20 : start + 60] = b"\xff" * 40
    zipped.write_bytes(data)

    found = read(zipped)

    assert found.broadcasts == ()
    assert len(found.spaces) == 1
    assert any(BROADCASTS in problem for problem in found.problems)


def test_no_member_is_read_beyond_its_cap(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(BROADCASTS, b" " * 5_000_000)
    with ZipExport(path) as files, pytest.raises(HydrophoneError, match="larger"):
        read_bytes(files, BROADCASTS, limit_bytes=1_000_000)


def test_links_that_lead_out_of_the_folder_are_not_followed(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_text("secret")
    try:
        (folder / "data/periscope_broadcast_media/99310452.mp4").symlink_to(secret)
        (folder / "data/outside").symlink_to(tmp_path, target_is_directory=True)
    except OSError:
        pytest.skip("no symbolic links here")
    files = FolderExport(folder)
    assert not [name for name in files.sizes if "99310452" in name or "secret" in name]
    with pytest.raises(ArchiveError):
        files.open("../secret.mp4")


def test_members_that_are_no_plain_files_are_left_out_and_named(tmp_path: Path) -> None:
    path = tmp_path / "odd.zip"
    link = zipfile.ZipInfo("data/spaces_media/space-1vOxwdyYrlqKB_0.ts")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr(link, "/etc/hostname")
        made.writestr("data/spaces_media/space-1vOxwdyYrlqKB_1.ts", bytes(40_000_000))
        made.writestr("data/spaces_media/space-1vOxwdyYrlqKB_2.ts", b"small")
        with pytest.warns(UserWarning, match="Duplicate"):
            made.writestr("data/spaces_media/space-1vOxwdyYrlqKB_2.ts", b"other")
        made.writestr("data/spaces_media/no id.ts", b"what")
        made.writestr("data/manifest.js", SPLIT_MANIFEST)

    found = read(path)

    assert [one.name[-4:] for one in found.media if one.id] == ["2.ts"]
    assert [(name, text) for problem in found.problems for name, _, text in [problem.partition(" ")]] == [
        ("data/spaces_media/space-1vOxwdyYrlqKB_0.ts", "is a link and no file; it was left out"),
        ("data/spaces_media/space-1vOxwdyYrlqKB_1.ts", "would become far larger than any such file; it was left out"),
        ("data/spaces_media/space-1vOxwdyYrlqKB_2.ts", "is there twice; the first one counts"),
        ("data/spaces-metadata.js", "is named by the manifest, and missing"),
        ("data/spaces_media/no", "id.ts has no id in its name, so it belongs to nothing; it was left out"),
        ("of", "the audio of 1vOxwdyYrlqKB, these parts are missing: 0, 1"),
    ]


def test_names_that_climb_are_only_names(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("../../data/periscope_broadcast_media/1yoKbWqNLdRGX.mp4", b"x")
        made.writestr("/data/spaces_media/space-1vOxwdyYrlqKB_10.ts", b"x")
        made.writestr("data/spaces_media/space-1vOxwdyYrlqKB_2.ts", b"x")
        made.writestr("data/periscope_broadcast_media/no id here.mp4", b"x")
        made.writestr("data/periscope_broadcast_media/empty-1yoKbWqNLdRGX.mp4", b"")
    found = read(path)
    assert [one.part for one in found.media_of("1vOxwdyYrlqKB")] == [2, 10]
    assert [one.id for one in found.media] == [None, "1vOxwdyYrlqKB", "1vOxwdyYrlqKB", "1yoKbWqNLdRGX"]
    assert list(tmp_path.iterdir()) == [path]


class InMemory:
    """An export of one file."""

    problems = ()

    def __init__(self, name: str, data: bytes) -> None:
        self.sizes = {name: len(data)}
        self._data = data

    def open(self, name: str) -> Any:
        return io.BytesIO(self._data)


NAMES = sorted(path.name for path in (SOURCE / "data").glob("*.js"))
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


@given(st.sampled_from(NAMES), st.data())
def test_any_change_to_a_file_gives_an_export(name: str, data: st.DataObject) -> None:
    text = (SOURCE / "data" / name).read_text()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    patch = data.draw(st.text(max_size=10) | junk.map(json.dumps))
    read_export(
        InMemory("data/" + name, (text[:start] + patch + text[end:]).encode(errors="replace")), with_people=True
    )


@given(st.binary(max_size=200))
def test_any_bytes_are_an_assignment_or_a_wire_error(data: bytes) -> None:
    for head in (b"", b"window.YTD.a.part0 = ", b"\xef\xbb\xbf"):
        try:
            parse_assignment(head + data, "a.js")
        except WireError:
            continue


# ---------------------------------------------------------------- who spoke


def test_a_space_tells_each_time_that_somebody_spoke(folder: Path) -> None:
    (space,) = read(folder).spaces

    told = [
        (one.user_id, one.began_at.minute, one.ended_at.minute if one.ended_at else None) for one in speech_of(space)
    ]

    assert told == [("9128446301", 40, 40), ("9127719930", 45, 12), ("9127719930", 48, 54)]


def test_times_in_a_list_of_their_own_open_ones_and_odd_ones(folder: Path) -> None:
    speakers = [
        {"userId": "7", "spans": [{"start": "1737549600000"}, {"start": 1737549660000, "end": 1737549600000}]},
        {"id": "8"},
        "9",
        None,
    ]
    record = json.dumps([{"spacesMetadata": {"id": "1vOxwdyYrlqKB", "speakers": speakers}}])
    write(folder, "data/spaces-metadata.js", f"window.YTD.spaces_metadata.part0 = {record}")

    (space,) = read(folder).spaces

    assert [(one.user_id, one.began_at, one.ended_at) for one in speech_of(space)] == [
        ("7", datetime(2025, 1, 22, 12, 40, tzinfo=UTC), None)
    ]
