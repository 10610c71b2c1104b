"""What looks after the process: a loop that stands still is told of, freed memory goes back, nothing is left over."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import sys
import threading
import time
from pathlib import Path

import pytest

from hydrophone.recorder.caretaker import Caretaker, trim_memory

HANG_SECONDS = 60.0


def nothing() -> None:
    """There is nothing to give back."""


def quick(**how: object) -> Caretaker:
    return Caretaker(**{"beat_seconds": 0.01, "late_seconds": 0.05, "trim": nothing} | how)  # type: ignore[arg-type]


def stand_still_until_seen(caretaker: Caretaker) -> None:
    """Hold up the loop until the thread has looked what it is in."""
    deadline = time.monotonic() + HANG_SECONDS
    while not caretaker._place and time.monotonic() < deadline:
        time.sleep(0.01)


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "hydrophone-caretaker"]


def test_caretaker_says_how_long_the_loop_stood_still_and_in_what(caplog: pytest.LogCaptureFixture) -> None:
    caretaker = quick()

    async def run() -> None:
        with caretaker.watching():
            await asyncio.sleep(0.05)
            stand_still_until_seen(caretaker)
            await asyncio.sleep(0.05)

    with caplog.at_level(logging.INFO, "hydrophone.recorder"):
        asyncio.run(run())

    (message,) = caplog.messages
    assert message.startswith("the event loop stood still for ")
    assert "stand_still_until_seen" in message
    assert caretaker.most_late > 0.05


def test_caretaker_names_the_function_of_ours_that_called() -> None:
    """Where time goes is seldom where it is lost: what of ours is on the stack says which recording work it was."""
    caretaker = quick()
    # As if it stood in a module of ours.
    inner: dict[str, object] = {"__name__": "hydrophone.recorder.recorder", "wait": stand_still_until_seen}
    exec("def work(caretaker): wait(caretaker)", inner)
    places: list[str] = []

    async def run() -> None:
        with caretaker.watching():
            await asyncio.sleep(0.05)
            inner["work"](caretaker)  # type: ignore[operator]
            places.append(caretaker._place)

    asyncio.run(run())

    assert places[0].startswith("hydrophone.recorder.recorder.work (")


def test_caretaker_does_not_repeat_itself_each_second(caplog: pytest.LogCaptureFixture) -> None:
    caretaker = quick()

    async def run() -> None:
        with caretaker.watching():
            for _ in range(3):
                await asyncio.sleep(0.05)
                stand_still_until_seen(caretaker)
            await asyncio.sleep(0.05)

    with caplog.at_level(logging.INFO, "hydrophone.recorder"):
        asyncio.run(run())

    assert len(caplog.messages) == 1
    assert caretaker._untold >= 2


def test_caretaker_gives_memory_back_again_and_again() -> None:
    trims = threading.Semaphore(0)

    async def run() -> bool:
        with quick(trim=trims.release, trim_seconds=0.0).watching():
            return all([await asyncio.to_thread(trims.acquire, True, HANG_SECONDS) for _ in range(3)])

    assert asyncio.run(run())


def test_caretaker_goes_when_the_last_recording_has_ended() -> None:
    caretaker = quick()

    async def run() -> None:
        for _ in range(2):
            with caretaker.watching(), caretaker.watching():
                assert len(threads()) == 1
                (thread,) = threads()
            assert not thread.is_alive()
            assert threads() == []
            assert caretaker._timer is None

    asyncio.run(run())


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="only glibc can give memory back"
)
def test_memory_between_what_is_kept_is_given_back() -> None:
    """Holes of an even size between small things that stay: as bodies leave them that come together."""
    kept = []
    for _ in range(1000):
        hole = bytearray(b"\1") * 60_000
        kept.append(bytearray(b"\1") * 2_000)
        kept.append(hole)
    full = resident_bytes()
    del kept[1::2]

    trim_memory()

    assert full - resident_bytes() > 40_000_000
    assert len(kept) == 1000


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


def test_threads_take_shorter_turns_while_something_is_recorded() -> None:
    before = sys.getswitchinterval()
    caretaker = quick()

    async def run() -> float:
        with caretaker.watching():
            return sys.getswitchinterval()

    assert asyncio.run(run()) <= 0.001
    assert sys.getswitchinterval() == before
