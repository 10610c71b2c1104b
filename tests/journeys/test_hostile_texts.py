"""What strangers call themselves and their Spaces, from the API to every place where it is shown or kept.

Each place is read back by somebody else's reader: it holds the words, and nothing in it does anything.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pysubs2
import pytest
import webvtt

from hydrophone.cli import run
from hydrophone.sandbox.scene import Scene, sample_people
from hydrophone.testing.box import SandboxBox, sandbox

mutagen_mp4 = pytest.importorskip("mutagen.mp4", reason="mutagen reads the tags back; see constraints.txt")

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m red \u202egnp.exe\u2066 \u200f\x00 end"
MARKUP = "<script>alert(1)</script> --> ]]> &amp; [x](javascript:alert(1)) `id`\r\nNOTE forged\n\n1\n00:00 --> 00:09"
FORMULA = '=HYPERLINK("http://foreign.invalid";"here")'
TITLES = {
    "escapes": ESCAPES,
    "markup": MARKUP,
    "formula": FORMULA,
    "flag": "-rf --no-preserve-root $(touch owned)",
    "way out": "../../..\\..\\etc/passwd",
    "device": "CON",
    "long": "４kB of 漢字 " * 300,
}
NAMES = ["@SUM(1+1)*cmd|' /C calc'!A0 " + ESCAPES, MARKUP, FORMULA + "\n2nd line", "漢" * 1400]
#: What opens a formula in a table program.
OPENING = ("=", "+", "-", "@", "\t", "\r")


def on_now() -> Scene:
    """Only what has not ended can be found."""
    people = tuple(dataclasses.replace(one, name=FORMULA) for one in sample_people())
    return Scene.live("hostile now", seconds=None, title=FORMULA, people=people)


def hostile_scene(what: str, title: str) -> Scene:
    people = sample_people()
    renamed = tuple(dataclasses.replace(one, name=NAMES[number % len(NAMES)]) for number, one in enumerate(people))
    return Scene.ended(f"hostile {what}", seconds=24, title=title, people=renamed, extra={"chat": {"hostile": True}})


@dataclasses.dataclass(frozen=True)
class Shown:
    """All that was said, by command, and the items."""

    plain: dict[str, str]
    machine: dict[str, str]
    items: dict[str, Path]
    scenes: dict[str, Scene]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    folder = tmp_path_factory.mktemp("hostile")
    scenes = {what: hostile_scene(what, title) for what, title in TITLES.items()}
    with sandbox(*scenes.values(), on_now(), speed=20, isolated=True) as box, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYDROPHONE_SANDBOX", box.bases["control"])
        patch.setenv("HYDROPHONE_STATE_DIR", str(folder / "state"))
        patch.setenv("HYDROPHONE_ARCHIVE", str(folder / "archive"))
        patch.setenv("HOME", str(folder))
        patch.setenv("COLUMNS", "100")
        patch.chdir(folder)
        box.control.ask("POST", "/api2/switches", {"pace": False})
        yield say_all(box, scenes, folder)


def say_all(box: SandboxBox, scenes: dict[str, Scene], folder: Path) -> Shown:
    plain: dict[str, str] = {}
    machine: dict[str, str] = {}

    def typed(*words: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            out, err = io.StringIO(), io.StringIO()
            patch.setattr("sys.stdout", out)
            patch.setattr("sys.stderr", err)
            code = run(words)
        name = " ".join(words)
        assert code in (0, 3), f"{name}: {code}\n{err.getvalue()[-2000:]}"
        if "--json" in words or "--csv" in words:
            machine[name] = out.getvalue()
            plain[name + " stderr"] = "" if "--json" in words else err.getvalue()
        else:
            plain[name] = out.getvalue() + err.getvalue()

    typed("record", *(box.link(scene.name) for scene in scenes.values()), "-vv")
    for scene in scenes.values():
        typed("info", box.link(scene.name), "-vv")
        typed("people", scene.id)
        typed("transcript", scene.id)
        typed("quote", scene.id, "--at", "8")
    some = next(iter(scenes.values()))
    typed("info", box.link(some.name), "--json")
    typed("find", f"@{some.people[0].handle}", "--csv")
    typed("find", f"@{some.people[0].handle}", "-vv")
    typed("transcript", some.id, "--json")
    typed("verify", "-vv")
    typed("verify", "--json")
    typed("repair", some.id, "-vv")
    items = {}
    for manifest in (folder / "archive").rglob("manifest-sha256.txt"):
        facts = json.loads((manifest.parent / "space.json").read_bytes())
        what = next(what for what, scene in scenes.items() if scene.id == facts["id"])
        items[what] = manifest.parent
    assert not list(folder.rglob("owned"))
    assert sorted(path.name for path in folder.iterdir()) == ["archive", "state"]
    return Shown(plain, machine, items, scenes)


def obeyed(text: str, spared: str = "\n\u200c\u200d") -> set[str]:
    """Characters that a terminal would obey, or that turn the reading round."""
    return {ascii(one) for one in text if unicodedata.category(one) in ("Cc", "Cf", "Cs") and one not in spared}


#: In what people say, marks of direction belong to the writing; they turn nothing but themselves.
SPOKEN = "\n\u200c\u200d\u200e\u200f"


WHAT = pytest.mark.parametrize("what", TITLES)


def test_each_was_recorded(shown: Shown) -> None:
    assert set(shown.items) == set(TITLES)


def test_a_terminal_obeys_nothing_of_it(shown: Shown) -> None:
    found = {
        name: obeyed(text, SPOKEN) if name.startswith(("transcript", "quote")) else obeyed(text)
        for name, text in shown.plain.items()
    }
    assert {name: signs for name, signs in found.items() if signs} == {}
    assert any("owned" in text for text in shown.plain.values())


def test_no_title_forges_a_line_of_its_own(shown: Shown) -> None:
    for name, text in shown.plain.items():
        assert not any(line.startswith(("NOTE forged", "2nd line")) for line in text.splitlines()), name


def test_answers_for_programs_are_what_they_say(shown: Shown) -> None:
    for name, text in shown.machine.items():
        assert obeyed(text, "\n\r\u200c\u200d" if "--csv" in name else "\n\u200c\u200d") == set(), name
        if "--csv" in name:
            assert len(text.splitlines()) > 1
            check_csv(text)
        elif name.startswith(("record", "verify")):
            assert [json.loads(line) for line in text.splitlines()]
        else:
            assert json.loads(text)


def check_csv(text: str) -> None:
    rows = list(csv.reader(io.StringIO(text)))
    assert len({len(row) for row in rows}) == 1
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.startswith(OPENING) and not is_number(cell)]


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@WHAT
def test_file_names_are_harmless_everywhere(what: str, shown: Shown) -> None:
    folder = shown.items[what]
    for name in (folder.name, folder.parent.name):
        assert name.isprintable()
        assert not set(name) & set('/\\:*?"<>|')
        assert not name.startswith(("-", " ", "."))
        assert name.split(".")[0].upper() not in ("CON", "NUL", "AUX", "PRN")
        assert len(name.encode()) <= 200
    # The files in it have names of ours.
    assert all(name.isascii() for name in os.listdir(folder))


@WHAT
def test_facts_keep_the_words(what: str, shown: Shown) -> None:
    facts = json.loads((shown.items[what] / "space.json").read_bytes())
    people = json.loads((shown.items[what] / "people.json").read_bytes())

    assert facts["title"].replace("\0", "") == TITLES[what].replace("\0", "")
    assert NAMES[3] in json.dumps(people, ensure_ascii=False)


@WHAT
def test_tags_are_one_line_that_others_read(what: str, shown: Shown) -> None:
    tags: Any = mutagen_mp4.MP4(shown.items[what] / "audio.m4a").tags

    for key in ("\xa9nam", "\xa9ART"):
        (text,) = tags[key]
        assert text.strip()
        assert not {one for one in text if unicodedata.category(one) in ("Cc", "Cs")}, (key, text[:80])
    assert all(len(text) < 70_000 for value in tags.values() for text in value if isinstance(text, str))


@WHAT
def test_subtitles_have_as_many_cues_for_everyone(what: str, shown: Shown) -> None:
    folder = shown.items[what]
    vtt, srt = (folder / "transcript.vtt").read_text("utf-8"), (folder / "transcript.srt").read_text("utf-8")
    cues = webvtt.from_string(vtt).captions

    assert len(cues) > 3
    assert len(cues) == vtt.count(" --> ") == srt.count(" --> ")
    assert len(pysubs2.SSAFile.from_string(srt, "srt")) == len(cues)
    for text in (vtt, srt):
        assert not [line for line in text.splitlines() if "<script" in line and not line.startswith("NOTE ")]
        assert "NOTE forged" not in text.splitlines()
        assert obeyed(text, SPOKEN) == set()


@WHAT
def test_texts_hold_no_markup_and_tables_no_formula(what: str, shown: Shown) -> None:
    folder = shown.items[what]
    markdown = (folder / "transcript.md").read_text("utf-8")

    assert not re.search(r"(?<!\\)<script", markdown)
    assert not re.search(r"(?<!\\)\]\(javascript", markdown)
    for name in ("transcript.md", "transcript.txt"):
        assert obeyed((folder / name).read_text("utf-8"), SPOKEN) == set(), name
    for path in folder.glob("*.csv"):
        check_csv(path.read_text("utf-8"))


@WHAT
def test_journals_have_one_fact_a_line(what: str, shown: Shown) -> None:
    for path in shown.items[what].glob("*.jsonl"):
        for line in path.read_bytes().split(b"\n")[:-1]:
            assert isinstance(json.loads(line), dict), path.name
        assert not {one for one in path.read_bytes() if one < 0x20} - {0x0A}
