"""A real network between recorder and service that loses packets and falls apart while a Space is live.

What the service offers later comes later: nothing is lost. Where it offers nothing later, the gap is what went through
the live window while the cable was cut, and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from endurance.network_namespaces import Cable, cable, why_not
from endurance.recording_forks import Answer, Forks, forking
from hydrophone.sandbox.scene import SnapshotRule
from hydrophone.testing import Scene
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.trials import adts_frames
from journeys.victims import assert_sound, item_of

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]

SPEED = 6.0
WARM_UP = Scene.ended("warm-up", seconds=9)
WINDOW = 4  #: segments of three seconds in the live list
#: As patient as by default in all that matters here, but not for an hour.
PATIENCE = {"settle_looks": 6, "late_look": 20.0, "replay_every": 20.0, "replay_for": 60.0, "chat_looks": (10.0,)}


@pytest.fixture
def wire() -> Iterator[Cable]:
    with cable() as laid:
        yield laid


class Bed:
    """A live Space at the far end, and the recorder at the near one. Times are scene seconds since the start."""

    def __init__(self, wire: Cable, box: SandboxBox, forks: Forks, scene: Scene) -> None:
        self.wire, self.box, self.forks, self.scene = wire, box, forks, scene
        with wire.at(wire.far):
            self.id = box.scene(scene.name).id
            began = box.scene(scene.name).started_at
        assert began is not None
        self._began: datetime = began

    def now(self) -> float:
        with self.wire.at(self.wire.far):
            return (self.box.control.now() - self._began).total_seconds()

    def wait_until(self, second: float) -> None:
        while (left := second - self.now()) > 0:
            time.sleep(min(0.5, left / SPEED + 0.01))

    def apart(self, begin: float, end: float) -> None:
        """Cut the cable from one second to the other."""
        self.wait_until(begin)
        self.wire.cut()
        try:
            self.wait_until(end)
        finally:
            self.wire.join()

    def record(self, folder: Path, during: Callable[[], None]) -> Answer:
        with ThreadPoolExecutor(1) as pool:
            with self.wire.at(self.wire.near):
                answer: Future[Answer] = pool.submit(
                    self.forks.record, self.scene.name, folder, patience=PATIENCE
                )  # its thread begins here, and stays here
            during()
            return answer.result()

    def playlists(self) -> list[float]:
        """When a live list was sent."""
        with self.wire.at(self.wire.far):
            asked = self.box.control.requests(service="cdn", containing="dynamic_playlist")
        begin_us = self._began.timestamp() * 1e6
        return sorted((note["at_us"] - begin_us) / 1e6 for note in asked if note["status"] == 200)

    def rows(self) -> list[dict[str, Any]]:
        with self.wire.at(self.wire.far):
            found: list[dict[str, Any]] = self.box.ledger(self.scene.name, with_digests=False)["segments"]
            return found

    def truth(self) -> list[bytes]:
        with self.wire.at(self.wire.far):
            return self.box.true_frames(self.scene.name)


@contextmanager
def lay_bed(wire: Cable, folder: Path, scene: Scene) -> Iterator[Bed]:
    with ExitStack() as stack:
        with wire.at(wire.far):
            box = stack.enter_context(sandbox(WARM_UP, isolated=True, speed=SPEED))
        with wire.at(wire.near):
            forks = stack.enter_context(forking(box, folder))
            assert forks.record(WARM_UP.name, folder / "warm-up").status == 0  # from here on it starts at once
            box.control.load(scene)
        yield Bed(wire, box, forks, scene)


def frames_of(folder: Path) -> list[bytes]:
    return adts_frames((item_of(folder) / "original.aac").read_bytes())


def test_lost_packets_and_two_partitions_longer_than_the_window_cost_nothing_that_is_offered_later(
    wire: Cable, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    scene = Scene.live("torn cable", seconds=120, since=3, snapshot=SnapshotRule(every=8, lag_seconds=3.0))
    with lay_bed(wire, tmp_path, scene) as bed:
        wire.lose(0.05)

        def tear() -> None:
            bed.apart(24.0, 24.0 + 2.5 * WINDOW * 3)
            bed.apart(78.0, 78.0 + 1.5 * WINDOW * 3)

        answer = bed.record(tmp_path / "archive", tear)

        assert wire.lost() > 20
        assert len(bed.playlists()) > 10
        assert answer.status == 0, answer
        assert frames_of(tmp_path / "archive") == bed.truth()
        assert_sound(item_of(tmp_path / "archive"))
        record_property("partitions", 2)


def test_a_partition_leaves_a_gap_where_nothing_is_offered_later_and_nowhere_else(
    wire: Cable, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    scene = Scene.live("torn for good", seconds=90, since=3, snapshot=SnapshotRule(every=8, lag_seconds=3.0))
    gone = range(12, 12 + WINDOW + 2)
    with lay_bed(wire, tmp_path, scene) as bed:

        def tear() -> None:
            bed.wait_until(gone[0] * 3.0 + 1)  # the first of them is not whole yet
            bed.wire.cut()
            bed.wait_until((gone[-1] + WINDOW + 2) * 3.0)  # the last of them has left the window
            with wire.at(wire.far):
                bed.box.control.inject(
                    kind="status", status=404, path="chunk_", space=bed.id, segments=[[gone[0], gone[-1]]]
                )
            bed.wire.join()

        answer = bed.record(tmp_path / "archive", tear)

        assert answer.status == 3, answer
        assert answer.gaps == 1
        truth, expected = iter(bed.truth()), []
        for row in bed.rows():
            frames = [next(truth) for _ in range(row["frames"])]
            expected += [] if row["place"] in gone else frames
        assert frames_of(tmp_path / "archive") == expected
        assert_sound(item_of(tmp_path / "archive"))
        record_property("partitions", 1)
