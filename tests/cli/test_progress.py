"""What a recording shows while it runs: in a pipe, to a program, on a terminal."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from cli.conftest import Typed
from cli.fake_engine import KEY, FakeEngine, outcome, progress, story
from hydrophone.cli.bars import Bars
from hydrophone.cli.jsonlines import dumps, jsonable
from hydrophone.cli.lines import PlainLines
from hydrophone.errors import UnreachableError
from hydrophone.model import Stream
from hydrophone.recorder.events import Mode, Result


def test_json_prints_one_object_for_each_event(typed: Typed, engine: FakeEngine) -> None:
    engine.events = story(outcome(Result.GAPS, gaps=1))
    answer = typed("record", KEY, "--json")
    events = [json.loads(line) for line in answer.out.splitlines()]
    kinds = ["resolved", "waiting", "started", "progress", "progress", "progress", "notice", "finishing", "outcome"]
    assert [event["event"] for event in events] == kinds
    assert all(event["key"] == KEY for event in events)
    assert events[0]["started_at"] == "2026-03-14T18:00:00Z"
    assert events[3]["speed"] == 6.0
    assert events[-1]["exit_code"] == 3
    assert events[-1]["coverage"]["gaps"][0]["cause"] == "not found"
    assert events[-1]["media"] == str(Path("archive/tides/audio.m4a"))


def test_json_says_why_a_recording_failed(typed: Typed, engine: FakeEngine) -> None:
    engine.events = [outcome(Result.FAILED, error=UnreachableError("no answer", host="cdn", advice="Try later."))]
    answer = typed("record", KEY, "--json")
    error = json.loads(answer.out)["error"]
    assert error == {
        "type": "UnreachableError",
        "message": "no answer",
        "advice": "Try later.",
        "host": "cdn",
        "exit_code": 8,
    }


def test_json_leaves_out_what_a_value_hides_from_its_repr() -> None:
    assert "url" not in jsonable(Stream(url="https://cdn.example/secret", chat_token="t"))


@pytest.mark.parametrize("text", ["half \ud800 pair", "nul \x00", "\x1b[2J", "‮"])
def test_json_of_any_text_is_one_line_that_can_be_encoded(text: str) -> None:
    line = dumps({"title": text, "nan": float("nan")})
    assert "\n" not in line
    json.loads(line.encode())


def test_plain_lines_tell_the_story_without_escape_sequences(typed: Typed, engine: FakeEngine) -> None:
    engine.events = story(outcome(Result.GAPS, gaps=1))
    answer = typed("record", KEY)
    assert "\x1b" not in answer.out
    assert f'[{KEY}] "Tides [red]" by @mira: live' in answer.out
    assert "continuing after 3 segments" in answer.out
    assert "finished with gaps: 2:00 in 0:02 (60x), 95.00 %, 1 gap" in answer.out
    assert "missing 0:30 to 0:36 (2 segments): not found, 5 attempts" in answer.out
    assert str(Path("archive/tides/audio.m4a")) in answer.out


def test_quiet_prints_nothing_when_all_is_well(typed: Typed, engine: FakeEngine) -> None:
    engine.events = story(outcome())
    answer = typed("record", KEY, "-q")
    assert (answer.out, answer.err) == ("", "")


def test_quiet_still_prints_failures(typed: Typed, engine: FakeEngine) -> None:
    engine.events = [outcome(Result.FAILED, error=UnreachableError("no answer"))]
    assert "error: no answer" in typed("record", KEY, "-q").err


def test_plain_progress_is_rate_limited_for_each_recording(capsys: pytest.CaptureFixture[str]) -> None:
    ticks: Iterator[float] = iter([0.0, 1.0, 9.9, 10.0, 19.0, 25.0])
    listener = PlainLines(now=lambda: next(ticks))
    for number in range(1, 7):
        listener(progress(number))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["1", "4", "6"]


def test_terminal_shows_rows_and_takes_no_markup_from_titles() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=140, color_system=None, highlight=False)
    bars = Bars(console)
    for event in story(outcome(Result.GAPS, gaps=1)):
        bars(event)
    bars.close()
    text = screen.getvalue()
    assert "Tides [red]" in text
    assert "\x07" not in text
    assert "\x1b]0;" not in text
    assert "1 gap" in text


def test_terminal_says_elapsed_coverage_and_listeners_of_a_live_recording() -> None:
    screen = io.StringIO()
    bars = Bars(Console(file=screen, force_terminal=True, width=160, color_system=None))
    bars(progress(20, Mode.LIVE))
    bars.close()
    text = screen.getvalue()
    assert "live 0:00" in text
    assert "97.50 %" in text
    assert "123 listening" in text


def test_terminal_says_segments_speed_and_time_to_go_of_a_replay() -> None:
    screen = io.StringIO()
    bars = Bars(Console(file=screen, force_terminal=True, width=160, color_system=None))
    bars(progress(20))
    bars.close()
    text = screen.getvalue()
    assert "20/40" in text
    assert "120x" in text
    assert "ETA 0:00" in text
