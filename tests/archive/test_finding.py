"""Finding items by id, many times: the same answers as a look through the archive, at the price of one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hydrophone.archive import Item, find_item
from hydrophone.archive import finding as finding_module
from hydrophone.archive.finding import ItemFinder


class Hand:
    """A clock turned by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_finder_finds_what_a_look_through_the_archive_finds(tmp_path: Path) -> None:
    Item.create(tmp_path / "@mara" / "one", "1aaaaaaaaaaGa")
    Item.create(tmp_path / "two", "1bbbbbbbbbbGa")
    old = tmp_path / "@tobi" / "2026-03-03 Old [1ddddddddddGa]"
    old.mkdir(parents=True)
    (old / "space.json").write_text("{}")
    finder = ItemFinder()

    for item_id in ("1aaaaaaaaaaGa", "1bbbbbbbbbbGa", "1ddddddddddGa", "1eeeeeeeeeeGa"):
        assert finder.find(tmp_path, item_id) == find_item(tmp_path, item_id)


def test_finder_looks_once_for_many_questions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Path] = []
    find_items = finding_module.find_items

    def counted(archive: Path) -> object:
        looks.append(archive)
        return find_items(archive)

    monkeypatch.setattr(finding_module, "find_items", counted)
    clock = Hand()
    finder = ItemFinder(keep_seconds=10.0, clock=clock)

    for number in range(50):
        assert finder.find(tmp_path, f"1{number:012}") is None
        finder.made(tmp_path, Item.create(tmp_path / str(number), f"1{number:012}"), f"1{number:012}")
    assert [finder.find(tmp_path, f"1{number:012}") for number in range(50)] == [
        Item(tmp_path / str(number)) for number in range(50)
    ]
    assert len(looks) == 1

    clock.now = 10.0
    assert finder.find(tmp_path, "1000000000007") == Item(tmp_path / "7")
    assert len(looks) == 2


def test_finder_notices_at_once_that_an_item_was_moved(tmp_path: Path) -> None:
    finder = ItemFinder()
    item = Item.create(tmp_path / "here", "1aaaaaaaaaaGa")
    assert finder.find(tmp_path, "1aaaaaaaaaaGa") == item

    (tmp_path / "here").rename(tmp_path / "there")
    assert finder.find(tmp_path, "1aaaaaaaaaaGa") == Item(tmp_path / "there")

    shutil.rmtree(tmp_path / "there")
    assert finder.find(tmp_path, "1aaaaaaaaaaGa") is None
