"""Hostile neighbours, hostile names, a loop that stands still: what must not reach beyond the one it befalls."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import facts
from endurance.cdn_scripts import CHANGES, hostile_scene
from hydrophone.recorder.events import Event, Progress
from hydrophone.sandbox.scene import Scene, SnapshotRule
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.live_faults import LENGTH, PLAYLIST, script, upset
from journeys.trials import Trial, assert_kept, engine, lift_limits, record, record_links, tell_about

SPEED = 8.0
QUICK = SnapshotRule(every=8, lag_seconds=3.0, gone_seconds=12.0)
LAG_SECONDS = 60.0  #: a loop that stood still for longer is stuck; how long it really was is reported

#: What a Space may be called.
NAMES = {
    "a way out": "../../../../etc/passwd",
    "the folder above": "..",
    "a zero byte": "zero \0 byte",
    "several lines": "first\nsecond\r\nthird",
    "ten thousand characters": "long " * 2000,
    "three hundred ideographs": "海" * 300,
    "letters that turn the reading round": "abc \u202egnp.exe \u2066x\u2069",
    "a device of Windows": "CON",
    "a flag": "-rf --no-preserve-root",
    "a format": "{0.__class__.__mro__} %(id)s %n",
    "a command": "$(touch owned) `touch owned` ; touch owned",
    "a terminal's command": "\x1b]0;owned\x07\x1b[2J red",
    "a formula": '=HYPERLINK("http://foreign.invalid";"here")',
    "markup": "<script>alert(1)</script> &amp; ]]>",
    "nothing": "",
}


@pytest.fixture(scope="module")
def box() -> Iterator[SandboxBox]:
    with sandbox(speed=SPEED, isolated=True) as box:
        lift_limits(box)
        yield box


# ---------------------------------------------------------------- names


@pytest.fixture(scope="module")
def named(box: SandboxBox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trial]:
    folder = tmp_path_factory.mktemp("names")

    async def run() -> list[Trial]:
        async with engine(box, folder) as hydrophone:
            return await record_links(hydrophone, [box.link(f"named {what}") for what in NAMES])

    for what, title in NAMES.items():
        box.control.load(Scene.ended(f"named {what}", seconds=9, title=title))
    return dict(zip(NAMES, asyncio.run(run()), strict=True))


@pytest.mark.parametrize("what", NAMES)
def test_a_title_does_not_lead_out_of_its_folder(what: str, named: dict[str, Trial], box: SandboxBox) -> None:
    trial = named[what]

    assert trial.exit_code == 0, trial.outcome
    assert_kept(trial, box, f"named {what}")
    archive = trial.directory.parents[1]
    assert archive.name == "archive"
    assert sorted(path.name for path in archive.parent.iterdir()) == ["archive", "state"]
    assert len(trial.directory.name.encode()) <= 200
    assert trial.directory.name.isprintable()
    assert trial.directory.name.endswith(f"[{trial.outcome.key}]")
    assert not list(archive.parent.rglob("owned"))
    assert not Path("owned").exists()


# ---------------------------------------------------------------- addresses


@contextlib.contextmanager
def trap() -> Iterator[tuple[int, list[str]]]:
    """A port of this machine that notes whoever comes."""
    visitors: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        done = threading.Event()

        def listen() -> None:
            while not done.is_set():
                with contextlib.suppress(TimeoutError):
                    connection, peer = server.accept()
                    visitors.append(f"{peer}: {connection.recv(200)!r}")
                    connection.close()

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield server.getsockname()[1], visitors
        finally:
            done.set()
            thread.join()


def test_entries_that_lead_elsewhere_are_not_followed_and_cost_nothing(box: SandboxBox, tmp_path: Path) -> None:
    with trap() as (port, visitors):
        scene = hostile_scene(port)
        box.control.load(scene)

        trial = record(box, tmp_path, box.link(scene.name))

        assert visitors == []
    assert trial.exit_code == 0, trial.outcome
    assert_kept(trial, box, scene)


# ---------------------------------------------------------------- formats


def test_a_change_of_rate_and_channels_loses_no_frame(box: SandboxBox, tmp_path: Path) -> None:
    box.control.load(CHANGES)

    trial = record(box, tmp_path, box.link(CHANGES.name))

    truth = box.true_frames(CHANGES.name)
    tell_about(trial, truth)
    assert trial.exit_code == 0, trial.outcome
    assert trial.frames == truth
    assert len(list(trial.directory.glob("audio*.m4a"))) == 3


# ---------------------------------------------------------------- the loop


def test_a_loop_that_stands_still_for_five_seconds_loses_nothing(
    box: SandboxBox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Forty seconds of the Space pass meanwhile: three windows. Whoever runs it is told what the loop was in."""
    scene = Scene.live("loop-stands-still", seconds=LENGTH + 30, since=10, snapshot=QUICK)
    box.control.load(scene)
    stood = []

    def stand_still(event: Event) -> None:
        if isinstance(event, Progress) and event.segments >= 5 and not stood:
            stood.append(event.segments)
            time.sleep(5.0)

    trial = record(box, tmp_path, box.link(scene.name), on_event=stand_still)

    assert stood
    warnings = [line.getMessage() for line in caplog.records if line.levelname == "WARNING"]
    assert any("the event loop stood still for" in line and "stand_still" in line for line in warnings)
    assert trial.exit_code == 0, trial.outcome
    assert_kept(trial, box, scene)


def test_hostile_recordings_cost_nineteen_good_ones_nothing(box: SandboxBox, tmp_path: Path) -> None:
    good = [Scene.live(f"good-{number}", seconds=45, since=10, snapshot=QUICK) for number in range(19)]
    bad = [
        script("beside a million entries", upset("edit", path=PLAYLIST, entries=120_000, skip=2, count=2)).scene,
        script("beside a long line", upset("edit", path=PLAYLIST, line_bytes=7 << 20, skip=2, count=3)).scene,
        script("beside a bomb", upset("gzip-bomb", segments=[[3, 20]], bytes=64 << 20)).scene,
        script("beside a wedge", upset("stall-headers", segments=[[0, 25]]), upset("drip", path=PLAYLIST)).scene,
    ]
    lags: list[float] = []

    async def watch() -> None:
        while True:
            due = time.monotonic() + 0.02
            await asyncio.sleep(0.02)
            lags.append(time.monotonic() - due)

    async def run() -> list[Trial]:
        async with engine(box, tmp_path) as hydrophone:
            watching = asyncio.create_task(watch())
            wedged = asyncio.create_task(record_links(hydrophone, [box.link(scene.name) for scene in bad]))
            trials = await record_links(hydrophone, [box.link(scene.name) for scene in good])
            for task in (watching, wedged):
                task.cancel()
            await asyncio.gather(watching, wedged, return_exceptions=True)
            return trials

    for scene in (*bad, *good):
        box.control.load(scene)
    trials = asyncio.run(run())

    for scene, trial in zip(good, trials, strict=True):
        assert trial.exit_code == 0, trial.outcome
        assert_kept(trial, box, scene)
    facts.tell("most loop lag ms", round(max(lags) * 1000))
    facts.tell("loop lag p99 ms", round(sorted(lags)[len(lags) * 99 // 100] * 1000))
    assert max(lags) < LAG_SECONDS
