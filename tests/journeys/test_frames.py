"""The main job in all its forms: what ends up on the disk is what the sandbox offered, frame by frame.

The cases are recorded beside one another by one engine, each with its own options.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import pytest

from hydrophone.cli.exits import code_of
from hydrophone.errors import CanceledError, NoReplayError, NotStartedError
from hydrophone.recorder.events import Mode, Started, Waiting
from hydrophone.sandbox.scene import Away, Kind, Quirks, Scene, SnapshotRule, State
from hydrophone.sandbox.scenefile import load_shipped
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.trials import PATIENCE, Trial, assert_kept, engine, lift_limits, record_links

SPEED = 8.0
QUICK = SnapshotRule(every=8, lag_seconds=3.0, gone_seconds=12.0)
OUTAGE = {"kind": "status", "status": 503, "begin": 26, "end": 55}
VIDEO = {"seconds": 40.0, "snapshot": QUICK}


@dataclass(frozen=True)
class Case:
    """One recording: the scene, what to type for it, and how to record it."""

    scene: Scene
    options: Mapping[str, Any] = field(default_factory=dict)
    link: Callable[[SandboxBox, str], str] = SandboxBox.link


def shipped(scene: str, **overrides: Any) -> Scene:
    return load_shipped(scene, overrides)


def playlist(box: SandboxBox, name: str) -> str:
    url = box.stream_url(name)
    assert url is not None
    return url


CASES: Mapping[str, Case] = {
    case.scene.name: case
    for case in (
        Case(Scene.ended("replay", seconds=300)),
        Case(Scene.ended("replay-on-one-connection", seconds=60), {"connections": 1}),
        Case(Scene.live("live", seconds=75, since=30, snapshot=QUICK)),
        Case(Scene.live("host-away", seconds=75, since=10, snapshot=QUICK, aways=(Away(begin=30, seconds=40),))),
        Case(Scene.live("long-outage", seconds=75, since=10, snapshot=QUICK, upsets=(OUTAGE,))),
        Case(Scene.live("short-replay", seconds=75, since=10, snapshot=QUICK, replay_segments=15)),
        Case(
            Scene.live("late-tail", seconds=60, since=10, snapshot=QUICK, quirks=Quirks(last_only_in_final=True)),
            {"patience": dataclasses.replace(PATIENCE, late_look=80.0)},
        ),
        Case(Scene.live("hole", seconds=60, since=10, snapshot=QUICK, quirks=Quirks(holes=(9, 12)))),
        Case(Scene.live("replay-off", seconds=60, since=20, snapshot=QUICK, has_replay=False)),
        Case(Scene.ended("no-replay", seconds=60, has_replay=False)),
        Case(Scene.ended("timed-out", seconds=60, ago=60, outcome=State.TIMED_OUT, replay_lag_seconds=70)),
        Case(Scene.live("edge", seconds=75, since=30, snapshot=QUICK), {"live_edge": True}),
        Case(
            shipped("starts-soon", scheduled=40, opened=20, started=40, seconds=45, snapshot=dataclasses.asdict(QUICK)),
            {"wait": True},
        ),
        Case(shipped("starts-soon", name="not-waited-for", scheduled=4000, started=4000)),
        Case(shipped("canceled"), {"wait": True}),
        Case(shipped("ntp-wrap", seconds=45)),
        Case(shipped("odd-tags")),
        Case(
            Scene.live("playlist-url", seconds=60, since=20, snapshot=QUICK),
            {"patience": dataclasses.replace(PATIENCE, silence=40.0)},
            playlist,
        ),
        Case(Scene.ended("replay-url", seconds=60), {}, playlist),
        Case(Scene.live("video-space", since=10, kind=Kind.VIDEO_SPACE, **VIDEO)),
        Case(Scene.live("broadcast-live", since=10, kind=Kind.BROADCAST, **VIDEO)),
        Case(Scene.ended("broadcast-ended", kind=Kind.BROADCAST, seconds=40.0), {"format": "worst"}),
    )
}


@pytest.fixture(scope="module")
def box() -> Iterator[SandboxBox]:
    with sandbox(speed=SPEED, isolated=True) as box:
        lift_limits(box)
        yield box


@pytest.fixture(scope="module")
def trials(box: SandboxBox, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Trial]:
    return asyncio.run(record_all(box, tmp_path_factory.mktemp("frames")))


async def record_all(box: SandboxBox, folder: Path) -> dict[str, Trial]:
    async with engine(box, folder) as hydrophone, asyncio.timeout(100):
        for case in CASES.values():
            box.control.load(case.scene)
        recordings = (record_links(hydrophone, [case.link(box, name)], **case.options) for name, case in CASES.items())
        found = await asyncio.gather(*recordings)
    return {name: trials[0] for name, trials in zip(CASES, found, strict=True)}


WHOLE = (
    "replay",
    "replay-on-one-connection",
    "live",
    "host-away",
    "long-outage",
    "short-replay",
    "late-tail",
    "replay-off",
    "timed-out",
    "starts-soon",
    "ntp-wrap",
    "playlist-url",
    "replay-url",
)


@pytest.mark.parametrize("name", WHOLE)
def test_every_frame_is_kept_once_and_in_order(name: str, trials: Mapping[str, Trial], box: SandboxBox) -> None:
    trial = trials[name]

    assert trial.exit_code == 0, trial.outcome
    assert trial.gaps == ()
    assert_kept(trial, box, name)


def test_segments_that_nobody_ever_had_are_gaps(trials: Mapping[str, Trial], box: SandboxBox) -> None:
    trial = trials["hole"]

    assert trial.exit_code == 3
    assert [(gap.first, gap.last) for gap in trial.gaps] == [(9, 9), (12, 12)]
    assert_kept(trial, box, "hole")


def test_recording_from_the_live_edge_begins_with_what_is_live(trials: Mapping[str, Trial], box: SandboxBox) -> None:
    trial = trials["edge"]
    truth, kept = box.true_frames("edge"), trial.frames

    assert trial.exit_code == 0
    assert 0 < len(kept) < len(truth) - 6 * 140
    assert kept == truth[-len(kept) :]
    assert trial.outcome.coverage is not None
    assert trial.outcome.coverage.is_complete


def test_a_change_of_format_makes_a_second_file(trials: Mapping[str, Trial], box: SandboxBox) -> None:
    trial = trials["odd-tags"]

    assert trial.exit_code == 0
    assert trial.frames == box.true_frames("odd-tags")
    assert sorted(path.name for path in trial.directory.glob("audio*.m4a")) == ["audio-2.m4a", "audio.m4a"]


def test_a_space_that_is_to_come_is_waited_for(trials: Mapping[str, Trial]) -> None:
    assert any(isinstance(event, Waiting) for event in trials["starts-soon"].events)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("no-replay", NoReplayError), ("not-waited-for", NotStartedError), ("canceled", CanceledError)],
)
def test_where_there_is_nothing_to_record_the_error_says_why(
    name: str, kind: type[Exception], trials: Mapping[str, Trial]
) -> None:
    trial = trials[name]

    assert isinstance(trial.outcome.error, kind)
    assert trial.exit_code == code_of(trial.outcome.error) == 4
    assert trial.outcome.directory is None


@pytest.mark.parametrize(
    ("name", "variant"),
    [("video-space", "1280x720"), ("broadcast-live", "1280x720"), ("broadcast-ended", "568x320")],
)
def test_every_segment_of_a_video_is_kept_once_and_in_order(
    name: str, variant: str, trials: Mapping[str, Trial], box: SandboxBox
) -> None:
    trial = trials[name]

    assert trial.exit_code == 0, trial.outcome
    assert_video_kept(trial, box, name, variant)


def assert_video_kept(trial: Trial, box: SandboxBox, name: str, variant: str) -> None:
    """The original is the segments of this variant, and the packaged video is as long as they are."""
    told = box.control.ledger(box.scene(name).id, variant=variant)
    original = (trial.directory / "original.ts").read_bytes()
    lines = [json.loads(line) for line in (trial.directory / "journal.jsonl").read_text().splitlines()]
    sizes = {line["seq"]: line["len"] for line in lines if line["kind"] == "segment"}
    digests, at = [], 0
    for number in sorted(sizes):
        digests.append(hashlib.sha256(original[at : at + sizes[number]]).hexdigest())
        at += sizes[number]
    assert digests == [row["payload_sha256"] for row in told["segments"]]
    assert at == len(original)
    assert trial.outcome.media is not None
    with av.open(str(trial.outcome.media)) as container:
        assert container.duration is not None
        assert container.duration / av.time_base == pytest.approx(told["seconds"], abs=0.1)


def test_each_case_was_live_or_a_replay_as_meant(trials: Mapping[str, Trial]) -> None:
    modes = {
        name: [event.mode for event in trial.events if isinstance(event, Started)] for name, trial in trials.items()
    }

    assert {name for name, found in modes.items() if found == [Mode.REPLAY]} == {
        "replay",
        "replay-on-one-connection",
        "timed-out",
        "ntp-wrap",
        "odd-tags",
        "replay-url",
        "broadcast-ended",
    }


# ---------------------------------------------------------------- several runs, several links


def test_ten_live_spaces_are_recorded_by_one_process(box: SandboxBox, tmp_path: Path) -> None:
    names = [f"beside-{number}" for number in range(10)]
    for name in names:
        box.control.load(Scene.live(name, seconds=30, since=10, snapshot=QUICK))

    async def run() -> list[Trial]:
        async with engine(box, tmp_path) as hydrophone:
            return await record_links(hydrophone, [box.link(name) for name in names])

    for name, trial in zip(names, asyncio.run(run()), strict=True):
        assert trial.exit_code == 0
        assert_kept(trial, box, name)


def test_a_space_that_is_named_twice_is_recorded_once(box: SandboxBox, tmp_path: Path) -> None:
    scene = Scene.ended("named-twice", seconds=30)
    box.control.load(scene)
    links = [
        f"https://x.com/i/spaces/{scene.id}",
        scene.id,
        f"https://twitter.com/i/spaces/{scene.id}/peek",
        f"https://x.com/i/broadcasts/{scene.id}",
    ]
    since = len(box.control.requests(service="cdn"))

    async def run() -> list[Trial]:
        async with engine(box, tmp_path) as hydrophone:
            return await record_links(hydrophone, links)

    trials = asyncio.run(run())

    assert len({trial.directory for trial in trials}) == 1
    assert_kept(trials[0], box, scene)
    asked = [request["path"] for request in box.control.requests(service="cdn")[since:] if "chunk_" in request["path"]]
    assert len(asked) == len(set(asked)) == 10
    assert len(list((tmp_path / "archive").glob("*/*"))) == 1


def test_a_second_run_fetches_nothing_again(box: SandboxBox, tmp_path: Path) -> None:
    scene = Scene.ended("run-twice", seconds=30)
    box.control.load(scene)

    async def run() -> list[Trial]:
        async with engine(box, tmp_path) as hydrophone:
            first = await record_links(hydrophone, [scene.id])
            box.control.inject(kind="status", status=500, path="chunk_", space=scene.id, id="all")
            return first + await record_links(hydrophone, [scene.id])

    first, second = asyncio.run(run())
    box.control.remove_fault("all")

    assert second.exit_code == 0
    assert second.directory == first.directory
    assert_kept(second, box, scene)


def test_an_ended_space_without_replay_is_fetched_from_the_address_seen_live(box: SandboxBox, tmp_path: Path) -> None:
    scene = Scene.live("seen-live", seconds=45, since=20, has_replay=False, snapshot=QUICK)
    box.control.load(scene)

    async def run() -> list[Trial]:
        async with engine(box, tmp_path) as hydrophone:
            await hydrophone.stream(scene.id)
            parts = await hydrophone._open()
            seen = (await hydrophone.stream(scene.id)).stream.url
            parts.recorder._tools.streams.remember(scene.id, seen, seen_at=parts.clock.now())
            ended_at = box.scene(scene.name).ended_at
            assert ended_at is not None
            box.control.advance((ended_at - box.control.now()).total_seconds() + 30)
        async with engine(box, tmp_path) as hydrophone:
            return await record_links(hydrophone, [scene.id])

    (trial,) = asyncio.run(run())

    assert trial.exit_code == 0, trial.outcome
    assert_kept(trial, box, scene)
