"""Runs one command and writes down what it cost: wall time, CPU time with all its children, peak memory, exit code.

A program of its own, and a small one: the kernel counts the memory of whoever starts a process towards the peak of that
process, so that a command started by a grown interpreter would never seem smaller than that.

Usage: ``python -I -S launch.py RESULT SECONDS COMMAND [ARGUMENT …]``. The command is killed after so many seconds.
"""

import os
import signal
import sys
import time


def main() -> None:
    result, seconds, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    began = time.monotonic()
    # A group of its own, so that what the command starts can be ended with it.
    child = os.posix_spawnp(command[0], command, os.environ, setpgroup=0)

    def end(_number: int, _frame: object) -> None:
        os.killpg(child, signal.SIGKILL)

    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    signal.alarm(seconds)
    _, status, usage = os.wait4(child, 0)
    wall = time.monotonic() - began
    signal.alarm(0)
    row = (wall, usage.ru_utime, usage.ru_stime, usage.ru_maxrss * 1024, os.waitstatus_to_exitcode(status))
    with open(result, "w") as file:  # noqa: PTH123 - pathlib would make this program grow
        file.write(" ".join(map(str, row)))


main()
