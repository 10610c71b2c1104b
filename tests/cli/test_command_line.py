"""What a user types, and what comes back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.conftest import Typed
from cli.fake_engine import KEY, FakeEngine, outcome, story
from hydrophone.cli.tree import COMMANDS, build_app
from hydrophone.errors import NotSignedInError, UnreachableError
from hydrophone.recorder.events import Result

NAMES = [name for name, _ in COMMANDS]


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_with_an_example(typed: Typed, name: str) -> None:
    answer = typed(name, "--help")
    assert answer.code == 0
    _, _, examples = answer.out.partition("For example:")
    assert f"hydrophone {name}" in examples


@pytest.mark.parametrize("name", NAMES)
def test_every_flag_of_a_command_is_explained(name: str) -> None:
    app = build_app()[name]
    apps = [app, *(app[sub] for sub in app if not sub.startswith("-"))]
    for one in apps:
        if one.default_command is None:
            continue
        for argument in one.assemble_argument_collection(parse_docstring=True):
            if argument.show:
                assert argument.parameter.help, f"{name}: {argument.name} has no help"


def test_overview_names_every_command_and_the_exit_codes(typed: Typed) -> None:
    answer = typed("--help")
    assert all(name in answer.out for name in NAMES)
    assert "3 finished with gaps" in answer.out


def test_nothing_typed_shows_the_overview(typed: Typed) -> None:
    assert "Usage: hydrophone COMMAND" in typed().out


@pytest.mark.parametrize(
    "line", [["recrod"], ["record"], ["record", "--nope", "x"], ["record", "-N", "many", "x"], ["info"], ["--nope"]]
)
def test_a_usage_error_is_two_lines_and_exit_code_two(typed: Typed, engine: FakeEngine, line: list[str]) -> None:
    answer = typed(*line)
    assert answer.code == 2
    assert answer.out == ""
    first, second = answer.err.splitlines()
    assert first.startswith("error: ")
    assert second.startswith("advice: ")


def test_a_usage_error_with_json_is_one_object(typed: Typed) -> None:
    error = json.loads(typed("record", "--json", "--nope", "x").err)["error"]
    assert error["type"] == "SettingsError"
    assert error["exit_code"] == 2
    assert error["message"]
    assert error["advice"]


def test_record_hands_links_and_options_to_the_engine(typed: Typed, engine: FakeEngine, tmp_path: Path) -> None:
    engine.events = story(outcome())
    answer = typed(
        "record", "one", "two", "-N", "5", "-o", "%(id)s", "-f", "720p", "--wait", "--live-edge", "-P", str(tmp_path)
    )
    assert answer.code == 0
    (_, links, options), closed = engine.calls
    assert links == ("one", "two")
    assert closed == ("closed",)
    assert (options.connections, options.output, options.format) == (5, "%(id)s", "720p")
    assert (options.wait, options.live_edge, options.archive) == (True, True, tmp_path)


@pytest.mark.parametrize(
    ("flags", "is_from_now"),
    [([], False), (["--live-edge"], True), (["--no-live-from-start"], True), (["--live-from-start"], False)],
)
def test_live_edge_has_the_names_that_users_know(
    typed: Typed, engine: FakeEngine, flags: list[str], is_from_now: bool
) -> None:
    typed("record", KEY, *flags)
    assert engine.calls[0][2].live_edge is is_from_now


@pytest.mark.parametrize(("text", "seconds"), [("30", 30), ("60-600", 60), ("1", 5)])
def test_wait_for_video_waits_and_sets_the_pace(typed: Typed, engine: FakeEngine, text: str, seconds: float) -> None:
    typed("record", KEY, "--wait-for-video", text)
    assert engine.calls[0][2].wait is True
    assert engine.settings.wait_poll_seconds == seconds


def test_wait_for_video_without_a_number_is_a_usage_error(typed: Typed, engine: FakeEngine) -> None:
    assert typed("record", "--wait-for-video", KEY, "x").code == 2


def test_batch_file_lists_links_and_skips_comments(typed: Typed, engine: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "links.txt").write_text("\ufeff# mine\n\n one \n; old\n] older\ntwo\r\n")
    typed("record", "zero", "-a", str(tmp_path / "links.txt"))
    assert engine.calls[0][1] == ("zero", "one", "two")


def test_batch_file_that_is_missing_is_a_usage_error(typed: Typed, engine: FakeEngine) -> None:
    assert typed("record", "-a", "no-such-file").code == 2


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (outcome(), 0),
        (outcome(Result.GAPS, gaps=1), 3),
        (outcome(Result.STOPPED), 0),
        (outcome(Result.STOPPED, gaps=1), 3),
        (outcome(Result.FAILED, error=UnreachableError("no answer", host="x.com")), 8),
    ],
)
def test_record_ends_with_the_code_that_is_due(typed: Typed, engine: FakeEngine, end: object, code: int) -> None:
    engine.events = [end]  # type: ignore[list-item]
    assert typed("record", KEY).code == code


def test_an_error_is_shown_with_advice(typed: Typed, engine: FakeEngine) -> None:
    engine.error = NotSignedInError("a login is needed", advice="Run `hydrophone auth login`.")
    answer = typed("info", KEY)
    assert answer.code == 5
    assert answer.err == "error: a login is needed\nadvice: Run `hydrophone auth login`.\n"


def test_an_unforeseen_error_is_reported_without_a_traceback(typed: Typed, engine: FakeEngine) -> None:
    engine.error = KeyError("oops")
    answer = typed("info", KEY)
    assert answer.code == 1
    assert "Traceback" not in answer.err
    assert "KeyError" in answer.err


def test_info_for_people_carries_no_escape_sequences(typed: Typed, engine: FakeEngine) -> None:
    answer = typed("info", KEY)
    assert answer.code == 0
    assert "Mira (@mira)" in answer.out
    assert "1,234" in answer.out
    assert not {"\x1b", "\u202e"} & set(answer.out)


def test_info_as_json_leaves_out_what_is_raw(typed: Typed, engine: FakeEngine) -> None:
    found = json.loads(typed("info", KEY, "--json").out)
    assert found["type"] == "space"
    assert found["started_at"] == "2026-03-14T18:00:00Z"
    assert found["state"] == "ended"
    assert "raw" not in found


def test_info_raw_prints_the_record_as_it_came(typed: Typed, engine: FakeEngine) -> None:
    assert json.loads(typed("info", KEY, "--raw").out) == {"secret": "kept out"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_knows_commands_and_flags(typed: Typed, shell: str) -> None:
    answer = typed("completion", shell)
    assert answer.code == 0
    assert "record" in answer.out
    assert "concurrent-fragments" in answer.out


def test_completion_installs_where_the_shell_looks(typed: Typed, tmp_path: Path) -> None:
    answer = typed("completion", "fish", "--install")
    assert answer.code == 0
    (script,) = tmp_path.rglob("hydrophone.fish")
    assert "record" in script.read_text()
    assert str(script) in answer.out
