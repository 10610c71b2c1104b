"""What running processes have cost so far: CPU time and memory, read from the system without touching them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """CPU time of a process with all its threads. Its children are not in it."""
    # The kernel's name for "the CPU clock of that process"; much finer than the ticks of /proc/PID/stat.
    return time.clock_gettime((~pid << 3) | 2)


def pss_bytes(pid: int) -> int:
    """Proportional set size: what the process has for itself, and its part of what it shares."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"no Pss for {pid}")


def with_children(pid: int) -> list[int]:
    """A process and everything that descends from it."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(word) for word in task.read_text().split()]
    return found


def total_cpu(pids: Iterable[int]) -> float:
    return sum(cpu_seconds(one) for pid in pids for one in with_children(pid))


def total_pss(pids: Iterable[int]) -> int:
    return sum(pss_bytes(one) for pid in pids for one in with_children(pid))


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208
