"""One owner per take across processes; a dead owner's lock is free at once."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from filelock import FileLock, Timeout

from hydrophone.archive.durable import DISK, Disk, disk_errors, write_file
from hydrophone.errors import DiskError, TakeInUseError

OWNER_NAME = "owner.json"  #: beside the lock for as long as a process has it; a killed one leaves it behind


class TakeLock:
    """Ownership of a folder, from construction to `release`. The system frees it when the process dies.

    Raises:
        TakeInUseError: another owner is at work; the message names its process id.
    """

    def __init__(self, directory: Path, *, disk: Disk = DISK) -> None:
        self._owner = directory / OWNER_NAME
        # Not thread-local: a take may be closed by another thread than the one that opened it.
        self._lock = FileLock(directory / "lock", thread_local=False)
        with disk_errors(directory):
            try:
                self._lock.acquire(timeout=0)
            except Timeout:  # which is an OSError
                raise TakeInUseError(
                    f"{directory.parent}: already being recorded by {_describe(self._owner)}",
                    advice="Wait for it, or stop it first.",
                ) from None
        try:
            write_file(self._owner, json.dumps({"pid": os.getpid()}), disk=disk)
        except DiskError:
            pass  # The owner's name is for messages and for those who follow a take; the lock counts all the same.
        except BaseException:
            self._lock.release()
            raise

    def release(self) -> None:
        """Let go; harmless when already released."""
        with contextlib.suppress(OSError):
            self._owner.unlink(missing_ok=True)
        self._lock.release()


def _describe(owner: Path) -> str:
    try:
        return f"process {int(json.loads(owner.read_bytes())['pid'])}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
