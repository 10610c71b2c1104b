"""What may not stand in the repository: names of machines, registries, unfinished work; and pins that are exact."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THIS = Path(__file__).relative_to(ROOT)

MACHINE = re.compile(
    r"(?<![\w.~-])/(?:work|root|home|Users|opt|mnt)/[\w.]"
    r"|[A-Z]:\\Users\\"
    r"|pypi\.org|pythonhosted|npmjs\.|--(?:extra-)?index-url|--find-links|\.library\b",
)
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX)\b|raise NotImplementedError|pragma:\s*no cover")
TEXT = {".py", ".md", ".toml", ".txt", ".cfg", ".yml", ".yaml", ".json", ".sh", ".html", ".css", ".svg", ""}


@cache
def tracked() -> list[Path]:
    """The files of the repository, or of the directory where there is no git."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
        names = [Path(name) for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        hidden = {".git", ".venv", "site", "build", "dist", "__pycache__"}
        every = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        names = [path for path in every if not hidden & set(path.parts)]
    return [name for name in names if (ROOT / name).is_file() and name.suffix in TEXT]


def lines_with(pattern: re.Pattern[str], files: list[Path]) -> list[str]:
    found = []
    for name in files:
        lines = (ROOT / name).read_text(encoding="utf-8", errors="replace").splitlines()
        found += [f"{name}:{n}: {line.strip()[:100]}" for n, line in enumerate(lines, 1) if pattern.search(line)]
    return found


def test_no_file_names_a_machine_or_a_registry() -> None:
    assert lines_with(MACHINE, [name for name in tracked() if name != THIS]) == []


@pytest.mark.parametrize("text", ["see /home/mira/x", "cd /opt/tools", "pip --index-url x", "C:\\Users\\mira"])
def test_the_search_for_machines_can_find(text: str) -> None:
    assert MACHINE.search(text)


@pytest.mark.parametrize("text", ["~/home/x", "https://example.com/home/x", "GET /i/spaces/1", "/usr/bin/env"])
def test_the_search_for_machines_leaves_harmless_text_alone(text: str) -> None:
    assert not MACHINE.search(text)


def test_nothing_is_left_unfinished() -> None:
    assert lines_with(UNFINISHED, [name for name in tracked() if name.suffix == ".py" and name != THIS]) == []


def test_every_module_but_tests_says_why_it_exists() -> None:
    silent = [
        str(name)
        for name in tracked()
        if name.suffix == ".py"
        and name.parts[0] != "tests"
        and not ast.get_docstring(ast.parse((ROOT / name).read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_pins_are_names_and_versions_and_nothing_else() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert len(pins) > 40
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.+!]*", pin)] == []


def test_every_direct_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    pinned = {line.split("==")[0] for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()}

    def normal(name: str) -> str:
        return re.sub(r"[-_.]+", "-", name).lower()

    names = {normal(re.split(r"[<>=!\[;@ ]", one, maxsplit=1)[0]) for one in wanted} - {"hydrophone"}
    assert names <= {normal(name) for name in pinned}


def test_the_changelog_knows_the_version() -> None:
    from hydrophone import __version__

    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
