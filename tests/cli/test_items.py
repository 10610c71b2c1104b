"""verify and repair: which items are meant, and how they end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Typed
from cli.fake_engine import FakeEngine, outcome
from hydrophone.archive.verify import Finding, Trouble, VerifyReport
from hydrophone.cli.items import items_named
from hydrophone.errors import NotFoundError
from hydrophone.recorder.events import Event, Outcome, Result
from hydrophone.recorder.options import StopSignal


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    root = tmp_path / "archive"
    for name in ("@mira/one [1aaa]", "@mira/two [1bbb]", "@noor/three [1ccc]"):
        (root / name).mkdir(parents=True)
        (root / name / "journal.jsonl").touch()
    return root


def names(paths: list[Path]) -> list[str]:
    return [path.name.split()[0] for path in paths]


def test_no_name_means_the_whole_archive(archive: Path) -> None:
    assert names(items_named([], archive)) == ["one", "two", "three"]


def test_a_name_is_a_folder_a_folder_above_a_file_inside_or_an_id(archive: Path) -> None:
    one = archive / "@mira/one [1aaa]"
    assert names(items_named([str(one)], archive)) == ["one"]
    assert names(items_named([str(one / "journal.jsonl")], archive)) == ["one"]
    assert names(items_named([str(archive / "@mira")], archive)) == ["one", "two"]
    assert names(items_named(["1ccc"], archive)) == ["three"]
    assert names(items_named(["1aaa", str(archive / "@mira")], archive)) == ["one", "two"]


def test_a_name_that_leads_nowhere_is_not_found(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="1zzz"):
        items_named(["1zzz"], archive)
    with pytest.raises(NotFoundError, match="no recordings"):
        items_named([], tmp_path / "nothing")


class VerifyingEngine(FakeEngine):
    """Finds what it is told to find."""

    def __init__(self, *findings: Finding, gaps: int = 0, end: Outcome | None = None) -> None:
        super().__init__()
        self.findings, self.gaps, self.end = findings, gaps, end

    async def verify(self, path: Path, *, deep: bool) -> VerifyReport:
        return VerifyReport(
            path=path,
            ok=("audio.m4a",),
            findings=self.findings,
            segments=4,
            seconds=12.0,
            gaps=self.gaps,
            has_media=True,
        )

    async def repair(self, path: Path, *, on_event: Callable[[Event], None], stop: StopSignal) -> Outcome:
        assert self.end
        on_event(self.end)
        return self.end


def finding(trouble: Trouble) -> Finding:
    return Finding(trouble=trouble, name="audio.m4a", text="differs \x1b[2J")


def type_with(monkeypatch: pytest.MonkeyPatch, engine: Any) -> None:
    monkeypatch.setattr("hydrophone.cli.context.open_engine", engine)


@pytest.mark.parametrize(
    ("engine", "code", "word"),
    [
        (VerifyingEngine(), 0, "intact"),
        (VerifyingEngine(gaps=2), 3, "2 gaps"),
        (VerifyingEngine(finding(Trouble.UNFINISHED)), 3, "unfinished"),
        (VerifyingEngine(finding(Trouble.CHANGED)), 9, "DAMAGED"),
    ],
    ids=["intact", "gaps", "unfinished", "damaged"],
)
def test_verify_ends_with_the_code_that_is_due(
    typed: Typed, archive: Path, monkeypatch: pytest.MonkeyPatch, engine: VerifyingEngine, code: int, word: str
) -> None:
    type_with(monkeypatch, engine)
    answer = typed("verify", "1aaa", "-P", str(archive))
    assert answer.code == code
    assert word in answer.out
    assert "\x1b" not in answer.out
    as_json = json.loads(typed("verify", "1aaa", "-P", str(archive), "--json").out)
    assert as_json["exit_code"] == code
    assert as_json["ok"] == ["audio.m4a"]


def test_repair_reports_each_item(typed: Typed, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    type_with(monkeypatch, VerifyingEngine(end=outcome(Result.GAPS, gaps=1)))
    answer = typed("repair", "-P", str(archive))
    assert answer.code == 3
    assert answer.out.count("finished with gaps") == 3
