"""The rooms of the house and the direction of its arrows."""

from __future__ import annotations

from pathlib import Path

import pytest

from house.layers import LEVELS, imports_of, offences

SOURCE = Path(__file__).parents[2] / "src"


def test_every_import_follows_the_table_of_rooms() -> None:
    assert offences(SOURCE) == []


def test_the_checker_reads_a_good_part_of_the_package() -> None:
    files = list((SOURCE / "hydrophone").rglob("*.py"))
    found = [item for file in files for item in imports_of(file, "hydrophone") if item.target.startswith("hydrophone.")]
    assert len(files) > 30
    assert len(found) > 60


@pytest.mark.parametrize(
    ("file", "line", "reason"),
    [
        ("model/space.py", "from hydrophone.links import parse", "against the arrows"),
        ("model/space.py", "import attrs", "only the standard library"),
        ("hls/parser.py", "from hydrophone.audio import scan_adts", "sideways"),
        ("hls/parser.py", "def f():\n    from hydrophone.http import Request", "against the arrows"),
        ("hls/parser.py", "from ..http import messages", "against the arrows"),
        ("hls/parser.py", "from .. import http", "against the arrows"),
        ("xweb/spaces.py", "from hydrophone.archive.take import Take", "sideways"),
        ("xweb/spaces.py", "if TYPE_CHECKING:\n    import hydrophone.recorder.live", "against the arrows"),
        ("recorder/live.py", "import importlib\nimportlib.import_module('hydrophone.app')", "only the edges"),
        ("recorder/live.py", "from hydrophone.settings import Settings", "against the arrows"),
        ("sandbox/world.py", "from hydrophone.hls import parse_playlist", "stands apart"),
        ("recorder/live.py", "from hydrophone.sandbox import World", "stands apart"),
        ("testing/plugin.py", "from hydrophone.http import Client", "stands apart"),
        ("http/utils.py", "", "says nothing"),
        ("junk.py", "", "stands in no room"),
        ("__init__.py", "from hydrophone.http import Client", "opens the door"),
    ],
)
def test_the_checker_objects_to(tmp_path: Path, file: str, line: str, reason: str) -> None:
    path = tmp_path / "hydrophone" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'"""A file."""\n{line if "TYPE" not in line else "TYPE_CHECKING = 0" + chr(10) + line}\n')

    found = offences(tmp_path)

    assert len(found) == 1
    assert reason in found[0]


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("recorder/live.py", "from hydrophone.xweb import spaces\nfrom hydrophone.model import Space"),
        ("cli/commands/sandbox.py", "from hydrophone.sandbox.server import SandboxServer"),
        ("testing/plugin.py", "from hydrophone.sandbox import World"),
        ("cli/tree.py", "from hydrophone import __version__"),
        ("__init__.py", "def __getattr__(name):\n    from hydrophone.app import AsyncHydrophone"),
        ("hls/parser.py", "from .entries import Entry"),
    ],
)
def test_the_checker_accepts(tmp_path: Path, file: str, line: str) -> None:
    path = tmp_path / "hydrophone" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{line}\n")

    assert offences(tmp_path) == []


def test_no_room_stands_on_two_levels() -> None:
    rooms = [room for level in LEVELS for room in level]
    assert len(rooms) == len(set(rooms))
