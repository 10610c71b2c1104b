"""What the tutorial and the README show is what there is to be seen. Their commands run in `tests/docs`."""

from __future__ import annotations

import html
import re
from pathlib import Path

from hydrophone.cli.demonstration import HEADER
from hydrophone.testing.box import sandbox
from journeys.victims import item_of, record

ROOT = Path(__file__).parents[2]


def test_tutorial_lists_the_files_of_a_recording(tmp_path: Path) -> None:
    tutorial = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
    listed = re.search(r"\$ ls archive/\*/\*\n(.+)\n", tutorial)
    with sandbox("ended-short", isolated=True) as box:
        assert record(box, tmp_path, box.link("ended-short")).exit_code == 0

    assert listed is not None
    files = sorted(path.name for path in item_of(tmp_path).iterdir() if not path.name.startswith("."))
    assert listed[1].split() == files


def test_readme_shows_a_run_of_the_demo_in_which_all_was_kept() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"!\[[^]]+\]\((docs/images/[a-z]+\.svg)\)", readme)
    assert shown is not None
    drawing = html.unescape((ROOT / shown[1]).read_text(encoding="utf-8")).replace("\xa0", " ")
    text = re.sub(r"<[^>]+>", "\n", drawing)

    assert "$ hydrophone demo" in text
    assert all(word in text for word in HEADER)
    assert "SIGKILL" in text
    kept = re.findall(r"([\d,]+) of ([\d,]+)  OK", text)
    assert len(kept) == 2
    assert all(frames == offered for frames, offered in kept)
