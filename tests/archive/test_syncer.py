from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from archive.builders import HASTY, add
from hydrophone.archive import Syncer, Take, shared_syncer


class Recorder:
    """A take that only counts its flushes."""

    def __init__(self) -> None:
        self.flushes = 0
        self.done = threading.Event()
        self.gate: threading.Event | None = None
        self.error: Exception | None = None

    def flush(self) -> None:
        if self.gate is not None:
            self.gate.wait(10)
        self.flushes += 1
        self.done.set()
        if self.error is not None:
            raise self.error


def test_small_things_wait_for_the_interval_and_share_a_flush() -> None:
    syncer = Syncer(interval_seconds=0.05)
    take = Recorder()
    for _ in range(20):
        syncer.mark(take, 10)
    assert take.done.wait(10)
    syncer.close()
    assert take.flushes == 1


def test_much_is_flushed_at_once() -> None:
    syncer = Syncer(interval_seconds=1000, limit_bytes=100)
    take = Recorder()
    syncer.mark(take, 60)
    assert not take.done.wait(0.05)
    syncer.mark(take, 60)
    assert take.done.wait(10)
    syncer.close()


def test_a_request_is_answered_with_the_error() -> None:
    syncer = Syncer(interval_seconds=1000)
    take = Recorder()
    take.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        syncer.request(take).result(10)
    take.error = None
    syncer.request(take).result(10)
    syncer.close()
    with pytest.raises(RuntimeError):
        syncer.request(take).result(10)
    syncer.close()


def test_a_take_that_hangs_does_not_hold_up_another() -> None:
    syncer = Syncer(interval_seconds=0.01)
    wedged, good = Recorder(), Recorder()
    wedged.gate = threading.Event()
    waiting = syncer.request(wedged)
    for _ in range(5):
        syncer.request(good).result(10)
    again = syncer.request(wedged)
    assert not waiting.done()
    assert good.flushes == 5
    wedged.gate.set()
    again.result(10)
    assert waiting.done()
    assert wedged.flushes == 2
    syncer.close()


def test_a_canceled_request_harms_nobody() -> None:
    syncer = Syncer(interval_seconds=1000)
    take = Recorder()
    take.gate = threading.Event()
    syncer.request(take).cancel()
    take.gate.set()
    assert take.done.wait(10)
    syncer.request(take).result(10)
    syncer.close()


def test_the_process_has_one_syncer() -> None:
    assert shared_syncer() is shared_syncer()


async def test_a_thousand_takes_share_one_syncer(tmp_path: Path) -> None:
    syncer = Syncer(interval_seconds=0.05)
    before = threading.active_count()
    takes = [Take.open(tmp_path / str(number), syncer=syncer, disk=HASTY) for number in range(1000)]
    for sequence in range(3):
        for take in takes:
            add(take, sequence, size=200)
        await asyncio.sleep(0.05)
    assert threading.active_count() - before <= 9
    await asyncio.gather(*(take.sync() for take in takes))
    assert not any(take.waiting_segments for take in takes)
    assert not any(take.damaged() for take in takes)
    for take in takes:
        assert list(take.index.held(0)) == [0, 1, 2]
        take.close()
    syncer.close()
