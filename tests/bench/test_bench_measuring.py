"""What a program cost, and what the page makes of it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from bench.measuring import MIB, Program, Run, in_turns, measure, paired_ratio
from bench.stage import RACE_COLUMNS, Section, Target, race_rows, ratio_target

from bench import page

RUN = Run(wall_seconds=2.0, user_seconds=1.0, system_seconds=0.5, peak_bytes=MIB, exit_code=0, kept=10, offered=10)


def python(code: str) -> Program:
    return Program("it", lambda folder: [sys.executable, "-c", code])


def test_memory_and_cpu_of_a_child_and_its_own_children_are_seen(tmp_path: Path) -> None:
    work = "b = b'x' * 200_000_000; sum(range(3_000_000))"
    grown = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}])"

    small, large = measure(python("pass"), tmp_path), measure(python(grown), tmp_path)

    assert small.exit_code == large.exit_code == 0
    assert small.peak_bytes < 100 * MIB
    assert large.peak_bytes > 180 * MIB
    assert large.cpu_seconds > small.cpu_seconds > 0
    assert large.wall_seconds > 0


def test_a_grown_parent_does_not_count_for_the_child(tmp_path: Path) -> None:
    ballast = b"x" * (300 * MIB)

    run = measure(python("pass"), tmp_path)

    assert len(ballast) > run.peak_bytes


def test_a_program_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    hanging = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"

    run = measure(python(hanging), tmp_path, seconds=1)

    assert run.exit_code < 0
    assert run.wall_seconds < 60


def test_failures_say_what_was_said(tmp_path: Path) -> None:
    run = measure(python("import sys; sys.exit('no such thing')"), tmp_path)

    assert run.exit_code == 1
    assert "no such thing" in run.trouble


def test_a_program_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="could not be started"):
        measure(Program("it", lambda folder: ["no-such-program-anywhere"]), tmp_path)


def test_programs_take_turns_in_both_orders(tmp_path: Path) -> None:
    said: list[str] = []
    programs = [replace(python("pass"), name=name) for name in "ab"] + [replace(python("pass"), name="c", rounds=1)]

    runs = in_turns(programs, tmp_path, rounds=2, say=said.append, warm_up=False)

    assert [line.split()[1].rstrip(":") for line in said] == ["a", "b", "c", "b", "a"]
    assert {name: len(rows) for name, rows in runs.items()} == {"a": 2, "b": 2, "c": 1}
    assert not any(tmp_path.iterdir())


def test_ratios_are_of_pairs() -> None:
    ours = [replace(RUN, wall_seconds=wall) for wall in (1.0, 10.0, 1.0)]
    theirs = [replace(RUN, wall_seconds=wall) for wall in (3.0, 30.0, 4.0)]

    assert paired_ratio(theirs, ours, "wall_seconds") == 3.0


def test_the_page_shows_ratios_missed_targets_and_what_was_not_measured() -> None:
    programs = [Program("ours", lambda folder: []), Program("theirs", lambda folder: [], note="leaves raw segments")]
    runs = {"ours": [RUN], "theirs": [replace(RUN, wall_seconds=5.0, kept=7)]}
    section = Section("A race", RACE_COLUMNS, race_rows(programs, runs))
    section.targets = [
        ratio_target("twice as fast", section.rows, "theirs", "wall_ratio", 2.0),
        ratio_target("ten times as fast", section.rows, "theirs", "wall_ratio", 10.0),
        ratio_target("faster than nobody", section.rows, "nobody", "wall_ratio", 1.0),
        Target("small", "large", False),
    ]
    facts = {
        "is_quick": False,
        "loop_seconds": [0.1, 0.15],
        "sections": [section.as_json()],
        "machine": {
            "at": "today",
            "cores": 2,
            "cpu": "one",
            "memory_gib": 1,
            "system": "s",
            "python": "3",
            "commit": "c",
            "versions": {"ffmpeg": "not installed: not found"},
        },
    }

    text = page.build({"a": facts})

    assert "| theirs | 5.00 | 2.50 | 1.50 | 1.00 | 1 | 70.00 % | 1 |" in text
    assert "| A race | twice as fast | 2.50 times | yes |" in text
    assert "| A race | ten times as fast | 2.50 times | **no** |" in text
    assert "not measured" in text
    assert "ffmpeg not installed" in text
    assert "- theirs: leaves raw segments." in text
    assert "| c | 1.50 |" in text
    assert page.build({}).count("Not measured") == len(page.CASES)


@pytest.mark.parametrize(
    ("value", "form", "shown"),
    [
        (0.0456, "seconds", "0.046"),
        (12.34, "seconds", "12.3"),
        (None, "seconds", "–"),
        (float("nan"), "ratio", "–"),
        (0.99995, "share", "100.00 %"),
        (1.0, "share", "100 %"),
        (123456.7, "number", "123,457"),
        (5 * MIB, "mib", "5"),
    ],
)
def test_figures_are_short(value: float | None, form: str, shown: str) -> None:
    assert page.form_of(value, form) == shown
