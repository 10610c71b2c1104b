from __future__ import annotations

import json
from pathlib import Path

import pytest

from archive.builders import fill
from hydrophone.archive import Item, find_item, find_items
from hydrophone.errors import ArchiveError, DiskError, NewerSchemaError


def test_an_item_names_its_files(tmp_path: Path) -> None:
    item = Item(tmp_path)
    names = [item.original(), item.original("ts"), item.audio, item.space, item.transcript("srt"), item.manifest]

    assert [path.name for path in names] == [
        "original.aac",
        "original.ts",
        "audio.m4a",
        "space.json",
        "transcript.srt",
        "manifest-sha256.txt",
    ]


def test_an_item_is_found_again_by_its_id_whatever_its_title(tmp_path: Path) -> None:
    first = Item.create(tmp_path / "@mara" / "2026-01-22 Tides [1hydroPhoneXZ]", "1hydroPhoneXZ")
    Item.create(tmp_path / "@mara" / "2026-01-23 Waves [1hydroPhoneXY]", "1hydroPhoneXY")
    custom = Item.create(tmp_path / "by" / "year" / "2026" / "no id in the name", "1hydroPhoneXW")

    assert find_item(tmp_path, "1hydroPhoneXZ") == first
    assert find_item(tmp_path, "1hydroPhoneXW") == custom
    assert find_item(tmp_path, "1hydroPhoneXV") is None
    assert len(list(find_items(tmp_path))) == 3


def test_a_folder_that_only_looks_like_an_item_is_none(tmp_path: Path) -> None:
    (tmp_path / "notes [1hydroPhoneXZ]").mkdir()
    (tmp_path / ".hidden").mkdir()

    assert list(find_items(tmp_path)) == []
    assert find_item(tmp_path, "1hydroPhoneXZ") is None


def test_an_item_without_its_id_file_is_found_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "@mara" / "Tides [1hydroPhoneXZ]"
    fill(path, [1])

    assert find_item(tmp_path, "1hydroPhoneXZ") == Item(path)


def test_a_saved_id_counts_more_than_a_name(tmp_path: Path) -> None:
    Item.create(tmp_path / "a title that says [1hydroPhoneXZ]", "1hydroPhoneXY")
    real = Item.create(tmp_path / "renamed", "1hydroPhoneXZ")

    assert find_item(tmp_path, "1hydroPhoneXZ") == real


def test_an_archive_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert list(find_items(tmp_path / "nowhere")) == []


def test_space_json_is_read_with_its_schema(tmp_path: Path) -> None:
    item = Item(tmp_path)
    with pytest.raises(DiskError):
        item.load_space()
    item.space.write_text(json.dumps({"schema": 1, "id": "1hydroPhoneXZ"}))
    assert item.load_space()["id"] == "1hydroPhoneXZ"

    item.space.write_text(json.dumps({"schema": 9}))
    with pytest.raises(NewerSchemaError) as caught:
        item.load_space()
    assert caught.value.found == 9


@pytest.mark.parametrize("text", ["", "[]", "{", "\x00", "[" * 100_000])
def test_a_space_json_of_another_kind_is_an_archive_error(tmp_path: Path, text: str) -> None:
    item = Item(tmp_path)
    item.space.write_text(text)
    with pytest.raises(ArchiveError):
        item.load_space()
