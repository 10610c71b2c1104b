"""Errors at the recorder's system calls: the undisturbed bytes, or it says what went wrong, and a re-run heals.

Each of the three errors that a program must cope with (the disk is full, the medium fails, no descriptor is left) comes
at a single call, spread over all sorts of calls. The two that must not be noticed at all (a call was interrupted, a
write was short) come at every n-th call, until each call has had its turn; the second also at every single write.

The calls are answered by the kernel's seccomp notifications (see `system_calls`), so an error is what the system says
and not what a wrapper in Python raises, and a short write has truly written half. `strace` cannot do the latter.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from endurance.points import acknowledged, assert_healed, assert_whole, spread
from endurance.recording_forks import SHORT, UNLIMITED, Answer, Fault, Forks, forking
from endurance.system_calls import CHANGING, KINDS, why_not
from hydrophone.archive import find_items, verify_item
from hydrophone.testing import Scene
from hydrophone.testing.box import SandboxBox, sandbox
from journeys.victims import IS_HUNT, frames_in, item_of

pytestmark = [
    pytest.mark.skipif(bool(why_not()), reason=f"system calls cannot be watched: {why_not()}"),
    pytest.mark.timeout(7200 if IS_HUNT else 900),
]

SEED = 20_261_122
SCENE = Scene.ended("errors at calls", seconds=15)
AT_ONCE = 3
POINTS = 10_000 if IS_HUNT else 28
GAPS, UNREACHABLE, DISK = 3, 8, 9  #: exit codes

FULL = Fault("ENOSPC", kinds=tuple(sorted(CHANGING)))
BROKEN = Fault("EIO", kinds=tuple(sorted(KINDS - {"socket"})))
CROWDED = Fault("EMFILE", kinds=("open", "open for writing", "socket"))
INTERRUPTED = Fault("EINTR", kinds=("open for writing", "read", "sync", "truncate", "write"))
NEVER_INTERRUPTED = Fault(
    "EINTR", kinds=("mkdir", "open", "rename", "unlink")
)  #: but by file systems that break the rules
HALF = Fault(SHORT, kinds=("write",))


@dataclass(frozen=True)
class Bed:
    """A sandbox, the program that forks, and the undisturbed recording."""

    box: SandboxBox
    forks: Forks
    below: Path
    model: Path

    def calls(self, fault: Fault) -> list[str]:
        """The calls that an undisturbed run makes, of those that the fault can strike."""
        folder = self.below / "calls"
        answer = self.forks.record(SCENE.name, folder, replace(fault, at=0))
        assert answer.status == 0, answer
        shutil.rmtree(folder)
        return answer.trace


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    below = tmp_path_factory.mktemp("errors")
    with sandbox(SCENE, isolated=True, speed=20) as box, forking(box, below) as forks:
        box.control.switch(limits=UNLIMITED)
        box.control.inject(kind="delay", path="chunk_", seconds=0.03)
        answer = forks.record(SCENE.name, below / "model")
        assert answer.status == 0, answer
        assert frames_in(item_of(below / "model")) == box.true_frames(SCENE.name)
        yield Bed(box, forks, below, item_of(below / "model"))


def disturb(bed: Bed, folder: Path, fault: Fault) -> tuple[Answer, bool]:
    """Record under a fault, and once more without it if the first run says that something is wrong.

    Returns how the first one ended, and whether it came to the undisturbed files by itself.
    """
    answer = bed.forks.record(SCENE.name, folder, fault)
    is_identical = answer.status == 0
    if is_identical:
        assert_whole(folder, bed.model)
    else:
        assert answer.status in (GAPS, UNREACHABLE, DISK), answer
        assert answer.error or answer.gaps, answer
        for item in find_items(folder):
            report = verify_item(item.path, is_deep=True)
            assert answer.status == DISK or report.is_intact, report.findings
        held = acknowledged(folder)
        assert_healed(bed.forks.record(SCENE.name, folder), folder, bed.model, held)
    shutil.rmtree(folder)
    return answer, is_identical


def disturb_all(bed: Bed, faults: list[Fault]) -> list[tuple[Answer, bool]]:
    """`disturb` for each; all that goes wrong is told together."""

    def one(fault: Fault) -> tuple[Answer, bool] | str:
        try:
            return disturb(bed, bed.below / f"{fault.what}-{fault.at}", fault)
        except (AssertionError, OSError, ValueError) as problem:
            return f"{fault.what} at {fault.at}: {problem}"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = list(pool.map(one, faults))
    problems = [each for each in done if isinstance(each, str)]
    assert not problems, "\n".join(problems)
    return [each for each in done if not isinstance(each, str)]


@pytest.mark.parametrize(
    "fault", [FULL, BROKEN, CROWDED, NEVER_INTERRUPTED], ids=["ENOSPC", "EIO", "EMFILE", "EINTR of names"]
)
def test_error_at_any_call_is_survived_or_told_and_healed(
    fault: Fault, bed: Bed, record_property: Callable[[str, object], None]
) -> None:
    calls = bed.calls(fault)
    points = spread(calls, POINTS, random.Random(SEED))

    done = disturb_all(bed, [replace(fault, at=at) for at in points])

    struck = [(answer, is_identical) for answer, is_identical in done if answer.struck]
    record_property("errors_points", len(struck))
    record_property("errors_identical", sum(is_identical for _, is_identical in struck))
    record_property("errors_degraded_then_healed", sum(not is_identical for _, is_identical in struck))
    assert len(struck) >= 0.9 * len(points)
    # A kind with few calls can be missed: from run to run, they shift by a place or two.
    usual = {kind for kind, number in Counter(call.split()[0] for call in calls).items() if number > 5}
    assert usual <= {call.split()[0] for answer, _ in struck for call in answer.struck}
    if fault in (FULL, BROKEN):
        told = [answer.error for answer, is_identical in struck if not is_identical and answer.status == DISK]
        assert all(os.strerror(getattr(errno, fault.what)) in error for error in told), told


@pytest.mark.parametrize(
    ("fault", "every"),
    [(INTERRUPTED, 7), (HALF, 4), (HALF, 1)],
    ids=["EINTR", "short write", "every write short"],
)
def test_call_that_was_only_begun_is_finished_without_a_trace(
    fault: Fault, every: int, bed: Bed, record_property: Callable[[str, object], None]
) -> None:
    done = disturb_all(bed, [replace(fault, at=at, every=every) for at in range(1, every + 1)])

    struck = sum(len(answer.struck) for answer, _ in done)
    record_property("errors_points", struck)
    record_property("errors_identical", struck)
    assert all(is_identical for _, is_identical in done), [answer for answer, is_identical in done if not is_identical]
    assert struck >= 0.9 * len(bed.calls(fault))
