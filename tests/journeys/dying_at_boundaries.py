"""A program that records again and again, each time in a fork that kills itself at one system call on the disk.

Reads lines of JSON: ``{"arguments": […], "die_at": 17}``; 0 does not die. For each it answers how the fork ended
(``status``, negative: by that signal) and how many ``calls`` it made if it did not die. Importing once and forking is
what makes it possible to die at every single call.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from hydrophone.archive.durable import Disk

#: What changes the disk, or makes a change durable.
CALLS = ("open", "write", "sync", "truncate", "replace", "unlink", "make_directory", "sync_directory")


class Counter:
    """Counts the calls of a process, and ends it in front of the one that is chosen."""

    def __init__(self, die_at: int) -> None:
        self.calls = 0
        self._die_at = die_at

    def watch(self) -> None:
        for name in CALLS:
            setattr(Disk, name, self._counted(name, getattr(Disk, name)))

    def _counted(self, name: str, original: Any) -> Any:
        def call(disk: Disk, *arguments: Any) -> Any:
            self.calls += 1
            if self.calls == self._die_at:
                if name == "write":
                    fd, pieces = arguments
                    os.write(fd, bytes(pieces[0])[: len(pieces[0]) // 2])  # a power cut tears what is being written
                os.kill(os.getpid(), signal.SIGKILL)
            return original(disk, *arguments)

        return call


def record(arguments: Sequence[str], die_at: int) -> dict[str, int]:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        counter = Counter(die_at)
        counter.watch()
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  (for the rest of this process)
        from hydrophone.cli import run

        code = run(arguments)
        os.write(writer, str(counter.calls).encode())
        os._exit(code)
    os.close(writer)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as pipe:
        calls = int(pipe.read() or 0)
    return {"status": os.waitstatus_to_exitcode(status), "calls": calls}


def main() -> None:
    import hydrophone.app
    import hydrophone.cli.commands.record
    import hydrophone.cli.progress
    import hydrophone.cli.tree  # noqa: F401  (loaded once for all forks)

    asyncio.run(asyncio.sleep(0))
    for line in sys.stdin:
        job = json.loads(line)
        sys.stdout.write(json.dumps(record(job["arguments"], job["die_at"])) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
