"""`hydrophone broadcast` as it is typed: consent, addresses that are no arguments, events, exit codes, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import Typed
from cli.fake_engine import FakeEngine
from hydrophone.broadcasting.events import (
    BroadcastEvent,
    Connected,
    Lost,
    Notice,
    Opened,
    Published,
    Sending,
    Sent,
    TargetOutcome,
)
from hydrophone.cli import context
from hydrophone.cli.onair import OnAirLines, outcome_line, progress_line, sentence
from hydrophone.errors import UnreachableError
from hydrophone.onair import OnAir
from playable_building import adts, payloads, written
from rtmp_sink import KEY, Sink, free_port

LOCAL = f"rtmp://127.0.0.1/live/{KEY}"
PUBLIC = f"rtmps://live.example/app/{KEY}"
LABEL = "rtmp://127.0.0.1/live/…"


def sending(seconds: float = 5.0) -> Sending:
    return Sending(
        target=LABEL,
        is_connected=True,
        seconds=seconds,
        size_bytes=80_000,
        bitrate_bps=128_000,
        reconnects=1,
        missed_seconds=2.0,
    )


def done(result: Sent = Sent.COMPLETE, **more: Any) -> TargetOutcome:
    return TargetOutcome(target=LABEL, result=result, seconds=5.0, size_bytes=80_000, **more)


STORY: list[BroadcastEvent] = [
    Opened(source="talk.m4a", audio="copy", video="still"),
    Connected(target=LABEL, reconnects=0),
    sending(1.0),
    Lost(target=LABEL, reason="Broken pipe", retry_seconds=1.2),
    Connected(target=LABEL, reconnects=1),
    Published(target="periscope", broadcast_id="1b", share_url="https://example.com/w/1b"),
    Notice(text="the service shows no playlist yet"),
    sending(),
    done(),
]


@dataclass
class AirEngine(FakeEngine):
    """A fake engine that goes on air with a story."""

    story: list[BroadcastEvent] = field(default_factory=lambda: list(STORY))

    async def broadcast(
        self, source: str, to: Sequence[str], *, on_air: OnAir, on_event: Any, stop: Any
    ) -> list[TargetOutcome]:
        self.calls.append(("broadcast", source, list(to), on_air))
        for event in self.story:
            on_event(event)
        return [event for event in self.story if isinstance(event, TargetOutcome)]


@pytest.fixture
def air(monkeypatch: pytest.MonkeyPatch) -> AirEngine:
    fake = AirEngine()
    monkeypatch.setattr(context, "open_engine", fake)
    return fake


def test_source_targets_and_flags_reach_the_engine(typed: Typed, air: AirEngine) -> None:
    answer = typed("broadcast", "talk.m4a", "--to", LOCAL, "--to", PUBLIC, "--yes", "--title", "Quay", "--from-start")
    assert answer.code == 0
    _, source, to, on_air = air.calls[0]
    assert (source, to) == ("talk.m4a", [LOCAL, PUBLIC])
    assert on_air == OnAir(is_agreed=True, title="Quay", from_start=True)
    assert KEY not in answer.out + answer.err


def test_a_dash_is_standard_input_and_a_device_is_named(typed: Typed, air: AirEngine) -> None:
    for source in ("-", "device:alsa:default"):
        assert typed("broadcast", source, "--to", LOCAL).code == 0
        assert air.calls[-2][1] == source


def test_addresses_come_from_a_file_and_the_environment(
    typed: Typed, air: AirEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "to.txt", f"# mine\n{LOCAL}1\n".encode())
    monkeypatch.setenv("HYDROPHONE_BROADCAST_TO", f"{LOCAL}2 {LOCAL}3")
    assert typed("broadcast", "talk.m4a", "--to-file", str(tmp_path / "to.txt")).code == 0
    assert air.calls[0][2] == [f"{LOCAL}1", f"{LOCAL}2", f"{LOCAL}3"]


@pytest.mark.parametrize("to", [[], [PUBLIC], ["periscope"], [LOCAL, PUBLIC], ["http://127.0.0.1/x/y"], ["nonsense"]])
def test_without_consent_or_a_good_address_nothing_is_opened(typed: Typed, air: AirEngine, to: list[str]) -> None:
    answer = typed("broadcast", "talk.m4a", *[word for one in to for word in ("--to", one)])
    assert answer.code == 2
    assert air.calls == []
    assert answer.err.startswith("error: ")
    assert KEY not in answer.err


@pytest.mark.parametrize("line", [["broadcast"], ["broadcast", "x", "--to", LOCAL, "--speed", "0"]])
def test_a_usage_error_has_exit_code_two(typed: Typed, air: AirEngine, line: list[str]) -> None:
    assert typed(*line).code == 2
    assert air.calls == []


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        ([done()], 0),
        ([done(Sent.STOPPED)], 0),
        ([done(Sent.GAPS, missed_seconds=3.0)], 3),
        ([done(), done(Sent.FAILED, error=UnreachableError("no answer"))], 8),
    ],
)
def test_the_exit_code_says_how_it_went(typed: Typed, air: AirEngine, ends: list[TargetOutcome], code: int) -> None:
    air.story = list(ends)
    assert typed("broadcast", "talk.m4a", "--to", LOCAL).code == code


def test_events_are_lines_for_people(typed: Typed, air: AirEngine) -> None:
    out = typed("broadcast", "talk.m4a", "--to", LOCAL).out
    assert "playing talk.m4a: sound as it is, picture a still picture" in out
    assert "connected again" in out
    assert "lost: Broken pipe; next try in 1 s" in out
    assert "public: https://example.com/w/1b" in out
    assert "128 kbit/s" in out
    assert "complete" in out


def test_events_are_json_lines_for_programs(typed: Typed, air: AirEngine) -> None:
    rows = [json.loads(line) for line in typed("broadcast", "talk.m4a", "--to", LOCAL, "--json").out.splitlines()]
    assert [row["event"] for row in rows] == [
        "opened", "connected", "sending", "lost", "connected", "published", "notice", "sending", "outcome",
    ]  # fmt: skip
    assert rows[2] == {
        "event": "sending", "target": LABEL, "is_connected": True, "seconds": 1.0, "size_bytes": 80_000,
        "bitrate_bps": 128_000, "reconnects": 1, "missed_seconds": 2.0,
    }  # fmt: skip
    assert rows[-1]["exit_code"] == 0
    assert rows[-1]["result"] == "complete"


def test_quiet_says_only_what_went_wrong(typed: Typed, air: AirEngine) -> None:
    air.story = [*STORY[:-1], done(Sent.FAILED, error=UnreachableError("no answer"))]
    answer = typed("broadcast", "talk.m4a", "--to", LOCAL, "-q")
    assert answer.out == ""
    assert answer.err == "error: no answer\n"


def test_a_terminal_has_one_line_that_changes(capsys: pytest.CaptureFixture[str]) -> None:
    lines = OnAirLines(as_json=False, quiet=False, is_terminal=True)
    for event in STORY:
        lines(event)
    lines.note("Finishing.")
    lines.close()
    captured = capsys.readouterr()
    assert captured.out.count("\r\x1b[2K") == 2
    assert captured.err == "Finishing.\n"


def test_remote_text_is_harmless_on_a_terminal() -> None:
    evil = "\x1b[2Jevil\u202e\n"
    texts = [
        sentence(Lost(target=LABEL, reason=evil, retry_seconds=1)),
        sentence(Published(target=LABEL, broadcast_id="1", share_url=evil)),
        sentence(Opened(source=evil, audio="copy", video="copy")),
        progress_line(sending()),
        outcome_line(done(reconnects=2, missed_seconds=1)),
    ]
    assert not any({"\x1b", "\u202e", "\n"} & set(text) for text in texts)


# ---------------------------------------------------------------- the installed command


def command(tmp_path: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HYDROPHONE_")}
    environment = {**kept, "HOME": str(tmp_path), "HYDROPHONE_STATE_DIR": str(tmp_path / "state"), **more}
    return subprocess.Popen(
        [sys.executable, "-m", "hydrophone", "broadcast", *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_file_typed_at_the_command_line_arrives_whole(tmp_path: Path) -> None:
    sink, data = Sink(), adts()
    source = written(tmp_path, "talk.aac", data)
    process = command(tmp_path, str(source), "--speed", "4", "--json", "-vv", HYDROPHONE_BROADCAST_TO=sink.url)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert sink.wait().audio == payloads(data)
    assert json.loads(out.splitlines()[-1])["result"] == "complete"
    assert KEY not in out + err


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent differently on Windows")
def test_ctrl_c_ends_the_stream_cleanly(tmp_path: Path) -> None:
    sink = Sink()
    process = command(tmp_path, "device:lavfi:sine=sample_rate=48000", "--json", HYDROPHONE_BROADCAST_TO=sink.url)
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["event"] == "sending" and json.loads(line)["seconds"] > 0.5:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert json.loads(out.splitlines()[-1])["result"] == "stopped"
    assert sink.wait().is_over


def test_an_address_that_is_dead_is_exit_code_eight(tmp_path: Path) -> None:
    source = written(tmp_path, "talk.aac", adts(20))
    sink = Sink()
    process = command(
        tmp_path, str(source), "--to", sink.url, "--to", f"rtmp://127.0.0.1:{free_port()}/live/{KEY}", "--speed", "2"
    )
    _, err = process.communicate(timeout=60)
    assert process.returncode == 8
    assert "could not be reached" in err
    assert KEY not in err
