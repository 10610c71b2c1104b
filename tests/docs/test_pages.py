"""The pages: generated ones fit the code, links lead somewhere, none is forgotten."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from docs.snippets import ROOT, pages

_LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_up_to_date() -> None:
    for name, text in script("generate").generated().items():
        assert (ROOT / "docs/reference" / name).read_text(encoding="utf-8") == text, "run `make docs`"


def test_every_setting_command_and_error_is_in_the_reference() -> None:
    from hydrophone import errors
    from hydrophone.cli.tree import COMMANDS
    from hydrophone.settings import Settings

    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.HydrophoneError)
    ]
    assert len(kinds) > 20

    def page(name: str) -> str:
        return (ROOT / "docs/reference" / name).read_text(encoding="utf-8")

    assert all(f"## hydrophone {name}\n" in page("commands.md") for name, _ in COMMANDS)
    assert all(f"`HYDROPHONE_{name.upper()}`" in page("settings.md") for name in Settings.model_fields)
    assert all(f"`{kind.__name__}`" in page("errors.md") for kind in kinds)


@pytest.mark.parametrize("page", list(pages()), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for match in _LINK.finditer(text):
        target, _, anchor = match["target"].partition("#")
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        other = (page.parent / target) if target else page
        assert other.exists(), f"{page.name} links to {target}"
        if anchor:
            heads = re.findall(r"^#+ (.*)$", other.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", head).strip().lower().replace(" ", "-") for head in heads}


def test_every_page_is_in_the_navigation() -> None:
    config = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
    listed = set(re.findall(r"'([\w/-]+\.md)'", str(config["project"]["nav"])))
    there = {page.relative_to(ROOT / "docs").as_posix() for page in pages() if page.parts[-1] != "README.md"}
    assert listed == there


def test_pages_load_nothing_from_other_hosts() -> None:
    config = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
    assert config["project"]["theme"]["font"] is False
    for page in pages():
        assert not re.search(r"!\[[^\]]*\]\(https?:|<(?:img|script|link|iframe)\b", page.read_text(encoding="utf-8"))


def test_the_picture_loads_nothing_and_names_no_folder_of_this_machine() -> None:
    drawn = script("picture").draw(f"\x1b[32mcomplete\x1b[0m {Path.home()}/x {Path.cwd()}/demo/audio.m4a")
    assert "complete" in drawn
    assert not re.search(r"url\((?!#)|@import|https?://(?!www\.w3\.org|www\.textualize\.io)", drawn)
    assert str(Path.home()) not in drawn
