"""The item: a folder of plain files that outlives the tool, and the way to find it again by its Space's id."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydrophone.archive.durable import DISK, Disk, disk_errors, make_directory, write_file
from hydrophone.archive.journal import JOURNAL_NAME
from hydrophone.archive.manifest import MANIFEST_NAME
from hydrophone.archive.state import ID_NAME, WORK_FOLDER
from hydrophone.errors import ArchiveError, NewerSchemaError

SPACE_SCHEMA = 1

#: How deep below the archive items may lie: output templates can add folders of their own.
MAX_DEPTH = 6

_MARKS = (JOURNAL_NAME, "space.json", MANIFEST_NAME)


@dataclass(frozen=True, slots=True)
class Item:
    """An item's folder and the names of the files in it. A file need not be there."""

    path: Path

    @classmethod
    def create(cls, path: Path, item_id: str, *, disk: Disk = DISK) -> Item:
        """Make the folder, durably, and remember whose it is, so that `find_item` finds it whatever its name."""
        item = cls(path)
        make_directory(path / WORK_FOLDER, disk=disk)
        if item.saved_id() != item_id:
            write_file(item.id_file, item_id + "\n", disk=disk)
        return item

    def original(self, extension: str = "aac") -> Path:
        """The bytes as served: ``original.aac`` or ``original.ts``."""
        return self.path / f"original.{extension}"

    @property
    def audio(self) -> Path:
        return self.path / "audio.m4a"

    @property
    def video(self) -> Path:
        return self.path / "video.mp4"

    @property
    def space(self) -> Path:
        return self.path / "space.json"

    @property
    def people(self) -> Path:
        return self.path / "people.json"

    @property
    def captions(self) -> Path:
        return self.path / "captions.jsonl"

    def transcript(self, extension: str) -> Path:
        """``transcript.vtt``, ``.srt``, ``.txt``, ``.md`` or ``.json``."""
        return self.path / f"transcript.{extension}"

    @property
    def timeline(self) -> Path:
        return self.path / "timeline.jsonl"

    @property
    def reactions(self) -> Path:
        return self.path / "reactions.csv"

    @property
    def lyrics(self) -> Path:
        """What is said, for players: an LRC file that is called like the audio."""
        return self.path / "audio.lrc"

    @property
    def audience(self) -> Path:
        return self.path / "audience.csv"

    @property
    def journal(self) -> Path:
        return self.path / JOURNAL_NAME

    @property
    def manifest(self) -> Path:
        return self.path / MANIFEST_NAME

    @property
    def heard_words(self) -> Path:
        """What a speech recogniser has understood so far."""
        return self.path / WORK_FOLDER / "words.json"

    @property
    def id_file(self) -> Path:
        return self.path / WORK_FOLDER / ID_NAME

    def saved_id(self) -> str | None:
        """The id that `create` saved, None if it is not there (any more)."""
        try:
            return self.id_file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return None

    def load_space(self) -> Mapping[str, Any]:
        """What ``space.json`` holds.

        Raises:
            NewerSchemaError: a newer Hydrophone wrote it.
            ArchiveError: it is not JSON, or not an object.
            DiskError: it is not there.
        """
        with disk_errors(self.space):
            raw = self.space.read_bytes()
        try:
            facts = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise ArchiveError(f"{self.space}: not JSON ({error})") from None
        if not isinstance(facts, dict):
            raise ArchiveError(f"{self.space}: not an object")
        schema = facts.get("schema", SPACE_SCHEMA)
        if isinstance(schema, int) and schema > SPACE_SCHEMA:
            raise NewerSchemaError(
                f"{self.space}: written in schema {schema}; known is {SPACE_SCHEMA}",
                found=schema,
                known=SPACE_SCHEMA,
                advice="Update Hydrophone, then try again.",
            )
        return facts


def is_item(path: Path) -> bool:
    """True for a folder that holds a recording, finished or not."""
    return any((path / name).is_file() for name in _MARKS) or (path / WORK_FOLDER).is_dir()


def find_items(archive: Path, *, max_depth: int = MAX_DEPTH) -> Iterator[Item]:
    """All items below a folder, in the order of their paths. Folders that cannot be read are passed over."""
    try:
        folders = sorted(entry.path for entry in os.scandir(archive) if entry.is_dir(follow_symlinks=False))
    except OSError:
        return
    for folder in map(Path, folders):
        if folder.name.startswith("."):
            continue
        if is_item(folder):
            yield Item(folder)
        elif max_depth > 1:
            yield from find_items(folder, max_depth=max_depth - 1)


def find_item(archive: Path, item_id: str) -> Item | None:
    """The item of a Space or broadcast by its id, whatever its title was then; None if there is none.

    A saved id counts; else the folder's name, which ends in ``[ID]`` by default.
    """
    by_name: Item | None = None
    for item in find_items(archive):
        saved = item.saved_id()
        if saved == item_id:
            return item
        if saved is None and by_name is None and item.path.name.endswith(f"[{item_id}]"):
            by_name = item
    return by_name
