"""`hydrophone storm`: the storms, the contest, and what is said about it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from cli.conftest import Typed
from hydrophone.cli import storming
from hydrophone.cli.commands.storm import row_of
from hydrophone.cli.storming import HYDROPHONE, Kept, perform
from hydrophone.cli.weather import storm


def silent(text: str) -> None:
    """Nobody watches."""


def test_a_storm_follows_from_its_seed_and_length_alone() -> None:
    scene, troubles = storm(3, 300, "one")
    again, same = storm(3, 300, "another")

    assert troubles == same
    assert (scene.upsets, scene.quirks, scene.aways) == (again.upsets, again.quirks, again.aways)
    assert scene.id != again.id
    assert storm(4, 300, "one")[1] != troubles


@pytest.mark.parametrize("seed", range(20))
def test_a_long_storm_holds_every_kind_of_trouble_and_withholds_nothing_for_ever(seed: int) -> None:
    scene, troubles = storm(seed, 900, "long")

    assert len({trouble.text.split(",")[0].split(" answers ")[0] for trouble in troubles}) >= 12
    assert all(trouble.at + trouble.seconds < 900 for trouble in troubles)
    assert all("end" in upset or "count" in upset for upset in scene.upsets)
    assert not scene.quirks.holes
    assert scene.has_replay


def test_hydrophone_keeps_every_frame_of_a_storm_and_says_so() -> None:
    kept, troubles = perform(1, 24.0, speed=8.0, last_seconds=1.0, say=silent)

    assert [one.recorder for one in kept] == [HYDROPHONE, "ffmpeg", "streamlink"]
    ours = kept[0]
    assert ours.is_complete, ours
    assert ours.says_complete
    assert ours.exit_code == 0
    assert set(ours.strip) == {"#"}
    assert troubles
    for other in kept[1:]:
        assert other.is_installed == bool(other.strip)


def test_a_recorder_that_is_not_there_is_named() -> None:
    row = row_of(Kept(recorder="ffmpeg"))

    assert row[:3] == ("ffmpeg", "not installed", "-")
    assert Kept(recorder="ffmpeg").as_json() == {"recorder": "ffmpeg", "installed": False}


def test_a_share_is_cut_and_not_rounded() -> None:
    almost = Kept(
        recorder="x", version="1", frames_offered=1_000_000, frames_kept=999_999, is_in_order=True, exit_code=0
    )

    assert row_of(almost)[3] == "99.99 %"
    assert row_of(almost)[-1] == "no"


@pytest.fixture
def rehearsed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Kept], None]:
    """A contest whose result is given."""

    def rehearse(ours: Kept) -> None:
        troubles = storm(1, 60, "storm")[1]
        monkeypatch.setattr(storming, "perform", lambda *_, **__: ([ours, Kept(recorder="ffmpeg")], troubles))

    return rehearse


def test_the_exit_code_says_whether_all_was_kept(typed: Typed, rehearsed: Callable[[Kept], None]) -> None:
    whole = Kept(
        recorder=HYDROPHONE,
        version="1",
        frames_offered=9,
        frames_kept=9,
        is_in_order=True,
        exit_code=0,
        says_complete=True,
        strip="#########",
    )
    rehearsed(whole)
    done = typed("storm", "--json")
    assert done.code == 0
    shown = json.loads(done.out)
    assert shown["recorders"][0]["is_complete"] is True
    assert shown["recorders"][1] == {"recorder": "ffmpeg", "installed": False}
    assert shown["troubles"]

    rehearsed(Kept(recorder=HYDROPHONE, version="1", frames_offered=9, frames_kept=8, exit_code=3, strip="####.####"))
    said = typed("storm")
    assert said.code == 3
    assert "not installed" in said.out


@pytest.mark.parametrize("flag", ["--minutes", "--speed"])
def test_a_storm_needs_time(typed: Typed, flag: str) -> None:
    assert typed("storm", flag, "0").code == 2
