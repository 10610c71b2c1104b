"""Trouble with accounts and records while a Space is live: the audio goes on, and nothing is asked that must not be.

Each trouble belongs to the whole X side, so each test has a sandbox of its own.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from hydrophone.recorder.events import Event, Progress
from hydrophone.recorder.options import StopSignal
from hydrophone.sandbox.scene import Flap, Kind, Scene, SnapshotRule, State
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.test_frames import assert_video_kept
from journeys.trials import PATIENCE, Trial, assert_kept, record

SPEED = 10.0
QUICK = SnapshotRule(every=6, lag_seconds=3.0, gone_seconds=8.0)
#: Silence that counts as the end where nobody can be asked any more.
SHORT_SILENCE = dataclasses.replace(PATIENCE, silence=30.0)
LOGIN = {"auth_token": "b" * 40, "ct0": "a" * 160}
RECORD = "AudioSpaceById"
STREAM_KEY = "Sealed_kept_stream_" + "k" * 70
GONE = '{"data": {"audioSpace": {}}}'


@pytest.fixture
def opened() -> Iterator[Callable[..., SandboxBox]]:
    with ExitStack() as stack:
        yield lambda *scenes: stack.enter_context(sandbox(*scenes, speed=SPEED))


def live(name: str, **more: Any) -> Scene:
    return Scene.live(name, **({"seconds": 45, "since": 10, "snapshot": QUICK} | more))


def after(seconds: float, **switches: Any) -> dict[str, Any]:
    """Switches that are turned in the course of a scene."""
    return {"switches_at": [{"at": seconds, **switches}]}


def asked(box: SandboxBox, word: str) -> list[dict[str, Any]]:
    return box.control.requests(service="x", containing=word)


def test_a_login_that_dies_costs_no_audio_and_is_told_once(opened: Callable[..., SandboxBox], tmp_path: Path) -> None:
    scene = live("login-dies", extra=after(22, account="revoked"))
    box = opened(scene)

    trial = record(box, tmp_path, box.link(scene.name), settings=LOGIN, patience=SHORT_SILENCE)

    assert trial.exit_code == 0
    assert_kept(trial, box, scene)
    assert sum("goes on without the record" in text for text in trial.notices) == 1
    assert sum(request["status"] == 401 for request in asked(box, RECORD)) == 1


def test_a_used_up_budget_costs_no_audio_and_nothing_is_asked_before_its_end(
    opened: Callable[..., SandboxBox], tmp_path: Path
) -> None:
    scene = live("budget-spent")
    box = opened(scene)
    box.control.switch(limits={RECORD: 2}, limit_window_seconds=60)

    trial = record(box, tmp_path, box.link(scene.name), patience=SHORT_SILENCE)

    assert trial.exit_code == 0
    assert_kept(trial, box, scene)
    requests = asked(box, RECORD)
    assert len(requests) > 2, "the budget was never spent"
    assert [request["status"] for request in requests] == [200] * len(requests), [
        (r["status"], r["at_us"]) for r in requests
    ]


@pytest.mark.parametrize(
    ("settings", "end"),
    [(LOGIN, ("the record says ended", True)), ({}, ("nothing new for ten minutes, and nobody to ask", False))],
    ids=["found anew when signed in", "not to be found as a guest"],
)
def test_query_ids_that_change_cost_no_audio(
    settings: dict[str, str], end: tuple[str, bool], opened: Callable[..., SandboxBox], tmp_path: Path
) -> None:
    scene = live("ids-rotate", extra=after(20, query_ids="rotated"))
    box = opened(scene)

    trial = record(box, tmp_path, box.link(scene.name), settings=settings, patience=SHORT_SILENCE)

    assert trial.exit_code == 0
    assert_kept(trial, box, scene)
    assert any(request["status"] == 404 for request in asked(box, RECORD))
    assert ended_by(trial) == end


@pytest.mark.parametrize("settings", [LOGIN, {}], ids=["signed-in", "guest"])
def test_a_record_that_is_deleted_meanwhile_costs_no_audio(
    settings: dict[str, str], opened: Callable[..., SandboxBox], tmp_path: Path
) -> None:
    upset = {"kind": "replace", "service": "x", "path": RECORD, "body": GONE, "type": "application/json", "begin": 22}
    scene = live("deleted", upsets=(upset,))
    box = opened(scene)

    trial = record(box, tmp_path, box.link(scene.name), settings=settings, patience=SHORT_SILENCE)

    assert trial.exit_code == 0, trial.outcome
    assert_kept(trial, box, scene)


def test_a_record_that_says_the_end_too_early_is_not_believed(
    opened: Callable[..., SandboxBox], tmp_path: Path
) -> None:
    scene = live("flaps", seconds=60, flaps=(Flap(begin=18, end=42, state=State.ENDED),))
    box = opened(scene)

    trial = record(box, tmp_path, box.link(scene.name))

    assert trial.exit_code == 0
    assert_kept(trial, box, scene)


def test_an_api_that_is_out_of_order_costs_no_audio(opened: Callable[..., SandboxBox], tmp_path: Path) -> None:
    upset = {"kind": "status", "status": 503, "body": '{"errors": []}', "service": "x", "begin": 20, "end": 70}
    scene = live("api-down", upsets=(upset,))
    box = opened(scene)

    trial = record(box, tmp_path, box.link(scene.name))

    assert trial.exit_code == 0
    assert_kept(trial, box, scene)
    assert sum("goes on without the record" in text for text in trial.notices) == 1


def test_a_record_with_nothing_in_it_but_an_id_is_recorded_all_the_same(
    opened: Callable[..., SandboxBox], tmp_path: Path
) -> None:
    upset = {"kind": "edit", "service": "x", "path": RECORD, "find": '"state": ?"[A-Za-z]+"', "put": '"state":null'}
    scene = live("stateless", upsets=(upset,))
    box = opened(scene)

    trial = record(box, tmp_path, box.link(scene.name), patience=SHORT_SILENCE)

    assert trial.exit_code == 0, trial.outcome
    assert_kept(trial, box, scene)


def test_who_has_seen_the_stream_can_fetch_what_is_hidden_now(
    opened: Callable[..., SandboxBox], tmp_path: Path
) -> None:
    scene = live("hidden-now", seconds=60, since=20)
    box = opened(scene)
    state = tmp_path / "first"
    stop = StopSignal()

    def stop_soon(event: Event) -> None:
        if isinstance(event, Progress):
            stop.finish()

    first = record(box, state, box.link(scene.name), on_event=stop_soon, stop=stop)
    box.control.inject(kind="replace", service="x", path=RECORD, body=GONE, type="application/json")

    trial = record(box, tmp_path, box.link(scene.name), settings={"state_dir": state / "state"}, patience=SHORT_SILENCE)

    assert first.outcome.result == "stopped"
    assert trial.exit_code == 0, trial.outcome
    assert_kept(trial, box, scene)


def test_the_own_account_is_nowhere_in_the_archive(opened: Callable[..., SandboxBox], tmp_path: Path) -> None:
    scene = live("own-account")
    box = opened(scene)
    own = {"handle": "zq_archivist", "name": "Zq Archivist", "user_id": "1705999999999999991"}
    box.control.switch(owner=own)

    trial = record(box, tmp_path, box.link(scene.name), settings=LOGIN)

    assert trial.exit_code == 0
    shown = asked(box, RECORD)
    assert shown
    for path in (tmp_path / "archive").rglob("*"):
        if path.is_file():
            body = path.read_bytes()
            assert not [word for word in own.values() if word.encode() in body], path.name


# ---------------------------------------------------------------- encrypted video


def sealed_scene(name: str, **more: Any) -> Scene:
    """Encrypted, and not to be had otherwise."""
    plain_is_gone = {"kind": "status", "status": 404, "path": r"/(?<!tw_)master_"}
    return Scene.ended(name, seconds=20, kind=Kind.BROADCAST, is_encrypted=True, upsets=(plain_is_gone,), **more)


def test_an_encrypted_broadcast_is_opened_with_a_login(opened: Callable[..., SandboxBox], tmp_path: Path) -> None:
    scene = sealed_scene("sealed-open")
    box = opened(scene)

    trial = record(box, tmp_path, box.link(scene.name), settings=LOGIN)

    assert trial.exit_code == 0, trial.outcome
    assert_video_kept(trial, box, scene.name, "1280x720")
    assert len(asked(box, "live_video_stream/key")) == 1
    assert not [r for r in box.control.requests(service="cdn") if "cookie" in str(r["headers"]).lower()]


def test_without_a_login_it_stays_sealed_and_is_opened_later(opened: Callable[..., SandboxBox], tmp_path: Path) -> None:
    scene = sealed_scene("sealed-shut", extra={"aes_iv": "sequence"})
    box = opened(scene)

    sealed = record(box, tmp_path, box.link(scene.name))

    assert sealed.exit_code == 3
    assert [(gap.first, gap.last, gap.cause.value, gap.is_partial) for gap in sealed.gaps] == [(0, 9, "sealed", True)]
    assert (sealed.directory / "original.ts").stat().st_size > 0

    trial = record(box, tmp_path, box.link(scene.name), settings=LOGIN)

    assert trial.exit_code == 0, trial.outcome
    assert trial.directory == sealed.directory
    assert_video_kept(trial, box, scene.name, "1280x720")


@pytest.mark.parametrize("gone", ["chunk_", "m3u8|chunk_"], ids=["the-segments", "the-lists-too"])
def test_what_was_stored_sealed_is_opened_without_being_fetched_again_though_gone_are(
    gone: str, opened: Callable[..., SandboxBox], tmp_path: Path
) -> None:
    scene = sealed_scene("sealed-kept", extra={"aes_iv": "sequence"}, stream_key=STREAM_KEY)
    box = opened(scene)
    sealed = record(box, tmp_path, box.link(scene.name))
    fetched = len(box.control.requests(service="cdn", containing="chunk_"))
    box.control.inject(kind="status", service="cdn", path=gone, status=404)

    trial = record(box, tmp_path, box.link(scene.name), settings=LOGIN)

    assert sealed.exit_code == 3
    assert trial.exit_code == 0, trial.outcome
    assert trial.directory == sealed.directory
    assert_video_kept(trial, box, scene.name, "1280x720")
    assert len(box.control.requests(service="cdn", containing="chunk_")) == fetched > 0
    assert "10 segments that had been stored sealed were opened" in trial.notices
    # Where the key lies names the stream, and that must not be in what may be handed on.
    assert not [path for path in files_of(tmp_path / "archive") if STREAM_KEY.encode() in path.read_bytes()]
    assert [path.name for path in files_of(tmp_path / "state") if STREAM_KEY.encode() in path.read_bytes()] == [
        "streams.jsonl"
    ]


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_where_it_is_to_be_had_unencrypted_no_login_is_needed(
    opened: Callable[..., SandboxBox], tmp_path: Path
) -> None:
    scene = Scene.ended("sealed-in-vain", seconds=20, kind=Kind.BROADCAST, is_encrypted=True)
    box = opened(scene)

    trial = record(box, tmp_path, box.link(scene.name))

    assert trial.exit_code == 0, trial.outcome
    assert_video_kept(trial, box, scene.name, "1280x720")


# ---------------------------------------------------------------- small things


def ended_by(trial: Trial) -> tuple[str, bool]:
    """What the journal says about the end of the live phase."""
    lines = [json.loads(line) for line in (trial.directory / "journal.jsonl").read_text().splitlines()]
    (end,) = [line for line in lines if line["kind"] == "end"]
    return end["reason"], end["confirmed"]
